"""What comes of a set of vehicle days: a simulation that runs trip after trip, the earliest free vehicle first.

A day is a list of trips (rows of arrays.TRIP_WIDTH numbers: sources, then points). The simulation decides what the
search need not: when each visit starts (the first gap at docks and bays), and what is loaded for which point
(filling.py), given all that was loaded for it before. So every outcome obeys the rules, and what a search varies is
small: who goes where in which order.
"""

from __future__ import annotations

import numpy as np

from .arrays import (
    DROPS,
    FIRST_DROP,
    FIRST_LOAD,
    LOADS,
    RELEASE,
    Arrays,
    Base,
    Ints,
    Table,
)
from .berths import book, earliest
from .choose import Taste, choose
from .compiled import compiled
from .filling import fill, most_kg_in
from .model import FAR
from .neighbours import Ways
from .serving import serve
from .workspace import Work


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
                    if k < base.begun[p]:
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
            units = max(0, w.left[h, a.step_of[start]] - w.picked[i])
            w.spare[k] = units if a.pack[i] == 1 else units // a.pack[i] * a.pack[i]
            any_spare = any_spare or w.spare[k] > 0
    return any_spare


@compiled
def aboard(a: Arrays, w: Work, row: Ints) -> tuple[float, float]:
    """(kg, m3) that the trip has aboard for its drops."""
    kg = m3 = 0.0
    for d in range(row[DROPS]):
        p = row[FIRST_DROP + d] - a.sources
        for q in range(a.first_need[p], a.first_need[p + 1]):
            kg += w.cargo[d, q - a.first_need[p]] * a.kg[a.need_item[q]]
            m3 += w.cargo[d, q - a.first_need[p]] * a.m3[a.need_item[q]]
    return kg, m3


@compiled
def pick(a: Arrays, w: Work, row: Ints, aims: Table, v: int, stop: int, start: int) -> float:
    """Choose what v loads at its stop-th source for each drop, into w.cargo and w.picked; returns the kg."""
    s = row[FIRST_LOAD + stop]
    minutes = a.ways[a.speed[v]]
    kg, m3 = aboard(a, w, row)
    before_kg = kg
    for i in range(len(w.picked)):
        w.picked[i] = 0
    clock, here = float(start + a.fixed[s]), s  # when and where it will be with what it has so far
    for later in range(stop + 1, row[LOADS]):
        there = row[FIRST_LOAD + later]
        clock += minutes[here, there] + a.fixed[there]
        here = there
    for d in range(row[DROPS]):
        n = row[FIRST_DROP + d]
        p = n - a.sources
        clock += minutes[here, n]
        here = n
        if clock >= a.deadline:
            break
        begin = max(clock, float(a.opens[n]))
        handling = 1 / a.kg_per_min[s] + 1 / a.kg_per_min[n]
        in_time = most_kg_in(a.deadline - begin - a.fixed[n], a.kg_per_min[s], a.kg_per_min[n])
        most_kg = min(a.payload[v] - kg, in_time)
        if most_kg <= 0 or not spare_for(a, w, s, n, start, row, stop):
            continue
        arrives = int(begin) + a.fixed[n]
        more_kg, more_m3 = fill(a, p, aims[p], w.sent, w.spare, most_kg, a.volume[v] - m3, arrives, w.goods)
        for q in range(a.first_need[p], a.first_need[p + 1]):
            units = w.goods[q - a.first_need[p]]
            w.cargo[d, q - a.first_need[p]] += units
            w.sent[q] += units
            w.picked[a.need_item[q]] += units
        kg += more_kg
        m3 += more_m3
        clock = begin + a.fixed[n] + more_kg * handling
    return kg - before_kg


@compiled
def load(a: Arrays, w: Work, row: Ints, aims: Table, v: int, stop: int, here: int, free: int) -> int:
    """Time the stop-th load of a trip of v, which stands at `here` from `free` on; its end, −1 if it takes nothing."""
    s = row[FIRST_LOAD + stop]
    leg = a.ways[a.speed[v], here, s]
    arrive = free + leg
    w.load_start[stop] = -1
    if leg >= FAR or arrive >= a.deadline:
        return -1
    least = max(arrive, row[RELEASE]) if stop == 0 else arrive
    start = earliest(a.manned[s], w.booked[s], least, a.fixed[s] + 1)
    if start >= a.deadline:
        return -1
    kg = pick(a, w, row, aims, v, stop, start)
    if kg <= 0:
        return -1
    minutes = max(1, a.fixed[s] + int(np.ceil(kg / a.kg_per_min[s] - 1e-9)))
    start = earliest(a.manned[s], w.booked[s], start, minutes)
    w.load_arrive[stop], w.load_start[stop], w.load_end[stop] = arrive, start, start + minutes
    for i in range(len(w.picked)):
        w.load_units[stop, i] = w.picked[i]
        w.picked[i] = 0
    end: int = start + minutes
    return end


