"""Steps of a dispatch order, a saga like the approval: recorded, moved in inventory, concluded.

A step that moves stock stands `pending` until inventory has answered; its movement's id follows from the
step's, so that asking again is the same movement. A step that moves nothing is done at once.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

from chubei_shared import outbox
from chubei_shared.china import local
from chubei_shared.contracts.orders import OrderStatus, OrderView, Step, StepKind, StepState, Stop
from chubei_shared.contracts.plans import PlanStatus
from chubei_shared.contracts.stock import Deliver, DeliverLine, Issue, IssueLine
from chubei_shared.db import Transactions
from chubei_shared.errors import AppError, Conflict, Forbidden, Invalid, Unavailable
from chubei_shared.state_words import zh
from chubei_shared.tokens import Caller, Role
from sqlalchemy import select
from sqlalchemy.orm import Session

from chubei_allocation import locks, tables
from chubei_allocation.authority import authority
from chubei_allocation.dispatch import moves, orders, proofs
from chubei_allocation.exercise_books import books
from chubei_allocation.incidents import incidents
from chubei_allocation.inventory_gate import FINAL, InventoryGate

_MOVEMENT = UUID("0f4c9a52-7b0e-4f5e-9d35-3c1d2a9e6b44")
_LATER: dict[str, Any] = {"loaded": {}, "signature_png": None, "code": None}
"""What the first requests did not have."""


def take(tx: Transactions, inventory: InventoryGate, order_id: UUID, body: Step, caller: Caller) -> OrderView:
    """Record a step; loading and receipt move stock first. Repeating it is the same step.

    Raises Conflict (out of order, or inventory refused the movement: see `problem`), Invalid, Forbidden,
    NotFound; Unavailable while inventory is away: the step then goes on by itself.
    """
    proofs.check_code(tx, order_id, body)
    tx(record, order_id, body, caller)
    return advance(tx, inventory, body.id)


def advance(tx: Transactions, inventory: InventoryGate, step_id: UUID) -> OrderView:
    """Bring a step to its outcome. Raises as `take`."""
    asked = tx(_movement, step_id)
    if asked is not None:
        person, movement = asked
        try:
            with books.of(tx, inventory, tx(_incident_of, step_id), person) as client:
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
    reported = proofs.told(body)
    if known := session.get(tables.OrderStep, body.id):
        if (known.order_id, _LATER | known.body) != (order_id, reported):
            raise Conflict(
                f"编号 {body.id} 已用于另一步骤,请换新编号", f"Id {body.id} is another step's: mint a new one"
            )
        return
    stops = orders.stops_of(order)
    standing = [step for step in orders.steps_of(session, order_id) if step.state != StepState.REFUSED]
    _check_standing(session, order, standing)
    _check_turn(standing, stops, body)
    stop = stops[body.stop]
    _check_person(stop, body.step, caller)
    _check_not_approver(session, order, stop, body.step, caller)
    incidents.check_time(incidents.get(session, order.incident_id), body.occurred_at)
    signed_by = _signed_by(body, caller)
    proved_by = proofs.given(body, signed_by)
    lines = _lines(stop, moves.due(stops, orders.loaded(standing))[body.stop], body)
    pending = body.step in moves.MOVES_STOCK and any(_moved(body.step, line) for line in lines)
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
        signed_by=signed_by,
        proofs=[proof.value for proof in proved_by],
        signature_png=proofs.image(body),
        body=reported,
    )
    session.add(step)
    if not pending:
        _done(session, order, step)


def _signed_by(body: Step, caller: Caller) -> str:
    """Who took over or received: as it says, or the guest who does it by a link of the own."""
    mine = {StepKind.TAKEN_OVER: "order", StepKind.RECEIVED: "headcount"}.get(body.step)
    if body.signed_by or mine is None or (caller.grant or "").partition(":")[0] != mine:
        return body.signed_by
    return caller.person.removeprefix("guest:")


def _done_of(standing: Iterable[tables.OrderStep]) -> list[tuple[int, StepKind]]:
    return [(step.stop, StepKind(step.step)) for step in standing]


def _check_standing(
    session: Session, order: tables.DispatchOrder, standing: Sequence[tables.OrderStep]
) -> None:
    """An order that is withdrawn takes no steps, nor one that has not begun while a replan may still change it."""
    if order.status == OrderStatus.WITHDRAWN:
        raise Conflict(
            f"调拨单 {order.number} 已撤回(重排,或事件已结束),请勿执行",
            f"Order {order.number} was withdrawn, by a replan or as the incident ended: do not carry it out",
        )
    if moves.may_change(_done_of(standing)) and _being_replaced(session, order):
        raise Conflict(
            f"重排方案正在审批,调拨单 {order.number} 可能改变,请稍候重新读取",
            f"A replan is being approved, and order {order.number} may change: read it again in a moment",
        )


def _being_replaced(session: Session, order: tables.DispatchOrder) -> bool:
    """Whether a replan of the order's plan is being approved: its hold is about to be replaced."""
    return bool(
        session.scalar(
            select(tables.Plan.id).where(
                tables.Plan.replaces == order.plan_id, tables.Plan.status == PlanStatus.APPROVING
            )
        )
    )


