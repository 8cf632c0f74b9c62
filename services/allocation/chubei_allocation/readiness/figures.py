"""PURE: what a plan comes to for readiness: people served by when, item by item, and what binds. By the checker."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from math import floor

from chubei_allocation.planner import Plan, Scenario, check, explain, judge
from chubei_allocation.planner.figures import served_by
from chubei_allocation.planner.scenario import Trip
from chubei_allocation.scenarios import Json

HOURS = (2, 4, 6, 10, 12)
_MOST_BINDINGS = 6


class Refused(Exception):
    """The independent checker found a fault in a plan: nothing of it is told."""


def of_plan(scenario: Scenario, plan: Plan) -> Json:
    """{people, supported, settled, utility, bound, impossible, by_hour, settled_by_hour, seed}. Raises Refused.

    `bound` is proven, on utility; `impossible`: it proves that not everybody can be supported (and settled, where the
    kits have a second tier).
    """
    if violations := check(scenario, plan):
        raise Refused(f"方案未通过独立检查 / the plan fails the independent check: {violations[0]}")
    figures = judge(scenario, plan.trips).figures
    points = figures.points.values()
    return {
        "people": figures.people,
        "supported": figures.supported,
        "settled": figures.settled,
        "utility": round(figures.utility, 6),
        "bound": plan.claims.utility_bound,
        "impossible": plan.claims.utility_bound < 1,
        "by_hour": _by_hour((point.curve for point in points), scenario.deadline_min),
        "settled_by_hour": _by_hour((point.settled_curve for point in points), scenario.deadline_min),
        "seed": plan.solver.seed,
    }


def _by_hour(curves: Iterable[Sequence[tuple[float, float]]], deadline_min: int) -> list[int]:
    """People served by the end of hours 1, 2, … to the deadline."""
    rows = list(curves)
    return [
        floor(sum(served_by(curve, 60 * hour) for curve in rows) + 1e-6)
        for hour in range(1, deadline_min // 60 + 1)
    ]


def in_full(scenario: Scenario, plan: Plan) -> Json:
    """The same with what each item allows by HOURS, and what binds."""
    found = explain(scenario, plan.trips)
    return {
        **of_plan(scenario, plan),
        "by_item": by_item(scenario, plan.trips),
        "binds": [
            {
                "kind": row.kind,
                "id": row.id,
                "other": row.other,
                "zh": row.zh,
                "en": row.en,
                "people": row.people,
            }
            for row in found.binding[:_MOST_BINDINGS]
        ],
        "binds_zh": found.zh,
        "binds_en": found.en,
    }


def by_item(scenario: Scenario, trips: tuple[Trip, ...]) -> list[Json]:
    """For each item: of those who need it, how many have it by each of HOURS; desks and other items aside.

    Who is served is never more than the least of these.
    """
    kits = {kit.id: kit.needs for kit in scenario.kits}
    drops = _drops(trips)
    counts: dict[str, list[int]] = defaultdict(lambda: [0] * len(HOURS))
    users: dict[str, int] = defaultdict(int)
    for point in scenario.points:
        for need in kits.get(point.kit or "", ()):
            members = point.people if need.group is None else point.groups.get(need.group, 0)
            users[need.item] += members
            for n, hour in enumerate(HOURS):
                units = point.on_hand.get(need.item, 0)
                units += sum(u for end, u in drops[point.id, need.item] if end <= 60 * hour)
                if 60 * hour >= point.opens_min:
                    counts[need.item][n] += min(members, floor(units / need.per_person + 1e-9))
    return [
        {"item_code": item, "users": users[item], "by_hour": counts[item]}
        for item in sorted(users)
        if users[item]
    ]


def _drops(trips: tuple[Trip, ...]) -> dict[tuple[str, str], list[tuple[int, int]]]:
    drops: dict[tuple[str, str], list[tuple[int, int]]] = defaultdict(list)
    for trip in trips:
        for visit in trip.visits:
            if not visit.loads:
                for item, units in visit.goods.items():
                    drops[visit.node, item].append((visit.end, units))
    return drops
