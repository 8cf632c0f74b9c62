"""The independent checker: does a plan obey every rule of PLANNING.md, and are its claims true?

Written straight from the rules. It shares the data types of scenario.py with the planner and nothing else:
no travel time, no timetable, no score is computed by the planner's code.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from itertools import pairwise
from math import asin, ceil, cos, floor, isfinite, radians, sin, sqrt

from .figures import Figures, figures, service_min
from .scenario import Plan, Point, Scenario, Source, Steps, Supply, Trip, VehicleType, Visit

SLACK = 1e-6


@dataclass(frozen=True)
class Violation:
    """One rule broken: the rule's number in PLANNING.md (0: claims and shape), where, and what, in both languages.

    vehicle: without whose trips it would not be; of several the last to come.
    """

    rule: int
    where: str
    problem: str
    vehicle: str = ""

    def __str__(self) -> str:
        return f"[{self.rule}] {self.where}: {self.problem}"


@dataclass(frozen=True)
class Verdict:
    violations: list[Violation]
    figures: Figures


class _World:
    """The scenario by id."""

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self.items = {item.id: item for item in scenario.items}
        self.sources = {source.id: source for source in scenario.sources}
        self.points = {point.id: point for point in scenario.points}
        self.types = {vehicle.type: vehicle for vehicle in scenario.vehicles}
        self.places: list[Source | Point] = [*scenario.sources, *scenario.points]
        self.number = {place.id: n for n, place in enumerate(self.places)}

    def vehicle(self, name: str) -> tuple[VehicleType | None, int]:
        """Its type and its number; None when no vehicle can have this name."""
        kind, _, number = name.partition("#")
        if not re.fullmatch("[1-9][0-9]{0,8}", number):
            return None, 0
        return self.types.get(kind), int(number)

    def knows(self, visit: Visit) -> bool:
        """Whether its place and all its items exist."""
        place = visit.node in (self.sources if visit.loads else self.points)
        goods = all(item in self.items and units > 0 for item, units in visit.goods.items())
        return place and bool(visit.goods) and goods


@dataclass
class _Book:
    """What is gathered trip by trip and judged over all trips."""

    spans: dict[str, list[tuple[int, int, bool, str]]] = field(default_factory=lambda: defaultdict(list))
    taken: dict[tuple[str, str], list[tuple[int, bool, int, str]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    days: dict[str, list[tuple[Trip, bool]]] = field(default_factory=lambda: defaultdict(list))
    bad: list[Violation] = field(default_factory=list)


def check(scenario: Scenario, plan: Plan) -> list[Violation]:
    """All violations of a plan, of its trips and of its claims; empty when it may be carried out."""
    verdict = judge(scenario, plan.trips)
    bad = list(verdict.violations)
    if plan.scenario != scenario.name:
        bad.append(Violation(0, "scenario", f"属于另一方案 / the plan is for {plan.scenario}"))
    claims, true = plan.claims, verdict.figures
    told: list[tuple[str, float, float, float]] = [
        ("supported", claims.supported, true.supported, 0),
        ("settled", claims.settled, true.settled, 0),
        ("utility", claims.utility, true.utility, 1e-6),
        ("mean_wait_min", claims.mean_wait_min, true.mean_wait_min, 1e-3),
    ]
    for name, value, found, slack in told:
        if not isfinite(value) or abs(value - found) > slack + 1e-9:
            bad.append(
                Violation(0, f"claims.{name}", f"称 {value} 实为 {found} / claims {value}, is {found}")
            )
    if not isfinite(claims.utility_bound) or claims.utility_bound < true.utility - 1e-6:
        bad.append(Violation(0, "claims.utility_bound", "低于方案所达 / is below what the plan reaches"))
    return bad


def judge(scenario: Scenario, trips: Iterable[Trip]) -> Verdict:
    """The rules applied to trips, and what the trips come to."""
    trips = tuple(trips)
    world, book = _World(scenario), _Book()
    begun = Counter(trip.key() for trip in scenario.committed)
    for number, trip in enumerate(trips):
        fixed = begun[trip.key()] > 0
        if fixed:
            begun[trip.key()] -= 1
        before = len(book.bad)
        _gather(world, trip, f"trips[{number}] {trip.vehicle}", fixed, book)
        book.bad[before:] = [replace(bad, vehicle=trip.vehicle) for bad in book.bad[before:]]
    for key, count in begun.items():
        if count:
            book.bad.append(
                Violation(6, str(key[0]), "已开始的车次缺失或被改 / a committed trip is missing or changed")
            )
    _days(world, book)
    _berths(scenario, book)
    _stock(scenario, book)
    return Verdict(book.bad, figures(scenario, trips))


def _gather(world: _World, trip: Trip, where: str, fixed: bool, book: _Book) -> None:
    """Enter a trip in the book. What has begun is a fact: it is entered, but not judged by itself."""
    vehicle, number = world.vehicle(trip.vehicle)
    if vehicle is None or not trip.visits or not all(world.knows(visit) for visit in trip.visits):
        book.bad.append(
            Violation(0, where, "车辆、地点或物资不存在 / a vehicle, place or item that does not exist")
        )
        return
    book.days[trip.vehicle].append((trip, fixed))
    for visit in trip.visits:
        book.spans[visit.node].append((visit.start, visit.end, fixed, trip.vehicle))
        for item, units in visit.goods.items() if visit.loads else ():
            book.taken[visit.node, item].append((visit.start, fixed, units, trip.vehicle))
    if not fixed:
        if not 1 <= number <= vehicle.count or number in vehicle.lost:
            book.bad.append(Violation(3, where, "不在车队中 / is not in the fleet"))
        _trip(world, vehicle, trip, where, book)


def _trip(world: _World, vehicle: VehicleType, trip: Trip, where: str, book: _Book) -> None:
    """One trip by itself."""
    now = world.scenario.now_min
    if len(trip.visits) < 2 or not trip.visits[0].loads or trip.visits[-1].loads:
        book.bad.append(Violation(4, where, "应先装后卸 / must begin with a load and end with a delivery"))
    if trip.visits[0].start < now:
        book.bad.append(Violation(6, where, f"早于当前 / starts before now ({now})"))
    _cargo(world, vehicle, trip, where, book)
    for visit in trip.visits:
        _visit(world, vehicle, visit, f"{where} {visit.node}", book)
    for before, after in pairwise(trip.visits):
        leg = _minutes(world, vehicle, before.node, after.node)
        if leg is None:
            book.bad.append(Violation(4, where, f"{before.node}→{after.node} 不通 / the way is closed"))
        elif after.arrive < before.end + leg:
            there = before.end + leg
            book.bad.append(Violation(3, where, f"{after.node} 最早 {there} 到 / can be there at {there}"))


def _cargo(world: _World, vehicle: VehicleType, trip: Trip, where: str, book: _Book) -> None:
    """Rule 4: capacity by weight and volume, whole packs, only what is aboard."""
    items = world.items
    aboard: Counter[str] = Counter()
    for visit in trip.visits:
        for item, units in visit.goods.items():
            if units % items[item].pack:
                book.bad.append(
                    Violation(4, where, f"{units} {item} 不是整包 / is not whole packs of {items[item].pack}")
                )
            aboard[item] += units if visit.loads else -units
            if aboard[item] < 0:
                book.bad.append(Violation(4, where, f"车上没有 {item} / delivers {item} that is not aboard"))
        kg = sum(items[item].weight_kg * units for item, units in aboard.items())
        m3 = sum(items[item].volume_m3 * units for item, units in aboard.items())
        if kg > vehicle.payload_kg + SLACK or m3 > vehicle.volume_m3 + SLACK:
            book.bad.append(Violation(4, where, f"超载 / {kg:.1f} kg, {m3:.2f} m3 aboard is over capacity"))
    if any(aboard.values()):
        book.bad.append(Violation(4, where, "收车时仍有货 / ends with goods aboard"))


def _visit(world: _World, vehicle: VehicleType, visit: Visit, where: str, book: _Book) -> None:
    """Rules 1 and 4 at one stop: how long it takes, opening time, lanes."""
    kg = sum(world.items[item].weight_kg * units for item, units in visit.goods.items())
    node = world.places[world.number[visit.node]]
    if isinstance(node, Source):
        least = service_min(node.load_fixed_min, kg, node.load_kg_per_min)
    else:
        least = service_min(node.unload_fixed_min, kg, node.unload_kg_per_min)
        if vehicle.size > node.max_size:
            book.bad.append(Violation(4, where, "车太大 / the vehicle is too large for the lanes"))
        if visit.start < node.opens_min:
            book.bad.append(Violation(1, where, "开放前卸货 / unloads before the point opens"))
    if visit.start < visit.arrive or visit.end < visit.start + least:
        book.bad.append(
            Violation(1, where, f"至少需 {least} 分钟，且不早于到达 / takes {least} min from arrival on")
        )


def _minutes(world: _World, vehicle: VehicleType, here: str, there: str) -> int | None:
    """Whole minutes from place to place for a vehicle; None where there is no way or it is closed."""
    scenario = world.scenario
    if here == there:
        return 0
    if (here, there) in scenario.closures:
        return None
    i, j = world.number[here], world.number[there]
    if scenario.travel.minutes is not None:
        base = scenario.travel.minutes[i][j]
        if base is None:
            return None
    else:
        a, b = world.places[i], world.places[j]
        lon_a, lat_a, lon_b, lat_b = (radians(x) for x in (a.lon, a.lat, b.lon, b.lat))
        h = sin((lat_b - lat_a) / 2) ** 2 + cos(lat_a) * cos(lat_b) * sin((lon_b - lon_a) / 2) ** 2
        km = 2 * 6371.0088 * asin(sqrt(h)) * scenario.travel.circuity
        base = km / scenario.travel.speed_kmh * 60
    return max(1, ceil(base / vehicle.speed_factor - 1e-9))


def _days(world: _World, book: _Book) -> None:
    """Rule 3: a vehicle's trips in order, from its start on."""
    for name, trips in book.days.items():
        vehicle, number = world.vehicle(name)
        if vehicle is None:
            continue
        here, free = vehicle.start, vehicle.from_min(number)
        for trip, fixed in sorted(trips, key=lambda row: row[0].visits[0].start):
            first = trip.visits[0]
            leg = _minutes(world, vehicle, here, first.node)
            if not fixed and leg is None:
                book.bad.append(Violation(4, name, f"{here}→{first.node} 不通 / the way is closed", name))
            elif not fixed and leg is not None and first.arrive < max(free, world.scenario.now_min) + leg:
                book.bad.append(
                    Violation(
                        3,
                        name,
                        f"{first.arrive} 到不了 {first.node} / cannot be there at {first.arrive}",
                        name,
                    )
                )
            here, free = trip.visits[-1].node, trip.visits[-1].end


