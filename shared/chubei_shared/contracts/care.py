"""Care of stock: what is due, the tasks that follow from it, and the rules that say when (owned by inventory)."""

from datetime import date
from enum import StrEnum
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import Field, model_validator

from chubei_shared.contracts.base import Dto, Mode, Provenance, Text, Units, Utc
from chubei_shared.contracts.catalogue import Owner

Days = Annotated[int, Field(strict=True, ge=0, le=3660)]
Months = Annotated[int, Field(strict=True, ge=0, le=600)]


class CareKind(StrEnum):
    EXPIRY = "expiry"
    """A lot expires (临期)."""
    ROTATION = "rotation"
    """A lot is to be used and replaced while it is still good (推陈储新)."""
    TEST = "test"
    """A lot is to be tested (到期检验)."""
    RESTACK = "restack"
    """A stack is to be turned over (翻垛)."""
    CHECK = "check"
    """A place is to be looked over (月度检查)."""
    REPLENISH = "replenish"
    """Less is kept than the norm asks, or a supplier keeps less than its floor stock (补库)."""
    RECALL = "recall"
    """A recalled lot is still on hand (召回在库)."""


class CareRule(Dto):
    """When something is due, and when its task opens. What a day is, is a day in China."""

    kind: CareKind
    months: Months
    """After made or last tested, stacked, checked; for rotation: before the expiry. 0 for the other kinds."""
    ahead_days: Days
    """The task opens so many days before it is due."""
    repeat_days: Days
    """What has been done is asked again after so many days where it is still so."""
    duty_people: Units | None = None
    """For replenish: how many people the norms are for."""
    provenance: Provenance

    @model_validator(mode="after")
    def _people_for_norms(self) -> Self:
        if (self.kind is CareKind.REPLENISH) != (self.duty_people is not None):
            raise ValueError(
                "duty_people 须填于 replenish,且只填于 replenish / duty_people is for replenish, and only for it"
            )
        return self


class Replacement(Dto):
    """What a lot can be replaced from: a supplier who takes it into trade, a maker, or money."""

    mode: Mode
    reserve_id: str
    units: int


class Floor(Dto):
    """What is to be kept and what is. `by` says which rule asks for it."""

    by: Literal["norm", "floor_stock"]
    wanted: int
    have: int
    """On the shelves and agreed; for a floor stock: what was last measured at the supplier's."""
    physical_wanted: int = 0
    """How much of it must lie in stores."""
    physical: int = 0
    short: int


class CareRow(Dto):
    """Something that is due. Which members it has depends on what it is about: a lot, a place, an item, a reserve."""

    kind: CareKind
    subject: str
    """What it is about, in one word: the same again is the same subject."""
    place_id: str | None
    """Whose custodian it concerns; None: the command's."""
    account: str | None = None
    """Where the lot stands: the place, or a state of it such as sealed:STORE-N."""
    item_code: str | None = None
    lot_id: UUID | None = None
    lot_no: str | None = None
    maker: str | None = None
    made_on: date | None = None
    expires_on: date | None = None
    owner: Owner | None = None
    reserve_id: str | None = None
    recall_id: UUID | None = None
    units: int = 0
    start_on: date
    """What the due date is reckoned from: made, tested, stacked, checked, recalled; or the expiry."""
    due_on: date
    replaced_by: list[Replacement] = Field(default_factory=list)
    """For rotation; each row by itself, as if no other lot were replaced."""
    not_replaced: int = 0
    """Units that nothing agreed would replace."""
    floor: Floor | None = None
    task_id: UUID | None = None
    """The task that is open for it."""


class CarePage(Dto):
    """Ordered by what the due date is reckoned from, so by due date."""

    rows: list[CareRow]
    next_cursor: str | None = None


class CareState(StrEnum):
    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    DONE = "done"
    LAPSED = "lapsed"
    """It is no longer so: the lot has gone, the recall is lifted, the floor is reached again."""


class CareStep(Dto):
    """What somebody did about a task. Done needs evidence: a test's result by its movement, else at least a note."""

    id: UUID
    """Minted by the client, so that a retry is the same request."""
    state: Literal["acknowledged", "done"]
    happened_at: Utc
    note: Text = ""
    movement_id: UUID | None = None
    """What was recorded for it: for a test, the movement of kind tested."""


class CareStepView(Dto):
    id: UUID
    seq: int
    state: CareState
    happened_at: Utc
    recorded_at: Utc
    recorded_by: str
    note: str
    movement_id: UUID | None


class CareTaskView(Dto):
    id: UUID
    kind: CareKind
    subject: str
    place_id: str | None
    account: str | None
    item_code: str | None
    lot_id: UUID | None
    reserve_id: str | None
    units: int
    """As it was opened."""
    due_on: date
    role: str
    """Whose it is: clerk (of the place) or commander."""
    state: CareState
    opened_on: date
    done_on: date | None
    may_become: list[CareState]
    steps: list[CareStepView]


class CareTaskPage(Dto):
    rows: list[CareTaskView]
    next_cursor: str | None = None


class CareRun(Dto):
    """What one night's run opened and closed. Run again the same day, it adds what has become due since."""

    on: date
    """The day in China that it judged by."""
    ran_at: Utc
    opened: dict[CareKind, int]
    lapsed: dict[CareKind, int]
