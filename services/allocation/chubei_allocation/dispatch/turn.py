"""Verbs on an order as people without an account need it: what is next, and what its goods are called."""

from collections.abc import Iterable
from uuid import UUID

from chubei_shared.contracts.orders import ItemName, OrderTurn, StepKind, StepState
from sqlalchemy import select
from sqlalchemy.orm import Session

from chubei_allocation import tables
from chubei_allocation.dispatch import moves, orders
from chubei_allocation.incidents import incidents


def show(session: Session, order_id: UUID) -> OrderTurn:
    """Raises NotFound."""
    order = orders.get(session, order_id)
    incident = incidents.get(session, order.incident_id)
    stops = orders.stops_of(order)
    standing = [row for row in orders.steps_of(session, order_id) if row.state != StepState.REFUSED]
    at, allowed = moves.following(stops, [(row.stop, StepKind(row.step)) for row in standing])
    vehicle_zh, vehicle_en = called(session, [order.vehicle])[order.vehicle]
    return OrderTurn(
        order=orders.show(session, order_id),
        vehicle_zh=vehicle_zh,
        vehicle_en=vehicle_en,
        incident_name=incident.name,
        occurred_at=incident.occurred_at,
        stop=at,
        next=sorted(allowed),
        due=moves.due(stops, orders.loaded(standing)),
        items=names(session, order.plan_id),
    )


def called(session: Session, vehicles: Iterable[str]) -> dict[str, tuple[str, str]]:
    """Vehicles by the name of their type and their number; by themselves where the type is not known any more."""
    parts = {vehicle: vehicle.partition("#") for vehicle in vehicles}
    row = tables.VehicleType
    found = session.scalars(select(row).where(row.id.in_({kind for kind, _, _ in parts.values()})))
    named = {kind.id: kind for kind in found}
    return {
        vehicle: (f"{named[kind].name_zh} {number}", f"{named[kind].name_en} {number}")
        if kind in named
        else (vehicle, vehicle)
        for vehicle, (kind, _, number) in parts.items()
    }


def names(session: Session, plan_id: UUID) -> list[ItemName]:
    """Of all items of a plan's scenario."""
    request = tables.PlanRequest
    found = session.scalar(
        select(request.scenario["items"]).join(tables.Plan, tables.Plan.request_id == request.id)
        .where(tables.Plan.id == plan_id)
    )  # fmt: skip
    return [
        ItemName(
            item_code=row["id"],
            name_zh=row["name_zh"],
            name_en=row["name_en"],
            returnable=row.get("returnable", False),
        )
        for row in found or []
    ]
