"""The checker finds every kind of fault in a plan that was good before."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
from chubei_allocation.planner import Stop, check, parse_plan, parse_scenario, plan
from planner_cases import plain

Fault = Callable[[dict[str, Any], dict[str, Any]], object]


@pytest.fixture(scope="module")
def good() -> dict[str, Any]:
    return plan(parse_scenario(plain()), Stop(time_limit_s=None, work_limit=150)).as_json()


def rules_broken(scenario: dict[str, Any], stored: dict[str, Any]) -> set[int]:
    parsed = parse_scenario(scenario)
    return {violation.rule for violation in check(parsed, parse_plan(stored, parsed))}


def first(stored: dict[str, Any], key: str) -> dict[str, Any]:
    """The first visit that loads or delivers."""
    return next(visit for trip in stored["trips"] for visit in trip["visits"] if key in visit)


def shift(stored: dict[str, Any], minutes: int) -> None:
    for trip in stored["trips"]:
        for visit in trip["visits"]:
            for key in ("arrive", "start", "end"):
                visit[key] += minutes


def claim(name: str, by: float) -> Fault:
    return lambda _, stored: stored["claims"].update({name: stored["claims"][name] + by})


def at_first(key: str, **by: int) -> Fault:
    def fault(_: dict[str, Any], stored: dict[str, Any]) -> None:
        visit = first(stored, key)
        for name, minutes in by.items():
            visit[name] += minutes

    return fault


def more_aboard(_: dict[str, Any], stored: dict[str, Any]) -> None:
    trip = stored["trips"][0]
    for visit in trip["visits"]:
        for key in ("load", "deliver"):
            visit[key] = {item: units * 40 for item, units in visit.get(key, {}).items()} or None
            if visit[key] is None:
                del visit[key]


def not_aboard(_: dict[str, Any], stored: dict[str, Any]) -> None:
    first(stored, "deliver")["deliver"]["pump"] = 90


def broken_pack(_: dict[str, Any], stored: dict[str, Any]) -> None:
    trip = next(trip for trip in stored["trips"] if any("quilt" in v.get("load", {}) for v in trip["visits"]))
    for visit in trip["visits"]:
        goods = visit.get("load") or visit["deliver"]
        if "quilt" in goods:
            goods["quilt"] -= 1


def left_aboard(_: dict[str, Any], stored: dict[str, Any]) -> None:
    goods = stored["trips"][0]["visits"][-1]["deliver"]
    goods.pop(next(iter(goods)))
    goods.setdefault("pump", 1)


def twice_the_vehicle(_: dict[str, Any], stored: dict[str, Any]) -> None:
    stored["trips"].append(copy.deepcopy(stored["trips"][0]))


def same_place_same_time(scenario: dict[str, Any], _: dict[str, Any]) -> None:
    scenario["sources"][0]["docks"] = scenario["sources"][1]["docks"] = 0


def no_bays(scenario: dict[str, Any], _: dict[str, Any]) -> None:
    for point in scenario["points"]:
        point["bays"] = [[479, 1]]


def less_stock(scenario: dict[str, Any], _: dict[str, Any]) -> None:
    for row in scenario["supply"]:
        row["quantity"] //= 4


def slower_line(scenario: dict[str, Any], _: dict[str, Any]) -> None:
    for row in scenario["supply"]:
        row["rate_per_hour"] = 1


def all_closed(scenario: dict[str, Any], _: dict[str, Any]) -> None:
    scenario["closures"] = [["S1", f"P{n}"] for n in range(3)] + [["S2", f"P{n}"] for n in range(3)]


def narrow(scenario: dict[str, Any], _: dict[str, Any]) -> None:
    for point in scenario["points"]:
        point["max_size"] = 0


def later_opening(scenario: dict[str, Any], _: dict[str, Any]) -> None:
    for point in scenario["points"]:
        point["opens_min"] = 400


def slow_loading(scenario: dict[str, Any], _: dict[str, Any]) -> None:
    for source in scenario["sources"]:
        source["load_kg_per_min"] = 1


def slower_roads(scenario: dict[str, Any], _: dict[str, Any]) -> None:
    scenario["travel"]["speed_kmh"] = 2


def vehicles_gone(scenario: dict[str, Any], _: dict[str, Any]) -> None:
    for vehicle in scenario["vehicles"]:
        vehicle["lost"] = list(range(1, vehicle["count"] + 1))


def now_later(scenario: dict[str, Any], _: dict[str, Any]) -> None:
    scenario["now_min"] = 100


def committed_missing(scenario: dict[str, Any], stored: dict[str, Any]) -> None:
    trip = stored["trips"].pop(0)
    scenario["now_min"] = trip["visits"][0]["start"] + 1
    scenario["committed"] = [trip]


FAULTS: list[tuple[int, Fault]] = [
    (0, claim("supported", 1)),
    (0, claim("settled", -1)),
    (0, claim("utility", 0.00001)),
    (0, claim("mean_wait_min", 0.01)),
    (0, lambda _, stored: stored["claims"].update(utility_bound=0.1)),
    (0, lambda _, stored: stored.update(scenario="another")),
    (1, at_first("load", end=-3)),
    (1, at_first("deliver", end=-3)),
    (1, at_first("deliver", start=-2, end=-2)),
    (1, later_opening),
    (1, slow_loading),
    (2, same_place_same_time),
    (2, no_bays),
    (3, at_first("deliver", arrive=-9)),
    (3, twice_the_vehicle),
    (3, slower_roads),
    (3, vehicles_gone),
    (4, more_aboard),
    (4, not_aboard),
    (4, broken_pack),
    (4, left_aboard),
    (4, all_closed),
    (4, narrow),
    (5, less_stock),
    (5, slower_line),
    (6, now_later),
    (6, committed_missing),
]


@pytest.mark.parametrize(("rule", "fault"), FAULTS)
def test_a_fault_is_found(good: dict[str, Any], rule: int, fault: Fault) -> None:
    scenario, stored = plain(), copy.deepcopy(good)
    assert rules_broken(scenario, stored) == set()
    fault(scenario, stored)
    assert rule in rules_broken(scenario, stored)


def test_what_has_begun_is_counted_but_not_judged(good: dict[str, Any]) -> None:
    scenario, stored = plain(), copy.deepcopy(good)
    now = 1 + max(trip["visits"][0]["start"] for trip in stored["trips"])  # all have begun
    scenario["now_min"] = now
    scenario["committed"] = copy.deepcopy(stored["trips"])
    for source in scenario["sources"]:
        source["docks"] = [[now, 9]]  # the crews that loaded them have gone since
    assert rules_broken(scenario, stored) == set()
