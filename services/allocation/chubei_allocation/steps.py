"""Steps of a dispatch order, a saga like the approval: recorded, moved in inventory, concluded.

A step that moves stock stands `pending` until inventory has answered; its movement's id follows from the
step's, so that asking again is the same movement. A step that moves nothing is done at once.
"""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid5

from chubei_shared import outbox
from chubei_shared.contracts.orders import OrderStatus, OrderView, Step, StepKind, StepState, Stop
from chubei_shared.contracts.stock import Deliver, DeliverLine, Issue, IssueLine
from chubei_shared.db import Transactions
from chubei_shared.errors import AppError, Conflict, Forbidden, Invalid, Unavailable
from chubei_shared.tokens import Caller, Role
from sqlalchemy.orm import Session

from chubei_allocation import incidents, locks, moves, orders, tables
from chubei_allocation.inventory_gate import FINAL, InventoryGate

_MOVEMENT = UUID("0f4c9a52-7b0e-4f5e-9d35-3c1d2a9e6b44")
_CLOCK_SLACK = timedelta(minutes=5)


def take(tx: Transactions, inventory: InventoryGate, order_id: UUID, body: Step, caller: Caller) -> OrderView:
    """Record a step; loading and receipt move stock first. Repeating it is the same step.

    Raises Conflict (out of order, or inventory refused the movement: see `problem`), Invalid, Forbidden,
    NotFound; Unavailable while inventory is away: the step then goes on by itself.
    """
    tx(record, order_id, body, caller)
    return advance(tx, inventory, body.id)


def advance(tx: Transactions, inventory: InventoryGate, step_id: UUID) -> OrderView:
    """Bring a step to its outcome. Raises as `take`."""
    asked = tx(_movement, step_id)
    if asked is not None:
        person, movement = asked
        try:
            with inventory.client(person) as client:
                client.record(movement)
        except FINAL as error:
            tx(_conclude, step_id, error)
        except AppError as error:
            raise Unavailable(
                f"库存服务暂不可用,此步骤已记下,恢复后自动完成:{error.detail}",
                f"Inventory is away: the step is recorded and is finished by itself: {error.detail_en}",
            ) from error
        else:
            tx(_conclude, step_id, None)
    return tx(_outcome, step_id)


def record(session: Session, order_id: UUID, body: Step, caller: Caller) -> None:
    """Write the step down, pending or done; nothing when it stands there already."""
    order = orders.get(session, order_id, lock=True)
    locks.one_at_a_time(session, body.id)  # another order may be sent the same id at this moment
    reported = body.model_dump(mode="json")
    if known := session.get(tables.OrderStep, body.id):
        if (known.order_id, known.body) != (order_id, reported):
            raise Conflict(
                f"编号 {body.id} 已用于另一步骤,请换新编号", f"Id {body.id} is another step's: mint a new one"
            )
        return
    stops = orders.stops_of(order)
    _check_turn(session, order, stops, body)
    stop = stops[body.stop]
    _check_person(stop, body.step, caller)
    _check_time(incidents.get(session, order.incident_id), body.occurred_at)
    lines = _receipt(stop, body)
    pending = body.step in moves.MOVES_STOCK
    step = tables.OrderStep(
        id=body.id,
        order_id=order_id,
        stop=body.stop,
        step=body.step,
        state=StepState.PENDING if pending else StepState.DONE,
        occurred_at=body.occurred_at,
        recorded_at=datetime.now(UTC),
        recorded_by=caller.person,
        lines=[line.model_dump(mode="json") for line in lines],
        signed_by=body.signed_by,
        body=reported,
    )
    session.add(step)
    if not pending:
        _done(session, order, step)


def _check_turn(session: Session, order: tables.DispatchOrder, stops: list[Stop], body: Step) -> None:
    standing = [s for s in orders.steps_of(session, order.id) if s.state != StepState.REFUSED]
    if waiting := next((s for s in standing if s.state == StepState.PENDING), None):
        raise Conflict(
            f"第 {waiting.stop} 站的 {waiting.step} 尚未完成,请稍候",
            f"Step {waiting.step} at stop {waiting.stop} is not finished yet: wait for it",
        )
    stop, allowed = moves.following(stops, [(s.stop, StepKind(s.step)) for s in standing])
    if body.stop != stop or body.step not in allowed:
        names = "/".join(sorted(allowed)) or "-"
        raise Conflict(
            f"顺序不符:下一步是第 {stop} 站的 {names}" if allowed else "此单已完成",
            f"Out of order: next is {names} at stop {stop}"
            if allowed
            else "The order is done: nothing follows",
            next={"stop": stop, "steps": sorted(allowed)},
        )
    if standing and body.occurred_at < standing[-1].occurred_at:
        raise Invalid(
            f"occurred_at:早于上一步骤({standing[-1].occurred_at.isoformat()}),请核对时间",
            f"occurred_at: is before the step before it ({standing[-1].occurred_at.isoformat()}): correct the time",
        )