def _at(stop: Stop) -> str:
    return f"{stop.name_zh}({stop.place_id})"


def _in_words(kinds: Sequence[str]) -> str:
    return "或".join(zh(StepKind, kind) for kind in kinds)


def _check_turn(standing: Sequence[tables.OrderStep], stops: list[Stop], body: Step) -> None:
    if waiting := next((s for s in standing if s.state == StepState.PENDING), None):
        raise Conflict(
            f"{_at(stops[waiting.stop])}的{_in_words([waiting.step])}尚未完成,请稍候",
            f"Step {waiting.step} at {stops[waiting.stop].place_id} is not finished yet: wait for it",
        )
    stop, allowed = moves.following(stops, _done_of(standing))
    if body.stop != stop or body.step not in allowed:
        if not allowed:
            raise Conflict(
                "此单已完成", "The order is done: nothing follows", next={"stop": stop, "steps": []}
            )
        following = sorted(allowed)
        raise Conflict(
            f"顺序不符:下一步是{_at(stops[stop])}的{_in_words(following)}",
            f"Out of order: next is {'/'.join(following)} at {stops[stop].place_id} (stop {stop})",
            next={"stop": stop, "steps": following},
        )
    if standing and body.occurred_at < standing[-1].occurred_at:
        raise Invalid(
            f"occurred_at:早于上一步骤({local(standing[-1].occurred_at)}),请核对时间",
            f"occurred_at: is before the step before it ({local(standing[-1].occurred_at)}): correct the time",
        )


def _check_person(stop: Stop, step: StepKind, caller: Caller) -> None:
    """A store's own clerk picks and loads; at a supplier or maker the command does; the road is either's, and the
    driver's, who is a guest with a link for the order.
    """
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
    if step is StepKind.TAKEN_OVER and Role.CLERK in caller.roles and stop.place_id not in caller.places:
        raise Forbidden(
            f"交接由 {stop.name_zh} 的保管员、司机或指挥人员登记",
            f"A take-over is reported by a clerk of {stop.name_en} ({stop.place_id}), the driver or the command",
        )


def _check_not_approver(
    session: Session, order: tables.DispatchOrder, stop: Stop, step: StepKind, caller: Caller
) -> None:
    """Who approved a plan does not carry it out; who entered a word of mouth takes nothing out of a store on it."""
    approvals = authority.of_plan(session, order.plan_id)
    approved = {row.person for row in approvals}
    if stop.kind == "warehouse" and step in (StepKind.PICKED, StepKind.LOADED):
        approved |= {row.entered_by for row in approvals}
    if caller.person in approved:
        raise Forbidden(
            f"{caller.person} 批准了此方案,不能执行其调拨单,请由他人办理",
            f"{caller.person} approved this plan and may not carry out its orders: let somebody else",
        )


def _lines(stop: Stop, due: dict[str, int], body: Step) -> list[DeliverLine]:
    """What a loading put aboard, or a receipt counted of what is `due` at the stop."""
    if body.lines and body.step is not StepKind.RECEIVED:
        raise Invalid("lines:只有接收时填写,请去掉", "lines: belong to a receipt only; leave them out")
    if body.loaded and body.step is not StepKind.LOADED:
        raise Invalid("loaded:只有装车时填写,请去掉", "loaded: belongs to loading only; leave it out")
    match body.step:
        case StepKind.LOADED:
            return _load(stop, body)
        case StepKind.RECEIVED:
            return _receipt(due, body)
        case _:
            return []


def _load(stop: Stop, body: Step) -> list[DeliverLine]:
    """What was put aboard: as planned, or as many fewer as is said."""
    if any(units > stop.load.get(item, -1) for item, units in body.loaded.items()):
        planned = ", ".join(f"{item} {units}" for item, units in sorted(stop.load.items()))
        raise Invalid(
            f"loaded:只能写本站计划装车的物资,且不多于计划({planned})",
            f"loaded: name what is planned to be loaded at this stop, and no more of it: {planned}",
        )
    aboard = stop.load | body.loaded
    return [
        DeliverLine(item_code=item, received=aboard[item], short=units - aboard[item])
        for item, units in sorted(stop.load.items())
    ]


def _moved(step: StepKind, line: DeliverLine) -> int:
    """Units of a line that a step moves: what was not loaded stays where it is, what did not arrive is written off."""
    return line.received + line.damaged + (line.short if step is StepKind.RECEIVED else 0)


