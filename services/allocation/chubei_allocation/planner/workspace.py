"""Room for simulations, made once, so that the compiled code makes no arrays of its own."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from .arrays import MOST_DROPS, MOST_LOADS, Arrays, Base, Floats, Ints, Table
from .model import FAR

TRIP_VISITS = 4  # of an average trip at most: there is no room for more visits


class Log(NamedTuple):
    """The visits of a simulation: rows (vehicle, trip, node, drop or −1, arrive, start, end) and their goods."""

    size: Ints  # [1]
    visits: Ints  # [visit, 7]
    goods: Ints  # [visit, item]


class Work(NamedTuple):
    """Room to simulate in, and the outcome of the last simulation."""

    booked: Table  # [n, minute] berths taken
    left: Table  # [h, step] the most that a load from this step on may take
    sent: Ints  # [q] units there or under way
    arrivals: Ints  # [p] number of arrivals
    arrival_end: Table  # [p, arrival] minute
    arrival_units: Table  # [p, arrival, need of the point]
    cargo: Table  # [drop, need of the point], as the next eight of the trip that is run
    load_units: Ints  # [load, i]
    promised: Ints  # [load, i] those of them that the trip was planned to load
    load_arrive: Ints  # [load]
    load_start: Ints  # [load] −1: it takes nothing there
    load_end: Ints  # [load]
    drop_arrive: Ints  # [drop]
    drop_start: Ints  # [drop] −1: it brings nothing there
    drop_end: Ints  # [drop]
    at_node: Ints  # [v] where it stands
    free: Ints  # [v] from when on
    trip: Ints  # [v] its next trip
    touched: Ints  # [n] nodes that a simulation has changed
    is_touched: Table  # [n]
    touched_count: Ints  # [1]
    halt: Ints  # [1] 1: the simulation ends as it stands
    visits: Ints  # [v] made so far
    loose: Ints  # [v] 1: its trips need not wait for when they were planned to start
    heap: Ints  # [v, 2] (minute, v)
    heap_size: Ints  # [1]
    order: Ints  # [arrival]
    units: Ints  # [need of a point], as the next two
    room: Floats  # [group of a point]
    spare: Ints
    goods: Ints
    inside: Table  # [n] 1 if the search may use the node
    done: Table  # [v, trip] 1 if the trip takes place
    score: Floats  # [p, 4] worth, waited, supported, settled
    score_before: Floats  # [p, 4] the same without any vehicle of the search
    picked: Ints  # [i] taken for other drops of the trip in hand
    best_goods: Ints  # [need of a point]
    best: Floats  # [8] of the trip being chosen
    liking: Floats  # [p] factor on the worth of goods for a point
    back: Floats  # [speed, n] minutes to the nearest source
    log: Log
    rng: Any  # [1] state of the random numbers, uint64


def make_work(a: Arrays, base: Base, most_trips: int, seed: int) -> Work:
    """Room for simulations of these arrays."""
    arrivals = base.arrival_end.shape[1]
    points, vehicles = len(a.people), len(a.start_node)
    needs = max(1, int(np.diff(a.first_need).max(initial=1)))
    nearest = a.ways[:, :, : a.sources].min(axis=2, initial=FAR)
    return Work(
        booked=np.zeros_like(a.manned),
        left=np.zeros((len(a.holding_item), len(a.step_begin)), dtype=np.int32),
        sent=np.zeros(len(a.need_item), dtype=np.int64),
        arrivals=np.zeros(points, dtype=np.int64),
        arrival_end=np.zeros((points, arrivals), dtype=np.int32),
        arrival_units=np.zeros((points, arrivals, needs), dtype=np.int32),
        cargo=np.zeros((MOST_DROPS, needs), dtype=np.int32),
        load_units=np.zeros((MOST_LOADS, len(a.kg)), dtype=np.int64),
        promised=np.zeros((MOST_LOADS, len(a.kg)), dtype=np.int64),
        load_arrive=np.zeros(MOST_LOADS, dtype=np.int64),
        load_start=np.zeros(MOST_LOADS, dtype=np.int64),
        load_end=np.zeros(MOST_LOADS, dtype=np.int64),
        drop_arrive=np.zeros(MOST_DROPS, dtype=np.int64),
        drop_start=np.zeros(MOST_DROPS, dtype=np.int64),
        drop_end=np.zeros(MOST_DROPS, dtype=np.int64),
        at_node=np.zeros(vehicles, dtype=np.int64),
        free=np.zeros(vehicles, dtype=np.int64),
        trip=np.zeros(vehicles, dtype=np.int64),
        touched=np.zeros(len(a.fixed), dtype=np.int64),
        is_touched=np.zeros(len(a.fixed), dtype=np.int8),
        touched_count=np.zeros(1, dtype=np.int64),
        halt=np.zeros(1, dtype=np.int64),
        visits=np.zeros(vehicles, dtype=np.int64),
        loose=np.zeros(vehicles, dtype=np.int64),
        heap=np.zeros((vehicles + 1, 2), dtype=np.int64),
        heap_size=np.zeros(1, dtype=np.int64),
        order=np.zeros(arrivals + 1, dtype=np.int64),
        units=np.zeros(needs, dtype=np.int64),
        room=np.zeros(1 + int(np.diff(a.first_group).max(initial=0))),
        spare=np.zeros(needs, dtype=np.int64),
        goods=np.zeros(needs, dtype=np.int64),
        inside=np.ones(len(a.fixed), dtype=np.int8),
        done=np.zeros((vehicles, most_trips), dtype=np.int8),
        score=np.zeros((points, 4)),
        score_before=np.zeros((points, 4)),
        picked=np.zeros(len(a.kg), dtype=np.int64),
        best_goods=np.zeros(needs, dtype=np.int64),
        best=np.zeros(8),
        liking=np.ones(points),
        back=np.where(nearest >= FAR, 0, nearest).astype(np.float64),
        log=make_log(a, vehicles * most_trips * TRIP_VISITS),
        rng=np.array([(seed * 0x9E3779B97F4A7C15 + 0x2545F4914F6CDD1D) % 2**64 or 1], dtype=np.uint64),
    )


def make_log(a: Arrays, visits: int) -> Log:
    """Room for so many visits."""
    return Log(
        size=np.zeros(1, dtype=np.int64),
        visits=np.zeros((visits, 7), dtype=np.int64),
        goods=np.zeros((visits, len(a.kg)), dtype=np.int64),
    )


def most_arrivals(a: Arrays, most_trips: int) -> int:
    """Room for deliveries at one point: well above what the largest needs in average vehicles."""
    if not len(a.need_item) or not len(a.payload):
        return 1
    kg = np.add.reduceat(np.append(a.need_units * a.kg[a.need_item], 0.0), a.first_need[:-1])
    loads = float(kg.max()) / float(a.payload.mean())
    return int(min(len(a.payload) * most_trips, 64 + 3 * loads))
