"""What a scenario takes as given: conditions of the district, trips that began, and supply counted once. Pure."""

from uuid import uuid4

from chubei_allocation import given
from chubei_allocation.deviations import rules
from chubei_allocation.dispatch import progress
from chubei_allocation.dispatch.progress import Told
from chubei_allocation.given import Call, Conditions, InForce, OrderTrip
from chubei_shared.contracts.base import Mode
from chubei_shared.contracts.deviations import (
    OrderDelayed,
    PlaceLost,
    SupplyLate,
    SupplyWithdrawn,
    VehicleBroken,
    WayClosed,
)
from chubei_shared.contracts.orders import StepKind, Stop
from chubei_shared.contracts.reserves import SupplyRow

WATER, QUILT = "1020101", "1040101"


def stop(number, place, times, load=None, deliver=None):
    arrive, start, end = times
    return Stop(
        stop=number, place_id=place, kind="warehouse" if load else "point", name_zh=place, name_en=place,
        arrive_min=arrive, start_min=start, end_min=end, load=load or {}, deliver=deliver or {},
        modes=dict.fromkeys(load or {}, Mode.PHYSICAL),
    )  # fmt: skip


STOPS = [
    stop(0, "N", (10, 20, 40), load={WATER: 100}),
    stop(1, "P1", (60, 60, 70), deliver={WATER: 60}),
    stop(2, "P2", (80, 85, 95), deliver={WATER: 40}),
]


def went(told, now_min, late_min=0):
    trip = progress.trip("o", "1", "T#1", STOPS, told, now_min, late_min)
    return trip, [(call.arrive_min, call.start_min, call.end_min) for call in trip.calls]


def test_an_order_that_has_not_begun_is_as_late_as_its_time_has_passed():
    for now_min, late in ((0, 0), (20, 0), (35, 15)):
        trip, times = went([], now_min)
        assert (trip.begun, trip.late_min) == (False, late)
        assert times == [
            (10 + late, 20 + late, 40 + late),
            (60 + late, 60 + late, 70 + late),
            (80 + late, 85 + late, 95 + late),
        ]


def test_what_was_reported_stands_and_what_is_to_come_is_as_late():
    told = [Told(0, StepKind.PICKED, 25), Told(0, StepKind.LOADED, 52, {WATER: 90})]
    trip, times = went(told, 55)
    assert trip.begun
    assert [call.done for call in trip.calls] == [True, False, False]
    assert times == [(25, 32, 52), (72, 72, 82), (92, 97, 107)]
    assert [dict(call.goods) for call in trip.calls] == [{WATER: 90}, {WATER: 60}, {WATER: 30}]
    assert trip.late_min == 12


def test_a_truck_that_should_have_come_is_expected_now_and_one_that_is_early_waits():
    told = [Told(0, StepKind.LOADED, 38, {WATER: 100}), Told(0, StepKind.DEPARTED, 39)]
    _, times = went(told, 50)
    assert times[1:] == [(60, 60, 70), (80, 85, 95)]
    _, times = went(told, 75)
    assert times[1:] == [(75, 75, 85), (95, 100, 110)]
    _, times = went(told, 50, late_min=30)
    assert times[1:] == [(90, 90, 100), (110, 115, 125)]


def test_damaged_goods_are_not_brought():
    told = [
        Told(0, StepKind.LOADED, 40, {WATER: 100}),
        Told(1, StepKind.ARRIVED, 61),
        Told(1, StepKind.RECEIVED, 71, {WATER: 55}),
    ]
    trip, times = went(told, 72)
    assert dict(trip.calls[1].goods) == {WATER: 55}
    assert times[1:] == [(61, 61, 71), (81, 86, 96)]


def row(mode=Mode.PHYSICAL, quantity=10, ready_min=0, place="N", rate=None):
    return SupplyRow(
        place_id=place, item_code=WATER, mode=mode, quantity=quantity, likely=quantity, ready_min=ready_min,
        rate_per_hour=rate, from_ids=["x"],
    )  # fmt: skip


def in_force(taken=0, held=0, mode=Mode.PHYSICAL, ready_at=30, place="N"):
    calls = (Call(0, place, 5, 5, 9, True, {WATER: taken}, {WATER: mode}, done=True),) if taken else ()
    supply = [{"source": place, "item": WATER, "mode": mode.value, "available_min": ready_at}]
    points = [{"id": "P", "on_hand": {WATER: 7}}]
    trips = (OrderTrip(str(uuid4()), "1", "T#1", begun=True, calls=calls),)
    return InForce("plan", trips, {(place, WATER, mode): held}, {"supply": supply, "points": points})


def counted(rows, conditions=None, before=None, now_min=100):
    found = given.supply(rows, now_min, conditions or Conditions(), before)
    return [(row.quantity, now_min + row.ready_min, row.rate_per_hour) for row in found]


