"""How the dispatch goes, live: trips on a map, people served on a plot of the 12 hours (owned by allocation)."""

from enum import StrEnum
from uuid import UUID

from chubei_shared.contracts.base import Dto, Utc
from chubei_shared.contracts.deviations import TripOutlook
from chubei_shared.contracts.orders import OrderStatus, StepKind


class Curves(Dto):
    """Three series over `ProgressView.minutes`, of people who have what they need by each of these minutes."""

    planned: list[int]
    """By the plan in force as it was approved; all 0 while there is none."""
    actual: list[int]
    """By what was received and how fast it can be handed out, as far as the minute it is: a shorter list."""
    forecast: list[int]
    """The same, and what is to come as things stand: up to the minute it is, the actual."""


class Whereabouts(StrEnum):
    WAITING = "waiting"
    """Nothing was reported yet."""
    AT_STOP = "at_stop"
    ON_THE_WAY = "on_the_way"
    DONE = "done"


class LastReport(Dto):
    stop: int
    step: StepKind
    occurred_at: Utc
    minute: int
    recorded_by: str


class TripStop(Dto):
    """A stop with the minutes it was planned for, and those it had or is to have."""

    stop: int
    place_id: str
    name_zh: str
    name_en: str
    lon: float | None
    lat: float | None
    loads: bool
    goods: dict[str, int]
    """{item: units} put aboard or brought, as reported or as it comes out."""
    planned_arrive_min: int
    planned_end_min: int
    arrive_min: int | None
    end_min: int | None
    """None where the stop can not be made any more."""
    done: bool


class TripProgress(TripOutlook):
    """A trip: where it is, what was last reported, and when it is to be where."""

    status: OrderStatus
    where: Whereabouts
    stop: int
    """The stop it is at, or is on the way to."""
    last: LastReport | None
    planned_end_min: int
    end_min: int | None
    """At its last stop, as things stand."""
    stops: list[TripStop]


class PointProgress(Curves):
    """A point's people."""

    shelter_id: str
    name_zh: str
    name_en: str
    lon: float
    lat: float
    people: int
    handed_out: int
    """People for whom handing out is on record (发放登记)."""
    least_item: str | None
    """Of basic relief, the item of which fewest people have theirs now; None when all have all."""
    next_order: str | None
    """Number of the order that comes next."""
    next_min: int | None


class ItemProgress(Curves):
    """An item's: people whose need of it is met, at all points that need it."""

    item_code: str
    name_zh: str
    name_en: str
    tier: int
    """1: basic relief; 2: settled."""
    people: int
    """In need of it."""
    planned_units: int
    """To be brought by the orders."""
    received_units: int
    aboard_units: int
    """Loaded and not yet brought."""


class End(Dto):
    """When it is over: the minute from which no more people are served, and the last delivery's."""

    served_min: int | None
    """None: nobody is served."""
    last_delivery_min: int | None


class ProgressView(Dto):
    """Served: people who have every item of basic relief (tier 1): at each point the least item counts."""

    incident_id: UUID
    name: str
    exercise: bool
    plan_id: UUID | None
    occurred_at: Utc
    now_min: int
    deadline_min: int
    minutes_left: int
    people: int
    planned: int
    """Served by the deadline."""
    actual: int
    """Served by now."""
    planned_now: int
    """To be served by now, by the plan."""
    forecast: int
    """Served by the deadline, as things stand."""
    handed_out: int
    planned_end: End
    forecast_end: End
    zh: str
    en: str
    """One sentence: where it stands and when it ends."""
    minutes: list[int]
    """Of every curve here: from 0 to the deadline, and the minute it is."""
    curves: Curves
    items: list[ItemProgress]
    points: list[PointProgress]
    trips: list[TripProgress]
