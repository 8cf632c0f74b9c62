"""Verbs on dispatch orders: one for each trip of an approved plan, made with the approval."""

from collections.abc import Sequence
from datetime import timedelta, timezone
from typing import Any
from uuid import UUID, uuid4, uuid5

from chubei_shared import outbox
from chubei_shared.contracts.orders import OrderPage, OrderStatus, OrderView, StepState, StepView, Stop
from chubei_shared.cursors import cursor_of, key_of, name
from chubei_shared.errors import NotFound
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from chubei_allocation import incidents, locks, scenarios, tables

BEIJING = timezone(timedelta(hours=8))
_NUMBERS = UUID("5f3b6c1e-9a57-4d0c-8a53-0d6c9c3f7a10")


def create(session: Session, plan: tables.Plan, scenario: dict[str, Any]) -> int:
    """Make the orders of a plan that has just been approved; returns how many."""
    incident = incidents.get(session, plan.incident_id)
    day = incident.occurred_at.astimezone(BEIJING).strftime("%Y%m%d")
    locks.one_at_a_time(session, uuid5(_NUMBERS, day))  # incidents of one day count on together
    used = session.scalar(
        select(func.count())
        .select_from(tables.DispatchOrder)
        .where(tables.DispatchOrder.number.startswith(f"{day}-"))
    )
    trips = plan.plan["trips"]
    for trip, row in enumerate(sorted(trips, key=lambda trip: trip["visits"][0]["start"])):
        order = tables.DispatchOrder(
            id=uuid4(),
            number=f"{day}-{(used or 0) + trip + 1:03d}",
            plan_id=plan.id,
            trip=trip,
            incident_id=plan.incident_id,
            hold_id=plan.hold_id,
            vehicle=row["vehicle"],
            exercise=incident.exercise,
            status=OrderStatus.PLANNED,
            stops=[stop.model_dump(mode="json") for stop in stops(scenario, row)],
        )
        session.add(order)
        outbox.enqueue(
            session,
            "order.created",
            {"order_id": str(order.id), "number": order.number, "vehicle": order.vehicle},
        )
    return len(trips)


def stops(scenario: dict[str, Any], trip: dict[str, Any]) -> list[Stop]:
    """PURE: a trip's visits with the names of the places and the reserves that are drawn on."""
    mode_of = scenarios.modes(scenario)
    nodes = {node["id"]: node for node in (*scenario["sources"], *scenario["points"])}
    return [
        Stop(
            stop=number,
            place_id=scenarios.place_of(visit["node"]),
            kind=nodes[visit["node"]].get("kind", "point"),
            name_zh=nodes[visit["node"]]["name_zh"],
            name_en=nodes[visit["node"]]["name_en"],
            arrive_min=visit["arrive"],
            start_min=visit["start"],
            end_min=visit["end"],
            load=visit.get("load", {}),
            modes={item: mode_of[visit["node"], item] for item in visit.get("load", {})},
            deliver=visit.get("deliver", {}),
        )
        for number, visit in enumerate(trip["visits"])
    ]


def get(session: Session, order_id: UUID, lock: bool = False) -> tables.DispatchOrder:
    """Raises NotFound."""
    order = session.get(tables.DispatchOrder, order_id, with_for_update=lock or None)
    if order is None:
        raise NotFound(f"没有调拨单 {order_id}", f"There is no dispatch order {order_id}")
    return order


def stops_of(order: tables.DispatchOrder) -> list[Stop]:
    return [Stop.model_validate(row) for row in order.stops]


def steps_of(session: Session, order_id: UUID) -> list[tables.OrderStep]:
    """The steps of an order as they were recorded."""
    return _steps(session, [order_id])[order_id]


def _steps(session: Session, order_ids: Sequence[UUID]) -> dict[UUID, list[tables.OrderStep]]:
    found = session.scalars(
        select(tables.OrderStep)
        .where(tables.OrderStep.order_id.in_(order_ids))
        .order_by(tables.OrderStep.serial)
    )
    by_order: dict[UUID, list[tables.OrderStep]] = {order_id: [] for order_id in order_ids}
    for step in found:
        by_order[step.order_id].append(step)
    return by_order


def show(session: Session, order_id: UUID) -> OrderView:
    return _view(get(session, order_id), steps_of(session, order_id))


def listed(
    session: Session, incident_id: UUID | None, status: OrderStatus | None, cursor: str | None, limit: int
) -> OrderPage:
    """Orders by number."""
    query = select(tables.DispatchOrder).order_by(tables.DispatchOrder.number)
    if incident_id:
        query = query.where(tables.DispatchOrder.incident_id == incident_id)
    if status:
        query = query.where(tables.DispatchOrder.status == status)
    if after := key_of(cursor, name):
        query = query.where(tables.DispatchOrder.number > after[0])
    found = session.scalars(query.limit(limit + 1)).all()
    following = cursor_of(found[limit - 1].number) if len(found) > limit else None
    steps = _steps(session, [order.id for order in found])
    return OrderPage(rows=[_view(order, steps[order.id]) for order in found[:limit]], next_cursor=following)


def _view(order: tables.DispatchOrder, steps: list[tables.OrderStep]) -> OrderView:
    return OrderView(
        id=order.id,
        number=order.number,
        plan_id=order.plan_id,
        incident_id=order.incident_id,
        hold_id=order.hold_id,
        vehicle=order.vehicle,
        exercise=order.exercise,
        status=OrderStatus(order.status),
        stops=stops_of(order),
        steps=[
            StepView(
                id=step.id,
                stop=step.stop,
                step=step.step,
                state=StepState(step.state),
                occurred_at=step.occurred_at,
                recorded_at=step.recorded_at,
                recorded_by=step.recorded_by,
                lines=step.lines,
                signed_by=step.signed_by,
                problem=step.problem,
            )
            for step in steps
        ],
    )
