"""The books over time: stock as it was, bin cards, what was lent and is to come back (owned by inventory)."""

from datetime import date
from enum import StrEnum
from uuid import UUID

from chubei_shared.contracts.base import Dto, ItemCode, Text, Units, Utc
from chubei_shared.contracts.catalogue import Owner


class PastStockRow(Dto):
    """What was on an account at a moment, by all that is reported of that time by now (or was by another moment)."""

    place_id: str
    state: str
    item_code: str
    lot_id: UUID
    lot_no: str
    expires_on: date | None
    owner: Owner
    on_hand: int
    disputed: int
    """Units reported to have left by then, though by the books they were not there."""


class PastStockPage(Dto):
    rows: list[PastStockRow]
    next_cursor: str | None = None


class CardRow(Dto):
    """One line of a bin card (货垛卡): what came in or went out, and what was there after it."""

    movement_id: UUID
    kind: str
    occurred_at: Utc
    recorded_at: Utc
    recorded_by: str
    voucher: str
    reason: str
    came_in: int
    went_out: int
    balance: int
    disputed: int
    """How many more (+) or fewer (-) units were in dispute after it."""


class CardPage(Dto):
    """In the order of recording; a bin card's last balance is the stock on hand."""

    rows: list[CardRow]
    next_cursor: str | None = None


class ReturnRule(Dto):
    """How long after its issue a returnable item has to come back: so many months, or always."""

    item_code: ItemCode
    within_months: Units | None = None
    source: Text = ""


class LoanStatus(StrEnum):
    DUE = "due"
    """To come back."""
    LAPSED = "lapsed"
    """In use longer than the rule asks it back."""
    RETURNED = "returned"


class LoanRow(Dto):
    """What one issue lent of one lot. Who issues, recovers: returns settle the oldest issue of the lot first."""

    place_id: str
    movement_id: UUID
    item_code: str
    lot_id: UUID
    lot_no: str
    occurred_at: Utc
    voucher: str
    recipient: str
    lent: int
    outstanding: int
    return_until: Utc | None
    """None: it always has to come back."""
    status: LoanStatus


class LoanPage(Dto):
    rows: list[LoanRow]
    next_cursor: str | None = None
