"""Moving the visits of a plan to the earliest minutes that their order allows."""

from __future__ import annotations

import numpy as np

from .arrays import (
    DROP_STARTS,
    FIRST_LOAD,
    FIRST_STEP,
    LOAD_STARTS,
    LOADS,
    Arrays,
    Base,
    Floats,
    Ints,
    Table,
)
from .berths import book, earliest
from .compiled import compiled
from .visits import Stops
from .workspace import Work


def start_early(a: Arrays, base: Base, work: Work, days: Table, stops: Stops, kg: Floats) -> None:
    """Plan the visits that handle so many kg as early as their order allows; the others are none."""
    order = np.argsort(stops.start, kind="stable")
    left_shift(a, base, work, days, order, stops.vehicle, stops.trip, stops.node, stops.drop, kg)


@compiled
def left_shift(
    a: Arrays,
    base: Base,
    w: Work,
    days: Table,
    order: Ints,
    vehicle: Ints,
    trip: Ints,
    node: Ints,
    drop: Ints,
    kg: Floats,
) -> None:
    """Set the planned starts of visits that handle so many kg, taken in `order` of their starts, as early as may be.

    A visit whose predecessors only moved to earlier minutes finds at its old start what it found there
    before, so none comes later (Kolisch & Hartmann 1999: left-justification).
    """
    for n in range(len(a.fixed)):
        for m in range(w.booked.shape[1]):
            w.booked[n, m] = base.booked[n, m]
    for v in range(len(a.start_node)):
        w.at_node[v], w.free[v] = a.start_node[v], a.start_free[v]
    for k in order:
        if kg[k] <= 0.0:
            continue
        v, n = vehicle[k], node[k]
        row = days[v, trip[k]]
        least = w.free[v] + a.ways[a.speed[v], w.at_node[v], n]
        minutes = max(1, a.fixed[n] + int(np.ceil(kg[k] / a.kg_per_min[n] - 1e-9)))
        stop = 0
        if drop[k] < 0:
            while row[FIRST_LOAD + stop] != n and stop < row[LOADS] - 1:
                stop += 1
            least = max(least, a.step_begin[row[FIRST_STEP + stop]])
        else:
            least = max(least, a.opens[n])
        start = earliest(a.manned[n], w.booked[n], least, minutes)
        book(w.booked[n], start, start + minutes, 1)
        if drop[k] < 0:
            row[LOAD_STARTS + stop] = start
        else:
            row[DROP_STARTS + drop[k]] = start
        w.at_node[v], w.free[v] = n, start + minutes
