"""Replanning: what has begun goes on, what has not is kept, changed or withdrawn, and one outcome comes of it."""

import json
import os
import subprocess
import sys
from uuid import uuid4

import pytest
from chubei_allocation import sweeping
from chubei_allocation.plans import alternatives, plans
from chubei_shared.contracts.holds import HoldStatus
from chubei_shared.contracts.orders import OrderStatus, StepKind
from chubei_shared.contracts.plans import PlanRequest, PlanStatus, TripFate
from chubei_shared.errors import Conflict, Shortage, Unavailable
from chubei_shared.tokens import Role
from replan_nights import Night
from sqlalchemy import text

from tests.effort import EFFORT

WATER, QUILT, BED = "1020101", "1040101", "1010201"
PICKED, LOADED = StepKind.PICKED, StepKind.LOADED


@pytest.fixture
def night(stocked):
    return Night(stocked)


def fates(plan) -> dict[str, int]:
    found = [row.fate for row in plan.changes]
    return {fate: found.count(fate) for fate in TripFate if fate in found}


def test_where_nothing_happened_everything_is_kept(night):
    now = night.half()
    night.play(now)
    before = {order.id: order for order in night.orders()}
    replan = night.replan(now)
    assert replan.replaces == night.plan.id
    assert fates(replan) == {"kept": len(night.orders(OrderStatus.PLANNED))}
    assert (replan.supported, replan.settled) == (night.plan.supported, night.plan.settled)
    assert all("不变" in row.zh and "as it was" in row.en for row in replan.changes)
    assert night.approve(replan).status is PlanStatus.APPROVED
    after = {order.id: order for order in night.orders()}
    assert {i: (o.number, o.stops, o.revision) for i, o in after.items()} == {
        i: (o.number, o.stops, 0) for i, o in before.items()
    }
    moved = [order for order in after.values() if order.status is not OrderStatus.DONE]
    assert {order.plan_id for order in moved} == {replan.id}
    assert night.commander.plan(night.plan.id).status is PlanStatus.SUPERSEDED
    night.play()
    assert night.commander.served(night.incident.id).served == 300
    night.sound()


def test_a_replan_counts_what_has_begun_once(night):
    """Supply is all since minute 0, what lies at points is that of minute 0, and the own hold is the replan's."""
    now = night.half()
    night.play(now)
    scenario = night.replan(now).scenario
    of_first = {(row["source"], row["item"]): row for row in night.plan.scenario["supply"]}
    for row in scenario["supply"]:
        first = of_first[row["source"], row["item"]]
        if row["mode"] == "physical":
            assert row["quantity"] == first["quantity"]
        assert row["available_min"] == first["available_min"]
    assert [p["on_hand"] for p in scenario["points"]] == [p["on_hand"] for p in night.plan.scenario["points"]]
    begun = {str(order.id) for order in night.orders() if order.status is not OrderStatus.PLANNED}
    assert {trip["order"] for trip in scenario["committed"]} == begun
    assert {trip["order"] for trip in scenario["previous"]["trips"]} == {
        str(order.id) for order in night.orders(OrderStatus.PLANNED)
    }


def test_a_lost_store_is_planned_around(stocked):
    """What was being loaded there is not counted on, and counts when it gets away all the same."""
    stocked.receive(stocked.south, {QUILT: 400})
    night = Night(stocked)
    world, now = night.world, night.half()
    night.play(now)
    night.deviate(now, kind="place_lost", place_id=world.north)
    outlook = night.commander.outlook(night.incident.id)
    assert outlook.fewer > 0
    assert outlook.replan
    assert f"比方案少 {outlook.fewer:,} 人;宜重排" in outlook.zh
    replan = night.replan(now)
    later = replan.plan["trips"][len(replan.scenario["committed"]) :]
    assert world.north not in {v["node"] for trip in later for v in trip["visits"]}
    assert replan.supported > outlook.expected
    told = night.commander.difference(replan.id, night.plan.id).trips
    assert {fate: count for fate, count in told if count} == fates(replan)

    def of_another_list(session):
        """Not by matching the trips anew, which may come to other numbers than the list that the page shows."""
        plans.get(session, replan.id).changes = [row.model_dump(mode="json") for row in replan.changes[:1]]
        found = alternatives.difference(session, replan.id, night.plan.id).trips
        session.rollback()
        return found

    assert sum(count for _, count in world.house.tx(of_another_list)) == 1
    night.approve(replan)
    dropped = {row.order_id for row in replan.changes if row.fate is TripFate.DROPPED}
    assert {order.id for order in night.orders(OrderStatus.WITHDRAWN)} == dropped
    night.play()
    assert {order.status for order in night.orders()} <= {OrderStatus.DONE, OrderStatus.WITHDRAWN}
    assert night.commander.served(night.incident.id).served >= replan.supported
    night.sound()


