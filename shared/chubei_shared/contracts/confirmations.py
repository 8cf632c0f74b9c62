"""What suppliers and makers confirm on the night, before a plan counts on it (owned by allocation)."""

from enum import StrEnum
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import Field, model_validator

from chubei_shared.contracts.base import Dto, Id, ItemCode, Minutes, Mode, Text, UnitsOrNone, Utc

ConfirmedMode = Literal[Mode.CONTRACT, Mode.CAPACITY]


class AskConfirmations(Dto):
    """The id is the caller's: the same again gives the same answer."""

    id: UUID
    place_ids: list[Id] | None = Field(default=None, min_length=1, max_length=500)
    """Suppliers and makers; all that have a firm quantity and were not asked yet, where not given."""
    due_within_min: Annotated[int, Field(strict=True, gt=0, le=60 * 24)] = 30


class ConfirmationState(StrEnum):
    ASKED = "asked"
    CONFIRMED = "confirmed"
    DECLINED = "declined"
    RELEASED = "released"
    """Nobody waits for it any more: what inventory says counts again."""


class AskedItem(Dto):
    item_code: str
    name_zh: str
    name_en: str
    unit_zh: str
    mode: ConfirmedMode
    quantity: int
    """Units left of what was agreed when it was asked; no more than what is left counts."""
    firm: int
    """Of them, those that count unless the supplier says otherwise."""
    lead_min: int
    """Minutes from the order to the first unit, as agreed and measured."""


class ConfirmedLine(Dto):
    item_code: ItemCode
    mode: ConfirmedMode
    quantity: UnitsOrNone


class ConfirmationAnswer(Dto):
    """The id is the caller's: the same again is the same answer; another one takes its place."""

    id: UUID
    answer: Literal["confirmed", "declined"]
    lines: list[ConfirmedLine] = Field(default_factory=list, max_length=500)
    """Each item that was asked, once."""
    ready_min: Minutes | None = None
    """The minute since it happened at which the goods can be loaded; as agreed, where not given."""
    said_by: Text = ""
    """Who said so, where somebody else writes it down."""
    note: Text = ""

    @model_validator(mode="after")
    def _whole(self) -> Self:
        keys = [(line.item_code, line.mode) for line in self.lines]
        if len(set(keys)) < len(keys):
            raise ValueError("lines:同一物资重复,请合并 / lines name an item twice: put them together")
        if (self.answer == "confirmed") != bool(self.lines):
            raise ValueError(
                "lines:确认时逐项填写,谢绝时不填 / lines: name each item to confirm, and none to decline"
            )
        if self.answer == "declined" and self.ready_min is not None:
            raise ValueError("ready_min:谢绝时不填 / ready_min: leave it out to decline")
        return self


class ConfirmationAnswerView(ConfirmationAnswer):
    at: Utc
    by: str


class ConfirmationView(Dto):
    """One place's, with all that it answered; the last answer counts."""

    id: UUID
    incident_id: UUID
    incident_name: str
    exercise: bool
    occurred_at: Utc
    place_id: str
    name_zh: str
    name_en: str
    asked_at: Utc
    asked_by: str
    due_at: Utc
    minutes_left: int
    """To answer; 0 when it is overdue."""
    state: ConfirmationState
    overdue: bool
    """Not answered in time: it leaves the plan, until it is answered all the same."""
    items: list[AskedItem]
    history: list[ConfirmationAnswerView]
    """The first answer first."""


class ConfirmationCounts(Dto):
    asked: int
    """In time to answer yet."""
    confirmed: int
    declined: int
    overdue: int
    released: int


class ConfirmationList(Dto):
    incident_id: UUID
    exercise: bool
    minutes_left: int
    counts: ConfirmationCounts
    rows: list[ConfirmationView]
