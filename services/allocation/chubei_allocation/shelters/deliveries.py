"""What comes to a shelter, for its keeper: when, with what; and the keeper's reports of arrival and receipt."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from chubei_shared.contracts.orders import OrderStatus, OrderView, Step, StepKind, StepState, Stop
from chubei_shared.contracts.shelters import Delivery, DeliveryList, KeeperStep, StoreName
from chubei_shared.db import Transactions
from chubei_shared.errors import Invalid, NotFound
from chubei_shared.tokens import Caller
from sqlalchemy.orm import Session

from chubei_allocation import tables
from chubei_allocation.deviations.effect import Run
from chubei_allocation.deviations.now import look
from chubei_allocation.dispatch import moves, orders, proofs, steps, turn, under_way
from chubei_allocation.incidents import headcounts, incidents
from chubei_allocation.inventory_gate import InventoryGate

KEEPERS = frozenset({StepKind.ARRIVED, StepKind.RECEIVED})
"""The steps that a keeper may report."""


def listed(session: Session, incident_id: UUID, shelter_id: str) -> DeliveryList:
    """The deliveries to a shelter by the time they are planned for. Raises NotFound."""
    row = incidents.get(session, incident_id)
    headcounts.of_shelter(session, incident_id, shelter_id)
    plan = look(session, row).in_force
    runs = {run.trip.order_id: run for run in plan.runs} if plan else {}
    found = under_way.of_incident(session, incident_id)
    reported = orders.steps_by_order(session, [order.id for order in found])
    called = turn.called(session, [order.vehicle for order in found])
    rows = [
        _delivery(row, order, stop, reported[order.id], runs.get(str(order.id)), called[order.vehicle])
        for order in found
        for stop in orders.stops_of(order)
        if stop.place_id == shelter_id and stop.deliver
    ]
    return DeliveryList(
        incident_id=incident_id,
        shelter_id=shelter_id,
        minutes_left=incidents.minutes_left(row),
        exercise=row.exercise,
        rows=sorted(rows, key=lambda one: (one.planned_at, one.number)),
        items=turn.names(session, found[-1].plan_id) if found else [],
        return_to=_stores(found, shelter_id),
    )


def _stores(found: Sequence[tables.DispatchOrder], shelter_id: str) -> list[StoreName]:
    """That load for the shelter, by id."""
    ways = [orders.stops_of(order) for order in found]
    names = {
        stop.place_id: StoreName(place_id=stop.place_id, name_zh=stop.name_zh, name_en=stop.name_en)
        for way in ways
        if any(stop.place_id == shelter_id for stop in way)
        for stop in way
        if stop.kind == "warehouse"
    }
    return [names[key] for key in sorted(names)]


def _delivery(
    row: tables.Incident,
    order: tables.DispatchOrder,
    stop: Stop,
    reported: Sequence[tables.OrderStep],
    run: Run | None,
    called: tuple[str, str],
) -> Delivery:
    stops = orders.stops_of(order)
    standing = [step for step in reported if step.state != StepState.REFUSED]
    at, allowed = moves.following(stops, [(step.stop, StepKind(step.step)) for step in standing])
    call = next((call for call in run.calls if call.stop == stop.stop), None) if run else None
    return Delivery(
        order_id=order.id,
        number=order.number,
        vehicle=order.vehicle,
        vehicle_zh=called[0],
        vehicle_en=called[1],
        status=OrderStatus(order.status),
        stop=stop.stop,
        planned_at=row.occurred_at + timedelta(minutes=stop.arrive_min),
        expected_at=row.occurred_at + timedelta(minutes=call.arrive_min) if call else None,
        goods=moves.due(stops, orders.loaded(standing))[stop.stop],
        received=any(step.stop == stop.stop and step.step == StepKind.RECEIVED for step in standing),
        next=sorted(allowed & KEEPERS) if at == stop.stop else [],
        code=proofs.code(order.secret, StepKind.RECEIVED, stop),
    )


def report(
    tx: Transactions,
    inventory: InventoryGate,
    incident_id: UUID,
    shelter_id: str,
    body: KeeperStep,
    caller: Caller,
) -> OrderView:
    """An arrival or receipt at the shelter. Raises as steps.take; NotFound for an order that does not come here."""
    tx(_check_here, incident_id, shelter_id, body)
    step = Step.model_validate(body.model_dump(exclude={"order_id"}))
    return steps.take(tx, inventory, body.order_id, step, caller)


def _check_here(session: Session, incident_id: UUID, shelter_id: str, body: KeeperStep) -> None:
    if body.step not in KEEPERS:
        raise Invalid(
            "step:安置点只登记到达(arrived)和接收(received)",
            "step: a shelter reports arrived and received only",
        )
    order = orders.get(session, body.order_id)
    stops = {stop.stop: stop for stop in orders.stops_of(order)}
    if order.incident_id != incident_id or body.stop not in stops or stops[body.stop].place_id != shelter_id:
        raise NotFound(
            f"调拨单 {body.order_id} 的第 {body.stop} 站不是 {shelter_id},请核对",
            f"Stop {body.stop} of order {body.order_id} is not {shelter_id}: check both",
        )