@compiled
def give_back(a: Arrays, w: Work, row: Ints, d: int) -> None:
    """Leave out what the trip would take for its d-th drop."""
    p = row[FIRST_DROP + d] - a.sources
    for q in range(a.first_need[p], a.first_need[p + 1]):
        units = w.cargo[d, q - a.first_need[p]]
        w.sent[q] -= units
        w.cargo[d, q - a.first_need[p]] = 0
        i = a.need_item[q]
        for stop in range(row[LOADS]):
            if units > 0 and w.load_start[stop] >= 0:
                less = min(units, w.load_units[stop, i])
                w.load_units[stop, i] -= less
                units -= less


@compiled
def time_drops(a: Arrays, w: Work, row: Ints, v: int, here: int, free: int) -> tuple[int, int]:
    """Time the drops of a trip, and leave out those that come too late; (where, when) v is free then."""
    for d in range(row[DROPS]):
        n = row[FIRST_DROP + d]
        p = n - a.sources
        w.drop_start[d] = -1
        kg = 0.0
        for q in range(a.first_need[p], a.first_need[p + 1]):
            kg += w.cargo[d, q - a.first_need[p]] * a.kg[a.need_item[q]]
        if kg == 0.0:
            continue
        leg = a.ways[a.speed[v], here, n]
        arrive = free + leg
        minutes = max(1, a.fixed[n] + int(np.ceil(kg / a.kg_per_min[n] - 1e-9)))
        start = a.deadline + 1
        if leg < FAR and arrive < a.deadline:
            start = earliest(a.manned[n], w.booked[n], max(arrive, a.opens[n]), minutes)
        if start + minutes > a.deadline:
            give_back(a, w, row, d)
            continue
        w.drop_arrive[d], w.drop_start[d], w.drop_end[d] = arrive, start, start + minutes
        here, free = n, start + minutes
    return here, free


@compiled
def purposeful(w: Work, row: Ints) -> bool:
    """Whether every load that the trip makes still takes something, and it makes one."""
    loads = 0
    for stop in range(row[LOADS]):
        if w.load_start[stop] >= 0:
            loads += 1
            units = 0
            for i in range(w.load_units.shape[1]):
                units += w.load_units[stop, i]
            if units == 0:
                return False
    return loads > 0


@compiled
def book_trip(a: Arrays, w: Work, row: Ints, v: int) -> None:
    """Book the loads and drops of a trip, and write them down."""
    for stop in range(row[LOADS]):
        if w.load_start[stop] >= 0:
            s = row[FIRST_LOAD + stop]
            book(w.booked[s], w.load_start[stop], w.load_end[stop], 1)
            for h in range(a.first_holding[s], a.first_holding[s + 1]):
                units = w.load_units[stop, a.holding_item[h]]
                if units > 0:
                    take(w.left[h], a.step_of[w.load_start[stop]], units)
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


@compiled
def run_trip(a: Arrays, w: Work, row: Ints, aims: Table, v: int) -> bool:
    """Run a trip of v, free now where it stands; False, and nothing changed, if it brings nothing in time."""
    here, free = w.at_node[v], w.free[v]
    for d in range(row[DROPS]):
        for k in range(w.cargo.shape[1]):
            w.cargo[d, k] = 0
    for stop in range(row[LOADS]):
        end = load(a, w, row, aims, v, stop, here, free)
        if end >= 0:
            here, free = row[FIRST_LOAD + stop], end
    here, free = time_drops(a, w, row, v, here, free)
    if not purposeful(w, row):
        for d in range(row[DROPS]):
            give_back(a, w, row, d)
        return False
    book_trip(a, w, row, v)
    w.at_node[v], w.free[v] = here, free
    return True


@compiled
def send_others(a: Arrays, base: Base, w: Work, next_one: int, minute: int, v: int) -> int:
    """Count as sent what other vehicles decide on before v does at a minute; the next one that is pending.

    So the search of a part sees at each decision just what the whole saw, and its outcome fits what is there.
    """
    while next_one < base.pending[0]:
        row = base.pending_rows[next_one]
        if row[0] > minute or (row[0] == minute and row[1] > v):
            break
        p, k = row[2], row[3]
        for q in range(a.first_need[p], a.first_need[p + 1]):
            w.sent[q] += base.arrival_units[p, k, q - a.first_need[p]]
        next_one += 1
    return next_one


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
    w.log.size[0] = 0
    for v in vehicles:
        w.at_node[v], w.free[v], w.trip[v] = a.start_node[v], a.start_free[v], 0
        for k in range(w.done.shape[1]):
            w.done[v, k] = 0
        push(w.heap, w.heap_size, w.free[v], v)
    pending = 0
    while w.heap_size[0] > 0:
        minute, v = pop(w.heap, w.heap_size)
        pending = send_others(a, base, w, pending, minute, v)
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
    send_others(a, base, w, pending, FAR, 0)
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
    at = log.size[0]
    log.size[0] += 1
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
