"""What a plan leaves undone and how it uses each berth, worked out once for all the explanations of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from math import ceil, floor

import numpy as np

from .figures import figures
from .model import FAR, IntArray, Model
from .scenario import Need, Point, Scenario, Source, Steps, Supply, Trip, Unmet, VehicleType


class Scene:
    """A scenario with the trips of a plan, and who goes without what at the deadline.

    unmet    what each place goes without
    missing  {point: people who lack anything, an absolute demand counted by what it is worth}
    blocked  {item: {point: people who would lack something by this item alone}}
    taken    {(source, item): units loaded}
    short    {item: units that all places together still ask for}
    fleet    the vehicles that can still drive, from when and where they are free of what has begun
    windows  {source: [begin, end)}, the minutes at which a load can begin there and still be of use
    """

    def __init__(self, scenario: Scenario, trips: Iterable[Trip]) -> None:
        self.scenario = scenario
        self.trips = tuple(trips)
        self.figures = figures(scenario, self.trips)
        self.had = self._had()
        self.unmet: list[Unmet] = []
        self.missing: dict[str, int] = {}
        self.blocked: dict[str, dict[str, int]] = defaultdict(dict)
        self._look_at_points()
        self.taken: dict[tuple[str, str], int] = defaultdict(int)
        for trip in self.trips:
            for visit in trip.visits:
                for item, units in visit.goods.items() if visit.loads else ():
                    self.taken[visit.node, item] += units
        self.short: dict[str, int] = defaultdict(int)
        for row in self.unmet:
            for item, units in row.short.items():
                self.short[item] += units
        fastest = max((kind.speed_factor for kind in scenario.vehicles), default=1.0)
        model = Model(scenario)
        self.fleet = model.vehicles
        self._index, self._minutes = model.node_index, model.minutes(fastest)
        self._sources = {source.id: source for source in scenario.sources}
        self.windows = {source.id: self._loads_within(source) for source in scenario.sources}

    def _had(self) -> dict[str, dict[str, int]]:
        """Units by item at each point by the deadline."""
        had = {point.id: defaultdict(int, point.on_hand) for point in self.scenario.points}
        for trip in self.trips:
            for visit in trip.visits:
                if not visit.loads and visit.end <= self.scenario.deadline_min:
                    for item, units in visit.goods.items():
                        had[visit.node][item] += units
        return {point: dict(units) for point, units in had.items()}

    def _look_at_points(self) -> None:
        kits = {kit.id: kit.needs for kit in self.scenario.kits}
        for point in self.scenario.points:
            row, missing = Unmet(point.id, 0, 0, {}), 0
            if point.people and point.kit:
                served = self.figures.points[point.id]
                missing = point.people - served.settled
                short = self._short_of(point, kits[point.kit])
                row = Unmet(point.id, point.people - served.supported, missing, short)
            for demand in self.scenario.demands:
                lacking = demand.units - self.figures.demands[demand.point, demand.item]
                if demand.point == point.id and lacking > 0:
                    row = replace(row, short={**row.short, demand.item: lacking})
                    worth = ceil(demand.worth * lacking / demand.units)
                    self.blocked[demand.item][point.id] = worth
                    missing += worth
            if row.not_supported or row.not_settled or row.short:
                self.unmet.append(row)
            if missing:
                self.missing[point.id] = missing

    def _short_of(self, point: Point, needs: Sequence[Need]) -> dict[str, int]:
        """Units by item that the whole kit still asks for; notes whom that blocks."""
        short = {}
        for need in needs:
            members = point.people if need.group is None else point.groups.get(need.group, 0)
            units = self.had[point.id].get(need.item, 0)
            lacking = ceil(members * need.per_person - 1e-9) - units
            if lacking > 0:
                short[need.item] = lacking
                self.blocked[need.item][point.id] = members - floor(units / need.per_person + 1e-9)
        return short

    def minutes(self, here: str, there: str) -> int:
        """Minutes of the fastest vehicle from node to node; FAR where no way is open."""
        return int(self._minutes[self._index[here], self._index[there]])

    def way_to_sources(self, node: int) -> int:
        """Minutes of the fastest vehicle from a node, by its number, to the nearest source; FAR if there is none."""
        return int(self._minutes[node, : len(self.scenario.sources)].min(initial=FAR))

    def sources_in_reach(self) -> list[str]:
        """Sources that some vehicle can get to by open ways, whatever it passes; all where there is no vehicle."""
        reached = np.zeros(len(self._minutes), dtype=bool)
        reached[[vehicle.node for vehicle in self.fleet]] = True
        for _ in reached:  # no way passes more places than there are
            further = reached | (self._minutes[reached] < FAR).any(axis=0)
            if (further == reached).all():
                break
            reached = further
        return [name for name in self._sources if reached[self._index[name]] or not self.fleet]

    def stuck(self) -> dict[str, str]:
        """{vehicle: where its last trip ended}, of those that no open way leads back to any source from there."""
        last = {
            trip.vehicle: trip.visits[-1].node
            for trip in sorted(self.trips, key=lambda trip: trip.visits[0].start)
        }
        return {name: node for name, node in last.items() if self.way_to_sources(self._index[node]) >= FAR}

    def _loads_within(self, source: Source) -> tuple[int, int]:
        """[begin, end): minutes at which a load can begin at a source and still be handed over in time."""
        rows = [row.available_min for row in self.scenario.supply if row.source == source.id]
        begin = max(self._reached_min(source), min(rows, default=FAR))
        way = min(
            (self.minutes(source.id, p.id) + p.unload_fixed_min for p in self.scenario.points), default=FAR
        )
        return begin, self.scenario.deadline_min - way - source.load_fixed_min

    def _reached_min(self, source: Source) -> int:
        """When the first vehicle of the fleet can be at a source."""
        there = [kind.available_min + self.minutes(kind.start, source.id) for kind in self.scenario.vehicles]
        return max(self.scenario.now_min, min(there, default=FAR))

    def in_time(self, row: Supply) -> int:
        """Units that are there early enough to be of use.

        Where it is the way that takes too long, whatever the goods, all that are there by the deadline.
        """
        source = self._sources[row.source]
        end = self.windows[row.source][1]
        return self.available(row, end if end > self._reached_min(source) else self.scenario.deadline_min)

    def unloads_within(self, point: Point) -> tuple[int, int]:
        """[begin, end): minutes at which a delivery can begin at a point and still be in time."""
        first = min(
            (
                self.windows[source.id][0] + source.load_fixed_min + self.minutes(source.id, point.id)
                for source in self.scenario.sources
            ),
            default=FAR,
        )
        return max(point.opens_min, first), self.scenario.deadline_min - point.unload_fixed_min

    def spent(self, kind: VehicleType) -> int:
        """How many vehicles of a type have no time left for a trip to anybody who goes without.

        None, where even a vehicle that has done nothing yet would come too late: more of them are no remedy.
        """
        last = {
            trip.vehicle: (trip.visits[-1].end, trip.visits[-1].node)
            for trip in sorted(self.trips, key=lambda trip: trip.visits[0].start)
        }
        fresh = (kind.available_min, kind.start)
        trip = self._shortest_trips(kind)

        def too_late(free_min: int, here: str) -> bool:
            way = int((self._minutes[self._index[here], : len(trip)] + trip).min(initial=FAR))
            return max(free_min, self.scenario.now_min) + way > self.scenario.deadline_min

        if too_late(*fresh):
            return 0
        running = [n for n in range(1, kind.count + 1) if n not in kind.lost]
        return sum(too_late(*last.get(f"{kind.type}#{n}", (kind.from_min(n), kind.start))) for n in running)

    def _shortest_trips(self, kind: VehicleType) -> IntArray:
        """Minutes from the start of a load at each source until somebody who goes without has it, (sources,)."""
        count = len(self.scenario.sources)
        load = np.array([source.load_fixed_min for source in self.scenario.sources], dtype=np.int64)
        lacking = [p for p in self.scenario.points if p.id in self.missing and kind.size <= p.max_size]
        at = [self._index[point.id] for point in lacking]
        unload = np.array([point.unload_fixed_min for point in lacking], dtype=np.int64)
        trips: IntArray = load + (self._minutes[:count][:, at] + unload).min(axis=1, initial=FAR)
        return trips

    def available(self, row: Supply, minute: int) -> int:
        """Units of a row of supply that have become available by a minute."""
        if minute < row.available_min:
            return 0
        if row.rate_per_hour is None:
            return row.quantity
        return min(row.quantity, floor(row.rate_per_hour * (minute - row.available_min) / 60 + 1e-9))

    def goes_without(self, points: Iterable[str]) -> dict[str, int]:
        """Of these points, those with people who lack something, the most first."""
        rows = [(point, self.missing[point]) for point in set(points) if point in self.missing]
        return most_first(dict(rows))

    def waiting_at_desks(self) -> dict[str, int]:
        """{point: people for whom all goods of a tier are there at the deadline, and who had no turn yet}."""
        points = tuple(replace(point, hand_out_per_hour=None) for point in self.scenario.points)
        at_once = figures(replace(self.scenario, points=points), self.trips).points
        waiting = {}
        for point, served in self.figures.points.items():
            more = max(at_once[point].supported - served.supported, at_once[point].settled - served.settled)
            if more > 0:
                waiting[point] = more
        return most_first(waiting)

    def goods_left(self, source: Source) -> bool:
        """Whether a source still has a pack that somebody lacks and that could be there in time."""
        packs = {item.id: item.pack for item in self.scenario.items}
        return any(
            self.in_time(row) - self.taken[source.id, row.item] >= packs[row.item]
            for row in self.scenario.supply
            if row.source == source.id and self.short.get(row.item)
        )

    def served_from(self, source: str) -> set[str]:
        """Points that get anything from a source."""
        return {
            visit.node
            for trip in self.trips
            if any(stop.loads and stop.node == source for stop in trip.visits)
            for visit in trip.visits
            if not visit.loads
        }


def most_first(points: dict[str, int]) -> dict[str, int]:
    """{point: people}, the most people first."""
    return dict(sorted(points.items(), key=lambda row: (-row[1], row[0])))


class Berths:
    """How the docks of a source or the bays of a point are used, minute by minute, in [begin, end).

    manned_min, used_min  berth-minutes with a crew, and of them those in use
    queued_min            minutes that vehicles stand waiting while no manned berth is free
    """

    def __init__(self, scene: Scene, node: str, steps: Steps, begin: int, end: int) -> None:
        length = max(end, begin) + 1
        crews = np.zeros(length, dtype=np.int64)
        for since, number in steps:
            crews[since:] = number
        busy = np.zeros(length, dtype=np.int64)
        visits = [visit for trip in scene.trips for visit in trip.visits if visit.node == node]
        for visit in visits:
            busy[visit.start : visit.end] += 1
        self.visits = len(visits)
        self.first_start = min((visit.start for visit in visits), default=length)
        self._crews, self._busy = crews, busy
        self.manned_min, self.used_min = self._within(begin, end)
        full = busy >= crews
        self.queued_min = sum(int(full[v.arrive : v.start].sum()) for v in visits)

    def _within(self, begin: int, end: int) -> tuple[int, int]:
        if end <= begin:
            return 0, 0
        manned: IntArray = self._crews[begin:end]
        return int(manned.sum()), int(np.minimum(self._busy[begin:end], manned).sum())

    def share(self, begin: int, end: int) -> float:
        """The share of manned berth-minutes in [begin, end) that are in use; 0 where none is manned."""
        manned, used = self._within(begin, end)
        return used / manned if manned else 0.0
