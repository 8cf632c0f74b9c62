"""What a vehicle takes along for a point: balanced kits, stage by stage, in whole packs.

A stage raises the level of one tier, in people, at a point: first the absolute demands, then basic relief for
the first half, and so on (STAGES). Within a stage all items rise together, so that what arrives makes up kits.
"""

from __future__ import annotations

import math

from .arrays import GENERAL, Arrays, Ints
from .compiled import compiled

ORDER, CAP = 0, 0  # columns of aims: the order of stages; CAP + τ: how many people to serve at tier τ at most
# the stages as (tier, whether it is the second part): settle the first part early, or support everyone first
EARLY = ((1, 0), (2, 0), (1, 1), (2, 1))
BASIC = ((1, 0), (1, 1), (2, 0), (2, 1))
FULL = 1e-9  # kg or m3: the room left may come out a little below nothing


@compiled
def pack_up(units: int, pack: int) -> int:
    return units if pack == 1 else -(-units // pack) * pack


@compiled
def units_for(a: Arrays, q: int, people: int, level: int) -> int:
    """Units of need q that serve `level` of a point's people; groups in proportion."""
    if a.need_group[q] != GENERAL:
        level = -(-a.need_members[q] * level // people)
    units: int = math.ceil(level * a.need_per[q] - 1e-9)
    return units


@compiled
def raise_tier(
    a: Arrays, p: int, tier: int, level: int, sent: Ints, spare: Ints, goods: Ints, take: bool
) -> tuple[float, float]:
    """(kg, m3) of raising a tier to a level, beyond `goods` that are chosen already; they are added on `take`."""
    kg = m3 = 0.0
    first = a.first_need[p]
    for q in range(a.tiers[p, tier], a.tiers[p, tier + 1]):
        k = q - first
        if spare[k] > goods[k]:
            lack = units_for(a, q, a.people[p], level) - sent[q]
            if lack > goods[k]:
                i = a.need_item[q]
                units = min(pack_up(lack, a.pack[i]), spare[k])
                kg += (units - goods[k]) * a.kg[i]
                m3 += (units - goods[k]) * a.m3[i]
                if take:
                    goods[k] = units
    return kg, m3


@compiled
def fill(
    a: Arrays,
    p: int,
    aim: Ints,
    sent: Ints,
    spare: Ints,
    most_kg: float,
    most_m3: float,
    arrives: int,
    goods: Ints,
) -> tuple[float, float]:
    """Choose goods (by need, set to what is taken) for point p; returns their (kg, m3).

    aim: row of the point in Days.aims; sent: units by need that are there or under way; spare: units at the
    source, in whole packs; arrives: about when they can be used.
    """
    for k in range(a.first_need[p + 1] - a.first_need[p]):
        goods[k] = 0
    most_kg, most_m3 = max(most_kg, FULL), max(most_m3, FULL)
    kg, m3 = take_demands(a, p, sent, spare, most_kg, most_m3, arrives, goods)
    people = a.people[p]
    if people == 0 or arrives >= a.deadline:
        return kg, m3
    for stage in range(4):
        tier, second = BASIC[stage] if aim[ORDER] else EARLY[stage]
        first_part = math.ceil(people * a.half)
        low = first_part if second else 0
        high = min(people if second else first_part, aim[CAP + tier])
        if high <= low:
            continue
        more_kg, more_m3 = raise_tier(a, p, tier, high, sent, spare, goods, False)
        if more_kg == 0.0:
            continue
        over = max((kg + more_kg) / most_kg, (m3 + more_m3) / most_m3)
        level = high
        if over > 1.0:
            level, over_low = low, max(kg / most_kg, m3 / most_m3)
            for _ in range(5):  # by interpolation: the load is nearly linear in the level
                if high - level <= 1 or over_low > 0.99:
                    break
                guess = level + int((high - level) * (1.0 - over_low) / (over - over_low))
                guess = min(max(guess, level + 1), high - 1)
                more_kg, more_m3 = raise_tier(a, p, tier, guess, sent, spare, goods, False)
                load = max((kg + more_kg) / most_kg, (m3 + more_m3) / most_m3)
                if load > 1.0:
                    high, over = guess, load
                else:
                    level, over_low = guess, load
            if level == low:
                break
        more_kg, more_m3 = raise_tier(a, p, tier, level, sent, spare, goods, True)
        kg += more_kg
        m3 += more_m3
        if over > 1.0:
            break
    return kg, m3


@compiled
def take_demands(
    a: Arrays, p: int, sent: Ints, spare: Ints, most_kg: float, most_m3: float, arrives: int, goods: Ints
) -> tuple[float, float]:
    """Choose what the absolute demands of point p lack, as far as it comes in time and fits."""
    kg = m3 = 0.0
    for q in range(a.tiers[p, 0], a.tiers[p, 1]):
        k = q - a.first_need[p]
        if arrives <= a.need_by[q] and spare[k] > 0 and a.need_units[q] > sent[q]:
            i = a.need_item[q]
            units = min(pack_up(a.need_units[q] - sent[q], a.pack[i]), spare[k])
            fits = int(min((most_kg - kg) / a.kg[i], (most_m3 - m3) / a.m3[i]) + 1e-9)
            goods[k] = min(units, fits // a.pack[i] * a.pack[i])
            kg += goods[k] * a.kg[i]
            m3 += goods[k] * a.m3[i]
    return kg, m3


@compiled
def most_kg_in(minutes: float, load_kg_per_min: float, unload_kg_per_min: float) -> float:
    """The most kg that can be loaded and unloaded in so many minutes, each a whole number of them."""
    whole = math.floor(minutes + 1e-9)
    if whole < 2:
        return 0.0
    loading = math.floor(whole * unload_kg_per_min / (load_kg_per_min + unload_kg_per_min))
    most = 0.0
    for m in range(max(1, loading), min(whole - 1, loading + 1) + 1):
        most = max(most, min(m * load_kg_per_min, (whole - m) * unload_kg_per_min))
    return most
