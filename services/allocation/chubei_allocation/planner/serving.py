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
def supportable(a: Arrays, p: int, units: Ints, room: Floats) -> tuple[int, int]:
    """(S₁, S₂): people of point p whose whole kits up to tier 1 and 2 these units (by need) make up.

    room: [group] to work in.
    """
    first, first_group, groups = a.first_need[p], a.first_group[p], a.first_group[p + 1] - a.first_group[p]
    whole = float(a.people[p])
    for g in range(groups):
        room[g] = a.group_size[first_group + g]
    basic = 0
    for q in range(a.tiers[p, 1], a.tiers[p, 3]):
        if q == a.tiers[p, 2]:
            basic = _people(a, p, whole, room)
        served = units[q - first] * a.need_serves[q]
        g = a.need_group[q]
        if g == GENERAL:
            whole = min(whole, served)
        else:
            room[g] = min(room[g], served)
    settled = _people(a, p, whole, room)
    return (basic if a.tiers[p, 2] < a.tiers[p, 3] else settled), settled


@compiled
def _people(a: Arrays, p: int, whole: float, room: Floats) -> int:
    """Whole people of point p when the needs of all serve `whole`, and those of each group `room`."""
    with_own = a.people[p]
    first = a.first_group[p]
    for g in range(a.first_group[p + 1] - first):
        with_own -= a.group_size[first + g] - math.floor(room[g] + EPS)
    people: int = max(0, min(math.floor(whole + EPS), with_own))
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
def hand_out(level: float, served: float, pace: float, span: float) -> tuple[float, float]:
    """(people served in the end, person-minutes of service) of `span` open minutes with kits for `level` people."""
    if pace >= ENDLESS:
        if span > 0:
            served = max(served, level)
        return served, served * span
    ramp = min(span, max(0.0, level - served) / pace)
    grown = served + ramp * pace
    return grown, (served + grown) / 2 * ramp + grown * (span - ramp)


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
    room: Floats,
    out: Floats,
) -> None:
    """Score point p: out = (worth in weighted people, weighted person-minutes waited, supported, settled).

    had: units at minute 0, by need; ends, units_at: its arrivals in any order; order, units, room: to work in.
    """
    out[1] = out[2] = out[3] = 0.0
    out[0] = demands_met(a, p, had, count, ends, units_at)
    people = a.people[p]
    if people == 0:
        return
    opens, pace, deadline = a.opens[a.sources + p], a.pace[p], a.deadline
    sort_by_end(count, ends, order)
    needs = a.first_need[p + 1] - a.first_need[p]
    for k in range(needs):
        units[k] = had[k]
    supported = settled = minutes = 0.0
    basic, full = supportable(a, p, units, room)
    since = min(opens, deadline)
    for k in range(count + 1):
        until = deadline if k == count else min(deadline, ends[order[k]])
        if until > since:
            supported, more = hand_out(basic, supported, pace, float(until - since))
            settled, _ = hand_out(full, settled, pace, float(until - since))
            minutes += more
            since = until
        if k < count and ends[order[k]] <= deadline:
            for j in range(needs):
                units[j] += units_at[order[k], j]
            basic, full = supportable(a, p, units, room)
    if pace >= ENDLESS and opens <= deadline:
        supported, settled = max(supported, float(basic)), max(settled, float(full))
    out[1] = a.weight[p] * (people * deadline - minutes)
    out[2], out[3] = math.floor(supported + 1e-6), math.floor(settled + 1e-6)
    out[0] += a.weight[p] * people * 0.7 * worth_of(a, out[2] / people)
    out[0] += a.weight[p] * people * 0.3 * worth_of(a, out[3] / people)
