"""The linear relaxation of bound.py as arrays: flows of goods by vehicle class, source and ask."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .bound_fleet import Carried, Fleet
from .bound_kits import Kits
from .bound_limits import Limits
from .bound_lines import usable_units
from .model import FAR, FloatArray, IntArray, Model
from .program import Program

NEAR_SOURCES = 40  # sources of an item that a want is connected with by columns of their own
LARGE = 40_000  # columns; beyond it fewer sources are told apart


@dataclass(frozen=True)
class _Ways:
    """A class and an item: from the sources that hold it (pairs) to the asks that lack it.

    out_min, end_min: (pairs, asks) from the start of a load to the arrival; earliest end of the delivery (FAR:
    not in time).
    """

    kind: int
    pairs: IntArray
    asks: IntArray
    out_min: IntArray
    end_min: IntArray


class Relaxation:
    """The program, and of each flow column: its class, source (the nearest, where several are one), ask."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self.limits = limits = Limits(model)
        self.program = Program()
        self._fixed = np.array([place.fixed_min for place in model.nodes], dtype=np.int64)
        self._per_kg = np.array([1 / place.kg_per_min for place in model.nodes])
        self._opens = np.array([place.opens_min for place in model.nodes], dtype=np.int64)
        self._node = np.array([want.node for want in model.wants], dtype=np.int64)
        self._latest = np.array([want.latest_min for want in model.wants], dtype=np.int64)
        self._size = np.array([want.point.max_size for want in model.wants], dtype=np.float64)
        self._ready = self._load_ready()
        self._first = self._arrives()
        self.kits = kits = Kits(model, limits, self._first)
        self.want, self.lacking = kits.put(self.program)
        self.item = np.array(kits.asks.item, dtype=np.int64)
        self._late = np.array(kits.asks.late_units_per_min)
        self._shared_rows()
        blocks = [self._ways(c, i) for c in range(len(limits.classes)) for i in range(len(model.kg))]
        near = self._choose_near(blocks)
        flows = [self._select(block, near) for block in blocks if block.end_min.size]
        self._flow_columns(flows)
        self.program.close()

    def _load_ready(self) -> list[IntArray]:
        """By class: the first minute at which a load of each pair can begin, shape (pairs,), FAR if never."""
        limits, now = self.limits, self.model.scenario.now_min
        goods = limits.first_goods()
        return [
            limits.first_crew(
                limits.source, np.maximum(np.maximum(goods, kind.there_min.min(axis=0)[limits.source]), now)
            )
            for kind in limits.classes
        ]

    def _end(self, c: int, pairs: IntArray, wants: IntArray) -> tuple[IntArray, IntArray]:
        """(minutes from the start of a load to the arrival, earliest end of the delivery), (pairs, wants)."""
        kind, limits = self.limits.classes[c], self.limits
        source, node = limits.source[pairs], self._node[wants]
        way = self.model.shortest(kind.speed_factor)[source[:, None], node]
        out = self._fixed[source][:, None] + way
        loaded = self._ready[c][pairs] + limits.visit_min[source]
        begin = np.maximum(loaded[:, None] + way, self._opens[node])
        end = limits.first_crew(node[None, :], np.minimum(begin, FAR)) + limits.visit_min[node]
        late = (end > self._latest[wants]) | (self._size[wants] < kind.size) | (out >= FAR)
        return out, np.where(late, FAR, end)

    def _arrives(self) -> IntArray:
        """The earliest end of a delivery of each item at each want, shape (wants, items), FAR if too late."""
        first = np.full((len(self.model.wants), len(self.model.kg)), FAR, dtype=np.int64)
        wants = np.arange(len(first))
        for c in range(len(self.limits.classes)):
            for i in range(len(self.model.kg)):
                pairs = np.flatnonzero(self.limits.item == i)
                end = self._end(c, pairs, wants)[1].min(axis=0, initial=FAR)
                first[:, i] = np.minimum(first[:, i], end)
        return first

    def _ways(self, c: int, i: int) -> _Ways:
        pairs, asks = np.flatnonzero(self.limits.item == i), np.flatnonzero(self.item == i)
        out, end = self._end(c, pairs, self.want[asks])
        reached = (end < FAR).any(axis=0) if len(pairs) else np.zeros(len(asks), dtype=np.bool_)
        return _Ways(c, pairs, asks[reached], out[:, reached], end[:, reached])

    def _choose_near(self, blocks: list[_Ways]) -> int:
        """How many sources to tell apart, the most that keeps the program within LARGE columns."""
        for near in range(NEAR_SOURCES, 1, -1):
            if sum(min(near + 1, len(block.pairs)) * len(block.asks) for block in blocks) <= LARGE:
                return near
        return 1

    def _shared_rows(self) -> None:
        """Supply by pair, and berth minutes."""
        model, limits, program = self.model, self.limits, self.program
        ids = [node.id for node in model.nodes]
        names = [item.id for item in model.scenario.items]
        last = model.deadline_min - self._after_load()
        units = limits.most_by((last - limits.visit_min[: len(last)])[limits.source])
        units = usable_units(model, limits, units)
        self._held_kg = units * model.kg[limits.item]
        self._supply = program.rows(
            "supply",
            [f"{ids[s]}/{names[i]}" for s, i in zip(limits.source, limits.item, strict=True)],
            self._held_kg,
        )
        self._berths = self._berth_rows(last)

    def _berth_rows(self, last: IntArray) -> IntArray:
        """Minutes of docks and bays at which a visit can be of use, once by weight and once by volume.

        last: by source, the minute by which a load must have ended. Returns (nodes, 2) rows.
        """
        model, limits, program = self.model, self.limits, self.program
        ids = [node.id for node in model.nodes]
        ready = np.full(len(ids), FAR, dtype=np.int64)
        for first in self._ready:
            np.minimum.at(ready, limits.source, first)
        begin = np.maximum(self._opens, model.scenario.now_min)
        begin[: len(last)] = ready[: len(last)]
        first = np.full(len(ids), FAR, dtype=np.int64)
        np.minimum.at(first, self._node, self._first.min(axis=1, initial=FAR) - limits.visit_min[self._node])
        begin = np.maximum(begin, np.where(np.arange(len(ids)) < len(last), 0, first))
        end = np.full(len(ids), model.deadline_min)
        end[: len(last)] = last
        minutes = [limits.berth_minutes(n, int(begin[n]), int(end[n])) for n in range(len(ids))]
        kinds = ["docks"] * len(last) + ["bays"] * (len(ids) - len(last))
        rows = [program.rows(kind, [ids[n]] * 2, minutes[n]) for n, kind in enumerate(kinds)]
        return np.array(rows, dtype=np.int64).reshape(-1, 2)

    def _after_load(self) -> IntArray:
        """By source: the least minutes from the end of a load to the end of a delivery."""
        after = np.full(self.model.source_count, FAR, dtype=np.int64)
        for kind in self.limits.classes:
            node = self._node[self._size >= kind.size]
            ways = self.model.shortest(kind.speed_factor)[: len(after), node] + self.limits.visit_min[node]
            after = np.minimum(after, ways.min(axis=1, initial=FAR))
        return after

    def _select(self, ways: _Ways, near: int) -> tuple[IntArray, ...]:
        """Flow columns of a class and an item, as arrays: class, pair, ask, told apart, out, end, handling."""
        source = self.limits.source[ways.pairs]
        key = np.where(ways.end_min < FAR, ways.out_min, FAR)
        order = np.argsort(key, axis=0, kind="stable")
        count = len(order) if len(order) <= near + 1 else near
        out = np.take_along_axis(key, order, axis=0)
        end = np.take_along_axis(ways.end_min, order, axis=0)
        per_kg = np.where(out < FAR, self._per_kg[source][order], np.inf)
        rank, ask = np.nonzero(out[:count] < FAR)
        parts = [
            [
                ways.pairs[order[rank, ask]],
                ask,
                np.ones_like(ask),
                out[rank, ask],
                end[rank, ask],
                per_kg[rank, ask],
            ]
        ]
        if count < len(order):
            far = np.flatnonzero(out[count] < FAR)
            least = [part[count:, far].min(axis=0) for part in (out, end, per_kg)]
            parts.append([ways.pairs[order[count, far]], far, np.zeros_like(far), *least])
        columns = [np.concatenate(part) for part in zip(*parts, strict=True)]
        columns[1] = ways.asks[columns[1]]
        return (np.full_like(columns[1], ways.kind), *columns)

    def _flow_columns(self, flows: list[tuple[IntArray, ...]]) -> None:
        if not flows:
            self.kind = self.pair = self.ask = self.column = np.zeros(0, dtype=np.int64)
            return
        kind, pair, ask, single, out, end, per_kg = (
            np.concatenate(part) for part in zip(*flows, strict=True)
        )
        self.kind, self.pair, self.ask = kind, pair, ask
        model, program, limits = self.model, self.program, self.limits
        want, item = self.want[ask], self.item[ask]
        node, source = self._node[want], limits.source[pair]
        kg = model.kg[item]
        # of what comes late, the desks can hand out only so much: the rest would be of no use
        useful = self._late[ask] * np.maximum(model.deadline_min - end, 1e-9) + 1e-6
        units = np.minimum(self.lacking[ask], useful)
        self.column = column = program.columns(np.zeros(len(ask)), units * kg)
        one = np.flatnonzero(single > 0)
        program.put(self._supply[pair[one]], column[one], 1.0)
        self._count_in_rows(ask, column, 1 / kg)
        # of a vehicle's room, and of a delivery, for each kg: by weight and by volume, (2, columns)
        size = np.stack([np.ones(len(ask)), model.m3[item] / kg])
        room = np.array([[each.payload_kg, each.volume_m3] for each in limits.classes])[kind].T
        lacking = self._lacking()
        share, visits = size / room, size / np.minimum(room, lacking[:, node])
        for by in range(2):
            bays = self._fixed[node] * visits[by] + self._per_kg[node]
            program.put(self._berths[node, by], column, bays)
            docks = self._fixed[source] * share[by] + self._per_kg[source]
            program.put(self._berths[source[one], by], column[one], docks[one])
        self._load_elsewhere(kind, item, column, single == 0)
        handling = per_kg + self._per_kg[node]
        source = np.where(single > 0, source, -1)
        fleet = Fleet(program, model, limits, lacking)
        for c, each in enumerate(limits.classes):
            my = np.flatnonzero(kind == c)
            flows_of = Carried(
                column[my], source[my], node[my], out[my], handling[my], share[:, my], visits[:, my]
            )
            fleet.add(each, flows_of)

    def _load_elsewhere(
        self, kind: IntArray, item: IntArray, column: IntArray, far: NDArray[np.bool_]
    ) -> None:
        """Where the goods of flow columns that come from far sources are loaded, by class and pair."""
        model, limits, program = self.model, self.limits, self.program
        for c, i in np.unique(np.stack([kind, item])[:, far], axis=1).T:
            each, pairs = limits.classes[c], np.flatnonzero(limits.item == i)
            source, m3 = limits.source[pairs], model.m3[i] / model.kg[i]
            load = program.columns(np.zeros(len(pairs)), self._held_kg[pairs])
            loaded = program.rows("loaded", [each.name], 0.0)
            program.put(loaded, column[far & (kind == c) & (item == i)], 1.0)
            program.put(loaded, load, -1.0)
            program.put(self._supply[pairs], load, 1.0)
            for by, share in enumerate((1 / each.payload_kg, m3 / each.volume_m3)):
                docks = self._fixed[source] * share + self._per_kg[source]
                program.put(self._berths[source, by], load, docks)

    def _lacking(self) -> FloatArray:
        """All that can be of use at each node, by weight and by volume, (2, nodes)."""
        lacking = np.zeros((2, len(self.model.nodes)))
        for by, size in enumerate((self.model.kg, self.model.m3)):
            np.add.at(lacking[by], self._node[self.want], self.lacking * size[self.item])
        return lacking

    def _count_in_rows(self, ask: IntArray, column: IntArray, units_per_kg: FloatArray) -> None:
        """What a column brings counts in all rows of its ask."""
        asks = self.kits.asks
        first = np.searchsorted(asks.row_ask, np.arange(len(asks.want) + 1))
        times = (first[1:] - first[:-1])[ask]
        which = np.repeat(np.arange(len(ask)), times)
        nth = np.arange(len(which)) - np.repeat(np.cumsum(times) - times, times)
        rows = np.array(asks.row, dtype=np.int64)[first[ask][which] + nth]
        self.program.put(rows, column[which], -units_per_kg[which])
