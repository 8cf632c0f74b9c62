"""The scenarios of `make bench`: they parse, come out the same for the same seed, and are what they say."""

from __future__ import annotations

import json

import pytest
from chubei_allocation.planner import judge, parse_scenario

from tests.bench.generate import KINDS, REPLAN_MIN, make
from tests.bench.planted import planted

LARGE = {"city": (110, 350, 720, 218_000), "province": (360, 3_000, 5_400, 1_900_000)}
SMALL = [kind for kind in KINDS if kind not in LARGE]


@pytest.mark.parametrize("kind", SMALL)
def test_the_same_seed_makes_the_same_scenario_and_another_seed_another(kind: str) -> None:
    assert json.dumps(make(kind, 3)) == json.dumps(make(kind, 3))
    assert make(kind, 3)["points"] != make(kind, 4)["points"]


@pytest.mark.parametrize("kind", SMALL)
def test_every_kind_parses(kind: str) -> None:
    scenario = parse_scenario(make(kind))
    assert scenario.name == f"{kind}-0"
    assert all(point.people > 0 for point in scenario.points)


@pytest.mark.parametrize("kind", LARGE)
def test_large_kinds_have_the_size_that_is_asked_for(kind: str) -> None:
    scenario = parse_scenario(make(kind))
    vehicles = sum(vehicle.count for vehicle in scenario.vehicles)
    people = sum(point.people for point in scenario.points)
    assert (len(scenario.sources), len(scenario.points), vehicles, people) == LARGE[kind]


def test_half_the_fleet_is_half_the_fleet() -> None:
    counts = {kind: sum(row["count"] for row in make(kind)["vehicles"]) for kind in ("district", "fleet")}
    assert counts == {"district": 30, "fleet": 15}


@pytest.mark.parametrize("seed", range(5))
def test_the_optimum_of_planted_is_known_because_a_plan_reaches_it(seed: int) -> None:
    data, trips = planted(seed)
    verdict = judge(parse_scenario(data), trips)
    assert verdict.violations == []
    assert verdict.figures.utility == 1.0
    assert verdict.figures.supported == verdict.figures.settled == sum(p["people"] for p in data["points"])


def test_a_replan_begins_with_facts_that_could_have_happened() -> None:
    scenario = parse_scenario(make("replan"))
    assert scenario.now_min == REPLAN_MIN
    assert judge(scenario, scenario.committed).violations == []
    assert {trip.visits[0].start < REPLAN_MIN for trip in scenario.committed} == {True}
    (stuck,) = [trip for trip in scenario.committed if trip.visits[-1].loads]
    kind, _, number = stuck.vehicle.partition("#")
    assert [(row.type, set(row.lost)) for row in scenario.vehicles if row.lost] == [(kind, {int(number)})]


def test_nothing_is_left_in_the_store_that_is_lost() -> None:
    scenario = parse_scenario(make("replan"))
    taken: dict[str, int] = {}
    for trip in scenario.committed:
        for visit in trip.visits:
            for item, units in visit.goods.items() if visit.node == "W2" else ():
                taken[item] = taken.get(item, 0) + units
    there = {row.item: row.quantity for row in scenario.supply if row.source == "W2" and row.quantity}
    assert taken
    assert there == taken
