"""How much of what is still being made near the deadline can be of use, for a source with a single dock.

Model: loads j = 1, 2, … of one item, in order; q_j units of use, started at t_j.

    Σ_{l ≤ j} q_l ≤ what has appeared by t_j                          supply
    t_{j+1} ≥ t_j + fixed + q_j · kg / rate                           the dock
    q_j ≤ most(t_j)                                                   what can be handed over and handed out in time

`usable_units` is the greatest Σ q. By minutes u, with E(u) the most that loads ended by u can have taken,

    E(u) = max_{t < u} min(appeared(t), E(t) + min(most(t), (u − t − fixed) · rate / kg)),

which is exact: more taken earlier never hurts, for what a load leaves behind is still there later.

`most(t)`: after the load a vehicle drives to a point, and visits 1 … n follow one another, each after the fixed
minutes and the handling of the least point; what is brought by a visit must be handed out from its end on, by
the desks of the quickest point (see "late" in bound.py). With h minutes from the last end to the deadline, the
last visit has a_n = pace · h, the one before pace · (h + fixed + a_n · kg / rate) and so on, and all minutes
together are those there are; n beyond VISITS is bounded by that many further visits' fixed minutes alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .bound_limits import Limits
from .model import FAR, FloatArray, Model

VISITS = 12
HALVINGS = 40


@dataclass(frozen=True)
class _Line:
    """One item at one source, and the least that its deliveries take. Paces in units a minute."""

    kg: float
    load_fixed_min: int
    load_kg_per_min: float
    arrive_min: int  # the way to the nearest point and its fixed minutes
    unload_fixed_min: int
    unload_kg_per_min: float
    pace: float
    vehicle_units: float


def usable_units(model: Model, limits: Limits, units: FloatArray) -> FloatArray:
    """`units` of each pair (source, item), cut to what can be of use where a line with one dock is at work."""
    usable = units.copy()
    appeared = np.maximum.accumulate(np.maximum(limits.room, 0.0), axis=1)[:, : model.deadline_min]
    making = (np.diff(appeared, axis=1) > 0).sum(axis=1) > 1
    single = limits.crews[: model.source_count].max(axis=1, initial=0.0) <= 1
    for pair in np.flatnonzero(making & single[limits.source]):
        line = _line(model, limits, int(limits.source[pair]), int(limits.item[pair]))
        if line is not None:
            usable[pair] = min(usable[pair], _most_loaded(line, appeared[pair]) + 1e-6)
    return usable


def _line(model: Model, limits: Limits, source: int, item: int) -> _Line | None:
    """What is known of an item at a source; None if no point that wants it can be reached."""
    arrive, fixed, rate, pace = FAR, FAR, 0.0, 0.0
    for want, way in zip(model.wants, _ways(model, limits, source), strict=True):
        needs = [need for need in want.needs if model.item_index[need.item] == item]
        if way >= FAR or not (needs or want.item == item):
            continue
        arrive = min(arrive, way + want.point.unload_fixed_min)
        fixed = min(fixed, want.point.unload_fixed_min)
        rate = max(rate, want.point.unload_kg_per_min)
        desk = want.point.hand_out_per_hour
        if desk is None or not needs or needs[0].group is not None:
            pace = np.inf
        else:
            pace = max(pace, desk / 60 * needs[0].per_person)
    if arrive >= FAR:
        return None
    place, kg, m3 = model.nodes[source], float(model.kg[item]), float(model.m3[item])
    room = max(min(kind.payload_kg / kg, kind.volume_m3 / m3) for kind in limits.classes)
    return _Line(kg, place.fixed_min, place.kg_per_min, arrive, fixed, rate, pace, room)


def _ways(model: Model, limits: Limits, source: int) -> list[int]:
    """Minutes from a source to each want by the quickest class that gets through."""
    node = np.array([want.node for want in model.wants], dtype=np.int64)
    size = np.array([want.point.max_size for want in model.wants])
    least = np.full(len(node), FAR, dtype=np.int64)
    for kind in limits.classes:
        ways = model.shortest(kind.speed_factor)[source, node]
        least = np.minimum(least, np.where(size >= kind.size, ways, FAR))
    return [int(way) for way in least]


def _most_loaded(line: _Line, appeared: FloatArray) -> float:
    """The recursion over minutes; appeared: units by each minute before the deadline."""
    left: FloatArray = (
        np.arange(len(appeared), 0, -1, dtype=np.float64) - line.load_fixed_min - line.arrive_min
    )
    most = _most_of_use(line, left)
    begin = int(np.argmax(appeared > 0))
    ended = np.zeros(len(appeared))
    for u in range(begin + 1, len(appeared)):
        t = np.arange(begin, u)
        fits = np.maximum(0.0, (u - t - line.load_fixed_min) * line.load_kg_per_min / line.kg)
        taken = np.minimum(appeared[begin:u], ended[begin:u] + np.minimum(most[begin:u], fits))
        ended[u] = max(ended[u - 1], float(taken.max()))
    return float(np.minimum(appeared, ended + most).max())


def _most_of_use(line: _Line, left_min: FloatArray) -> FloatArray:
    """most(t) for each number of minutes left for handling, further visits and handing out."""
    per_unit = line.kg / line.load_kg_per_min + line.kg / line.unload_kg_per_min
    further = VISITS if np.isfinite(line.pace) else 0
    best: FloatArray = np.maximum(0.0, left_min - further * line.unload_fixed_min) / per_unit
    for visits in range(1, further + 1):
        room = np.maximum(0.0, left_min - (visits - 1) * line.unload_fixed_min)
        low, high = np.zeros_like(room), room
        for _ in range(HALVINGS):
            middle = (low + high) / 2
            fits = middle + _handed_out(line, middle, visits) * per_unit <= room
            low, high = np.where(fits, middle, low), np.where(fits, high, middle)
        best = np.maximum(best, np.minimum(_handed_out(line, high, visits), room / per_unit))
    return np.minimum(np.where(left_min > 0, best, 0.0), line.vehicle_units)


def _handed_out(line: _Line, last_min: FloatArray, visits: int) -> FloatArray:
    """Units of use of so many visits in a row, the last of which ends so many minutes before the deadline."""
    total, wait = np.zeros_like(last_min), last_min.copy()
    for _ in range(visits):
        brought = line.pace * wait
        total += brought
        wait += line.unload_fixed_min + brought * line.kg / line.unload_kg_per_min
    return total