def _berths(scenario: Scenario, book: _Book) -> None:
    """Rule 2: never more vehicles at a place than manned docks or bays, unless all have begun before now."""
    berths = {source.id: source.docks for source in scenario.sources}
    berths |= {point.id: point.bays for point in scenario.points}
    for node, spans in book.spans.items():
        for minute in sorted({start for start, *_ in spans} | {begin for begin, _ in berths[node]}):
            there = [span for span in spans if span[0] <= minute < span[1]]
            ours = [(start, vehicle) for start, _, fixed, vehicle in there if not fixed]
            if len(there) > _crews(berths[node], minute) and ours:
                problem = f"{minute} 分时车位不足 / more vehicles than berths at minute {minute}"
                book.bad.append(Violation(2, node, problem, max(ours)[1]))
                break


def _crews(steps: Steps, minute: int) -> int:
    return next((number for begin, number in reversed(steps) if begin <= minute), 0)


def _stock(scenario: Scenario, book: _Book) -> None:
    """Rule 5: never more loaded by a minute than had become available."""
    supply = {(row.source, row.item): row for row in scenario.supply}
    for (source, item), loads in book.taken.items():
        used = 0
        for minute, fixed, units, vehicle in sorted(loads, key=lambda load: (load[0], not load[1])):
            used += units
            there = _available(supply.get((source, item)), minute)
            if used > there and not fixed:
                book.bad.append(
                    Violation(
                        5,
                        source,
                        f"{minute} 分已装 {used} {item}，仅有 {there} / {used} loaded, {there} available",
                        vehicle,
                    )
                )
                break


def _available(row: Supply | None, minute: int) -> int:
    if row is None or minute < row.available_min:
        return 0
    if row.rate_per_hour is None:
        return row.quantity
    return min(row.quantity, floor(row.rate_per_hour * (minute - row.available_min) / 60 + 1e-9))
