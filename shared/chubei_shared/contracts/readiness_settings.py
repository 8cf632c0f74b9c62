"""What readiness is judged by: standing scenarios, losses, distributions, targets. All data (owned by allocation)."""

from decimal import Decimal
from typing import Annotated, Self

from pydantic import Field, model_validator

from chubei_shared.contracts.base import Dto, Id, ItemCode, Lat, Lon, Minutes, Name, Provenance, Utc
from chubei_shared.contracts.catalogue import Season

Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Factor = Annotated[float, Field(gt=0, le=10, allow_inf_nan=False)]


class Shift(Dto):
    """Who is at hand at a time of day, against the network's own figures (those of a day)."""

    id: Id
    name_zh: Name
    name_en: Name
    docks_share: Share = 1.0
    """Of the manned docks of stores, rounded up."""
    docks_delay_min: Minutes = 0
    vehicles_share: Share = 1.0
    """Of each type of vehicle, rounded up."""
    vehicles_delay_min: Minutes = 0
    speed_factor: Factor = 1.0
    provenance: Provenance


class Standing(Dto):
    """A standing scenario: so many residents, at a time of day, in a season."""

    id: Id
    name_zh: Name
    name_en: Name
    shift: Id
    season: Season
    share: Annotated[float, Field(gt=0, le=1, allow_inf_nan=False)] | None = None
    """Of the residents; the district's duty share where not given."""


class Road(Dto):
    """A named bridge or road. When it is lost, the ways that pass within `within_m` of it are closed, both ways."""

    id: Id
    name_zh: Name
    name_en: Name
    lon: Lon
    lat: Lat
    within_m: Annotated[int, Field(strict=True, gt=0, le=10_000)]
    provenance: Provenance


class Loss(Dto):
    """What is not there: goods and docks of places, ways, a share of the fleet, the crews before a minute."""

    places: list[Id] = Field(default_factory=list, max_length=1000)
    roads: list[Id] = Field(default_factory=list, max_length=1000)
    ways: list[tuple[Id, Id]] = Field(default_factory=list, max_length=5000)
    """Closed in both directions."""
    fleet_share: Share = 0.0
    """Of all vehicles, rounded up, from each type by its number."""
    crews_until_min: Minutes = 0
    """No dock of a store is manned before this minute."""


class NamedLoss(Dto):
    """A loss that is looked at by itself; a joint one takes several things at once."""

    id: Id
    name_zh: Name
    name_en: Name
    loss: Loss
    joint: bool = True
    provenance: Provenance


class SupplierGroup(Dto):
    """Suppliers that fail together."""

    id: Id
    name_zh: Name
    name_en: Name
    places: list[Id] = Field(min_length=1, max_length=1000)


class Guess(Dto):
    """A figure of a distribution, and how far it can be trusted."""

    value: Annotated[float, Field(ge=0, le=1440, allow_inf_nan=False)]
    provenance: Provenance


class Distributions(Dto):
    """What a draw varies. Shares are chances; all are drawn independently."""

    people_together: Guess
    """People of all points together: uniform in 1 ± this."""
    people_point: Guess
    """And of each point by itself: uniform in 1 ± this."""
    speed_lowest: Guess
    """Speed against the district's: triangular from this to `speed_highest`, most often 1."""
    speed_highest: Guess
    road_closed: Guess
    """That a named road is closed."""
    way_closed: Guess
    """That a direct way between a source and a point is closed, both ways."""
    supplier_absent: Guess
    """That a supplier or maker sends nothing at all."""
    crew_absent: Guess
    """That the crew of a dock of a store does not come."""
    crew_late_max_min: Guess
    """The crews of a store come later: uniform from 0 to this."""
    vehicle_absent: Guess
    """That a vehicle is not there."""

    @model_validator(mode="after")
    def _chances(self) -> Self:
        wide = [self.people_together, self.people_point, self.road_closed, self.way_closed]
        for guess in (*wide, self.supplier_absent, self.crew_absent, self.vehicle_absent):
            if guess.value > 1:
                raise ValueError(
                    "概率与幅度应在 0 至 1 / chances and spreads lie between 0 and 1: correct them"
                )
        if not 0 < self.speed_lowest.value <= 1 <= self.speed_highest.value:
            raise ValueError(
                "speed_lowest 应大于 0 且不超过 1,speed_highest 不小于 1 / "
                "speed_lowest lies above 0 and up to 1, speed_highest is 1 or more: correct them"
            )
        return self


