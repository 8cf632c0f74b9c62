"""What holds give back, by themselves or by a person: where the account has a dispute, it settles that first."""

from collections.abc import Collection
from datetime import UTC, datetime
from uuid import UUID, uuid4

from chubei_shared.contracts.holds import HoldReplace, HoldView
from chubei_shared.tokens import Caller
from sqlalchemy.orm import Session

from chubei_inventory.holds import holds, repicks
from chubei_inventory.ledger import laws
from chubei_inventory.ledger.laws import Account, Goods, Leg
from chubei_inventory.stock import accounts, posting
from chubei_inventory.stock.pool import lock, sql

_SETTLEABLE = sql(
    """
    SELECT substr(d.place_id, 10) AS place_id, d.item_code, d.lot_id
    FROM balance d JOIN balance b ON b.place_id = substr(d.place_id, 10) AND b.item_code = d.item_code
        AND b.lot_id = d.lot_id AND b.on_hand > b.held
    WHERE d.place_id LIKE 'disputed:%' AND d.on_hand < 0
      AND (:anywhere OR d.lot_id IN (SELECT lot_id FROM hold_line WHERE hold_id = ANY(:holds)))
    ORDER BY d.lot_id, d.place_id LIMIT 500
    """,
    holds="uuid",
)


def release(session: Session, hold_id: UUID) -> HoldView:
    """Release a hold (holds.release), and let what it gives back settle disputes."""
    view = holds.release(session, hold_id)
    settle_freed(session, [hold_id])
    return view


def replace(session: Session, request: HoldReplace, caller: Caller) -> tuple[HoldView, bool]:
    """Replace holds (holds.replace), and let what they give back and nobody takes settle disputes."""
    view, new = holds.replace(session, request, caller)
    settle_freed(session, request.release)
    return view, new


def repick(session: Session, hold_id: UUID) -> HoldView:
    """Give a hold other lots for those it can not have (repicks.repick), and let the rest settle disputes."""
    view = repicks.repick(session, hold_id)
    settle_freed(session, [hold_id])
    return view


def settle_freed(session: Session, of_holds: Collection[UUID] | None = None) -> int:
    """Where a hold has given something back to an account with a dispute, let it settle that (facts.py, 3.).

    Only lots that `of_holds` kept looked at, which are locked already; None: all lots.
    """
    rows = session.execute(_SETTLEABLE, {"anywhere": of_holds is None, "holds": list(of_holds or ())}).all()
    lock(session, lots={row.lot_id for row in rows})
    asked = [Account(row.place_id, Goods(row.item_code, row.lot_id)) for row in rows]
    for account, now in accounts.standings(session, asked).items():
        kept, settled = laws.split(0, now)
        if settled:
            legs = [
                Leg(account, kept),
                Leg(Account(laws.disputed(account.place_id), account.goods), settled),
            ]
            reason = "预留释放,冲抵待核 / a hold was released, and settles what was in dispute"
            posting.write(session, uuid4(), "settle", legs, reason, "chubei", b"", datetime.now(UTC))
    return len(rows)
