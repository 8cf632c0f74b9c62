"""Orders as they stand: how far each has gone, and how it will go on."""

from collections.abc import Sequence
from math import ceil
from uuid import UUID

from chubei_shared.contracts.orders import OrderStatus, StepKind, StepState
from sqlalchemy import select
from sqlalchemy.orm import Session

from chubei_allocation import tables
from chubei_allocation.dispatch import moves, orders, progress
from chubei_allocation.dispatch.progress import Told
from chubei_allocation.given import Conditions, OrderTrip


def of_incident(session: Session, incident_id: UUID) -> list[tables.DispatchOrder]:
    """All orders by number but the withdrawn ones."""
    return list(
        session.scalars(
            select(tables.DispatchOrder)
            .where(
                tables.DispatchOrder.incident_id == incident_id,
                tables.DispatchOrder.status != OrderStatus.WITHDRAWN,
            )
            .order_by(tables.DispatchOrder.number)
        )
    )


def trips(
    session: Session, incident: tables.Incident, now_min: int, conditions: Conditions
) -> list[OrderTrip]:
    """Every order of an incident as it went and is to go on, by number.

    One whose vehicle has only come to a place that is lost has not begun: it can still be withdrawn.
    """
    found = of_incident(session, incident.id)
    steps = orders.steps_by_order(session, [order.id for order in found])
    return [_trip(incident, order, steps[order.id], now_min, conditions) for order in found]


def _trip(
    incident: tables.Incident,
    order: tables.DispatchOrder,
    steps: Sequence[tables.OrderStep],
    now_min: int,
    conditions: Conditions,
) -> OrderTrip:
    stops = orders.stops_of(order)
    told = [_told(incident, step) for step in steps if step.state != StepState.REFUSED]
    if stops[0].place_id in conditions.lost_places and moves.may_change((t.stop, t.kind) for t in told):
        told = []
    late_min = conditions.delays_min.get(str(order.id), 0)
    return progress.trip(str(order.id), order.number, order.vehicle, stops, told, now_min, late_min)


def moving_stock(session: Session, incident_id: UUID) -> list[tables.OrderStep]:
    """Steps whose movement inventory has not confirmed yet: nobody knows whether the goods have moved."""
    return list(
        session.scalars(
            select(tables.OrderStep)
            .join(tables.DispatchOrder, tables.DispatchOrder.id == tables.OrderStep.order_id)
            .where(
                tables.DispatchOrder.incident_id == incident_id,
                tables.OrderStep.state == StepState.PENDING,
                tables.OrderStep.step.in_([kind.value for kind in moves.MOVES_STOCK]),
            )
            .order_by(tables.OrderStep.serial)
        )
    )


def _told(incident: tables.Incident, step: tables.OrderStep) -> Told:
    minute = ceil((step.occurred_at - incident.occurred_at).total_seconds() / 60)
    units = {line["item_code"]: line["received"] for line in step.lines} if step.lines else None
    return Told(step.stop, StepKind(step.step), minute, units)
