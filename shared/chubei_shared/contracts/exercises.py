"""Exercises (桌面推演, 实战演练): an incident that is played on books of its own, with a script, and scored.

Owned by allocation. The incident is declared with `exercise`; this says how it is played.
"""

from enum import StrEnum
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field

from chubei_shared.contracts.amendments import Change
from chubei_shared.contracts.base import Dto, Minutes, Name, Reason, Text, Utc
from chubei_shared.contracts.deviations import What


class Form(StrEnum):
    TABLE_TOP = "table_top"
    """桌面推演."""
    LIVE = "live"
    """实战演练: people and vehicles move, stock does not."""


class Clock(StrEnum):
    SCRIPT = "script"
    """Whoever leads the exercise says what minute it is (`:advance`)."""
    WALL = "wall"
    """The wall's: injects come by themselves, at their minute after `occurred_at`."""


class OfStock(Dto):
    """On a copy of today's stock."""

    kind: Literal["stock"] = "stock"


class OfFile(Dto):
    """On the stock of a scenario file: the `supply`, and the points' `on_hand`, of a planning-scenario/1."""

    kind: Literal["file"]
    name: Name
    scenario: dict[str, Any]


class InjectAmendment(Dto):
    """The incident is amended: more people, a shelter opened or closed, a way closed, another level."""

    kind: Literal["amendment"]
    change: Change


class InjectDeviation(Dto):
    """Something goes wrong: a store lost, a vehicle broken, a way closed, supplies late."""

    kind: Literal["deviation"]
    what: What


class Inject(Dto):
    """What the script brings at a minute after the incident happened."""

    at_min: Minutes
    say: Reason
    """What the players are told."""
    do: Annotated[InjectAmendment | InjectDeviation, Field(discriminator="kind")]


class OpenExercise(Dto):
    """Before its first plan: then the stock is frozen."""

    form: Form
    clock: Clock = Clock.SCRIPT
    stock: Annotated[OfStock | OfFile, Field(discriminator="kind")] = OfStock()
    script: list[Inject] = Field(default_factory=list, max_length=200)


class Advance(Dto):
    """It is this minute now: what the script has up to it is brought."""

    to_min: Minutes


class Conclude(Dto):
    findings: Text = ""
    """What was learnt, in people's words."""


class Cancel(Dto):
    reason: Reason


class ExerciseStatus(StrEnum):
    RUNNING = "running"
    CONCLUDED = "concluded"
    CANCELLED = "cancelled"


class InjectStatus(StrEnum):
    WAITING = "waiting"
    PLAYED = "played"
    FAILED = "failed"
    """It could not be brought, see `problem`; the exercise goes on."""
    SKIPPED = "skipped"
    """Its minute did not come before the end."""


class InjectView(Inject):
    id: UUID
    number: int
    status: InjectStatus
    played_at: Utc | None
    played_by: str | None
    problem: dict[str, Any] | None


class HourScore(Dto):
    hour: int
    planned: int
    served: int


class Mark(Dto):
    """A part of the score. Weights and limits are this product's choice, no law's."""

    part: Literal["served", "deciding", "tasks", "papers"]
    zh: str
    en: str
    points: float
    of: int


class Score(Dto):
    people: int
    hours: list[HourScore]
    """By 2, 4, 6, 10 and 12 hours, as far as the deadline."""
    decide_min: int | None
    """From the declaration to the first approval, by the wall's clock; none: nothing was approved."""
    tasks: int
    tasks_in_time: int
    """Acknowledged within their time, and before they went to the post above."""
    papers_wrong: int
    """Steps that the books refused, and reports discarded."""
    papers_late: int
    """Oral orders whose papers came late or are overdue, and orders not reported to their end."""
    marks: list[Mark]
    points: float
    of: int


class ExerciseView(Dto):
    incident_id: UUID
    name: str
    form: Form
    clock: Clock
    status: ExerciseStatus
    stock: Literal["stock", "file"]
    stock_name: str
    frozen_at: Utc
    """When the stock was copied."""
    opened_at: Utc
    opened_by: str
    now_min: int
    """How far the script has come."""
    concluded_at: Utc | None
    concluded_by: str | None
    findings: str
    injects: list[InjectView]
    score: Score
    """As it stands; once concluded, as it was then."""
    counts: bool
    """For the duty of the year: concluded, and a plan was approved in it."""


class ExerciseRow(Dto):
    incident_id: UUID
    name: str
    form: Form
    status: ExerciseStatus
    opened_at: Utc
    concluded_at: Utc | None
    points: float | None
    of: int | None
    counts: bool
    """For the duty of the year, see ExerciseView."""


class YearlyDuty(Dto):
    """Exercises within 365 days, against what is due in a year."""

    done: int
    """Concluded, with a plan approved: who decided nothing has not drilled."""
    due: int
    source: str
    last_at: Utc | None
    """When the last one that counts was concluded."""


class ExercisePage(Dto):
    """The latest first."""

    duty: YearlyDuty
    rows: list[ExerciseRow]
    next_cursor: str | None = None
