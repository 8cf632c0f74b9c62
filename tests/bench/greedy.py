"""The floor of the bench: a plain greedy, and nothing clever.

Vehicles are asked in the order in which they become free. Each takes the trip, from one source to one point,
with the most weight per minute: kg aboard times the point's weight, over the minutes from now to its end,
waiting at dock and bay included. A load is filled with what the point was promised outside its kit, then
with basic relief (tier 1) for as many people as fit, then with tier 2. No looking ahead, no taking back.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from math import ceil, floor, isqrt

import numpy as np
from chubei_allocation.planner import Claims, Plan, Scenario, SolverReport, Trip, Visit, judge
from chubei_allocation.planner.scenario import Need, Point, Source, Supply
from numpy.typing import NDArray

from .timetable import FAR, Berths, ways

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]
IDLE_MIN = 20  # a vehicle that finds nothing to do asks again so much later
NEAREST_SOURCES, NEAREST_POINTS = 20, 200
"""How far a vehicle looks from where it stands; in a district that is everywhere."""


def greedy_plan(scenario: Scenario) -> Plan:
    """A plan that obeys every rule. Its bound is the trivial one."""
    trips = _Greedy(scenario).run()
    found = judge(scenario, trips).figures
    utility = round(found.utility, 6)
    claims = Claims(found.supported, found.settled, utility, round(found.mean_wait_min, 3), 1.0)
    report = SolverReport("feasible", 0, utility, 1.0, 1 - utility, "greedy, most weight per minute", 0.0)
    return Plan(scenario.name, trips, claims, report)


@dataclass(frozen=True, eq=False)
class _Needs:
    """The needs of a point's kit in one tier, in arrays."""

    item: Indices
    per_person: Floats
    members: Indices


def _needs(point: Point, needs: list[Need], item: dict[str, int]) -> _Needs:
    return _Needs(
        np.array([item[need.item] for need in needs]),
        np.array([need.per_person for need in needs]),
        np.array([point.people if need.group is None else point.groups.get(need.group, 0) for need in needs]),
    )


class _Vehicle:
    def __init__(self, name: str, kind: int, node: int) -> None:
        self.name = name
        self.kind = kind
        self.node = node


