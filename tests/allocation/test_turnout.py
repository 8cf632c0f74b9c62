"""Who and what is there, purely: docks, vehicles and goods that a call-out and confirmations leave to a plan."""

import pytest
from chubei_allocation import turnout
from chubei_allocation.planner import ScenarioError, judge, parse_scenario, parse_trips
from chubei_allocation.turnout import Confirmation, Reply, Sheet, There, Turnout
from chubei_shared.contracts.base import Mode
from chubei_shared.contracts.call_out import CallDuty
from chubei_shared.contracts.network import CrewStep
from chubei_shared.contracts.reserves import SupplyRow
from hypothesis import given
from hypothesis import strategies as st

KEEPER, LOADER, DRIVER, _ = CallDuty
HORIZON = 300
minutes = st.lists(st.integers(0, HORIZON), max_size=8)


def manned(steps: list[CrewStep], minute: int) -> int:
    return next((step.manned for step in reversed(steps) if step.from_min <= minute), 0)


def there(duty: CallDuty, of: str, from_min: int) -> There:
    is_driver = duty is DRIVER
    return There(duty, "NORTH" if is_driver else of, of if is_driver else None, from_min, from_min == 0)


def row(units: int = 100, ready_min: int = 30, **more) -> SupplyRow:
    told = {"place_id": "SUP", "item_code": "1020101", "mode": "contract", "likely": units, "from_ids": ["a"]}
    return SupplyRow.model_validate({**told, "quantity": units, "ready_min": ready_min, **more})


def confirmed(units: int = 0, reply: Reply = Reply.CONFIRMED, ready_min: int | None = None) -> Turnout:
    asked = {("1020101", Mode.CONTRACT): units}
    return Turnout(confirmations=(Confirmation("SUP", reply, asked, ready_min),))


def counted(
    rows: list[SupplyRow], heard: Turnout, now_min: int = 0, taken: int = 0
) -> tuple[list[SupplyRow], list]:
    left_out: list = []
    gone = {("SUP", "1020101", Mode.CONTRACT): taken}
    return list(turnout.supply(rows, heard, {"1020101"}, now_min, gone, left_out)), left_out


# Docks


@given(keepers=minutes, loaders=minutes, per_dock=st.integers(1, 4), docks=st.integers(0, 4))
def test_docks_are_manned_by_whole_crews_once_the_place_is_opened(keepers, loaders, per_dock, docks):
    steps = turnout.crews(keepers, loaders, per_dock, docks)
    assert [step.from_min for step in steps] == sorted({step.from_min for step in steps})
    for minute in range(HORIZON + 1):
        here = sum(since <= minute for since in loaders)
        opened = any(since <= minute for since in keepers)
        assert manned(steps, minute) == (min(docks, here // per_dock) if opened else 0)


@given(
    keepers=minutes,
    loaders=minutes,
    more=st.tuples(st.sampled_from([KEEPER, LOADER]), st.integers(0, HORIZON)),
    per_dock=st.integers(1, 4),
    docks=st.integers(0, 4),
)
def test_one_more_person_never_means_fewer_docks(keepers, loaders, more, per_dock, docks):
    before = turnout.crews(keepers, loaders, per_dock, docks)
    duty, minute = more
    keepers, loaders = ((lst + [minute] * (duty is of)) for of, lst in ((KEEPER, keepers), (LOADER, loaders)))
    after = turnout.crews(keepers, loaders, per_dock, docks)
    assert all(manned(after, m) >= manned(before, m) for m in range(HORIZON + 1))


def test_only_places_on_the_sheet_change_and_what_is_missing_is_named(sample):
    sheet = Sheet(
        frozenset({"NORTH", "SOUTH"}),
        frozenset(),
        (
            there(KEEPER, "NORTH", 0),
            *(there(LOADER, "NORTH", m) for m in (0, 0, 45)),
            there(LOADER, "SOUTH", 0),
        ),
    )
    left_out: list = []
    made = {
        site.place_id: site.docks
        for site in turnout.sites(sample.network.loading_sites, Turnout(sheet), left_out).values()
    }
    assert made["NORTH"] == [CrewStep(from_min=0, manned=1)]
    assert made["SOUTH"] == [CrewStep(from_min=0, manned=0)]
    assert made["MAKER"] == sample.network.loading_sites[2].docks
    assert [(gap["place"], gap["docks"]) for gap in left_out] == [("NORTH", 1), ("SOUTH", 2)]
    assert "3 loaders of 4" in left_out[0]["why"]
    assert "no keeper" in left_out[1]["why"]


# Vehicles

FLEET = {"type": "T", "count": 4, "start": "NORTH", "available_min": 20}


def free_from(vehicle: dict, number: int) -> int | None:
    if number in vehicle.get("lost", ()):
        return None
    return dict(vehicle.get("later", ())).get(number, vehicle["available_min"])


def with_drivers(drivers: list[int], vehicle: dict = FLEET) -> tuple[dict, list]:
    left_out: list = []
    sheet = Sheet(frozenset(), frozenset({"T"}), tuple(there(DRIVER, "T", m) for m in drivers))
    return turnout.driven(vehicle, Turnout(sheet), left_out), left_out


def test_vehicles_run_as_drivers_come():
    made, left_out = with_drivers([90, 0, 40])
    assert [free_from(made, n) for n in (1, 2, 3, 4)] == [20, 40, 90, None]
    assert [(gap["vehicle"], gap["count"]) for gap in left_out] == [("T", 1)]
    broken, left_out = with_drivers([0, 0], FLEET | {"lost": [1]})
    assert [free_from(broken, n) for n in (1, 2, 3, 4)] == [None, 20, 20, None]
    other = turnout.driven(FLEET | {"type": "U"}, Turnout(Sheet(frozenset(), frozenset({"T"}))), [])
    assert other == FLEET | {"type": "U"}


@given(drivers=minutes, more=st.integers(0, HORIZON), lost=st.sets(st.integers(1, 4)))
def test_one_more_driver_never_means_a_vehicle_less_or_later(drivers, more, lost):
    vehicle = FLEET | {"lost": sorted(lost)}
    before, after = with_drivers(drivers, vehicle)[0], with_drivers([*drivers, more], vehicle)[0]
    for number in range(1, 5):
        was, now = free_from(before, number), free_from(after, number)
        assert was is None or (now is not None and 20 <= now <= was)
        assert now is None or number not in lost


# Goods


@given(
    units=st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)), min_size=1, max_size=3),
    said=st.integers(0, 200),
)
def test_what_is_confirmed_counts_up_to_what_is_left(units, said):
    rows = [row(firm, likely=firm + more) for firm, more in units]
    made, left_out = counted(rows, confirmed(said))
    whole = sum(firm + more for firm, more in units)
    assert sum(one.quantity for one in made) == min(said, whole)
    assert sum(gap["quantity"] for gap in left_out) >= sum(firm for firm, _ in units) - said


