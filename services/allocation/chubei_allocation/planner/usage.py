"""How far a plan uses each dock, bay, vehicle type and item, and who is served by which hour."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from .figures import figures, served_by
from .scenario import Plan, Scenario, Steps


@dataclass(frozen=True)
class Tightness:
    """A resource and the share of it that the plan uses (1.0: all of it).

    kind: "docks", "bays", "vehicles" or "items"; used and available in minutes, or units for items.
    """

    kind: str
    id: str
    label_zh: str
    label_en: str
    used: float
    available: float

    @property
    def utilisation(self) -> float:
        return self.used / self.available if self.available else 0.0


def served_by_hour(scenario: Scenario, plan: Plan) -> list[tuple[int, int]]:
    """(hour after the disaster, people with basic relief by then), up to the deadline."""
    curves = [point.curve for point in figures(scenario, plan.trips).points.values()]
    hours = range(0, (scenario.deadline_min + 59) // 60 + 1)
    by_hour = []
    for hour in hours:
        minute = min(hour * 60, scenario.deadline_min)
        by_hour.append((hour, sum(int(served_by(curve, minute) + 1e-6) for curve in curves)))
    return by_hour


def tightest(scenario: Scenario, plan: Plan) -> list[Tightness]:
    """All resources that the plan uses, the most used first."""
    rows = [*_berths(scenario, plan), *_vehicles(scenario, plan), *_items(scenario, plan)]
    return sorted((row for row in rows if row.used), key=lambda row: (-row.utilisation, row.kind, row.id))


def _manned_minutes(steps: Steps, start: int, end: int) -> int:
    """Crew-minutes in [start, end)."""
    total = 0
    for n, (begin, number) in enumerate(steps):
        until = steps[n + 1][0] if n + 1 < len(steps) else end
        total += number * max(0, min(until, end) - max(begin, start))
    return total


def _berths(scenario: Scenario, plan: Plan) -> list[Tightness]:
    used: dict[str, int] = defaultdict(int)
    for trip in plan.trips:
        for visit in trip.visits:
            used[visit.node] += min(visit.end, scenario.deadline_min) - min(
                visit.start, scenario.deadline_min
            )
    docks = [
        Tightness(
            "docks",
            source.id,
            f"{source.id} 装车位",
            f"docks of {source.id}",
            used[source.id],
            _manned_minutes(source.docks, 0, scenario.deadline_min),
        )
        for source in scenario.sources
    ]
    bays = [
        Tightness(
            "bays",
            point.id,
            f"{point.id} 卸车位",
            f"bays of {point.id}",
            used[point.id],
            _manned_minutes(point.bays, point.opens_min, scenario.deadline_min),
        )
        for point in scenario.points
    ]
    return [*docks, *bays]


def _vehicles(scenario: Scenario, plan: Plan) -> list[Tightness]:
    """Minutes from when a vehicle is available until its last delivery ends, against all until the deadline."""
    last: dict[str, int] = {}
    for trip in plan.trips:
        last[trip.vehicle] = max(last.get(trip.vehicle, 0), trip.visits[-1].end)
    rows = []
    for kind in scenario.vehicles:
        since = {f"{kind.type}#{n}": kind.from_min(n) for n in range(1, kind.count + 1) if n not in kind.lost}
        busy = sum(
            max(0, min(last.get(name, 0), scenario.deadline_min) - from_min)
            for name, from_min in since.items()
        )
        there = sum(max(0, scenario.deadline_min - from_min) for from_min in since.values())
        rows.append(
            Tightness("vehicles", kind.type, f"车辆 {kind.type}", f"vehicles {kind.type}", busy, there)
        )
    return rows


def _items(scenario: Scenario, plan: Plan) -> list[Tightness]:
    taken: dict[str, int] = defaultdict(int)
    for trip in plan.trips:
        for visit in trip.visits:
            for item, units in visit.goods.items():
                taken[item] += units if visit.loads else 0
    stock: dict[str, int] = defaultdict(int)
    for row in scenario.supply:
        minutes = scenario.deadline_min - row.available_min
        if minutes >= 0:
            made = row.quantity if row.rate_per_hour is None else int(row.rate_per_hour * minutes / 60 + 1e-9)
            stock[row.item] += min(row.quantity, made)
    return [
        Tightness("items", item.id, item.name_zh, item.name_en, taken[item.id], stock[item.id])
        for item in scenario.items
    ]
