"""Every route that brings a plan or an order on, by every role, in every state: the tables of moves are the rule."""

import json
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from chubei_allocation.dispatch import moves, orders
from chubei_allocation.plans import plans
from chubei_shared.contracts.amendments import Amendment
from chubei_shared.contracts.orders import OrderStatus, Step
from chubei_shared.contracts.plans import PlanRequest, PlanStatus
from chubei_shared.errors import AppError, Conflict
from chubei_shared.tokens import Role
from sqlalchemy import text

ROLES = [Role.CLERK, Role.COMMANDER, Role.APPROVER, Role.AUDITOR, Role.ADMIN]


def test_the_tables_name_every_state_and_end():
    assert set(plans.MOVES) == set(PlanStatus)
    assert set(moves.ORDERS) == set(OrderStatus)
    assert {state for state, to in plans.MOVES.items() if not to} == {
        PlanStatus.REFUSED,
        PlanStatus.SUPERSEDED,
    }
    assert {state for state, to in moves.ORDERS.items() if not to} == {
        OrderStatus.DONE,
        OrderStatus.WITHDRAWN,
    }


@pytest.fixture
def planned(stocked):
    """A proposed plan."""
    incident = stocked.declare()
    return stocked, incident, stocked.proposed(incident)


def put(house, plan_id: UUID, status: PlanStatus) -> None:
    """Let a plan stand in a state, whoever has decided; as the database allows it, and with no approval on record."""
    decided = status not in (PlanStatus.PROPOSED, PlanStatus.REFUSED)
    values = {
        "s": status,
        "id": plan_id,
        "h": uuid4() if decided else None,
        "by": "somebody" if decided else None,
    }
    house.tx(
        lambda s: s.execute(text("SET LOCAL session_replication_role = replica; DELETE FROM plan_approval"))
    )
    house.tx(
        lambda s: s.execute(
            text(
                "UPDATE plan SET status = :s, hold_id = :h, decided_by = :by, decided_at = now() WHERE id = :id"
            ),
            values,
        )
    )


def test_every_move_of_a_plan_is_allowed_or_refused_by_its_table(planned):
    world, _, plan = planned
    for state in PlanStatus:
        for to in PlanStatus:
            put(world.house, plan.id, state)

            def move(session, to=to):
                row = plans.get(session, plan.id)
                row.hold_id, row.decided_by = row.hold_id or uuid4(), row.decided_by or "somebody"
                session.flush()
                plans.move(session, row, to)

            if to in plans.MOVES[state]:
                world.house.tx(move)
                assert world.commander.plan(plan.id).status is to
            else:
                with pytest.raises(Conflict, match=f"is {state} can not become {to}"):
                    world.house.tx(move)
                assert world.commander.plan(plan.id).status is state


def test_people_decide_only_on_proposed_plans(planned):
    world, incident, plan = planned
    for state in PlanStatus:
        for role in ROLES:
            for path, body in (("approve", None), ("refuse", {"reason": "试"})):
                put(world.house, plan.id, state)
                answer = world.house.http(role, name=f"a-{role}").post(
                    f"/v1/plans/{plan.id}:{path}", json=body
                )
                if role is not Role.APPROVER:
                    assert answer.status_code == 403, (state, role, path)
                elif state is PlanStatus.PROPOSED:
                    assert answer.status_code == 200, (state, role, path, answer.text)
                else:
                    assert answer.status_code == 409, (state, role, path, answer.text)
                found = world.commander.plan(plan.id).status
                if answer.status_code != 200:
                    assert found is state
                else:
                    world.house.tx(lambda s: s.execute(text("TRUNCATE dispatch_order CASCADE")))
    put(world.house, plan.id, PlanStatus.PROPOSED)
    over = Amendment.model_validate({"id": uuid4(), "why": "已安置", "change": {"kind": "ended"}})
    world.commander.amend(incident.id, over)
    with pytest.raises(Conflict, match="The incident is ended"):
        world.approver.approve(plan.id)
    assert world.commander.plan(plan.id).status is PlanStatus.PROPOSED


def test_a_replan_is_asked_for_by_the_command_whatever_stands(planned):
    world, incident, plan = planned
    for state in PlanStatus:
        put(world.house, plan.id, state)
        for role in ROLES:
            body = PlanRequest(id=uuid4(), incident_id=incident.id, now_min=0, replaces=plan.id)
            answer = world.house.http(role).post("/v1/plan-requests", json=body.model_dump(mode="json"))
            if role is not Role.COMMANDER:
                assert answer.status_code == 403
            else:
                assert answer.status_code == (202 if state is PlanStatus.APPROVED else 409), (
                    state,
                    answer.text,
                )


def test_steps_are_taken_only_of_orders_that_stand(planned):
    world, incident, plan = planned
    world.approver.approve(plan.id)
    order = next(iter(world.commander.orders(incident.id)))
    at = incident.occurred_at + timedelta(minutes=30)
    for state in OrderStatus:
        for role in ROLES:
            world.house.tx(
                lambda s, state=state: s.execute(
                    text("UPDATE dispatch_order SET status = :s WHERE id = :id"), {"s": state, "id": order.id}
                )
            )
            world.house.tx(lambda s: s.execute(text("DELETE FROM order_step")))
            step = Step(id=uuid4(), stop=0, step="arrived", occurred_at=at)
            http = world.house.http(role, name=f"a-{role}")
            answer = http.post(f"/v1/orders/{order.id}/steps", json=step.model_dump(mode="json"))
            if role not in (Role.CLERK, Role.COMMANDER):
                assert answer.status_code == 403, (state, role)
            elif state in (OrderStatus.PLANNED, OrderStatus.UNDER_WAY):
                assert answer.status_code == 200, (state, role, answer.text)
                assert json.loads(answer.text)["status"] == "under_way"
            else:
                assert answer.status_code == 409, (state, role, answer.text)
                assert world.commander.order(order.id).status is state


def test_every_move_of_an_order_is_allowed_or_refused_by_its_table(planned):
    world, incident, plan = planned
    world.approver.approve(plan.id)
    order = next(iter(world.commander.orders(incident.id)))
    for state in OrderStatus:
        for to in OrderStatus:

            def move(session, state=state, to=to):
                row = orders.get(session, order.id, lock=True)
                row.status = state
                orders.become(row, to)

            if to in moves.ORDERS[state]:
                world.house.tx(move)
            else:
                with pytest.raises(AppError, match=f"is {state} and can not become {to}"):
                    world.house.tx(move)
