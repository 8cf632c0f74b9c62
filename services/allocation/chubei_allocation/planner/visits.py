"""What vehicles do, visit by visit: noted by the simulation, and written down once it counts."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .arrays import DROPS, FIRST_DROP, FIRST_LOAD, LOADS, Arrays, Ints, Table
from .compiled import compiled
from .days import Days
from .workspace import Work

NODE, DROP, ARRIVE, START, END, TRIP = range(6)


class Visits(NamedTuple):
    """What all vehicles do, in order."""

    vehicle_visits: Ints  # [v] how many
    rows: Table  # [v, visit, 6] node, drop or −1 for a load, arrive, start, end, trip
    goods: Table  # [v, visit, i] units


class Stops(NamedTuple):
    """The visits of a plan in order of vehicle and trip; loads before drops in each trip."""

    vehicle: Ints
    trip: Ints
    node: Ints
    drop: Ints  # −1 for a load
    start: Ints
    end: Ints


def make_visits(a: Arrays, most_visits: int) -> Visits:
    """No visits, and room for so many of each vehicle."""
    vehicles = len(a.start_node)
    return Visits(
        vehicle_visits=np.zeros(vehicles, dtype=np.int64),
        rows=np.zeros((vehicles, most_visits, 6), dtype=np.int32),
        goods=np.zeros((vehicles, most_visits, len(a.kg)), dtype=np.int32),
    )


def stops_of(visits: Visits) -> Stops:
    """All visits of a plan."""
    vehicle, k = spread(visits.vehicle_visits)
    columns = np.ascontiguousarray(visits.rows[vehicle, k].T, dtype=np.int64)
    return Stops(vehicle, *columns[[TRIP, NODE, DROP, START, END]])


def spread(counts: Ints) -> tuple[Ints, Ints]:
    """For rows with so many parts each: (row, number within the row) of every part."""
    row = np.repeat(np.arange(len(counts)), counts)
    return row, np.arange(len(row)) - np.repeat(np.cumsum(counts) - counts, counts)


@compiled
def write_down(w: Work, visits: Visits, vehicles: Ints) -> None:
    """Take over what the last simulation of these vehicles has logged."""
    for v in vehicles:
        visits.vehicle_visits[v] = 0
    for k in range(w.log.size[0]):
        v = w.log.visits[k, 0]
        at = visits.vehicle_visits[v]
        visits.vehicle_visits[v] += 1
        row = visits.rows[v, at]
        row[NODE], row[DROP] = w.log.visits[k, 2], w.log.visits[k, 3]
        row[ARRIVE], row[START], row[END] = w.log.visits[k, 4], w.log.visits[k, 5], w.log.visits[k, 6]
        row[TRIP] = 0
        for trip in range(w.log.visits[k, 1]):  # those that did not take place are not counted
            row[TRIP] += w.done[v, trip]
        for i in range(visits.goods.shape[2]):
            visits.goods[v, at, i] = w.log.goods[k, i]


@compiled
def mark_calls(days: Days, vehicles: Ints, calls: Table) -> None:
    """Set calls: [v, n] 1 if a trip of v may load or deliver at node n."""
    for v in vehicles:
        for n in range(calls.shape[1]):
            calls[v, n] = 0
        for k in range(days.trips[v]):
            row = days.rows[v, k]
            for stop in range(row[LOADS]):
                calls[v, row[FIRST_LOAD + stop]] = 1
            for d in range(row[DROPS]):
                calls[v, row[FIRST_DROP + d]] = 1


@compiled
def note(a: Arrays, w: Work, v: int, n: int, k: int, drop: bool) -> None:
    """Write a visit down: the k-th load or drop."""
    log = w.log
    at = log.size[0]
    log.size[0] += 1
    w.visits[v] += 1
    for i in range(log.goods.shape[1]):
        log.goods[at, i] = 0
    if not drop:
        arrive, start, end = w.load_arrive[k], w.load_start[k], w.load_end[k]
        for i in range(log.goods.shape[1]):
            log.goods[at, i] = w.load_units[k, i]
    else:
        arrive, start, end = w.drop_arrive[k], w.drop_start[k], w.drop_end[k]
        p = n - a.sources
        for q in range(a.first_need[p], a.first_need[p + 1]):
            log.goods[at, a.need_item[q]] += w.cargo[k, q - a.first_need[p]]
    log.visits[at, 0], log.visits[at, 1], log.visits[at, 2], log.visits[at, 3] = (
        v,
        w.trip[v] - 1,
        n,
        k if drop else -1,
    )
    log.visits[at, 4], log.visits[at, 5], log.visits[at, 6] = arrive, start, end
