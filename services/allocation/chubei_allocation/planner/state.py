"""The plan under construction: which berths are taken when, what is left where, what each want still lacks.

Trips can be put in and taken out again in any order; everything here follows at once.
"""

from __future__ import annotations

import bisect
import math
from dataclasses import dataclass

import numpy as np

from .model import FAR, IntArray, Model
from .scenario import Supply, Trip, Visit
from .score import Scorer, Served
from .wants import Ladder, truck_share


@dataclass(frozen=True, eq=False)
class Halt:
    """A visit in arrays. `wants` are the drops at a point as (want, goods); empty at a source."""

    node: int
    arrive: int
    start: int
    end: int
    goods: IntArray
    wants: tuple[tuple[int, IntArray], ...] = ()


@dataclass(frozen=True)
class Gap:
    """Vehicle v stands at `node` from `free` on, and must load at `next_node` (-1: nowhere) at `until`."""

    vehicle: int
    node: int
    free: int
    next_node: int
    until: int


@dataclass(frozen=True, eq=False)
class Run:
    """A trip in arrays, of vehicle number `vehicle`."""

    vehicle: int
    stops: tuple[Halt, ...]

    @property
    def start(self) -> int:
        return self.stops[0].start

    @property
    def end(self) -> int:
        return self.stops[-1].end


class Berths:
    """The docks of a source or the bays of a point, minute by minute, as a bit mask of free minutes."""

    def __init__(self, steps: tuple[tuple[int, int], ...], horizon: int) -> None:
        self._room = [0] * (horizon + 1)
        for (begin, number), finish in zip(steps, [*(m for m, _ in steps[1:]), horizon + 1], strict=True):
            for minute in range(min(begin, horizon + 1), min(finish, horizon + 1)):
                self._room[minute] = number
        self._there = [0] * (horizon + 1)
        self._free = sum(1 << minute for minute, room in enumerate(self._room) if room > 0)

    def earliest(self, minute: int, duration: int) -> int | None:
        """The first start at `minute` or later with a berth free for the whole duration."""
        run = self._free >> minute
        width = 1
        while width < duration:
            shift = min(width, duration - width)
            run &= run >> shift
            width += shift
        return minute + (run & -run).bit_length() - 1 if run else None

    def book(self, start: int, end: int, vehicles: int = 1) -> None:
        """Take a berth for [start, end), or give it back with vehicles=-1."""
        for minute in range(start, min(end, len(self._there))):
            self._there[minute] += vehicles
            if self._there[minute] < self._room[minute]:
                self._free |= 1 << minute
            else:
                self._free &= ~(1 << minute)

    def minutes_free(self, start: int, end: int) -> float:
        """Berth-minutes not taken in [start, end)."""
        room, there = self._room[max(0, start) : max(0, end)], self._there[max(0, start) : max(0, end)]
        return float(sum(max(0, berths - taken) for berths, taken in zip(room, there, strict=True)))


class Stock:
    """What is left of each item at a source if loaded at each minute, after all loads planned so far.

    left[k, t] is the most that a load starting at t may take of the k-th item held here without leaving any
    later load short: the least, from t on, of what has become available less what has been taken.
    """

    def __init__(self, rows: list[Supply], model: Model) -> None:
        self.items = np.array([model.item_index[row.item] for row in rows], dtype=np.int64)
        horizon = model.deadline_min + 1
        self._room = np.zeros((len(rows), horizon), dtype=np.int64)
        minutes = np.arange(horizon)
        for k, row in enumerate(rows):
            since = minutes - row.available_min
            if row.rate_per_hour is None:
                self._room[k] = np.where(since >= 0, row.quantity, 0)
            else:
                made = np.floor(row.rate_per_hour * since / 60 + 1e-9)
                self._room[k] = np.where(since >= 0, np.minimum(row.quantity, made), 0)
        self.left = self._least_ahead()
        self.steps = sorted({row.available_min for row in rows})

    def _least_ahead(self) -> IntArray:
        return np.minimum.accumulate(self._room[:, ::-1], axis=1)[:, ::-1].copy()

    def take(self, minute: int, goods: IntArray) -> None:
        """Load goods (over all items) at a minute; negative goods are put back."""
        mine = goods[self.items]
        if (mine >= 0).all():
            self._room[:, minute:] -= mine[:, None]
            self.left[:, minute:] -= mine[:, None]
            np.minimum(self.left[:, :minute], self.left[:, minute, None], out=self.left[:, :minute])
        else:
            self._room[:, minute:] -= mine[:, None]
            self.left = self._least_ahead()

    def at(self, minute: int, pack: IntArray) -> IntArray:
        """Units that a load at this minute may take, in whole packs, over all items."""
        units = np.zeros(len(pack), dtype=np.int64)
        packs = pack[self.items]
        units[self.items] = np.maximum(self.left[:, minute], 0) // packs * packs
        return units

    def most_by(self, minute: int) -> IntArray:
        """The most units of each held item that loads up to a minute can have taken, shape (held,)."""
        if minute < 0:
            return np.zeros(len(self.items), dtype=np.int64)
        most: IntArray = self._room[:, : minute + 1].max(axis=1, initial=0)
        return most

    def first_minute(self, i: int) -> int | None:
        """The first minute at which a unit of item i can be loaded here."""
        there = np.flatnonzero(self._room[self.items == i].max(axis=0, initial=0) > 0)
        return int(there[0]) if len(there) else None

    def earliest(self, goods: IntArray) -> int | None:
        """The first minute from which a load of these goods leaves nobody short."""
        minute = 0
        for k, i in enumerate(self.items):
            if goods[i]:
                minute = max(minute, int(np.searchsorted(self.left[k], goods[i])))
        return minute if minute < self.left.shape[1] else None


