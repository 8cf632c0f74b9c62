"""PURE: people served minute by minute, as planned, as it went and as it is to go on; by point and by item.

The figures are the independent checker's (planner/figures.py); an item's are those of a kit of this item alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from chubei_shared.contracts.progress import Curves, End
from numpy.typing import NDArray

from chubei_allocation.planner import Scenario, Trip
from chubei_allocation.planner.figures import PointFigures, figures

Ints = NDArray[np.int64]
_ROUNDING = 1e-6


@dataclass(frozen=True)
class Series:
    """People by minute, from 0 to the deadline, at each point."""

    by_point: dict[str, Ints]
    length: int

    def of(self, point: str) -> Ints:
        return self.by_point.get(point, np.zeros(self.length, np.int64))

    def total(self) -> Ints:
        return sum(self.by_point.values(), np.zeros(self.length, np.int64))


@dataclass(frozen=True)
class Course:
    """The three series of the same people and goods. Actual holds from minute 0 to `now_min`; it is told no further."""

    planned: Series
    actual: Series
    forecast: Series
    now_min: int

    def at(self, minutes: Sequence[int], point: str | None = None) -> Curves:
        """The curves of a point, or of all, at these minutes."""
        planned, actual, forecast = (
            one.total() if point is None else one.of(point)
            for one in (self.planned, self.actual, self.forecast)
        )
        gone = [minute for minute in minutes if minute <= self.now_min]
        so_far = [int(actual[minute]) for minute in gone]
        return Curves(
            planned=[int(planned[minute]) for minute in minutes],
            actual=so_far,
            forecast=so_far + [int(forecast[minute]) for minute in minutes[len(gone) :]],
        )


@dataclass(frozen=True)
class Played:
    """A scenario with trips that were, or are to be, made in it."""

    scenario: Scenario
    trips: Sequence[Trip]


def course(planned: Played, actual: Played, forecast: Played, now_min: int) -> Course:
    """Of basic relief: at each point the least item counts."""
    return Course(_series(planned), _series(actual), _series(forecast), now_min)


def course_of_item(item: str, planned: Played, actual: Played, forecast: Played, now_min: int) -> Course:
    """Of one item, at the points that need it."""
    alone = [_alone(played, item) for played in (planned, actual, forecast)]
    return course(alone[0], alone[1], alone[2], now_min)


def nothing(deadline_min: int, now_min: int) -> Course:
    """While no plan is in force."""
    none = Series({}, deadline_min + 1)
    return Course(none, none, none, now_min)


def tiers(scenario: Scenario) -> dict[str, int]:
    """The items that kits here have, each with the first tier that it is of."""
    used = {point.kit for point in scenario.points if point.people}
    needs = [need for kit in scenario.kits if kit.id in used for need in kit.needs]
    found: dict[str, int] = {}
    for need in needs:
        found[need.item] = min(need.tier, found.get(need.item, need.tier))
    return found


def in_need(scenario: Scenario, item: str) -> int:
    """People at points whose kit has the item."""
    return sum(point.people for point in _only(scenario, item).points if point.kit)


def end_min(series: Ints) -> int | None:
    """The minute from which no more people are served; None when nobody is."""
    last = int(series[-1])
    return int(np.argmax(series >= last)) if last else None


def end(series: Series, deliveries: Sequence[int]) -> End:
    return End(served_min=end_min(series.total()), last_delivery_min=max(deliveries, default=None))


def minutes(deadline_min: int, now_min: int, every_min: int) -> list[int]:
    """Where curves are told: every so many minutes to the deadline, and the minute it is."""
    return sorted({*range(0, deadline_min, every_min), deadline_min, min(max(now_min, 0), deadline_min)})


def _alone(played: Played, item: str) -> Played:
    """As if nothing else was needed or brought."""
    trips = [
        replace(
            trip, visits=tuple(visit for visit in trip.visits if not visit.loads and visit.goods.get(item))
        )
        for trip in played.trips
    ]
    return Played(_only(played.scenario, item), [trip for trip in trips if trip.visits])


def _only(scenario: Scenario, item: str) -> Scenario:
    """The scenario as if people needed nothing else."""
    kits = [
        replace(kit, needs=tuple(replace(need, tier=1) for need in kit.needs if need.item == item))
        for kit in scenario.kits
    ]
    wanting = {kit.id for kit in kits if kit.needs}
    points = tuple(
        point if point.kit in wanting else replace(point, kit=None, people=0) for point in scenario.points
    )
    return replace(scenario, kits=tuple(kits), points=points)


def _series(played: Played) -> Series:
    found = figures(played.scenario, played.trips).points
    deadline = played.scenario.deadline_min
    return Series({name: _by_minute(point, deadline) for name, point in found.items()}, deadline + 1)


def _by_minute(point: PointFigures, deadline: int) -> Ints:
    at, people = zip(*point.curve, strict=True)
    served: Ints = np.floor(np.interp(np.arange(deadline + 1), at, people) + _ROUNDING).astype(np.int64)
    return served
