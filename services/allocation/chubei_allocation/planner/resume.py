"""Going on from a previous plan: its trips that have not begun, written as rows of days for a search to better.

Whatever a row can say of a trip is planned as it was; the replay then tells what still holds. A trip whose vehicle or
places are gone, or that is too large by now, is left out, and the load of one whose goods are gone is chosen anew.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from .anneal import clean, copy_days
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
    LOADS_PLANNED,
    MOST_DROPS,
    MOST_LOADS,
    PLANNED,
    TIMES_PLANNED,
    Table,
)
from .choose import Taste
from .days import Days, given_trips, make_days
from .outcome import planned_trips
from .promise import take
from .scenario import Trip
from .search import Search
from .state import State

KEEPING = 0.005
"""Of utility, what it may cost to keep all trips of a previous plan that can be kept."""

REGAINED = 0.03
"""Of utility, what a search is thought to make up for while it leaves given trips as they are."""

REHEAT = 0.7
"""Where in its cooling a search goes on from a plan, 0 to 1."""

FILL = Taste(plan=1.0, extend=1.0)


def resume(search: Search, previous: Iterable[Trip]) -> bool:
    """Let a search go on from the trips of a previous plan not yet begun; False if there are none to go on from.

    From then on each trip that stays as it was is worth its share of KEEPING to the search.
    """
    scenario = search.model.scenario
    begun = {trip.key() for trip in scenario.committed}
    old = [trip for trip in previous if trip.visits[0].start >= scenario.now_min and trip.key() not in begun]
    days = days_of(search, old)
    if not days.trips.any():
        return False
    held, loose = (_go_on(search, days, old, held) for held in (True, False))
    worth, worth_loose = float(held.score[:, 0].sum()), float(loose.score[:, 0].sum())
    choice = held if worth >= (1 - REGAINED) * worth_loose else loose
    search.given_worth = KEEPING * max(worth, worth_loose) / max(1, int(given_trips(choice.days).sum()))
    search.best.become(max(choice, _filled(search, choice), key=search.value))
    return True


def _go_on(search: Search, days: Days, old: Iterable[Trip], held: bool) -> State:
    """What comes of days, and which of their trips are as they were.

    A late trip holds up others; unless all are held to their times: then it has to wait for gaps that they leave.
    """
    state = State(search.arrays, search.most_trips)
    copy_days(days, state.days, search.vehicles, search.nodes, search.arrays.sources)
    if not held:
        state.days.rows[:, :, GIVEN] = 0
    for _ in range(2):  # once more without the trips that do not take place any more
        search.replay(search.chains[0], state)
    arrive_of = {_but_arrival(trip): trip.visits[0].arrive for trip in old}
    for v, k, trip in planned_trips(search.model, state.visits):
        arrive = arrive_of.get(
            _but_arrival(trip)
        )  # one that only comes to its first stop later is kept, for people
        state.days.rows[v, k, GIVEN] = 0 if arrive is None else 1 + max(arrive, trip.visits[0].arrive)
    search.replay(search.chains[0], state)
    return state


def _but_arrival(trip: Trip) -> tuple[object, ...]:
    """What makes two trips the same but for when they arrive at their first stop: a vehicle may wait there."""
    first = replace(trip.visits[0], arrive=0)
    return replace(trip, visits=(first, *trip.visits[1:])).key()


def _filled(search: Search, state: State) -> State:
    """A state with trips added where days have room left."""
    filled = State(search.arrays, search.most_trips)
    filled.become(state)
    search.simulate(search.chains[0], filled.days, FILL)
    clean(search.chains[0].work, filled.days, search.vehicles)
    for _ in range(2):
        search.replay(search.chains[0], filled)
    return filled


def days_of(search: Search, trips: Iterable[Trip]) -> Days:
    """The days of the vehicles of a search that make these trips, with no more goods promised than there are."""
    days = make_days(search.arrays, search.most_trips)
    number = {vehicle.name: v for v, vehicle in enumerate(search.model.vehicles)}
    for trip in sorted(trips, key=lambda trip: trip.visits[0].start):
        v = number.get(trip.vehicle)
        if v is not None and days.trips[v] < search.most_trips and _can_be_said(search, v, trip):
            _write(search, trip, days.rows[v, days.trips[v]])
            days.trips[v] += 1
    _share_stock(search, days)
    return days


def _can_be_said(search: Search, v: int, trip: Trip) -> bool:
    """Whether a row can say who goes where, to places there are, and the vehicle bears it in whole packs."""
    model, a = search.model, search.arrays
    loads = [visit for visit in trip.visits if visit.loads]
    drops = [visit for visit in trip.visits if not visit.loads]
    goods = sum((Counter(visit.goods) for visit in loads), Counter[str]())
    if (
        trip.visits != (*loads, *drops)
        or trip.visits[-1].end > model.deadline_min
        or not 0 < len(loads) <= MOST_LOADS
        or not 0 < len(drops) <= MOST_DROPS
        or any(visit.node not in model.node_index for visit in trip.visits)
        or any(item not in model.item_index for item in goods)
    ):
        return False
    units = model.goods(goods)
    return bool(
        all(model.node_index[visit.node] < a.sources for visit in loads)
        and all(model.node_index[visit.node] >= a.sources for visit in drops)
        and all(a.size[v] <= a.max_size[model.node_index[visit.node]] for visit in drops)
        and units @ a.kg <= a.payload[v] + 1e-9
        and units @ a.m3 <= a.volume[v] + 1e-9
        and not (units % a.pack).any()
    )


def _write(search: Search, trip: Trip, row: Table) -> None:
    """A trip as a row of days, planned as it was; its loads are left open where one item for a point has two."""
    model, a = search.model, search.arrays
    loads = [visit for visit in trip.visits if visit.loads]
    drops = [visit for visit in trip.visits if not visit.loads]
    row[LOADS], row[DROPS], row[PLANNED] = len(loads), len(drops), TIMES_PLANNED
    row[GIVEN] = 1 + loads[0].arrive
    for stop, visit in enumerate(loads):
        row[FIRST_LOAD + stop], row[LOAD_STARTS + stop] = model.node_index[visit.node], visit.start
    aboard = [model.goods(dict(visit.goods)) for visit in loads]
    needs = (len(row) - FIRST_WISH) // MOST_DROPS
    for d, visit in enumerate(drops):
        n = model.node_index[visit.node]
        row[FIRST_DROP + d], row[DROP_STARTS + d] = n, visit.start
        units = model.goods(dict(visit.goods))
        first = a.first_need[n - a.sources]
        for q in range(first, a.first_need[n - a.sources + 1]):
            i = a.need_item[q]
            stop = next((stop for stop, goods in enumerate(aboard) if goods[i] >= units[i]), -1)
            if stop < 0:
                row[PLANNED] = 0
            elif units[i]:
                row[FIRST_WISH + d * needs + q - first] = units[i] * MOST_LOADS + stop
                aboard[stop][i] -= units[i]
                units[i] = 0


def _share_stock(search: Search, days: Days) -> None:
    """Promise what there is to the loads by their starts; one that finds too little comes later, or takes less."""
    a, since, left = search.arrays, search.given.since, search.given.left.copy()
    vehicle, trip = np.nonzero(np.arange(days.rows.shape[1]) < days.trips[:, None])
    loads = [
        (int(days.rows[v, k, LOAD_STARTS + stop]), int(v), int(k), stop)
        for v, k in zip(vehicle, trip, strict=True)
        for stop in range(days.rows[v, k, LOADS])
    ]
    for start, v, k, stop in sorted(loads):
        row = days.rows[v, k]
        wishes = _wishes(search, row, stop) if row[PLANNED] else {}
        step = 0
        for h, columns in wishes.items():
            if h < 0:  # no one holds it any more
                _cut(row, columns, stop, 0, 1)
            elif (row[columns] // MOST_LOADS).sum() > left[h, -1]:
                _cut(row, columns, stop, int(left[h, -1]), int(a.pack[a.holding_item[h]]))
            units = (row[columns] // MOST_LOADS).sum()
            if units:
                there = int(np.searchsorted(left[h], units))
                step = max(step, there, int(since[h, a.step_of[start]]))
        row[FIRST_STEP + stop] = step
        for h, columns in wishes.items():
            if h >= 0:
                take(left[h], step, int((row[columns] // MOST_LOADS).sum()))


def _wishes(search: Search, row: Table, stop: int) -> dict[int, list[int]]:
    """The columns of a row that wish for something of a load, by holding."""
    a = search.arrays
    needs = (len(row) - FIRST_WISH) // MOST_DROPS
    by_holding: dict[int, list[int]] = {}
    for d in range(row[DROPS]):
        p = row[FIRST_DROP + d] - a.sources
        for q in range(a.first_need[p], a.first_need[p + 1]):
            column = FIRST_WISH + d * needs + int(q - a.first_need[p])
            if row[column] and row[column] % MOST_LOADS == stop:
                h = int(a.holding_of[row[FIRST_LOAD + stop], a.need_item[q]])
                by_holding.setdefault(h, []).append(column)
    return by_holding


def _cut(row: Table, columns: list[int], stop: int, units: int, pack: int) -> None:
    """Let these wishes come to no more than so many units; what is taken instead is decided on again."""
    for column in columns:
        whole = min(int(row[column]) // MOST_LOADS, units // pack * pack)
        units -= whole
        row[column] = whole * MOST_LOADS + stop if whole else 0
    row[GIVEN], row[PLANNED] = 0, LOADS_PLANNED
