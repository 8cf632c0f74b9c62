"""Approval: all lines are held or none, once, whoever calls and wherever it stops on the way."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
from chubei_allocation import sweeping
from chubei_allocation.approval import approval
from chubei_shared.contracts.holds import HoldStatus
from chubei_shared.contracts.plans import PlanStatus
from chubei_shared.errors import AppError, Conflict, Forbidden, NotFound, Shortage, Unavailable
from chubei_shared.tokens import Caller, Role
from sqlalchemy import text

WATER = "1020101"
APPROVER = Caller("the-approver", frozenset({Role.APPROVER}))


def taken(plan) -> dict[tuple[str, str], int]:
    """What the plan's trips load, by place and item."""
    sums: dict[tuple[str, str], int] = {}
    for trip in plan.plan["trips"]:
        for visit in trip["visits"]:
            for item, units in visit.get("load", {}).items():
                sums[visit["node"], item] = sums.get((visit["node"], item), 0) + units
    return sums


def hold_of(stocked, plan):
    (order, *_) = stocked.commander.orders(plan.incident_id)
    return stocked.books.get_hold(order.hold_id)


def stale(house, by="-1 minute"):
    """Let whatever is under way look as if its worker had died a while ago; or hours ahead, before the clock was set
    back."""
    house.tx(
        lambda session: session.execute(
            text("UPDATE plan SET decided_at = now() + CAST(:by AS interval)"), {"by": by}
        )
    )


def holds_for(stocked, plan) -> int:
    """How much of the plan's goods is held in inventory, whatever for."""
    held = 0
    for place in (stocked.north, stocked.south):
        held += sum(row.held for row in stocked.books.stock(place_id=place).rows)
    return held


def test_every_line_is_held_and_every_trip_has_its_order(stocked):
    plan = stocked.proposed()
    approved = stocked.approver.approve(plan.id)
    assert (approved.status, approved.approved_by) == (PlanStatus.APPROVED, "the-approver")
    hold = hold_of(stocked, plan)
    held: dict[tuple[str, str], int] = {}
    for line in hold.lines:
        held[line.place_id, line.item_code] = held.get((line.place_id, line.item_code), 0) + line.quantity
    assert held == taken(plan)
    assert (hold.status, hold.purpose) == (HoldStatus.OPEN, f"plan:{plan.id}")
    assert {line.mode for line in hold.lines if line.place_id == stocked.supplier} == {"contract"}
    orders = list(stocked.commander.orders(plan.incident_id))
    assert len(orders) == len(plan.plan["trips"])
    day = orders[0].number.partition("-")[0]
    assert [order.number for order in orders] == [f"{day}-{n:03d}" for n in range(1, len(orders) + 1)]
    assert {order.status for order in orders} == {"planned"}
    first = orders[0].stops[0]
    assert (first.kind, set(first.modes.values())) in (
        ("warehouse", {"physical"}),
        ("supplier", {"contract"}),
    )
    topics = stocked.house.tx(
        lambda session: list(session.scalars(text("SELECT topic FROM outbox ORDER BY id")))
    )
    assert topics[-len(orders) - 1 :] == ["order.created"] * len(orders) + ["plan.approved"]


def test_each_line_is_for_the_day_on_which_its_trips_arrive():
    """Two trips before midnight in China and one after it: expiry is judged on the day of arrival."""
    scenario = {"supply": [{"source": "N~1", "item": WATER, "mode": "physical"}]}
    trips = [
        {"visits": [{"node": "N~1", "arrive": 0, "load": {WATER: units}}, {"node": "P", "arrive": minute}]}
        for units, minute in ((5, 100), (7, 170), (9, 181))
    ]
    started_at = datetime(2026, 11, 21, 13, 0, tzinfo=UTC)  # 21:00 in Beijing
    lines = approval.hold_lines(scenario, {"trips": trips}, started_at)
    assert [(line.place_id, line.quantity, line.needed_at) for line in lines] == [
        ("N", 12, started_at + timedelta(minutes=170)),
        ("N", 9, started_at + timedelta(minutes=181)),
    ]


