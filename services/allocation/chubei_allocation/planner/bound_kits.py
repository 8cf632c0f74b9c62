"""The rows and columns of the bound that belong to one want each: people by tier, kits, groups, desks."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from .bound_limits import Limits
from .model import FAR, FloatArray, IntArray, Model, Want
from .policies import POLICIES
from .program import Program
from .scenario import TIER_WORTH, Need
from .score import Scorer

SLACK_UNITS = 1e-8  # per unit of a need: the rules round up what is that close to whole people


@dataclass
class Asks:
    """Items that wants still lack, one by one.

    want, item, lacking   by ask; `lacking` in units
    late_units_per_min    units that can be of use for each minute between arrival and deadline
    row_ask, row          what is brought for an ask counts in these rows, as −1 for each unit
    """

    want: list[int] = field(default_factory=list)
    item: list[int] = field(default_factory=list)
    lacking: list[float] = field(default_factory=list)
    late_units_per_min: list[float] = field(default_factory=list)
    row_ask: list[int] = field(default_factory=list)
    row: list[int] = field(default_factory=list)

    def add(self, want: int, item: int, lacking: float, late: float, rows: Sequence[int]) -> None:
        self.row_ask += [len(self.want)] * len(rows)
        self.row += rows
        self.want.append(want)
        self.item.append(item)
        self.lacking.append(lacking)
        self.late_units_per_min.append(late)


class Kits:
    """Builds the rows and columns of all wants, want by want, and puts them into a program at once."""

    def __init__(self, model: Model, limits: Limits, arrives: IntArray) -> None:
        """arrives: (wants, items) the first minute at which a unit of ours can be handed over there."""
        self.model = model
        self.had = limits.had
        self.arrives = arrives
        self.scorer = Scorer(model)
        self.pieces = POLICIES[model.scenario.policy].pieces
        self.asks = Asks()
        self.people: dict[int, list[list[int]]] = {}  # columns of a want by tier, numbered in this block
        self._names: list[tuple[str, str]] = []
        self._limits: list[float] = []
        self._cost: list[float] = []
        self._upper: list[float] = []
        self._entries: list[tuple[int, int, float]] = []
        for r, want in enumerate(model.wants):
            if want.item >= 0:
                self._demand(r, want)
            else:
                self._kit(r, want)

    def put(self, program: Program) -> tuple[IntArray, FloatArray]:
        """Into an empty program: rows and columns keep their numbers."""
        program.named_rows(self._names, self._limits)
        program.columns(self._cost, self._upper)
        entries = np.array(self._entries, dtype=np.float64).reshape(-1, 3)
        program.put(entries[:, 0].astype(np.int64), entries[:, 1].astype(np.int64), entries[:, 2])
        return np.array(self.asks.want, dtype=np.int64), np.array(self.asks.lacking)

    def _row(self, kind: str, name: str, limit: float) -> int:
        self._names.append((kind, name))
        self._limits.append(limit)
        return len(self._limits) - 1

    def _column(self, cost: float, upper: float) -> int:
        self._cost.append(cost)
        self._upper.append(upper)
        return len(self._cost) - 1

    def _put(self, row: int, columns: Sequence[int], value: float) -> None:
        self._entries += [(row, column, value) for column in columns]

    def _demand(self, r: int, want: Want) -> None:
        had = float(self.had[r, want.item])
        row = self._row("demand", want.point.id, had)
        met = self._column(want.worth / self.model.total_worth, 1.0)
        self._put(row, [met], float(want.units))
        if had < want.units:
            self.asks.add(r, want.item, want.units - had, math.inf, [row])

    def _kit(self, r: int, want: Want) -> None:
        name, groups = want.point.id, want.point.groups
        tiers = [self._people(want, tier) for tier in TIER_WORTH]
        self.people[r] = tiers
        later = self._row("tiers", name, 0.0)  # the settled are among the supported
        self._put(later, tiers[1], 1.0)
        self._put(later, tiers[0], -1.0)
        rows: dict[int, list[int]] = {}
        for need in want.needs:
            if need.group is None:
                rows[self.model.item_index[need.item]] = [self._need(r, want, need, tiers[need.tier - 1])]
        if groups:
            self._groups(r, want, tiers, rows)
        for need in want.needs:
            i = self.model.item_index[need.item]
            members = want.people if need.group is None else groups.get(need.group, 0)
            lacking = members * need.per_person - float(self.had[r, i])
            if lacking > 0 and i in rows:
                pace = want.point.hand_out_per_hour
                late = math.inf if pace is None or need.group else pace / 60 * need.per_person
                self.asks.add(r, i, lacking, late, rows[i])
        for tier in TIER_WORTH:
            row = self._row("desks", name, self._desk_limit(r, want, tier))
            self._put(row, tiers[tier - 1], 1.0)

    def _people(self, want: Want, tier: int) -> list[int]:
        """A column of people for each piece of u; worth per person in utility."""
        worth = TIER_WORTH[tier] * want.point.weight / self.model.total_worth
        begins = [0.0, *(upto for upto, _ in self.pieces)]
        return [
            self._column(worth * slope, want.people * (upto - begin))
            for (upto, slope), begin in zip(self.pieces, begins, strict=False)
        ]

    def _need(self, r: int, want: Want, need: Need, columns: Sequence[int]) -> int:
        """per_person · columns ≤ had (+ what is brought)."""
        i = self.model.item_index[need.item]
        had = float(self.had[r, i]) + SLACK_UNITS * need.per_person
        row = self._row("kit", f"{want.point.id}/{need.item}", had)
        self._put(row, columns, need.per_person)
        return row

    def _groups(self, r: int, want: Want, tiers: Sequence[Sequence[int]], rows: dict[int, list[int]]) -> None:
        groups: Mapping[str, int] = want.point.groups
        for tier in TIER_WORTH:
            row = self._row("groups", want.point.id, want.people - sum(groups.values()))
            self._put(row, tiers[tier - 1], 1.0)
            for group, members in groups.items():
                served = self._column(0.0, members)
                self._put(row, [served], -1.0)
                for need in want.needs:
                    if need.group == group and need.tier <= tier:
                        i = self.model.item_index[need.item]
                        rows.setdefault(i, []).append(self._need(r, want, need, [served]))

    def _desk_limit(self, r: int, want: Want, tier: int) -> float:
        """People the desks can have served: with what is there already, then from the first arrival on."""
        model, point, deadline = self.model, want.point, self.model.deadline_min
        if point.opens_min > deadline:
            return 0.0
        had = self.had[r].tolist()
        ready = self.scorer.supportable(r, tier, had)
        first = point.opens_min
        for need in want.needs:
            i = model.item_index[need.item]
            if need.group is None and need.tier <= tier and had[i] < (ready + 1) * need.per_person - 1e-6:
                first = max(first, int(self.arrives[r, i]))
        if first > deadline or first >= FAR:
            return float(ready)
        if point.hand_out_per_hour is None:
            return float(want.people)
        pace = point.hand_out_per_hour / 60
        after = min(float(ready), pace * (first - point.opens_min)) + pace * (deadline - first)
        return min(pace * (deadline - point.opens_min), max(float(ready), after)) + 1e-6
