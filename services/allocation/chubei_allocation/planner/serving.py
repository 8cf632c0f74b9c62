"""Who is served with what when: the scoring rules of PLANNING.md, compiled, one point at a time.

The checker (check.py) states the same rules anew and shares nothing with this file.
"""

from __future__ import annotations

import math

from .arrays import ENDLESS, GENERAL, Arrays, Floats, Ints, Table
from .compiled import compiled

EPS = 1e-9


@compiled
def worth_of(a: Arrays, ratio: float) -> float:
    """u(ratio) of the policy."""
    worth = begin = 0.0
    for k in range(len(a.upto)):
        worth += a.slope[k] * (min(ratio, a.upto[k]) - begin)
        if ratio <= a.upto[k]:
            break
        begin = a.upto[k]
    return worth


@compiled
def supportable(a: Arrays, p: int, tier: int, units: Ints) -> int:
    """S_τ: people of point p whose whole kit up to the tier these units (by need) make up."""
    first, last = a.first_need[p], a.tiers[p, tier + 1]
    whole = a.people[p]
    for q in range(a.tiers[p, 1], last):
        if a.need_group[q] == GENERAL:
            whole = min(whole, math.floor(units[q - first] / a.need_per[q] + EPS))
    missing = 0
    for g in range(a.first_group[p], a.first_group[p + 1]):
        served = a.group_size[g]
        for q in range(a.tiers[p, 1], last):
            if a.need_group[q] == g - a.first_group[p]:
                served = min(served, math.floor(units[q - first] / a.need_per[q] + EPS))
        missing += a.group_size[g] - served
    people: int = max(0, min(whole, a.people[p] - missing))
    return people


@compiled
def sort_by_end(count: int, ends: Table, order: Ints) -> None:
    """Set order to the arrivals by their end; insertion sort, as they come nearly in order."""
    for k in range(count):
        at = k
        while at > 0 and ends[order[at - 1]] > ends[k]:
            order[at] = order[at - 1]
            at -= 1
        order[at] = k


@compiled
def demands_met(a: Arrays, p: int, had: Ints, count: int, ends: Table, units_at: Table) -> float:
    """The worth of what the absolute demands of point p get in time."""
    worth = 0.0
    for q in range(a.tiers[p, 0], a.tiers[p, 1]):
        k = q - a.first_need[p]
        total = had[k]
        for n in range(count):
            if ends[n] <= a.need_by[q]:
                total += units_at[n, k]
        worth += a.need_worth[q] * min(1.0, total / a.need_units[q])
    return worth


@compiled
def hand_out(
    a: Arrays,
    p: int,
    tier: int,
    had: Ints,
    count: int,
    ends: Table,
    units_at: Table,
    order: Ints,
    units: Ints,
) -> tuple[float, float]:
    """(people served at a tier by the deadline, person-minutes waited) as what can be supported grows."""
    people, opens, pace, deadline = a.people[p], a.opens[a.sources + p], a.pace[p], a.deadline
    needs = a.first_need[p + 1] - a.first_need[p]
    for k in range(needs):
        units[k] = had[k]
    served, waited, since = 0.0, 0.0, 0
    level = supportable(a, p, tier, units)
    for k in range(count + 1):
        until = deadline if k == count else min(deadline, ends[order[k]])
        begin = max(since, min(until, opens))
        waited += (people - served) * (begin - since)
        span = until - begin
        if pace >= ENDLESS:
            if span > 0:
                served = max(served, float(level))
            waited += (people - served) * span
        else:
            ramp = min(float(span), max(0.0, level - served) / pace)
            grown = served + ramp * pace
            waited += (people - (served + grown) / 2) * ramp + (people - grown) * (span - ramp)
            served = grown
        since = until
        if k < count and ends[order[k]] <= deadline:
            for j in range(needs):
                units[j] += units_at[order[k], j]
            level = supportable(a, p, tier, units)
    if pace >= ENDLESS and opens <= deadline:
        served = max(served, float(level))
    return served, waited


@compiled
def serve(
    a: Arrays,
    p: int,
    had: Ints,
    count: int,
    ends: Table,
    units_at: Table,
    order: Ints,
    units: Ints,
    out: Floats,
) -> None:
    """Score point p: out = (worth in weighted people, weighted person-minutes waited, supported, settled).

    had: units at minute 0, by need; ends, units_at: its arrivals in any order; order, units: room to work in.
    """
    out[1] = out[2] = out[3] = 0.0
    out[0] = demands_met(a, p, had, count, ends, units_at)
    if a.people[p] == 0:
        return
    sort_by_end(count, ends, order)
    for tier in (1, 2):
        served, waited = hand_out(a, p, tier, had, count, ends, units_at, order, units)
        done = math.floor(served + 1e-6)
        part = 0.7 if tier == 1 else 0.3
        out[0] += a.weight[p] * a.people[p] * part * worth_of(a, done / a.people[p])
        out[1 + tier] = done
        if tier == 1:
            out[1] = a.weight[p] * waited
