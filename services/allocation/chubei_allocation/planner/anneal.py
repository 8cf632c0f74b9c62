"""Making days better: simulated annealing over who goes where in which order (Kirkpatrick et al. 1983).

A move changes a trip or two, or opens the rest of some days to be chosen anew; the simulation tells what comes of
it. Worse outcomes are taken with a probability that falls as the search cools.
"""

from __future__ import annotations

import math
from typing import NamedTuple

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
    Floats,
    Ints,
    Table,
)
from .choose import Taste, random
from .neighbours import Ways
from .compiled import compiled
from .serving import worth_of
from .simulate import Work, simulate


PLAIN = Taste()
CLOSED = Taste(extend=0.0)  # days as they stand


class Days(NamedTuple):
    """What the search varies."""

    rows: Table  # [v, trip, TRIP_WIDTH]
    trips: Ints  # [v]
    aims: Table  # [p, 3] order of stages (1: everyone supported before anyone is settled), people to serve by tier


class Aim(NamedTuple):
    """What the search raises: utility − wait · (mean wait / deadline) + hope · (utility if kits were shares)."""

    wait: float
    hope: float


@compiled
def below(rng: Ints, n: int) -> int:
    """A random whole number in [0, n)."""
    return int(random(rng) * n)


@compiled
def copy_days(a: Days, b: Days, vehicles: Ints, nodes: Ints, sources: int) -> None:
    """Make b the same as a, as far as these vehicles and nodes go."""
    for v in vehicles:
        b.trips[v] = a.trips[v]
        for k in range(a.trips[v]):
            for j in range(TRIP_WIDTH):
                b.rows[v, k, j] = a.rows[v, k, j]
    for n in nodes:
        if n >= sources:
            for j in range(3):
                b.aims[n - sources, j] = a.aims[n - sources, j]


@compiled
def merit(a: Arrays, w: Work, nodes: Ints, aim: Aim) -> float:
    """The aim's value for the last simulation, in weighted people, over the points among `nodes`."""
    total = hope = waited = 0.0
    for n in nodes:
        if n < a.sources:
            continue
        p = n - a.sources
        total += w.score[p, 0]
        waited += w.score[p, 1]
        if aim.hope > 0.0 and a.people[p] > 0:
            for q in range(a.first_need[p], a.first_need[p + 1]):
                if a.need_tier[q] > 0:
                    part = 0.7 if a.need_tier[q] == 1 else 0.3
                    share = min(1.0, w.sent[q] / a.need_units[q])
                    hope += a.weight[p] * a.people[p] * part * a.need_share[q] * worth_of(a, share)
    return total + aim.hope * hope - aim.wait * waited / a.deadline


@compiled
def pick_trip(days: Days, vehicles: Ints, rng: Ints) -> tuple[int, int]:
    """A random trip (v, k) of all, or (v, -1) if a vehicle without any was hit."""
    v = vehicles[below(rng, len(vehicles))]
    if days.trips[v] == 0:
        return v, -1
    return v, below(rng, days.trips[v])


@compiled
def pick_point(a: Arrays, w: Work, ways: Ways, s: int, size: float, rng: Ints) -> int:
    """A random point near source s that takes vehicles of this size; of two, the one that lacks more. -1: none."""
    best, lacking = -1, -1.0
    count = 0
    while count < ways.near.shape[1] and ways.near[s, count] >= 0:
        count += 1
    for _ in range(2):
        if count == 0:
            break
        n = ways.near[s, int(count * random(rng) ** 1.5)]
        p = n - a.sources
        if size > a.max_size[n] or not w.inside[n]:
            continue
        lack = a.people[p] * a.weight[p] - w.score[p, 0] + 1e-3
        if lack > lacking:
            best, lacking = n, lack
    return best


@compiled
def pick_source(w: Work, ways: Ways, n: int, rng: Ints) -> int:
    """A random source near node n, or -1."""
    count = 0
    while count < ways.around.shape[1] and ways.around[n, count] >= 0:
        count += 1
    if count == 0:
        return -1
    s = ways.around[n, int(count * random(rng) ** 1.5)]
    return s if w.inside[s] else -1


@compiled
def insert(days: Days, v: int, k: int) -> bool:
    """Make room for a trip as the k-th of v."""
    if days.trips[v] >= days.rows.shape[1]:
        return False
    for m in range(days.trips[v], k, -1):
        for j in range(TRIP_WIDTH):
            days.rows[v, m, j] = days.rows[v, m - 1, j]
    days.trips[v] += 1
    return True


