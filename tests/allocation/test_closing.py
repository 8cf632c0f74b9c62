"""An incident that has ended holds nothing without an owner; one that is reopened plans anew."""

from uuid import uuid4

import pytest
from chubei_allocation import proof, sweeping
from chubei_allocation.approval import closing
from chubei_shared.contracts.amendments import Amendment
from chubei_shared.contracts.holds import HoldStatus
from chubei_shared.contracts.orders import OrderStatus
from chubei_shared.contracts.plans import PlanRequest, PlanStatus
from chubei_shared.errors import Conflict, Unavailable
from nights import ARRIVED, DEPARTED, PICKED, RECEIVED, Night

from tests.effort import EFFORT


def amend(night, kind: str) -> None:
    change = {"id": uuid4(), "why": "误报", "change": {"kind": kind}}
    night.world.commander.amend(night.incident.id, Amendment.model_validate(change))


def finish(night, order) -> None:
    """The trip of a loaded order, to its end."""
    drops = [stop for stop in order.stops if stop.deliver]
    for stop in drops:
        steps = [(ARRIVED, stop.arrive_min), (RECEIVED, stop.end_min), (DEPARTED, stop.end_min)]
        for kind, minute in steps[: 2 if stop is drops[-1] else 3]:
            night.world.commander.step(order.id, night.body(stop.stop, kind, minute))


def test_what_an_ended_incident_held_is_free_again_when_its_last_trip_is_over(stocked):
    night, house = Night(stocked), stocked.house
    under_way, *others = night.orders
    assert others
    night.load(under_way)
    assert house.tx(closing.candidates) == []
    amend(night, "ended")
    for _ in range(2):
        sweeping.sweep(house.tx, house.gate)
    stand = {order.id: order.status for order in night.world.commander.orders(night.incident.id)}
    assert stand == {order.id: OrderStatus.WITHDRAWN for order in others} | {
        under_way.id: OrderStatus.UNDER_WAY
    }
    assert stocked.books.get_hold(under_way.hold_id).status is HoldStatus.OPEN
    with pytest.raises(Conflict, match="as the incident ended"):
        night.by(others[0].stops[0]).step(others[0].id, night.body(0, PICKED))

    finish(night, under_way)
    with pytest.raises(Unavailable):
        closing.close(house.tx, house.lost_gate, night.plan.id)
    assert house.tx(closing.candidates) == [night.plan.id]
    sweeping.sweep(house.tx, house.gate)
    assert stocked.books.get_hold(under_way.hold_id).status is HoldStatus.RELEASED
    assert house.tx(closing.candidates) == []
    assert [str(found) for found in house.tx(lambda s: list(proof.differences(s)))] == []

    amend(night, "reopened")
    now_min = max(stop.end_min for stop in under_way.stops)
    again = uuid4()
    stocked.commander.request_plan(
        PlanRequest(id=again, incident_id=night.incident.id, now_min=now_min, **EFFORT)
    )
    stocked.solve(again)
    plan = stocked.commander.plan(stocked.commander.plan_request(again).plan_id)
    assert stocked.approver.approve(plan.id).status is PlanStatus.APPROVED
    new = [o for o in stocked.commander.orders(night.incident.id) if o.status is OrderStatus.PLANNED]
    assert {order.plan_id for order in new} == {plan.id}
    assert stocked.books.get_hold(new[0].hold_id).status is HoldStatus.OPEN
