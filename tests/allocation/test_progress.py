"""The dispatch live: three curves of people, where every trip is, and who may look."""

from uuid import uuid4

import pytest
from chubei_shared.contracts.orders import OrderStatus
from chubei_shared.contracts.progress import Whereabouts
from chubei_shared.errors import NotFound
from chubei_shared.tokens import Role
from nights import ARRIVED, Night

WATER, QUILT, BED = "1020101", "1040101", "1010201"


def test_three_curves_and_every_trip_from_the_first_minute_to_the_last(stocked):
    night = Night(stocked)
    see = stocked.commander.progress
    before = see(night.incident.id, every_min=60)
    assert before.minutes == [*range(0, 721, 60)]
    assert before.curves.planned == night.plan.served_by_hour == before.curves.forecast
    assert before.curves.actual == [0]
    assert (before.planned, before.forecast, before.actual, before.people) == (300, 300, 0, 300)
    assert before.forecast_end == before.planned_end
    assert {trip.where for trip in before.trips} == {Whereabouts.WAITING}
    assert {item.item_code: item.tier for item in before.items} == {WATER: 1, QUILT: 1, BED: 2}
    assert sum(item.planned_units for item in before.items) == sum(
        units for order in night.orders for stop in order.stops for units in stop.deliver.values()
    )

    first, *_others = night.orders
    night.load(first)
    stop = next(s for s in first.stops if s.deliver)
    under_way = see(night.incident.id)
    trip = next(t for t in under_way.trips if t.order_id == first.id)
    assert (trip.where, trip.stop, trip.status) == (Whereabouts.ON_THE_WAY, stop.stop, OrderStatus.UNDER_WAY)
    assert trip.stops[0].done
    assert trip.stops[0].lon
    assert not trip.stops[stop.stop].done
    aboard = {item.item_code: item.aboard_units for item in under_way.items if item.aboard_units}
    assert aboard == {
        code: sum(s.load.get(code, 0) for s in first.stops if s.stop < stop.stop) for code in aboard
    }
    arrival = night.body(stop.stop, ARRIVED, stop.arrive_min + 200)  # by far too late
    stocked.commander.step(first.id, arrival)
    late = see(night.incident.id, every_min=1)
    trip = next(t for t in late.trips if t.order_id == first.id)
    assert (trip.where, trip.last.step, trip.last.minute) == (
        Whereabouts.AT_STOP,
        ARRIVED,
        stop.arrive_min + 200,
    )
    assert trip.late_min >= 200
    assert trip.end_min == trip.planned_end_min + trip.late_min
    assert late.now_min in late.minutes
    assert len(late.curves.actual) == late.now_min + 1
    assert late.curves.forecast[: late.now_min + 1] == late.curves.actual
    assert late.curves.forecast[-1] == late.forecast
    for curve in (late.curves.planned, late.curves.actual, late.curves.forecast):
        assert curve == sorted(curve)
    for point in late.points:
        assert point.least_item in (WATER, QUILT)
        assert point.next_order in {order.number for order in night.orders}


def test_what_was_received_is_the_actual_curve(stocked):
    night = Night(stocked)
    for order in night.orders:
        night.run(order)
    done = stocked.commander.progress(night.incident.id, every_min=1)
    assert {trip.where for trip in done.trips} == {Whereabouts.DONE}
    assert done.curves.planned[: done.now_min + 1] == done.curves.actual
    assert done.planned_end == done.forecast_end
    assert done.actual <= done.forecast == 300
    assert sum(item.aboard_units for item in done.items) == 0
    assert all(item.received_units == item.planned_units for item in done.items)
    assert [point.next_order for point in done.points] == [None] * 3
    served = stocked.commander.served(night.incident.id)
    assert [row.served for row in served.rows] == [point.forecast[-1] for point in done.points]


def test_everyone_who_signed_in_sees_it_and_before_a_plan_it_is_all_noughts(district):
    incident = district.declare(exercise=False, hours_ago=2)
    for role in (Role.CLERK, Role.COMMANDER, Role.APPROVER, Role.AUDITOR, Role.ADMIN):
        shown = district.house.as_(role).progress(incident.id)
        assert (shown.people, shown.actual, shown.forecast, shown.plan_id) == (300, 0, 0, None)
        assert set(shown.curves.forecast) == {0}
        assert len(shown.points) == 3
        assert shown.trips == []
        assert shown.minutes_left <= 600
        assert shown.forecast_end.served_min is None
    with pytest.raises(NotFound):
        district.commander.progress(uuid4())
