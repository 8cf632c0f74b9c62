"""Planning again: what has begun stays, what still fits is kept where that costs little, and all is told truthfully."""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable
from typing import Any

import pytest
from chubei_allocation.planner import (
    Plan,
    Scenario,
    Stop,
    Trip,
    changes,
    check,
    judge,
    parse_scenario,
    plan,
)
from chubei_allocation.planner.keeping import keepable
from chubei_allocation.planner.model import Model
from chubei_allocation.planner.replan import TOLERANCE
from chubei_allocation.planner.solve import _limits
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from planner_cases import odd, plain
from replan_cases import CASES, NOW_MIN, district, nothing, store_lost, under_way

from tests.bench.trade import Json

WORK = 4500
SEARCHED = 0.015
"""What two short searches for the same scenario may differ by, in utility."""


def never() -> bool:
    return False


def made(scenario: Scenario, work: int = WORK, previous: Plan | None = None) -> Plan:
    found = plan(scenario, Stop(None, work), previous=previous and previous.trips)
    assert check(scenario, found) == []
    return found


@pytest.fixture(scope="module")
def first() -> Plan:
    return made(parse_scenario(district()))


def again(first: Plan, case: Callable[[Json], None]) -> Scenario:
    """The district when three hours of its plan have gone by and something has happened."""
    data = under_way(district(), first.trips)
    case(data)
    return parse_scenario(data)


@pytest.fixture(scope="module")
def planned(first: Plan) -> dict[str, tuple[Scenario, Plan, Plan]]:
    """For each case the scenario, the plan made again beside the first, and a fresh one of twice the work."""
    found = {}
    for case in CASES:
        scenario = again(first, case)
        found[case.__name__] = scenario, made(scenario, WORK, first), made(scenario, WORK)
    return found


NAMES = [case.__name__ for case in CASES]
Planned = dict[str, tuple[Scenario, Plan, Plan]]


@pytest.mark.parametrize("name", NAMES)
def test_what_has_begun_is_not_touched_and_all_changes_are_told(
    first: Plan, planned: Planned, name: str
) -> None:
    scenario, found, _ = planned[name]
    begun = len(scenario.committed)
    assert found.trips[:begun] == scenario.committed
    told = found.changes
    assert told is not None
    open_before = [trip for trip in first.trips if trip.visits[0].start >= NOW_MIN]
    assert told.kept + told.changed + told.dropped == len(open_before)
    assert told.kept + told.changed + told.new == len(found.trips) - begun
    before = {trip.key() for trip in open_before}
    assert told.kept == sum(trip.key() in before for trip in found.trips[begun:])


@pytest.mark.parametrize("name", NAMES)
def test_what_is_kept_costs_little_against_a_fresh_plan_and_against_all_that_fits(
    first: Plan, planned: Planned, name: str
) -> None:
    scenario, found, fresh = planned[name]
    settled = keepable(Model(scenario), first.trips, never)
    pinned = judge(scenario, (*scenario.committed, *settled.same, *settled.mended)).figures.utility
    least = (1 - TOLERANCE) * max(pinned, fresh.claims.utility)
    assert found.claims.utility >= least - SEARCHED


def test_far_more_is_kept_than_a_fresh_plan_happens_to_keep(first: Plan, planned: Planned) -> None:
    """Summed over the cases: in one or the other keeping may cost too much."""
    kept = freely = open_before = 0
    for scenario, found, fresh in planned.values():
        assert found.changes is not None
        kept += found.changes.kept
        freely += changes(scenario, first.trips, fresh.trips).kept
        open_before += found.changes.kept + found.changes.changed + found.changes.dropped
    assert kept >= freely + 0.3 * open_before


