"""Goods beyond all needs of a point stay at their source: there they would serve nobody, and be called off for nothing.

A search may plan them, since they cost it nothing.
"""

from __future__ import annotations

import numpy as np

from .arrays import DROP_STARTS, DROPS, FIRST_DROP, FIRST_WISH, GIVEN, MOST_DROPS, MOST_LOADS, PLANNED, Ints
from .search import Search
from .state import State


def cut_surplus(search: Search) -> None:
    """Take surplus off the latest deliveries of the best plan, but off no trip that stays as it was given."""
    state = State(search.arrays, search.most_trips)
    state.become(search.best)
    if not _cut(search, state):
        return
    search.replay(search.chains[0], state)
    if search.value(state) >= search.value(search.best):
        search.best.become(state)


def _cut(search: Search, state: State) -> bool:
    """Lessen wishes in the days of a state; whether there was anything to cut."""
    a, rows = search.arrays, state.days.rows
    needs = (rows.shape[2] - FIRST_WISH) // MOST_DROPS
    wishes = [  # (start of the drop, vehicle, trip, column, need)
        (int(rows[v, k, DROP_STARTS + d]), v, k, FIRST_WISH + d * needs + nth, int(a.first_need[p]) + nth)
        for v, trips in enumerate(state.days.trips)
        for k in range(int(trips))
        if rows[v, k, PLANNED]
        for d in range(rows[v, k, DROPS])
        for p in [rows[v, k, FIRST_DROP + d] - a.sources]
        for nth in np.flatnonzero(
            rows[v, k, FIRST_WISH + d * needs :][: a.first_need[p + 1] - a.first_need[p]]
        )
    ]
    surplus = _there(search) - a.need_units
    np.add.at(surplus, [wish[4] for wish in wishes], [rows[wish[1:4]] // MOST_LOADS for wish in wishes])
    found = False
    for _, v, k, column, q in sorted(wishes, reverse=True):
        units, pack = int(rows[v, k, column]) // MOST_LOADS, a.pack[a.need_item[q]]
        cut = min(surplus[q], units) // pack * pack
        if cut > 0 and not rows[v, k, GIVEN]:
            surplus[q] -= cut
            rows[v, k, column] = rows[v, k, column] - cut * MOST_LOADS if cut < units else 0
            found = True
    return found


def _there(search: Search) -> Ints:
    """Units that each need has before any trip of the search, [q]."""
    a, given = search.arrays, search.given
    there: Ints = given.had.astype(np.int64)
    for p, arrivals in enumerate(given.arrivals):
        first, end = a.first_need[p], a.first_need[p + 1]
        there[first:end] += given.arrival_units[p, :arrivals, : end - first].sum(axis=0)
    return there