def _receipt(due: dict[str, int], body: Step) -> list[DeliverLine]:
    """What a receipt counts; every unit that was loaded for the stop must be received, damaged or short."""
    if not body.lines:
        return [DeliverLine(item_code=item, received=units) for item, units in sorted(due.items())]
    counted = {line.item_code: line.received + line.damaged + line.short for line in body.lines}
    if len(counted) != len(body.lines) or due | counted != due or any(due[i] for i in due.keys() - counted):
        wanted = ", ".join(f"{item} {units}" for item, units in sorted(due.items()))
        raise Invalid(
            f"lines:实收+损坏+短缺须等于随车清单({wanted}),每种一行",
            f"lines: received + damaged + short must be the load list ({wanted}), one line an item",
        )
    return sorted(body.lines, key=lambda line: line.item_code)


def movement_id(step_id: UUID) -> UUID:
    """The movement by which a step moves stock in inventory."""
    return uuid5(_MOVEMENT, str(step_id))


def _incident_of(session: Session, step_id: UUID) -> UUID:
    return orders.get(session, session.get_one(tables.OrderStep, step_id).order_id).incident_id


def _movement(session: Session, step_id: UUID) -> tuple[str, Issue | Deliver] | None:
    """Who reported the step, and its movement; None when it is over. The same at every try."""
    step = session.get_one(tables.OrderStep, step_id)
    if step.state != StepState.PENDING:
        return None
    order = orders.get(session, step.order_id)
    stops = orders.stops_of(order)
    stop = stops[step.stop]
    moved = movement_id(step.id)
    if step.step == StepKind.LOADED:
        if _being_replaced(session, order):  # a movement is the same at every try: it waits for its hold
            raise Unavailable(
                "重排方案正在审批,此步骤已记下,批准后自动完成",
                "A replan is being approved: the step is recorded and is finished by itself after that",
            )
        started_at = incidents.get(session, order.incident_id).occurred_at
        planned_at = started_at + timedelta(minutes=stops[-1].arrive_min)
        return step.recorded_by, Issue(
            kind="issue",
            id=moved,
            occurred_at=step.occurred_at,
            voucher=order.number,
            place_id=stop.place_id,
            order_id=order.id,
            hold_id=order.hold_id,
            arrives_at=max(planned_at, step.occurred_at),
            lines=[
                IssueLine(item_code=item, quantity=units, mode=stop.modes[item])
                for item, units in sorted(_aboard(step, stop).items())
                if units
            ],
        )
    return step.recorded_by, Deliver(
        kind="deliver",
        id=moved,
        occurred_at=step.occurred_at,
        voucher=order.number,
        place_id=stop.place_id,
        order_id=order.id,
        lines=[
            line for line in map(DeliverLine.model_validate, step.lines) if _moved(StepKind.RECEIVED, line)
        ],
    )


def _aboard(step: tables.OrderStep, stop: Stop) -> dict[str, int]:
    """What a loading puts aboard; one that was recorded without lines, all that was planned."""
    return {line["item_code"]: line["received"] for line in step.lines} or stop.load


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
    orders.become(order, OrderStatus.DONE if last else OrderStatus.UNDER_WAY)
    outbox.enqueue(
        session,
        "order.step",
        {"order_id": str(order.id), "number": order.number, "stop": step.stop, "step": step.step},
    )


def _outcome(session: Session, step_id: UUID) -> OrderView:
    step = session.get_one(tables.OrderStep, step_id)
    if step.state == StepState.REFUSED and step.problem:
        raise _refused(step, step.problem)
    return orders.show(session, step.order_id)


def _refused(step: tables.OrderStep, problem: dict[str, Any]) -> Conflict:
    """What inventory said; where it has fewer than are to be loaded, what the picker can do now."""
    zh, en = problem["detail"], problem["detail_en"]
    short = problem.get("shortages") if step.step == StepKind.LOADED else None
    if not short:
        return Conflict(f"库存未接受此步骤:{zh}", f"Inventory refused this step: {en}", problem=problem)
    loadable = {row["item_code"]: row["available"] for row in short}
    told = ", ".join(f"{item} {units}" for item, units in sorted(loadable.items()))
    return Conflict(
        f"库存未接受此步骤:{zh}。现可装 {told}:以新编号再报装车,并在 loaded 中写实装数;"
        "架上找不到的先报短拣(POST /v1/movements,short_pick),预留会换其他批次",
        f"Inventory refused this step: {en}. What can be loaded now: {told}. Report the loading under a new id, "
        "with what was put aboard in loaded; report what is not on the shelf first, by a short pick "
        "(POST /v1/movements, short_pick): the hold then gets other lots",
        problem=problem,
        loadable=loadable,
    )
