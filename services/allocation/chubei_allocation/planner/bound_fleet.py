"""The rows of the bound for the time of vehicles: where they start, and pieces of their room are filled,
emptied and go back."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .bound_limits import Limits, VehicleClass
from .model import FAR, FloatArray, IntArray, Model
from .program import Program

DETAILED = 4_000  # pairs of a source and a point; beyond it only near places are told apart
MANY_POINTS = 1_000  # beyond it none are
NEAR_BACK = 8  # sources that room goes to by columns of their own
NEAR_START = 6  # sources where a vehicle may have its first load that are then told apart
POOLED_START = 3  # the same, among many points
SLOTS = 10  # first loads at a source that are held apart by its docks


@dataclass(frozen=True)
class Carried:
    """Flow columns of one class: source (−1: any), node of the want, minutes and share of a vehicle for each kg.

    out_min: from the start of a load to the arrival, without what is handled
    handling_min: minutes for each kg, at both ends
    share: (2, columns) of a vehicle's payload and of its volume, for each kg
    visits: (2, columns) the least deliveries for each kg
    """

    column: IntArray
    source: IntArray
    node: IntArray
    out_min: IntArray
    handling_min: FloatArray
    share: FloatArray
    visits: FloatArray


class Fleet:
    """Puts the rows and columns of vehicle time into a program, class by class."""

    def __init__(self, program: Program, model: Model, limits: Limits, lacking: FloatArray) -> None:
        self.program = program
        self.model = model
        self.limits = limits
        self.lacking = lacking  # by weight and by volume, (2, nodes)
        self.sources = np.unique(limits.source)
        self.ids = [model.nodes[s].id for s in self.sources]
        self.goods = np.full(model.source_count, FAR, dtype=np.int64)
        np.minimum.at(self.goods, limits.source, limits.first_goods())
        self.fixed = np.array([place.fixed_min for place in model.nodes], dtype=np.int64)
        self.slot_min = self._slots()
        self.free, self.pace = self._desks()
        self.slots = np.array(
            [program.rows("slots", [name] * SLOTS, 1.0) for name in self.ids], dtype=np.int64
        ).reshape(-1, SLOTS)

    def _slots(self) -> IntArray:
        """Before which minute the j-th load at each source cannot start, (sources, SLOTS + 1)."""
        slots = np.full((len(self.sources), SLOTS + 1), FAR, dtype=np.int64)
        for row, s in enumerate(self.sources):
            begin = max(int(self.goods[s]), self.model.scenario.now_min)
            least = int(self.limits.visit_min[s])
            slots[row] = _earliest_starts(self.limits.crews[s], begin, least, SLOTS + 1)
        return slots

    def _desks(self) -> tuple[FloatArray, FloatArray]:
        """By node, by weight and by volume: what lacks there without a desk's limit, and what desks hand out a
        minute, (2, nodes)."""
        model = self.model
        free, pace = np.zeros((2, len(model.nodes))), np.zeros((2, len(model.nodes)))
        size = np.stack([model.kg, model.m3])
        for r, want in enumerate(model.wants):
            if want.item >= 0:
                free[:, want.node] += (
                    max(0.0, want.units - self.limits.had[r, want.item]) * size[:, want.item]
                )
            for need in want.needs:
                i, rate = model.item_index[need.item], want.point.hand_out_per_hour
                if need.group is None:
                    pace[:, want.node] += np.inf if rate is None else rate / 60 * need.per_person * size[:, i]
                else:
                    free[:, want.node] += want.point.groups.get(need.group, 0) * need.per_person * size[:, i]
        return free, pace

    def _last_visit_min(self, kind: VehicleClass, nodes: IntArray, room: int) -> float:
        """The least vehicle-minutes of no use at and after a vehicle's last delivery of use (see bound.py)."""
        size = np.minimum(_size(kind, room), self.lacking[room, nodes])
        free = np.minimum(1.0, self.free[room, nodes] / size)  # a share that no desk holds up
        with np.errstate(divide="ignore"):
            whole = np.where(self.pace[room, nodes] > 0, size / self.pace[room, nodes], np.inf)
        return float(((1 - free) * np.minimum(whole, self.fixed[nodes])).min())

    def add(self, kind: VehicleClass, flows: Carried) -> None:
        """Time of a class, and the balance of its room at sources and points, by payload and by volume."""
        nodes = np.unique(flows.node)
        if not len(nodes):
            return
        if len(nodes) > MANY_POINTS:
            self._add_pooled(kind, flows, nodes)
        else:
            self._add_detailed(kind, flows, nodes)

    def _add_detailed(self, kind: VehicleClass, flows: Carried, nodes: IntArray) -> None:
        """Where room is filled, emptied and goes back is told apart by place, as far as places are near."""
        few = len(self.sources) * len(nodes) <= DETAILED
        start, slot_at, begin, anywhere = self._starts(kind, len(self.sources) if few else NEAR_START)
        program, vehicles = self.program, float(len(kind.vehicles))
        ids = [self.model.nodes[n].id for n in nodes]
        shortest = self.model.shortest(kind.speed_factor)
        between = shortest[self.sources[:, None], self.sources] + self.fixed[self.sources][:, None]
        np.fill_diagonal(between, 0)
        ways = np.minimum(np.vstack([shortest[nodes[:, None], self.sources], between]), FAR)
        order = np.argsort(ways, axis=1, kind="stable")
        near = len(self.sources) if few else min(NEAR_BACK, len(self.sources))
        one = flows.source >= 0
        for room in range(2):
            share = flows.share[room]
            time = program.rows("time", [kind.name], 0.0)
            program.put(time, flows.column, self._minutes(flows, room))
            program.put(
                time, start, begin + self._last_visit_min(kind, nodes, room) - self.model.deadline_min
            )
            filled = program.rows("filled", self.ids, 0.0)
            emptied = program.rows("emptied", ids, 0.0)
            started = program.rows("started", self.ids, 0.0)
            elsewhere, far_filled = program.named_rows([("elsewhere", kind.name), ("filled", kind.name)], 0.0)
            program.put(
                filled[np.searchsorted(self.sources, flows.source[one])], flows.column[one], share[one]
            )
            program.put(far_filled, flows.column[~one], share[~one])
            program.put(emptied[np.searchsorted(nodes, flows.node)], flows.column, -share)
            program.put(started[slot_at[~anywhere]], start[~anywhere], -1.0)
            program.put(elsewhere, start[anywhere], -1.0)
            # room goes to a near source, or to one that is not near
            origin = np.concatenate([emptied, started])
            most = np.append(self.lacking[room, nodes] / _size(kind, room), np.full(len(started), vehicles))
            for rank in range(min(near + 1, len(self.sources))):
                there = ways[np.arange(len(ways)), order[:, rank]]
                some = np.flatnonzero(there < FAR)
                move = program.columns(np.zeros(len(some)), most[some])
                program.put(time, move, there[some])
                program.put(origin[some], move, 1.0)
                program.put(filled[order[some, rank]] if rank < near else elsewhere, move, -1.0)
            # from elsewhere to any source, and from any source to what is filled at sources not told apart
            total = float(most.sum())
            for rows, enters in ((filled, elsewhere), (np.atleast_1d(far_filled), elsewhere)):
                move = program.columns(np.zeros(len(rows)), total)
                program.put(rows, move, -1.0)
                program.put(enters, move, 1.0)
            move = program.columns(np.zeros(len(filled)), total)
            program.put(filled, move, 1.0)
            program.put(far_filled, move, -1.0)

    def _add_pooled(self, kind: VehicleClass, flows: Carried, nodes: IntArray) -> None:
        """Only how much room is filled, anywhere, is counted, and it goes back to the nearest source."""
        program = self.program
        start, _, begin, _ = self._starts(kind, POOLED_START)
        ways = self.model.shortest(kind.speed_factor)[nodes[:, None], self.sources].min(axis=1)
        back = np.minimum(ways, self.model.deadline_min)  # less than there is; where there is no way, enough
        for room in range(2):
            share = flows.share[room]
            time = program.rows("time", [kind.name], 0.0)
            filled = program.rows("filled", [kind.name], 0.0)
            at = np.searchsorted(nodes, flows.node)
            program.put(time, flows.column, self._minutes(flows, room) + back[at] * share)
            program.put(
                time, start, begin + self._last_visit_min(kind, nodes, room) - self.model.deadline_min
            )
            saved = program.columns(0.0, float(len(kind.vehicles)))
            program.put(time, saved, -float(back.max()))
            program.put(filled, saved, 1.0)
            program.put(filled, start, -1.0)

    def _minutes(self, flows: Carried, room: int) -> FloatArray:
        """Vehicle-minutes for each kg, without going back."""
        minutes: FloatArray = (
            flows.out_min * flows.share[room]
            + self.fixed[flows.node] * flows.visits[room]
            + flows.handling_min
        )
        return minutes

    def _starts(
        self, kind: VehicleClass, near: int
    ) -> tuple[IntArray, IntArray, IntArray, NDArray[np.bool_]]:
        """Columns of vehicles by where and when their first load is: (columns, source row, minute, elsewhere)."""
        program, limits = self.program, self.limits
        there, count = np.unique(kind.there_min[:, self.sources], axis=0, return_counts=True)
        groups = program.rows("vehicles", [kind.name] * len(count), count)
        earliest = np.maximum(np.maximum(there, self.goods[self.sources]), self.model.scenario.now_min)
        everywhere = np.broadcast_to(self.sources, earliest.shape)
        earliest = limits.first_crew(everywhere, earliest)
        begin = np.maximum(earliest[:, :, None], self.slot_min[None, :, :])
        far = np.zeros(begin.shape[:2], dtype=np.bool_)
        if near < begin.shape[1]:  # the others have no slots, and the least minute of them all
            order = np.argsort(begin[:, :, 0], axis=1, kind="stable")
            rest = np.take_along_axis(begin[:, :, 0], order[:, near:], axis=1).min(axis=1)
            np.put_along_axis(far, order[:, near:], True, axis=1)
            begin[far] = FAR
            begin[np.arange(len(begin)), order[:, near], SLOTS] = rest
        group, source, slot = np.nonzero(begin < self.model.deadline_min)
        start = program.columns(np.zeros(len(group)), count[group])
        program.put(groups[group], start, 1.0)
        held = slot < SLOTS
        program.put(self.slots[source[held], slot[held]], start[held], 1.0)
        return start, source, begin[group, source, slot], far[group, source]


def _size(kind: VehicleClass, room: int) -> float:
    return kind.payload_kg if room == 0 else kind.volume_m3


def _earliest_starts(crews: FloatArray, begin: int, least_min: int, count: int) -> IntArray:
    """The minute before which the j-th visit of at least so many minutes cannot start, j = 1 … count.

    N(t) visits have started by t. All that started after t − least_min are there at t, so
    N(t) ≤ N(t − least_min) + crews(t); and N(t) ≤ N(t + d) for every d ≥ 0.
    """
    starts = np.full(count, FAR, dtype=np.int64)
    if least_min < 1:
        starts[:] = min(begin, FAR)
        return starts
    most = np.zeros(len(crews) + least_min)  # most[t + least_min]: a limit of N(t)
    done = 0
    for t in range(begin, len(crews)):
        ahead = crews[t : t + least_min]
        within = most[t : t + len(ahead)] + ahead
        most[t + least_min] = max(most[t + least_min - 1], float(within.min()))
        while done < count and most[t + least_min] >= done + 1:
            starts[done] = t
            done += 1
        if done == count:
            break
    return starts
