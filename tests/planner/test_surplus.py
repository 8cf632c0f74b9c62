"""No plan brings a point more of an item than it lacks, but for what makes up a whole pack."""

from __future__ import annotations

from collections import Counter
from math import ceil

import pytest
from chubei_allocation.planner import Stop, check, parse_scenario, plan
from chubei_allocation.planner.scenario import Plan, Scenario
from planner_cases import plain


def _beyond(scenario: Scenario, found: Plan) -> dict[tuple[str, str], int]:
    """Units that could have stayed at a source, by point and item."""
    needs = Counter[tuple[str, str]]()
    kits = {kit.id: kit.needs for kit in scenario.kits}
    for point in scenario.points:
        for need in kits[point.kit or ""]:
            members = point.people if need.group is None else point.groups.get(need.group, 0)
            needs[point.id, need.item] += ceil(need.per_person * members - 1e-9)
    for demand in scenario.demands:
        needs[demand.point, demand.item] += demand.units
    brought = Counter[tuple[str, str]]()
    for visit in (visit for trip in found.trips for visit in trip.visits if not visit.loads):
        brought += Counter({(visit.node, item): units for item, units in visit.goods.items()})
    packs = {item.id: item.pack for item in scenario.items}
    more = {key: units - needs[key] for key, units in brought.items()}
    return {key: units for key, units in more.items() if units >= packs[key[1]]}


@pytest.mark.parametrize("seed", range(6))
def test_goods_that_serve_nobody_stay_at_their_source(seed: int) -> None:
    scenario = parse_scenario(plain())
    found = plan(scenario, Stop(time_limit_s=None, work_limit=40_000), seed=seed)
    assert check(scenario, found) == []
    assert _beyond(scenario, found) == {}
