"""What a list of trips comes to, worked out straight from PLANNING.md for the independent checker.

Nothing here is shared with the construction of plans, which has a scorer of its own.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, floor

from .scenario import Need, Point, Scenario, Trip


@dataclass(frozen=True)
class PointFigures:
    """People of a point served by the deadline, and (minute, served so far) where the pace of a tier changes."""

    supported: int
    settled: int
    waited: float
    curve: tuple[tuple[float, float], ...]
    """Of tier 1."""
    settled_curve: tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Figures:
    people: int
    supported: int
    settled: int
    utility: float
    mean_wait_min: float
    worst_point: float
    points: dict[str, PointFigures]
    demands: dict[tuple[str, str], int]


def figures(scenario: Scenario, trips: Sequence[Trip]) -> Figures:
    """The score of these trips; they need not obey the rules."""
    drops: dict[str, list[tuple[int, dict[str, int]]]] = defaultdict(list)
    for trip in trips:
        for visit in trip.visits:
            if not visit.loads:
                drops[visit.node].append((visit.end, dict(visit.goods)))
    kits = {kit.id: kit.needs for kit in scenario.kits}
    points = {
        point.id: _point(scenario, point, kits[point.kit], drops[point.id])
        for point in scenario.points
        if point.people and point.kit
    }
    weighted = utility = waited = 0.0
    for point in scenario.points:
        if point.id not in points:
            continue
        row, weight = points[point.id], point.weight * point.people
        weighted += weight
        utility += weight * 0.7 * _worth(scenario.policy, row.supported / point.people)
        utility += weight * 0.3 * _worth(scenario.policy, row.settled / point.people)
        waited += point.weight * row.waited
    total = weighted
    had = _had(scenario, drops)
    for demand in scenario.demands:
        utility += demand.worth * min(1.0, had[demand.point, demand.item] / demand.units)
        total += demand.worth
    by_id = {point.id: point for point in scenario.points}
    return Figures(
        people=sum(by_id[name].people for name in points),
        supported=sum(row.supported for row in points.values()),
        settled=sum(row.settled for row in points.values()),
        utility=utility / total if total else 1.0,
        mean_wait_min=waited / weighted if weighted else 0.0,
        worst_point=min((row.supported / by_id[name].people for name, row in points.items()), default=1.0),
        points=points,
        demands=had,
    )


def _worth(policy: str, ratio: float) -> float:
    """u(r) as PLANNING.md states it for each policy; KeyError for one that is not stated here."""
    return {
        "fair": 1.5 * ratio if ratio <= 0.5 else 0.75 + 0.5 * (ratio - 0.5),
        "total": ratio,
    }[policy]


def _had(
    scenario: Scenario, drops: dict[str, list[tuple[int, dict[str, int]]]]
) -> dict[tuple[str, str], int]:
    """Units of every absolute demand there in time."""
    on_hand = {point.id: point.on_hand for point in scenario.points}
    had = {}
    for demand in scenario.demands:
        limit = min(demand.by_min, scenario.deadline_min)
        units = on_hand[demand.point].get(demand.item, 0)
        units += sum(goods.get(demand.item, 0) for end, goods in drops[demand.point] if end <= limit)
        had[demand.point, demand.item] = units
    return had


def _supportable(point: Point, needs: Sequence[Need], tier: int, units: dict[str, int]) -> int:
    """S_τ of PLANNING.md."""
    enough = [
        floor(units.get(need.item, 0) / need.per_person + 1e-9)
        for need in needs
        if need.group is None and need.tier <= tier
    ]
    left_out = 0
    for group, members in point.groups.items():
        own = [
            floor(units.get(need.item, 0) / need.per_person + 1e-9)
            for need in needs
            if need.group == group and need.tier <= tier
        ]
        left_out += members - min([members, *own])
    return max(0, min([point.people, point.people - left_out, *enough]))


def _point(
    scenario: Scenario, point: Point, needs: Sequence[Need], drops: list[tuple[int, dict[str, int]]]
) -> PointFigures:
    served: dict[int, list[tuple[float, float]]] = {}
    for tier in (1, 2):
        units = dict(point.on_hand)
        levels = [(0, _supportable(point, needs, tier, units))]
        for end, goods in sorted(drops, key=lambda drop: drop[0]):
            if end <= scenario.deadline_min:
                for item, count in goods.items():
                    units[item] = units.get(item, 0) + count
                levels.append((end, _supportable(point, needs, tier, units)))
        served[tier] = _curve(point, levels, scenario.deadline_min)
    waited = before = so_far = 0.0
    for corner, by_then in served[1]:
        waited += (point.people - (so_far + by_then) / 2) * (corner - before)
        before, so_far = corner, by_then
    return PointFigures(
        supported=floor(served[1][-1][1] + 1e-6),
        settled=floor(served[2][-1][1] + 1e-6),
        waited=waited,
        curve=tuple(served[1]),
        settled_curve=tuple(served[2]),
    )


def _curve(point: Point, levels: list[tuple[int, int]], deadline: int) -> list[tuple[float, float]]:
    """How many the desks have served by when, as the corners of a piecewise linear curve to the deadline."""
    corners = [(0.0, 0.0)]
    opens, rate = point.opens_min, point.hand_out_per_hour
    if opens > deadline:
        return [*corners, (float(deadline), 0.0)]
    corners.append((float(opens), 0.0))
    served = 0.0
    ends = [minute for minute, _ in levels[1:]] + [deadline]
    for (minute, level), end in zip(levels, ends, strict=True):
        begin = float(max(minute, opens))
        if level > served and begin <= deadline:
            if rate is None:
                corners += [(begin, served), (begin, float(level))]
                served = float(level)
            elif end > begin:
                grown = min(float(level), served + rate * (end - begin) / 60)
                reached = min(float(end), begin + (level - served) / rate * 60)
                corners += [(begin, served), (reached, grown)]
                served = grown
    return [*corners, (float(deadline), served)]


def served_by(curve: Sequence[tuple[float, float]], minute: float) -> float:
    """People served by a minute, on a curve of corners."""
    for (t0, n0), (t1, n1) in itertools.pairwise(curve):
        if minute < t1:
            return n0 if t1 == t0 else n0 + (n1 - n0) * (minute - t0) / (t1 - t0)
    return curve[-1][1]


def service_min(fixed_min: int, kg: float, kg_per_min: float) -> int:
    """Rule 1: the least minutes a load or a delivery takes."""
    return fixed_min + ceil(kg / kg_per_min - 1e-9)
