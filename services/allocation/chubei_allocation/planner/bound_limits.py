"""What there is before any trip of ours, for the bound: goods, berths and vehicles by the minute, goods had.

Committed trips are constants: what they take, occupy and bring is off or on the account here.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .model import FAR, FloatArray, IntArray, Model
from .scenario import Steps, Supply


@dataclass(frozen=True)
class VehicleClass:
    """Vehicles alike in room, speed and size."""

    payload_kg: float
    volume_m3: float
    speed_factor: float
    size: float
    vehicles: IntArray  # numbers in model.vehicles
    there_min: IntArray  # (vehicles, sources): the first minute at which each can be at each source

    @property
    def name(self) -> str:
        return f"{self.payload_kg:g} kg / {self.volume_m3:g} m3"


class Limits:
    """Arrays over sources s, items i, nodes n, wants r and minutes t (0 … deadline).

    held        pairs (s, i), ascending, as two arrays `source` and `item`
    room        (pairs, t) units that loads up to t may have taken, whatever is taken later
    crews       (n, t) manned berths not taken by committed trips
    had         (r, i) units that want r has, or gets by committed trips in time
    visit_min   (n) the least minutes of a visit: the fixed ones, and one for handling anything at all
    """

    def __init__(self, model: Model) -> None:
        self.model = model
        self.horizon = model.deadline_min + 1
        rows = sorted(
            model.scenario.supply, key=lambda row: (model.node_index[row.source], model.item_index[row.item])
        )
        self.source = np.array([model.node_index[row.source] for row in rows], dtype=np.int64)
        self.item = np.array([model.item_index[row.item] for row in rows], dtype=np.int64)
        self.room = np.zeros((len(rows), self.horizon))
        for n, row in enumerate(rows):
            self.room[n] = _appeared(row, self.horizon)
        places = {node.berths: _manned(node.berths, self.horizon) for node in model.nodes}
        self.crews = np.array([places[node.berths] for node in model.nodes]).reshape(-1, self.horizon)
        self.had = np.zeros((len(model.wants), len(model.kg)))
        for r, want in enumerate(model.wants):
            for item, units in want.point.on_hand.items():
                self.had[r, model.item_index[item]] += units
        fixed = np.array([node.fixed_min for node in model.nodes], dtype=np.int64)
        rate = np.array([node.kg_per_min for node in model.nodes])
        # less than that might be handled in no minute at all, by the rules' rounding
        self.visit_min: IntArray = fixed + (model.kg.min(initial=np.inf) > 1e-6 * rate)
        self._commit()
        minute = np.where(self.crews > 0, np.arange(self.horizon), FAR)
        never = np.full((len(minute), 1), FAR)
        ahead = np.minimum.accumulate(np.hstack([minute, never])[:, ::-1], axis=1)
        self._next_crew: IntArray = ahead[:, ::-1].astype(np.int64)
        self.classes = _classes(model)

    def _commit(self) -> None:
        """Take off what the committed trips take and occupy, add what they bring in time."""
        model = self.model
        pairs = {(int(s), int(i)): n for n, (s, i) in enumerate(zip(self.source, self.item, strict=True))}
        wants: dict[int, list[int]] = {}
        for r, want in enumerate(model.wants):
            wants.setdefault(want.node, []).append(r)
        for visit in (visit for trip in model.scenario.committed for visit in trip.visits):
            node = model.node_index[visit.node]
            self.crews[node, max(0, visit.start) : max(0, visit.end)] -= 1
            for name, units in visit.goods.items():
                i = model.item_index[name]
                if visit.loads and (node, i) in pairs:
                    self.room[pairs[node, i], max(0, visit.start) :] -= units
                for r in wants.get(node, ()) if not visit.loads else ():
                    if visit.end <= model.wants[r].latest_min:
                        self.had[r, i] += units
        np.maximum(self.crews, 0.0, out=self.crews)

    def berth_minutes(self, node: int, begin: int, end: int) -> float:
        """Manned minutes of the berths of a node in [begin, end)."""
        return float(self.crews[node, max(0, begin) : max(0, end)].sum())

    def first_crew(self, nodes: IntArray, begin: IntArray) -> IntArray:
        """The first minute from `begin` on with a manned berth at each node, FAR if there is none."""
        late = begin >= self.horizon
        first: IntArray = self._next_crew[nodes, np.where(late, self.horizon, np.maximum(begin, 0))]
        return first

    def first_goods(self) -> IntArray:
        """The first minute at which a unit of each pair can be loaded, shape (pairs,), FAR if never."""
        any_there = self.room > 0
        first = np.where(any_there.any(axis=1), any_there.argmax(axis=1), FAR)
        return first.astype(np.int64)

    def most_by(self, last_min: IntArray) -> FloatArray:
        """The most units of each pair that loads up to a minute can have taken; last_min by pair."""
        most: FloatArray = np.maximum.accumulate(np.maximum(self.room, 0.0), axis=1)
        last = np.clip(last_min, 0, self.horizon - 1)
        taken: FloatArray = np.where(last_min >= 0, most[np.arange(len(most)), last], 0.0)
        return taken


def _appeared(row: Supply, horizon: int) -> FloatArray:
    """Units of a row of supply that have become available by each minute."""
    since = np.arange(horizon) - row.available_min
    if row.rate_per_hour is None:
        return np.where(since >= 0, float(row.quantity), 0.0)
    made = np.floor(row.rate_per_hour * since / 60 + 1e-9)
    appeared: FloatArray = np.where(since >= 0, np.minimum(row.quantity, made), 0.0)
    return appeared


def _manned(steps: Steps, horizon: int) -> FloatArray:
    """Berths manned in each minute."""
    manned = np.zeros(horizon)
    for begin, number in steps:
        manned[max(0, begin) :] = number
    return manned


def _classes(model: Model) -> tuple[VehicleClass, ...]:
    members: dict[tuple[float, float, float, float], list[int]] = {}
    for v, vehicle in enumerate(model.vehicles):
        key = (vehicle.payload_kg, vehicle.volume_m3, vehicle.speed_factor, vehicle.size)
        members.setdefault(key, []).append(v)
    classes = []
    for (payload, volume, speed, size), numbers in members.items():
        ways = model.shortest(speed)[:, : model.source_count]
        node = np.array([model.vehicles[v].node for v in numbers], dtype=np.int64)
        free = np.array([model.vehicles[v].free_min for v in numbers], dtype=np.int64)
        there = np.minimum(free[:, None] + ways[node], FAR)
        classes.append(VehicleClass(payload, volume, speed, size, np.array(numbers, dtype=np.int64), there))
    return tuple(classes)
