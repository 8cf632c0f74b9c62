"""Who is served with what when: the scoring rules of PLANNING.md, compiled, one point at a time.

The checker (check.py) states the same rules anew and shares nothing with this file.
"""

from __future__ import annotations

import math

from .arrays import ENDLESS, GENERAL, Arrays, Floats, Ints
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
    return max(0, min(whole, a.people[p] - missing))


@compiled
def serve(
    a: Arrays,
    p: int,
    had: Ints,
    count: int,
    ends: Ints,
    units_at: Ints,
    order: Ints,
    units: Ints,
    out: Floats,
) -> None:
    """Score point p: out = (worth in weighted people, weighted person-minutes waited, supported, settled).

    had: units at minute 0, by need; ends, units_at: its arrivals in any order; order, units: room to work in.
    """
    first, last = a.first_need[p], a.first_need[p + 1]
    needs = last - first
    for k in range(count):  # insertion sort: arrivals come nearly in order
        at = k
        while at > 0 and ends[order[at - 1]] > ends[k]:
            order[at] = order[at - 1]
            at -= 1
        order[at] = k
    out[0] = out[1] = out[2] = out[3] = 0.0
    for q in range(first, last):
        if a.need_tier[q] == 0:
            total = had[q - first]
            for k in range(count):
                if ends[k] <= a.need_by[q]:
                    total += units_at[k, q - first]
            out[0] += a.need_worth[q] * min(1.0, total / a.need_units[q])
    people = a.people[p]
    if people == 0:
        return
    opens, pace, deadline = a.opens[p], a.pace[p], a.deadline
    for tier in (1, 2):
        for k in range(needs):
            units[k] = had[k]
        served, waited, since = 0.0, 0.0, 0
        level = supportable(a, p, tier, units)
        for k in range(count + 1):
            until = deadline if k == count else min(deadline, ends[order[k]])
            begin = max(since, min(until, opens))
            waited += (people - served) * (begin - since)
            span = until - begin
            if pace < ENDLESS:
                ramp = min(span, max(0.0, level - served) / pace)
                grown = served + ramp * pace
                waited += (people - (served + grown) / 2) * ramp + (people - grown) * (span - ramp)
                served = grown
            else:
                if opens <= until and (span > 0 or opens <= begin):
                    served = max(served, float(level))
                waited += (people - served) * span
            since = until
            if k < count and ends[order[k]] <= deadline:
                for j in range(needs):
                    units[j] += units_at[order[k], j]
                level = supportable(a, p, tier, units)
        if pace >= ENDLESS and opens <= deadline:
            served = max(served, float(level))
        done = math.floor(served + 1e-6)
        share = 0.7 if tier == 1 else 0.3
        out[0] += a.weight[p] * people * share * worth_of(a, done / people)
        out[1 + tier] = done
        if tier == 1:
            out[1] = a.weight[p] * waited
