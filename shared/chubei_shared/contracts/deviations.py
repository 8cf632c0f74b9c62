"""Deviations: what happened that no plan had in mind, and what it does to the 12 hours (owned by allocation)."""

from enum import StrEnum
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import Field, StringConstraints, model_validator

from chubei_shared.contracts.base import Dto, Id, ItemCode, Reason, Text, Utc

Late = Annotated[int, Field(strict=True, ge=1, le=10_080)]
Vehicle = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9:._-]{0,79}#[1-9][0-9]{0,8}$")]


class OrderDelayed(Dto):
    """An order is, or will be, so many minutes behind its plan."""

    kind: Literal["order_delayed"]
    order_id: UUID
    minutes: Late


class VehicleBroken(Dto):
    """A vehicle drives no more."""

    kind: Literal["vehicle_broken"]
    vehicle: Vehicle
    """As on its orders, e.g. TRUCK#2."""
    goods_aboard: bool
    """True: what is aboard stays there. False: it is empty, or its goods go on by another vehicle under its order."""


class PlaceLost(Dto):
    """Nothing can be loaded at a store, supplier or maker any more."""

    kind: Literal["place_lost"]
    place_id: Id


class WayClosed(Dto):
    """The direct way between two places is closed, in both directions if it is not said otherwise."""

    kind: Literal["way_closed"]
    from_id: Id
    to_id: Id
    one_way: bool = False

    @model_validator(mode="after")
    def _two(self) -> Self:
        if self.from_id == self.to_id:
            raise ValueError("from_id 与 to_id 相同,请填两处 / from_id and to_id are one place: name two")
        return self


class SupplyLate(Dto):
    """An item comes so many minutes later at a place than was agreed."""

    kind: Literal["supply_late"]
    place_id: Id
    item_code: ItemCode
    minutes: Late


class SupplyWithdrawn(Dto):
    """Nothing more of an item comes at a place."""

    kind: Literal["supply_withdrawn"]
    place_id: Id
    item_code: ItemCode


What = Annotated[
    OrderDelayed | VehicleBroken | PlaceLost | WayClosed | SupplyLate | SupplyWithdrawn,
    Field(discriminator="kind"),
]


class DeviationReport(Dto):
    id: UUID
    """Minted by the client; the same report again gives the same answer."""
    occurred_at: Utc
    what: What
    note: Text = ""


class Lift(Dto):
    """Why a deviation does not hold any more."""

    reason: Reason


class DeviationView(Dto):
    id: UUID
    incident_id: UUID
    exercise: bool
    occurred_at: Utc
    what: What
    zh: str
    en: str
    note: str
    reported_by: str
    reported_at: Utc
    lifted_by: str | None
    lifted_at: Utc | None
    lift_reason: str


class DeviationPage(Dto):
    rows: list[DeviationView]


class TripState(StrEnum):
    ON_TIME = "on_time"
    LATE = "late"
    """By more than 15 minutes at its last stop."""
    CUT_SHORT = "cut_short"
    """Some of what it was to load or bring does not come."""
    IMPOSSIBLE = "impossible"
    """Nothing of what is left of it can be done."""


class TripOutlook(Dto):
    order_id: UUID
    number: str
    vehicle: str
    state: TripState
    late_min: int
    """At its last stop, against the plan."""
    overdue: bool
    """Something should have been reported more than 15 minutes ago."""
    zh: str
    en: str


class PointOutlook(Dto):
    shelter_id: str
    name_zh: str
    name_en: str
    people: int
    planned: int
    expected: int


class Outlook(Dto):
    """What comes of the plan in force if it is carried out as it stands, without planning anew."""

    incident_id: UUID
    exercise: bool
    plan_id: UUID | None
    """None while no plan is in force: then nobody is served."""
    now_min: int
    deadline_min: int
    minutes_left: int
    people: int
    """Who needs relief, as it is known now."""
    planned: int
    """People served at the deadline by the plan as it was approved."""
    expected: int
    fewer: int
    """People without relief at the deadline beyond those that the plan left without."""
    threshold: int
    """From so many on a replan is recommended: one in a hundred of those in need, at least one."""
    replan: bool
    zh: str
    en: str
    points: list[PointOutlook]
    """Where it is other than planned."""
    trips: list[TripOutlook]
    """Those that are not on time."""
    deviations: list[DeviationView]
    """Those that stand."""
