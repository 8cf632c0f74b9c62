"""The response plan (响应预案) as data, and the tasks that it gives to posts in an incident (owned by allocation)."""

from enum import StrEnum
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import Field, model_validator

from chubei_shared.contracts.base import Dto, Id, Provenance, Reason, Utc

Span = Annotated[int, Field(strict=True, gt=0, le=60 * 24 * 366)]


class Stage(StrEnum):
    """In the order in which an incident goes through them."""

    ALARM = "alarm"
    ASSESS = "assess"
    ORDER = "order"
    DISPATCH = "dispatch"
    SUPERVISE = "supervise"
    EVALUATE = "evaluate"
    REPORT = "report"


class Duty(Dto):
    id: Id
    stage: Stage
    from_level: Annotated[int, Field(strict=True, ge=1, le=4)]
    """At this level and at every graver one: 4 is always, 1 only at level I."""
    to_post: Id
    zh: Reason
    en: Reason
    """What is to be done."""
    tier: Id | None = None
    """The tier of authority that it takes."""
    due_within_min: Span
    """From the moment at which the task is given."""
    ack_within_min: Span
    """Unless it is acknowledged by then it goes to the post above."""


class ResponsePlan(Dto):
    duties: list[Duty] = Field(min_length=1, max_length=300)
    provenance: Provenance

    @model_validator(mode="after")
    def _once(self) -> Self:
        ids = [duty.id for duty in self.duties]
        if twice := sorted({one for one in ids if ids.count(one) > 1}):
            names = ", ".join(twice)
            raise ValueError(
                f"duties 编号重复:{names},请改为不同 / duties share the id {names}: give each its own"
            )
        return self


class ResponsePlanView(Dto):
    version: int
    put_at: Utc
    put_by: str
    plan: ResponsePlan


class TaskState(StrEnum):
    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    DONE = "done"
    DROPPED = "dropped"


Move = Literal["acknowledge", "complete", "drop", "reassign", "escalate"]
"""`escalate` is made by the system alone."""


class TaskStep(Dto):
    """What somebody does with a task. The id is the caller's: the same again gives the same answer."""

    id: UUID
    move: Literal["acknowledge", "complete", "drop", "reassign"]
    reason: Reason | None = None
    """Of dropping and reassigning it; a note otherwise."""
    to_post: Id | None = None
    """Of reassigning it."""

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.move in ("drop", "reassign") and self.reason is None:
            raise ValueError("reason 必填:说明为什么 / reason is missing: say why")
        if (self.move == "reassign") != (self.to_post is not None):
            raise ValueError(
                "to_post:改派(reassign)时必填,其他情况不填 / to_post: name it to reassign, and only then"
            )
        return self


class TaskStepView(Dto):
    id: UUID
    move: Move
    state: TaskState
    """After it."""
    to_post: str | None
    """Whom it went to, if it was reassigned or escalated."""
    reason: str | None
    at: Utc
    by: str


class TaskView(Dto):
    id: UUID
    incident_id: UUID
    exercise: bool
    duty_id: str
    plan_version: int
    stage: Stage
    to_post: str
    zh: str
    en: str
    tier: str | None
    state: TaskState
    opened_at: Utc
    due_at: Utc
    minutes_left: int
    """To do it; 0 when it is late."""
    overdue: bool
    ack_within_min: int
    escalated: bool
    """Whether it went up since it was last given to a post; the history says when, and whom to."""
    asked: list[str]
    """The posts that were asked: the one it was given to, and those above. Whoever holds one may act."""
    history: list[TaskStepView]


class TaskPage(Dto):
    """The latest first."""

    rows: list[TaskView]
    next_cursor: str | None = None


class IncidentTasks(Dto):
    """The tasks of an incident, by stage and when they are due."""

    incident_id: UUID
    exercise: bool
    stage: Stage | None
    """The least one with open tasks; none: all is closed, or nothing was given out yet."""
    rows: list[TaskView]
