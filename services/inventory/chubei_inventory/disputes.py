"""What is in dispute: reported to have left where, by the books, it never was. Listed, and settled by a person."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from chubei_shared.contracts.batches import DisputePage, DisputeRow, Found, ParkedReason, Settlement, Undone
from chubei_shared.contracts.holds import HoldView
from chubei_shared.contracts.movements import Reverse
from chubei_shared.contracts.stock import MovementView
from chubei_shared.cursors import cursor_of, key_of, name
from chubei_shared.errors import Conflict, NotFound
from chubei_shared.tokens import Caller
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from chubei_inventory import accounts, holds, ledger, movements, queries, reports, tables
from chubei_inventory.fingerprint import fingerprint, other_content
from chubei_inventory.ledger import Account, Goods, Leg
from chubei_inventory.pool import lock
from chubei_inventory.reports import Report

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
_SETTLEABLE = text(
    """
    SELECT substr(d.place_id, 10) AS place_id, d.item_code, d.lot_id
    FROM balance d JOIN balance b ON b.place_id = substr(d.place_id, 10) AND b.item_code = d.item_code
        AND b.lot_id = d.lot_id AND b.on_hand > b.held
    WHERE d.place_id LIKE 'disputed:%' AND d.on_hand < 0
    ORDER BY d.lot_id, d.place_id LIMIT 500
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
    account = str(ledger.parent(row.place_id))
    where = {"shelf": account, "disputed": row.place_id, "item": row.item_code, "lot": row.lot_id}
    return DisputeRow(
        place_id=account, item_code=row.item_code, lot_id=row.lot_id, lot_no=row.lot_no, units=row.units,
        movements=list(session.scalars(_OUT_OF, where)),
    )  # fmt: skip


def settle(session: Session, body: Settlement, caller: Caller) -> tuple[MovementView, bool]:
    """Settle a dispute, or part of it; the flag says whether it is new. Raises NotFound, Conflict."""
    known = session.scalar(select(tables.Movement.body_hash).where(tables.Movement.id == body.id))
    if known is None:
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
    open_units = -accounts.standings(session, [account])[account].disputed
    if open_units < body.units:
        raise Conflict(
            f"{body.place_id} 的该批次待核 {open_units},不足 {body.units},请核对(GET /v1/disputes)",
            f"{open_units} units of the lot are in dispute at {body.place_id}, fewer than {body.units}: "
            "see GET /v1/disputes",
            units=open_units,
        )
    legs = ledger.move({account.goods: body.units}, ledger.ADJUSTED, ledger.disputed(body.place_id))
    _write(session, body.id, "adjust", legs, body.reason, caller.person, fingerprint(body), body.occurred_at)


def _undo(session: Session, body: Undone, caller: Caller) -> None:
    why = reports.book(session, [Report(_reversal(body), caller.person)], caller)[body.id]
    if why is not None and why.reason is ParkedReason.WAITS:
        raise NotFound(why.detail, why.detail_en)
    if why is not None and why.reason is not ParkedReason.SHORT:
        raise Conflict(why.detail, why.detail_en, reason=why.reason.value)


def _reversal(body: Undone) -> Reverse:
    return Reverse(
        kind="reverse",
        id=body.id,
        occurred_at=body.occurred_at,
        reverses_id=body.movement_id,
        reason=body.reason,
    )


def release(session: Session, hold_id: UUID) -> HoldView:
    """Release a hold (holds.release), and let what it gives back settle disputes."""
    view = holds.release(session, hold_id)
    settle_freed(session)
    return view


def settle_freed(session: Session) -> int:
    """Where a hold has given something back to an account with a dispute, let it settle that (facts.py, 3.)."""
    rows = session.execute(_SETTLEABLE).all()
    lock(session, lots={row.lot_id for row in rows})
    asked = [Account(row.place_id, Goods(row.item_code, row.lot_id)) for row in rows]
    for account, now in accounts.standings(session, asked).items():
        kept, settled = ledger.split(0, now)
        if settled:
            legs = [
                Leg(account, kept),
                Leg(Account(ledger.disputed(account.place_id), account.goods), settled),
            ]
            reason = "预留释放,冲抵待核 / a hold was released, and settles what was in dispute"
            _write(session, uuid4(), "settle", legs, reason, "chubei", b"", datetime.now(UTC))
    return len(rows)


def _write(
    session: Session, movement_id: UUID, kind: str, legs: list[Leg], reason: str, by: str, body_hash: bytes,
    occurred_at: datetime,
) -> None:  # fmt: skip
    account = next(leg.account.place_id for leg in legs if not leg.account.place_id.startswith("outside:"))
    while above := ledger.parent(account):
        account = above
    row = {
        "id": movement_id, "kind": kind, "place_id": account, "body_hash": body_hash, "occurred_at": occurred_at,
        "recorded_by": by, "voucher": "", "reason": reason,
    }  # fmt: skip
    seqs = movements.begin(session, [row])
    movements.post(session, [(seqs[movement_id], legs)])