class _Greedy:
    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self.sources, self.points = scenario.sources, scenario.points
        places: list[Source | Point] = [*self.sources, *self.points]
        self.node = {place.id: n for n, place in enumerate(places)}
        self.item = {item.id: i for i, item in enumerate(scenario.items)}
        self.kg = np.array([item.weight_kg for item in scenario.items])
        self.m3 = np.array([item.volume_m3 for item in scenario.items])
        self.pack = np.array([item.pack for item in scenario.items])
        self.horizon = scenario.deadline_min
        self.ways = {
            speed: ways(scenario, speed) for speed in {kind.speed_factor for kind in scenario.vehicles}
        }
        self.berths = [Berths(source.docks, self.horizon) for source in self.sources]
        self.berths += [Berths(point.bays, self.horizon) for point in self.points]
        self.supply: list[list[Supply]] = [[] for _ in self.sources]
        for row in scenario.supply:
            self.supply[self.node[row.source]].append(row)
        self.taken = np.zeros((len(self.sources), len(self.item)), dtype=np.int64)
        self.had = np.zeros((len(self.points), len(self.item)), dtype=np.int64)
        self._read_points()
        self.doors = np.array(
            [
                (p.opens_min, p.unload_fixed_min, p.unload_kg_per_min, p.weight, p.max_size)
                for p in self.points
            ]
        ).reshape(-1, 5)
        self.trips: list[Trip] = []

    def _read_points(self) -> None:
        """What every point lacks, kg by item, and its needs by tier."""
        kits = {kit.id: kit.needs for kit in self.scenario.kits}
        self.needs: list[list[_Needs]] = []
        self.promised: list[list[tuple[int, int, int]]] = [[] for _ in self.points]
        self.lacks_kg = np.zeros((len(self.points), len(self.item)))
        for p, point in enumerate(self.points):
            for name, units in point.on_hand.items():
                self.had[p, self.item[name]] = units
            rows = [[need for need in kits[point.kit] if need.tier == t] if point.kit else [] for t in (1, 2)]
            self.needs.append([_needs(point, needs, self.item) for needs in rows if needs])
        for demand in self.scenario.demands:
            p = self.node[demand.point] - len(self.sources)
            self.promised[p].append((self.item[demand.item], demand.units, demand.by_min))
        for p in range(len(self.points)):
            self._count_lacking(p)

    def _count_lacking(self, p: int) -> None:
        units = np.zeros(len(self.item), dtype=np.int64)
        for tier in self.needs[p]:
            units[tier.item] = np.ceil(tier.members * tier.per_person - 1e-9)
        for i, count, _ in self.promised[p]:
            units[i] = count
        self.lacks_kg[p] = np.maximum(0, -(-(units - self.had[p]) // self.pack) * self.pack) * self.kg

    def run(self) -> tuple[Trip, ...]:
        fleet = self._fleet()
        queue = [(free, number) for number, (_, free) in enumerate(fleet)]
        heapq.heapify(queue)
        while queue:
            free, number = heapq.heappop(queue)
            if free >= self.horizon:
                break
            vehicle = fleet[number][0]
            trip = self._best(vehicle, free)
            if trip is None:
                heapq.heappush(queue, (free + IDLE_MIN, number))
                continue
            self._book(trip)
            vehicle.node = self.node[trip.visits[-1].node]
            heapq.heappush(queue, (trip.visits[-1].end, number))
        return tuple(self.trips)

    def _fleet(self) -> list[tuple[_Vehicle, int]]:
        """The vehicles and when they are free; what has begun is booked."""
        for trip in self.scenario.committed:
            self._book(trip)
        last = {trip.vehicle: trip for trip in sorted(self.trips, key=lambda trip: trip.visits[0].start)}
        fleet = []
        for k, kind in enumerate(self.scenario.vehicles):
            for number in range(1, kind.count + 1):
                name = f"{kind.type}#{number}"
                if number in kind.lost:
                    continue
                node, free = kind.start, kind.available_min
                if name in last:
                    node, free = last[name].visits[-1].node, last[name].visits[-1].end
                fleet.append((_Vehicle(name, k, self.node[node]), max(free, self.scenario.now_min)))
        return fleet

    def _book(self, trip: Trip) -> None:
        self.trips.append(trip)
        for visit in trip.visits:
            n = self.node[visit.node]
            self.berths[n].take(visit.start, visit.end)
            for item, units in visit.goods.items():
                if visit.loads:
                    self.taken[n, self.item[item]] += units
                else:
                    self.had[n - len(self.sources), self.item[item]] += units
            if not visit.loads:
                self._count_lacking(n - len(self.sources))

    def _best(self, vehicle: _Vehicle, free: int) -> Trip | None:
        """The trip with the most weight per minute, found best first by what each could reach at most."""
        starts = self._load_starts(vehicle, free)
        stock = [self._stock(s, start) for s, start in starts]
        if not starts:
            return None
        way = self.ways[self.scenario.vehicles[vehicle.kind].speed_factor][vehicle.node, len(self.sources) :]
        near = np.sort(np.argsort(way, kind="stable")[:NEAREST_POINTS])
        most = self._at_most(vehicle, free, starts, stock, near)
        best, found = 0.0, None
        for flat in np.argsort(-most, axis=None, kind="stable"):
            row, column = divmod(int(flat), len(near))
            if most[row, column] <= best:
                break
            p = int(near[column])
            trip = self._trip(vehicle, starts[row], stock[row], p)
            if trip is None:
                continue
            kg = sum(self.kg[self.item[item]] * units for item, units in trip.visits[0].goods.items())
            rate = self.points[p].weight * kg / (trip.visits[-1].end - free)
            if rate > best:
                best, found = rate, trip
        return found

    def _load_starts(self, vehicle: _Vehicle, free: int) -> list[tuple[int, int]]:
        """(source, first minute at which a dock can be had there) for the nearest sources."""
        way = self.ways[self.scenario.vehicles[vehicle.kind].speed_factor][vehicle.node, : len(self.sources)]
        starts = []
        for s in np.argsort(way, kind="stable")[:NEAREST_SOURCES].tolist():
            arrive = free + int(way[s])
            if arrive < self.horizon:
                start = self.berths[s].earliest(arrive, self.sources[s].load_fixed_min + 1)
                if start is not None:
                    starts.append((s, start))
        return starts

    def _stock(self, s: int, minute: int) -> list[int]:
        """Units of each item that a load at this minute may take, whatever has been planned for later."""
        left = [0] * len(self.item)
        for row in self.supply[s]:
            if minute >= row.available_min:
                there, i = row.quantity, self.item[row.item]
                if row.rate_per_hour is not None:
                    made = floor(row.rate_per_hour * (minute - row.available_min) / 60 + 1e-9)
                    there = min(there, made)
                left[i] = max(0, there - int(self.taken[s, i]))
        return left

    def _at_most(
        self,
        vehicle: _Vehicle,
        free: int,
        starts: list[tuple[int, int]],
        stock: list[list[int]],
        near: Indices,
    ) -> Floats:
        """Weight per minute that a trip can reach at most, shape (starts, near points); 0: no trip in time."""
        kind = self.scenario.vehicles[vehicle.kind]
        rows = [s for s, _ in starts]
        there_kg = np.array(stock) * self.kg
        kg = np.minimum(there_kg[:, None, :], self.lacks_kg[None, near, :]).sum(axis=2)
        kg = np.minimum(kg, kind.payload_kg)
        loaded = np.array([start + self.sources[s].load_fixed_min for s, start in starts])
        pace = np.array([self.sources[s].load_kg_per_min for s, _ in starts])
        way = self.ways[kind.speed_factor][np.ix_(np.array(rows), near + len(self.sources))]
        arrive = loaded[:, None] + kg / pace[:, None] + way
        opens, fixed, rate, weight, max_size = self.doors[near].T
        soonest = np.maximum(arrive.min(axis=0), opens)
        bays = [self.berths[len(self.sources) + p] for p in near.tolist()]
        free_bay = [bay.earliest(int(minute), 1) for bay, minute in zip(bays, soonest, strict=True)]
        door = np.array([self.horizon if minute is None else minute for minute in free_bay])
        end = np.maximum(arrive, door) + fixed + kg / rate
        possible = (end <= self.horizon) & (kind.size <= max_size)
        return np.where(possible, weight * kg / np.maximum(end - free, 1.0), 0.0)

    def _trip(self, vehicle: _Vehicle, start: tuple[int, int], stock: list[int], p: int) -> Trip | None:
        """The trip with the load that fits, at its earliest; None if nothing comes of it in time."""
        kind, source, point = self.scenario.vehicles[vehicle.kind], self.sources[start[0]], self.points[p]
        way = self.ways[kind.speed_factor]
        goods = self._fill(p, stock, kind.payload_kg, kind.volume_m3, start[1])
        if not goods:
            return None
        kg = sum(self.kg[i] * units for i, units in goods.items())
        loading = source.load_fixed_min + ceil(kg / source.load_kg_per_min - 1e-9)
        begin = self.berths[start[0]].earliest(start[1], loading)
        unloading = point.unload_fixed_min + ceil(kg / point.unload_kg_per_min - 1e-9)
        if begin is None or (leg := int(way[start[0], len(self.sources) + p])) >= FAR:
            return None
        arrive = begin + loading + leg
        berths = self.berths[len(self.sources) + p]
        if max(arrive, point.opens_min) >= self.horizon:
            return None
        drop = berths.earliest(max(arrive, point.opens_min), unloading)
        if drop is None or drop + unloading > self.horizon:
            return None
        units = {self.scenario.items[i].id: count for i, count in goods.items()}
        return Trip(
            vehicle.name,
            (
                Visit(source.id, start[1], begin, begin + loading, True, units),
                Visit(point.id, arrive, drop, drop + unloading, False, units),
            ),
        )

    def _fill(self, p: int, stock: list[int], room_kg: float, room_m3: float, minute: int) -> dict[int, int]:
        """Units by item: what was promised, then tier 1, then tier 2, each for as many people as fit."""
        aboard: dict[int, int] = {}
        for i, units, by_min in self.promised[p]:
            if minute < by_min:
                one = self.scenario.items[i]
                fit = floor(min(room_kg / one.weight_kg, room_m3 / one.volume_m3) + 1e-9)
                want = -(-max(0, units - int(self.had[p, i])) // one.pack) * one.pack
                if count := min(want, stock[i], fit) // one.pack * one.pack:
                    aboard[i] = count
                    room_kg = max(0.0, room_kg - count * one.weight_kg)
                    room_m3 = max(0.0, room_m3 - count * one.volume_m3)
        held = np.array(stock)
        for tier in self.needs[p]:
            goods, kg, m3 = self._kits(p, tier, held, room_kg, room_m3)
            aboard.update(goods)
            room_kg, room_m3 = max(0.0, room_kg - kg), max(0.0, room_m3 - m3)
        return aboard

    def _kits(
        self, p: int, tier: _Needs, held: Indices, room_kg: float, room_m3: float
    ) -> tuple[dict[int, int], float, float]:
        """Units, kg and m3 that bring most of a point's people up to a tier, as far as the source goes."""
        people = max(1, self.points[p].people)
        step, low = isqrt(people), 0
        for stride in (step, 1):  # first which stretch of levels, then which level in it
            levels = np.arange(low, people + 1, stride)[: people // step + 2 * step]
            units = self._units(p, tier, held, levels)
            kg, m3 = units @ self.kg[tier.item], units @ self.m3[tier.item]
            most = int(((kg <= room_kg) & (m3 <= room_m3)).sum()) - 1  # both grow with people
            low = int(levels[most])
        goods = {int(i): int(count) for i, count in zip(tier.item, units[most], strict=True) if count}
        return goods, float(kg[most]), float(m3[most])

    def _units(self, p: int, tier: _Needs, held: Indices, levels: Indices) -> Indices:
        """Units to bring for so many people to get theirs, shape (levels, needs)."""
        served = -(-tier.members * levels[:, None] // max(1, self.points[p].people))
        lacking = np.ceil(served * tier.per_person - 1e-9).astype(np.int64) - self.had[p, tier.item]
        pack = self.pack[tier.item]
        packs = np.maximum(np.minimum(-(-lacking // pack), held[tier.item] // pack), 0)
        units: Indices = packs * pack
        return units
