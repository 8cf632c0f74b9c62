"""A replan that is cut off, or asked for twice: one outcome, whoever finishes it."""

import threading

import pytest
from chubei_allocation import proof
from chubei_allocation.approval import approval
from chubei_shared.contracts.holds import HoldReplace, HoldStatus
from chubei_shared.contracts.orders import OrderStatus, StepKind
from chubei_shared.contracts.plans import PlanStatus
from chubei_shared.errors import AppError, Conflict, Unavailable
from chubei_shared.tokens import Role
from replan_nights import Night
from sqlalchemy import text


@pytest.fixture
def night(stocked):
    return Night(stocked)


def test_a_replan_is_refused_when_a_trip_has_begun_since(night):
    now = night.half()
    night.play(now)
    replan = night.replan(now)
    order = min(night.orders(OrderStatus.PLANNED), key=lambda o: o.stops[0].start_min)
    night.step(order, order.stops[0], StepKind.ARRIVED, now)
    with pytest.raises(Conflict, match=f"Order {order.number} has begun since .* ask for a replan"):
        night.approve(replan)
    assert night.commander.plan(replan.id).status is PlanStatus.PROPOSED
    assert night.commander.plan(night.plan.id).status is PlanStatus.APPROVED
    again = night.replan(now + 1)
    night.approve(again)
    night.play()
    night.sound()


def test_of_two_replans_one_is_approved_and_the_other_is_of_the_past(night):
    now = night.half()
    night.play(now)
    one, two = night.replan(now), night.replan(now)
    outcomes = []
    together = threading.Barrier(2)

    def approve(plan, name):
        together.wait()
        try:
            outcomes.append(night.house.as_(Role.APPROVER, name=name).approve(plan.id).status)
        except AppError as error:
            outcomes.append(type(error))

    threads = [threading.Thread(target=approve, args=args) for args in ((one, "a"), (two, "b"))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(map(str, outcomes)) == sorted(map(str, [PlanStatus.APPROVED, Conflict]))
    loser = next(p for p in (one, two) if night.commander.plan(p.id).status is PlanStatus.PROPOSED)
    with pytest.raises(Conflict, match="ask for a replan"):
        night.approve(loser)
    night.play()
    night.sound()


def standing(night) -> dict:
    """Who can see what: plans by status, orders by plan, what is held."""
    return {
        "plans": {str(plan.id): plan.status.value for plan in night.commander.plans(night.incident.id)},
        "orders": {
            order.number: (order.plan_id, order.status.value, order.stops) for order in night.orders()
        },
    }


@pytest.mark.parametrize("cut", ["before the hold", "after the hold"])
def test_a_replan_cut_off_is_finished_by_the_sweeper_to_the_same_outcome(night, cut):
    now = night.half()
    night.play(now)
    night.deviate(now, kind="place_lost", place_id=night.world.south)
    replan, before = night.replan(now), standing(night)
    night.begin(replan)
    if cut == "after the hold":
        person, request, release = night.house.tx(approval._hold_request, replan.id)
        with night.house.gate.client(person) as client:
            client.hold_replace(HoldReplace(release=release, hold=request))
    seen = standing(night)
    assert seen["orders"] == before["orders"]  # no order before its hold
    assert seen["plans"][str(night.plan.id)] == "approved"
    assert night.house.tx(lambda s: list(proof.differences(s))) == []
    for _ in range(2):
        night.resume()
    found = standing(night)
    assert found["plans"] == {str(night.plan.id): "superseded", str(replan.id): "approved"}
    old = night.house.tx(lambda s: s.scalar(text("SELECT hold_id FROM plan WHERE status = 'superseded'")))
    assert night.world.books.get_hold(old).status is HoldStatus.RELEASED
    night.play()
    night.sound()


def test_a_replan_cut_off_in_its_last_transaction_has_changed_nothing(night, monkeypatch):
    now = night.half()
    night.play(now)
    replan, before = night.replan(now), standing(night)
    night.begin(replan)
    with monkeypatch.context() as broken:
        broken.setattr(approval.orders, "create", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            approval.advance(night.house.tx, night.house.gate, replan.id)
    assert standing(night)["orders"] == before["orders"]
    night.resume()
    assert standing(night)["plans"][str(replan.id)] == "approved"
    night.play()
    night.sound()


def test_a_replan_while_inventory_is_away_goes_on_by_itself_and_loading_waits_for_it(night):
    now = night.half()
    night.play(now)
    replan = night.replan(now)
    house = night.house
    house.app.state.inventory = house.lost_gate
    try:
        with pytest.raises(Unavailable, match="goes on by itself"):
            night.approve(replan)
    finally:
        house.app.state.inventory = house.gate
    planned = night.orders(OrderStatus.PLANNED)[0]
    with pytest.raises(Conflict, match="A replan is being approved"):
        night.step(planned, planned.stops[0], StepKind.PICKED, now)
    night.resume()
    assert night.commander.plan(replan.id).status is PlanStatus.APPROVED
    night.play()
    night.sound()
