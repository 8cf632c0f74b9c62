"""Rows and columns of the program of loads (loads.py) that tell what people get, written point by point."""

from __future__ import annotations

from typing import NamedTuple

from .arrays import ENDLESS, GENERAL, Arrays, Base, Floats, Ints
from .compiled import compiled

MOST_CHECKPOINTS = 20
ENTRIES, COLUMNS, ROWS = range(3)


class Lists(NamedTuple):
    """A part of a linear program: entries (row, column, value), columns and rows, and how many there are of each."""

    size: Ints  # [3]
    row: Ints
    column: Ints
    value: Floats
    cost: Floats
    upper: Floats
    limit: Floats


@compiled
def put(lists: Lists, row: int, column: int, value: float) -> None:
    at = lists.size[ENTRIES]
    lists.size[ENTRIES] += 1
    lists.row[at], lists.column[at], lists.value[at] = row, column, value


@compiled
def new_column(lists: Lists, first: int, cost: float, upper: float) -> int:
    at = lists.size[COLUMNS]
    lists.size[COLUMNS] += 1
    lists.cost[at], lists.upper[at] = cost, upper
    return int(first + at)


@compiled
def new_row(lists: Lists, limit: float) -> int:
    at = lists.size[ROWS]
    lists.size[ROWS] += 1
    lists.limit[at] = limit
    return int(at)


@compiled
def list_points(
    a: Arrays,
    base: Base,
    lists: Lists,
    first: int,
    first_of: Ints,
    column: Ints,
    end: Ints,
    unit_kg: Floats,
    first_time: Ints,
    times: Ints,
    wait: float,
) -> None:
    """Write the rows of all points.

    first: number of columns that are there; need q gets columns[first_of[q] : first_of[q + 1]], which end so and
    weigh so much a unit, in order of end; point p has arrivals at times[first_time[p] : first_time[p + 1]].
    """
    for p in range(len(a.people)):
        for q in range(a.tiers[p, 0], a.tiers[p, 1]):
            row = new_row(lists, had_by(a, base, p, q, a.need_by[q]))
            put(lists, row, new_column(lists, first, a.need_worth[q], 1.0), float(a.need_units[q]))
            put_brought(lists, row, first_of[q], first_of[q + 1], column, end, unit_kg, a.need_by[q])
        if a.people[p] > 0:
            basic = list_tier(
                a,
                base,
                lists,
                first,
                first_of,
                column,
                end,
                unit_kg,
                first_time[p],
                first_time[p + 1],
                times,
                wait,
                p,
                1,
                -1,
            )
            list_tier(
                a,
                base,
                lists,
                first,
                first_of,
                column,
                end,
                unit_kg,
                first_time[p],
                first_time[p + 1],
                times,
                0.0,
                p,
                2,
                basic,
            )


@compiled
def had_by(a: Arrays, base: Base, p: int, q: int, minute: int) -> float:
    """Units of need q that are there by a minute without the trips."""
    units = float(base.had[q])
    for k in range(base.arrivals[p]):
        if base.arrival_end[p, k] <= minute:
            units += base.arrival_units[p, k, q - a.first_need[p]]
    return units


@compiled
def put_brought(
    lists: Lists, row: int, begin: int, stop: int, column: Ints, end: Ints, unit_kg: Floats, minute: int
) -> None:
    """Take off a row what the trips bring by a minute."""
    for k in range(begin, stop):
        if end[k] > minute:
            break
        put(lists, row, column[k], -1.0 / unit_kg[k])


