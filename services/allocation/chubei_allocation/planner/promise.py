"""Trips whose loads and times are planned: what they are to take is laid aside for them.

So a plan that stands repeats itself exactly, and what a search changes in a part of it stays within that part.
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
    TIMES_PLANNED,
    Arrays,
    Base,
    Ints,
    Table,
)
from .berths import book
from .compiled import compiled
from .restore import touch
from .workspace import Work


@compiled
def take(left: Table, step: int, units: int) -> None:
    """Load units in a step: later loads find less, and earlier ones must leave them there."""
    less = np.int32(units)
    for m in range(
        np.uint64(step), np.uint64(len(left))
    ):  # unsigned: no look from the end, so it goes by vectors
        left[m] -= less
    least = left[step]
    m = step - 1
    while m >= 0 and left[m] > least:  # left never falls with time
        left[m] = least
        m -= 1


@compiled
def promise(a: Arrays, w: Work, row: Ints) -> None:
    """Lay aside what a planned trip is to load, and count it as under way."""
    for d in range(row[DROPS]):
        p = row[FIRST_DROP + d] - a.sources
        at = FIRST_WISH + d * w.cargo.shape[1] - a.first_need[p]
        for q in range(a.first_need[p], a.first_need[p + 1]):
            wish = row[at + q]
            if wish > 0:
                stop = wish % MOST_LOADS
                touch(w, row[FIRST_LOAD + stop])
                touch(w, row[FIRST_DROP + d])
                h = a.holding_of[row[FIRST_LOAD + stop], a.need_item[q]]
                take(w.left[h], row[FIRST_STEP + stop], wish // MOST_LOADS)
                w.sent[q] += wish // MOST_LOADS
    if is_given(row):
        reserve(a, w, row, 1)


@compiled
def is_given(row: Ints) -> bool:
    """Whether a trip is planned as an earlier plan had it."""
    given: bool = row[GIVEN] > 0 and row[PLANNED] == TIMES_PLANNED
    return given


@compiled
def put_aboard(a: Arrays, w: Work, row: Ints) -> None:
    """Set w.cargo and w.promised to what the trip is planned to load, nothing if it is not planned."""
    for stop in range(row[LOADS]):
        for i in range(w.promised.shape[1]):
            w.promised[stop, i] = 0
    for d in range(row[DROPS]):
        p = row[FIRST_DROP + d] - a.sources
        for k in range(a.first_need[p + 1] - a.first_need[p]):
            wish = row[FIRST_WISH + d * w.cargo.shape[1] + k] if row[PLANNED] else 0
            w.cargo[d, k] = wish // MOST_LOADS
            if wish > 0:
                w.promised[wish % MOST_LOADS, a.need_item[a.first_need[p] + k]] += wish // MOST_LOADS


@compiled
def drop_kg(a: Arrays, w: Work, p: int, d: int) -> float:
    """kg aboard for point p, the d-th drop."""
    kg = 0.0
    for q in range(a.first_need[p], a.first_need[p + 1]):
        kg += w.cargo[d, q - a.first_need[p]] * a.kg[a.need_item[q]]
    return kg


@compiled
def reserve(a: Arrays, w: Work, row: Ints, berths: int) -> None:
    """Take so many berths for each visit of a trip when it is planned to be there; −1 gives one back."""
    put_aboard(a, w, row)
    for stop in range(row[LOADS]):
        kg = 0.0
        for i in range(w.promised.shape[1]):
            kg += w.promised[stop, i] * a.kg[i]
        reserve_at(a, w, row[FIRST_LOAD + stop], row[LOAD_STARTS + stop], kg, berths)
    for d in range(row[DROPS]):
        n = row[FIRST_DROP + d]
        reserve_at(a, w, n, row[DROP_STARTS + d], drop_kg(a, w, n - a.sources, d), berths)


@compiled
def reserve_at(a: Arrays, w: Work, n: int, start: int, kg: float, berths: int) -> None:
    """The same for a visit to node n that handles so many kg."""
    if kg > 0.0:
        minutes = max(1, a.fixed[n] + int(np.ceil(kg / a.kg_per_min[n] - 1e-9)))
        book(w.booked[n], start, start + minutes, berths)


@compiled
def keep(a: Arrays, base: Base, w: Work, row: Ints) -> None:
    """Make what a trip has just done what it is planned to do; a trip that is not done as it was given is another."""
    if row[PLANNED] != TIMES_PLANNED or row[GIVEN] != 1 + w.load_arrive[0]:
        row[GIVEN] = 0
    row[PLANNED] = TIMES_PLANNED
    for stop in range(row[LOADS]):
        row[FIRST_STEP + stop] = 0
        if row[LOAD_STARTS + stop] != w.load_start[stop]:
            row[GIVEN] = 0
        row[LOAD_STARTS + stop] = w.load_start[stop]
        for i in range(w.load_units.shape[1]):
            w.promised[stop, i] = w.load_units[stop, i] if w.load_start[stop] >= 0 else 0
    for d in range(row[DROPS]):
        if row[DROP_STARTS + d] != w.drop_start[d]:
            row[GIVEN] = 0
        row[DROP_STARTS + d] = w.drop_start[d]
        keep_goods(a, base, w, row, d)


@compiled
def keep_goods(a: Arrays, base: Base, w: Work, row: Ints, d: int) -> None:
    """The same for what the d-th drop gets, load by load."""
    p = row[FIRST_DROP + d] - a.sources
    for q in range(a.first_need[p], a.first_need[p + 1]):
        units = w.cargo[d, q - a.first_need[p]]
        at = FIRST_WISH + d * w.cargo.shape[1] + q - a.first_need[p]
        if row[at] // MOST_LOADS != units:
            row[GIVEN] = 0
        row[at] = 0
        if units == 0:
            continue
        i = a.need_item[q]
        for stop in range(row[LOADS]):
            if row[at] == 0 and w.promised[stop, i] >= units:
                w.promised[stop, i] -= units
                row[at] = units * MOST_LOADS + stop
                h = a.holding_of[row[FIRST_LOAD + stop], i]
                step = base.since[h, a.step_of[w.load_start[stop]]]
                row[FIRST_STEP + stop] = max(row[FIRST_STEP + stop], step)
        if row[at] == 0:  # two loads together: left to be decided on again
            row[PLANNED] = row[GIVEN] = 0
