"""From trips back to days: what a search goes on from, when a plan is there already.

Only who goes where in which order is taken over. Times and loads come anew from the simulation, since the trips
before and beside may be others.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from .arrays import DROPS, FIRST_DROP, FIRST_LOAD, LOADS, MOST_DROPS, MOST_LOADS, RELEASE, Table
from .days import Days, make_days
from .model import Model
from .scenario import Trip
from .search import Search


def resume(search: Search, trips: Iterable[Trip]) -> None:
    """Let a search go on from these trips of its vehicles, if they come to more than what it has.

    Trips with more stops than days can hold are left out.
    """
    before, own = search.utility, Days(*(array.copy() for array in search.days))
    search._take_over(days_of(search, trips))
    if search.utility < before:
        search._take_over(own)


def days_of(search: Search, trips: Iterable[Trip]) -> Days:
    """The days of the vehicles of a search that make these trips."""
    by_vehicle: dict[str, list[Trip]] = defaultdict(list)
    for trip in sorted(trips, key=lambda trip: trip.visits[0].start):
        if sum(visit.loads for visit in trip.visits) <= MOST_LOADS and len(_drops(trip)) <= MOST_DROPS:
            by_vehicle[trip.vehicle].append(trip)
    days = make_days(search.arrays, search.days.rows.shape[1])
    for v, vehicle in enumerate(search.model.vehicles):
        made = by_vehicle[vehicle.name][: days.rows.shape[1]]
        for k, trip in enumerate(made):
            _write(search.model, trip, days.rows[v, k])
        days.trips[v] = len(made)
    return days


def _drops(trip: Trip) -> list[str]:
    return [visit.node for visit in trip.visits if not visit.loads]


def _write(model: Model, trip: Trip, row: Table) -> None:
    """A trip as a row of days; it waits for goods again, if it did."""
    first = trip.visits[0]
    loads = [model.node_index[visit.node] for visit in trip.visits if visit.loads]
    drops = [model.node_index[node] for node in _drops(trip)]
    comes_in = [supply.available_min for supply in model.scenario.supply if supply.source == first.node]
    row[RELEASE] = max((minute for minute in comes_in if first.arrive < minute <= first.start), default=0)
    row[LOADS], row[DROPS] = len(loads), len(drops)
    row[FIRST_LOAD : FIRST_LOAD + len(loads)] = loads
    row[FIRST_DROP : FIRST_DROP + len(drops)] = drops
