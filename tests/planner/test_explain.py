"""Why a plan does not serve more, in small worlds whose answer is known by hand."""

from __future__ import annotations

import copy
import json
from dataclasses import replace
from statistics import fmean
from typing import Any

import pytest
from chubei_allocation.planner import (
    AdviceProgress,
    Advised,
    Change,
    Plan,
    Scenario,
    Stop,
    advise,
    changed,
    check,
    explain,
    judge,
    parse_scenario,
)
from chubei_allocation.planner import plan as solve
from chubei_allocation.planner.solve import plan as plan_once
from chubei_allocation.planner.whatif import KINDS
from hypothesis import HealthCheck, given, settings
from planner_cases import odd, plain, world

EFFORT = Stop(time_limit_s=None, work_limit=100)


def made(scenario: Scenario, seed: int = 0) -> Plan:
    return solve(scenario, EFFORT, seed)


def advised(data: dict[str, Any]) -> tuple[Scenario, Advised]:
    scenario = parse_scenario(data)
    return scenario, advise(scenario, made(scenario).trips, EFFORT)


def narrow(where: str, **fields: Any) -> dict[str, Any]:
    """`world` with other fields in the first row of a list."""
    data = world()
    data[where][0] |= fields
    return data


# A trip takes 10 min to load, 10 on the way, 10 to unload; each brings water for a hundred, until minute 180.
HELD_UP = {
    # loads of an hour, done at 60 and 120: two trips; a second dock makes it four
    "docks": (narrow("sources", docks=1, load_fixed_min=59), Change("docks", "S", 1), 200, 200),
    # one dock from 90 on, loads of 40 minutes, the last of use done at 160: one trip; from 30 on, three
    "crews": (narrow("sources", docks=[[90, 1]], load_fixed_min=39), Change("crews", "S", 60), 100, 200),
    "items": (narrow("supply", quantity=130), Change("items", "S", 100, item="water"), 130, 100),
    # goods come at 160 and could be there at 190; from 100 on there is time for all
    "lead": (narrow("supply", available_min=160), Change("lead", "S", 60), 0, 600),
    # one van, back at the store at 140, 80 minutes from a delivery: one trip. Ten more bring the rest
    "vehicles": (
        narrow("vehicles", count=1) | {"travel": {"kind": "matrix", "minutes": [[0, 60], [60, 0]]}},
        Change("vehicles", "van", 10),
        100,
        500,
    ),
    # an hour to unload at the one bay, done at 80 and 140; a second bay makes it four trips
    "bays": (narrow("points", bays=1, unload_fixed_min=59), Change("bays", "P", 1), 200, 200),
    # all is there at 30: 150 minutes at 120 people an hour, or at 180
    "desks": (narrow("points", hand_out_per_hour=120), Change("desks", "P", 60), 300, 150),
    "lanes": (narrow("points", max_size=0), Change("lanes", "P", 1), 0, 600),
    "ways": (world() | {"closures": [["S", "P"]]}, Change("ways", "S", 1, other="P"), 0, 600),
}


@pytest.mark.parametrize("kind", KINDS)
def test_what_binds_is_named_and_one_more_gives_what_it_must(kind: str) -> None:
    data, change, reached, gain = HELD_UP[kind]
    scenario, told = advised(data)
    assert made(scenario).claims.supported == reached
    explained = explain(scenario, made(scenario).trips)
    bound = {row.kind: row for row in explained.binding}
    assert kind in bound
    assert bound[kind].points == {"P": bound[kind].people}
    best = told.advice[0]
    assert best.change == change
    assert best.gains["supported"].value == gain
    assert best.gains["supported"].tolerance == 0
    assert best.gains["supported"].proved
    assert best.points == {"P": gain}
    assert best.kept["supported"] == (gain if kind == "desks" else 0)
    assert f"约多救助 {gain:,} 人（±0）" in best.zh
    assert f"about {gain:,} more people with basic relief (±0)" in best.en


def test_where_everybody_is_served_nothing_binds_and_nothing_is_advised() -> None:
    scenario, told = advised(world())
    explained = explain(scenario, made(scenario).trips)
    assert (explained.unmet, explained.bindings, told.advice) == ((), (), ())
    assert explained.zh == "所有人都在时限内得到救助和安置，没有资源成为约束"
    assert explained.en == "everybody is supported and settled in time: nothing binds"


def test_where_only_time_is_short_no_resource_is_blamed() -> None:
    """The point is further than the deadline: ten vans or a hundred, nobody can be there."""
    data = world() | {"travel": {"kind": "matrix", "minutes": [[0, 170], [170, 0]]}, "deadline_min": 180}
    scenario, told = advised(data)
    explained = explain(scenario, made(scenario).trips)
    assert [row.not_supported for row in explained.unmet] == [600]
    assert {row.kind for row in explained.binding} <= {"vehicles"}
    assert not any(row.proved for row in told.advice)


def scarce() -> dict[str, Any]:
    """`plain` with too little of everything, so that changes differ in what they give."""
    data = plain()
    for row in data["supply"]:
        row["quantity"] = row["quantity"] * 2 // 3
    for kind in data["vehicles"]:
        kind["count"] = 1
    data["points"][1]["hand_out_per_hour"] = 8
    data["deadline_min"] = 240
    return data


