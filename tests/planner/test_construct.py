"""First plans for a large fleet, room that is used up, and plans of a search that has a fault."""

from __future__ import annotations

from typing import Any

import chubei_allocation.planner.construct as construct_module
import numpy as np
import pytest
from chubei_allocation.planner import Stop, check, judge, parse_scenario, plan
from chubei_allocation.planner.arrays import build_arrays, build_base
from chubei_allocation.planner.bound import Bound
from chubei_allocation.planner.construct import construct, rare_goods
from chubei_allocation.planner.filling import fill
from chubei_allocation.planner.model import Model
from chubei_allocation.planner.neighbours import build_ways
from chubei_allocation.planner.outcome import outcome
from chubei_allocation.planner.search import LARGE_FLEET, Chain, Search
from chubei_allocation.planner.solve import obeying
from planner_cases import plain


def large() -> dict[str, Any]:
    """Many more people and vehicles than docks can serve."""
    data = plain()
    for point in data["points"]:
        point["people"] *= 40
    for row in data["supply"]:
        row["quantity"] *= 40
    for kind in data["vehicles"]:
        kind["count"] = LARGE_FLEET
    return data


def test_a_large_fleet_has_a_plan_that_obeys_the_rules() -> None:
    scenario = parse_scenario(large())
    found = plan(scenario, Stop(time_limit_s=None, work_limit=600))
    assert check(scenario, found) == []
    assert found.claims.supported > 0


def test_a_large_fleet_that_is_stopped_at_once_has_a_plan_too() -> None:
    scenario = parse_scenario(large())
    found = plan(scenario, Stop(should_stop=lambda: True))
    assert check(scenario, found) == []
    assert found.solver.status == "stopped"


def test_a_large_fleet_has_a_plan_before_all_ways_are_weighed(monkeypatch: pytest.MonkeyPatch) -> None:
    search = Search(Model(parse_scenario(large())), seed=0)
    taken: list[tuple[int, float]] = []

    def take(search: Search, chain: Chain) -> None:
        take_plan(search, chain)
        taken.append((search.moves, search.utility))

    take_plan = construct_module._take
    monkeypatch.setattr(construct_module, "_take", take)
    construct(search, Bound(1.0, None), lambda: False)
    assert taken[0][0] == 1, "by the nearest places only, and before the other two"
    assert 0 < taken[0][1] <= taken[-1][1] == search.utility
    assert search.ways.near.shape == build_ways(search.model, search.arrays).near.shape


def test_nothing_is_loaded_where_no_room_is_left() -> None:
    model = Model(parse_scenario(plain()))
    a = build_arrays(model)
    needs = int(a.first_need[1])
    sent, goods = np.zeros(len(a.need_item), dtype=np.int64), np.zeros(needs, dtype=np.int64)
    spare = np.full(needs, 1000, dtype=np.int64)
    aim = np.array([0, a.people[0], a.people[0]], dtype=np.int64)
    for kg, m3 in ((1000.0, -1e-13), (-1e-13, 5.0)):
        assert fill(a, 0, aim, sent, spare, kg, m3, 60, goods) == (0.0, 0.0)
        assert not goods.any()
    fill(a, 0, aim, sent, spare, 1000.0, 5.0, 60, goods)
    assert goods.any()


def test_vehicles_that_the_checker_objects_to_are_left_out() -> None:
    search = Search(Model(parse_scenario(plain())), seed=0)
    construct(search, Bound(1.0, None), lambda: False)
    v = int(np.argmax(search.visits.vehicle_visits))
    search.visits.goods[v, 0] *= 1000
    trips = obeying(search)
    assert judge(search.model.scenario, trips).violations == []
    name = search.model.vehicles[v].name
    assert trips
    assert name not in {trip.vehicle for trip in trips}


def one_maker_of_beds() -> dict[str, Any]:
    """Beds are rare: only S2 holds them, and eight stores hold all other goods."""
    data = large()
    store = data["sources"][0]
    for n in range(8):  # stores that hold quilts as the maker of beds does
        data["sources"].append({**store, "id": f"W{n}", "docks": 2})
        data["supply"].append({**data["supply"][1], "source": f"W{n}"})
    data["supply"].append({**data["supply"][1], "source": "S2", "quantity": 50})
    return data


def test_the_only_source_of_a_good_leaves_other_goods_to_others() -> None:
    model = Model(parse_scenario(one_maker_of_beds()))
    a = build_arrays(model)
    rare, left = rare_goods(a, build_base(model, a, 1))
    assert (left <= rare).all()
    ids = [item.id for item in model.scenario.items]
    source = np.repeat(np.arange(a.sources), np.diff(a.first_holding))
    found = {(model.nodes[source[h]].id, ids[a.holding_item[h]]) for h in np.flatnonzero(left)}
    assert ("S2", "quilt") in found
    assert ("S2", "bed") not in found
    assert not any(place.startswith("W") for place, _ in found)


def test_large_trucks_load_rare_goods_before_all_others() -> None:
    data = one_maker_of_beds()
    heavy = {**data["vehicles"][0], "type": "heavy", "count": 3, "size": 1}
    heavy.update(payload_kg=10 * heavy["payload_kg"], volume_m3=10 * heavy["volume_m3"])
    data["vehicles"].append(heavy)
    search = Search(Model(parse_scenario(data)), seed=0)
    construct(search, Bound(1.0, None), lambda: False)
    loads = sorted(
        (visit.start, trip.vehicle) for trip in outcome(search) for visit in trip.visits if visit.node == "S2"
    )
    assert loads[0][1].startswith("heavy")
    assert not all(vehicle.startswith("heavy") for _, vehicle in loads)
