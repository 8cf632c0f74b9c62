"""Whatever is wrong in a scenario is refused in one line that names the place and the remedy."""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from chubei_allocation.planner import ScenarioError, load_json, parse_scenario
from planner_cases import plain

Change = Callable[[dict[str, Any]], object]


def put(path: str, value: object) -> Change:
    """A change that sets data[a][1][b] for the path 'a.1.b'."""

    def change(data: Any) -> None:
        *way, last = path.split(".")
        for step in way:
            data = data[int(step)] if step.isdigit() else data[step]
        data[int(last) if last.isdigit() else last] = value

    return change


def drop(path: str) -> Change:
    def change(data: Any) -> None:
        *way, last = path.split(".")
        for step in way:
            data = data[int(step)] if step.isdigit() else data[step]
        del data[last]

    return change


def begun(**changes: object) -> Change:
    trip = {
        "vehicle": "van#1",
        "visits": [
            {"node": "S1", "arrive": 0, "start": 0, "end": 30, "load": {"water": 10}},
            {"node": "P0", "arrive": 40, "start": 40, "end": 60, "deliver": {"water": 10}},
        ],
    }

    def change(data: dict[str, Any]) -> None:
        row: dict[str, Any] = copy.deepcopy(trip)
        for key, value in changes.items():
            put(key.replace("__", "."), value)(row)
        data["now_min"] = 30
        data["committed"] = [row]

    return change


