"""Stocktakes: blind counts, recounts by others, differences that somebody else approves (owned by inventory)."""

from datetime import date
from enum import StrEnum
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import Field, model_validator

from chubei_shared.contracts.base import Dto, Id, ItemCode, Provenance, Reason, Text, UnitsOrNone, Utc
from chubei_shared.contracts.batches import AccountId
from chubei_shared.contracts.movements import OfLot
from chubei_shared.contracts.reserves import Fen


class Threshold(Dto):
    """From which difference on another person counts again: whichever is passed first. What is left out passes none."""

    units: UnitsOrNone | None = None
    pct: Annotated[int, Field(strict=True, ge=0, le=100)] | None = None
    """Per cent of the books."""
    value_fen: Fen | None = None
    """By the catalogue's price; an item without one has no value here."""
    provenance: Provenance

    @model_validator(mode="after")
    def _something(self) -> Self:
        if self.units is None and self.pct is None and self.value_fen is None:
            raise ValueError(
                "没有门限,请至少填 units、pct、value_fen 之一 / "
                "there is no threshold: give at least one of units, pct and value_fen"
            )
        return self


class StocktakeState(StrEnum):
    COUNTING = "counting"
    REVIEW = "review"
    """All is counted, and recounted where that was asked; the differences wait for approval."""
    POSTED = "posted"
    """The books follow. Closed."""
    CANCELLED = "cancelled"


class Stocktake(Dto):
    """What is to be counted: a place with its sealed stock and modules, or some of its accounts, or some items."""

    id: UUID
    """Minted by the client."""
    place_id: Id
    accounts: list[AccountId] = Field(default_factory=list, max_length=100)
    """Such as STORE-N, sealed:STORE-N, module:M-1@STORE-N. Empty: all of them."""
    items: list[ItemCode] = Field(default_factory=list, max_length=500)
    """Empty: all."""
    voucher: Text = ""
    reason: Reason
    """Such as 月末盘点; it goes on the adjustment."""


class Count(OfLot):
    """What one person found of one lot on one account, in all its bins together, at one moment. 0: it is not there."""

    id: UUID
    """Minted by the client, so that a retry is the same count."""
    account: AccountId
    item_code: ItemCode | None = None
    """Needed where the lot is named by what stands on the box."""
    units: UnitsOrNone
    counted_at: Utc
    note: Text = ""
    """Such as the bins that it was found in."""

    @model_validator(mode="after")
    def _of_some_lot(self) -> Self:
        if self.lot_id is None and (self.lot is None or self.item_code is None):
            raise ValueError(
                "缺少批次,请填 lot_id,或 item_code 与 lot / no lot is named: give lot_id, or item_code and lot"
            )
        return self


class OfflineCount(Count):
    """A count in a batch of movements (POST /v1/movements:batch)."""

    kind: Literal["count"]
    stocktake_id: UUID


class CountReceipt(Dto):
    """That a count has come in; never what the books say."""

    id: UUID
    stocktake_id: UUID
    account: str
    lot_id: UUID
    units: int
    counted_at: Utc
    counted_by: str


class LineStatus(StrEnum):
    TO_COUNT = "to_count"
    TO_RECOUNT = "to_recount"
    """By somebody who has not counted it."""
    COUNTED = "counted"
    GONE = "gone"
    """It was not counted, and there is none of it any more."""


class SheetLine(Dto):
    """A line of the counters' sheet. It is blind: it says what to count, never how much there should be."""

    account: str
    state: str
    """shelf, sealed or module."""
    item_code: str
    name_zh: str
    unit_zh: str
    lot_id: UUID
    lot_no: str
    maker: str
    made_on: date | None
    expires_on: date | None
    status: LineStatus
    counted_by_me: bool


class SheetPage(Dto):
    rows: list[SheetLine]
    next_cursor: str | None = None


class StocktakeStep(Dto):
    """What is to become of a stocktake. Posting names by If-Match the differences that were looked at."""

    id: UUID
    """Minted by the client; of a posting, the id of the adjustment."""
    state: Literal["counting", "review", "posted", "cancelled"]
    note: Text = ""


class StocktakeStepView(Dto):
    id: UUID
    seq: int
    state: StocktakeState
    recorded_at: Utc
    recorded_by: str
    note: str


class StocktakeView(Dto):
    """A stocktake, without any figure of the books before it is closed."""

    stocktake: Stocktake
    state: StocktakeState
    may_become: list[StocktakeState]
    opened_at: Utc
    opened_by: str
    threshold: Threshold
    """As it was when it was opened."""
    lines: int
    counts: int
    closed_at: Utc | None
    closed_by: str | None
    movement_id: UUID | None
    """The adjustment; None where nothing differed."""
    lines_counted: int | None
    lines_right: int | None
    """Lines whose count agreed with the books, of those counted: the accuracy of the books."""
    in_dispute: bool
    """More was missing than was free: what is held stays in the books, and the rest is in dispute."""
    doubts: int
    """Lines of a closed stocktake that later reports of earlier movements put in another light."""
    steps: list[StocktakeStepView]


class StocktakePage(Dto):
    rows: list[StocktakeView]
    next_cursor: str | None = None


class JudgedCount(Dto):
    id: UUID
    counted_by: str
    counted_at: Utc
    units: int
    note: str
    book: int
    """What the books say was there at that moment, by all that is reported by now."""
    difference: int
    stale: bool
    """The books were adjusted after it: it says nothing any more."""


class Difference(Dto):
    """A line as it stands: its counts against the books at the moment of each."""

    account: str
    item_code: str
    lot_id: UUID
    lot_no: str
    added: bool
    """It was not on the sheet when the stocktake was opened."""
    status: LineStatus
    difference: int | None
    """Found more (+) or less (-) than booked; None while it is not settled."""
    value_fen: int | None
    held: int
    counts: list[JudgedCount]
    posted: int | None
    """What was posted. Another `difference` beside it is a doubt: a report came in late."""


class DifferencePage(Dto):
    """`ETag` of the answer is that of all the differences, not of the page."""

    rows: list[Difference]
    next_cursor: str | None = None


class HinderedCount(Dto):
    """A count that came in offline and could not be taken: kept, and not judged."""

    id: UUID
    account: str
    lot_id: UUID
    units: int
    counted_at: Utc
    counted_by: str
    recorded_at: Utc
    hindrance: str


class AccuracyRow(Dto):
    """How far books and shelves agreed, over the closed stocktakes of a place."""

    place_id: str
    stocktakes: int
    lines_counted: int
    lines_right: int
    last_closed_at: Utc