def test_approving_again_is_the_same_approval(stocked):
    plan = stocked.proposed()
    first, again = (stocked.approver.approve(plan.id) for _ in range(2))
    assert first == again
    assert len(list(stocked.commander.orders(plan.incident_id))) == len(plan.plan["trips"])
    with pytest.raises(Conflict, match="has decided on this plan already"):
        stocked.house.as_(Role.APPROVER, name="second").approve(plan.id)
    with pytest.raises(Conflict, match="is approved"):
        stocked.approver.refuse(plan.id, "改主意")


def test_who_asked_does_not_approve(stocked):
    incident = stocked.declare()
    both = stocked.house.as_(Role.COMMANDER, Role.APPROVER, name="the-commander")
    plan = stocked.proposed(incident)
    with pytest.raises(Forbidden, match="may not approve"):
        both.approve(plan.id)
    for role in (Role.COMMANDER, Role.CLERK, Role.AUDITOR, Role.ADMIN):
        with pytest.raises(Forbidden):
            stocked.house.as_(role).approve(plan.id)
        with pytest.raises(Forbidden):
            stocked.house.as_(role).refuse(plan.id, "不")
    assert stocked.commander.plan(plan.id).status is PlanStatus.PROPOSED


def test_only_one_plan_of_an_incident_is_in_force(stocked):
    incident = stocked.declare()
    first, second = (stocked.proposed(incident) for _ in range(2))
    stocked.approver.approve(first.id)
    with pytest.raises(Conflict, match=f"Plan {first.id} is in force"):
        stocked.approver.approve(second.id)
    assert stocked.approver.refuse(second.id, "已有生效计划").refusal == "已有生效计划"


def test_a_refused_plan_stays_refused(stocked):
    plan = stocked.proposed()
    for _ in range(2):
        assert stocked.approver.refuse(plan.id, "先等确认").status is PlanStatus.REFUSED
    with pytest.raises(Conflict, match="先等确认"):
        stocked.approver.approve(plan.id)
    with pytest.raises(NotFound):
        stocked.approver.refuse(plan.request_id, "no such plan")


def test_a_plan_gone_stale_is_refused_with_every_short_line_and_holds_nothing(stocked):
    plan = stocked.proposed()
    stocked.take_away(stocked.north, WATER, 180)
    stocked.take_away(stocked.south, "1010201", 399)
    for _ in range(2):  # asking again does not change the outcome
        with pytest.raises(Shortage) as refused:
            stocked.approver.approve(plan.id)
        short = {(s["place_id"], s["item_code"]): s["available"] for s in refused.value.more["shortages"]}
        assert short == {(stocked.north, WATER): 20, (stocked.south, "1010201"): 1}
    found = stocked.commander.plan(plan.id)
    assert found.status is PlanStatus.REFUSED
    assert {s.asked for s in found.shortages} == {
        taken(plan)[stocked.north, WATER],
        taken(plan)[stocked.south, "1010201"],
    }
    assert holds_for(stocked, plan) == 0
    assert list(stocked.commander.orders(plan.incident_id)) == []
    assert stocked.proposed(stocked.commander.incident(plan.incident_id)).supported < 300


def test_an_approval_cut_off_before_its_hold_is_finished_by_the_sweeper(stocked):
    house, plan = stocked.house, stocked.proposed()
    house.tx(approval.begin, plan.id, APPROVER)
    assert list(stocked.commander.orders(plan.incident_id)) == []  # no order before its hold
    sweeping.sweep(house.tx, house.gate)
    assert stocked.commander.plan(plan.id).status is PlanStatus.APPROVING  # not stale yet
    stale(house)
    sweeping.sweep(house.tx, house.gate)
    assert stocked.commander.plan(plan.id).status is PlanStatus.APPROVED
    assert hold_of(stocked, plan).status is HoldStatus.OPEN


