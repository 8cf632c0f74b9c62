r"""A proven upper bound on the utility of any plan, from a linear relaxation.

Model (all quantities continuous, ≥ 0; kg of new deliveries, committed trips are constants)

    x[k,s,r,i]   kg of item i brought from source s to want r by vehicles of class k; s over the few nearest
                 sources that hold i, and one column "elsewhere" with the least cost of all other sources
    n[r,τ,h]     people of want r served at tier τ, in the first and the second half (u is concave)
    f[r,g,τ]     members of group g that have their own goods up to tier τ
    d[r]         met share of an absolute demand

    max  Σ weight·people·u(n)  +  Σ worth·d
    kit      per_person · n[r,τ] ≤ had[r,i] + Σ x[·,·,r,i] / kg[i]             every need of tier ≤ τ
    groups   n[r,τ] + Σ_g (members − f[r,g,τ]) ≤ people
    desks    n[r,τ] ≤ what the desks can hand out after the earliest minute at which the goods can be there
    supply   Σ x[·,s,·,i] ≤ kg[i] · what is there at the last minute at which a load at s is of use
    time     Σ x · cost_k(s, r) ≤ vehicle-minutes of class k, by weight and by volume, each by itself
    docks    Σ x · (fixed / payload + 1 / rate) ≤ dock-minutes; bays likewise

Why no plan is better. Take any plan, and of its deliveries what serves people in time. Supply, kits, groups
and desks hold for it as they stand in the rules, without whole packs and whole people. For time, think of a
vehicle as a unit of room (payload, or volume), each piece of which is empty or holds some good at every
minute. A good that takes the share a of the room from s to r keeps it through a load (fixed_s), ways of at
least the shortest way s to r, and a delivery (fixed_r); then that piece goes empty, and is filled again only
after at least the way from r to its nearest source, save once per vehicle. Pieces are disjoint, so these
minutes, times a, add up to no more than the vehicle's minutes; the kg handled add kg / rate to every piece.
So with cost = (fixed_s + way + fixed_r + way back) / room + handling, time holds with one way back given as
credit to each vehicle. Docks and bays: a visit handles no more than the room of one vehicle, so its fixed
minutes are at least the share of the room handled, times fixed.

Tolerance. Nothing of the solver's is believed: its duals are cut to y ≥ 0, and
    bound = b·y + Σ_columns upper · max(0, c − Aᵀy)
is an upper bound for every y ≥ 0 (weak duality; every column has a finite upper limit). It is computed in
double precision, whose error a margin of 1e-9 covers, and is rounded up to six decimals.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from .model import FAR, FloatArray, IntArray, Model, Want
from .program import Program, Watch
from .scenario import TIER_WORTH
from .state import State
from .wants import Target

NEAR_SOURCES = 4  # sources of an item that a want is connected with by columns of their own
LARGE = 30_000  # columns; beyond it fewer sources are told apart


@dataclass(frozen=True)
class Bound:
    """A proven bound on utility, the targets of the relaxation, and prices of what binds (utility per unit)."""

    utility: float
    targets: tuple[Target, ...] | None
    prices: dict[tuple[str, str], float] = field(default_factory=dict)


@dataclass(frozen=True)
class _Class:
    """Vehicles alike in room, speed and size, and the minutes they have between them."""

    payload_kg: float
    volume_m3: float
    speed_factor: float
    size: float
    vehicles: int
    minutes: float
    first_min: IntArray  # by source: the earliest minute at which one of them can be there


def upper_bound(
    model: Model, empty: State, time_limit_s: float | None = None, watch: Watch | None = None
) -> Bound:
    """The bound for a model; `empty` is a state of it without any trip of ours.

    Without an answer in time the bound is 1.0, which always holds.
    """
    if not model.total_worth:
        return Bound(1.0, None)
    relaxation = _Relaxation(model, empty)
    solved = relaxation.program.solve(time_limit_s, watch or Watch())
    if solved is None:
        return Bound(1.0, None)
    x, y = solved
    exact = relaxation.program.safe_bound(y) + 1e-9
    # utility is claimed in six decimals, so it may stand up to 5e-7 above its exact value
    utility = min(1.0, math.ceil((exact + 5e-7) * 1e6) / 1e6)
    prices = {
        name: float(price)
        for name, price in zip(relaxation.program.names, y, strict=True)
        if price > 1e-12 and name[0] in ("supply", "time", "docks", "bays", "desks")
    }
    return Bound(utility, relaxation.targets(x), prices)


class _Relaxation:
    """Builds the program of the docstring above."""

    def __init__(self, model: Model, empty: State) -> None:
        self.model = model
        self.empty = empty
        self.program = Program()
        self.classes = _classes(model)
        self.held = [
            np.array([s for s in range(model.source_count) if i in empty.stock[s].items], dtype=np.int64)
            for i in range(len(model.kg))
        ]
        self._fixed = np.array([place.fixed_min for place in model.nodes], dtype=np.int64)
        self._per_kg = np.array([1 / place.kg_per_min for place in model.nodes])
        self._loaded = [[self._earliest_loaded(k, i) for i in range(len(model.kg))] for k in self.classes]
        sinks = {want.node for want in model.wants}
        self.out_min = {
            s: min(
                (self._way(k, s, r) + model.nodes[r].fixed_min for k in self.classes for r in sinks),
                default=FAR,
            )
            for s in range(model.source_count)
        }
        self.near = self._choose_near()
        self._supply_rows: dict[tuple[int, int], int] = {}
        self._item_rows: dict[int, int] = {}
        self._dock_rows: dict[tuple[int, str], int] = {}
        self._time_rows: list[tuple[int, int, float]] = []
        self._people: dict[int, list[list[int]]] = {}
        self._shared_rows()
        for r, want in enumerate(model.wants):
            if want.item >= 0:
                self._demand(r, want)
            else:
                self._kit(r, want)

    def _way(self, k: _Class, here: int, there: int) -> int:
        return int(self._ways(k.speed_factor)[here, there])

    def _ways(self, speed: float) -> IntArray:
        return self.model.shortest(speed)

    def _choose_near(self) -> int:
        arcs = sum(
            len({need.item for need in want.needs}) * sum(k.size <= want.point.max_size for k in self.classes)
            for want in self.model.wants
        )
        return next((n for n in (NEAR_SOURCES, 3, 2, 1) if arcs * (n + 1) <= LARGE), 1)

    def _shared_rows(self) -> None:
        """Supply, docks and vehicle-minutes."""
        model, program = self.model, self.program
        total = dict.fromkeys(range(len(model.kg)), 0.0)
        for s in range(model.source_count):
            last = model.deadline_min - self.out_min[s]
            there = self.empty.stock[s].most_by(last)
            for k, i in enumerate(self.empty.stock[s].items):
                name = f"{model.nodes[s].id}/{model.scenario.items[i].id}"
                kg = float(there[k]) * model.kg[i]
                self._supply_rows[s, int(i)] = program.row("supply", name, kg)
                total[int(i)] += kg
            minutes = self.empty.berths[s].minutes_free(model.scenario.now_min, last)
            for room in ("kg", "m3"):
                self._dock_rows[s, room] = program.row("docks", model.nodes[s].id, minutes)
        for i, kg in total.items():
            self._item_rows[i] = program.row("supply", model.scenario.items[i].id, kg)
        for kind in self.classes:
            back = max((self._back(kind, want.node) for want in model.wants), default=0)
            name = f"{kind.payload_kg:g} kg / {kind.volume_m3:g} m3"
            limit = kind.minutes + kind.vehicles * back
            self._time_rows.append(
                (program.row("time", name, limit), program.row("time", name, limit), limit)
            )

    def _back(self, k: _Class, node: int) -> int:
        return int(min(self._ways(k.speed_factor)[node, : self.model.source_count].min(initial=FAR), FAR))

    def _deliver(self, r: int, i: int, most_units: float, row: int | None) -> list[int]:
        """Columns that bring item i to want r, counted in `row` (units had); at most so many units."""
        want = self.model.wants[r]
        made = []
        for c, k in enumerate(self.classes):
            if k.size > want.point.max_size:
                continue
            ways = self._ways(k.speed_factor)[:, want.node]
            sources = self.held[i][ways[self.held[i]] < FAR]
            sources = sources[np.argsort(ways[sources] + self._fixed[sources], kind="stable")].tolist()
            near, far = sources[: self.near], sources[self.near :]
            for group in [[s] for s in near] + ([far] if far else []):
                made.append(self._arc(r, i, most_units, row, c, group))
        return made

    def _arc(self, r: int, i: int, most_units: float, row: int | None, c: int, sources: list[int]) -> int:
        model, want, k = self.model, self.model.wants[r], self.classes[c]
        ways = self._ways(k.speed_factor)
        place, m3_per_kg = model.nodes[want.node], model.m3[i] / model.kg[i]
        out = int((self._fixed[sources] + ways[sources, want.node]).min())
        handling = float(self._per_kg[sources].min()) + 1 / place.kg_per_min
        fixed = out + place.fixed_min + self._back(k, want.node)
        by_kg, by_m3, _ = self._time_rows[c]
        entries = [
            (self._item_rows[i], 1.0),
            (by_kg, fixed / k.payload_kg + handling),
            (by_m3, fixed * m3_per_kg / k.volume_m3 + handling),
        ]
        if row is not None:
            entries.append((row, -1.0 / model.kg[i]))
        for node, rows in self._berth_rows(want, sources):
            spot = model.nodes[node]
            entries.append((rows[0], spot.fixed_min / k.payload_kg + 1 / spot.kg_per_min))
            entries.append((rows[1], spot.fixed_min * m3_per_kg / k.volume_m3 + 1 / spot.kg_per_min))
        if len(sources) == 1:
            entries.append((self._supply_rows[sources[0], i], 1.0))
        return self.program.column(0.0, most_units * model.kg[i], entries)

    def _berth_rows(self, want: Want, sources: list[int]) -> list[tuple[int, tuple[int, int]]]:
        """The bays of the want's point and, if the source is told apart, its docks: (node, its two rows)."""
        if (want.node, "kg") not in self._dock_rows:
            begin = max(self.model.scenario.now_min, want.point.opens_min)
            minutes = self.empty.berths[want.node].minutes_free(begin, self.model.deadline_min)
            for room in ("kg", "m3"):
                self._dock_rows[want.node, room] = self.program.row("bays", want.point.id, minutes)
        nodes = [want.node, *(sources if len(sources) == 1 else [])]
        return [(node, (self._dock_rows[node, "kg"], self._dock_rows[node, "m3"])) for node in nodes]

    def _earliest_loaded(self, k: _Class, i: int) -> IntArray:
        """When a vehicle of a class can have loaded item i at each source that holds it, shape (held,)."""
        ready = []
        for s in self.held[i]:
            since = self.empty.stock[s].first_minute(i)
            ready.append(FAR if since is None else max(since, int(k.first_min[s])) + int(self._fixed[s]))
        return np.array(ready, dtype=np.int64)

    def _arrives(self, r: int, i: int) -> int:
        """No unit of item i that is still to be loaded can be at want r before this minute."""
        want = self.model.wants[r]
        place = self.model.nodes[want.node]
        first = FAR
        for k, loaded in zip(self.classes, self._loaded, strict=True):
            if k.size <= want.point.max_size:
                ways = self._ways(k.speed_factor)[self.held[i], want.node]
                first = min(first, int((loaded[i] + ways).min(initial=FAR)))
        return FAR if first >= FAR else max(first, place.opens_min) + place.fixed_min

    def _demand(self, r: int, want: Want) -> None:
        had = float(self.empty.had[r, want.item])
        row = self.program.row("demand", want.point.id, had)
        worth = want.worth / self.model.total_worth
        if had < want.units and self._arrives(r, want.item) <= want.latest_min:
            self._deliver(r, want.item, want.units - had, row)
        self.program.column(worth, 1.0, [(row, float(want.units))])

    def _kit(self, r: int, want: Want) -> None:
        program = self.program
        tiers = [[self._half(want, tier, first) for first in (True, False)] for tier in TIER_WORTH]
        self._people[r] = tiers
        later = program.row("tiers", want.point.id, 0.0)  # the settled are among the supported
        for column in tiers[1]:
            program.put(later, column, 1.0)
        for column in tiers[0]:
            program.put(later, column, -1.0)
        had_rows: dict[int, list[int]] = {}
        for need in want.needs:
            i = self.model.item_index[need.item]
            if need.group is None:
                columns = tiers[need.tier - 1]
                had_rows[i] = [self._had_row(r, i, columns, need.per_person)]
        self._groups(r, want, tiers, had_rows)
        for need in want.needs:
            i = self.model.item_index[need.item]
            members = want.people if need.group is None else want.point.groups.get(need.group, 0)
            lacking = members * need.per_person - float(self.empty.had[r, i])
            if lacking > 0 and had_rows.get(i):
                first, *others = had_rows[i]
                for column in self._deliver(r, i, lacking, first):
                    for row in others:
                        program.put(row, column, -1.0 / self.model.kg[i])
        for tier in TIER_WORTH:
            row = program.row("desks", want.point.id, self._desk_limit(r, want, tier))
            for column in tiers[tier - 1]:
                program.put(row, column, 1.0)

    def _half(self, want: Want, tier: int, first: bool) -> int:
        """A column of people in one half of a point; worth per person in utility."""
        worth = TIER_WORTH[tier] * want.point.weight / self.model.total_worth
        if self.model.scenario.policy == "fair":
            worth *= 1.5 if first else 0.5
        return self.program.column(worth, want.people / 2, [])

    def _had_row(self, r: int, i: int, columns: list[int], per_person: float) -> int:
        """per_person · columns ≤ had (+ deliveries)."""
        name = f"{self.model.wants[r].point.id}/{self.model.scenario.items[i].id}"
        row = self.program.row("kit", name, float(self.empty.had[r, i]) + 1e-8 * per_person)
        for column in columns:
            self.program.put(row, column, per_person)
        return row

    def _groups(self, r: int, want: Want, tiers: list[list[int]], had_rows: dict[int, list[int]]) -> None:
        groups = want.point.groups
        if not groups:
            return
        for tier in TIER_WORTH:
            row = self.program.row("groups", want.point.id, want.people - sum(groups.values()))
            for column in tiers[tier - 1]:
                self.program.put(row, column, 1.0)
            for group, members in groups.items():
                served = self.program.column(0.0, members, [(row, -1.0)])
                for need in want.needs:
                    if need.group == group and need.tier <= tier:
                        i = self.model.item_index[need.item]
                        had_rows.setdefault(i, []).append(self._had_row(r, i, [served], need.per_person))

    def _desk_limit(self, r: int, want: Want, tier: int) -> float:
        """People the desks can have served: with what is there already, then from the first arrival on."""
        model, point, deadline = self.model, want.point, self.model.deadline_min
        if point.opens_min > deadline:
            return 0.0
        had = self.empty.had[r].tolist()
        ready = self.empty.scorer.supportable(r, tier, had)
        first = point.opens_min
        for need in want.needs:
            i = model.item_index[need.item]
            if need.group is None and need.tier <= tier and had[i] < (ready + 1) * need.per_person - 1e-6:
                first = max(first, self._arrives(r, i))
        if first > deadline:
            return float(ready)
        if point.hand_out_per_hour is None:
            return float(want.people)
        pace = point.hand_out_per_hour / 60
        after = min(float(ready), pace * (first - point.opens_min)) + pace * (deadline - first)
        return min(pace * (deadline - point.opens_min), max(float(ready), after)) + 1e-6

    def targets(self, x: FloatArray) -> tuple[Target, ...]:
        """People (or units) to aim at for every want."""
        made = []
        for r, want in enumerate(self.model.wants):
            if want.item >= 0:
                made.append(Target(want.units, 0))
                continue
            supported, settled = (
                min(want.people, math.ceil(sum(x[column] for column in columns) - 1e-6))
                for columns in self._people[r]
            )
            made.append(Target(supported, min(settled, supported)))
        return tuple(made)


def _classes(model: Model) -> list[_Class]:
    """Vehicles that are alike, with the minutes from when each can be at a source to the deadline."""
    members: dict[tuple[float, float, float, float], list[int]] = {}
    for v, vehicle in enumerate(model.vehicles):
        key = (vehicle.payload_kg, vehicle.volume_m3, vehicle.speed_factor, vehicle.size)
        members.setdefault(key, []).append(v)
    classes = []
    for (payload, volume, speed, size), vehicles in members.items():
        ways = model.shortest(speed)[:, : model.source_count]
        there = np.array([model.vehicles[v].free_min + ways[model.vehicles[v].node] for v in vehicles])
        minutes = np.maximum(0, model.deadline_min - there.min(axis=1, initial=FAR)).sum()
        first = there.min(axis=0, initial=FAR)
        classes.append(_Class(payload, volume, speed, size, len(vehicles), float(minutes), first))
    return classes
