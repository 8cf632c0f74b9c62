"""The bound on the mean wait: never above a plan that obeys the rules, and exact where one can say what is."""

from __future__ import annotations

import pytest
from chubei_allocation.planner import judge, parse_scenario, parse_trips
from chubei_allocation.planner.bound_wait import wait_bound
from chubei_allocation.planner.model import Model
from chubei_allocation.planner.program import Watch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from planner_cases import world
from witness import witness


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.integers(0, 1_000_000))
def test_no_plan_that_uses_all_there_is_waits_less(seed: int) -> None:
    data, plan = witness(seed)
    scenario = parse_scenario(data)
    waited = judge(scenario, parse_trips(plan, scenario)).figures.mean_wait_min
    assert wait_bound(Model(scenario), evaluations=12) <= waited + 1e-6


def test_all_wait_at_least_for_the_first_vehicle() -> None:
    # ten vans, no desk's limit: nothing is there before minute 30, and then all may be served
    assert 28 <= wait_bound(Model(parse_scenario(world()))) <= 30


def test_desks_make_people_wait_in_turn() -> None:
    data = world()
    data["points"][0]["hand_out_per_hour"] = 600.0
    # from minute 30 on, ten a minute: 600 people wait 60 minutes on average
    assert 57 <= wait_bound(Model(parse_scenario(data))) <= 60


def test_nobody_waits_where_nobody_is() -> None:
    data = world()
    data["points"][0]["people"] = 0
    assert wait_bound(Model(parse_scenario(data))) == 0.0


def test_stopped_at_once_it_still_holds() -> None:
    watch = Watch()
    watch.stop()
    assert wait_bound(Model(parse_scenario(world())), None, watch) == pytest.approx(0.0)