def test_an_order_that_a_replan_withdraws_goes_no_further(night):
    """All quilts lie in the lost store: what has not begun would help nobody."""
    now = night.half()
    night.play(now)
    night.deviate(now, kind="place_lost", place_id=night.world.north)
    replan = night.replan(now)
    night.approve(replan)
    dropped = {row.order_id for row in replan.changes if row.fate is TripFate.DROPPED}
    withdrawn = {order.id: order for order in night.orders(OrderStatus.WITHDRAWN)}
    assert withdrawn.keys() == dropped
    for order in withdrawn.values():
        with pytest.raises(Conflict, match="was withdrawn, by a replan"):
            night.step(order, order.stops[0], PICKED, now)
    assert dropped
    night.play()
    night.sound()


def test_a_broken_vehicle_drives_no_more_and_its_goods_stay_aboard(night):
    now = night.half()
    night.play(now)
    under_way = next(o for o in night.orders(OrderStatus.UNDER_WAY))
    night.deviate(now, kind="vehicle_broken", vehicle=under_way.vehicle, goods_aboard=True)
    replan = night.replan(now)
    later = replan.plan["trips"][len(replan.scenario["committed"]) :]
    assert under_way.vehicle not in {trip["vehicle"] for trip in later}
    own = [t for t in replan.scenario["committed"] if t["order"] == str(under_way.id)]
    assert all("deliver" not in visit for trip in own for visit in trip["visits"])
    night.approve(replan)
    assert night.commander.order(under_way.id).plan_id == replan.id
    night.sound()


def test_a_changed_order_keeps_its_number_and_says_that_it_changed(night):
    now = night.half()
    night.play(now)
    waiting = {stop.place_id for order in night.orders(OrderStatus.PLANNED) for stop in order.stops}
    first = min(order.stops[0].start_min for order in night.orders(OrderStatus.PLANNED))
    for site in (
        night.house.as_(Role.ADMIN).network().loading_sites
    ):  # crews come later: so does the next load
        if site.place_id in waiting:
            docks = [{"from_min": first + 5, "manned": 1}]
            night.house.as_(Role.ADMIN).put_loading_site(
                site.model_validate(site.model_dump() | {"docks": docks})
            )
    replan = night.replan(now)
    changed = {row.order_id: row for row in replan.changes if row.fate is TripFate.CHANGED}
    assert changed
    before = {order.id: order for order in night.orders()}
    night.approve(replan)
    for order_id, row in changed.items():
        order = night.commander.order(order_id)
        assert (order.number, order.revision) == (before[order_id].number, 1)
        trip = replan.plan["trips"][row.trip]
        assert [(s.arrive_min, s.end_min) for s in order.stops] == [
            (v["arrive"], v["end"]) for v in trip["visits"]
        ]
        assert order.stops != before[order_id].stops
        assert row.zh.startswith(order.number)
    night.play()
    night.sound()


