"""The bound on utility: never below a plan that obeys the rules, and low where something binds."""

from __future__ import annotations

from typing import Any

import pytest
from chubei_allocation.planner import bound_fleet, bound_flows, judge, parse_scenario, parse_trips
from chubei_allocation.planner.bound import Bound, upper_bound
from chubei_allocation.planner.model import Model
from chubei_allocation.planner.program import Watch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from planner_cases import odd, plain, world
from witness import witness


def bound_of(data: dict[str, Any]) -> Bound:
    return upper_bound(Model(parse_scenario(data)))


@settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.integers(0, 1_000_000))
def test_no_plan_that_uses_all_there_is_goes_above_the_bound(seed: int) -> None:
    data, plan = witness(seed)
    scenario = parse_scenario(data)
    verdict = judge(scenario, parse_trips(plan, scenario))
    assert verdict.violations == []
    assert verdict.figures.utility <= upper_bound(Model(scenario)).utility + 1e-9


@pytest.mark.parametrize(
    "coarse",
    [{"DETAILED": 0, "NEAR_BACK": 1, "NEAR_START": 1, "SLOTS": 2}, {"MANY_POINTS": 0, "POOLED_START": 1}],
)
def test_what_large_networks_do_not_tell_apart_only_raises_the_bound(
    coarse: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    scenarios = [parse_scenario(witness(seed)[0]) for seed in range(25)]
    fine = [upper_bound(Model(scenario)).utility for scenario in scenarios]
    monkeypatch.setattr(bound_flows, "NEAR_SOURCES", 1)
    for name, value in coarse.items():
        monkeypatch.setattr(bound_fleet, name, value)
    for scenario, bound in zip(scenarios, fine, strict=True):
        assert upper_bound(Model(scenario)).utility >= bound - 1e-6


def test_docks_bind_where_far_sources_are_not_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    data = plain()
    store = {**data["sources"][0], "docks": [[0, 0], [380, 1]]}
    held = [row for row in data["supply"] if row["source"] == "S1"] + [
        {**row, "available_min": 0} for row in data["supply"] if row["item"] == "bed"
    ]
    data["sources"] = [{**store, "id": "S1"}, *({**store, "id": f"W{n}"} for n in range(4))]
    data["supply"] = [{**row, "source": source["id"]} for source in data["sources"] for row in held]
    data["closures"] = []
    for kind in data["vehicles"]:
        kind.update(start="S1", count=200)
    for point in data["points"]:
        point.update(people=point["people"] * 20, hand_out_per_hour=None, bays=50)
    for row in data["supply"]:
        row["quantity"] *= 20
    fine = bound_of(data).utility
    monkeypatch.setattr(bound_flows, "NEAR_SOURCES", 1)
    assert fine - 1e-6 <= bound_of(data).utility < 0.9


def test_idle_docks_of_one_far_source_do_not_load_the_goods_of_another(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    data = plain()
    store = {**data["sources"][0], "docks": 1}
    stores = [f"W{n}" for n in range(4)]
    data["sources"] = [*({**store, "id": name} for name in stores), {**store, "id": "S1", "docks": 40}]
    held = [row for row in data["supply"] if row["source"] == "S1" or row["item"] == "bed"]
    data["supply"] = [
        {**row, "source": name, "available_min": 0, "quantity": row["quantity"] * 150}
        for row in held
        for name in stores
    ] + [{**row, "source": "S1", "available_min": 0, "quantity": 1} for row in held]
    data["closures"] = []
    for kind in data["vehicles"]:
        kind.update(start="W0", count=3000)
    for point in data["points"]:
        point.update(people=point["people"] * 150, hand_out_per_hour=None, bays=50)
    fine = bound_of(data).utility
    monkeypatch.setattr(bound_flows, "NEAR_SOURCES", 1)
    assert 0.1 < fine == pytest.approx(bound_of(data).utility, abs=1e-3)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(odd())
def test_odd_scenarios_have_a_bound(data: dict[str, Any]) -> None:
    found = bound_of(data)
    assert 0.0 <= found.utility <= 1.0
    assert all(price > 0 for price in found.prices.values())


def test_flows_stay_within_supply_and_bring_what_the_targets_ask_for() -> None:
    data = plain()
    model = Model(parse_scenario(data))
    found = upper_bound(model)
    assert found.flows is not None
    assert found.targets is not None
    for row in data["supply"]:
        here = (found.flows.source == model.node_index[row["source"]]) & (
            found.flows.item == model.item_index[row["item"]]
        )
        assert found.flows.units[here].sum() <= row["quantity"] + 1e-6
    beds = found.flows.units[found.flows.item == model.item_index["bed"]].sum()
    settled = sum(
        target.settled for target, want in zip(found.targets, model.wants, strict=True) if want.people
    )
    assert beds == pytest.approx(settled, abs=3)
    assert set(found.flows.vehicle_kind) == {0, 1}


def test_a_stopped_bound_still_holds() -> None:
    watch = Watch()
    watch.stop()
    assert upper_bound(Model(parse_scenario(plain())), None, watch).utility == 1.0


def served(data: dict[str, Any]) -> float:
    """People of `world`, 600 at 0.7 each with nothing for tier 2 to ask, that the bound lets be served."""
    return bound_of(data).utility * 600


def test_enough_of_everything_serves_all() -> None:
    assert served(world()) == pytest.approx(600)


def test_supply_binds() -> None:
    data = world()
    data["supply"][0]["quantity"] = 240
    assert served(data) == pytest.approx(240, abs=0.1)


def test_vehicles_bind() -> None:
    data = world()
    data["vehicles"][0]["count"] = 1
    # a round takes 10 + 10 + 10 + 10 minutes and brings water for 100: loads at 0, 40, 80, 120, the last
    # delivery ends at 150; part of a fifth round is what a relaxation cannot exclude
    assert 400 - 1e-6 <= served(data) < 500


def test_closed_ways_bind() -> None:
    data = world()
    nodes = [place["id"] for place in data["sources"] + data["points"]]
    data["closures"] = [[here, there] for here in nodes for there in nodes if here != there]
    assert served(data) == pytest.approx(0, abs=0.1)


def test_docks_bind() -> None:
    data = world()
    data["sources"][0]["docks"] = [[0, 0], [100, 1]]
    # one crew from minute 100: loads start at 100, 110, … and at 150 at the latest
    assert served(data) == pytest.approx(600)
    data["sources"][0]["docks"] = [[0, 0], [130, 1]]
    assert 300 - 1e-6 <= served(data) < 400


def test_desks_bind_from_the_first_arrival_on() -> None:
    data = world()
    data["points"][0]["hand_out_per_hour"] = 60.0
    # the first goods are there at minute 30 at the earliest
    assert served(data) == pytest.approx(150, abs=0.1)


def test_goods_still_being_made_count_only_as_far_as_they_can_be_brought() -> None:
    data = world()
    data["sources"][0] |= {"docks": 1, "load_fixed_min": 20, "load_kg_per_min": 10}
    data["vehicles"][0]["payload_kg"] = 1000
    data["supply"] = [{**data["supply"][0], "available_min": 100, "rate_per_hour": 600.0}]
    # Ten units appear a minute and ten can be loaded. A load of q from minute t on has 20 + q / 10 minutes, 10 of
    # way and 10 of unloading, so q ≤ 10 (t − 100) and q ≤ 10 (140 − t): 200 at best. At the last start that is of
    # any use, twice as many have appeared, but only a few of them could still be loaded.
    assert 200 - 1e-6 <= served(data) < 225


def test_minutes_less_are_noticed() -> None:
    """Witnesses are tight: with a deadline 25 minutes earlier, the bound of many falls below their plan."""
    below = 0
    for seed in range(40):
        data, plan = witness(seed)
        scenario = parse_scenario(data)
        reached = judge(scenario, parse_trips(plan, scenario)).figures.utility
        if data["committed"]:
            continue
        data["deadline_min"] -= 25
        below += bound_of(data).utility < reached
    assert below >= 10