class State:
    """A plan under construction for `model`, filled stage by stage along a ladder."""

    def __init__(self, model: Model, ladder: Ladder, scorer: Scorer) -> None:
        self.model = model
        self.scorer = scorer
        horizon = model.deadline_min
        self.berths = [Berths(node.berths, horizon) for node in model.nodes]
        rows: list[list[Supply]] = [[] for _ in range(model.source_count)]
        for row in model.scenario.supply:
            rows[model.node_index[row.source]].append(row)
        self.stock = [Stock(held, model) for held in rows]
        self._share = truck_share(model)
        self.had = np.zeros((len(model.wants), len(model.kg)), dtype=np.int64)
        self._begun: list[list[tuple[int, list[tuple[int, int]]]]] = [[] for _ in model.wants]
        self._arrivals: list[list[tuple[int, list[tuple[int, int]]]]] = [[] for _ in model.wants]
        self.runs: list[list[Run]] = [[] for _ in model.vehicles]
        for r, want in enumerate(model.wants):
            self.had[r] = model.goods(dict(want.point.on_hand))
        for trip in model.scenario.committed:
            for visit in trip.visits:
                self._begin(visit)
        self._served: list[Served | None] = [None] * len(model.wants)
        self.climb(ladder)
        self._reckon(range(len(model.wants)))

    def _begin(self, visit: Visit) -> None:
        """Count a committed visit: it occupies, takes and brings, whatever the rules say."""
        node = self.model.node_index[visit.node]
        goods = self.model.goods(dict(visit.goods))
        self.berths[node].book(visit.start, visit.end)
        if visit.loads:
            if visit.start <= self.model.deadline_min:
                self.stock[node].take(visit.start, goods)
            return
        for r, want in enumerate(self.model.wants):
            if want.node == node and visit.end <= want.latest_min:
                self.had[r] += goods
                self._begun[r].append((visit.end, _sparse(goods)))

    def climb(self, ladder: Ladder) -> None:
        """Fill along another ladder from now on."""
        self.ladder = ladder
        self.short = np.zeros(ladder.need.shape, dtype=np.float64)
        self.lack = np.zeros(ladder.need.shape[:2], dtype=np.float64)
        self.stage = np.zeros(len(ladder.need), dtype=np.int64)
        for r in range(len(ladder.need)):
            self._measure(r)

    def _measure(self, r: int) -> None:
        """What want r lacks of each stage, in whole packs, and the last stage it has whole."""
        pack = self.model.pack
        self.short[r] = -(-np.maximum(self.ladder.need[r] - self.had[r], 0) // pack) * pack
        self.lack[r] = self.short[r] @ self._share
        self.stage[r] = max(0, int((self.lack[r] == 0).cumprod().sum()) - 1)

    def gaps(self, v: int) -> list[Gap]:
        """When vehicle v has nothing to do, in order; the last gap is open-ended."""
        vehicle = self.model.vehicles[v]
        node, free = vehicle.node, vehicle.free_min
        gaps = []
        for run in self.runs[v]:
            gaps.append(Gap(v, node, free, run.stops[0].node, run.start))
            node, free = run.stops[-1].node, run.end
        return [*gaps, Gap(v, node, free, -1, FAR)]

    def all_gaps(self) -> list[Gap]:
        return [gap for v in range(len(self.runs)) for gap in self.gaps(v)]

    def add(self, run: Run) -> None:
        """Put a trip into its vehicle's day."""
        bisect.insort(self.runs[run.vehicle], run, key=lambda other: other.start)
        self._apply(run, 1)

    def remove(self, run: Run) -> None:
        """Take a trip out again."""
        self.runs[run.vehicle].remove(run)
        self._apply(run, -1)

    def _apply(self, run: Run, sign: int) -> None:
        touched = set()
        for stop in run.stops:
            self.berths[stop.node].book(stop.start, stop.end, sign)
            if stop.node < self.model.source_count:
                self.stock[stop.node].take(stop.start, sign * stop.goods)
            for r, goods in stop.wants:
                self.had[r] += sign * goods
                arrival = (stop.end, _sparse(goods))
                if sign > 0:
                    self._arrivals[r].append(arrival)
                else:
                    self._arrivals[r].remove(arrival)
                touched.add(r)
        for r in sorted(touched):
            self._measure(r)
        self._reckon(sorted(touched))

    def _reckon(self, wants: list[int] | range) -> None:
        for r in wants:
            arrivals = sorted(self._begun[r] + self._arrivals[r], key=lambda arrival: arrival[0])
            self._served[r] = self.scorer.served(r, arrivals)

    def served(self) -> list[Served]:
        return [row for row in self._served if row is not None]

    @property
    def utility(self) -> float:
        total = self.model.total_worth
        return math.fsum(row.worth for row in self.served()) / total if total else 1.0

    @property
    def mean_wait_min(self) -> float:
        weight = sum(want.worth for want in self.model.wants if want.people)
        return math.fsum(row.waited for row in self.served()) / weight if weight else 0.0

    def trips(self) -> tuple[Trip, ...]:
        """All trips of the plan, the committed ones first, as they were."""
        new = []
        for v, runs in enumerate(self.runs):
            minutes = self.model.minutes(self.model.vehicles[v].speed_factor)
            for gap, run in zip(self.gaps(v), runs, strict=False):
                new.append(self._trip(run, gap.free + int(minutes[gap.node, run.stops[0].node])))
        new.sort(key=lambda trip: (trip.visits[0].start, trip.vehicle))
        return (*self.model.scenario.committed, *new)

    def _trip(self, run: Run, first_arrive: int) -> Trip:
        ids = [item.id for item in self.model.scenario.items]
        visits = tuple(
            Visit(
                node=self.model.nodes[stop.node].id,
                arrive=stop.arrive if n else first_arrive,
                start=stop.start,
                end=stop.end,
                loads=stop.node < self.model.source_count,
                goods={ids[i]: units for i, units in _sparse(stop.goods)},
            )
            for n, stop in enumerate(run.stops)
        )
        return Trip(self.model.vehicles[run.vehicle].name, visits)


def _sparse(goods: IntArray) -> list[tuple[int, int]]:
    return [(i, units) for i, units in enumerate(goods.tolist()) if units]


def schedule(
    state: State,
    gap: Gap,
    loads: list[tuple[int, IntArray]],
    drops: list[tuple[int, IntArray]],
    not_before: int = 0,
) -> Run | None:
    """Time the stops of a trip in a gap as early as berths, stock and opening times allow.

    loads: (source node, goods) in order; drops: (want, goods) in order. None if it cannot be done in time.
    """
    model = state.model
    minutes = model.minutes(model.vehicles[gap.vehicle].speed_factor)
    here, t = gap.node, gap.free
    stops: list[Halt] = []
    for node, goods, wants in (*((n, g, ()) for n, g in loads), *_by_node(model, drops)):
        leg = int(minutes[here, node])
        ready = (
            state.stock[node].earliest(goods) if node < model.source_count else model.nodes[node].opens_min
        )
        if leg >= FAR or ready is None:
            return None
        arrive = t + leg
        duration = service_min(model, node, float(goods @ model.kg))
        start = state.berths[node].earliest(max(arrive, ready, not_before if not stops else 0), duration)
        if start is None or start + duration > model.deadline_min:
            return None
        here, t = node, start + duration
        stops.append(Halt(node, arrive, start, t, goods, wants))
    if gap.next_node >= 0 and t + int(minutes[here, gap.next_node]) > gap.until:
        return None
    return Run(gap.vehicle, tuple(stops))


def service_min(model: Model, node: int, kg: float) -> int:
    """Minutes to load or unload so many kg at a node, at least one."""
    place = model.nodes[node]
    return max(1, place.fixed_min + math.ceil(kg / place.kg_per_min - 1e-9 + 1e-11))


def _by_node(
    model: Model, drops: list[tuple[int, IntArray]]
) -> list[tuple[int, IntArray, tuple[tuple[int, IntArray], ...]]]:
    """Drops in a row at the same node are one visit."""
    visits: list[tuple[int, IntArray, tuple[tuple[int, IntArray], ...]]] = []
    for r, goods in drops:
        node = model.wants[r].node
        if visits and visits[-1][0] == node:
            _, before, wants = visits[-1]
            visits[-1] = (node, before + goods, (*wants, (r, goods)))
        else:
            visits.append((node, goods, ((r, goods),)))
    return visits