BROKEN: list[tuple[str, Change, str]] = [
    ("format", put("format", "planning-scenario/2"), "format"),
    ("no items", drop("items"), "items"),
    ("items no array", put("items", {}), "items"),
    ("policy", put("policy", "equal"), "policy"),
    ("deadline 0", put("deadline_min", 0), "deadline_min"),
    ("deadline a truth value", put("deadline_min", True), "deadline_min"),
    ("deadline a text", put("deadline_min", "720"), "deadline_min"),
    ("deadline a fraction", put("deadline_min", 720.5), "deadline_min"),
    ("negative now", put("now_min", -1), "now_min"),
    ("item twice", put("items.1.id", "water"), "items[1]"),
    ("pack 0", put("items.0.pack", 0), "items[0].pack"),
    ("no weight", put("items.0.weight_kg", 0), "items[0].weight_kg"),
    ("weight NaN", put("items.0.weight_kg", float("nan")), "items[0].weight_kg"),
    ("weight beyond floats", put("items.0.weight_kg", 10**400), "items[0].weight_kg"),
    ("volume infinite", put("items.0.volume_m3", float("inf")), "items[0].volume_m3"),
    ("id with NUL", put("items.0.id", "wa\x00ter"), "items[0].id"),
    ("empty id", put("items.0.id", ""), "items[0].id"),
    ("need of no item", put("kits.0.needs.0.item", "wine"), "kits[0].needs[0].item"),
    ("need twice", put("kits.0.needs.1.item", "water"), "kits[0].needs[1]"),
    ("nothing per person", put("kits.0.needs.0.per_person", 0), "kits[0].needs[0].per_person"),
    ("tier 3", put("kits.0.needs.0.tier", 3), "kits[0].needs[0].tier"),
    ("source twice", put("sources.1.id", "S1"), "sources[1]"),
    ("source like point", put("sources.1.id", "P1"), "points[1]"),
    ("source kind", put("sources.0.kind", "shop"), "sources[0].kind"),
    ("loads at 0 kg", put("sources.0.load_kg_per_min", 0), "sources[0].load_kg_per_min"),
    ("negative fixed", put("sources.0.load_fixed_min", -5), "sources[0].load_fixed_min"),
    ("docks negative", put("sources.0.docks", -1), "sources[0].docks"),
    ("docks truth", put("sources.0.docks", True), "sources[0].docks"),
    ("docks unordered", put("sources.0.docks", [[60, 1], [0, 2]]), "sources[0].docks[1]"),
    ("docks no pair", put("sources.0.docks", [[60]]), "sources[0].docks[0]"),
    ("lat", put("sources.0.lat", 91), "sources[0].lat"),
    ("lon", put("points.0.lon", -181), "points[0].lon"),
    ("supply of no source", put("supply.0.source", "S9"), "supply[0].source"),
    ("supply of no item", put("supply.0.item", "wine"), "supply[0].item"),
    ("supply mode", put("supply.0.mode", "gift"), "supply[0].mode"),
    ("negative stock", put("supply.0.quantity", -1), "supply[0].quantity"),
    ("huge stock", put("supply.0.quantity", 10**400), "supply[0].quantity"),
    ("rate 0", put("supply.0.rate_per_hour", 0), "supply[0].rate_per_hour"),
    ("supply twice", put("supply.1.item", "water"), "supply[1]"),
    ("negative people", put("points.1.people", -5), "points[1].people"),
    ("people a list", put("points.1.people", [5]), "points[1].people"),
    ("no kit", drop("points.0.kit"), "points[0].kit"),
    ("unknown kit", put("points.0.kit", "tent"), "points[0].kit"),
    ("more members than people", put("points.0.groups", {"infant": 10**6}), "points[0].groups"),
    ("negative members", put("points.0.groups", {"infant": -1}), "points[0].groups.infant"),
    ("weight 0", put("points.0.weight", 0), "points[0].weight"),
    ("unloads at 0", put("points.0.unload_kg_per_min", 0), "points[0].unload_kg_per_min"),
    ("desk at 0", put("points.0.hand_out_per_hour", 0), "points[0].hand_out_per_hour"),
    ("on hand unknown", put("points.0.on_hand", {"wine": 1}), "points[0].on_hand.wine"),
    ("demand nowhere", put("demands.0.point", "P9"), "demands[0].point"),
    ("demand in kit", put("demands.0.item", "water"), "demands[0].item"),
    ("demand of 0", put("demands.0.units", 0), "demands[0].units"),
    ("demand worthless", put("demands.0.worth", 0), "demands[0].worth"),
    ("type twice", put("vehicles.1.type", "van"), "vehicles[1]"),
    ("type with #", put("vehicles.1.type", "van#2"), "vehicles[1].type"),
    ("negative count", put("vehicles.0.count", -1), "vehicles[0].count"),
    ("start at a point", put("vehicles.0.start", "P0"), "vehicles[0].start"),
    ("no payload", put("vehicles.0.payload_kg", 0), "vehicles[0].payload_kg"),
    ("speed 0", put("vehicles.0.speed_factor", 0), "vehicles[0].speed_factor"),
    ("lost beyond count", put("vehicles.0.lost", [3]), "vehicles[0].lost[0]"),
    ("travel kind", put("travel.kind", "flight"), "travel.kind"),
    ("speed_kmh 0", put("travel.speed_kmh", 0), "travel.speed_kmh"),
    ("matrix size", put("travel", {"kind": "matrix", "minutes": [[0]]}), "travel.minutes"),
    ("matrix row", put("travel", {"kind": "matrix", "minutes": [[0]] * 5}), "travel.minutes[0]"),
    ("negative leg", put("travel", {"kind": "matrix", "minutes": [[-1] * 5] * 5}), "travel.minutes[0][0]"),
    ("closure of one", put("closures", [["S1"]]), "closures[0]"),
    ("closure unknown", put("closures", [["S1", "P9"]]), "closures[0][1]"),
    ("begun by no vehicle", begun(vehicle="bus#1"), "committed[0].vehicle"),
    ("begun by 01", begun(vehicle="van#01"), "committed[0].vehicle"),
    ("begun without visits", begun(visits=[]), "committed[0].visits"),
    ("begun nowhere", begun(visits__0__node="S9"), "committed[0].visits[0].node"),
    ("begun with nothing", begun(visits__0__load={}), "committed[0].visits[0].load"),
    ("begun backwards", begun(visits__0__end=-3), "committed[0].visits[0].end"),
    ("begun later than now", begun(visits__0__start=30), "committed[0].visits[0].start"),
]


