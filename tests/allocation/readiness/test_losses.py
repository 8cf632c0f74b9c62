"""A loss only ever takes away, and what it takes is what it says."""

import pytest
from chubei_allocation.planner import parse_scenario
from chubei_allocation.planner.bound import upper_bound
from chubei_allocation.planner.model import Model
from chubei_allocation.readiness.losses import all_losses, lose, passes
from chubei_allocation.readiness.standing import relief_only
from chubei_shared.contracts.readiness_settings import Loss
from hypothesis import given
from hypothesis import settings as effort
from pieces import BRIDGE, LOSSES, scenario, settings

ROADS = {BRIDGE.id: BRIDGE}


def bound(of: dict) -> float:
    return upper_bound(Model(parse_scenario(of))).utility


@effort(max_examples=40, deadline=None)
@given(LOSSES, LOSSES)
def test_a_loss_never_raises_what_can_be_reached_and_a_second_one_neither(first, second):
    whole = relief_only(scenario())
    once = lose(whole, first, ROADS)
    twice = lose(once, second, ROADS)
    assert bound(whole) >= bound(once) - 1e-6
    assert bound(once) >= bound(twice) - 1e-6


@given(LOSSES)
def test_it_is_pure_and_leaves_the_scenario_valid(loss):
    whole = scenario()
    first = lose(whole, loss, ROADS)
    assert whole == scenario()
    assert first == lose(whole, loss, ROADS)
    parse_scenario(first)


def test_a_lost_store_has_neither_goods_nor_docks_but_its_vehicles_drive():
    left = lose(scenario(), Loss(places=["N"]), {})
    assert {row["source"] for row in left["supply"]} == {"S", "SUP"}
    assert left["sources"][0]["docks"] == [[0, 0]]
    assert left["vehicles"] == scenario()["vehicles"]


def test_a_share_of_the_fleet_is_rounded_up_and_keeps_the_numbers_of_the_others():
    left = lose(scenario(), Loss(fleet_share=0.2), {})
    assert [kind["lost"] for kind in left["vehicles"]] == [[5], [3]]  # 1.6 of eight are two
    again = lose(left, Loss(fleet_share=0.2), {})
    assert (
        sum(len(kind["lost"]) for kind in again["vehicles"]) == 4
    )  # and 1.2 of the six that are left, two more


@pytest.mark.parametrize(("until", "docks"), [(60, [[0, 0], [60, 1], [120, 2]]), (240, [[0, 0], [240, 2]])])
def test_nobody_is_at_the_docks_of_stores_until_the_next_shift(until, docks):
    left = lose(scenario(), Loss(crews_until_min=until), {})
    assert left["sources"][0]["docks"] == docks
    assert left["sources"][2]["docks"] == 1  # the supplier's are its own


def test_a_bridge_closes_the_ways_that_pass_it_in_both_directions():
    left = lose(scenario(), Loss(roads=["bridge"]), ROADS)
    closed = {tuple(way) for way in left["closures"]}
    assert ("N", "SUP") in closed
    assert ("SUP", "N") in closed  # 116.34 to 116.36, past 116.355
    assert ("S", "P2") not in closed
    assert {(b, a) for a, b in closed} == closed


def test_how_near_a_way_comes_is_its_nearest_point_not_its_ends():
    north, south = {"lon": 116.355, "lat": 39.93}, {"lon": 116.355, "lat": 39.89}
    assert passes(north, south, BRIDGE)
    assert not passes(north, {"lon": 116.355, "lat": 39.92}, BRIDGE)
    assert not passes(north, north, BRIDGE)
    aside = {"lon": 116.3575, "lat": 39.93}, {"lon": 116.3575, "lat": 39.89}  # 213 m to the east
    assert not passes(*aside, BRIDGE)


def test_each_thing_is_lost_in_turn():
    names = [loss.id for loss in all_losses(scenario(), settings())]
    assert names == ["store:N", "store:S", "suppliers:water", "road:bridge", "fleet", "crews"]