def test_a_night_with_a_lost_store_from_the_alarm_to_the_last_receipt(whole, tmp_path):
    """Declared, planned, approved; the first trucks leave, a store is lost; replanned, approved; all is received."""
    whole.receive(whole.south, {QUILT: 400})
    night = Night(whole)
    now = night.half()
    night.play(now)
    night.deviate(now, kind="place_lost", place_id=whole.north)
    assert night.commander.outlook(night.incident.id).replan
    replan = night.replan(now)
    night.approve(replan)
    night.play()
    assert {order.status for order in night.orders()} <= {OrderStatus.DONE, OrderStatus.WITHDRAWN}
    assert night.commander.served(night.incident.id).served >= replan.supported
    night.sound()
    settings = night.house.settings
    doctor = subprocess.run(
        [sys.executable, "-m", "chubei_cli.main", "doctor", "--state", str(tmp_path), "--json"],
        env=os.environ
        | {
            "CHUBEI_DATABASE_URL": settings.database_url,
            "CHUBEI_DATABASE_PREFIX": settings.database_prefix,
            "CHUBEI_REDIS_URL": settings.redis_url,
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert doctor.returncode == 0, doctor.stdout + doctor.stderr
    assert json.loads(doctor.stdout)["state"] == "clean"


def test_what_a_second_replan_takes_is_the_first_ones(night):
    now = night.half()
    night.play(now)
    first = night.replan(now)
    night.approve(first)
    night.play(now + 15)
    second = night.replan(now + 15)
    assert second.replaces == first.id
    assert fates(second).keys() <= {"kept"}
    if second.changes:
        night.approve(second)
        assert night.commander.plan(first.id).status is PlanStatus.SUPERSEDED
    night.play()
    night.sound()


def test_a_truck_that_loads_twice_has_its_second_load_under_the_new_hold(stocked):
    """An order under way refers to a hold that covers what it has yet to load, and waits while that is replaced."""
    night = Night(stocked, by_hand=loads_twice)
    order = next(o for o in night.orders() if sum(bool(s.load) for s in o.stops) == 2)
    first, second = order.stops[:2]
    night.play(second.start_min)
    replan = night.replan(second.start_min)
    night.begin(replan)
    night.step(order, second, PICKED, second.start_min)
    with pytest.raises(Unavailable, match="the step is recorded"):
        night.step(order, second, LOADED, second.end_min)
    night.resume()
    order = night.commander.order(order.id)
    assert order.steps[-1].state == "done"
    new = night.house.tx(lambda s: s.scalar(text("SELECT hold_id FROM plan WHERE status = 'approved'")))
    assert order.hold_id == new
    assert first.place_id != second.place_id
    drawn = [line for line in stocked.books.get_hold(new).lines if line.place_id == second.place_id]
    assert sum(line.issued for line in drawn) == sum(second.load.values())
    night.play()
    night.sound()


def loads_twice(stocked, plan) -> dict:
    """A plan of two trips by hand: one loads quilts in the north and beds in the south, one loads quilts."""

    def visit(node, at, kind, goods):
        return {"node": node, "arrive": at, "start": at, "end": at + 30, kind: goods}

    shelter = stocked.shelters[0]
    trips = [
        {
            "vehicle": f"TRUCK-{stocked.north}#1",
            "visits": [
                visit(stocked.north, 30, "load", {QUILT: 20}),
                visit(stocked.south, 90, "load", {BED: 30}),
                visit(shelter, 150, "deliver", {QUILT: 20, BED: 30}),
            ],
        },
        {
            "vehicle": f"TRUCK-{stocked.north}#2",
            "visits": [
                visit(stocked.north, 200, "load", {QUILT: 20}),
                visit(shelter, 300, "deliver", {QUILT: 20}),
            ],
        },
    ]
    return {**plan.plan, "trips": trips}


def test_a_replan_that_has_become_short_leaves_the_old_one_in_force(night):
    world, now = night.world, 22  # the supplier needs 30 minutes: nothing was loaded there yet
    night.play(now)
    world.receive(world.north, {WATER: 200})
    night.deviate(now, kind="supply_withdrawn", place_id=world.supplier, item_code=WATER)
    replan = night.replan(now)
    hold = night.orders(OrderStatus.PLANNED)[0].hold_id
    free = sum(
        row.on_hand - row.held
        for row in world.books.stock(place_id=world.north).rows
        if row.item_code == WATER
    )
    world.take_away(world.north, WATER, free)
    with pytest.raises(Shortage):
        night.approve(replan)
    assert night.commander.plan(replan.id).status is PlanStatus.REFUSED
    assert night.commander.plan(night.plan.id).status is PlanStatus.APPROVED
    assert world.books.get_hold(hold).status is HoldStatus.OPEN
    night.play()
    night.sound()


def test_a_replan_names_the_plan_in_force_or_none(night):
    other = PlanRequest(id=uuid4(), incident_id=night.incident.id, now_min=30, replaces=uuid4())
    with pytest.raises(Conflict, match=f"{night.plan.id} is"):
        night.commander.request_plan(other)
    named = other.model_copy(update={"replaces": night.plan.id})
    assert night.commander.request_plan(named).replaces == night.plan.id
    assert night.commander.request_plan(named).id == named.id


def test_a_replan_before_what_was_reported_is_refused_in_words(night):
    night.play(60)
    body = PlanRequest(id=uuid4(), incident_id=night.incident.id, now_min=20, **EFFORT)
    night.commander.request_plan(body)
    night.world.solve(body.id)
    state = night.commander.plan_request(body.id)
    assert state.status == "failed"
    assert "was reported already" in state.error


def test_the_system_asks_once_for_a_replan_and_approves_none(night):
    world, house, now = night.world, night.house, night.half()
    night.play(now)
    sweeping.propose(house.tx, 1)
    assert len(list(night.commander.plan_requests(night.incident.id))) == 1  # nothing has happened
    night.deviate(now, kind="place_lost", place_id=world.north)
    sweeping.propose(house.tx, 1)
    assert len(list(night.commander.plan_requests(night.incident.id))) == 1  # not yet quiet
    house.tx(lambda s: s.execute(text("UPDATE deviation SET reported_at = now() - interval '1 minute'")))
    for _ in range(2):
        sweeping.propose(house.tx, 1)
    asked, _ = night.commander.plan_requests(night.incident.id)
    assert (asked.requested_by, asked.replaces, asked.status) == ("system", night.plan.id, "queued")
    world.solve(asked.id)
    sweeping.propose(house.tx, 1)
    assert len(list(night.commander.plan_requests(night.incident.id))) == 2
    proposed = night.commander.plan(night.commander.plan_request(asked.id).plan_id)
    assert (proposed.status, proposed.requested_by) == (PlanStatus.PROPOSED, "system")
    assert night.approve(proposed).approved_by == "the-approver"
    night.play()
    night.sound()
