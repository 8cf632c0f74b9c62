"""From an incident, the district and a snapshot to a scenario that the planner reads, and back to the places."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from uuid import uuid4

import pytest
from chubei_allocation.needs import raise_kits
from chubei_allocation.planner import parse_scenario
from chubei_allocation.scenarios import Unplannable, assemble, digest, modes, place_of
from chubei_shared.contracts import catalogue, reserves
from chubei_shared.contracts.demands import GrantedView
from chubei_shared.contracts.incidents import IncidentView
from hypothesis import given
from hypothesis import strategies as st

NORTH, SOUTH, MAKER = "NORTH", "SOUTH", "MAKER"
OCCURRED = datetime(2026, 11, 21, 3, 20, tzinfo=UTC)


def incident(points, closures=(), **more):
    return IncidentView(
        **more,
        id=uuid4(),
        kind="earthquake",
        level=2,
        name="示例地震",
        place="",
        occurred_at=OCCURRED,
        declared_at=OCCURRED,
        declared_by="commander",
        deadline_at=OCCURRED + timedelta(minutes=720),
        minutes_left=700,
        exercise=True,
        people=150,
        points=points,
        closures=list(closures),
    )


def row(place, code, mode, quantity, ready_min=0, rate=None):
    return reserves.SupplyRow(
        place_id=place,
        item_code=code,
        mode=mode,
        quantity=quantity,
        ready_min=ready_min,
        rate_per_hour=rate,
        from_ids=["x"],
    )


def snapshot(sample, supply, at_points=()):
    kinds = {NORTH: "store", SOUTH: "store", MAKER: "maker"}
    return reserves.Snapshot(
        taken_at=OCCURRED,
        items=sample.items,
        kits=sample.kits,
        places=[
            catalogue.Place(
                id=place,
                kind=kind,
                name_zh=place,
                name_en=place,
                lon=116.3,
                lat=39.9,
                provenance=sample.kit.provenance,
            )
            for place, kind in kinds.items()
        ],
        supply=supply,
        at_points=[
            reserves.PointStock(place_id=place, item_code=code, quantity=units)
            for place, code, units in at_points
        ],
    )


def made(sample, supply, now_min=0, at_points=(), closures=(), network=None, **more):
    points = [
        {
            "shelter_id": shelter.id,
            "subdistrict_id": shelter.subdistrict_id,
            "name_zh": "示例",
            "name_en": "example",
            "people": 50,
            "groups": {"infant": 1},
            "kit_id": sample.kit.id,
        }
        for shelter in sample.network.shelters
    ]
    return assemble(
        incident(points, closures, **more),
        network or sample.network,
        snapshot(sample, supply, at_points),
        "fair",
        now_min,
    )


def test_a_scenario_has_the_figures_of_its_sources(sample):
    scenario = made(
        sample, [row(NORTH, sample.water, "physical", 200, 0)], at_points=[("P1", sample.water, 9)]
    )
    water = next(item for item in scenario["items"] if item["id"] == sample.water)
    assert (water["weight_kg"], water["volume_m3"], water["pack"]) == (10.0, 0.02, 1)
    assert [(s["id"], s["kind"]) for s in scenario["sources"]] == [
        (NORTH, "warehouse"),
        (SOUTH, "warehouse"),
        (MAKER, "producer"),
    ]
    assert scenario["points"][0]["on_hand"] == {sample.water: 9}
    assert scenario["vehicles"][0]["volume_m3"] == 15.0
    assert scenario["deadline_min"] == 720
    assert scenario["points"][0]["provenance"]["certainty"] == "invented"
    assert parse_scenario(scenario).now_min == 0


def test_minutes_count_from_the_incident_and_what_comes_too_late_is_named(sample):
    supply = [
        row(NORTH, sample.water, "contract", 10, ready_min=150),
        row(SOUTH, sample.water, "capacity", 10, ready_min=601, rate=5),
    ]
    scenario = made(sample, supply, now_min=120)
    assert [(s["source"], s["available_min"]) for s in scenario["supply"]] == [(NORTH, 270)]
    late = next(gap for gap in scenario["left_out"] if gap.get("place") == SOUTH)
    assert late["quantity"] == 10
    assert "721" in late["why"]


def test_a_second_mode_is_a_second_source_that_shares_the_docks(sample):
    supply = [
        row(MAKER, sample.water, "contract", 40, 30),
        row(MAKER, sample.water, "capacity", 60, 60, rate=20),
        row(MAKER, sample.quilt, "capacity", 7, 60, rate=20),
    ]
    scenario = made(sample, supply)
    assert modes(scenario) == {
        (MAKER, sample.water): "contract",
        (f"{MAKER}~capacity", sample.water): "capacity",
        (MAKER, sample.quilt): "capacity",
    }
    docks = {s["id"]: s["docks"] for s in scenario["sources"] if place_of(s["id"]) == MAKER}
    assert docks == {MAKER: [[0, 1], [60, 1]], f"{MAKER}~capacity": [[0, 0], [60, 1]]}
    assert parse_scenario(scenario).supply[1].rate_per_hour == 20


def test_rows_of_one_mode_count_as_one_and_never_too_early(sample):
    supply = [row(MAKER, sample.water, "contract", 40, 30), row(MAKER, sample.water, "contract", 5, 90)]
    (only,) = made(sample, supply)["supply"]
    assert (only["quantity"], only["available_min"], only["rate_per_hour"]) == (45, 90, None)


def test_a_closed_way_is_closed_for_every_source_in_the_place(sample):
    supply = [row(MAKER, sample.water, "contract", 40), row(MAKER, sample.water, "capacity", 60, rate=20)]
    scenario = made(sample, supply, closures=[(MAKER, "P1"), ("P2", "P1")])
    assert sorted(scenario["closures"]) == [[MAKER, "P1"], [f"{MAKER}~capacity", "P1"], ["P2", "P1"]]


def test_places_and_vehicles_that_cannot_take_part_are_named(sample):
    site = sample.network.loading_sites[0]
    stranger = site.model_copy(update={"place_id": "ELSEWHERE"})
    truck = sample.network.vehicle_types[0].model_copy(update={"id": "T", "start_place_id": "ELSEWHERE"})
    wider = sample.network.model_copy(
        update={
            "loading_sites": [*sample.network.loading_sites, stranger],
            "vehicle_types": [*sample.network.vehicle_types, truck],
        }
    )
    scenario = made(sample, [row("NOWHERE", sample.water, "physical", 5)], network=wider)
    assert [gap.get("place") or gap["vehicle"] for gap in scenario["left_out"]] == [
        "ELSEWHERE",
        "NOWHERE",
        "T",
    ]
    assert parse_scenario(scenario)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"now_min": 720}, "720"),
        ({"network": "no district"}, "district"),
        ({"kits": []}, "indoor-test"),
        ({"items": []}, "1010201"),
    ],
)
def test_what_cannot_be_planned_says_why(sample, change, told):
    network = sample.network.model_copy(update={"district": None}) if "network" in change else None
    poorer = SimpleNamespace(
        **{**vars(sample), **{k: v for k, v in change.items() if k in ("items", "kits")}}
    )
    with pytest.raises(Unplannable, match=told):
        made(poorer, [], now_min=change.get("now_min", 0), network=network)


@given(st.permutations(range(4)))
def test_the_hash_does_not_depend_on_the_order_of_the_snapshot(sample, order):
    supply = [
        row(NORTH, sample.water, "physical", 1),
        row(NORTH, sample.quilt, "physical", 2),
        row(MAKER, sample.water, "contract", 3),
        row(MAKER, sample.water, "capacity", 4, 10, 5),
    ]
    now, then = (made(sample, rows) for rows in (supply, [supply[n] for n in order]))
    assert digest({**then, "incident": now["incident"]}) == digest(now)


def test_what_is_only_likely_is_left_out_by_name(sample):
    paper = row(NORTH, sample.water, "contract", 0).model_copy(update={"likely": 70})
    scenario = made(sample, [row(NORTH, sample.quilt, "physical", 10), paper])
    assert {supply["item"] for supply in scenario["supply"]} == {sample.quilt}
    assert [(out["item"], out["quantity"]) for out in scenario["left_out"]] == [(sample.water, 70)]


# Kits by setting and season


def kit(sample, name, setting="any", season="any"):
    return sample.kit.model_copy(
        update={"id": name, "setting": catalogue.Setting(setting), "season": catalogue.Season(season)}
    )


def sheltered(sample, *indoor):
    """The district with its shelters under a roof or not."""
    shelters = [
        shelter.model_copy(update={"indoor": roof})
        for shelter, roof in zip(sample.network.shelters, indoor, strict=True)
    ]
    return sample.network.model_copy(update={"shelters": shelters})


def chosen(sample, kits, network=None, **more):
    """The kits of P1, P2, P3 and what is told of those that do not fit."""
    known = SimpleNamespace(**{**vars(sample), "kits": [sample.kit, *kits]})
    scenario = made(known, [row(NORTH, sample.water, "physical", 9)], network=network, **more)
    assert parse_scenario(scenario)
    told = [gap for gap in scenario["left_out"] if "kit" in gap]
    return [point["kit"] for point in scenario["points"]], told


def test_the_season_and_the_roof_choose_the_kit(sample):
    kits = [
        kit(sample, "in", "indoor"),
        kit(sample, "in-winter", "indoor", "winter"),
        kit(sample, "out-winter", "outdoor", "winter"),
        kit(sample, "out-summer", "outdoor", "summer"),
    ]
    network = sheltered(sample, True, False, None)
    found, told = chosen(sample, kits, network, season="winter")
    assert (found, told) == (["in-winter", "out-winter", "indoor-test"], [])
    assert chosen(sample, kits, network, season="summer")[0] == ["indoor-test", "out-summer", "indoor-test"]
    assert chosen(sample, kits, network, season="winter", setting="outdoor")[0] == ["out-winter"] * 3
    assert chosen(sample, kits, network)[0] == ["indoor-test"] * 3


def test_where_the_catalogue_has_no_such_kit_the_shelters_own_is_used_and_told(sample):
    own = kit(sample, sample.kit.id, "indoor")
    poorer = SimpleNamespace(**{**vars(sample), "kit": own})
    found, told = chosen(
        poorer, [kit(sample, "in-winter", "indoor", "winter")], season="winter", setting="outdoor"
    )
    assert found == [own.id] * 3
    (note,) = told
    assert (note["points"], note["setting"], note["season"]) == (["P1", "P2", "P3"], "outdoor", "winter")
    assert "the shelter's own is used" in note["why"]


def test_a_plan_with_another_kit_than_the_shelters_own_shows_both(sample):
    scenario = made(
        SimpleNamespace(**{**vars(sample), "kits": [sample.kit, kit(sample, "cold", "any", "winter")]}),
        [row(NORTH, sample.water, "physical", 9)],
        season="winter",
    )
    assert {(point["kit"], point["own_kit"]) for point in scenario["points"]} == {("cold", sample.kit.id)}
    assert (scenario["season"], scenario["setting"]) == ("winter", "any")


def test_what_is_in_the_points_kit_is_not_wanted_twice(sample):
    pump = {"item_code": sample.water, "units": 5, "by_min": 60, "worth": 9.0}
    demands = [{**pump, "id": "D1", "shelter_id": "P1", "place_id": "P1"}]
    scenario = made(sample, [row(NORTH, sample.water, "physical", 9)], demands=demands)
    (told,) = [gap for gap in scenario["left_out"] if "demand" in gap]
    assert (scenario["demands"], told["place"], told["quantity"]) == ([], "P1", 5)
    assert "change its people instead" in told["why"]


def test_a_demand_at_an_empty_shelter_makes_it_a_point(sample):
    spare = sample.network.shelters[0].model_copy(update={"id": "P4"})
    network = sample.network.model_copy(update={"shelters": [*sample.network.shelters, spare]})
    pump = sample.items[0].model_copy(update={"code": "3010201"})
    wanted = {"id": "D1", "item_code": pump.code, "units": 5, "by_min": 60, "worth": 9.0}
    scenario = made(
        SimpleNamespace(**{**vars(sample), "items": [*sample.items, pump]}),
        [row(NORTH, pump.code, "physical", 9)],
        network=network,
        demands=[{**wanted, "shelter_id": "P4", "place_id": "P4"}],
    )
    parsed = parse_scenario(scenario)
    assert [(d.point, d.item, d.units, d.by_min, d.worth) for d in parsed.demands] == [
        ("P4", pump.code, 5, 60, 9.0)
    ]
    assert (parsed.points[-1].id, parsed.points[-1].people) == ("P4", 0)


def needs_of(parsed, point):
    return next(kit.needs for kit in parsed.kits if kit.id == point.kit)


def test_what_a_shelter_was_granted_is_beyond_its_kit(sample):
    pump = sample.items[0].model_copy(update={"code": "3010201"})
    granted = [
        {"shelter_id": "P1", "item_code": code, "units": units, "worth": 10.0}
        for code, units in ((sample.quilt, 30), (pump.code, 2))
    ]
    scenario = made(
        SimpleNamespace(**{**vars(sample), "items": [*sample.items, pump]}),
        [row(NORTH, pump.code, "physical", 9)],
        granted=granted,
    )
    parsed = parse_scenario(scenario)
    first, second = parsed.points[:2]
    needs = {need.item: need.per_person * first.people for need in needs_of(parsed, first)}
    assert needs[sample.quilt] == pytest.approx(first.people + 30)
    assert needs[sample.water] == pytest.approx(first.people)
    assert second.kit == sample.kit.id
    assert [(d.point, d.item, d.units, d.by_min) for d in parsed.demands] == [("P1", pump.code, 2, 720)]
    more = GrantedView.model_validate(granted[0] | {"units": 60})
    kits, points = raise_kits(scenario["kits"], scenario["points"], [more])
    assert raise_kits(kits, points, [more]) == (kits, points)
    again = parse_scenario({**scenario, "kits": kits, "points": points})
    (quilts,) = [need for need in needs_of(again, again.points[0]) if need.item == sample.quilt]
    assert quilts.per_person * first.people == pytest.approx(first.people + 60)
    assert raise_kits(kits, points, [])[1][0]["kit"] == sample.kit.id


def test_an_incident_of_nobody_and_nothing_can_not_be_planned(sample):
    with pytest.raises(Unplannable, match="nobody is anywhere"):
        assemble(incident([]), sample.network, snapshot(sample, []), "fair", 0)
