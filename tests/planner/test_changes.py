"""What `changes` tells of two plans, each kind of change worked out by hand."""

from __future__ import annotations

from chubei_allocation.planner import Changes, Trip, Visit, changes, parse_scenario
from planner_cases import plain


def trip(vehicle: str, store: str, start: int, units: int = 10, point: str = "P0") -> Trip:
    load = Visit(store, start, start, start + 10, loads=True, goods={"water": units})
    drop = Visit(point, start + 30, start + 30, start + 40, loads=False, goods={"water": units})
    return Trip(vehicle, (load, drop))


def told(previous: list[Trip], trips: list[Trip], begun: tuple[Trip, ...] = (), now: int = 0) -> Changes:
    data = plain() | {"now_min": now, "committed": [row.as_json() for row in begun]}
    return changes(parse_scenario(data), previous, trips)


def test_each_kind_of_change_is_counted_once() -> None:
    same, moved, gone, added = (trip(f"van#{n % 2 + 1}", "S1", 100 * n + 20) for n in range(4))
    later = trip(moved.vehicle, "S1", moved.visits[0].start + 15)
    assert told([same, moved, gone], [same, later]) == Changes(kept=1, changed=1, dropped=1, new=0)
    assert told([same], [same, added]) == Changes(kept=1, changed=0, dropped=0, new=1)
    assert told([same, moved], []) == Changes(kept=0, changed=0, dropped=2, new=0)


def test_other_goods_or_stops_are_a_change_and_another_vehicle_or_store_is_not() -> None:
    old = trip("van#1", "S1", 30)
    assert told([old], [trip("van#1", "S1", 30, units=8)]) == Changes(0, 1, 0, 0)
    assert told([old], [trip("van#1", "S1", 30, point="P1")]) == Changes(0, 1, 0, 0)
    assert told([old], [trip("van#2", "S1", 30)]) == Changes(kept=0, changed=0, dropped=1, new=1)
    assert told([old], [trip("van#1", "S2", 30)]) == Changes(kept=0, changed=0, dropped=1, new=1)


def test_one_new_trip_stands_for_one_old_trip_only() -> None:
    morning, noon = trip("van#1", "S1", 30), trip("van#1", "S1", 200)
    assert told([morning, noon], [trip("van#1", "S1", 60)]) == Changes(0, changed=1, dropped=1, new=0)
    assert told([morning, noon], [noon, trip("van#1", "S1", 35)]) == Changes(1, changed=1, dropped=0, new=0)


def test_what_has_begun_counts_on_neither_side() -> None:
    begun, open_ = trip("van#1", "S1", 30), trip("van#1", "S1", 200)
    late = trip("van#1", "S1", 42)  # as it went: twelve minutes after its plan
    assert told([begun, open_], [begun, open_], begun=(begun,), now=100) == Changes(1, 0, 0, 0)
    assert told([begun, open_], [late, open_], begun=(late,), now=100) == Changes(1, 0, 0, 0)