def test_what_was_taken_is_added_to_what_is_left():
    """120 were on the shelf: 50 have gone out, 30 are held by the plan (and shown as free), 40 nobody has."""
    assert counted([row(quantity=70)], before=in_force(taken=50, held=30)) == [(120, 30, None)]
    assert counted([], before=in_force(taken=50)) == [
        (50, 30, None)
    ]  # all of it is gone from inventory's snapshot
    assert counted([row(quantity=70)]) == [(70, 100, None)]


def test_what_the_plan_ordered_is_ready_when_it_was_to_be_and_no_more_is_ordered_unless_something_is_lost():
    before = in_force(taken=50, held=30, mode=Mode.CONTRACT)
    agreed = [row(Mode.CONTRACT, quantity=70, ready_min=150)]
    assert counted(agreed, before=before) == [(80, 30, None)]
    lost = Conditions(lost_places=frozenset({"ELSEWHERE"}))
    assert counted(agreed, lost, before) == [(80, 30, None), (40, 250, None)]
    made = [row(Mode.CAPACITY, quantity=90, ready_min=0, rate=60)]
    before = in_force(taken=0, held=60, mode=Mode.CAPACITY, ready_at=90)
    assert counted(made, lost, before) == [(60, 90, 60), (30, 150, 60)]  # an hour's make is the plan's


def test_a_lost_place_keeps_only_what_has_left_it_and_late_goods_are_late_once():
    lost = Conditions(lost_places=frozenset({"N"}))
    assert counted([row(quantity=70)], lost, in_force(taken=50, held=30)) == [(50, 30, None)]
    assert counted([row(quantity=70)], lost) == []
    late = Conditions(late_min={("N", WATER): 45})
    agreed = [row(Mode.CONTRACT, quantity=30, ready_min=0)]
    before = in_force(held=30, mode=Mode.CONTRACT)
    assert counted(agreed, late, before) == [(30, 75, None)]
    before.scenario["supply"][0]["available_min"] = 75  # of a replan that knew it
    before.scenario["late"] = [["N", WATER, 45]]
    assert counted(agreed, late, before) == [(30, 75, None)]


def test_goods_at_a_point_are_those_of_minute_0():
    brought = Call(1, "P", 50, 50, 60, False, {WATER: 20}, {}, done=True)
    plan = in_force()
    plan = InForce("plan", (OrderTrip("o", "1", "T#1", True, (brought,)),), {}, plan.scenario)
    assert plan.on_hand("P", {WATER: 27}) == {WATER: 7}  # as it was, and 20 were brought
    assert plan.on_hand("P", {WATER: 5}) == {WATER: 7}  # 22 have been handed out since
    assert plan.on_hand("P", {WATER: 30, QUILT: 2}) == {WATER: 10, QUILT: 2}  # somebody else brought some
    assert plan.on_hand("Q", {WATER: 4}) == {WATER: 4}


def test_deviations_fold_into_conditions():
    order = uuid4()
    found = rules.fold(
        [
            OrderDelayed(kind="order_delayed", order_id=order, minutes=20),
            OrderDelayed(kind="order_delayed", order_id=order, minutes=50),
            VehicleBroken(kind="vehicle_broken", vehicle="T#2", goods_aboard=True),
            VehicleBroken(kind="vehicle_broken", vehicle="T#11", goods_aboard=False),
            PlaceLost(kind="place_lost", place_id="N"),
            WayClosed(kind="way_closed", from_id="A", to_id="B"),
            WayClosed(kind="way_closed", from_id="A", to_id="C", one_way=True),
            SupplyLate(kind="supply_late", place_id="S", item_code=WATER, minutes=30),
            SupplyWithdrawn(kind="supply_withdrawn", place_id="S", item_code=QUILT),
        ],
        [("A", "C"), ("X", "Y")],
    )
    assert found.delays_min == {str(order): 50}
    assert (found.lost_vehicles, found.stranded) == ({"T#2", "T#11"}, {"T#2"})
    assert given.lost_numbers(found) == {"T": [2, 11]}
    assert found.closures == (("A", "C"), ("X", "Y"), ("A", "B"), ("B", "A"))
    assert found.gone("N", WATER)
    assert found.gone("S", QUILT)
    assert not found.gone("S", WATER)
    assert found.take_goods


def test_what_can_not_be_made_of_a_trip_is_left_out():
    calls = went([Told(0, StepKind.LOADED, 40, {WATER: 100})], 45)[0]
    assert len(given.still_possible(calls, Conditions())) == 3
    closed = Conditions(closures=(("P1", "P2"),))
    assert [call.place_id for call in given.still_possible(calls, closed)] == ["N", "P1"]
    stuck = Conditions(lost_vehicles=frozenset({"T#1"}), stranded=frozenset({"T#1"}))
    assert [call.place_id for call in given.still_possible(calls, stuck)] == ["N"]
    towed = Conditions(lost_vehicles=frozenset({"T#1"}))
    assert len(given.still_possible(calls, towed)) == 3
    waiting = went([], 0)[0]
    assert given.still_possible(waiting, Conditions(lost_places=frozenset({"N"}))) == ()
