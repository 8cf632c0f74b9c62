"""Variants of a scenario: what only leaves out, what assumes, and that nothing else changes."""

from copy import deepcopy

import pytest
from chubei_allocation.plans import variants
from chubei_allocation.scenarios import Unplannable
from chubei_shared.contracts.assumptions import Assumption
from pydantic import TypeAdapter

WATER, BED = "1020101", "1010201"


def scenario() -> dict:
    return {
        "sources": [
            {"id": "N", "docks": [[0, 1], [60, 2]]},
            {"id": "N~contract", "docks": [[0, 1]]},
            {"id": "S", "docks": [[30, 1]]},
        ],
        "items": [{"id": WATER}, {"id": BED}],
        "supply": [
            {"source": "N", "item": WATER, "mode": "physical", "quantity": 10, "available_min": 40},
            {"source": "N~contract", "item": WATER, "mode": "contract", "quantity": 20, "available_min": 90},
            {"source": "S", "item": BED, "mode": "contract", "quantity": 30, "available_min": 50},
        ],
        "points": [{"id": "P", "bays": 1, "hand_out_per_hour": 60, "people": 100}],
        "vehicles": [{"type": "T", "count": 3, "lost": [2]}],
        "closures": [["N", "P"], ["N~contract", "P"], ["P", "S"]],
        "committed": [],
        "left_out": [],
    }


def made(*rows: dict) -> dict:
    return variants.varied(scenario(), None, TypeAdapter(list[Assumption]).validate_python(list(rows)))


@pytest.mark.parametrize(
    ("row", "path", "expected"),
    [
        ({"kind": "more_vehicles", "type": "T", "count": 2}, ("vehicles", 0, "count"), 5),
        ({"kind": "fewer_vehicles", "type": "T", "count": 1}, ("vehicles", 0, "lost"), [2, 3]),
        ({"kind": "fewer_vehicles", "type": "T", "count": 9}, ("vehicles", 0, "lost"), [1, 2, 3]),
        (
            {"kind": "more_goods", "place_id": "N", "item_code": WATER, "units": 5},
            ("supply", 0, "quantity"),
            15,
        ),
        (
            {"kind": "more_goods", "place_id": "S", "item_code": BED, "units": 5},
            ("supply", 2, "quantity"),
            35,
        ),
        ({"kind": "goods_earlier", "place_id": "N", "minutes": 60}, ("supply", 0, "available_min"), 0),
        ({"kind": "goods_earlier", "place_id": "N", "minutes": 60}, ("supply", 1, "available_min"), 30),
        ({"kind": "more_docks", "place_id": "N", "docks": 1}, ("sources", 0, "docks"), [[0, 2], [60, 3]]),
        (
            {"kind": "crews_earlier", "place_id": "N", "minutes": 20},
            ("sources", 0, "docks"),
            [[0, 1], [40, 2]],
        ),
        ({"kind": "lost_site", "place_id": "N"}, ("sources", 1, "docks"), [[0, 0]]),
        ({"kind": "more_bays", "shelter_id": "P", "bays": 2}, ("points", 0, "bays"), [[0, 3]]),
        (
            {"kind": "faster_hand_out", "shelter_id": "P", "people_per_hour": 40},
            ("points", 0, "hand_out_per_hour"),
            100,
        ),
        ({"kind": "more_people", "shelter_id": "P", "people": 7}, ("points", 0, "people"), 107),
        ({"kind": "way_open", "a": "P", "b": "N"}, ("closures",), [["P", "S"]]),
    ],
)
def test_an_assumption_changes_what_it_says_and_nothing_else(row, path, expected):
    before, after = scenario(), made(row)
    found = after
    for key in path:
        found = found[key]
    assert found == expected
    assert after.pop("assumed")[0]["kind"] == row["kind"]
    changed = [key for key in before if before[key] != after[key]]
    assert changed == [path[0]]


def test_goods_that_are_nowhere_stand_there_from_the_start():
    after = made({"kind": "more_goods", "place_id": "S", "item_code": WATER, "units": 5})
    assert after["supply"][-1] == {
        "source": "S", "item": WATER, "mode": "physical", "quantity": 5, "available_min": 0, "rate_per_hour": None,
    }  # fmt: skip


def test_a_way_is_closed_both_ways_for_all_that_stands_for_its_ends():
    after = made({"kind": "way_closed", "a": "N", "b": "S"})
    new = [way for way in after["closures"] if way not in scenario()["closures"]]
    assert sorted(new) == [["N", "S"], ["N~contract", "S"], ["S", "N"], ["S", "N~contract"]]


def test_drawing_on_stock_alone_leaves_the_rest_out_and_says_so():
    before = scenario()
    before["committed"] = [{"vehicle": "T#1", "visits": [{"node": "S", "load": {BED: 4}}, {"node": "P"}]}]
    kept = deepcopy(before)
    after = variants.varied(before, ["physical"], [])
    assert before == kept
    assert [(r["source"], r["quantity"]) for r in after["supply"]] == [("N", 10), ("S", 4)]
    assert [(r["place"], r["mode"], r["quantity"]) for r in after["left_out"]] == [
        ("N", "contract", 20),
        ("S", "contract", 26),
    ]
    assert "assumed" not in after


@pytest.mark.parametrize(
    "row",
    [
        {"kind": "more_vehicles", "type": "X", "count": 2},
        {"kind": "more_goods", "place_id": "S", "item_code": "1999999", "units": 5},
        {"kind": "lost_site", "place_id": "P"},
        {"kind": "way_open", "a": "P", "b": "T"},
        {"kind": "way_closed", "a": "P", "b": "T"},
    ],
)
def test_what_is_not_there_is_named(row):
    with pytest.raises(Unplannable, match=r"assume:.* / assume: the scenario has no "):
        made(row)


def test_every_kind_has_its_words():
    assert list(variants._EDITS) == list(variants._WORDS)
    assert variants.told(TypeAdapter(Assumption).validate_python({"kind": "lost_site", "place_id": "N"})) == (
        "N 不能装货",
        "nothing can be loaded at N",
    )
