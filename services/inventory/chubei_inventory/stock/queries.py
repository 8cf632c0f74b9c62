"""What is asked of the books: stock, movements, holds."""

from collections import defaultdict
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from chubei_shared.contracts.holds import HeldLine, HoldStatus, HoldView
from chubei_shared.contracts.stock import (
    EntryView,
    MovementPage,
    MovementView,
    StockPage,
    StockRow,
)
from chubei_shared.cursors import cursor_of, key_of, name, serial
from chubei_shared.errors import NotFound
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from chubei_inventory.stock.pool import sql
from chubei_inventory.tables import Entry, Hold, HoldLine, Movement

ONE_VIEW = text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
"""First statement of a verb that reads several tables and must see them at one moment."""

FREED = """
    SELECT l.place_id, l.lot_id, l.reserve_id, sum(l.outstanding)::bigint AS quantity
    FROM hold h JOIN hold_line l ON l.hold_id = h.id
    WHERE h.status = 'open' AND l.outstanding > 0 AND (h.expires_at <= now() OR h.id = ANY(:releasing))
    GROUP BY l.place_id, l.lot_id, l.reserve_id
"""
"""What is still in the counters `held`, but not to be counted by readers: kept by holds whose time is over,
or that the reader asks to see as released."""

_STOCK = f"""
    WITH freed AS ({FREED})
    SELECT b.place_id, p.state, b.item_code, b.lot_id, l.lot_no, l.maker, l.made_on, l.expires_on, l.quality, l.owner,
           b.on_hand, b.held - coalesce(freed.quantity, 0) AS held, coalesce(d.here, 0)::bigint AS disputed,
           coalesce(k.change, 0)::bigint AS parked, i.pack,
           CASE WHEN p.state <> 'shelf' OR l.quality <> 'ok' THEN 0 ELSE greatest(
               0, b.on_hand - b.held + coalesce(freed.quantity, 0) - coalesce(d.units, 0)) END::bigint AS available
    FROM balance b JOIN place p ON p.id = b.place_id JOIN item i ON i.code = b.item_code
        JOIN lot l ON l.id = b.lot_id AND l.item_code = b.item_code -- so that only an item's own lots are read
        LEFT JOIN freed ON freed.place_id = b.place_id AND freed.lot_id = b.lot_id
        CROSS JOIN LATERAL (
            SELECT -sum(on_hand) AS units, -sum(on_hand) FILTER (WHERE place_id = 'disputed:' || b.place_id) AS here
            FROM balance WHERE lot_id = b.lot_id AND place_id LIKE 'disputed:%%') d
        CROSS JOIN LATERAL (
            SELECT sum(change) AS change FROM parked_effect
            WHERE lot_id = b.lot_id AND place_id = b.place_id) k
    WHERE NOT b.outside AND (b.on_hand > 0 OR d.here > 0 OR k.change <> 0) AND %s
    ORDER BY b.place_id, b.item_code, b.lot_id LIMIT :limit
"""  # noqa: S608 (the conditions are this file's own)
_STOCK_OF = {
    "place_id": "b.place_id = :place_id",
    "at_place_id": "b.place_id IN (SELECT id FROM place WHERE id = :at_place_id OR parent_id = :at_place_id)",
    "item_code": "b.item_code = :item_code",
    "lot_id": "b.lot_id = :lot_id",
    "owner": "l.owner = :owner",
}


def stock(session: Session, asked: Mapping[str, Any], cursor: str | None, limit: int) -> StockPage:
    """Stock by place, item and lot; what is aboard stands at transit:<order>.

    `asked`: place_id (just that account), at_place_id (with its states: sealed off, lent …), item_code, lot_id, owner.
    """
    asked = {column: value for column, value in asked.items() if value is not None}
    conditions = [_STOCK_OF[column] for column in asked] or ["true"]
    if key := key_of(cursor, name, name, UUID):
        conditions.append("(b.place_id, b.item_code, b.lot_id) > (:p, :i, CAST(:l AS uuid))")
        asked |= dict(zip("pil", key, strict=True))
    found = session.execute(
        sql(_STOCK % " AND ".join(conditions), releasing="uuid"),
        {**asked, "limit": limit + 1, "releasing": []},
    ).all()
    rows = [StockRow(**r._mapping) for r in found[:limit]]
    last = rows[-1] if len(found) > limit else None
    return StockPage(rows=rows, next_cursor=last and cursor_of(last.place_id, last.item_code, last.lot_id))


