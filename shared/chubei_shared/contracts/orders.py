"""Dispatch orders: one for each trip of an approved plan (owned by allocation)."""

from enum import StrEnum
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field

from chubei_shared.contracts.base import Dto, Mode, Text, Utc
from chubei_shared.contracts.stock import DeliverLine


class StepKind(StrEnum):
    """What happens to an order at one of its stops, in this order."""

    PICKED = "picked"
    LOADED = "loaded"
    DEPARTED = "departed"
    ARRIVED = "arrived"
    RECEIVED = "received"


class OrderStatus(StrEnum):
    PLANNED = "planned"
    UNDER_WAY = "under_way"
    DONE = "done"


class StepState(StrEnum):
    PENDING = "pending"
    """Recorded; its movement is under way, and is finished by itself if the service stops in between."""
    DONE = "done"
    REFUSED = "refused"
    """Inventory refused the movement, see `problem`; the step may be tried again under another id."""


class Step(Dto):
    """A step at stop number `stop` (from 0). Loading and receipt move stock."""

    id: UUID
    """Minted by the client, so that a retry is the same request."""
    stop: Annotated[int, Field(strict=True, ge=0, le=200)]
    step: StepKind
    occurred_at: Utc
    lines: list[DeliverLine] = Field(default_factory=list, max_length=500)
    """For a receipt: what was received, damaged and short. Left out: all as on the load list."""
    signed_by: Text = ""


class Stop(Dto):
    """One stop of the trip as planned: load or deliver {item: units} between start and end minutes."""

    stop: int
    place_id: str
    kind: Literal["warehouse", "supplier", "producer", "point"]
    name_zh: str
    name_en: str
    arrive_min: int
    start_min: int
    end_min: int
    load: dict[str, int]
    modes: dict[str, Mode]
    """The reserve that each loaded item is taken from."""
    deliver: dict[str, int]


class StepView(Dto):
    id: UUID
    stop: int
    step: StepKind
    state: StepState
    occurred_at: Utc
    recorded_at: Utc
    recorded_by: str
    lines: list[DeliverLine]
    signed_by: str
    problem: dict[str, Any] | None


class OrderView(Dto):
    id: UUID
    number: str
    """What people say on the phone: incident's day and a count, e.g. 20261121-007."""
    plan_id: UUID
    incident_id: UUID
    hold_id: UUID
    vehicle: str
    exercise: bool
    status: OrderStatus
    stops: list[Stop]
    steps: list[StepView]


class OrderPage(Dto):
    rows: list[OrderView]
    next_cursor: str | None = None


class ServedRow(Dto):
    """People served (tier 1) at a point by the deadline: by what has been received so far, and as planned."""

    shelter_id: str
    name_zh: str
    name_en: str
    people: int
    served: int
    planned: int


class ServedView(Dto):
    """The account of an incident so far; `planned` figures are 0 while no plan is approved."""

    incident_id: UUID
    people: int
    served: int
    planned: int
    served_by_hour: list[int]
    """People served by the end of hour 0, 1, … up to the deadline, by what has been received."""
    planned_by_hour: list[int]
    rows: list[ServedRow]