def test_ready_as_said_or_else_as_agreed():
    assert [one.ready_min for one in counted([row()], confirmed(10, ready_min=90), now_min=60)[0]] == [30]
    assert [one.ready_min for one in counted([row()], confirmed(10, ready_min=50), now_min=60)[0]] == [0]
    assert [one.ready_min for one in counted([row(ready_min=45)], confirmed(10), now_min=60)[0]] == [45]


@pytest.mark.parametrize(
    ("reply", "kept", "why"),
    [
        (Reply.WAITING, 100, None),
        (Reply.DECLINED, 0, "declined"),
        (Reply.OVERDUE, 0, "not confirm in time"),
    ],
)
def test_what_was_asked_counts_until_it_is_due(reply, kept, why):
    made, left_out = counted([row(100)], confirmed(reply=reply))
    assert sum(one.quantity for one in made) == kept
    assert [gap["quantity"] for gap in left_out] == ([100] if why else [])
    assert all(why in gap["why"] for gap in left_out)


def test_what_trips_took_of_it_is_not_counted_again():
    made, _ = counted([row(80)], confirmed(60), taken=50)
    assert [one.quantity for one in made] == [10]


def test_nothing_changes_for_what_was_not_asked():
    rows = [row(mode="physical"), row(place_id="OTHER"), row(item_code="1040101")]
    assert counted(rows, confirmed(reply=Reply.DECLINED)) == (rows, [])


# What the planner reads

LATER = {
    "format": "planning-scenario/1", "name": "x", "deadline_min": 300,
    "items": [{"id": "w", "pack": 1, "weight_kg": 1, "volume_m3": 0.01}],
    "kits": [{"id": "k", "needs": [{"item": "w", "per_person": 1, "tier": 1}]}],
    "sources": [
        {"id": "S", "kind": "warehouse", "lon": 116, "lat": 39, "docks": 2, "load_fixed_min": 5, "load_kg_per_min": 100}
    ],
    "supply": [{"source": "S", "item": "w", "mode": "physical", "quantity": 90, "available_min": 0}],
    "points": [
        {
            "id": "P", "lon": 116, "lat": 39, "people": 10, "kit": "k", "bays": 1, "unload_fixed_min": 5,
            "unload_kg_per_min": 100,
        }
    ],
    "vehicles": [{"type": "T", "count": 2, "start": "S", "payload_kg": 100, "volume_m3": 9, "later": [[2, 60]]}],
    "travel": {"kind": "matrix", "minutes": [[0, 10], [10, 0]]},
}  # fmt: skip


@pytest.mark.parametrize(
    ("vehicle", "arrive", "refused"), [("T#1", 0, False), ("T#2", 59, True), ("T#2", 60, False)]
)
def test_the_checker_lets_no_vehicle_drive_before_its_driver_is_there(vehicle, arrive, refused):
    scenario = parse_scenario(LATER)
    trip = {
        "vehicle": vehicle,
        "visits": [
            {"node": "S", "arrive": arrive, "start": arrive, "end": arrive + 6, "load": {"w": 10}},
            {"node": "P", "arrive": arrive + 16, "start": arrive + 16, "end": arrive + 22, "deliver": {"w": 10}},
        ],
    }  # fmt: skip
    assert scenario.vehicles[0].from_min(2) == 60
    trips = parse_trips({"format": "planning-plan/1", "trips": [trip]}, scenario)
    assert [violation.rule for violation in judge(scenario, trips).violations] == ([3] if refused else [])


@pytest.mark.parametrize(
    ("later", "place"),
    [
        ([[2]], r"vehicles\[0\].later\[0\]"),
        ([[3, 60]], r"later\[0\]\[0\]"),
        ([[2, 60], [2, 70]], r"later\[1\]"),
    ],
)
def test_later_vehicles_are_named_once_by_number_and_minute(later, place):
    vehicles = [{**LATER["vehicles"][0], "later": later}]
    with pytest.raises(ScenarioError, match=place):
        parse_scenario(LATER | {"vehicles": vehicles})
