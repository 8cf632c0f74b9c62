"""The plan carried out as it stands with what happened: who is late, what falls out. Pure."""

from chubei_allocation.deviations import effect
from chubei_allocation.dispatch import progress
from chubei_allocation.dispatch.progress import Told
from chubei_allocation.given import Conditions
from chubei_shared.contracts.base import Mode
from chubei_shared.contracts.deviations import TripState
from chubei_shared.contracts.orders import StepKind, Stop

WATER = "1020101"
SCENARIO = {
    "sources": [
        {"id": "N", "docks": [[0, 1]]},
        {"id": "S", "docks": 2},
        {"id": "S~contract", "docks": [[0, 0]]},
    ],
    "points": [{"id": "P1", "bays": 1}, {"id": "P2", "bays": 1}],
    "supply": [{"source": "S", "item": WATER, "mode": "contract", "available_min": 30}],
}


def stop(number, place, times, load=None, deliver=None):
    arrive, start, end = times
    return Stop(
        stop=number, place_id=place, kind="warehouse" if load else "point", name_zh=place, name_en=place,
        arrive_min=arrive, start_min=start, end_min=end, load=load or {}, deliver=deliver or {},
        modes=dict.fromkeys(load or {}, Mode.PHYSICAL),
    )  # fmt: skip


ORDERS = {
    "a": ("T#1", [stop(0, "N", (10, 20, 40), {WATER: 9}), stop(1, "P1", (60, 60, 70), None, {WATER: 9})]),
    "b": ("T#2", [stop(0, "N", (20, 40, 60), {WATER: 8}), stop(1, "P1", (80, 80, 90), None, {WATER: 8})]),
    "c": (
        "T#1",
        [stop(0, "S", (90, 100, 110), {WATER: 7}), stop(1, "P2", (140, 140, 150), None, {WATER: 7})],
    ),
}


def play(told=None, now_min=0, **conditions):
    given = Conditions(**conditions)
    trips = [
        progress.trip(
            name, name, vehicle, stops, (told or {}).get(name, []), now_min, given.delays_min.get(name, 0)
        )
        for name, (vehicle, stops) in ORDERS.items()
    ]
    runs = effect.play(trips, {name: stops for name, (_, stops) in ORDERS.items()}, SCENARIO, given)
    return {run.trip.order_id: run for run in runs}


def states(runs):
    return {name: (run.state, run.late_min) for name, run in runs.items()}


def test_a_plan_that_nothing_happens_to_comes_out_as_planned():
    runs = play()
    assert states(runs) == dict.fromkeys("abc", (TripState.ON_TIME, 0))
    for name, (_, stops) in ORDERS.items():
        times = [(c.arrive_min, c.start_min, c.end_min) for c in runs[name].calls]
        assert times == [(s.arrive_min, s.start_min, s.end_min) for s in stops]


def test_a_late_trip_takes_the_next_free_dock_and_makes_the_vehicles_next_one_late():
    """a loads half an hour late: b, whose turn it is, is not held up; c has ten minutes to spare on its way."""
    runs = play(delays_min={"a": 30})
    assert [(c.start_min, c.end_min) for c in runs["b"].calls] == [(40, 60), (80, 90)]
    assert [(c.start_min, c.end_min) for c in runs["a"].calls] == [(60, 80), (100, 110)]
    assert states(runs) == {"a": (TripState.LATE, 40), "b": (TripState.ON_TIME, 0), "c": (TripState.LATE, 30)}


def test_a_lost_store_takes_its_trips_and_a_withdrawn_item_too():
    runs = play(lost_places=frozenset({"N"}))
    assert {name: run.state for name, run in runs.items()} == {
        "a": TripState.IMPOSSIBLE, "b": TripState.IMPOSSIBLE, "c": TripState.ON_TIME,
    }  # fmt: skip
    assert runs["a"].deliveries().visits == ()
    runs = play(withdrawn=frozenset({("S", WATER)}))
    assert [run.state for run in runs.values()] == [
        TripState.ON_TIME,
        TripState.ON_TIME,
        TripState.IMPOSSIBLE,
    ]


def test_what_was_loaded_before_the_store_was_lost_is_delivered():
    told = {"a": [Told(0, StepKind.LOADED, 40, {WATER: 9}), Told(0, StepKind.DEPARTED, 40)]}
    runs = play(told, 41, lost_places=frozenset({"N"}))
    assert runs["a"].state is TripState.ON_TIME
    assert [dict(v.goods) for v in runs["a"].deliveries().visits] == [{WATER: 9}]


def test_a_short_load_brings_less():
    told = {"a": [Told(0, StepKind.LOADED, 40, {WATER: 4})]}
    runs = play(told, 41)
    assert (runs["a"].state, runs["a"].missing) == (TripState.CUT_SHORT, (0, 1))
    assert [dict(v.goods) for v in runs["a"].deliveries().visits] == [{WATER: 4}]


def test_a_broken_vehicle_makes_no_further_trip_and_keeps_what_is_aboard_or_not():
    told = {"a": [Told(0, StepKind.LOADED, 40, {WATER: 9})]}
    stuck = play(told, 41, lost_vehicles=frozenset({"T#1"}), stranded=frozenset({"T#1"}))
    assert (stuck["a"].state, stuck["c"].state) == (TripState.IMPOSSIBLE, TripState.IMPOSSIBLE)
    assert stuck["a"].deliveries().visits == ()
    towed = play(told, 41, lost_vehicles=frozenset({"T#1"}))
    assert (towed["a"].state, towed["c"].state) == (TripState.ON_TIME, TripState.IMPOSSIBLE)


def test_a_closed_way_stops_the_trips_that_use_it():
    runs = play(closures=(("P1", "S"),))
    assert [run.state for run in runs.values()] == [
        TripState.ON_TIME,
        TripState.ON_TIME,
        TripState.IMPOSSIBLE,
    ]
    runs = play(closures=(("N", "P1"),))
    assert {runs["a"].state, runs["b"].state} == {TripState.IMPOSSIBLE}


def test_late_goods_hold_up_the_loading():
    runs = play(late_min={("S", WATER): 100})
    assert [(c.start_min, c.end_min) for c in runs["c"].calls] == [(130, 140), (170, 180)]
    assert states(runs)["c"] == (TripState.LATE, 30)
