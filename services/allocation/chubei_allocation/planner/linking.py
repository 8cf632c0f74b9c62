"""Which trip follows which: all trips stand with their times, and vehicles that are alike exchange them.

The least empty way is a flow of least cost: from where and when vehicles become free, to trips that begin later
(vehicle scheduling, Bertossi, Carraresi & Gallo 1987). What is not driven any more is left to the search.
"""

from __future__ import annotations

import numpy as np

from .arrays import Arrays, Bits, Ints
from .days import Days
from .model import FAR
from .visits import Stops

MOST_VEHICLES = (
    400  # that exchange trips with one another; of those alike, neighbours in the scenario's order
)
NEAREST = 40  # trips that one may go on with, besides the present one


def alike(a: Arrays) -> list[Ints]:
    """Vehicles alike in room, speed and size, in groups of at most MOST_VEHICLES."""
    traits = np.stack([a.payload, a.volume, a.speed, a.size], axis=1)
    kind = np.unique(traits, axis=0, return_inverse=True)[1].ravel()
    groups = [np.flatnonzero(kind == k) for k in np.unique(kind)]
    return [part for group in groups for part in np.array_split(group, -(-len(group) // MOST_VEHICLES))]


def link(a: Arrays, days: Days, stops: Stops, vehicles: Ints) -> None:
    """Deal the trips of `vehicles` (ascending, all alike) out anew among them, for the least empty way.

    stops: all visits of the plan. Places and times stay as they are.
    """
    mine = np.flatnonzero(np.isin(stops.vehicle, vehicles))
    if not len(mine):
        return
    begins = np.diff(stops.vehicle[mine] * days.rows.shape[1] + stops.trip[mine], prepend=-1) != 0
    first, last = mine[begins], mine[np.append(begins[1:], True)]
    node = np.concatenate([a.start_node[vehicles], stops.node[last]])
    free = np.concatenate([a.start_free[vehicles], stops.end[last]])
    way = a.ways[a.speed[vehicles[0]]][node[:, None], stops.node[first]].astype(np.int64)
    follows = np.full(len(node), -1)  # the present order: the number of the next trip, -1 for none
    begun = np.diff(stops.vehicle[first], prepend=-1) != 0
    follows[np.searchsorted(vehicles, stops.vehicle[first[begun]])] = np.flatnonzero(begun)
    later = np.flatnonzero(~begun)
    follows[len(vehicles) + later - 1] = later
    follows = cheapest(way, free[:, None] + way <= stops.start[first], follows)
    _deal_out(days, vehicles, days.rows[stops.vehicle[first], stops.trip[first]], follows)


def cheapest(way: Ints, in_time: Bits, now: Ints) -> Ints:
    """Which trip each end goes on with, -1 for none, so that all are made: the least sum of `way` [end, trip].

    now: the same, as it is; it is kept if there is nothing better.
    """
    # imported here: only who plans pays for loading OR-Tools
    from ortools.graph.python.min_cost_flow import SimpleMinCostFlow

    ends, trips = way.shape
    near = np.argsort(np.where(in_time, way, FAR), axis=1, kind="stable")[:, :NEAREST]
    may = np.zeros_like(in_time)
    np.put_along_axis(may, near, np.take_along_axis(in_time, near, axis=1), axis=1)
    may[now >= 0, now[now >= 0]] = True
    end, trip = np.nonzero(may)
    home = ends + trips  # where days end
    flow = SimpleMinCostFlow()
    arcs = flow.add_arcs_with_capacity_and_unit_cost(
        np.concatenate([end, np.arange(ends)]),
        np.concatenate([ends + trip, np.full(ends, home)]),
        np.ones(len(end) + ends, dtype=np.int64),
        np.concatenate([way[end, trip], np.zeros(ends, dtype=np.int64)]),
    )
    supply = np.concatenate([np.ones(ends), -np.ones(trips), [trips - ends]])
    flow.set_nodes_supplies(np.arange(home + 1), supply.astype(np.int64))
    if flow.solve() != flow.OPTIMAL:
        return now
    used = flow.flows(arcs)[: len(end)] > 0
    follows = np.full(ends, -1)
    follows[end[used]] = trip[used]
    return follows


def _deal_out(days: Days, vehicles: Ints, trips: Ints, follows: Ints) -> None:
    """Write trips (rows of days) to the days of vehicles in their order, unless a day has no room for as many."""
    order: list[list[int]] = []
    for k in range(len(vehicles)):
        order.append([])
        while follows[k] >= 0:
            order[-1].append(int(follows[k]))
            k = len(vehicles) + follows[k]
    if max(map(len, order)) > days.rows.shape[1]:
        return
    for v, day in zip(vehicles, order, strict=True):
        days.rows[v, : len(day)] = trips[day]
        days.trips[v] = len(day)
