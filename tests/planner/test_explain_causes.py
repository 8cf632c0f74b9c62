"""Plain causes for which nothing can come at all, and what binds told in the right words."""

from __future__ import annotations

import json
from typing import Any

import pytest
from chubei_allocation.planner import Change, Explanation, Stop, advise, explain, parse_scenario
from chubei_allocation.planner import plan as solve
from planner_cases import plain, world

EFFORT = Stop(time_limit_s=None, work_limit=60)


def explained(data: dict[str, Any]) -> Explanation:
    scenario = parse_scenario(data)
    return explain(scenario, solve(scenario, EFFORT).trips)


def odd_world(where: str, **fields: Any) -> dict[str, Any]:
    """`world` with other fields in the first row of a list."""
    data = world()
    data[where][0] |= fields
    return data


def way(minutes: int | None) -> dict[str, Any]:
    return world() | {"travel": {"kind": "matrix", "minutes": [[0, minutes], [minutes, 0]]}}


CAUSES = {
    "no vehicle": (world() | {"vehicles": []}, "没有可用的车", "no vehicle to drive"),
    "all lost": (odd_world("vehicles", count=1, lost=[1]), "没有可用的车", "no vehicle to drive"),
    "vehicles late": (odd_world("vehicles", available_min=500), "第 500 分钟才可用", "at minute 500"),
    "opens late": (odd_world("points", opens_min=172), "P 最早第 172 分钟开放", "P: open from minute 172"),
    "no way": (way(None), "没有路能把货送到 P", "no way leads from any source to P"),
    "too far": (way(170), "P 最快第 188 分钟才能送到", "ends at minute 188"),
    "deadline": (world() | {"deadline_min": 1}, "P 最快第 28 分钟才能送到", "ends at minute 28"),
    "now": (world() | {"now_min": 200}, "现在（第 200 分钟）已到时限", "it is minute 200"),
    "too small": (odd_world("vehicles", payload_kg=0.5), "一包饮用水（1 公斤", "one pack of water (1 kg"),
}


@pytest.mark.parametrize("name", CAUSES)
def test_a_plain_cause_is_named_in_one_sentence_and_nothing_else_is_blamed(name: str) -> None:
    data, zh, en = CAUSES[name]
    data["supply"][0]["available_min"] = 100  # a lead time that has no part in it
    found = explained(data)
    assert [cause.points for cause in found.causes] == [{"P": 600}]
    assert zh in found.zh
    assert en in found.en
    assert found.binding == ()
    json.dumps(found.as_json(), allow_nan=False)


def test_no_vehicle_but_a_desk_that_is_slow_is_still_told() -> None:
    data = odd_world("points", on_hand={"water": 600}, hand_out_per_hour=60) | {"vehicles": []}
    assert [row.kind for row in explained(data).binding] == ["desks"]


def test_a_place_that_can_be_reached_by_another_is_not_cut_off() -> None:
    data = world()
    data["points"].append(data["points"][0] | {"id": "Q"})
    data["supply"][0]["quantity"] = 0
    data["travel"]["minutes"] = [[0, 10, None], [10, 0, 10], [None, 10, 0]]
    found = explained(data)
    assert found.causes == ()
    assert [row.kind for row in found.binding] == ["items"]


def test_goods_that_make_no_whole_pack_are_told_so() -> None:
    data = odd_world("items", pack=1000)
    data["supply"][0]["quantity"] = 700
    (row,) = explained(data).binding
    assert row.zh == "饮用水：及时可取 700，凑不成一整包（1,000），还缺 600"
    assert row.en == "water: 700 to be had in time, nowhere a whole pack of 1,000, 600 short"


def test_goods_of_which_there_are_none_are_told_so() -> None:
    (row,) = explained(odd_world("supply", quantity=0)).binding
    assert row.zh == "饮用水：没有及时可取的，还缺 600"
    assert row.en == "water: none to be had in time, 600 short"


def test_each_item_is_told_its_own_lead_time() -> None:
    data = plain()
    data["supply"][3]["available_min"] = 480
    data["supply"][4]["available_min"] = 470
    row = next(row for row in explained(data).binding if row.kind == "lead")
    assert row.zh == "S2 的响应时间：第 470 分钟起才有奶粉，第 480 分钟起才有床"
    assert row.en == "lead time of S2: formula from minute 470 on; bed from minute 480 on"


def test_items_of_the_same_minute_are_told_together() -> None:
    data = plain()
    data["supply"][3]["available_min"] = data["supply"][4]["available_min"] = 470
    row = next(row for row in explained(data).binding if row.kind == "lead")
    assert row.zh == "S2 的响应时间：第 470 分钟起才有床、奶粉"


def test_vehicles_that_find_no_way_back_are_not_said_to_lack_time() -> None:
    """Ten vans bring water for a thousand of 1500 and cannot return: the way is to be opened."""
    data = odd_world("points", people=1500) | {"closures": [["P", "S"], ["P", "P"]]}
    found = explained(data)
    told = {row.kind: row for row in found.binding}
    assert told["vehicles"].zh == "车辆 van：10 辆，其中 10 辆没有路回出货地"
    assert told["vehicles"].en == "vehicles van: 10, 10 without an open way back to a source"
    assert (told["ways"].id, told["ways"].other) == ("P", "S")
    assert [row.id for row in found.bindings if row.kind == "ways"] == ["P"]
    scenario = parse_scenario(data)
    advised = advise(scenario, solve(scenario, EFFORT).trips, EFFORT)
    gains = {row.change: row.gains["supported"].value for row in advised.advice}
    assert gains[Change("ways", "P", 1, other="S")] == 500


def test_closed_ways_that_nothing_can_come_along_are_not_told() -> None:
    data = world()
    data["points"].append(data["points"][0] | {"id": "Q"})
    data["travel"]["minutes"] = [[0, 10, 10], [10, 0, 10], [10, 10, 0]]
    data["closures"] = [["S", "P"], ["S", "Q"], ["P", "Q"], ["Q", "P"], ["P", "P"]]
    ways = {(row.id, row.other) for row in explained(data).bindings if row.kind == "ways"}
    assert ways == {("S", "P"), ("S", "Q")}


def test_a_source_that_no_vehicle_gets_to_is_no_way_out() -> None:
    data = world()
    data["sources"].append(data["sources"][0] | {"id": "T"})
    data["travel"]["minutes"] = [[0, 10, 10], [10, 0, 10], [10, 10, 0]]
    data["closures"] = [["S", "T"], ["S", "P"]]
    assert [row.id for row in explained(data).binding if row.kind == "ways"] == ["S"]


@pytest.mark.parametrize(("where", "field"), [("sources", "docks"), ("points", "bays")])
def test_what_is_never_manned_is_told_without_noughts(where: str, field: str) -> None:
    found = explained(odd_world(where, **{field: 0}))
    assert found.en == "1 resource binds"
    (row,) = found.binding
    assert row.kind == field
    assert "没有人值守" in row.zh
    assert "none is manned" in row.en


def test_a_type_without_vehicles_is_not_said_to_bind() -> None:
    data = odd_world("vehicles", count=1)
    data["vehicles"].append(data["vehicles"][0] | {"type": "truck", "count": 0})
    assert {row.id for row in explained(data).binding if row.kind == "vehicles"} <= {"van"}
