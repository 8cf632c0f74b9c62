"""What comes of a set of vehicle days: a simulation that runs trip after trip, the earliest free vehicle first.

A day is a list of trips (rows of numbers, see arrays.py: sources, then points). The simulation decides what the
search need not: when each visit starts (the first gap at docks and bays), and what is loaded for which point
(filling.py), given all that was loaded for it before. So every outcome obeys the rules, and what a search varies is
small: who goes where in which order.
"""

from __future__ import annotations

import numpy as np

from .arrays import (
    DROP_STARTS,
    DROPS,
    FIRST_DROP,
    FIRST_LOAD,
    FIRST_STEP,
    FIRST_WISH,
    GIVEN,
    LOAD_STARTS,
    LOADS,
    MOST_LOADS,
    PLANNED,
    RELEASE,
    TIMES_PLANNED,
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
from .promise import drop_kg, is_given, keep, promise, put_aboard, reserve, take
from .restore import reset, reset_touched, serve_node, touch
from .vehicle_queue import pop, push
from .visits import note
from .workspace import TRIP_VISITS, Work

NOTHING, TOO_LATE = -1, -2  # instead of when a load ends


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
        begin += drop_kg(a, w, p, d) * handling
        in_time = most_kg_in(a.deadline - begin - a.fixed[n], a.kg_per_min[s], a.kg_per_min[n])
        most_kg = min(a.payload[v] - kg, in_time)
        if most_kg <= 0.001 * a.payload[v] or not spare_for(a, w, s, n, start, row, stop):
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
def is_held(w: Work, row: Ints, v: int) -> bool:
    """Whether a trip of v waits for when it was planned to start, and takes no more than planned."""
    held: bool = row[PLANNED] == TIMES_PLANNED and (w.loose[v] == 0 or row[GIVEN] > 0)
    return held


@compiled
def load(a: Arrays, w: Work, row: Ints, aims: Table, v: int, stop: int, here: int, free: int) -> int:
    """Time the stop-th load of a trip of v, which stands at `here` from `free` on; its end, NOTHING or TOO_LATE."""
    s = row[FIRST_LOAD + stop]
    leg = a.ways[a.speed[v], here, s]
    arrive = free + leg
    w.load_start[stop] = -1
    if leg >= FAR or arrive >= a.deadline:
        return TOO_LATE
    if stop == 0 and is_given(row):
        arrive = max(arrive, row[GIVEN] - 1)
    least = max(arrive, row[RELEASE]) if stop == 0 else arrive
    promised = 0.0
    for i in range(len(w.picked)):
        promised += w.promised[stop, i] * a.kg[i]
    if promised > 0.0:
        least = max(least, a.step_begin[row[FIRST_STEP + stop]])
    if is_held(w, row, v):
        least = max(least, row[LOAD_STARTS + stop])
    start = earliest(a.manned[s], w.booked[s], least, a.fixed[s] + 1)
    if start >= a.deadline:
        return TOO_LATE
    kg = promised
    if not is_held(w, row, v):
        kg += pick(a, w, row, aims, v, stop, start)
    if kg <= 0:
        return NOTHING
    minutes = max(1, a.fixed[s] + int(np.ceil(kg / a.kg_per_min[s] - 1e-9)))
    start = earliest(a.manned[s], w.booked[s], start, minutes)
    w.load_arrive[stop], w.load_start[stop], w.load_end[stop] = arrive, start, start + minutes
    for i in range(len(w.picked)):
        w.load_units[stop, i] = w.picked[i] + w.promised[stop, i]
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
        wish = row[FIRST_WISH + d * w.cargo.shape[1] + q - a.first_need[p]] if row[PLANNED] else 0
        if wish > 0:
            stop = wish % MOST_LOADS
            h = a.holding_of[row[FIRST_LOAD + stop], i]
            for m in range(row[FIRST_STEP + stop], w.left.shape[1]):
                w.left[h, m] += wish // MOST_LOADS
            w.promised[stop, i] -= wish // MOST_LOADS
            w.load_units[stop, i] -= wish // MOST_LOADS
            units -= wish // MOST_LOADS
        for stop in range(row[LOADS]):
            if units > 0 and w.load_start[stop] >= 0:
                less = min(units, w.load_units[stop, i])
                w.load_units[stop, i] -= less
                units -= less


@compiled
def time_drops(a: Arrays, w: Work, row: Ints, v: int, here: int, free: int) -> tuple[int, int]:
    """Time the drops of a trip, and leave out those that come too late; (where, when) v is free then.

    Of a planned trip none is left out: where is then TOO_LATE.
    """
    for d in range(row[DROPS]):
        n = row[FIRST_DROP + d]
        p = n - a.sources
        w.drop_start[d] = -1
        kg = drop_kg(a, w, p, d)
        if kg == 0.0:
            continue
        leg = a.ways[a.speed[v], here, n]
        arrive = free + leg
        minutes = max(1, a.fixed[n] + int(np.ceil(kg / a.kg_per_min[n] - 1e-9)))
        start = a.deadline + 1
        if leg < FAR and arrive < a.deadline:
            least = max(arrive, a.opens[n])
            if is_held(w, row, v):
                least = max(least, row[DROP_STARTS + d])
            start = earliest(a.manned[n], w.booked[n], least, minutes)
        if start + minutes > a.deadline:
            if row[PLANNED]:
                return TOO_LATE, free
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
                units = w.load_units[stop, a.holding_item[h]] - w.promised[stop, a.holding_item[h]]
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
    """Run a trip of v, free now where it stands; False, and nothing changed, if it brings nothing in time.

    Where what it is planned to take does not come in time, its loads are decided on anew.
    """
    if row[PLANNED] != TIMES_PLANNED:
        w.loose[v] = 1
    if w.visits[v] + row[LOADS] + row[DROPS] > TRIP_VISITS * w.done.shape[1]:
        return False
    if is_given(row):
        reserve(a, w, row, -1)
    done = load_and_drop(a, w, row, aims, v)
    if not done and row[PLANNED]:
        row[PLANNED] = 0
        done = load_and_drop(a, w, row, aims, v)
    return done


@compiled
def load_and_drop(a: Arrays, w: Work, row: Ints, aims: Table, v: int) -> bool:
    """Run a trip of v; False, and nothing changed, if it brings nothing, or not all that was planned."""
    here, free = w.at_node[v], w.free[v]
    for stop in range(row[LOADS]):
        touch(w, row[FIRST_LOAD + stop])
    for d in range(row[DROPS]):
        touch(w, row[FIRST_DROP + d])
    put_aboard(a, w, row)
    good = True
    for stop in range(row[LOADS]):
        end = load(a, w, row, aims, v, stop, here, free)
        if end >= 0:
            here, free = row[FIRST_LOAD + stop], end
        elif end == TOO_LATE and row[PLANNED]:
            good = False
            break
    if good:
        here, free = time_drops(a, w, row, v, here, free)
        good = here >= 0 and purposeful(w, row)
    if not good:
        for d in range(row[DROPS]):
            give_back(a, w, row, d)
        return False
    book_trip(a, w, row, v)
    w.at_node[v], w.free[v] = here, free
    return True


@compiled
def set_out(a: Arrays, w: Work, days: Table, trips: Ints, vehicles: Ints) -> None:
    """All vehicles where they begin, and laid aside for them what they are planned to take."""
    w.heap_size[0] = 0
    w.log.size[0] = 0
    for v in vehicles:
        w.at_node[v], w.free[v], w.trip[v], w.loose[v] = a.start_node[v], a.start_free[v], 0, 0
        w.visits[v] = 0
        for k in range(w.done.shape[1]):
            w.done[v, k] = 0
        push(w.heap, w.heap_size, w.free[v], v)
        for k in range(trips[v]):
            if days[v, k, PLANNED]:
                promise(a, w, days[v, k])


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
    anew: bool,
) -> None:
    """Run the days of `vehicles` among `nodes`; w.score then holds what each point gets, w.done what took place.

    days: [v, trip, …], see arrays.py; trips: [v] number of trips; aims: [p, 3], see filling.py. A trip without sources
    is chosen when its turn comes, and so are, if taste.extend, further trips where a day has room left. anew: `base`
    is another than the last time.
    """
    if anew:
        reset(a, base, w, nodes)
    else:
        reset_touched(a, base, w)
    set_out(a, w, days, trips, vehicles)
    while w.heap_size[0] > 0 and w.halt[0] == 0:
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
            if taste.plan > 0.0:
                keep(a, base, w, days[v, k])
            push(w.heap, w.heap_size, w.free[v], v)
        elif w.trip[v] < trips[v]:
            push(w.heap, w.heap_size, w.free[v], v)
    for k in range(w.touched_count[0]):
        n = w.touched[k]
        if n >= a.sources:
            serve_node(a, base, w, n - a.sources)