@compiled
def list_kit(
    a: Arrays,
    base: Base,
    lists: Lists,
    first: int,
    first_of: Ints,
    column: Ints,
    end: Ints,
    unit_kg: Floats,
    p: int,
    tier: int,
    minute: int,
) -> int:
    """A column of people whose whole kits are there by a minute, and its rows."""
    supported = new_column(lists, first, 0.0, float(a.people[p]))
    group_row = -1
    for g in range(a.first_group[p + 1] - a.first_group[p]):
        own = -1
        for q in range(a.tiers[p, 1], a.tiers[p, tier + 1]):
            if a.need_group[q] == g:
                size = float(a.group_size[a.first_group[p] + g])
                if own < 0:
                    own = new_column(lists, first, 0.0, size)
                    if group_row < 0:
                        group_row = new_row(lists, float(a.people[p]))
                        put(lists, group_row, supported, 1.0)
                    put(lists, group_row, own, -1.0)
                    lists.limit[group_row] -= size
                row = new_row(lists, had_by(a, base, p, q, minute))
                put(lists, row, own, a.need_per[q])
                put_brought(lists, row, first_of[q], first_of[q + 1], column, end, unit_kg, minute)
    for q in range(a.tiers[p, 1], a.tiers[p, tier + 1]):
        if a.need_group[q] == GENERAL:
            row = new_row(lists, had_by(a, base, p, q, minute))
            put(lists, row, supported, a.need_per[q])
            put_brought(lists, row, first_of[q], first_of[q + 1], column, end, unit_kg, minute)
    return supported


@compiled
def counts(k: int, first: int, last: int, times: Ints, late: float) -> bool:
    """Whether the arrival k of a point, of first : last, is a checkpoint: the last one is, early ones need not be."""
    if k == last - 1:
        return True
    stride = -(-(last - first) // MOST_CHECKPOINTS)
    return times[k + 1] != times[k] and times[k + 1] >= late and (last - 1 - k) % stride == 0


@compiled
def list_tier(
    a: Arrays,
    base: Base,
    lists: Lists,
    first: int,
    first_of: Ints,
    column: Ints,
    end: Ints,
    unit_kg: Floats,
    time: int,
    last_time: int,
    times: Ints,
    wait: float,
    p: int,
    tier: int,
    basic: int,
) -> int:
    """Who is served at a tier from checkpoint to checkpoint; the column of those who have whole kits in the end.

    Checkpoints are the minutes of arrivals; where there are many, or only the end counts, those at which the
    desks could not serve everybody any more, and some before.
    """
    people, pace, opens = float(a.people[p]), a.pace[p], a.opens[a.sources + p]
    endless = pace >= ENDLESS
    part = a.weight[p] * (0.7 if tier == 1 else 0.3)
    late = float(a.deadline) if endless else a.deadline - people / pace
    supported = list_kit(a, base, lists, first, first_of, column, end, unit_kg, p, tier, -1)
    served = -1
    clock = opens
    for k in range(time, last_time + 1):
        last = k == last_time
        if not last and not counts(k, time, last_time, times, late if wait <= 0.0 else -1.0):
            continue
        until = max(a.deadline if last else times[k], opens)
        row = new_row(lists, 0.0)
        put(lists, row, supported, -1.0)
        desks = -1
        if not endless:
            desks = new_row(lists, pace * float(until - clock))
            if served >= 0:
                put(lists, desks, served, -1.0)
        if last:
            begin = 0.0
            for piece in range(len(a.upto)):
                reward = wait * a.weight[p] * (until - clock) / 2 / a.deadline
                share = new_column(
                    lists, first, part * a.slope[piece] + reward, (a.upto[piece] - begin) * people
                )
                begin = a.upto[piece]
                put(lists, row, share, 1.0)
                if desks >= 0:
                    put(lists, desks, share, 1.0)
            break
        before = served
        served = new_column(lists, first, 0.0, people)
        put(lists, row, served, 1.0)
        if desks >= 0:
            put(lists, desks, served, 1.0)
        # who is served waits no longer: half of the time since the last checkpoint, and half of that to the next
        reward = wait * a.weight[p] * (until - clock) / 2 / a.deadline
        lists.cost[served - first] += reward
        if before >= 0:
            lists.cost[before - first] += reward
        clock = until
        supported = list_kit(a, base, lists, first, first_of, column, end, unit_kg, p, tier, times[k])
    if served >= 0:
        lists.cost[served - first] += wait * a.weight[p] * (max(a.deadline, opens) - clock) / 2 / a.deadline
    if basic >= 0:
        row = new_row(lists, 0.0)
        put(lists, row, supported, 1.0)
        put(lists, row, basic, -1.0)
    return supported
