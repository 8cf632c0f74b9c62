"""The plan that a search has come to, in the words of plan files."""

from __future__ import annotations

from itertools import groupby

import numpy as np

from .regions import ARRIVE, DROP, END, NODE, START, TRIP
from .scenario import Trip, Unmet, Visit
from .search import Search


def outcome(search: Search, begun: tuple[Trip, ...]) -> tuple[Trip, ...]:
    """All trips of the plan: those that have begun as they were, then the others by their start.

    Besides what has begun the search may have taken further trips as settled: its scenario's committed ones.
    """
    model, visits = search.model, search.visits
    ids = [item.id for item in model.scenario.items]
    trips = list(model.scenario.committed[len(begun) :])
    for v, vehicle in enumerate(model.vehicles):
        stops = range(int(visits.vehicle_visits[v]))
        for _, group in groupby(stops, key=lambda k: int(visits.rows[v, k, TRIP])):
            made = []
            for k in group:
                row, goods = visits.rows[v, k], visits.goods[v, k]
                made.append(
                    Visit(
                        node=model.nodes[row[NODE]].id,
                        arrive=int(row[ARRIVE]),
                        start=int(row[START]),
                        end=int(row[END]),
                        loads=bool(row[DROP] < 0),
                        goods={ids[i]: int(goods[i]) for i in np.flatnonzero(goods)},
                    )
                )
            trips.append(Trip(vehicle.name, tuple(made)))
    trips.sort(key=lambda trip: (trip.visits[0].start, trip.vehicle))
    return (*begun, *trips)


def unmet(search: Search) -> tuple[Unmet, ...]:
    """Points where someone goes without, and absolute demands that are short."""
    model, a, visits = search.model, search.arrays, search.visits
    had = np.zeros((len(model.scenario.points), len(a.kg)), dtype=np.int64)
    for p in range(len(had)):
        for q in range(a.first_need[p], a.first_need[p + 1]):
            brought = search.given.arrival_units[p, : search.given.arrivals[p], q - a.first_need[p]]
            had[p, a.need_item[q]] = search.given.had[q] + brought.sum()
    for v in range(len(visits.vehicle_visits)):
        for k in range(visits.vehicle_visits[v]):
            if visits.rows[v, k, DROP] >= 0:
                had[visits.rows[v, k, NODE] - a.sources] += visits.goods[v, k]
    rows = []
    for p, point in enumerate(model.scenario.points):
        served = search.score[p]
        short = {}
        for q in range(a.first_need[p], a.first_need[p + 1]):
            lacking = int(a.need_units[q] - had[p, a.need_item[q]])
            if lacking > 0:
                short[model.scenario.items[a.need_item[q]].id] = lacking
        not_supported, not_settled = int(a.people[p] - served[2]), int(a.people[p] - served[3])
        if not_supported or not_settled or short:
            rows.append(Unmet(point.id, not_supported, not_settled, short))
    return tuple(rows)
