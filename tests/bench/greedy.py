"""The floor of the bench: a plain greedy, and nothing clever.

Vehicles are asked in the order in which they become free. Each takes the trip, from one source to one point,
with the most weight per minute: kg aboard times the point's weight, over the minutes from now to its end,
waiting at dock and bay included. A load is filled with what the point was promised outside its kit, then
with basic relief (tier 1) for as many people as fit, then with tier 2. No looking ahead, no taking back.
"""

from __future__ import annotations

import heapq
from math import ceil, floor

import numpy as np
from chubei_allocation.planner import Claims, Plan, Scenario, SolverReport, Trip, Visit, judge
from chubei_allocation.planner.scenario import Point, Source
from numpy.typing import NDArray

from .timetable import FAR, Berths, ways

Floats = NDArray[np.float64]
IDLE_MIN = 20  # a vehicle that finds nothing to do asks again so much later
NEAREST_SOURCES = 40  # considered by a vehicle; in a city or less that reach is never the limit


def greedy_plan(scenario: Scenario) -> Plan:
    """A plan that obeys every rule. Its bound is the trivial one."""
    trips = _Greedy(scenario).run()
    found = judge(scenario, trips).figures
    utility = round(found.utility, 6)
    claims = Claims(found.supported, found.settled, utility, round(found.mean_wait_min, 3), 1.0)
    report = SolverReport("feasible", 0, utility, 1.0, 1 - utility, "greedy, most weight per minute", 0.0)
    return Plan(scenario.name, trips, claims, report)


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
        self.horizon = scenario.deadline_min
        self.ways = {kind.speed_factor: ways(scenario, kind.speed_factor) for kind in scenario.vehicles}
        self.berths = [Berths(source.docks, self.horizon) for source in self.sources]
        self.berths += [Berths(point.bays, self.horizon) for point in self.points]
        self.supply = {(self.node[row.source], self.item[row.item]): row for row in scenario.supply}
        self.taken = np.zeros((len(self.sources), len(self.item)), dtype=np.int64)
        self.had = np.zeros((len(self.points), len(self.item)), dtype=np.int64)
        self._read_points()
        self.trips: list[Trip] = []

    def _read_points(self) -> None:
        """What every point lacks, kg by item, and its needs as (item, per person, members) by tier."""
        kits = {kit.id: kit.needs for kit in self.scenario.kits}
        self.needs: list[list[list[tuple[int, float, int]]]] = []
        self.promised: list[list[tuple[int, int, int]]] = [[] for _ in self.points]
        self.lacks_kg = np.zeros((len(self.points), len(self.item)))
        for p, point in enumerate(self.points):
            for name, units in point.on_hand.items():
                self.had[p, self.item[name]] = units
            rows: list[list[tuple[int, float, int]]] = [[], []]
            for need in kits[point.kit] if point.kit else ():
                members = point.people if need.group is None else point.groups.get(need.group, 0)
                rows[need.tier - 1].append((self.item[need.item], need.per_person, members))
            self.needs.append(rows)
        for demand in self.scenario.demands:
            p = self.node[demand.point] - len(self.sources)
            self.promised[p].append((self.item[demand.item], demand.units, demand.by_min))
        for p in range(len(self.points)):
            self._count_lacking(p)

    def _count_lacking(self, p: int) -> None:
        self.lacks_kg[p] = 0.0
        wanted = [(i, ceil(members * each - 1e-9)) for tier in self.needs[p] for i, each, members in tier]
        for i, units in wanted + [(i, units) for i, units, _ in self.promised[p]]:
            pack = self.scenario.items[i].pack
            self.lacks_kg[p, i] = max(0, -(-(units - int(self.had[p, i])) // pack) * pack) * self.kg[i]

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
        most = self._at_most(vehicle, free, starts, stock)
        best, found = 0.0, None
        for flat in np.argsort(-most, axis=None, kind="stable"):
            row, p = divmod(int(flat), len(self.points))
            if most[row, p] <= best:
                break
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
        for i in range(len(self.item)):
            row = self.supply.get((s, i))
            if row is None or minute < row.available_min:
                continue
            there = row.quantity
            if row.rate_per_hour is not None:
                there = min(there, floor(row.rate_per_hour * (minute - row.available_min) / 60 + 1e-9))
            left[i] = max(0, there - int(self.taken[s, i]))
        return left

    def _at_most(
        self, vehicle: _Vehicle, free: int, starts: list[tuple[int, int]], stock: list[list[int]]
    ) -> Floats:
        """Weight per minute that a trip can reach at most, shape (starts, points); 0 where there is none."""
        kind = self.scenario.vehicles[vehicle.kind]
        rows = [s for s, _ in starts]
        there_kg = np.array(stock) * self.kg
        kg = np.minimum(there_kg[:, None, :], self.lacks_kg[None, :, :]).sum(axis=2)
        kg = np.minimum(kg, kind.payload_kg)
        ready = np.array([start + self.sources[s].load_fixed_min for s, start in starts])
        rate = np.array([self.sources[s].load_kg_per_min for s, _ in starts])
        arrive = ready[:, None] + kg / rate[:, None]
        arrive = arrive + self.ways[kind.speed_factor][rows, len(self.sources) :]
        opens = np.array([point.opens_min for point in self.points])
        fixed = np.array([point.unload_fixed_min for point in self.points])
        pace = np.array([point.unload_kg_per_min for point in self.points])
        end = np.maximum(arrive, opens) + fixed + kg / pace
        small_enough = np.array([kind.size <= point.max_size for point in self.points])
        weight = np.array([point.weight for point in self.points]) * small_enough
        return np.where(end <= self.horizon, weight * kg / np.maximum(end - free, 1.0), 0.0)

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
        for tier in self.needs[p]:
            low, high = 0, self.points[p].people
            while low < high:
                middle = (low + high + 1) // 2
                if self._fits({**aboard, **self._kits(p, tier, middle, stock)}, room_kg, room_m3):
                    low = middle
                else:
                    high = middle - 1
            aboard.update(self._kits(p, tier, low, stock))
        return aboard

    def _kits(
        self, p: int, tier: list[tuple[int, float, int]], people: int, stock: list[int]
    ) -> dict[int, int]:
        """Units to bring so many of a point's people up to a tier, as far as there are any."""
        goods = {}
        for i, per_person, members in tier:
            served = ceil(members * people / max(1, self.points[p].people))
            pack = self.scenario.items[i].pack
            lacking = ceil(served * per_person - 1e-9) - int(self.had[p, i])
            if lacking > 0 and (count := min(-(-lacking // pack), stock[i] // pack) * pack):
                goods[i] = count
        return goods

    def _fits(self, goods: dict[int, int], room_kg: float, room_m3: float) -> bool:
        kg = sum(self.scenario.items[i].weight_kg * count for i, count in goods.items())
        m3 = sum(self.scenario.items[i].volume_m3 * count for i, count in goods.items())
        return kg <= room_kg and m3 <= room_m3
