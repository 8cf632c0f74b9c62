"""What is asked of the books: movements as recorded, stock, bin cards (owned by inventory)."""

from datetime import date
from typing import Any
from uuid import UUID

from pydantic import Field

from chubei_shared.contracts.base import Dto, Utc
from chubei_shared.contracts.catalogue import Owner
from chubei_shared.contracts.movements import Adjust as Adjust
from chubei_shared.contracts.movements import AdjustLine as AdjustLine
from chubei_shared.contracts.movements import Deliver as Deliver
from chubei_shared.contracts.movements import DeliverLine as DeliverLine
from chubei_shared.contracts.movements import Issue as Issue
from chubei_shared.contracts.movements import IssueLine as IssueLine
from chubei_shared.contracts.movements import Movement as Movement
from chubei_shared.contracts.movements import Receive as Receive
from chubei_shared.contracts.movements import ReceiveLine as ReceiveLine
from chubei_shared.contracts.movements import Reverse as Reverse
from chubei_shared.contracts.movements import Transfer as Transfer
from chubei_shared.contracts.movements import TransferLine as TransferLine


class EntryView(Dto):
    """One leg: `quantity` is positive where goods come in, negative where they go out."""

    place_id: str
    item_code: str
    lot_id: UUID
    quantity: int


class MovementView(Dto):
    id: UUID
    kind: str
    place_id: str
    """Where it was done: the store, supplier or point, for a transfer the place that the goods left."""
    occurred_at: Utc
    recorded_at: Utc
    recorded_by: str
    voucher: str
    reason: str
    order_id: UUID | None
    hold_id: UUID | None
    reverses_id: UUID | None
    approved_by: str | None = None
    details: dict[str, Any] = Field(default_factory=dict)
    """What only some kinds have: to_place_id, sent_id, issued_from, module_id, recipient, passed, from_state."""
    entries: list[EntryView]


class MovementPage(Dto):
    rows: list[MovementView]
    next_cursor: str | None = None


class StockRow(Dto):
    """Stock of one lot on one account: a place's shelf, or what it keeps off it (`state`).

    available = what can be promised: on hand - held - what is in dispute of the lot anywhere; 0 off the shelf,
    aboard, and of a lot that was recalled or sealed off. Whether it is still good on the day is the asker's to see.
    """

    place_id: str
    state: str = "shelf"
    """shelf, transit, sealed, testing, lent, missing or module."""
    item_code: str
    lot_id: UUID
    lot_no: str
    maker: str
    made_on: date | None
    expires_on: date | None
    quality: str
    owner: Owner = Owner.DISTRICT
    on_hand: int
    held: int
    available: int
    disputed: int = 0
    """Units reported to have left, though by the books they were not here (待核)."""
    parked: int = 0
    """What reports that wait for review would change here, were they booked as they are."""
    pack: int = 1
    """Units in a pack; on_hand is whole units."""


class StockPage(Dto):
    rows: list[StockRow]
    next_cursor: str | None = None


class BooksReport(Dto):
    """Do the books balance? `faults` names each row that does not."""

    movements: int
    entries: int
    faults: list[str]
