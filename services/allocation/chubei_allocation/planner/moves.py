"""Small changes to vehicle days: what one step of the search tries."""

from __future__ import annotations

import math

from .arrays import (
    DROPS,
    FIRST_DROP,
    FIRST_LOAD,
    GIVEN,
    LOADS,
    LOADS_PLANNED,
    MOST_DROPS,
    MOST_LOADS,
    PLANNED,
    RELEASE,
    Arrays,
    Ints,
)
from .choose import random
from .compiled import compiled
from .days import Days, copy_trip, swap_trips
from .neighbours import Ways
from .workspace import Work


@compiled
def below(rng: Ints, n: int) -> int:
    """A random whole number in [0, n)."""
    return int(random(rng) * n)


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
def loosen(row: Ints) -> None:
    """Let a trip start when it can."""
    row[PLANNED] = min(row[PLANNED], LOADS_PLANNED)


@compiled
def insert(days: Days, v: int, k: int) -> bool:
    """Make room for a trip as the k-th of v."""
    if days.trips[v] >= days.rows.shape[1]:
        return False
    for m in range(days.trips[v], k, -1):
        copy_trip(days.rows[v, m - 1], days.rows[v, m])
    days.trips[v] += 1
    return True


@compiled
def delete(days: Days, v: int, k: int) -> None:
    """Take the k-th trip out of v's day."""
    for m in range(k, days.trips[v] - 1):
        copy_trip(days.rows[v, m + 1], days.rows[v, m])
    days.trips[v] -= 1
    if k < days.trips[v] and not days.rows[v, k, GIVEN]:
        loosen(days.rows[v, k])


@compiled
def suit(a: Arrays, before: int, now: int, row: Ints) -> None:
    """Plan the loads of a trip anew if its new vehicle has less room than the one before."""
    if a.payload[now] < a.payload[before] or a.volume[now] < a.volume[before]:
        row[PLANNED] = 0
    loosen(row)


@compiled
def swap_rows(days: Days, v: int, k: int, v2: int, k2: int) -> None:
    swap_trips(days.rows[v, k], days.rows[v2, k2])


@compiled
def swap_tails(a: Arrays, days: Days, v: int, k: int, v2: int, k2: int) -> bool:
    """Exchange what follows trip k of v with what follows trip k2 of v2."""
    tail, tail2 = days.trips[v] - k, days.trips[v2] - k2
    if k + tail2 > days.rows.shape[1] or k2 + tail > days.rows.shape[1]:
        return False
    for m in range(max(tail, tail2)):
        if k + m < days.rows.shape[1] and k2 + m < days.rows.shape[1]:
            swap_rows(days, v, k + m, v2, k2 + m)
    days.trips[v], days.trips[v2] = k + tail2, k2 + tail
    for m in range(k, days.trips[v]):
        suit(a, v2, v, days.rows[v, m])
    for m in range(k2, days.trips[v2]):
        suit(a, v, v2, days.rows[v2, m])
    return True


@compiled
def fits(a: Arrays, v: int, row: Ints) -> bool:
    """Whether v gets through to all points of a trip."""
    for d in range(row[DROPS]):  # noqa: SIM110 (numba knows no generators)
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
    row[PLANNED] = 0
    return True


@compiled
def cut_drop(days: Days, v: int, k: int, rng: Ints) -> bool:
    row = days.rows[v, k]
    if row[DROPS] < 2:
        return False
    for d in range(below(rng, row[DROPS]), row[DROPS] - 1):
        row[FIRST_DROP + d] = row[FIRST_DROP + d + 1]
    row[DROPS] -= 1
    row[PLANNED] = 0
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
    row[PLANNED] = 0
    return True


@compiled
def cut_source(days: Days, v: int, k: int, rng: Ints) -> bool:
    row = days.rows[v, k]
    if row[LOADS] < 2:
        return False
    for n in range(below(rng, row[LOADS]), row[LOADS] - 1):
        row[FIRST_LOAD + n] = row[FIRST_LOAD + n + 1]
    row[LOADS] -= 1
    row[PLANNED] = 0
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
    release = ways.releases[s, below(rng, ways.releases.shape[1])] if random(rng) < 0.3 else 0
    row[RELEASE], row[LOADS], row[FIRST_LOAD], row[DROPS], row[FIRST_DROP] = release, 1, s, 1, n
    row[PLANNED] = 0
    return True


@compiled
def open_trip(days: Days, v: int, k: int) -> None:
    """Leave it to the simulation which trip v makes as its k-th."""
    days.rows[v, k, LOADS] = days.rows[v, k, PLANNED] = 0


@compiled
def open_some(days: Days, vehicles: Ints, v: int, k: int, rng: Ints) -> None:
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
def change(  # noqa: C901 (a table of moves)
    a: Arrays, w: Work, days: Days, vehicles: Ints, v: int, k: int, ways: Ways, rng: Ints
) -> bool:
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
        row[PLANNED] = 0
        return True
    if kind < 0.26:  # another source
        s = pick_source(
            w, ways, row[FIRST_DROP + row[DROPS] - 1] if random(rng) < 0.5 else row[FIRST_LOAD], rng
        )
        at = below(rng, row[LOADS])
        if s < 0 or row[FIRST_LOAD + at] == s:
            return False
        row[FIRST_LOAD + at] = s
        row[RELEASE] = row[PLANNED] = 0
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
        suit(a, v, v2, days.rows[v2, k2])
        return True
    if kind < 0.42:  # with another trip
        v2, k2 = pick_trip(days, vehicles, rng)
        if k2 < 0 or (v == v2 and k == k2) or not fits(a, v2, row) or not fits(a, v, days.rows[v2, k2]):
            return False
        swap_rows(days, v, k, v2, k2)
        suit(a, v, v2, days.rows[v2, k2])
        suit(a, v2, v, days.rows[v, k])
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
        loosen(row)
        return True
    v2, k2 = pick_trip(days, vehicles, rng)
    if k2 < 0 or v2 == v or a.size[v] != a.size[v2]:
        return False
    return swap_tails(a, days, v, k, v2, k2)


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
        if random(rng) < 0.5:
            return new_trip(a, w, days, v, 0, ways, rng), False
        return True, True
    kind = random(rng)
    if kind < 0.85:
        return change(a, w, days, vehicles, v, k, ways, rng), False
    if kind < 0.90:
        p = days.rows[v, k, FIRST_DROP] - a.sources
        other_aim(a, days, p, rng)
        return True, False
    if kind < 0.92:
        open_some(days, vehicles, v, k, rng)
        return True, True
    cut_tails(days, vehicles, v, k, rng)
    return True, True
