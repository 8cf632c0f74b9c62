"""The sample is honest: its duty can be met, but only because of what it has. Arithmetic, no planner.

The stores' docks are what is tight. Below is a lower bound on the dock time that basic relief costs and an
upper bound on what the docks offer; with one dock less at each store the first exceeds the second.
"""

from collections import Counter
from math import ceil
from typing import Any

import pytest

Scenario = dict[str, Any]


@pytest.fixture
def scenario(build_scenario: Any, district: Any) -> Scenario:
    built: Scenario = build_scenario(district)
    return built


def test_what_lies_at_the_shelters_is_at_most_a_tenth(scenario: Scenario) -> None:
    on_hand = Counter[str]()
    for point in scenario["points"]:
        on_hand.update(point["on_hand"])
    assert on_hand
    needed = _needed(scenario, scenario["points"], tiers=(1, 2), net=False)
    for item, units in on_hand.items():
        assert units <= 0.1 * needed[item]
    for point in scenario["points"]:
        own = _needed(scenario, [point], tiers=(1, 2), net=False)
        assert all(units <= 0.1 * own[item] for item, units in point["on_hand"].items())


def test_the_docks_suffice_with_some_slack(scenario: Scenario) -> None:
    used = _dock_minutes_needed(scenario) / _dock_minutes_offered(scenario, fewer=0)
    assert 0.5 <= used <= 0.7


def test_with_one_dock_less_at_each_store_not_everyone_can_have_basic_relief(scenario: Scenario) -> None:
    assert _dock_minutes_needed(scenario) >= 1.25 * _dock_minutes_offered(scenario, fewer=1)


def test_capacity_reserves_do_not_pretend_to_help_in_time(scenario: Scenario) -> None:
    for row in scenario["supply"]:
        if row["mode"] == "capacity":
            assert row["available_min"] > scenario["deadline_min"]


def _needed(scenario: Scenario, points: list[Any], tiers: tuple[int, ...], net: bool = True) -> Counter[str]:
    """Units by item that the points' people need; `net`: less what is there already."""
    kits = {kit["id"]: kit for kit in scenario["kits"]}
    needed = Counter[str]()
    for point in points:
        for need in kits[point["kit"]]["needs"]:
            if need["tier"] in tiers:
                members = point["groups"][need["group"]] if "group" in need else point["people"]
                units = ceil(members * need["per_person"] - 1e-9)
                there = point["on_hand"].get(need["item"], 0) if net else 0
                needed[need["item"]] += max(0, units - there)
    return needed


def _stores(scenario: Scenario) -> list[Any]:
    return [source for source in scenario["sources"] if source["kind"] == "warehouse"]


def _kg_from_stores(scenario: Scenario, points: list[Any]) -> float:
    """Basic relief for the points that nobody but the stores has, if all else goes to these points."""
    stores = {source["id"] for source in _stores(scenario)}
    elsewhere = Counter[str]()
    for row in scenario["supply"]:
        if row["source"] not in stores and row["available_min"] < scenario["deadline_min"]:
            elsewhere[row["item"]] += row["quantity"]
    weight_kg = {item["id"]: item["weight_kg"] for item in scenario["items"]}
    needed = _needed(scenario, points, tiers=(1,))
    return float(sum(max(0, units - elsewhere[item]) * weight_kg[item] for item, units in needed.items()))


def _dock_minutes_needed(scenario: Scenario) -> float:
    """At least so many dock minutes go into the basic relief that must leave the stores.

    A kilogram costs 1 / rate, and its part of the fixed time of a vehicle that is loaded to its payload.
    Where lanes are narrow only the small vehicles go. Of the large ones the largest are taken first, but each
    can load and unload no more than its own time allows (driving is left out).
    """
    stores = _stores(scenario)
    fixed_min = min(store["load_fixed_min"] for store in stores)
    kg_per_min = max(store["load_kg_per_min"] for store in stores)
    unload_kg_per_min = max(point["unload_kg_per_min"] for point in scenario["points"])
    narrow = [point for point in scenario["points"] if point["max_size"] == 0]
    small_kg = max(v["payload_kg"] for v in scenario["vehicles"] if v["size"] == 0)
    narrow_kg = _kg_from_stores(scenario, narrow)
    minutes = narrow_kg * (1 / kg_per_min + fixed_min / small_kg)
    left_kg = _kg_from_stores(scenario, scenario["points"]) - narrow_kg
    for vehicle in sorted(scenario["vehicles"], key=lambda v: -v["payload_kg"]):
        own_min = vehicle["count"] * (scenario["deadline_min"] - vehicle["available_min"])
        minutes_per_kg = 1 / kg_per_min + fixed_min / vehicle["payload_kg"]
        taken_kg = min(left_kg, own_min / (minutes_per_kg + 1 / unload_kg_per_min))
        minutes += taken_kg * minutes_per_kg
        left_kg -= taken_kg
    return minutes


def _dock_minutes_offered(scenario: Scenario, fewer: int) -> int:
    """Dock minutes of the stores, each with `fewer` docks less, until the last load that can still help: it
    has a minute to drive and the shortest unloading before the deadline."""
    last_min = scenario["deadline_min"] - 1 - min(p["unload_fixed_min"] for p in scenario["points"])
    offered = 0
    for store in _stores(scenario):
        ends = [step[0] for step in store["docks"][1:]] + [last_min]
        for (from_min, manned), to_min in zip(store["docks"], ends, strict=True):
            offered += max(0, to_min - from_min) * max(0, manned - fewer)
    return offered
