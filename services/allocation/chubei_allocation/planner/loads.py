r"""What every trip takes along, decided for all trips at once: a linear program over visits that stand.

The simulation loads one trip after another, each as if it knew nothing of later ones. Here the visits and their
times are given and the goods free. Sets: trips t with their loads l and drops d; needs q of points p; checkpoints
c of a point, minutes T[c] at which something arrives there. Variables, all ≥ 0:

    x[l,d,q]   kg loaded at l and brought to d for need q
    n[p,τ,c]   people whose kit up to tier τ the goods make up that are there by T[c]; f[p,g,τ,c] the same by group
    s[p,τ,c]   people served at tier τ by T[c], in the end in each linear piece of u
    m[q]       met share of an absolute demand

    max  Σ weight·people·u(s) + Σ worth·m − wait · Σ weight · waiting / deadline
    room       Σ_t x ≤ payload;  Σ_t x·m3/kg ≤ volume
    handling   Σ x ≤ (minutes of the visit − fixed) · rate          every load and drop
    stock      Σ x loaded by a minute ≤ kg of what has come in by then
    kits       per_person · n[p,τ,c] ≤ had + Σ x[·,d,q]/kg over the drops d that end by T[c];   groups as in bound.py
    desks      s[p,τ,c+1] ≤ n[p,τ,c];  s[p,τ,c+1] ≤ s[p,τ,c] + pace · minutes open from T[c] to T[c+1]

The goods are then rounded to whole packs, largest remainders first, and become the wishes of the trips.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .anneal import clean
from .arrays import (
    FIRST_LOAD,
    FIRST_STEP,
    FIRST_WISH,
    MOST_DROPS,
    MOST_LOADS,
    PLANNED,
    TIMES_PLANNED,
    Arrays,
    Base,
    Bits,
    Floats,
    Ints,
)
from .days import Days
from .load_lists import MOST_CHECKPOINTS, Lists, list_points
from .program import Program, Watch
from .schedule import start_early
from .visits import Stops, spread
from .workspace import Work

COARSE = 3.0  # people whom a pack serves, from which on it is rounded first


class Loads(NamedTuple):
    """Units by load, drop (indices of Stops) and need."""

    load: Ints
    drop: Ints
    need: Ints
    units: Ints


def best_loads(a: Arrays, base: Base, stops: Stops, wait: float, watch: Watch) -> Loads | None:
    """The best goods for visits that stand; None if the program is not solved in time."""
    if not len(stops.node):
        return None
    program = _LoadProgram(a, base, stops, wait)
    for coarse in (True, False):
        solved = program.program.solve(None, watch)
        if solved is None or solved[0] is None:
            return None
        program.round(solved[0], coarse)
    some = np.flatnonzero(program.units)
    return Loads(program.load[some], program.drop[some], program.need[some], program.units[some])


def write_wishes(
    a: Arrays, base: Base, work: Work, days: Days, stops: Stops, loads: Loads, beside: Bits
) -> None:
    """Plan these loads for trips of `days`, and, if there are no others beside them, their visits as early as can be.

    beside: [v, trip] whether a trip stays as it is.
    """
    rows = days.rows
    needs = (rows.shape[2] - FIRST_WISH) // MOST_DROPS
    rows[stops.vehicle, stops.trip, FIRST_WISH:] = 0
    rows[stops.vehicle, stops.trip, FIRST_STEP : FIRST_STEP + MOST_LOADS] = 0
    rows[stops.vehicle, stops.trip, PLANNED] = TIMES_PLANNED
    sources = rows[stops.vehicle, stops.trip, FIRST_LOAD : FIRST_LOAD + MOST_LOADS]
    number = np.argmax(sources == stops.node[:, None], axis=1)
    k = loads.need - a.first_need[stops.node[loads.drop] - a.sources]
    at = FIRST_WISH + stops.drop[loads.drop] * needs + k
    v, trip, stop = stops.vehicle[loads.drop], stops.trip[loads.drop], number[loads.load]
    item = a.need_item[loads.need]
    holding = a.holding_of[stops.node[loads.load], item]
    step = base.since[holding, a.step_of[stops.start[loads.load]]]
    np.maximum.at(rows, (v, trip, FIRST_STEP + stop), step)
    kg = np.zeros(len(stops.node))
    for n in np.argsort(-loads.units, kind="stable"):  # of two loads for one need the larger
        if rows[v[n], trip[n], at[n]] == 0:
            rows[v[n], trip[n], at[n]] = loads.units[n] * MOST_LOADS + stop[n]
            kg[[loads.load[n], loads.drop[n]]] += loads.units[n] * a.kg[item[n]]
    if not beside.any():
        start_early(a, base, work, rows, stops, kg)
    work.done[:] = beside
    work.done[v, trip] = 1
    clean(work, days, np.arange(len(days.trips)))  # trips that take nothing


class _LoadProgram:
    """The program, and which column is what."""

    def __init__(self, a: Arrays, base: Base, stops: Stops, wait: float) -> None:
        self.a, self.base, self.stops, self.wait = a, base, stops, wait
        self.program = Program()
        self._columns()
        self._room()
        self._handling()
        self._stock()
        self._points()
        self.program.close()
        self.payload = a.payload[self.trip_vehicle].copy()
        self.volume = a.volume[self.trip_vehicle].copy()
        self.handling = (stops.end - stops.start - a.fixed[stops.node]) * a.kg_per_min[stops.node]
        self.left = base.left.astype(np.int64)
        tier = a.need_tier
        per_kg = a.need_per * a.kg[a.need_item]
        self.kit_kg = np.zeros(len(tier))
        for p in range(len(a.people)):
            for first, last in ((a.tiers[p, 1], a.tiers[p, 2]), (a.tiers[p, 2], a.tiers[p, 3])):
                self.kit_kg[first:last] = per_kg[first:last].sum()
        self.units = np.zeros(len(self.column), dtype=np.int64)

    def _columns(self) -> None:
        """One column for each load, drop of its trip, and need that the load's source holds."""
        a, stops = self.a, self.stops
        new = np.flatnonzero(np.diff(stops.vehicle * 1000 + stops.trip, prepend=-1))
        trip = np.zeros(len(stops.node), dtype=np.int64)
        trip[new[1:]] = 1
        self.trip = np.cumsum(trip)
        self.trip_vehicle = stops.vehicle[new]
        loads = np.flatnonzero(stops.drop < 0)
        drops = np.flatnonzero(stops.drop >= 0)
        first = np.searchsorted(self.trip[drops], self.trip[loads])
        count = np.searchsorted(self.trip[drops], self.trip[loads], side="right") - first
        row, nth = spread(count)
        pair_load, pair_drop = loads[row], drops[first[row] + nth]
        p = stops.node[pair_drop] - a.sources
        row, nth = spread(a.first_need[p + 1] - a.first_need[p])
        need = a.first_need[p][row] + nth
        load, drop = pair_load[row], pair_drop[row]
        holding = a.holding_of[stops.node[load], a.need_item[need]]
        step = a.step_of[stops.start[load]]
        some = np.flatnonzero((holding >= 0) & (self.base.left[holding, step] > 0))
        self.load, self.drop, self.need = load[some], drop[some], need[some]
        self.holding, self.step = holding[some].astype(np.int64), step[some]
        item = a.need_item[self.need]
        self.unit_kg, self.unit_m3 = a.kg[item], a.m3[item]
        most = a.need_units[self.need] + a.pack[item]
        self.column = self.program.columns(0.0, most * self.unit_kg)

    def _room(self) -> None:
        a = self.a
        names = [("room", "")] * len(self.trip_vehicle)
        rows = self.program.named_rows(names, a.payload[self.trip_vehicle])
        self.program.put(rows[self.trip[self.load]], self.column, 1.0)
        rows = self.program.named_rows(names, a.volume[self.trip_vehicle])
        self.program.put(rows[self.trip[self.load]], self.column, self.unit_m3 / self.unit_kg)

    def _handling(self) -> None:
        a, stops = self.a, self.stops
        minutes = stops.end - stops.start - a.fixed[stops.node]
        rows = self.program.named_rows([("handling", "")] * len(minutes), minutes * a.kg_per_min[stops.node])
        self.program.put(rows[self.load], self.column, 1.0)
        self.program.put(rows[self.drop], self.column, 1.0)

    def _stock(self) -> None:
        """One row for each holding and minute of a load after which more comes in."""
        left, program = self.base.left, self.program
        order = np.lexsort((self.step, self.holding))
        holding, step, column = self.holding[order], self.step[order], self.column[order]
        begins = np.flatnonzero(np.diff(holding, prepend=-1))
        for begin, end in zip(begins, [*begins[1:], len(holding)], strict=False):
            h = holding[begin]
            there = left[h, step[begin:end]]
            kg = self.a.kg[self.a.holding_item[h]]
            for last in np.flatnonzero(np.append(np.diff(there), 1)):
                row = program.named_rows([("stock", "")], float(there[last]) * kg)
                program.put(row, column[begin : begin + last + 1], 1.0)

    def _points(self) -> None:
        """What people get of the goods, point by point."""
        a, base, stops = self.a, self.base, self.stops
        end = stops.end[self.drop]
        order = np.lexsort((end, self.need))
        drops = np.flatnonzero(stops.drop >= 0)
        at = stops.node[drops] - a.sources
        given = [base.arrival_end[p, : base.arrivals[p]] for p in range(len(a.people))]
        times = np.concatenate([stops.end[drops], *given])
        points = np.concatenate([at, np.repeat(np.arange(len(given)), base.arrivals)])
        by_time = np.lexsort((times, points))
        needs = np.arange(len(a.need_item) + 1)
        by_point = np.bincount(points, minlength=len(given))
        per_need = np.bincount(self.need, minlength=len(a.need_item))
        checkpoints = np.minimum(by_point, MOST_CHECKPOINTS) + 2  # at most, at each tier
        needs_of = np.diff(a.first_need)
        rows = int(((2 * needs_of + 9) * checkpoints).sum())
        entries = int(2 * (per_need * np.repeat(checkpoints, needs_of)).sum()) + 4 * rows
        lists = Lists(
            size=np.zeros(3, dtype=np.int64),
            row=np.zeros(entries, dtype=np.int64),
            column=np.zeros(entries, dtype=np.int64),
            value=np.zeros(entries),
            cost=np.zeros(2 * rows),
            upper=np.zeros(2 * rows),
            limit=np.zeros(rows),
        )
        first_column = len(self.column)
        list_points(
            a,
            base,
            lists,
            first_column,
            np.searchsorted(self.need[order], needs),
            self.column[order],
            end[order],
            self.unit_kg[order],
            np.searchsorted(points[by_time], np.arange(len(given) + 1)),
            times[by_time],
            self.wait,
        )
        entries, columns, count = lists.size
        self.program.columns(lists.cost[:columns], lists.upper[:columns])
        made = self.program.named_rows([("point", "")] * int(count), lists.limit[:count])
        self.program.put(made[lists.row[:entries]], lists.column[:entries], lists.value[:entries])

    def round(self, x: Floats, coarse: bool) -> None:
        """Fix the units of needs of which a pack serves many (coarse), or of all others, in whole packs.

        All are rounded down, then one pack more where most was cut off, if room and stock allow it. What coarse
        ones take is taken off what is left to the program.
        """
        a, stops, program = self.a, self.stops, self.program
        item = a.need_item[self.need]
        pack = a.pack[item]
        served = pack / np.where(a.need_tier[self.need] > 0, a.need_per[self.need], 1.0)
        mine = np.flatnonzero((served >= COARSE) == coarse)
        # one pack more costs its weight, one less the kits of those whom it would have served
        up_from = pack * self.unit_kg / (pack * self.unit_kg + served * self.kit_kg[self.need])
        wanted = x[self.column[mine]] / self.unit_kg[mine]
        units = (np.floor(wanted / pack[mine] + 1e-6) * pack[mine]).astype(np.int64)
        self._take(mine, units)
        over = wanted - units
        lacking: dict[tuple[int, int], float] = {}
        keys = list(zip(stops.node[self.drop[mine]].tolist(), self.need[mine].tolist(), strict=True))
        for key, more in zip(keys, over.tolist(), strict=True):
            lacking[key] = lacking.get(key, 0.0) + more
        for j in np.lexsort((np.arange(len(over)), -over / pack[mine])):
            if over[j] < 1e-6:
                break
            k, key = mine[j], keys[j]
            if lacking[key] > up_from[k] * pack[k] and self._fits(k, int(pack[k])):
                self._take(mine[j : j + 1], pack[mine[j : j + 1]])
                lacking[key] -= pack[k]
        if coarse:
            fixed = np.zeros(len(program.cost))
            fixed[self.column[mine]] = self.units[mine] * self.unit_kg[mine]
            program.limit = program.limit - np.bincount(
                program.row, weights=program.value * fixed[program.column], minlength=len(program.limit)
            )
            program.upper[self.column[mine]] = 0.0

    def _fits(self, k: int, units: int) -> bool:
        kg, m3, t = units * self.unit_kg[k], units * self.unit_m3[k], self.trip[self.load[k]]
        return bool(
            kg <= self.payload[t] + 1e-9
            and m3 <= self.volume[t] + 1e-9
            and kg <= self.handling[self.load[k]] + 1e-9
            and kg <= self.handling[self.drop[k]] + 1e-9
            and self.left[self.holding[k], self.step[k] :].min() >= units
        )

    def _take(self, some: Ints, units: Ints) -> None:
        kg = units * self.unit_kg[some]
        self.units[some] += units
        np.subtract.at(self.payload, self.trip[self.load[some]], kg)
        np.subtract.at(self.volume, self.trip[self.load[some]], units * self.unit_m3[some])
        np.subtract.at(self.handling, self.load[some], kg)
        np.subtract.at(self.handling, self.drop[some], kg)
        for k, n in zip(some.tolist(), units.tolist(), strict=True):
            if n:
                self.left[self.holding[k], self.step[k] :] -= n