def test_where_everybody_can_be_served_all_that_still_fits_is_kept() -> None:
    data = plain()
    before = made(parse_scenario(data))
    assert before.claims.utility == 1.0
    for now_min in (0, 60, 120):
        scenario = parse_scenario(under_way(data, before.trips, now_min))
        settled = keepable(Model(scenario), before.trips, never)
        found = made(scenario, previous=before)
        assert found.changes is not None
        if judge(scenario, (*scenario.committed, *settled.same, *settled.mended)).figures.utility == 1.0:
            assert found.changes.kept == len(settled.same)
        assert found.claims.utility >= 1.0 - TOLERANCE - 1e-6
    assert len(keepable(Model(parse_scenario(data)), before.trips, never).same) == len(before.trips)


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(odd(), odd(), st.integers(0, 300))
def test_what_is_kept_and_mended_obeys_all_rules_together(
    data: dict[str, Any], other: dict[str, Any], now_min: int
) -> None:
    """Whatever changes: the previous plan is for the same places, vehicles and goods with other numbers."""
    before = made(parse_scenario(other), 40)
    changed = copy.deepcopy(data) | {"now_min": now_min}
    begun = [trip for trip in before.trips if trip.visits[0].start < now_min]
    scenario = parse_scenario(changed | {"committed": [trip.as_json() for trip in begun]})
    settled = keepable(Model(scenario), before.trips, never)
    verdict = judge(scenario, (*scenario.committed, *settled.same, *settled.mended))
    assert verdict.violations == []
    open_before = {trip.key() for trip in before.trips} - {trip.key() for trip in begun}
    assert {trip.key() for trip in settled.same} <= open_before
    found = made(scenario, 40, before)
    assert found.trips[: len(begun)] == tuple(begun)


def test_every_trip_that_could_be_kept_is_kept_as_it_was(first: Plan) -> None:
    """One by one: a trip that falls out could not have stayed beside the others."""
    scenario = again(first, store_lost)
    settled = keepable(Model(scenario), first.trips, never).same
    kept = {trip.key() for trip in settled}
    fallen = [t for t in first.trips if t.visits[0].start >= NOW_MIN and t.key() not in kept]
    assert settled
    assert fallen
    for trip in fallen:
        assert judge(scenario, (*scenario.committed, *settled, trip)).violations


def test_a_mended_trip_brings_part_of_its_goods_to_the_same_places_from_where_there_are_some(
    first: Plan,
) -> None:
    scenario = again(first, store_lost)
    mended = keepable(Model(scenario), first.trips, never).mended
    assert any(trip.visits[0].node != "W2" for trip in mended)
    assert not any(visit.node == "W2" and visit.loads for trip in mended for visit in trip.visits)
    for trip in mended:
        assert any(_is_part(trip, old) for old in first.trips if old.vehicle == trip.vehicle), trip


def _is_part(trip: Trip, old: Trip) -> bool:
    brought = {visit.node: visit.goods for visit in old.visits if not visit.loads}
    return all(
        units <= brought.get(visit.node, {}).get(item, 0)
        for visit in trip.visits
        if not visit.loads
        for item, units in visit.goods.items()
    )


def test_the_same_work_makes_the_same_plan_again(first: Plan) -> None:
    scenario = again(first, nothing)
    assert made(scenario, 3000, first).trips == made(scenario, 3000, first).trips


def test_planning_again_takes_half(first: Plan) -> None:
    assert _limits(None, first.trips).time_limit_s == 5.0
    assert _limits(None, None).time_limit_s == 10.0
    assert _limits(Stop(None, 60), first.trips).work_limit == 30
    assert _limits(Stop(None, 60), None).work_limit == 60
    assert _limits(Stop(7.0), first.trips).time_limit_s == 7.0


def test_cancelling_ends_it_with_a_plan_that_holds(first: Plan) -> None:
    scenario = again(first, nothing)
    cancel = threading.Event()
    for wait_s in (0.0, 0.4):
        cancel.clear()
        threading.Timer(wait_s, cancel.set).start()
        found = plan(scenario, Stop(60, should_stop=cancel.is_set), previous=first.trips)
        assert found.solver.status == "stopped"
        assert check(scenario, found) == []
