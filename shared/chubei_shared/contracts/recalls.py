"""Recalls by maker and lot (owned by inventory)."""

from uuid import UUID

from chubei_shared.contracts.base import Dto, ItemCode, Reason, Text, Utc
from chubei_shared.contracts.catalogue import OnBox


class Recall(Dto):
    """Lots of a maker are called back (召回), wherever they stand and whenever they come in, until it is lifted."""

    id: UUID
    maker: OnBox
    lot_no: OnBox | None = None
    """Without it: all lots."""
    item_code: ItemCode | None = None
    """Without it: of all items."""
    occurred_at: Utc
    voucher: Text = ""
    reason: Reason


class Lift(Dto):
    reason: Reason


class RecalledStock(Dto):
    place_id: str
    item_code: str
    lot_id: UUID
    lot_no: str
    on_hand: int
    held: int
    """Promised to plans: they will come short of it."""


class RecallView(Dto):
    recall: Recall
    recorded_at: Utc
    recorded_by: str
    lifted_at: Utc | None
    lifted_by: str | None
    lifted_reason: str | None
    stock: list[RecalledStock]
    """Where the lots stand now."""


class RecallPage(Dto):
    rows: list[RecallView]
    next_cursor: str | None = None