def movement(session: Session, movement_id: UUID) -> MovementView:
    """Raises NotFound."""
    seq = session.scalar(select(Movement.seq).where(Movement.id == movement_id))
    if seq is None:
        raise NotFound(f"没有流水 {movement_id}", f"There is no movement {movement_id}")
    return _views(session, [seq])[0]


def movements(
    session: Session,
    place_id: str | None,
    item_code: str | None,
    order_id: UUID | None,
    cursor: str | None,
    limit: int,
) -> MovementPage:
    """Movements in the order of recording: with a place and an item, that item's bin card."""
    after = key_of(cursor, serial)
    of_order = select(Movement.seq).where(Movement.order_id == order_id)
    if place_id is None and item_code is None:
        number = Movement.seq
        wanted = select(number) if order_id is None else of_order
    else:
        number = Entry.movement_seq
        wanted = select(number).distinct()
        if place_id is not None:
            wanted = wanted.where(Entry.place_id == place_id)
        if item_code is not None:
            wanted = wanted.where(Entry.item_code == item_code)
        if order_id is not None:
            wanted = wanted.where(number.in_(of_order))
    if after:
        wanted = wanted.where(number > after[0])
    seqs = list(session.scalars(wanted.order_by(number).limit(limit + 1)))
    return MovementPage(
        rows=_views(session, seqs[:limit]),
        next_cursor=cursor_of(seqs[limit - 1]) if len(seqs) > limit else None,
    )


def _views(session: Session, seqs: list[int]) -> list[MovementView]:
    legs: dict[int, list[EntryView]] = defaultdict(list)
    entries = select(Entry.movement_seq, Entry.place_id, Entry.item_code, Entry.lot_id, Entry.quantity)
    in_order = entries.where(Entry.movement_seq.in_(seqs)).order_by(Entry.movement_seq, Entry.line_no)
    for seq, place_id, item_code, lot_id, quantity in session.execute(in_order):
        leg = EntryView(place_id=place_id, item_code=item_code, lot_id=lot_id, quantity=quantity)
        legs[seq].append(leg)
    found = session.scalars(select(Movement).where(Movement.seq.in_(seqs)).order_by(Movement.seq))
    return [
        MovementView(
            id=m.id, kind=m.kind, place_id=m.place_id, occurred_at=m.occurred_at, recorded_at=m.recorded_at,
            recorded_by=m.recorded_by, voucher=m.voucher, reason=m.reason, order_id=m.order_id,
            hold_id=m.hold_id, reverses_id=m.reverses_id, approved_by=m.approved_by, details=m.details,
            entries=legs[m.seq],
        )
        for m in found
    ]  # fmt: skip


def hold(session: Session, hold_id: UUID) -> HoldView:
    """A hold as it stands now: one whose time is over is expired, whoever has noticed. Raises NotFound."""
    found = session.execute(
        select(
            Hold.purpose, Hold.status, Hold.expires_at, Hold.passed_over, Hold.repicked,
            (Hold.expires_at <= func.now()).label("past"),
        ).where(Hold.id == hold_id)
    ).one_or_none()  # fmt: skip
    if found is None:
        raise NotFound(f"没有预留 {hold_id}", f"There is no hold {hold_id}")
    lines = session.scalars(select(HoldLine).where(HoldLine.hold_id == hold_id).order_by(HoldLine.line_no))
    past = found.status == HoldStatus.OPEN and found.past
    return HoldView(
        id=hold_id,
        purpose=found.purpose,
        status=HoldStatus.EXPIRED if past else found.status,
        expires_at=found.expires_at,
        lines=[HeldLine.model_validate(line, from_attributes=True) for line in lines],
        passed_over=found.passed_over,
        repicked=found.repicked,
    )
