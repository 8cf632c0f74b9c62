"""A plan ends where its asker has enough of it, by the same trips each time; threads change nothing of it."""

from __future__ import annotations

import pytest
from chubei_allocation.planner import Plan, Progress, Scenario, Stop, check, parse_scenario, plan
from planner_cases import plain

WORK = 12_000


def bedless() -> Scenario:
    """Everybody can be supported and nobody settled: the bound is below 1."""
    data = plain()
    return parse_scenario({**data, "supply": [row for row in data["supply"] if row["item"] != "bed"]})


@pytest.fixture(scope="module")
def whole() -> Plan:
    return plan(bedless(), Stop(None, WORK))


def test_threads_change_nothing_of_a_plan(whole: Plan) -> None:
    assert plan(bedless(), Stop(None, WORK), threads=1) == whole


def test_trips_that_are_good_enough_are_not_bettered_and_no_bound_is_looked_for(whole: Plan) -> None:
    asked: list[Progress] = []

    def enough(now: Progress) -> bool:
        asked.append(now)
        return now.supported >= whole.claims.supported

    found = plan(bedless(), Stop(None, WORK, enough=enough), previous=whole.trips)
    assert check(bedless(), found) == []
    assert found.claims.supported == whole.claims.supported == 210
    assert whole.claims.utility_bound < found.claims.utility_bound == 1.0
    assert {now.bound for now in asked} == {1.0}
    assert plan(bedless(), Stop(None, WORK, enough=enough), previous=whole.trips).trips == found.trips


def test_trips_of_goods_that_nobody_holds_any_more_are_left_out(whole: Plan) -> None:
    """The only store is lost: whoever plans again has no stock at all."""
    empty = parse_scenario({**plain(), "supply": []})
    found = plan(empty, Stop(None, 100), previous=whole.trips)
    assert check(empty, found) == []
    assert (found.trips, found.claims.supported) == ((), 0)


def test_who_gives_up_where_more_is_proven_impossible_has_a_plan_all_the_same(whole: Plan) -> None:
    found = plan(bedless(), Stop(None, WORK, enough=lambda now: now.bound < 1), previous=whole.trips)
    assert check(bedless(), found) == []
    assert found.claims.utility_bound == whole.claims.utility_bound < 1
    assert found.claims.supported == 210
