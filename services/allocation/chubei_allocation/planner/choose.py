"""The next trip of a free vehicle: the one that brings most for its time.

A trip is judged by worth per minute from where the vehicle stands until it is empty and back at a source. It is
then lengthened by further points while those are worth their time as well.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from .arrays import DROPS, FIRST_DROP, FIRST_LOAD, LOADS, MOST_DROPS, RELEASE, Arrays
from .arrays import Floats, Ints, Table
from .berths import earliest
from .compiled import compiled
from .filling import fill
from .model import FAR
from .neighbours import Ways
from .serving import supportable, worth_of

LEAST_MIN = 25  # no trip takes less


class Taste(NamedTuple):
    """What the choice of trips prefers; the search varies it."""

    share: float = 0.9  # how much goods count that make no kit whole yet, against those that do
    fade_min: float = 150.0  # so long before the deadline such goods begin to count less
    further: float = 0.7  # a further point is taken along if it brings so much of the rate of the trip
    noise: float = 0.0  # relative, on the rate of every trip
    liking: float = 0.0  # relative, on the worth of all goods for a point
    extend: float = 1.0  # 0: no further trips at the end of a day


@compiled
def worth(a: Arrays, p: int, sent: Ints, goods: Ints, units: Ints, mix: float) -> float:
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
                rise = worth_of(a, after) - worth_of(a, before)
                by_share += a.weight[p] * people * part * a.need_share[q] * rise
    if mix < 1.0 and people > 0:
        for tier in (1, 2):
            part = 0.7 if tier == 1 else 0.3
            for q in range(first, last):
                units[q - first] = sent[q]
            before = supportable(a, p, tier, units) / people
            for q in range(first, last):
                units[q - first] += goods[q - first]
            after = supportable(a, p, tier, units) / people
            by_kit += a.weight[p] * people * part * (worth_of(a, after) - worth_of(a, before))
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
    """(worth, kg, m3, when unloaded) of goods from s for node n if the way to n begins at `clock`; w.goods are these."""
    p = n - a.sources
    if clock >= a.deadline:
        return 0.0, 0.0, 0.0, 0.0
    begin = float(earliest(a.manned[n], w.booked[n], max(int(clock), a.opens[n]), a.fixed[n] + 10))
    handling = 1 / a.kg_per_min[s] + 1 / a.kg_per_min[n]
    most_kg = min(kg_left, (a.deadline - begin - a.fixed[n] - 1) / handling)
    if most_kg <= 0:
        return 0.0, 0.0, 0.0, 0.0
    any_spare = False
    for q in range(a.first_need[p], a.first_need[p + 1]):
        i = a.need_item[q]
        h = a.holding_of[s, i]
        k = q - a.first_need[p]
        w.spare[k] = 0
        if h >= 0 and w.sent[q] < a.need_units[q]:
            units = max(0, w.left[h, start // a.cell] - w.picked[i])
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
    return w.liking[p] * worth(a, p, w.sent, w.goods, w.units, mix), kg, m3, end


@compiled
def choose(a: Arrays, w: Any, v: int, aims: Table, net: Ways, taste: Taste, row: Ints) -> bool:
    """Write the best trip of vehicle v, free now where it stands, into `row`; False if none brings anything."""
    free, here, ways = w.free[v], w.at_node[v], a.ways[a.speed[v]]
    best = 0.0
    best_rate = 0.0
    for c in range(net.around.shape[1]):
        s = net.around[here, c]
        if s < 0:
            break
        arrive = free + ways[here, s]
        if not w.inside[s] or ways[here, s] >= FAR or arrive + LEAST_MIN >= a.deadline:
            continue
        start = earliest(a.manned[s], w.booked[s], arrive, a.fixed[s] + 5)
        if start + LEAST_MIN >= a.deadline:
            continue
        for k in range(net.near.shape[1]):
            n = net.near[s, k]
            if n < 0:
                break
            if not w.inside[n] or a.size[v] > a.max_size[n] or ways[s, n] >= FAR:
                continue
            clock = float(start + a.fixed[s] + 1 + ways[s, n])
            gain, kg, m3, end = offer(a, w, s, n, start, clock, aims, a.payload[v], a.volume[v], taste)
            if gain <= 0.0:
                continue
            rate = gain / (end + w.back[a.speed[v], n] - free)
            if taste.noise > 0.0:
                rate *= 1.0 + taste.noise * (2.0 * random(w.rng) - 1.0)
            if rate > best:
                best, best_rate = rate, gain / (end + w.back[a.speed[v], n] - free)
                row[RELEASE], row[LOADS], row[FIRST_LOAD], row[DROPS], row[FIRST_DROP] = 0, 1, s, 1, n
                w.best[0], w.best[1], w.best[2], w.best[3] = kg, m3, end, start
                # the goods of the best, for what is left for further points
                for j in range(a.first_need[n - a.sources + 1] - a.first_need[n - a.sources]):
                    w.best_goods[j] = w.goods[j]
    if best <= 0.0:
        return False
    lengthen(a, w, v, aims, net, best_rate, taste, row)
    return True


@compiled
def lengthen(a: Arrays, w: Any, v: int, aims: Table, net: Ways, rate: float, taste: Taste, row: Ints) -> None:
    """Take further points along while there is room, and they bring enough for their time."""
    ways = a.ways[a.speed[v]]
    s = np.int64(row[FIRST_LOAD])
    kg, m3, end, start = w.best[0], w.best[1], w.best[2], int(w.best[3])
    for i in range(len(w.picked)):
        w.picked[i] = 0
    take_along(a, w, np.int64(row[FIRST_DROP]), w.best_goods)
    while row[DROPS] < MOST_DROPS:
        here = np.int64(row[FIRST_DROP + row[DROPS] - 1])
        kg_left, m3_left = a.payload[v] - kg, a.volume[v] - m3
        if kg_left < 0.03 * a.payload[v] or m3_left < 0.03 * a.volume[v]:
            break
        best, best_n = rate * taste.further, np.int64(-1)
        for k in range(net.near.shape[1]):
            n = net.near[s, k]
            if n < 0:
                break
            if not w.inside[n] or a.size[v] > a.max_size[n] or ways[here, n] >= FAR:
                continue
            twice = False
            for d in range(row[DROPS]):
                twice = twice or row[FIRST_DROP + d] == n
            if twice:
                continue
            gain, more_kg, more_m3, then = offer(
                a, w, s, n, start, end + ways[here, n], aims, kg_left, m3_left, taste
            )
            if gain <= 0.0:
                continue
            minutes = then - end + w.back[a.speed[v], n] - w.back[a.speed[v], here]
            if gain > best * max(1.0, minutes):
                best, best_n = gain / max(1.0, minutes), n
                w.best[4], w.best[5], w.best[6] = more_kg, more_m3, then
                for j in range(a.first_need[n - a.sources + 1] - a.first_need[n - a.sources]):
                    w.best_goods[j] = w.goods[j]
        if best_n < 0:
            break
        kg, m3, end = kg + w.best[4], m3 + w.best[5], w.best[6]
        take_along(a, w, best_n, w.best_goods)
        row[FIRST_DROP + row[DROPS]] = best_n
        row[DROPS] += 1
    for i in range(len(w.picked)):
        w.picked[i] = 0


@compiled
def take_along(a: Arrays, w: Any, n: int, goods: Ints) -> None:
    """Count goods for node n as picked, by item."""
    p = n - a.sources
    for q in range(a.first_need[p], a.first_need[p + 1]):
        w.picked[a.need_item[q]] += goods[q - a.first_need[p]]
