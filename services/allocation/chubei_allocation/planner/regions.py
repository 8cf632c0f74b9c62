"""A part of the plan searched by itself: some vehicles among some nodes, all others going on as planned.

What the others book, take and bring is the base of the part, so that parts without a common node can be searched
at the same time, and each outcome fits into the whole.
"""

from __future__ import annotations

import numpy as np

from .arrays import Arrays, Base, Bits, Ints, Table
from .compiled import compiled
from .model import FAR
from .neighbours import Ways
from .state import State
from .visits import END, NODE, START, TRIP, Visits


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
    out.arrivals[p] = given.arrivals[p]
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
    for v in range(len(visits.vehicle_visits)):
        for k in range(0 if mine[v] else visits.vehicle_visits[v]):
            row = visits.rows[v, k]
            if inside[row[NODE]]:
                count_visit(a, row, visits.goods[v, k], out)
    for s in range(a.sources):
        if inside[s]:
            set_left(a, s, out)


@compiled
def settle(a: Arrays, given: Base, visits: Visits, settled: Table, out: Base) -> None:
    """Set `out` to what is given and what the settled trips do; settled: [v, trip]."""
    for n in range(len(a.fixed)):
        copy_given(a, given, n, out)
    for v in range(len(visits.vehicle_visits)):
        for k in range(visits.vehicle_visits[v]):
            if settled[v, visits.rows[v, k, TRIP]]:
                count_visit(a, visits.rows[v, k], visits.goods[v, k], out)
    for s in range(a.sources):
        set_left(a, s, out)


@compiled
def count_visit(a: Arrays, row: Table, goods: Table, out: Base) -> None:
    """Add a visit to what is booked, taken or brought."""
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
        out.arrival_end[p, k] = row[END]
        for q in range(a.first_need[p], a.first_need[p + 1]):
            out.arrival_units[p, k, q - a.first_need[p]] = goods[a.need_item[q]]


def draw_region(
    a: Arrays, ways: Ways, state: State, rng: np.random.Generator, size: int, near_points: int
) -> tuple[Ints, Ints]:
    """About `size` vehicles that bring goods around a point drawn at random, and the nodes that they may use.

    near_points: how many points they may serve besides those they serve already.
    """
    asking = np.flatnonzero(np.diff(a.first_need) > 0) + a.sources
    lacking = a.people * a.weight - state.score[:, 0]
    chance = np.maximum(lacking[asking - a.sources], 0.0)
    chance = chance + 0.1 * (a.people * a.weight)[asking - a.sources] + 1e-9
    centre = int(rng.choice(asking, p=chance / chance.sum()))
    minutes = a.ways[0, centre]
    by_way = asking[np.argsort(minutes[asking], kind="stable")]
    chosen = np.zeros(len(a.start_node), dtype=bool)
    for n in by_way:
        chosen |= state.calls[:, n] > 0
        if chosen.sum() >= size:
            break
    if chosen.sum() > size:
        chosen[rng.permutation(np.flatnonzero(chosen))[size:]] = False
    idle = np.flatnonzero(state.visits.vehicle_visits == 0)
    if len(idle) and (rng.random() < 0.5 or not chosen.any()):
        close = idle[np.argsort(minutes[a.start_node[idle]], kind="stable")][: 1 + size // 4]
        chosen[close[minutes[a.start_node[close]] < FAR]] = True
    vehicles = np.flatnonzero(chosen)
    inside: Bits = np.any(state.calls[vehicles], axis=0)
    inside[by_way[:near_points]] = True
    for n in by_way[:8]:
        inside[[s for s in ways.around[n][:4] if s >= 0]] = True
    return vehicles, np.flatnonzero(inside).astype(np.int64)
