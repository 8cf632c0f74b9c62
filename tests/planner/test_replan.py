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
    changes,
    check,
    judge,
    parse_scenario,
    plan,
)
from chubei_allocation.planner.days import given_trips
from chubei_allocation.planner.model import Model
from chubei_allocation.planner.outcome import outcome, planned_trips
from chubei_allocation.planner.resume import KEEPING, resume
from chubei_allocation.planner.search import Search
from chubei_allocation.planner.solve import _limits
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from planner_cases import odd, plain
from replan_cases import CASES, NOW_MIN, district, nothing, store_lost, under_way

from tests.bench.trade import Json

WORK = 4500
SEARCHED = 0.015
"""What two short searches for the same scenario may differ by, in utility."""


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
def test_what_is_kept_costs_little_against_a_fresh_plan_and_against_going_on(
    first: Plan, planned: Planned, name: str
) -> None:
    scenario, found, fresh = planned[name]
    search, _ = resumed(scenario, first)
    assert found.claims.utility >= (1 - KEEPING) * fresh.claims.utility - SEARCHED
    assert found.claims.utility >= (1 - KEEPING) * search.utility


def test_far_more_is_kept_than_a_fresh_plan_happens_to_keep(first: Plan, planned: Planned) -> None:
    """Summed over the cases: in one or the other keeping may cost too much."""
    kept = freely = open_before = 0
    for scenario, found, fresh in planned.values():
        assert found.changes is not None
        kept += found.changes.kept
        freely += changes(scenario, first.trips, fresh.trips).kept
        open_before += found.changes.kept + found.changes.changed + found.changes.dropped
    assert kept >= freely + 0.1 * open_before


def test_where_everybody_can_be_served_a_plan_under_way_is_kept_whole() -> None:
    data = plain()
    before = made(parse_scenario(data))
    assert before.claims.utility == 1.0
    found = made(parse_scenario(data), previous=before)
    assert found.trips == before.trips
    assert found.changes is not None
    assert found.changes.kept == len(before.trips)


def resumed(scenario: Scenario, before: Plan) -> tuple[Search, set[tuple[object, ...]]]:
    """A search that goes on from a plan, not yet any further, and the trips that it takes as given."""
    search = Search(Model(scenario), seed=0)
    resume(search, before.trips)
    given = given_trips(search.best.days)
    return search, {trip.key() for v, k, trip in planned_trips(search.model, search.visits) if given[v, k]}


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(odd(), odd(), st.integers(0, 300))
def test_what_a_search_goes_on_from_obeys_all_rules(
    data: dict[str, Any], other: dict[str, Any], now_min: int
) -> None:
    """Whatever changes: the previous plan is for the same places, vehicles and goods with other numbers."""
    before = made(parse_scenario(other), 40)
    begun = [trip for trip in before.trips if trip.visits[0].start < now_min]
    changed = copy.deepcopy(data) | {"now_min": now_min, "committed": [trip.as_json() for trip in begun]}
    scenario = parse_scenario(changed)
    search, given_keys = resumed(scenario, before)
    assert judge(scenario, outcome(search)).violations == []
    still_open = {but_arrival(trip.key()) for trip in before.trips if trip not in begun}
    assert {but_arrival(key) for key in given_keys} <= still_open
    found = made(scenario, 40, before)
    assert found.trips[: len(begun)] == tuple(begun)


@pytest.mark.parametrize("case", CASES)
def test_a_trip_is_taken_as_given_if_it_is_as_it_was(first: Plan, case: Callable[[Json], None]) -> None:
    scenario = again(first, case)
    search, given_keys = resumed(scenario, first)
    assert judge(scenario, outcome(search)).violations == []
    open_trips = {but_arrival(trip.key()) for trip in first.trips if trip.visits[0].start >= NOW_MIN}
    assert {but_arrival(key) for key in given_keys} <= open_trips
    assert search.given_worth > 0.0


def but_arrival(key: tuple[Any, ...]) -> tuple[Any, ...]:
    """A trip's key without when it comes to its first stop: who sets out anew comes later, and may load in time."""
    vehicle, (node, _, *first), *others = key
    return (vehicle, (node, *first), *others)


def test_a_plan_goes_on_as_it_was_from_its_own_beginning(first: Plan) -> None:
    """Nothing has begun and nothing has happened: each trip holds, and all trips are worth KEEPING together."""
    search, given_keys = resumed(parse_scenario(district()), first)
    assert given_keys == {trip.key() for trip in first.trips}
    assert search.given_worth * len(given_keys) == pytest.approx(
        KEEPING * search.utility * search.model.total_worth
    )


def test_of_a_lost_store_no_more_is_promised_than_it_holds(first: Plan) -> None:
    """What trips were to take there beyond it is decided on again, and rule 5 holds."""
    scenario = again(first, store_lost)
    search, given_keys = resumed(scenario, first)
    planned = outcome(search)[len(scenario.committed) :]
    assert not any(visit.node == "W2" and visit.loads for trip in planned for visit in trip.visits)
    assert given_keys < {trip.key() for trip in first.trips}


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