@pytest.mark.parametrize(("change", "place"), [row[1:] for row in BROKEN], ids=[row[0] for row in BROKEN])
def test_what_is_wrong_is_named(change: Change, place: str) -> None:
    data = plain()
    change(data)
    with pytest.raises(ScenarioError) as refused:
        parse_scenario(data)
    assert refused.value.place == place
    assert "\n" not in str(refused.value)
    assert refused.value.remedy


def places(value: Any, way: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The way to every value in a scenario, of arrays to the first two."""
    pairs = (
        value.items() if isinstance(value, dict) else enumerate(value[:2]) if isinstance(value, list) else ()
    )
    for key, inner in pairs:
        yield (*way, str(key))
        yield from places(inner, (*way, str(key)))


ODD: list[Any] = [
    None,
    True,
    "",
    "\ud800",
    "a\nb",
    -1,
    0,
    0.5,
    1e300,
    10**30,
    10**400,
    float("nan"),
    [],
    [None],
    {},
]


@pytest.mark.parametrize("odd", ODD, ids=lambda odd: ascii(odd)[:12])
def test_an_odd_value_anywhere_is_accepted_or_refused(odd: object) -> None:
    for way in places(plain()):
        data = plain()
        put(".".join(way), odd)(data)
        with contextlib.suppress(ScenarioError):
            parse_scenario(data)


def test_what_stands_in_the_file_is_told_as_it_stands_there() -> None:
    data = plain()
    put("vehicles.0.start", "西城库")(data)
    with pytest.raises(ScenarioError, match='没有编号为 "西城库" 的 sources'):
        parse_scenario(data)
    data = plain()
    put("deadline_min", None)(data)
    with pytest.raises(ScenarioError, match="deadline_min: null 不是整数"):
        parse_scenario(data)


@pytest.mark.parametrize("data", [None, 3, "text", [], [{}], {}, {"format": {}}])
def test_what_is_no_scenario_is_refused(data: object) -> None:
    with pytest.raises(ScenarioError):
        parse_scenario(data)


@pytest.mark.parametrize(
    "text",
    [b"", b"{", b'{"a": NaN}', b'{"a": -Infinity}', b'{"a": 1, "a": 2}', b"\xff\xfe{}", b"[" * 200_000],
)
def test_what_is_no_json_is_refused(text: bytes) -> None:
    with pytest.raises(ScenarioError):
        load_json(text, "file.json")


def test_a_number_that_is_none_is_named_by_its_line() -> None:
    with pytest.raises(ScenarioError, match="in the file line 2"):
        load_json(b'{"NaN": "a \\" NaN",\n "b": [1, NaN]}', "in the file")


def test_of_a_key_that_stands_twice_it_is_told_in_which_object() -> None:
    with pytest.raises(ScenarioError, match=r'^in the file \{"id": "P3", …\}: 键 "people"'):
        load_json(b'{"points": [{"id": "P3", "people": 2, "people": 3}]}', "in the file")


def test_keys_that_the_format_does_not_know_are_left_alone() -> None:
    data = plain()
    data["provenance"] = {"source": "invented"}
    data["points"][0]["note"] = None
    assert parse_scenario(data) == parse_scenario(plain())


def test_no_step_of_docks_is_no_dock() -> None:
    data = plain()
    put("sources.0.docks", [])(data)
    assert parse_scenario(data).sources[0].docks == ((0, 0),)


def test_a_point_without_people_needs_no_kit() -> None:
    data = plain()
    data["points"][2].update(people=0, groups={})
    del data["points"][2]["kit"]
    assert parse_scenario(data).points[2].kit is None