def test_every_figure_is_the_difference_of_solves_that_anyone_can_repeat() -> None:
    scenario, effort = parse_scenario(scarce()), Stop(time_limit_s=None, work_limit=30)

    def reached(world: Scenario, seeds: tuple[int, ...], name: str) -> list[float]:
        return [getattr(judge(world, solve(world, effort, s).trips).figures, name) for s in seeds]

    told = advise(scenario, solve(scenario, effort).trips, effort, most=6)
    assert len(told.advice) == 6
    assert told.advice[0].proved
    for row in (*told.advice[:2], told.advice[-1]):
        for name, gain in row.gains.items():
            without = reached(scenario, told.seeds, name)
            with_it = reached(changed(scenario, row.change), row.seeds, name)
            difference = fmean(with_it) - fmean(without)
            assert gain.value == pytest.approx(difference, abs=1e-9 if name == "utility" else 0.5)
            assert gain.tolerance >= told.tolerance[name] >= max(without) - min(without)
            if gain.proved:
                assert row.seeds == told.seeds
                assert gain.value > gain.tolerance
                assert min(with_it) > max(without)


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(odd())
def test_no_gain_is_claimed_that_solving_again_does_not_show(data: dict[str, Any]) -> None:
    scenario = parse_scenario(data)
    effort = Stop(time_limit_s=None, work_limit=15)
    found = solve(scenario, effort)
    told = advise(scenario, found.trips, effort, seed=3)
    for row in told.advice:
        assert row.zh
        assert row.en
        assert ("±" in row.zh) == ("±" in row.en)
        more = changed(scenario, row.change)
        assert row.gains["utility"].proved or not any(gain.proved for gain in row.gains.values())
        for name, gain in row.gains.items():
            if gain.proved:
                figures = [judge(more, solve(more, effort, s).trips).figures for s in told.seeds]
                assert min(getattr(f, name) for f in figures) > max(base[name] for base in told.base)
        if not row.proved:
            assert "约多" not in row.zh
            assert "about" not in row.en
        as_it_is = judge(scenario, found.trips).figures
        kept = judge(more, found.trips).figures
        assert row.kept == {name: getattr(kept, name) - getattr(as_it_is, name) for name in row.kept}
    json.dumps(told.as_json(), allow_nan=False)


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(odd())
def test_a_change_only_adds_so_the_old_trips_reach_no_less(data: dict[str, Any]) -> None:
    scenario = parse_scenario(data)
    found = solve(scenario, Stop(time_limit_s=None, work_limit=15))
    before = judge(scenario, found.trips).figures
    for change in (
        *(Change(kind, "S1", 60) for kind in ("docks", "crews", "lead")),
        *(Change(kind, "P1", 60) for kind in ("bays", "desks", "lanes")),
        Change("vehicles", "van", 10),
        Change("items", "S2", 100, item="water"),
        Change("ways", "S2", 1, other="P1"),
    ):
        verdict = judge(changed(scenario, change), found.trips)
        assert verdict.violations == [], change
        assert verdict.figures.utility >= before.utility - 1e-12, change


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(odd())
def test_who_goes_without_agrees_with_the_plan(data: dict[str, Any]) -> None:
    scenario = parse_scenario(data)
    found = solve(scenario, Stop(time_limit_s=None, work_limit=15))
    explained = explain(scenario, found.trips)
    assert sorted(explained.unmet, key=lambda row: row.point) == sorted(
        found.unmet, key=lambda row: row.point
    )
    assert (explained.supported, explained.settled) == (found.claims.supported, found.claims.settled)
    assert all(0 <= row.share <= 1 and row.people > 0 and row.zh and row.en for row in explained.bindings)
    json.dumps(explained.as_json(), allow_nan=False)


def test_what_has_begun_stays_and_advice_comes_for_the_rest() -> None:
    data = scarce()
    first = made(parse_scenario(data))
    again = copy.deepcopy(data) | {"now_min": 60}
    again["committed"] = [trip.as_json() for trip in first.trips if trip.visits[0].start < 60]
    scenario, told = advised(again)
    assert told.advice
    more = changed(scenario, told.advice[0].change)
    assert check(more, made(more)) == []


def test_a_stop_ends_it_with_what_is_known_and_says_so() -> None:
    scenario = parse_scenario(scarce())
    seen: list[AdviceProgress] = []
    stop = Stop(time_limit_s=None, work_limit=20, should_stop=lambda: len(seen) > 5)
    told = advise(scenario, made(scenario).trips, stop, on_progress=seen.append)
    assert told.cut_short
    assert [row.done for row in seen] == list(range(6))
    assert len(told.base) == 1
    assert [row.seeds for row in told.advice] == [(0,)] * 4
    assert not any(row.proved for row in told.advice)


def test_no_more_is_promised_than_the_plan_explained_leaves(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of 400 people the plan serves 200. A planner that falls short serves 100, with one more dock all: 300 more."""
    data = narrow("sources", docks=1, load_fixed_min=59)
    data["points"][0]["people"] = 400
    scenario = parse_scenario(data)
    found = made(scenario)

    def falls_short(world: Scenario, stop: Stop, seed: int) -> Plan:
        plan = plan_once(world, stop, seed)
        return replace(plan, trips=plan.trips[:1]) if world is scenario else plan

    monkeypatch.setattr("chubei_allocation.planner.solve.plan", falls_short)
    best = advise(scenario, found.trips, EFFORT).advice[0]
    assert best.change == Change("docks", "S", 1)
    assert best.gains["supported"].value == 200
    assert best.gains["supported"].proved
    assert best.points == {"P": 200}


def test_a_change_of_what_does_not_exist_is_refused() -> None:
    scenario = parse_scenario(plain())
    for change in (
        Change("docks", "S9", 1),
        Change("vehicles", "S1", 1),
        Change("ways", "S1", 1, other="P0"),
    ):
        with pytest.raises(KeyError):
            changed(scenario, change)
    with pytest.raises(KeyError):
        changed(scenario, Change("luck", "S1", 1))
