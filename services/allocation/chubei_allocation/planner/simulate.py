"""What comes of a set of vehicle days: a simulation that runs one trip after the other, the earliest free vehicle first.

A day is a list of trips (rows of arrays.TRIP_WIDTH numbers: sources, then points). The simulation decides what the
search need not: when each visit starts (the first gap at docks and bays), and what is loaded for which point
(filling.py), given all that was loaded for it before. So every outcome obeys the rules, and what a search varies is
small: who goes where in which order.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from .arrays import (
    DROPS,
    FIRST_DROP,
    FIRST_LOAD,
    LOADS,
    MOST_DROPS,
    MOST_LOADS,
    RELEASE,
    TRIP_WIDTH,
    Arrays,
    Base,
)
from .arrays import Floats, Ints, Table
from .berths import book, earliest
from .choose import Taste, choose
from .compiled import compiled
from .filling import fill
from .model import FAR
from .neighbours import Ways
from .serving import serve


class Log(NamedTuple):
    """The visits of a simulation: rows (vehicle, trip, node, drop or −1, arrive, start, end) and their goods."""

    count: Ints  # [1]
    visits: Ints  # [visit, 7]
    goods: Ints  # [visit, item]


class Work(NamedTuple):
    """Room to simulate in, and the outcome of the last simulation."""

    booked: Table  # [n, minute] berths taken
    left: Table  # [h, step] the most that a load from this step on may take
    sent: Ints  # [q] units there or under way
    arrivals: Ints  # [p] number of arrivals
    arrival_end: Table  # [p, arrival] minute
    arrival_units: Table  # [p, arrival, need of the point]
    cargo: Table  # [drop, need of the point], as the next seven of the trip that is run
    load_units: Ints  # [load, i]
    load_arrive: Ints  # [load]
    load_start: Ints  # [load] −1: it takes nothing there
    load_end: Ints  # [load]
    drop_arrive: Ints  # [drop]
    drop_start: Ints  # [drop] −1: it brings nothing there
    drop_end: Ints  # [drop]
    at_node: Ints  # [v] where it stands
    free: Ints  # [v] from when on
    trip: Ints  # [v] its next trip
    heap: Ints  # [v, 2] (minute, v)
    heap_size: Ints  # [1]
    order: Ints  # [arrival]
    units: Ints  # [need of a point], as the next two
    spare: Ints
    goods: Ints
    inside: Table  # [n] 1 if the search may use the node
    done: Table  # [v, trip] 1 if the trip takes place
    score: Floats  # [p, 4] worth, waited, supported, settled
    picked: Ints  # [i] taken for other drops of the trip in hand
    best_goods: Ints  # [need of a point]
    best: Floats  # [8] of the trip being chosen
    liking: Floats  # [p] factor on the worth of goods for a point
    back: Floats  # [speed, n] minutes to the nearest source
    log: Log
    rng: Any  # [1] state of the random numbers, uint64


@compiled
def push(heap: Ints, size: Ints, minute: int, v: int) -> None:
    k = size[0]
    size[0] += 1
    while k > 0:
        up = (k - 1) // 2
        if heap[up, 0] < minute or (heap[up, 0] == minute and heap[up, 1] <= v):
            break
        heap[k, 0], heap[k, 1] = heap[up, 0], heap[up, 1]
        k = up
    heap[k, 0], heap[k, 1] = minute, v


@compiled
def pop(heap: Ints, size: Ints) -> tuple[int, int]:
    minute, v = heap[0, 0], heap[0, 1]
    size[0] -= 1
    n = size[0]
    last_minute, last_v = heap[n, 0], heap[n, 1]
    k = 0
    while True:
        down = 2 * k + 1
        if down >= n:
            break
        right = down + 1
        if right < n and (
            heap[right, 0] < heap[down, 0]
            or (heap[right, 0] == heap[down, 0] and heap[right, 1] < heap[down, 1])
        ):
            down = right
        if last_minute < heap[down, 0] or (last_minute == heap[down, 0] and last_v <= heap[down, 1]):
            break
        heap[k, 0], heap[k, 1] = heap[down, 0], heap[down, 1]
        k = down
    heap[k, 0], heap[k, 1] = last_minute, last_v
    return minute, v


@compiled
def reset(a: Arrays, base: Base, w: Work, nodes: Ints) -> None:
    """Back to what is there before any vehicle of the search moves, at these nodes."""
    for n in nodes:
        for m in range(w.booked.shape[1]):
            w.booked[n, m] = base.booked[n, m]
        if n < a.sources:
            for h in range(a.first_holding[n], a.first_holding[n + 1]):
                for m in range(w.left.shape[1]):
                    w.left[h, m] = base.left[h, m]
        else:
            p = n - a.sources
            w.arrivals[p] = base.arrivals[p]
            for q in range(a.first_need[p], a.first_need[p + 1]):
                w.sent[q] = base.had[q]
            for k in range(base.arrivals[p]):
                w.arrival_end[p, k] = base.arrival_end[p, k]
                for q in range(a.first_need[p], a.first_need[p + 1]):
                    units = base.arrival_units[p, k, q - a.first_need[p]]
                    w.arrival_units[p, k, q - a.first_need[p]] = units
                    w.sent[q] += units


@compiled
def take(left: Table, step: int, units: int) -> None:
    """Load units in a step: later loads find less, and earlier ones must leave them there."""
    less = np.int32(units)
    for m in range(
        np.uint64(step), np.uint64(len(left))
    ):  # unsigned: no look from the end, so it goes by vectors
        left[m] -= less
    least = left[step]
    m = step - 1
    while m >= 0 and left[m] > least:  # left never falls with time
        left[m] = least
        m -= 1


@compiled
def spare_for(a: Arrays, w: Work, s: int, n: int, start: int, row: Ints, stop: int) -> bool:
    """Set w.spare: units by need of node n that a load at s may take, in whole packs, less w.picked; any there?

    What a later source of the trip holds too is left to it.
    """
    p = n - a.sources
    any_spare = False
    for q in range(a.first_need[p], a.first_need[p + 1]):
        i = a.need_item[q]
        h = a.holding_of[s, i]
        k = q - a.first_need[p]
        w.spare[k] = 0
        if h < 0 or w.sent[q] >= a.need_units[q]:
            continue
        later = False
        for other in range(stop + 1, row[LOADS]):
            h2 = a.holding_of[row[FIRST_LOAD + other], i]
            later = later or (h2 >= 0 and w.left[h2, -1] > 0)
        if not later:
            units = max(0, w.left[h, start // a.cell] - w.picked[i])
            w.spare[k] = units if a.pack[i] == 1 else units // a.pack[i] * a.pack[i]
            any_spare = any_spare or w.spare[k] > 0
    return any_spare


@compiled
def load(
    a: Arrays, w: Work, row: Ints, aims: Table, v: int, stop: int, here: int, free: int
) -> tuple[int, int]:
    """(arrival, end) of the stop-th load of a trip of v, which is booked; (−1, −1) if nothing can be taken in time.

    w.cargo is what v has aboard for each drop.
    """
    s = row[FIRST_LOAD + stop]
    ways = a.ways[a.speed[v]]
    arrive = free + ways[here, s]
    if ways[here, s] >= FAR or arrive >= a.deadline:
        return -1, -1
    least = max(arrive, row[RELEASE]) if stop == 0 else arrive
    start = earliest(a.manned[s], w.booked[s], least, a.fixed[s] + 1)
    if start >= a.deadline:
        return -1, -1
    kg = m3 = 0.0  # aboard
    if stop > 0:
        for d in range(row[DROPS]):
            p = row[FIRST_DROP + d] - a.sources
            for q in range(a.first_need[p], a.first_need[p + 1]):
                kg += w.cargo[d, q - a.first_need[p]] * a.kg[a.need_item[q]]
                m3 += w.cargo[d, q - a.first_need[p]] * a.m3[a.need_item[q]]
    for i in range(len(w.picked)):
        w.picked[i] = 0
    aboard_kg = kg
    clock = start + a.fixed[s] + 1.0  # when it will be at the next stop with what it has so far
    here = s
    for later in range(stop + 1, row[LOADS]):
        there = row[FIRST_LOAD + later]
        clock += ways[here, there] + a.fixed[there]
        here = there
    for d in range(row[DROPS]):
        n = row[FIRST_DROP + d]
        p = n - a.sources
        clock += ways[here, n]
        here = n
        if clock >= a.deadline:
            break
        begin = max(clock, float(a.opens[n]))
        handling = 1 / a.kg_per_min[s] + 1 / a.kg_per_min[n]
        most_kg = min(a.payload[v] - kg, (a.deadline - begin - a.fixed[n] - 1) / handling)
        if most_kg <= 0 or not spare_for(a, w, s, n, start, row, stop):
            continue
        more_kg, more_m3 = fill(
            a, p, aims[p], w.sent, w.spare, most_kg, a.volume[v] - m3, int(begin) + a.fixed[n], w.goods
        )
        if more_kg <= 0:
            continue
        for q in range(a.first_need[p], a.first_need[p + 1]):
            units = w.goods[q - a.first_need[p]]
            if units > 0:
                w.cargo[d, q - a.first_need[p]] += units
                w.sent[q] += units
                w.picked[a.need_item[q]] += units
        kg += more_kg
        m3 += more_m3
        clock = begin + a.fixed[n] + more_kg * handling
    if kg <= aboard_kg:
        return -1, -1
    minutes = max(1, a.fixed[s] + int(np.ceil((kg - aboard_kg) / a.kg_per_min[s] - 1e-9)))
    start = earliest(a.manned[s], w.booked[s], start, minutes)
    w.load_start[stop], w.load_arrive[stop], w.load_end[stop] = start, arrive, start + minutes
    for i in range(len(w.picked)):
        w.load_units[stop, i] = w.picked[i]
        w.picked[i] = 0
    return arrive, start + minutes


@compiled
def give_back(a: Arrays, w: Work, row: Ints, d: int) -> None:
    """Leave out what v would take for its d-th drop."""
    p = row[FIRST_DROP + d] - a.sources
    for q in range(a.first_need[p], a.first_need[p + 1]):
        units = w.cargo[d, q - a.first_need[p]]
        if units > 0:
            w.sent[q] -= units
            w.cargo[d, q - a.first_need[p]] = 0
            i = a.need_item[q]
            for stop in range(row[LOADS]):
                less = min(units, w.load_units[stop, i])
                w.load_units[stop, i] -= less
                units -= less


@compiled
def run_trip(a: Arrays, w: Work, row: Ints, aims: Table, v: int) -> bool:
    """Run a trip of v, free now where it stands; False, and nothing changed, if it brings nothing in time."""
    ways = a.ways[a.speed[v]]
    here, free = w.at_node[v], w.free[v]
    for d in range(row[DROPS]):
        for k in range(w.cargo.shape[1]):
            w.cargo[d, k] = 0
    any_load = False
    for stop in range(row[LOADS]):
        w.load_start[stop] = -1
        for i in range(len(w.picked)):
            w.load_units[stop, i] = 0
        _, end = load(a, w, row, aims, v, stop, here, free)
        if end >= 0:
            here, free = row[FIRST_LOAD + stop], end
            any_load = True
    if not any_load:
        return False
    # the times of the drops, and which of them come too late
    last = -1
    for d in range(row[DROPS]):
        n = row[FIRST_DROP + d]
        p = n - a.sources
        w.drop_start[d] = -1
        kg = 0.0
        for q in range(a.first_need[p], a.first_need[p + 1]):
            kg += w.cargo[d, q - a.first_need[p]] * a.kg[a.need_item[q]]
        if kg == 0.0:
            continue
        arrive = free + ways[here, n]
        minutes = max(1, a.fixed[n] + int(np.ceil(kg / a.kg_per_min[n] - 1e-9)))
        start = a.deadline + 1
        if ways[here, n] < FAR and arrive < a.deadline:
            start = earliest(a.manned[n], w.booked[n], max(arrive, a.opens[n]), minutes)
        if start + minutes > a.deadline:
            give_back(a, w, row, d)
            continue
        w.drop_arrive[d], w.drop_start[d], w.drop_end[d] = arrive, start, start + minutes
        here, free, last = n, start + minutes, d
    if last < 0:
        return False
    for stop in range(row[LOADS]):
        if w.load_start[stop] >= 0:
            s = row[FIRST_LOAD + stop]
            book(w.booked[s], w.load_start[stop], w.load_end[stop], 1)
            for h in range(a.first_holding[s], a.first_holding[s + 1]):
                units = w.load_units[stop, a.holding_item[h]]
                if units > 0:
                    take(w.left[h], w.load_start[stop] // a.cell, units)
            note(a, w, v, s, stop, False)
    for d in range(row[DROPS]):
        if w.drop_start[d] >= 0:
            n = row[FIRST_DROP + d]
            p = n - a.sources
            book(w.booked[n], w.drop_start[d], w.drop_end[d], 1)
            k = w.arrivals[p]
            if k < w.arrival_end.shape[1]:
                w.arrivals[p] += 1
                w.arrival_end[p, k] = w.drop_end[d]
                for j in range(a.first_need[p + 1] - a.first_need[p]):
                    w.arrival_units[p, k, j] = w.cargo[d, j]
            note(a, w, v, n, d, True)
    w.at_node[v], w.free[v] = here, free
    return True


@compiled
def simulate(
    a: Arrays,
    base: Base,
    w: Work,
    days: Table,
    trips: Ints,
    aims: Table,
    vehicles: Ints,
    nodes: Ints,
    ways: Ways,
    taste: Taste,
) -> None:
    """Run the days of `vehicles` among `nodes`; w.score then holds what each point gets, w.done what took place.

    days: [v, trip, TRIP_WIDTH]; trips: [v] number of trips; aims: [p, 3], see filling.py. A trip
    without sources is chosen when its turn comes, and so are, if taste.extend,
    further trips where a day has room left.
    """
    reset(a, base, w, nodes)
    w.heap_size[0] = 0
    w.log.count[0] = 0
    for v in vehicles:
        w.at_node[v], w.free[v], w.trip[v] = a.start_node[v], a.start_free[v], 0
        for k in range(w.done.shape[1]):
            w.done[v, k] = 0
        push(w.heap, w.heap_size, w.free[v], v)
    while w.heap_size[0] > 0:
        _, v = pop(w.heap, w.heap_size)
        k = w.trip[v]
        w.trip[v] += 1
        if k == trips[v]:
            if taste.extend <= 0.0 or k == days.shape[1]:
                continue
            if not choose(a, w, v, aims, ways, taste, days[v, k]):
                continue
            trips[v] += 1
        elif days[v, k, LOADS] == 0 and not choose(a, w, v, aims, ways, taste, days[v, k]):
            push(w.heap, w.heap_size, w.free[v], v)
            continue
        if run_trip(a, w, days[v, k], aims, v):
            w.done[v, k] = 1
            push(w.heap, w.heap_size, w.free[v], v)
        elif w.trip[v] < trips[v]:
            push(w.heap, w.heap_size, w.free[v], v)
    for n in nodes:
        if n >= a.sources:
            p = n - a.sources
            had = base.had[a.first_need[p] : a.first_need[p + 1]]
            serve(
                a, p, had, w.arrivals[p], w.arrival_end[p], w.arrival_units[p], w.order, w.units, w.score[p]
            )


@compiled
def note(a: Arrays, w: Work, v: int, n: int, k: int, drop: bool) -> None:
    """Write a visit down: the k-th load or drop."""
    log = w.log
    at = log.count[0]
    log.count[0] += 1
    for i in range(log.goods.shape[1]):
        log.goods[at, i] = 0
    if not drop:
        arrive, start, end = w.load_arrive[k], w.load_start[k], w.load_end[k]
        for i in range(log.goods.shape[1]):
            log.goods[at, i] = w.load_units[k, i]
    else:
        arrive, start, end = w.drop_arrive[k], w.drop_start[k], w.drop_end[k]
        p = n - a.sources
        for q in range(a.first_need[p], a.first_need[p + 1]):
            log.goods[at, a.need_item[q]] += w.cargo[k, q - a.first_need[p]]
    log.visits[at, 0], log.visits[at, 1], log.visits[at, 2], log.visits[at, 3] = (
        v,
        w.trip[v] - 1,
        n,
        k if drop else -1,
    )
    log.visits[at, 4], log.visits[at, 5], log.visits[at, 6] = arrive, start, end


def make_work(a: Arrays, base: Base, most_trips: int, seed: int) -> Work:
    """Room for simulations of these arrays."""
    arrivals = base.arrival_end.shape[1]
    points, vehicles = len(a.people), len(a.start_node)
    needs = max(1, int(np.diff(a.first_need).max(initial=1)))
    nearest = a.ways[:, :, : a.sources].min(axis=2, initial=FAR)
    return Work(
        booked=np.zeros_like(a.manned),
        left=np.zeros((len(a.holding_item), a.deadline // a.cell + 1), dtype=np.int32),
        sent=np.zeros(len(a.need_item), dtype=np.int64),
        arrivals=np.zeros(points, dtype=np.int64),
        arrival_end=np.zeros((points, arrivals), dtype=np.int32),
        arrival_units=np.zeros((points, arrivals, needs), dtype=np.int32),
        cargo=np.zeros((MOST_DROPS, needs), dtype=np.int32),
        load_units=np.zeros((MOST_LOADS, len(a.kg)), dtype=np.int64),
        load_arrive=np.zeros(MOST_LOADS, dtype=np.int64),
        load_start=np.zeros(MOST_LOADS, dtype=np.int64),
        load_end=np.zeros(MOST_LOADS, dtype=np.int64),
        drop_arrive=np.zeros(MOST_DROPS, dtype=np.int64),
        drop_start=np.zeros(MOST_DROPS, dtype=np.int64),
        drop_end=np.zeros(MOST_DROPS, dtype=np.int64),
        at_node=np.zeros(vehicles, dtype=np.int64),
        free=np.zeros(vehicles, dtype=np.int64),
        trip=np.zeros(vehicles, dtype=np.int64),
        heap=np.zeros((vehicles + 1, 2), dtype=np.int64),
        heap_size=np.zeros(1, dtype=np.int64),
        order=np.zeros(arrivals + 1, dtype=np.int64),
        units=np.zeros(needs, dtype=np.int64),
        spare=np.zeros(needs, dtype=np.int64),
        goods=np.zeros(needs, dtype=np.int64),
        inside=np.ones(len(a.fixed), dtype=np.int8),
        done=np.zeros((vehicles, most_trips), dtype=np.int8),
        score=np.zeros((points, 4)),
        picked=np.zeros(len(a.kg), dtype=np.int64),
        best_goods=np.zeros(needs, dtype=np.int64),
        best=np.zeros(8),
        liking=np.ones(points),
        back=np.where(nearest >= FAR, 0, nearest).astype(np.float64),
        log=make_log(a, vehicles * most_trips * 4),
        rng=np.array([(seed * 0x9E3779B97F4A7C15 + 0x2545F4914F6CDD1D) % 2**64 or 1], dtype=np.uint64),
    )


def make_log(a: Arrays, visits: int) -> Log:
    """Room for so many visits."""
    return Log(
        count=np.zeros(1, dtype=np.int64),
        visits=np.zeros((visits, 7), dtype=np.int64),
        goods=np.zeros((visits, len(a.kg)), dtype=np.int64),
    )


def most_arrivals(a: Arrays, most_trips: int) -> int:
    """Room for deliveries at one point: well above what the largest needs in average vehicles."""
    if not len(a.need_item) or not len(a.payload):
        return 1
    kg = np.add.reduceat(np.append(a.need_units * a.kg[a.need_item], 0.0), a.first_need[:-1])
    loads = float(kg.max()) / float(a.payload.mean())
    return int(min(len(a.payload) * most_trips, 64 + 3 * loads))
