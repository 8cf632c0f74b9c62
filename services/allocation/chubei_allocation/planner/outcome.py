"""The plan that a search has come to, in the words of plan files."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

import numpy as np

from .model import Model
from .scenario import Trip, Unmet, Visit
from .search import Search
from .visits import ARRIVE, DROP, END, NODE, START, TRIP, Visits


def outcome(search: Search) -> tuple[Trip, ...]:
    """All trips of the plan: those that have begun as they were, then the others by their start."""
    trips = sorted(
        (trip for _, _, trip in planned_trips(search.model, search.visits)),
        key=lambda trip: (trip.visits[0].start, trip.vehicle),
    )
    return (*search.model.scenario.committed, *trips)


def planned_trips(model: Model, visits: Visits) -> Iterator[tuple[int, int, Trip]]:
    """The trips that make these visits, each with the number of its vehicle and its own number in days."""
    ids = [item.id for item in model.scenario.items]
    for v, vehicle in enumerate(model.vehicles):
        stops = range(int(visits.vehicle_visits[v]))
        for trip, group in groupby(stops, key=lambda k: int(visits.rows[v, k, TRIP])):
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
            yield v, trip, Trip(vehicle.name, tuple(made))


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
