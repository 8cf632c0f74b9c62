"""What `make bench` holds the planner against: a greedy, the bare LP, and a bound on the wait."""

from __future__ import annotations

from typing import Any

import pytest
from chubei_allocation.planner import check, parse_scenario
from hypothesis import HealthCheck, given, settings
from planner_cases import odd, plain

from tests.bench import bare_lp
from tests.bench.generate import make
from tests.bench.greedy import greedy_plan
from tests.bench.wait import wait_bound

DISTRICTS = ["district", "fleet", "supply", "docks", "matrix", "planted", "replan"]


@pytest.mark.parametrize("kind", DISTRICTS)
def test_the_greedy_obeys_every_rule(kind: str) -> None:
    scenario = parse_scenario(make(kind, 1))
    made = greedy_plan(scenario)
    assert check(scenario, made) == []
    assert made.claims.utility > 0.2


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(odd())
def test_the_greedy_obeys_every_rule_on_odd_scenarios(data: dict[str, Any]) -> None:
    scenario = parse_scenario(data)
    assert check(scenario, greedy_plan(scenario)) == []


def tiny() -> dict[str, Any]:
    """Ten units for twenty people who need one each; a round of a vehicle takes 4 + 5 + 6 + 5 minutes."""
    return {
        "format": "planning-scenario/1",
        "name": "tiny",
        "deadline_min": 100,
        "policy": "total",
        "items": [{"id": "water", "pack": 1, "weight_kg": 10, "volume_m3": 0.0001}],
        "kits": [{"id": "kit", "needs": [{"item": "water", "per_person": 1, "tier": 1}]}],
        "sources": [
            {"id": "S", "kind": "warehouse", "lon": 0, "lat": 0, "docks": 1, "load_fixed_min": 4}
            | {"load_kg_per_min": 1e12}
        ],
        "supply": [{"source": "S", "item": "water", "mode": "physical", "quantity": 10, "available_min": 0}],
        "points": [_point("P", 20)],
        "vehicles": [
            {"type": "van", "count": 1, "start": "S", "payload_kg": 100, "volume_m3": 10, "size": 1}
        ],
        "travel": {"kind": "matrix", "minutes": [[0, 5], [5, 0]]},
    }


def _point(name: str, people: int) -> dict[str, Any]:
    point = {"id": name, "lon": 0, "lat": 0, "people": people, "kit": "kit", "bays": 1}
    return point | {"unload_fixed_min": 6, "unload_kg_per_min": 1e12}


def lp_value(data: dict[str, Any]) -> float:
    solved = bare_lp.solve(parse_scenario(data), time_limit_s=60)
    assert solved.value is not None
    return solved.value


def test_the_bare_lp_shares_out_what_there_is() -> None:
    assert lp_value(tiny()) == pytest.approx(0.5)
    assert lp_value(tiny() | {"policy": "fair"}) == pytest.approx(0.75)


def test_the_bare_lp_counts_vehicle_minutes() -> None:
    data = tiny()
    data["supply"][0]["quantity"] = 1000
    data["points"][0]["people"] = 100  # five rounds of ten units in 100 minutes
    assert lp_value(data) == pytest.approx(0.5)
    data["items"][0]["volume_m3"] = 2  # five units fill the van
    assert lp_value(data) == pytest.approx(0.25)


def test_the_bare_lp_leaves_out_those_of_a_group_who_lack_their_own() -> None:
    data = tiny()
    data["items"].append({"id": "milk", "pack": 1, "weight_kg": 1, "volume_m3": 0.0001})
    data["kits"][0]["needs"].append({"item": "milk", "per_person": 2, "tier": 1, "group": "infant"})
    data["points"][0] |= {"people": 10, "groups": {"infant": 4}}
    data["supply"].append({**data["supply"][0], "item": "milk", "quantity": 2})
    assert lp_value(data) == pytest.approx(0.7)  # one infant of four has its milk


def test_the_bare_lp_counts_what_does_not_go_by_heads() -> None:
    data = tiny()
    data["items"].append({"id": "pump", "pack": 1, "weight_kg": 1, "volume_m3": 0.0001})
    data["points"][0]["people"] = 10
    data["supply"].append({**data["supply"][0], "item": "pump", "quantity": 2})
    data["demands"] = [{"point": "P", "item": "pump", "units": 4, "by_min": 100, "worth": 10}]
    assert lp_value(data) == pytest.approx(0.75)


def test_the_greedy_takes_the_trip_with_the_most_weight_per_minute() -> None:
    data = tiny()
    data["points"].append(_point("Q", 20) | {"weight": 3})
    data["travel"]["minutes"] = [[0, 5, 12], [5, 0, 5], [12, 5, 0]]
    data["deadline_min"] = 40
    first = greedy_plan(parse_scenario(data)).trips[0].visits
    # to P 100 kg in 15 minutes, to Q 3 x 100 kg in 22
    assert [visit.node for visit in first] == ["S", "Q"]
    assert first[0].goods == {"water": 10}
    assert first[1].end == 22


def test_the_wait_bound_is_no_more_than_a_plan_takes_and_no_less_than_the_doors_do() -> None:
    data = plain()
    for point in data["points"]:
        point["opens_min"] = 200
    scenario = parse_scenario(data)
    bound = wait_bound(scenario, step_min=20)
    assert bound is not None
    assert 200 <= bound <= greedy_plan(scenario).claims.mean_wait_min


def test_there_is_no_wait_bound_where_nobody_waits() -> None:
    data = plain()
    for point in data["points"]:
        point |= {"people": 0, "groups": {}}
    assert wait_bound(parse_scenario(data)) is None
