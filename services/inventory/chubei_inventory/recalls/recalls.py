"""Recalls: lots of a maker are used nowhere, those that come in later included, until the recall is lifted."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

from chubei_shared.contracts.recalls import Lift, Recall, RecalledStock, RecallPage, RecallView
from chubei_shared.cursors import cursor_of, key_of
from chubei_shared.errors import Conflict, Invalid, NotFound
from chubei_shared.outbox import enqueue
from chubei_shared.tokens import Caller
from sqlalchemy import ColumnElement, func, select, text, tuple_
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from chubei_inventory import tables
from chubei_inventory.fingerprint import fingerprint, other_content
from chubei_inventory.holds import repicks
from chubei_inventory.reserves.verifications import refuse_future
from chubei_inventory.stock.pool import sql

# A lot that is made at the same time takes this lock shared (trigger), and so is seen here, or sees the recall.
_ALONE = text("SELECT pg_advisory_xact_lock(7201121)")
_CALL_BACK = text(
    """
    INSERT INTO lot_change (lot_id, quality, reason, recorded_by, recall_id)
    SELECT l.id, 'recalled', r.reason, r.recorded_by, r.id FROM recall r JOIN lot l ON recalls_lot(r, l)
    WHERE r.id = :id AND l.quality <> 'recalled' ORDER BY l.id
    """
)
_GIVE_FREE = text(
    """
    INSERT INTO lot_change (lot_id, quality, reason, recorded_by, recall_id)
    SELECT l.id, coalesce((SELECT c.quality FROM lot_change c WHERE c.lot_id = l.id AND c.quality <> 'recalled'
                           ORDER BY c.seq DESC LIMIT 1), 'ok'), :reason, :by, r.id
    FROM recall r JOIN lot l ON recalls_lot(r, l)
    WHERE r.id = :id AND l.quality = 'recalled' AND NOT EXISTS (
        SELECT FROM recall o WHERE o.id <> r.id AND o.lifted_at IS NULL AND recalls_lot(o, l))
    ORDER BY l.id
    """
)
_STOCK = sql(
    """
    SELECT r.id, b.place_id, b.item_code, b.lot_id, l.lot_no, b.on_hand, b.held
    FROM recall r JOIN lot l ON recalls_lot(r, l) JOIN balance b ON b.lot_id = l.id AND NOT b.outside AND b.on_hand > 0
    WHERE r.id = ANY(:ids) ORDER BY b.place_id, b.item_code, l.lot_no
    """,
    ids="uuid",
)


def call_back(session: Session, body: Recall, caller: Caller) -> tuple[RecallView, bool]:
    """Recall lots, and give other lots to the holds that counted on them; the flag says whether it is new.

    Raises Invalid for an unknown item and for a time to come, Conflict.
    """
    session.execute(_ALONE)
    lots = list(session.scalars(select(tables.Lot.id).where(*_concerns(body))))
    line = tables.HoldLine
    held = select(line.hold_id).where(line.lot_id.in_(lots), line.outstanding > 0)
    hold_ids = set(session.scalars(held))
    locked = repicks.lock_holds(session, hold_ids, lots)
    new = _record(session, body, caller)
    if new:
        repicks.give_others(session, hold_ids, locked)
    return view(session, body.id), new


def _record(session: Session, body: Recall, caller: Caller) -> bool:
    """Write a recall down and let its lots be recalled; whether it is new."""
    refuse_future(body.occurred_at, "occurred_at")
    if body.item_code is not None and session.get(tables.Item, body.item_code) is None:
        raise Invalid(
            f"目录中没有物资 {body.item_code}", f"The catalogue has no item {body.item_code}: see GET /v1/items",
            errors=[{"field": "item_code", "problem": body.item_code, "remedy": "GET /v1/items"}],
        )  # fmt: skip
    row = body.model_dump() | {"body_hash": fingerprint(body), "recorded_by": caller.person}
    made = insert(tables.Recall).values(row).on_conflict_do_nothing().returning(tables.Recall.id)
    if session.scalar(made) is None:
        if session.get_one(tables.Recall, body.id).body_hash != fingerprint(body):
            raise other_content(body.id)
        return False
    session.execute(_CALL_BACK, {"id": body.id})
    enqueue(
        session, "stock.recalled", {"recall_id": str(body.id), "maker": body.maker, "lot_no": body.lot_no}
    )
    return True


def _concerns(body: Recall) -> list[ColumnElement[bool]]:
    """What is true of the lots that a recall is about: recalls_lot of the database, before the recall is there."""
    lot = tables.Lot
    read = [(lot.maker, body.maker), (lot.lot_no, body.lot_no)]
    return [
        lot.reserve_id.is_(None),
        *(func.as_read(column) == func.as_read(value) for column, value in read if value is not None),
        *([lot.item_code == body.item_code] if body.item_code else []),
    ]


def lift(session: Session, recall_id: UUID, body: Lift, caller: Caller) -> RecallView:
    """Lift a recall; lots that no other recall keeps are again what they were. Raises NotFound, Conflict."""
    session.execute(_ALONE)
    recall = session.get(tables.Recall, recall_id, with_for_update=True)
    if recall is None:
        raise _unknown(recall_id)
    if recall.lifted_at is None:
        recall.lifted_at, recall.lifted_by, recall.lifted_reason = (
            datetime.now(UTC),
            caller.person,
            body.reason,
        )
        session.flush()
        session.execute(_GIVE_FREE, {"id": recall_id, "reason": body.reason, "by": caller.person})
        enqueue(session, "stock.recall_lifted", {"recall_id": str(recall_id)})
    elif recall.lifted_reason != body.reason:
        raise Conflict(
            f"该召回已由 {recall.lifted_by} 解除",
            f"The recall has been lifted already, by {recall.lifted_by}",
        )
    return view(session, recall_id)


def view(session: Session, recall_id: UUID) -> RecallView:
    """Raises NotFound."""
    recall = session.get(tables.Recall, recall_id)
    if recall is None:
        raise _unknown(recall_id)
    return _views(session, [recall])[0]


def page(session: Session, only_open: bool, cursor: str | None, limit: int) -> RecallPage:
    """Recalls in the order of recording."""
    order = (tables.Recall.recorded_at, tables.Recall.id)
    wanted = select(tables.Recall).order_by(*order).limit(limit + 1)
    if only_open:
        wanted = wanted.where(tables.Recall.lifted_at.is_(None))
    if after := key_of(cursor, datetime.fromisoformat, UUID):
        wanted = wanted.where(tuple_(*order) > tuple_(*after))
    found = list(session.scalars(wanted))
    last = found[limit - 1] if len(found) > limit else None
    return RecallPage(
        rows=_views(session, found[:limit]),
        next_cursor=last and cursor_of(last.recorded_at.isoformat(), last.id),
    )


def _views(session: Session, found: Sequence[tables.Recall]) -> list[RecallView]:
    stock: dict[UUID, list[RecalledStock]] = defaultdict(list)
    for row in session.execute(_STOCK, {"ids": [recall.id for recall in found]}):
        told = dict(row._mapping)
        stock[told.pop("id")].append(RecalledStock(**told))
    return [
        RecallView(
            recall=Recall(**{name: getattr(r, name) for name in Recall.model_fields}),
            recorded_at=r.recorded_at, recorded_by=r.recorded_by, lifted_at=r.lifted_at, lifted_by=r.lifted_by,
            lifted_reason=r.lifted_reason, stock=stock[r.id],
        )
        for r in found
    ]  # fmt: skip


def _unknown(recall_id: UUID) -> NotFound:
    return NotFound(f"没有召回 {recall_id}", f"There is no recall {recall_id}: see GET /v1/recalls")