class Consumption(Dto):
    """What a person uses up in a day, from day 2 on (and on day 1 out of the kit)."""

    item_code: ItemCode
    per_person_day: Annotated[Decimal, Field(gt=0, le=1000, max_digits=10, decimal_places=6)]
    group: Id | None = None
    """Only this group's members use it."""
    provenance: Provenance


class Targets(Dto):
    """What is called able, and when somebody is told."""

    able_share: Share = 1.0
    """Served in time in every standing scenario: 能保障."""
    nearly_share: Share = 0.95
    """基本能保障; below it 不能保障."""
    alarm_below_share: Share = 0.98
    alarm_within_days: Annotated[int, Field(strict=True, ge=0, le=365)] = 60
    changed_share: Annotated[float, Field(gt=0, le=1, allow_inf_nan=False)] = 0.1
    """A change of any item's firm units by more than this asks for a check between the nights."""
    post: Id = "duty-officer"
    """Who is told."""
    ack_within_min: Annotated[int, Field(strict=True, ge=1, le=10_080)] = 60
    """What nobody acknowledges within this goes to the post above."""
    provenance: Provenance


class Effort(Dto):
    """Work that the planner spends on each (changes tried), and how many draws there are."""

    base: Annotated[int, Field(strict=True, ge=1, le=10**9)] = 30_000
    loss: Annotated[int, Field(strict=True, ge=1, le=10**9)] = 6_000
    draw: Annotated[int, Field(strict=True, ge=1, le=10**9)] = 2_000
    draws: Annotated[int, Field(strict=True, ge=0, le=100_000)] = 1_000
    seed: Annotated[int, Field(strict=True, ge=0, le=2**31 - 1)] = 0


class ReadinessSettings(Dto):
    """All of it. As a PUT it replaces all that was there; each edition is kept."""

    shifts: list[Shift] = Field(min_length=1, max_length=10)
    standing: list[Standing] = Field(min_length=1, max_length=20)
    supplier_groups: list[SupplierGroup] = Field(default_factory=list, max_length=200)
    """Where there are none: the suppliers of each item are a group."""
    roads: list[Road] = Field(default_factory=list, max_length=200)
    joint: list[NamedLoss] = Field(default_factory=list, max_length=100)
    fleet_share: Share = 0.2
    crews_until_min: Minutes = 240
    distributions: Distributions
    consumption: list[Consumption] = Field(default_factory=list, max_length=100)
    targets: Targets
    effort: Effort = Effort()

    @model_validator(mode="after")
    def _known(self) -> Self:
        _named_once(("shifts", self.shifts), ("standing", self.standing), ("roads", self.roads))
        _named_once(("joint", self.joint), ("supplier_groups", self.supplier_groups))
        _there("standing", {row.shift for row in self.standing}, {shift.id for shift in self.shifts})
        named = {road for row in self.joint for road in row.loss.roads}
        _there("joint", named, {road.id for road in self.roads})
        return self


def _named_once(
    *lists: tuple[str, list[Standing] | list[Shift] | list[Road] | list[NamedLoss] | list[SupplierGroup]],
) -> None:
    for field, rows in lists:
        ids = [row.id for row in rows]
        if twice := sorted({name for name in ids if ids.count(name) > 1}):
            names = ", ".join(twice)
            raise ValueError(
                f"{field}:编号 {names} 重复,请改名 / {field}: the id {names} stands twice: rename one"
            )


def _there(field: str, wanted: set[str], known: set[str]) -> None:
    if unknown := sorted(wanted - known):
        names = ", ".join(unknown)
        raise ValueError(f"{field}:没有 {names},请核对编号 / {field}: there is no {names}: correct the id")


class SettingsView(Dto):
    edition: int
    """0: the settings that the product brings along."""
    changed_at: Utc | None
    changed_by: str | None
    settings: ReadinessSettings
