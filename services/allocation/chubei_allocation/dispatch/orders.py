"""Verbs on dispatch orders: one for each trip of an approved plan, made with the approval."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID, uuid4, uuid5

from chubei_shared import china, outbox
from chubei_shared.contracts.orders import (
    OrderPage,
    OrderStatus,
    OrderView,
    Proof,
    StepKind,
    StepState,
    StepView,
    Stop,
)
from chubei_shared.cursors import cursor_of, key_of, name
from chubei_shared.errors import Conflict, NotFound
from chubei_shared.state_words import zh
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from chubei_allocation import locks, scenarios, tables
from chubei_allocation.dispatch import moves
from chubei_allocation.incidents import incidents

_NUMBERS = UUID("5f3b6c1e-9a57-4d0c-8a53-0d6c9c3f7a10")


def create(
    session: Session, plan: tables.Plan, scenario: dict[str, Any], trips: Sequence[tuple[int, dict[str, Any]]]
) -> None:
    """Make an order for each of these trips of a plan that has just been approved, numbered by their start."""
    incident = incidents.get(session, plan.incident_id)
    day = f"{china.day(incident.occurred_at):%Y%m%d}"
    locks.one_at_a_time(session, uuid5(_NUMBERS, day))  # incidents of one day count on together
    used = session.scalar(
        select(func.count())
        .select_from(tables.DispatchOrder)
        .where(tables.DispatchOrder.number.startswith(f"{day}-"))
    )
    by_start = sorted(trips, key=lambda trip: trip[1]["visits"][0]["start"])
    for count, (trip, row) in enumerate(by_start, start=1):
        order = tables.DispatchOrder(
            id=uuid4(),
            number=f"{day}-{(used or 0) + count:03d}",
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


def become(order: tables.DispatchOrder, to: OrderStatus) -> None:
    """Bring a locked order on. Raises Conflict where moves.ORDERS does not allow it."""
    if to not in moves.ORDERS[OrderStatus(order.status)]:
        raise Conflict(
            f"调拨单 {order.number} {zh(OrderStatus, order.status)},不能变为{zh(OrderStatus, to)}",
            f"Order {order.number} is {order.status} and can not become {to}",
        )
    order.status = to


def withdraw(session: Session, order: tables.DispatchOrder) -> None:
    """A locked order that has not begun to load is not to be carried out."""
    become(order, OrderStatus.WITHDRAWN)
    tell(session, "order.withdrawn", order)


def tell(session: Session, topic: str, order: tables.DispatchOrder) -> None:
    body = {"order_id": str(order.id), "number": order.number, "vehicle": order.vehicle}
    outbox.enqueue(session, topic, {**body, "revision": order.revision})


def stops_of(order: tables.DispatchOrder) -> list[Stop]:
    return [Stop.model_validate(row) for row in order.stops]


def steps_of(session: Session, order_id: UUID) -> list[tables.OrderStep]:
    """The steps of an order as they were recorded."""
    return steps_by_order(session, [order_id])[order_id]


def loaded(steps: Sequence[tables.OrderStep]) -> dict[int, dict[str, int]]:
    """What was put aboard, by stop and item, of the stops where loading was reported and its lines are on record."""
    return {
        step.stop: {line["item_code"]: line["received"] for line in step.lines}
        for step in steps
        if step.step == StepKind.LOADED and step.state == StepState.DONE and step.lines
    }


def signatures(session: Session, order_id: UUID) -> dict[UUID, bytes]:
    """What was drawn, a PNG by the id of the step."""
    step = tables.OrderStep
    found = session.execute(
        select(step.id, step.signature_png).where(step.order_id == order_id, step.signature_png.is_not(None))
    )
    return {step_id: image for step_id, image in found if image is not None}


def steps_by_order(session: Session, order_ids: Sequence[UUID]) -> dict[UUID, list[tables.OrderStep]]:
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
    order = get(session, order_id)
    left = incidents.minutes_left(incidents.get(session, order.incident_id))
    return _view(order, steps_of(session, order_id), left)


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
    steps = steps_by_order(session, [order.id for order in found])
    left = {
        incident: incidents.minutes_left(incidents.get(session, incident))
        for incident in {order.incident_id for order in found}
    }
    rows = [_view(order, steps[order.id], left[order.incident_id]) for order in found[:limit]]
    return OrderPage(rows=rows, next_cursor=following)


def _view(order: tables.DispatchOrder, steps: list[tables.OrderStep], minutes_left: int) -> OrderView:
    return OrderView(
        id=order.id,
        number=order.number,
        plan_id=order.plan_id,
        incident_id=order.incident_id,
        hold_id=order.hold_id,
        vehicle=order.vehicle,
        exercise=order.exercise,
        status=OrderStatus(order.status),
        minutes_left=minutes_left,
        revision=order.revision,
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
                proofs=[Proof(one) for one in step.proofs],
                problem=step.problem,
            )
            for step in steps
        ],
    )