@compiled
def delete(days: Days, v: int, k: int) -> None:
    """Take the k-th trip out of v's day."""
    for m in range(k, days.trips[v] - 1):
        for j in range(TRIP_WIDTH):
            days.rows[v, m, j] = days.rows[v, m + 1, j]
    days.trips[v] -= 1


@compiled
def swap_rows(days: Days, v: int, k: int, v2: int, k2: int) -> None:
    for j in range(TRIP_WIDTH):
        days.rows[v, k, j], days.rows[v2, k2, j] = days.rows[v2, k2, j], days.rows[v, k, j]


@compiled
def swap_tails(days: Days, v: int, k: int, v2: int, k2: int) -> bool:
    """Exchange what follows trip k of v with what follows trip k2 of v2."""
    tail, tail2 = days.trips[v] - k, days.trips[v2] - k2
    if k + tail2 > days.rows.shape[1] or k2 + tail > days.rows.shape[1]:
        return False
    for m in range(max(tail, tail2)):
        if k + m < days.rows.shape[1] and k2 + m < days.rows.shape[1]:
            swap_rows(days, v, k + m, v2, k2 + m)
    days.trips[v], days.trips[v2] = k + tail2, k2 + tail
    return True


@compiled
def fits(a: Arrays, v: int, row: Ints) -> bool:
    """Whether v gets through to all points of a trip."""
    for d in range(row[DROPS]):
        if a.size[v] > a.max_size[row[FIRST_DROP + d]]:
            return False
    return True


@compiled
def add_drop(a: Arrays, w: Work, days: Days, v: int, k: int, ways: Ways, rng: Ints) -> bool:
    row = days.rows[v, k]
    if row[DROPS] >= MOST_DROPS:
        return False
    n = pick_point(a, w, ways, row[FIRST_LOAD], a.size[v], rng)
    if n < 0:
        return False
    for d in range(row[DROPS]):
        if row[FIRST_DROP + d] == n:
            return False
    at = below(rng, row[DROPS] + 1)
    for d in range(row[DROPS], at, -1):
        row[FIRST_DROP + d] = row[FIRST_DROP + d - 1]
    row[FIRST_DROP + at] = n
    row[DROPS] += 1
    return True


@compiled
def cut_drop(days: Days, v: int, k: int, rng: Ints) -> bool:
    row = days.rows[v, k]
    if row[DROPS] < 2:
        return False
    for d in range(below(rng, row[DROPS]), row[DROPS] - 1):
        row[FIRST_DROP + d] = row[FIRST_DROP + d + 1]
    row[DROPS] -= 1
    return True


@compiled
def add_source(w: Work, days: Days, v: int, k: int, ways: Ways, rng: Ints) -> bool:
    row = days.rows[v, k]
    if row[LOADS] >= MOST_LOADS:
        return False
    s = pick_source(w, ways, row[FIRST_LOAD], rng)
    for n in range(row[LOADS]):
        if row[FIRST_LOAD + n] == s or s < 0:
            return False
    at = below(rng, row[LOADS] + 1)
    for n in range(row[LOADS], at, -1):
        row[FIRST_LOAD + n] = row[FIRST_LOAD + n - 1]
    row[FIRST_LOAD + at] = s
    row[LOADS] += 1
    return True


@compiled
def cut_source(days: Days, v: int, k: int, rng: Ints) -> bool:
    row = days.rows[v, k]
    if row[LOADS] < 2:
        return False
    for n in range(below(rng, row[LOADS]), row[LOADS] - 1):
        row[FIRST_LOAD + n] = row[FIRST_LOAD + n + 1]
    row[LOADS] -= 1
    return True


@compiled
def new_trip(a: Arrays, w: Work, days: Days, v: int, k: int, ways: Ways, rng: Ints) -> bool:
    """Put a random trip in as the k-th of v."""
    here = a.start_node[v]
    if k > 0:
        before = days.rows[v, k - 1]
        here = before[FIRST_DROP + before[DROPS] - 1]
    s = pick_source(w, ways, here, rng)
    if s < 0:
        return False
    n = pick_point(a, w, ways, s, a.size[v], rng)
    if n < 0 or not insert(days, v, k):
        return False
    row = days.rows[v, k]
    row[RELEASE], row[LOADS], row[FIRST_LOAD], row[DROPS], row[FIRST_DROP] = 0, 1, s, 1, n
    return True


