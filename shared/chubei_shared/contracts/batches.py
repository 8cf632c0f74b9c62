"""Work that was done without a network: batches of movements, what is parked for review, what is in dispute."""

from datetime import date
from enum import StrEnum
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field, StringConstraints

from chubei_shared.contracts.base import Dto, Reason, Units, Utc
from chubei_shared.contracts.movements import Movement

AccountId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9:._#@-]{0,199}$")]
"""A place, or one of its states, such as sealed:STORE-N."""


class MovementBatch(Dto):
    """What a device has kept while it had no network. Each movement is answered apart; none is refused into nothing."""

    movements: list[dict[str, Any]] = Field(min_length=1, max_length=1000)
    """Each a movement as for POST /v1/movements, or a count of a stocktake (kind count). One that is not well formed
    is parked, and hinders no other."""


class Outcome(StrEnum):
    ACCEPTED = "accepted"
    KNOWN = "known"
    """It had come in before; nothing has changed."""
    PARKED = "parked"
    """It waits for a supervisor, or for what it names; it is kept, and shown as in dispute."""


class ParkedReason(StrEnum):
    SHORT = "short"
    """Booked, but more went out than the books had there: the difference is in dispute until it is found."""
    ELSEWHERE = "elsewhere"
    """Booked, but it was sent to another place, and nobody says why it came here."""
    WAITS = "waits"
    """It names what is not registered yet, and is booked by itself when it is."""
    MALFORMED = "malformed"
    NOT_YOURS = "not_yours"
    BY_AN_ORDER = "by_an_order"
    IN_FUTURE = "in_future"
    TOO_OLD = "too_old"
    """Its date is long past (CHUBEI_OLDEST_REPORT_DAYS): the device's clock is wrong, or a person stands for it."""
    NO_LOT = "no_lot"
    OTHER_ITEM = "other_item"
    MOVES_NOTHING = "moves_nothing"
    NEEDS_APPROVAL = "needs_approval"
    ID_REUSED = "id_reused"
    REVERSED_ALREADY = "reversed_already"
    NOT_REVERSIBLE = "not_reversible"
    CLOSED = "closed"
    """A count of a stocktake that is closed. As the two below: kept with the stocktake, and not judged."""
    NOT_IN_SCOPE = "not_in_scope"
    COUNTED_ALREADY = "counted_already"


class BatchAnswer(Dto):
    """The answer to one movement of a batch; `number` is its place in the batch, from 0."""

    number: int
    id: UUID
    outcome: Outcome
    reason: ParkedReason | None = None
    detail: str = ""
    detail_en: str = ""


class BatchAnswers(Dto):
    rows: list[BatchAnswer]


class ParkedStatus(StrEnum):
    OPEN = "open"
    BOOKED = "booked"
    """What it waited for has come, and it was booked by itself."""
    ACCEPTED = "accepted"
    REJECTED = "rejected"


class ParkedView(Dto):
    id: UUID
    key: str
    """What names it for its settlement: two reports under one id have two keys."""
    place_id: str
    body: str
    """The report as it came (JSON text)."""
    reason: ParkedReason
    detail: str
    detail_en: str
    waits_for: list[str]
    status: ParkedStatus
    sent_by: str
    received_at: Utc
    settled_at: Utc | None
    settled_by: str | None
    settled_reason: str | None
    settled_as: UUID | None


class ParkedPage(Dto):
    rows: list[ParkedView]
    next_cursor: str | None = None


class Accept(Dto):
    """Book what was parked, by somebody else than who reported it; with `movement`, as corrected there."""

    reason: Reason
    movement: Movement | None = None
    """Under the same id; under a new one where the id had been used before."""


class Reject(Dto):
    reason: Reason


class DisputeRow(Dto):
    """So many units of a lot were reported to have left an account that, by the books, never had them."""

    place_id: str
    """The account: a place, or one of its states, such as sealed:STORE-N."""
    item_code: str
    lot_id: UUID
    lot_no: str
    units: int
    movements: list[UUID]
    """What went out of the account, the newest first."""
    holds: list[UUID]
    """Plans that keep something of it: POST /v1/holds/{id}:repick gives them other lots."""


class DatedLot(Dto):
    """One of several lots that have a number in common."""

    lot_id: UUID
    made_on: date | None
    expires_on: date | None
    owner: str
    units: int
    """On hand anywhere; below 0 where it is in dispute."""


class LotConflict(Dto):
    """One maker's lot number with several pairs of dates: one of them was misread, or the maker used it twice."""

    item_code: str
    maker: str
    lot_no: str
    lots: list[DatedLot]


class LotConflictPage(Dto):
    rows: list[LotConflict]
    next_cursor: str | None = None


class DisputePage(Dto):
    rows: list[DisputeRow]
    next_cursor: str | None = None


class Found(Dto):
    """The goods had been there: the books follow (盘盈调整), and the dispute is over by so much."""

    how: Literal["found"]
    id: UUID
    occurred_at: Utc
    place_id: AccountId
    lot_id: UUID
    units: Units
    reason: Reason


class Undone(Dto):
    """A report was wrong, and is reversed."""

    how: Literal["undone"]
    id: UUID
    occurred_at: Utc
    movement_id: UUID
    reason: Reason


Settlement = Annotated[Found | Undone, Field(discriminator="how")]
