"""The next trip of a free vehicle: the one that brings most for its time.

A trip is judged by worth per minute from where the vehicle stands until it is empty and back at a source. It is
then lengthened by further points while those are worth their time as well.
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
    PLANNED,
    RELEASE,
    Arrays,
    Floats,
    Ints,
    Table,
)
from .berths import earliest
from .compiled import compiled
from .filling import fill, most_kg_in
from .model import FAR
from .neighbours import Ways
from .serving import supportable, worth_of

HOPEFUL = 1.5  # how much more than the best so far a trip is thought to bring at most
BEST, GAIN, KG, M3, END, START = range(6)  # what Work.best holds of the trip being chosen


class Taste(NamedTuple):
    """What the choice of trips prefers; the search varies it."""

    share: float = 0.9  # how much goods count that make no kit whole yet, against those that do
    fade_min: float = 150.0  # so long before the deadline such goods begin to count less
    further: float = 0.7  # a further point is taken along if it brings so much of the rate of the trip
    noise: float = 0.0  # relative, on the rate of every trip
    liking: float = 0.0  # relative, on the worth of all goods for a point
    balance: float = 0.5  # how much more the first units of an item count at a point than its last
    dock: float = 1.0  # how much more a minute of waiting for a dock counts than one of driving
    extend: float = 1.0  # 0: no further trips at the end of a day
    plan: float = 0.0  # 1: what each trip turns out to do becomes what it is planned to do


@compiled
def worth(
    a: Arrays, p: int, sent: Ints, goods: Ints, units: Ints, room: Floats, mix: float, balance: float
) -> float:
    """Weighted people that goods (by need) for point p are worth: `mix` of it by share of their kits, the rest
    by the kits that are whole with them."""
    first, last = a.first_need[p], a.first_need[p + 1]
    people = a.people[p]
    by_share = by_kit = 0.0
    for q in range(first, last):
        more = goods[q - first]
        if more > 0:
            before = min(1.0, sent[q] / a.need_units[q])
            after = min(1.0, (sent[q] + more) / a.need_units[q])
            if a.need_tier[q] == 0:
                by_kit += a.need_worth[q] * (after - before)
                by_share += a.need_worth[q] * (after - before)
            else:
                part = 0.7 if a.need_tier[q] == 1 else 0.3
                after *= 1.0 + balance * (1.0 - after)
                before *= 1.0 + balance * (1.0 - before)
                rise = worth_of(a, after) - worth_of(a, before)
                by_share += a.weight[p] * people * part * a.need_share[q] * rise
    if mix < 1.0 and people > 0:
        for q in range(first, last):
            units[q - first] = sent[q]
        basic, full = supportable(a, p, units, room)
        for q in range(first, last):
            units[q - first] += goods[q - first]
        more_basic, more_full = supportable(a, p, units, room)
        by_kit += (
            a.weight[p] * people * 0.7 * (worth_of(a, more_basic / people) - worth_of(a, basic / people))
        )
        by_kit += a.weight[p] * people * 0.3 * (worth_of(a, more_full / people) - worth_of(a, full / people))
    return mix * by_share + (1.0 - mix) * by_kit


@compiled
def random(rng: Ints) -> float:
    """The next of a sequence of numbers in [0, 1) (xorshift64*, Vigna 2016); rng: its state."""
    x = rng[0]
    x ^= x >> np.uint64(12)
    x ^= x << np.uint64(25)
    x ^= x >> np.uint64(27)
    rng[0] = x
    return float((x * np.uint64(2685821657736338717)) >> np.uint64(11)) / 9007199254740992.0


@compiled
def offer(
    a: Arrays,
    w: Any,
    s: int,
    n: int,
    start: int,
    clock: float,
    aims: Table,
    kg_left: float,
    m3_left: float,
    taste: Taste,
) -> tuple[float, float, float, float]:
    """(worth, kg, m3, when unloaded) of goods from s for node n, reached at `clock`; w.goods are these."""
    p = n - a.sources
    if clock >= a.deadline:
        return 0.0, 0.0, 0.0, 0.0
    begin = float(earliest(a.manned[n], w.booked[n], max(int(clock), a.opens[n]), a.fixed[n] + 1))
    handling = 1 / a.kg_per_min[s] + 1 / a.kg_per_min[n]
    most_kg = min(kg_left, most_kg_in(a.deadline - begin - a.fixed[n], a.kg_per_min[s], a.kg_per_min[n]))
    if most_kg <= 0:
        return 0.0, 0.0, 0.0, 0.0
    any_spare = False
    for q in range(a.first_need[p], a.first_need[p + 1]):
        i = a.need_item[q]
        h = a.holding_of[s, i]
        k = q - a.first_need[p]
        w.spare[k] = 0
        if h >= 0 and w.sent[q] < a.need_units[q]:
            units = max(0, w.left[h, a.step_of[start]] - w.picked[i])
            w.spare[k] = units if a.pack[i] == 1 else units // a.pack[i] * a.pack[i]
            any_spare = any_spare or w.spare[k] > 0
    if not any_spare:
        return 0.0, 0.0, 0.0, 0.0
    kg, m3 = fill(a, p, aims[p], w.sent, w.spare, most_kg, m3_left, int(begin) + a.fixed[n], w.goods)
    if kg <= 0.0:
        return 0.0, 0.0, 0.0, 0.0
    end = begin + a.fixed[n] + kg * handling
    if a.people[p] > 0 and a.pace[p] * (a.deadline - end) < 1.0:
        return 0.0, 0.0, 0.0, 0.0
    mix = taste.share * max(0.0, min(1.0, (a.deadline - end) / taste.fade_min))
    return w.liking[p] * worth(a, p, w.sent, w.goods, w.units, w.room, mix, taste.balance), kg, m3, end


@compiled
def choose(a: Arrays, w: Any, v: int, aims: Table, net: Ways, taste: Taste, row: Ints) -> bool:
    """Write the best trip of vehicle v, free now where it stands, into `row`; False if none brings anything."""
    free, here, ways = w.free[v], w.at_node[v], a.ways[a.speed[v]]
    w.best[BEST] = w.best[GAIN] = 0.0
    for c in range(net.around.shape[1]):
        s = net.around[here, c]
        if s < 0:
            break
        arrive = free + ways[here, s]
        if not w.inside[s] or ways[here, s] >= FAR or arrive >= a.deadline:
            continue
        start = earliest(a.manned[s], w.booked[s], arrive, a.fixed[s] + 1)
        if start < a.deadline:
            begun = free - taste.dock * (start - arrive)
            best_from(a, w, v, s, start, 0, begun, aims, net, taste, row)
            release = next_release(a, net, s, start)
            if release < a.deadline:  # or wait for what comes in next
                then = earliest(a.manned[s], w.booked[s], release, a.fixed[s] + 1)
                if then < a.deadline:
                    best_from(a, w, v, s, then, release, begun, aims, net, taste, row)
    if w.best[BEST] <= 0.0:
        return False
    lengthen(a, w, v, aims, net, taste, row)
    return True


@compiled
def next_release(a: Arrays, net: Ways, s: int, minute: int) -> int:
    """The next minute after `minute` at which goods come in at source s; the deadline if none do."""
    release: int = a.deadline
    for k in range(net.releases.shape[1] - 1, -1, -1):
        if net.releases[s, k] > minute:
            release = net.releases[s, k]
    return release


@compiled
def best_from(
    a: Arrays,
    w: Any,
    v: int,
    s: int,
    start: int,
    release: int,
    begun: float,
    aims: Table,
    net: Ways,
    taste: Taste,
    row: Ints,
) -> None:
    """Write the best trip of v with a load at s from `start` into `row`, if it betters the best so far."""
    ways = a.ways[a.speed[v]]
    most = 0.0  # worth of any load that has been looked at
    for k in range(net.near.shape[1]):
        n = net.near[s, k]
        if n < 0:
            break
        if not w.inside[n] or a.size[v] > a.max_size[n] or ways[s, n] >= FAR:
            continue
        clock = float(start + a.fixed[s] + ways[s, n])
        if HOPEFUL * max(most, w.best[GAIN]) < w.best[BEST] * (clock + a.fixed[n] - begun):
            break  # those further away would have to bring far more
        gain, kg, m3, end = offer(a, w, s, n, start, clock, aims, a.payload[v], a.volume[v], taste)
        if gain <= 0.0:
            continue
        most = max(most, gain)
        rate = gain / (end + w.back[a.speed[v], n] - begun)
        if taste.noise > 0.0:
            rate *= 1.0 + taste.noise * (2.0 * random(w.rng) - 1.0)
        if rate > w.best[BEST]:
            w.best[BEST], w.best[GAIN], w.best[KG], w.best[M3], w.best[END] = rate, gain, kg, m3, end
            w.best[START] = start
            row[RELEASE], row[LOADS], row[FIRST_LOAD], row[DROPS], row[FIRST_DROP] = release, 1, s, 1, n
            row[PLANNED] = 0
            for j in range(len(w.goods)):
                w.best_goods[j] = w.goods[j]


@compiled
def number(small: int) -> int:
    """The same number in 64 bits: a function is compiled anew for each width it is called with."""
    return int(np.int64(small))


@compiled
def lengthen(a: Arrays, w: Any, v: int, aims: Table, net: Ways, taste: Taste, row: Ints) -> None:
    """Take further points along while there is room, and they bring enough for their time."""
    rate = w.best[BEST]
    for i in range(len(w.picked)):
        w.picked[i] = 0
    take_along(a, w, number(row[FIRST_DROP]), w.best_goods)
    while row[DROPS] < MOST_DROPS:
        n = best_further(a, w, v, rate * taste.further, aims, net, taste, row)
        if n < 0:
            break
        take_along(a, w, n, w.best_goods)
        row[FIRST_DROP + row[DROPS]] = n
        row[DROPS] += 1
    for i in range(len(w.picked)):
        w.picked[i] = 0


@compiled
def best_further(
    a: Arrays, w: Any, v: int, least: float, aims: Table, net: Ways, taste: Taste, row: Ints
) -> int:
    """The point that brings most for its time at the end of the trip in `row`, at least `least` a minute, or −1.

    w.best then tells of the trip with it, w.best_goods are the goods for it.
    """
    ways = a.ways[a.speed[v]]
    s = number(row[FIRST_LOAD])
    here = number(row[FIRST_DROP + row[DROPS] - 1])
    end, kg, m3 = w.best[END], w.best[KG], w.best[M3]
    kg_left, m3_left = a.payload[v] - kg, a.volume[v] - m3
    best_n = number(-1)
    if kg_left < 0.03 * a.payload[v] or m3_left < 0.03 * a.volume[v]:
        return best_n
    for k in range(net.beside.shape[1]):
        n = net.beside[here, k]
        if n < 0:
            break
        if not w.inside[n] or a.size[v] > a.max_size[n] or ways[here, n] >= FAR or visits(row, n):
            continue
        clock = end + ways[here, n]
        gain, more_kg, more_m3, then = offer(
            a, w, s, n, int(w.best[START]), clock, aims, kg_left, m3_left, taste
        )
        minutes = max(1.0, then - end + w.back[a.speed[v], n] - w.back[a.speed[v], here])
        if gain > least * minutes:
            least, best_n = gain / minutes, n
            w.best[KG], w.best[M3], w.best[END] = kg + more_kg, m3 + more_m3, then
            for j in range(len(w.goods)):
                w.best_goods[j] = w.goods[j]
    return best_n


@compiled
def visits(row: Ints, n: int) -> bool:
    """Whether a trip has a drop at node n."""
    for d in range(row[DROPS]):  # noqa: SIM110 (numba knows no generators)
        if row[FIRST_DROP + d] == n:
            return True
    return False


@compiled
def take_along(a: Arrays, w: Any, n: int, goods: Ints) -> None:
    """Count goods for node n as picked, by item."""
    p = n - a.sources
    for q in range(a.first_need[p], a.first_need[p + 1]):
        w.picked[a.need_item[q]] += goods[q - a.first_need[p]]