@compiled
def open_trip(days: Days, v: int, k: int) -> None:
    """Leave it to the simulation which trip v makes as its k-th."""
    days.rows[v, k, LOADS] = 0


@compiled
def open_some(a: Arrays, days: Days, vehicles: Ints, v: int, k: int, rng: Ints) -> None:
    """Open the k-th trip of v, and a few others: the next ones, those to the same point, or any."""
    row = days.rows[v, k]
    n = row[FIRST_DROP]
    kind = below(rng, 4)
    if kind == 0:
        for m in range(k, min(days.trips[v], k + 1 + below(rng, 3))):
            open_trip(days, v, m)
    elif kind == 1:
        for u in vehicles:
            for m in range(days.trips[u]):
                for d in range(days.rows[u, m, DROPS]):
                    if days.rows[u, m, FIRST_DROP + d] == n and random(rng) < 0.6:
                        open_trip(days, u, m)
    elif kind == 2:
        for _ in range(1 + below(rng, 4)):
            u, m = pick_trip(days, vehicles, rng)
            if m >= 0:
                open_trip(days, u, m)
    open_trip(days, v, k)


@compiled
def cut_tails(days: Days, vehicles: Ints, v: int, k: int, rng: Ints) -> None:
    """Open the rest of the day of v, and now and then of another."""
    part = k / days.trips[v]
    days.trips[v] = k
    if random(rng) < 0.1:
        u = vehicles[below(rng, len(vehicles))]
        days.trips[u] = min(days.trips[u], int(part * days.trips[u] + random(rng)))


@compiled
def change(a: Arrays, w: Work, days: Days, vehicles: Ints, v: int, k: int, ways: Ways, rng: Ints) -> bool:
    """One small change at random to the k-th trip of v; whether anything changed."""
    row = days.rows[v, k]
    kind = random(rng)
    if kind < 0.16:  # another point
        n = pick_point(a, w, ways, row[FIRST_LOAD], a.size[v], rng)
        if n < 0:
            return False
        for d in range(row[DROPS]):
            if row[FIRST_DROP + d] == n:
                return False
        row[FIRST_DROP + below(rng, row[DROPS])] = n
        return True
    if kind < 0.26:  # another source
        s = pick_source(
            w, ways, row[FIRST_DROP + row[DROPS] - 1] if random(rng) < 0.5 else row[FIRST_LOAD], rng
        )
        at = below(rng, row[LOADS])
        if s < 0 or row[FIRST_LOAD + at] == s:
            return False
        row[FIRST_LOAD + at] = s
        row[RELEASE] = 0
        return True
    if kind < 0.34:  # to another place
        v2 = vehicles[below(rng, len(vehicles))]
        k2 = below(rng, days.trips[v2] + 1)
        if not fits(a, v2, row) or not insert(days, v2, k2):
            return False
        if v2 == v and k2 <= k:
            k += 1
        swap_rows(days, v, k, v2, k2)
        delete(days, v, k)
        return True
    if kind < 0.42:  # with another trip
        v2, k2 = pick_trip(days, vehicles, rng)
        if k2 < 0 or (v == v2 and k == k2) or not fits(a, v2, row) or not fits(a, v, days.rows[v2, k2]):
            return False
        swap_rows(days, v, k, v2, k2)
        return True
    if kind < 0.58:
        return add_drop(a, w, days, v, k, ways, rng)
    if kind < 0.68:
        return cut_drop(days, v, k, rng)
    if kind < 0.77:
        return add_source(w, days, v, k, ways, rng)
    if kind < 0.81:
        return cut_source(days, v, k, rng)
    if kind < 0.88:
        return new_trip(a, w, days, v, below(rng, days.trips[v] + 1), ways, rng)
    if kind < 0.92:
        delete(days, v, k)
        return True
    if kind < 0.95:  # leave for its first source not before some goods come in there
        s = row[FIRST_LOAD]
        at = below(rng, ways.releases.shape[1] + 1)
        row[RELEASE] = 0 if at == ways.releases.shape[1] else ways.releases[s, at]
        return True
    v2, k2 = pick_trip(days, vehicles, rng)
    if k2 < 0 or v2 == v or a.size[v] != a.size[v2]:
        return False
    return swap_tails(days, v, k, v2, k2)


