"""How movements are written, once they are found good: the movement itself, its entries."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy.orm import Session

from chubei_inventory.ledger import laws
from chubei_inventory.ledger.laws import Leg
from chubei_inventory.stock import accounts
from chubei_inventory.stock.pool import sql

_POST = sql(
    """
    INSERT INTO entry (movement_seq, line_no, place_id, item_code, lot_id, quantity)
    SELECT * FROM unnest(:seqs, :numbers, :places, :items, :lots, :quantities)
    """,
    seqs="int", numbers="int", places="text", items="text", lots="uuid", quantities="int",
)  # fmt: skip


class Begun(NamedTuple):
    seq: int
    recorded_at: datetime


_BEGIN = sql(
    """
    INSERT INTO movement (id, kind, place_id, body_hash, occurred_at, recorded_by, approved_by, voucher, reason,
                          order_id, hold_id, reverses_id, details)
    SELECT id, kind, place_id, decode(body_hash, 'hex'), occurred_at::timestamptz, recorded_by, approved_by, voucher,
           reason, order_id, hold_id, reverses_id, details::jsonb
    FROM unnest(:id, :kind, :place_id, :body_hash, :occurred_at, :recorded_by, :approved_by, :voucher, :reason,
                :order_id, :hold_id, :reverses_id, :details)
        AS r (id, kind, place_id, body_hash, occurred_at, recorded_by, approved_by, voucher, reason,
              order_id, hold_id, reverses_id, details)
    ORDER BY id
    ON CONFLICT DO NOTHING RETURNING id, seq, recorded_at
    """,
    id="uuid", kind="text", place_id="text", body_hash="text", occurred_at="text", recorded_by="text",
    approved_by="text", voucher="text", reason="text", order_id="uuid", hold_id="uuid", reverses_id="uuid",
    details="text",
)  # fmt: skip
"""In order of id: who sends the same waits, and not in a circle."""
COLUMNS = (
    "id", "kind", "place_id", "body_hash", "occurred_at", "recorded_by", "approved_by", "voucher", "reason",
    "order_id", "hold_id", "reverses_id", "details",
)  # fmt: skip


def begin(session: Session, rows: list[dict[str, Any]]) -> dict[UUID, Begun]:
    """Insert movements themselves, all at once; of those whose id (or reversal) was not there yet, their numbers."""
    columns: dict[str, list[Any]] = {name: [row.get(name) for row in rows] for name in COLUMNS}
    columns["body_hash"] = [row["body_hash"].hex() for row in rows]
    columns["occurred_at"] = [row["occurred_at"].isoformat() for row in rows]
    columns["details"] = [json.dumps(row.get("details", {})) for row in rows]
    return {row.id: Begun(row.seq, row.recorded_at) for row in session.execute(_BEGIN, columns)}


def post(session: Session, booked: Sequence[tuple[int, list[Leg]]]) -> None:
    """Write the entries of movements, by their numbers. What is new among the books' own accounts is opened."""
    for _, legs in booked:
        laws.check(legs)
    legs = [leg for _, of in booked for leg in of]
    accounts.open_own(session, (leg.account for leg in legs))
    session.execute(
        _POST,
        {
            "seqs": [seq for seq, of in booked for _ in of],
            "numbers": [number for _, of in booked for number, _ in enumerate(of, 1)],
            "places": [leg.account.place_id for leg in legs],
            "items": [leg.account.goods.item_code for leg in legs],
            "lots": [leg.account.goods.lot_id for leg in legs],
            "quantities": [leg.quantity for leg in legs],
        },
    )


def write(
    session: Session, movement_id: UUID, kind: str, legs: list[Leg], reason: str, by: str, body_hash: bytes,
    occurred_at: datetime,
) -> None:  # fmt: skip
    """Write a movement that nobody reported as such, in the outermost place that its legs are at."""
    account = next(leg.account.place_id for leg in legs if not leg.account.place_id.startswith("outside:"))
    while above := laws.parent(account):
        account = above
    row = {
        "id": movement_id, "kind": kind, "place_id": account, "body_hash": body_hash, "occurred_at": occurred_at,
        "recorded_by": by, "voucher": "", "reason": reason,
    }  # fmt: skip
    seqs = begin(session, [row])
    post(session, [(seqs[movement_id].seq, legs)])
