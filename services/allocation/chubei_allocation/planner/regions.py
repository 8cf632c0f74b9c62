"""A part of the plan searched by itself: some vehicles among some nodes, all others going on as planned.

What the others book, take and bring is the base of the part, so that parts without a common node can be searched
at the same time, and each outcome fits into the whole.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .arrays import Arrays, Base, Ints, Table
from .compiled import compiled
from .workspace import Work

NODE, DROP, ARRIVE, START, END, TRIP = range(6)


class Visits(NamedTuple):
    """What all vehicles do, in order."""

    vehicle_visits: Ints  # [v] how many
    rows: Table  # [v, visit, 6] node, drop or −1 for a load, arrive, start, end, trip
    goods: Table  # [v, visit, i] units


def make_visits(a: Arrays, most_visits: int) -> Visits:
    """No visits, and room for so many of each vehicle."""
    vehicles = len(a.start_node)
    return Visits(
        vehicle_visits=np.zeros(vehicles, dtype=np.int64),
        rows=np.zeros((vehicles, most_visits, 6), dtype=np.int32),
        goods=np.zeros((vehicles, most_visits, len(a.kg)), dtype=np.int32),
    )


@compiled
def write_down(w: Work, visits: Visits, vehicles: Ints) -> None:
    """Take over what the last simulation of these vehicles has logged."""
    for v in vehicles:
        visits.vehicle_visits[v] = 0
    for k in range(w.log.size[0]):
        v = w.log.visits[k, 0]
        at = visits.vehicle_visits[v]
        visits.vehicle_visits[v] += 1
        row = visits.rows[v, at]
        row[NODE], row[DROP] = w.log.visits[k, 2], w.log.visits[k, 3]
        row[ARRIVE], row[START], row[END] = w.log.visits[k, 4], w.log.visits[k, 5], w.log.visits[k, 6]
        row[TRIP] = w.log.visits[k, 1]
        for i in range(visits.goods.shape[2]):
            visits.goods[v, at, i] = w.log.goods[k, i]


@compiled
def copy_given(a: Arrays, given: Base, n: int, out: Base) -> None:
    """Set `out` at node n to what is given."""
    for m in range(out.booked.shape[1]):
        out.booked[n, m] = given.booked[n, m]
    if n < a.sources:
        for h in range(a.first_holding[n], a.first_holding[n + 1]):
            for m in range(out.room.shape[1]):
                out.room[h, m] = given.room[h, m]
        return
    p = n - a.sources
    out.arrivals[p] = out.begun[p] = given.arrivals[p]
    for q in range(a.first_need[p], a.first_need[p + 1]):
        out.had[q] = given.had[q]
    for k in range(given.arrivals[p]):
        out.arrival_end[p, k] = given.arrival_end[p, k]
        for j in range(out.arrival_units.shape[2]):
            out.arrival_units[p, k, j] = given.arrival_units[p, k, j]


@compiled
def set_left(a: Arrays, s: int, out: Base) -> None:
    """The most that loads at source s may take from each step on: the least room from then to the end."""
    for h in range(a.first_holding[s], a.first_holding[s + 1]):
        least = out.room[h, -1]
        for m in range(out.room.shape[1] - 1, -1, -1):
            least = min(least, out.room[h, m])
            out.left[h, m] = max(0, least)


@compiled
def others(a: Arrays, given: Base, visits: Visits, mine: Table, inside: Table, out: Base) -> None:
    """Set `out`, at the nodes inside, to what is given and what the vehicles that are not mine do there."""
    for n in range(len(inside)):
        if inside[n]:
            copy_given(a, given, n, out)
    out.pending[0] = 0
    for v in range(len(visits.vehicle_visits)):
        decided = a.start_free[v]
        for k in range(0 if mine[v] else visits.vehicle_visits[v]):
            row = visits.rows[v, k]
            if k > 0 and row[TRIP] != visits.rows[v, k - 1, TRIP]:
                decided = visits.rows[v, k - 1, END]
            if inside[row[NODE]]:
                count_visit(a, row, visits.goods[v, k], v, decided, out)
    for s in range(a.sources):
        if inside[s]:
            set_left(a, s, out)


@compiled
def count_visit(a: Arrays, row: Table, goods: Table, v: int, decided: int, out: Base) -> None:
    """Add a visit of v, decided on at a minute, to what is booked, taken or brought."""
    n = row[NODE]
    for m in range(row[START], min(row[END], a.deadline + 1)):
        out.booked[n, m] += 1
    if n < a.sources:
        for h in range(a.first_holding[n], a.first_holding[n + 1]):
            units = goods[a.holding_item[h]]
            if units > 0:
                for m in range(a.step_of[row[START]], out.room.shape[1]):
                    out.room[h, m] -= units
        return
    p = n - a.sources
    k = out.arrivals[p]
    if k < out.arrival_end.shape[1]:
        out.arrivals[p] += 1
        at = out.pending[0]
        out.pending[0] += 1
        out.pending_rows[at, 0], out.pending_rows[at, 1] = decided, v
        out.pending_rows[at, 2], out.pending_rows[at, 3] = p, k
        out.arrival_end[p, k] = row[END]
        for q in range(a.first_need[p], a.first_need[p + 1]):
            out.arrival_units[p, k, q - a.first_need[p]] = goods[a.need_item[q]]