@compiled
def other_aim(a: Arrays, days: Days, p: int, rng: Ints) -> None:
    """Another order of stages at point p, or another number of people to serve at a tier."""
    kind = below(rng, 3)
    if kind == 0:
        days.aims[p, 0] = 1 - days.aims[p, 0]
        return
    people = a.people[p]
    to = below(rng, 4)
    if to == 0:
        days.aims[p, kind] = people
    elif to == 1:
        days.aims[p, kind] = math.ceil(people * a.half)
    else:
        near_by = days.aims[p, kind] + int(people * 0.3 * (random(rng) - 0.5))
        days.aims[p, kind] = max(0, min(people, near_by))


@compiled
def move(a: Arrays, w: Work, days: Days, vehicles: Ints, ways: Ways, rng: Ints) -> tuple[bool, bool]:
    """Change the days at random; (whether anything changed, whether days are open at the end)."""
    v, k = pick_trip(days, vehicles, rng)
    if k < 0:
        return True, True
    kind = random(rng)
    if kind < 0.85:
        return change(a, w, days, vehicles, v, k, ways, rng), False
    if kind < 0.90:
        p = days.rows[v, k, FIRST_DROP] - a.sources
        other_aim(a, days, p, rng)
        return True, False
    if kind < 0.92:
        open_some(a, days, vehicles, v, k, rng)
        return True, True
    cut_tails(days, vehicles, v, k, rng)
    return True, True


@compiled
def any_taste(a: Arrays, w: Work, nodes: Ints, rng: Ints) -> Taste:
    """A taste at random, and likings of points by it."""
    strength = 0.2 * random(rng) ** 2
    for n in nodes:
        if n >= a.sources:
            w.liking[n - a.sources] = math.exp(strength * (2.0 * random(rng) - 1.0))
    return Taste(
        share=0.85 + 0.1 * random(rng),
        fade_min=125.0 + 50.0 * random(rng),
        further=0.5 + 0.4 * random(rng),
        noise=0.3 * random(rng),
        liking=strength,
        extend=1.0,
    )


@compiled
def clean(w: Work, days: Days, vehicles: Ints) -> None:
    """Take out the trips that did not take place in the last simulation."""
    for v in vehicles:
        kept = 0
        for k in range(days.trips[v]):
            if w.done[v, k]:
                if kept < k:
                    for j in range(TRIP_WIDTH):
                        days.rows[v, kept, j] = days.rows[v, k, j]
                kept += 1
        days.trips[v] = kept


@compiled
def anneal(
    a: Arrays,
    base: Base,
    w: Work,
    now: Days,
    trial: Days,
    best: Days,
    vehicles: Ints,
    nodes: Ints,
    ways: Ways,
    aim: Aim,
    moves: int,
    temperature: float,
) -> tuple[float, float]:
    """So many moves from `now` at a temperature (in weighted people); the values of now and of best afterwards.

    Only days of `vehicles` and aims of points among `nodes` change, in now and, if something better is found, best.
    """
    here = top = -1e300
    taste = any_taste(a, w, nodes, w.rng)
    for m in range(-2, moves):  # first the values of best and of now
        copy_days(best if m == -2 else now, trial, vehicles, nodes, a.sources)
        changed, opened = (True, False) if m < 0 else move(a, w, trial, vehicles, ways, w.rng)
        if not changed:
            continue
        if opened:
            taste = any_taste(a, w, nodes, w.rng)
        simulate(
            a,
            base,
            w,
            trial.rows,
            trial.trips,
            trial.aims,
            vehicles,
            nodes,
            ways,
            taste if opened else CLOSED,
        )
        value = merit(a, w, nodes, aim)
        if m == -2:
            top = value
        elif m == -1 or value >= here or random(w.rng) < math.exp((value - here) / temperature):
            here = value
            clean(w, trial, vehicles)
            copy_days(trial, now, vehicles, nodes, a.sources)
            if value > top:
                top = value
                copy_days(now, best, vehicles, nodes, a.sources)
    return here, top


def make_days(a: Arrays, most_trips: int) -> Days:
    """Empty days."""
    vehicles, points = len(a.start_node), len(a.people)
    return Days(
        np.zeros((vehicles, most_trips, TRIP_WIDTH), dtype=np.int32),
        np.zeros(vehicles, dtype=np.int64),
        np.stack([np.zeros(points, dtype=np.int64), a.people, a.people], axis=1),
    )
