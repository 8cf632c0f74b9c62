"""What is in dispute: reported to have left where, by the books, it never was. Listed, and settled by a person."""

from datetime import datetime
from typing import Any
from uuid import UUID

from chubei_shared.contracts.batches import DisputePage, DisputeRow, Found, ParkedReason, Settlement, Undone
from chubei_shared.contracts.movements import Reverse
from chubei_shared.contracts.stock import MovementView
from chubei_shared.cursors import cursor_of, key_of, name
from chubei_shared.errors import Conflict, NotFound
from chubei_shared.tokens import Caller
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from chubei_inventory import tables
from chubei_inventory.fingerprint import fingerprint, other_content
from chubei_inventory.ledger import laws
from chubei_inventory.ledger.laws import Account, Goods
from chubei_inventory.movements import movements, reports
from chubei_inventory.movements.reports import Report
from chubei_inventory.stock import accounts, posting, queries
from chubei_inventory.stock.pool import lock

_OPEN = """
    SELECT d.place_id, d.item_code, d.lot_id, l.lot_no, -d.on_hand AS units
    FROM balance d JOIN lot l ON l.id = d.lot_id
    WHERE d.place_id LIKE 'disputed:%%' AND d.on_hand < 0 AND %s
    ORDER BY d.place_id, d.item_code, d.lot_id LIMIT :limit
"""
_OF = {
    "place_id": "d.place_id = 'disputed:' || :place_id",
    "item_code": "d.item_code = :item_code",
    "lot_id": "d.lot_id = :lot_id",
}
_OUT_OF = text(
    """
    SELECT m.id FROM entry e JOIN movement m ON m.seq = e.movement_seq
    WHERE e.place_id IN (:shelf, :disputed) AND e.item_code = :item AND e.lot_id = :lot AND e.quantity < 0
      AND m.kind <> 'settle' AND NOT EXISTS (SELECT FROM movement r WHERE r.reverses_id = m.id)
    GROUP BY m.id, m.occurred_at ORDER BY m.occurred_at DESC, m.id DESC LIMIT 20
    """
)


def page(session: Session, asked: dict[str, Any], cursor: str | None, limit: int) -> DisputePage:
    """What is in dispute, by account and lot. `asked`: place_id, item_code, lot_id."""
    asked = {column: value for column, value in asked.items() if value is not None}
    conditions = [_OF[column] for column in asked] or ["true"]
    if key := key_of(cursor, name, name, UUID):
        conditions.append("(d.place_id, d.item_code, d.lot_id) > (:p, :i, CAST(:l AS uuid))")
        asked |= dict(zip("pil", key, strict=True))
    found = session.execute(text(_OPEN % " AND ".join(conditions)), {**asked, "limit": limit + 1}).all()
    last = found[limit - 1] if len(found) > limit else None
    return DisputePage(
        rows=[_row(session, row) for row in found[:limit]],
        next_cursor=last and cursor_of(last.place_id, last.item_code, last.lot_id),
    )


def _row(session: Session, row: Any) -> DisputeRow:
    account = str(laws.parent(row.place_id))
    where = {"shelf": account, "disputed": row.place_id, "item": row.item_code, "lot": row.lot_id}
    of = Account(account, Goods(row.item_code, row.lot_id))
    return DisputeRow(
        place_id=account, item_code=row.item_code, lot_id=row.lot_id, lot_no=row.lot_no, units=row.units,
        movements=list(session.scalars(_OUT_OF, where)), holds=accounts.held_by(session, [of]).get(of, []),
    )  # fmt: skip


def settle(
    session: Session, body: Settlement, caller: Caller, oldest: datetime | None = None
) -> tuple[MovementView, bool]:
    """Settle a dispute, or part of it; the flag says whether it is new. Raises NotFound, Conflict, Invalid."""
    known = session.scalar(select(tables.Movement.body_hash).where(tables.Movement.id == body.id))
    if known is None:
        movements.refuse_future(body.occurred_at)
        movements.refuse_old(body.occurred_at, oldest)
        if isinstance(body, Found):
            _find(session, body, caller)
        else:
            _undo(session, body, caller)
    elif known not in (fingerprint(body), fingerprint(_reversal(body)) if isinstance(body, Undone) else b""):
        raise other_content(body.id)
    return queries.movement(session, body.id), known is None


def _find(session: Session, body: Found, caller: Caller) -> None:
    """The books follow what was found: it settles what is in dispute before anything reaches the shelf."""
    code = session.scalar(select(tables.Lot.item_code).where(tables.Lot.id == body.lot_id))
    account = Account(body.place_id, Goods(str(code), body.lot_id))
    lock(session, lots=[body.lot_id])
    now = accounts.standings(session, [account]).get(account)  # an account beyond the books has none
    open_units = -now.disputed if now else 0
    if open_units < body.units:
        raise Conflict(
            f"{body.place_id} 的该批次待核 {open_units},不足 {body.units},请核对(GET /v1/disputes)",
            f"{open_units} units of the lot are in dispute at {body.place_id}, fewer than {body.units}: "
            "see GET /v1/disputes",
            units=open_units,
        )
    legs = laws.move({account.goods: body.units}, laws.ADJUSTED, laws.disputed(body.place_id))
    posting.write(
        session, body.id, "adjust", legs, body.reason, caller.person, fingerprint(body), body.occurred_at
    )


def _undo(session: Session, body: Undone, caller: Caller) -> None:
    why = reports.book(session, [Report(_reversal(body), caller.person)], caller)[body.id]
    if why is not None and why.reason is ParkedReason.WAITS:
        raise NotFound(
            f"movement_id:没有流水 {body.movement_id};请从 GET /v1/disputes 的 movements 中选一笔",
            f"movement_id: there is no movement {body.movement_id}: name one of `movements` of GET /v1/disputes",
            errors=[
                {"field": "movement_id", "problem": "没有 / not known",
                 "remedy": "从 GET /v1/disputes 的 movements 中选 / name one of `movements` of GET /v1/disputes"}
            ],
        )  # fmt: skip
    if why is not None and not why.booked:
        raise Conflict(why.detail, why.detail_en, reason=why.reason.value)


def _reversal(body: Undone) -> Reverse:
    return Reverse(
        kind="reverse",
        id=body.id,
        occurred_at=body.occurred_at,
        reverses_id=body.movement_id,
        reason=body.reason,
    )