def _check_person(stop: Stop, step: StepKind, caller: Caller) -> None:
    """A store's own clerk picks and loads; at a supplier or maker the command does; the road is either's."""
    if stop.load and step in (StepKind.PICKED, StepKind.LOADED):
        if stop.kind == "warehouse" and not (Role.CLERK in caller.roles and stop.place_id in caller.places):
            raise Forbidden(
                f"只有 {stop.name_zh} 的保管员可以拣货、装车",
                f"Only a clerk of {stop.name_en} ({stop.place_id}) picks and loads there",
            )
        if stop.kind != "warehouse" and Role.COMMANDER not in caller.roles:
            raise Forbidden(
                "在供应商、厂家装货由指挥人员登记",
                "At a supplier or maker, loading is reported by the command",
            )


def _check_time(incident: tables.Incident, occurred_at: datetime) -> None:
    if occurred_at < incident.occurred_at:
        raise Invalid(
            "occurred_at:早于事件发生,请核对时间", "occurred_at: is before the incident: correct the time"
        )
    if not incident.exercise and occurred_at > datetime.now(UTC) + _CLOCK_SLACK:
        raise Invalid("occurred_at:在将来,请核对时间", "occurred_at: lies in the future: correct the time")


def _receipt(stop: Stop, body: Step) -> list[DeliverLine]:
    """What a receipt counts; every unit of the stop must be received, damaged or short."""
    if body.step is not StepKind.RECEIVED:
        if body.lines:
            raise Invalid("lines:只有接收时填写,请去掉", "lines: belong to a receipt only; leave them out")
        return []
    if not body.lines:
        return [DeliverLine(item_code=item, received=units) for item, units in sorted(stop.deliver.items())]
    counted = {line.item_code: line.received + line.damaged + line.short for line in body.lines}
    if len(counted) != len(body.lines) or counted != stop.deliver:
        wanted = ", ".join(f"{item} {units}" for item, units in sorted(stop.deliver.items()))
        raise Invalid(
            f"lines:实收+损坏+短缺须等于随车清单({wanted}),每种一行",
            f"lines: received + damaged + short must be the load list ({wanted}), one line an item",
        )
    return sorted(body.lines, key=lambda line: line.item_code)


def _movement(session: Session, step_id: UUID) -> tuple[str, Issue | Deliver] | None:
    """Who reported the step, and its movement; None when it is over. The same at every try."""
    step = session.get_one(tables.OrderStep, step_id)
    if step.state != StepState.PENDING:
        return None
    order = orders.get(session, step.order_id)
    stop = orders.stops_of(order)[step.stop]
    movement_id = uuid5(_MOVEMENT, str(step.id))
    if step.step == StepKind.LOADED:
        return step.recorded_by, Issue(
            kind="issue",
            id=movement_id,
            occurred_at=step.occurred_at,
            voucher=order.number,
            place_id=stop.place_id,
            order_id=order.id,
            hold_id=order.hold_id,
            lines=[
                IssueLine(item_code=item, quantity=units, mode=stop.modes[item])
                for item, units in sorted(stop.load.items())
            ],
        )
    return step.recorded_by, Deliver(
        kind="deliver",
        id=movement_id,
        occurred_at=step.occurred_at,
        voucher=order.number,
        place_id=stop.place_id,
        order_id=order.id,
        lines=[DeliverLine.model_validate(line) for line in step.lines],
    )


def _conclude(session: Session, step_id: UUID, refused: AppError | None) -> None:
    """pending → done or refused; whoever comes second does nothing."""
    step = session.get_one(tables.OrderStep, step_id)
    order = orders.get(session, step.order_id, lock=True)
    session.refresh(step)
    if step.state != StepState.PENDING:
        return
    if refused is not None:
        step.state, step.problem = StepState.REFUSED, refused.problem()
        return
    step.state = StepState.DONE
    _done(session, order, step)


def _done(session: Session, order: tables.DispatchOrder, step: tables.OrderStep) -> None:
    last = step.step == StepKind.RECEIVED and step.stop == len(order.stops) - 1
    order.status = OrderStatus.DONE if last else OrderStatus.UNDER_WAY
    outbox.enqueue(
        session,
        "order.step",
        {"order_id": str(order.id), "number": order.number, "stop": step.stop, "step": step.step},
    )


def _outcome(session: Session, step_id: UUID) -> OrderView:
    step = session.get_one(tables.OrderStep, step_id)
    if step.state == StepState.REFUSED and step.problem:
        raise Conflict(
            f"库存未接受此步骤:{step.problem['detail']}",
            f"Inventory refused this step: {step.problem['detail_en']}",
            problem=step.problem,
        )
    return orders.show(session, step.order_id)