def test_an_approval_cut_off_after_its_hold_holds_once(stocked):
    house, plan = stocked.house, stocked.proposed()
    house.tx(approval.begin, plan.id, APPROVER)
    person, request, _ = house.tx(approval._hold_request, plan.id)
    with house.gate.client(person) as client:
        client.hold(request)
    held = holds_for(stocked, plan)
    stale(house, by="2 hours")
    for _ in range(2):
        sweeping.sweep(house.tx, house.gate)
    assert holds_for(stocked, plan) == held
    assert hold_of(stocked, plan).id == request.id
    assert len(list(stocked.commander.orders(plan.incident_id))) == len(plan.plan["trips"])


def test_an_approval_while_inventory_is_away_goes_on_by_itself(stocked):
    house, plan = stocked.house, stocked.proposed()
    house.app.state.inventory = house.lost_gate
    try:
        for _ in range(2):
            with pytest.raises(Unavailable, match="goes on by itself"):
                stocked.approver.approve(plan.id)
    finally:
        house.app.state.inventory = house.gate
    stale(house)
    sweeping.sweep(house.tx, house.lost_gate)
    assert stocked.commander.plan(plan.id).status is PlanStatus.APPROVING
    sweeping.sweep(house.tx, house.gate)
    assert stocked.approver.approve(plan.id).status is PlanStatus.APPROVED


def test_a_plan_that_can_not_be_resumed_keeps_no_other_waiting(stocked):
    house, broken, plan = stocked.house, stocked.proposed(), stocked.proposed()
    for begun in (broken, plan):
        house.tx(approval.begin, begun.id, APPROVER)
    house.tx(lambda s: s.execute(text("UPDATE plan SET plan = '{}' WHERE id = :id"), {"id": broken.id}))
    stale(house)
    sweeping.sweep(house.tx, house.gate)
    assert stocked.commander.plan(broken.id).status is PlanStatus.APPROVING
    assert stocked.commander.plan(plan.id).status is PlanStatus.APPROVED


def test_a_short_plan_is_refused_by_the_sweeper_too(stocked):
    house, plan = stocked.house, stocked.proposed()
    house.tx(approval.begin, plan.id, APPROVER)
    stocked.take_away(stocked.north, WATER, 180)
    stale(house)
    sweeping.sweep(house.tx, house.gate)
    found = stocked.commander.plan(plan.id)
    assert (found.status, [s.item_code for s in found.shortages]) == (PlanStatus.REFUSED, [WATER])


def test_a_hold_that_has_run_out_meanwhile_is_no_approval(stocked):
    house, plan = stocked.house, stocked.proposed()
    house.tx(approval.begin, plan.id, APPROVER)
    person, request, _ = house.tx(approval._hold_request, plan.id)
    with house.gate.client(person) as client:
        client.hold(request)
        client.release(request.id)
    with pytest.raises(Conflict, match="ask for a new plan"):
        approval.advance(house.tx, house.gate, plan.id)
    assert list(stocked.commander.orders(plan.incident_id)) == []


def test_two_approvers_and_the_sweeper_at_once_make_one_outcome(stocked):
    incident = stocked.declare()
    plans = [stocked.proposed(incident) for _ in range(2)]
    house, outcomes = stocked.house, []
    together = threading.Barrier(4)

    def approve(plan, name):
        together.wait()
        try:
            outcomes.append(stocked.house.as_(Role.APPROVER, name=name).approve(plan.id).status)
        except AppError as error:
            outcomes.append(type(error))

    threads = [
        threading.Thread(target=approve, args=(plan, name)) for plan in plans for name in ("one", "two")
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(map(str, outcomes)) == sorted(map(str, [PlanStatus.APPROVED, Conflict, Conflict, Conflict]))
    in_force = [p for p in stocked.commander.plans(incident.id) if p.status is PlanStatus.APPROVED]
    assert len(in_force) == 1
    winner = next(plan for plan in plans if plan.id == in_force[0].id)
    assert len(list(stocked.commander.orders(incident.id))) == len(winner.plan["trips"])
    stale(house)
    sweeping.sweep(house.tx, house.gate)
    assert len(list(stocked.commander.orders(incident.id))) == len(winner.plan["trips"])
