"""The bare LP, the bench's yardstick of time: what anybody would write down first, given to HiGHS as it is.

    x[s,p,i]  units of item i from source s to point p, for every source that has it and point that needs it
    n[p,t,h]  people of p served at tier t, in the first and the second half (utility is concave)
    m[p,g,t]  members of group g without their own goods up to tier t
    d[p,i]    met share of a demand that is not per head

    max  utility, as the rules score it, without time of day
    supply   Σ_p x[s,p,i] ≤ quantity
    kit      per_person · Σ_h n[p,t,h] ≤ on hand + Σ_s x[s,p,i]      group: members in place of n
    tiers    Σ_h n[p,2,h] ≤ Σ_h n[p,1,h];   Σ_h n[p,t,h] + Σ_g m[p,g,t] ≤ people
    fleet    Σ x · (share of a mean vehicle's room · minutes of a round + handling) ≤ minutes of all vehicles,
             once by weight and once by volume

No aggregation, no pruning of arcs, no time steps. Its value is not a bound (a mean vehicle is none of the
fleet's) and is not used as one.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass

import numpy as np
from chubei_allocation.planner import Scenario
from chubei_allocation.planner.scenario import Need

from .timetable import FAR, ways

TIER_WORTH = {1: 0.7, 2: 0.3}
Entries = list[tuple[int, float]]


@dataclass(frozen=True)
class BareLp:
    """What became of it. `value` is None when HiGHS was not done within the limit."""

    columns: int
    rows: int
    nonzeros: int
    build_s: float
    solve_s: float
    value: float | None


class _Program:
    """max c·x, A x ≤ b, 0 ≤ x ≤ upper, by columns."""

    def __init__(self) -> None:
        self.cost: list[float] = []
        self.upper: list[float] = []
        self.limit: list[float] = []
        self.entries: list[tuple[int, int, float]] = []

    def row(self, limit: float) -> int:
        self.limit.append(limit)
        return len(self.limit) - 1

    def column(self, cost: float, upper: float, entries: Entries) -> int:
        self.cost.append(cost)
        self.upper.append(upper)
        self.entries += [(row, len(self.cost) - 1, value) for row, value in entries]
        return len(self.cost) - 1


def solve(scenario: Scenario, time_limit_s: float) -> BareLp:
    """Build it and have HiGHS solve it with its default settings."""
    from ortools.linear_solver import linear_solver_pb2, pywraplp

    begun = time.perf_counter()
    program = _Builder(scenario).program
    row, column, value = zip(*program.entries, strict=True)
    order = np.argsort(row, kind="stable")
    columns, values = np.array(column)[order], np.array(value)[order]
    ends = np.searchsorted(np.array(row)[order], np.arange(len(program.limit) + 1))
    proto = linear_solver_pb2.MPModelProto(maximize=True)
    for cost, upper in zip(program.cost, program.upper, strict=True):
        proto.variable.add(lower_bound=0.0, upper_bound=upper, objective_coefficient=cost)
    for n, limit in enumerate(program.limit):
        span = slice(ends[n], ends[n + 1])
        proto.constraint.add(
            lower_bound=-math.inf, upper_bound=limit, var_index=columns[span], coefficient=values[span]
        )
    solver = pywraplp.Solver.CreateSolver("HIGHS_LP")
    solver.LoadModelFromProto(proto)
    solver.SetTimeLimit(int(time_limit_s * 1000))
    built = time.perf_counter()
    status = solver.Solve()
    return BareLp(
        columns=len(program.cost),
        rows=len(program.limit),
        nonzeros=len(program.entries),
        build_s=built - begun,
        solve_s=time.perf_counter() - built,
        value=solver.Objective().Value() if status == solver.OPTIMAL else None,
    )


class _Builder:
    """Writes the program of the docstring above, point by point."""

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self.program = _Program()
        self.way = ways(scenario).tolist()
        self.items = {item.id: item for item in scenario.items}
        sources = {source.id: s for s, source in enumerate(scenario.sources)}
        self.supply: dict[str, list[tuple[int, int]]] = {item: [] for item in self.items}
        for row in scenario.supply:
            self.supply[row.item].append((sources[row.source], self.program.row(row.quantity)))
        self.fleet = self._fleet()
        self.flows: dict[tuple[int, str], list[int]] = {}
        self.total = sum(point.weight * point.people for point in scenario.points)
        self.total += sum(demand.worth for demand in scenario.demands)
        kits = {kit.id: kit.needs for kit in scenario.kits}
        for p, point in enumerate(scenario.points):
            if point.people and point.kit:
                self._point(p, kits[point.kit])
        place = {point.id: p for p, point in enumerate(scenario.points)}
        for demand in scenario.demands:
            met = self.program.column(demand.worth / self.total, 1.0, [])
            self._kit_row(place[demand.point], demand.item, [(met, demand.units)])

    def _fleet(self) -> list[tuple[int, float]]:
        """The rows of vehicle time, by weight and by volume, each with the room of a mean vehicle."""
        fleet = [(kind, kind.count - len(kind.lost)) for kind in self.scenario.vehicles]
        begin, end = self.scenario.now_min, self.scenario.deadline_min
        minutes = sum(count * max(0, end - max(begin, kind.available_min)) for kind, count in fleet)
        vehicles = max(1, sum(count for _, count in fleet))
        payload_kg = sum(count * kind.payload_kg for kind, count in fleet) / vehicles
        volume_m3 = sum(count * kind.volume_m3 for kind, count in fleet) / vehicles
        return [(self.program.row(minutes), max(room, 1e-9)) for room in (payload_kg, volume_m3)]

    def _point(self, p: int, needs: tuple[Need, ...]) -> None:
        point, program = self.scenario.points[p], self.program
        tiers = {}
        for tier, share in TIER_WORTH.items():
            worth = share * point.weight / self.total
            halves = (1.5 * worth, 0.5 * worth) if self.scenario.policy == "fair" else (worth, worth)
            tiers[tier] = [program.column(each, point.people / 2, []) for each in halves]
        later = program.row(0.0)
        program.entries += [(later, column, 1.0) for column in tiers[2]]
        program.entries += [(later, column, -1.0) for column in tiers[1]]
        for tier, columns in tiers.items():
            everyone = program.row(point.people)
            program.entries += [(everyone, column, 1.0) for column in columns]
            for group, members in point.groups.items():
                without = program.column(0.0, members, [(everyone, 1.0)])
                for need in needs:
                    if need.group == group and need.tier <= tier:
                        self._kit_row(p, need.item, [(without, -need.per_person)], members * need.per_person)
        for need in needs:
            if need.group is None:
                self._kit_row(p, need.item, [(column, need.per_person) for column in tiers[need.tier]])

    def _kit_row(self, p: int, item: str, used: Entries, constant: float = 0.0) -> None:
        """constant + Σ used ≤ on hand + what is brought of the item to the point."""
        row = self.program.row(self.scenario.points[p].on_hand.get(item, 0) - constant)
        if (p, item) not in self.flows:
            self.flows[p, item] = [
                column for s, supply in self.supply[item] if (column := self._flow(s, p, item, supply)) >= 0
            ]
        self.program.entries += [(row, column, value) for column, value in used]
        self.program.entries += [(row, column, -1.0) for column in self.flows[p, item]]

    def _flow(self, s: int, p: int, item: str, supply: int) -> int:
        """The column x[s,p,i]; -1 where there is no way."""
        sources = len(self.scenario.sources)
        source, point, goods = self.scenario.sources[s], self.scenario.points[p], self.items[item]
        out, back = self.way[s][sources + p], min(self.way[sources + p][:sources])
        if out >= FAR:
            return -1
        round_min = source.load_fixed_min + out + point.unload_fixed_min + (back if back < FAR else 0)
        handling = goods.weight_kg * (1 / source.load_kg_per_min + 1 / point.unload_kg_per_min)
        shares = (goods.weight_kg, goods.volume_m3)
        time_used = [
            (row, round_min * share / room + handling)
            for (row, room), share in zip(self.fleet, shares, strict=True)
        ]
        return self.program.column(0.0, math.inf, [(supply, 1.0), *time_used])
