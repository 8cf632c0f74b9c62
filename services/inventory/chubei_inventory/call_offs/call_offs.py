"""Call-offs: ordered from a reserve, confirmed, ready, collected or failed. Steps are added, never edited."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from chubei_shared.china import day
from chubei_shared.contracts.base import Mode
from chubei_shared.contracts.call_offs import (
    CallOff,
    CallOffPage,
    CallOffState,
    CallOffStep,
    CallOffStepView,
    CallOffView,
)
from chubei_shared.contracts.holds import HoldLine, HoldRequest
from chubei_shared.contracts.reserves import PriceRule
from chubei_shared.contracts.stock import Issue, IssueLine
from chubei_shared.cursors import cursor_of, key_of
from chubei_shared.errors import Conflict, Invalid, NotFound
from chubei_shared.outbox import enqueue
from chubei_shared.state_words import zh, zh_any
from chubei_shared.tokens import Caller, Role
from sqlalchemy import func, select, text, tuple_
from sqlalchemy.orm import Session

from chubei_inventory import tables
from chubei_inventory.call_offs import rules
from chubei_inventory.call_offs import tables as rows
from chubei_inventory.call_offs.rules import MOVES, NOTHING_LEFT
from chubei_inventory.fingerprint import fingerprint, other_content
from chubei_inventory.holds import holds
from chubei_inventory.movements import movements
from chubei_inventory.reserves import funds, reserves
from chubei_inventory.reserves.verifications import CLOCK_TOLERANCE, refuse_future

OWN_HOLD_LIFE = timedelta(days=3)
"""A call-off's own hold outlives the time when it is due by this; what is not fetched by then is free again."""


_LONGEST_MIN = 10 * 366 * 24 * 60
"""What takes more than ten years is no call-off; the calendar ends some day too."""
_TELL_OVERDUE = text(
    """
    WITH late AS (
        INSERT INTO call_off_overdue (call_off_id)
        SELECT c.id FROM call_off c
        WHERE c.confirm_by < now() AND NOT EXISTS (SELECT FROM call_off_overdue o WHERE o.call_off_id = c.id)
          AND NOT EXISTS (SELECT FROM call_off_step s WHERE s.call_off_id = c.id AND s.seq > 1)
        ORDER BY c.confirm_by, c.id LIMIT :limit ON CONFLICT DO NOTHING
        RETURNING call_off_id
    )
    SELECT c.id AS call_off_id, c.reserve_id, c.hold_id, h.purpose, c.quantity, c.confirm_by
    FROM late JOIN call_off c ON c.id = late.call_off_id JOIN hold h ON h.id = c.hold_id
    ORDER BY c.confirm_by, c.id
    """
)


@dataclass
class _Loaded:
    row: rows.CallOff
    reserve: tables.Reserve
    steps: list[rows.CallOffStep]

    @property
    def last(self) -> rows.CallOffStep:
        return self.steps[-1]

    @property
    def state(self) -> CallOffState:
        return CallOffState(self.last.state)


def order(session: Session, body: CallOff, caller: Caller) -> tuple[CallOffView, bool]:
    """Order from a reserve; the flag says whether it is new.

    Raises NotFound, Invalid, Conflict; Shortage where the reserve has too few units.
    """
    if (known := session.get(rows.CallOff, body.id)) is not None:
        if known.body_hash != fingerprint(body):
            raise other_content(body.id)
        return get(session, body.id), False
    refuse_future(body.ordered_at, "ordered_at")
    reserve = session.get(tables.Reserve, body.reserve_id)
    if reserve is None:
        raise NotFound(f"没有储备记录 {body.reserve_id}", f"There is no reserve {body.reserve_id}")
    _refuse_before_validity(body, reserve)
    ready_min = reserves.agreed_min(reserve)
    due_min = rules.making_min(body.quantity, ready_min, reserve.rate_per_hour)
    if due_min > _LONGEST_MIN:
        raise Invalid(
            f"quantity:{body.quantity} 按 {reserve.id} 的产能需 {due_min // 1440} 天,请改小数量或另下调用",
            f"quantity: {reserve.id} needs {due_min // 1440} days for {body.quantity}: ask less, or order elsewhere",
            errors=[
                {"field": "quantity", "problem": f"{due_min // 1440} 天 / days", "remedy": "改小 / ask less"}
            ],
        )
    due_at = body.ordered_at + timedelta(minutes=due_min)
    if body.hold_id is None:
        _hold(session, body, reserve, due_at, caller)
    else:
        _refuse_beyond_hold(session, body, body.hold_id)
    made = rows.CallOff(
        id=body.id, body_hash=fingerprint(body), reserve_id=reserve.id, hold_id=body.hold_id or body.id,
        quantity=body.quantity, ordered_at=body.ordered_at, due_at=due_at, voucher=body.voucher,
        confirm_by=body.ordered_at + timedelta(minutes=body.confirm_within_min),
    )  # fmt: skip
    first = rows.CallOffStep(
        id=body.id, body_hash=made.body_hash, call_off_id=body.id, seq=1, state=CallOffState.ORDERED,
        happened_at=body.ordered_at, recorded_by=caller.person, quantity=body.quantity, ready_at=None,
        amount_fen=body.quantity * reserve.unit_price_fen, told_by=None, note=body.note,
    )  # fmt: skip
    for row in (made, first):
        session.add(row)
        session.flush()
    _tell(session, made, CallOffState.ORDERED, body.quantity)
    return get(session, body.id), True


def _refuse_before_validity(body: CallOff, reserve: tables.Reserve) -> None:
    """What was ordered long ago, by a clock that was wrong, would count as delivered years late."""
    if day(body.ordered_at) < reserve.valid_from:
        raise Invalid(
            f"ordered_at:早于 {reserve.id} 的生效日 {reserve.valid_from},请填实际下单的时间并校准时钟",
            f"ordered_at: is before {reserve.id} is valid, from {reserve.valid_from}: say when it was ordered, "
            "and set the clock",
            errors=[
                {"field": "ordered_at", "problem": f"早于 / before {reserve.valid_from}",
                 "remedy": "填实际下单的时间 / say when it was ordered"}
            ],
        )  # fmt: skip


def _hold(session: Session, body: CallOff, reserve: tables.Reserve, due_at: datetime, caller: Caller) -> None:
    """Hold what is ordered, so that it is not promised twice."""
    line = HoldLine(
        place_id=reserve.place_id, item_code=reserve.item_code, mode=Mode(reserve.mode),
        quantity=body.quantity, needed_at=due_at,
    )  # fmt: skip
    expires_at = max(due_at, datetime.now(UTC)) + OWN_HOLD_LIFE
    request = HoldRequest(id=body.id, purpose=f"call-off:{body.id}", expires_at=expires_at, lines=[line])
    view, _ = holds.hold(session, request, caller)
    if {held.reserve_id for held in view.lines} != {reserve.id}:
        raise Conflict(
            f"{reserve.id} 今天不在有效期内,不能调用;请改用有效的储备记录",
            f"{reserve.id} is not valid today: call off from the one that is",
            reserve_id=reserve.id,
        )


def _refuse_beyond_hold(session: Session, body: CallOff, hold_id: UUID) -> None:
    """A hold's units are ordered once: raises Conflict where more is asked than it keeps and has not ordered yet."""
    locked = select(tables.Hold.id).where(tables.Hold.id == hold_id).with_for_update(key_share=True)
    if session.scalar(locked) is None:
        raise NotFound(f"没有预留 {hold_id}", f"There is no hold {hold_id}")
    hold, line = tables.Hold, tables.HoldLine
    kept = session.scalar(
        select(func.sum(line.outstanding))
        .join(hold, hold.id == line.hold_id)
        .where(line.hold_id == hold_id, line.reserve_id == body.reserve_id)
        .where(hold.status == "open", hold.expires_at > func.now())
    )
    others = _of_hold(session, hold_id, body.reserve_id)
    free = max(0, int(kept or 0) - sum(c.last.quantity for c in others if c.state in rules.OPEN))
    if body.quantity > free:
        raise Conflict(
            f"预留 {hold_id} 在 {body.reserve_id} 还可调用 {free},不足 {body.quantity};请改小数量",
            f"Hold {hold_id} has {free} of {body.reserve_id} left to call off, not {body.quantity}: ask less",
            left=free,
        )


def advance(
    session: Session, call_off_id: UUID, body: CallOffStep, caller: Caller
) -> tuple[CallOffView, bool]:
    """Record what happened next; the flag says whether it is new. Raises NotFound, Invalid, Conflict."""
    session.scalar(
        select(rows.CallOff.id).where(rows.CallOff.id == call_off_id).with_for_update(key_share=True)
    )
    loaded = _one(session, call_off_id)
    if (known := session.get(rows.CallOffStep, body.id)) is not None:
        if (known.call_off_id, known.body_hash) != (call_off_id, fingerprint(body)):
            raise other_content(body.id)
        return _view(loaded, datetime.now(UTC)), False
    refuse_future(body.happened_at)
    state = CallOffState(body.state)
    _refuse_move(loaded, state)
    _refuse_before_last(loaded, body)
    quantity = _quantity(loaded, body, state)
    amount_fen = _amount(loaded, body, quantity)
    funds.refuse_overspent(session, loaded.reserve, amount_fen - loaded.last.amount_fen)
    step = rows.CallOffStep(
        id=body.id, body_hash=fingerprint(body), call_off_id=call_off_id, seq=loaded.last.seq + 1, state=state,
        happened_at=body.happened_at, recorded_by=caller.person, quantity=quantity, ready_at=body.ready_at,
        amount_fen=amount_fen, told_by=body.told_by, note=body.note,
    )  # fmt: skip
    session.add(step)
    session.flush()
    _settle(session, loaded, step, caller)
    _tell(session, loaded.row, state, quantity)
    return get(session, call_off_id), True


def _refuse_move(loaded: _Loaded, state: CallOffState) -> None:
    if state not in MOVES[loaded.state]:
        may = ", ".join(sorted(MOVES[loaded.state]))
        raise Conflict(
            f"调用 {loaded.row.id} {zh(CallOffState, loaded.state)},不能改为{zh(CallOffState, state)};"
            + (f"可改为{zh_any(CallOffState, MOVES[loaded.state])}" if may else "已结束,请另下调用"),
            f"Call-off {loaded.row.id} is {loaded.state} and can not become {state}: "
            + (f"it may become {may}" if may else "it is over, order another"),
            state=loaded.state.value,
            may_become=sorted(MOVES[loaded.state]),
        )


def _refuse_before_last(loaded: _Loaded, body: CallOffStep) -> None:
    """Clocks may differ by a little; what comes before the step before it was reported with a wrong time."""
    before = loaded.last.happened_at
    if body.happened_at < before - CLOCK_TOLERANCE:
        raise Invalid(
            f"happened_at:早于上一步骤“{zh(CallOffState, loaded.state)}”({before.isoformat()}),请核对时间",
            f"happened_at: is before the step before it, {loaded.state} ({before.isoformat()}): correct the time",
            errors=[
                {"field": "happened_at", "problem": f"早于 / before {before.isoformat()}",
                 "remedy": "核对时间 / correct the time"}
            ],
        )  # fmt: skip


def _quantity(loaded: _Loaded, body: CallOffStep, state: CallOffState) -> int:
    """What counts after a step. Raises Invalid where it is more than before."""
    if state in NOTHING_LEFT:
        return 0
    before = loaded.last.quantity
    if body.quantity is not None and body.quantity > before:
        raise Invalid(
            f"quantity {body.quantity} 多于此前的 {before};多出的请另下调用",
            f"quantity {body.quantity} is more than the {before} before: order the rest by another call-off",
            errors=[{"field": "quantity", "problem": f"over {before}", "remedy": f"at most {before}"}],
        )
    return before if body.quantity is None else body.quantity


def _amount(loaded: _Loaded, body: CallOffStep, quantity: int) -> int:
    """What is paid, in fen. Raises Invalid where the price rule does not allow it."""
    if body.amount_fen is None:
        return loaded.last.amount_fen * quantity // loaded.last.quantity
    rule, agreed = loaded.reserve.price_rule, quantity * loaded.reserve.unit_price_fen
    if not rules.price_allows(PriceRule(rule), agreed, body.amount_fen):
        raise Invalid(
            f"amount_fen {body.amount_fen} 与价格规则“{zh(PriceRule, rule)}”不符,约定为 {agreed};"
            "请核对金额,或先改价格规则",
            f"amount_fen {body.amount_fen} is not as the price rule {rule} says, {agreed} is agreed: "
            "correct it, or change the rule first",
            errors=[{"field": "amount_fen", "problem": f"{rule}: {agreed}", "remedy": str(agreed)}],
        )
    return body.amount_fen


def _settle(session: Session, loaded: _Loaded, step: rows.CallOffStep, caller: Caller) -> None:
    """What a step does to the hold: its own is drawn on and given back; a plan's is drawn on by its orders."""
    row, own = loaded.row, loaded.row.hold_id == loaded.row.id
    if step.state == CallOffState.COLLECTED and own:
        of = loaded.reserve
        line = IssueLine(item_code=of.item_code, quantity=step.quantity, mode=Mode(of.mode))
        issue = Issue(
            kind="issue", id=step.id, occurred_at=step.happened_at, place_id=of.place_id,
            hold_id=row.hold_id, voucher=row.voucher, reason=f"call-off:{row.id}", lines=[line],
        )  # fmt: skip
        # what is held goes by the house's own hand only; this is it, for the person who calls
        house = Caller("inventory", frozenset({Role.SERVICE}), acting_for=caller.person)
        movements.record(session, issue, house)
    elif step.state == CallOffState.COLLECTED:
        _refuse_uncollected(session, row, step.quantity)
    if own and step.state in (CallOffState.COLLECTED, *NOTHING_LEFT):
        holds.release(session, row.hold_id)


def _refuse_uncollected(session: Session, row: rows.CallOff, quantity: int) -> None:
    """Stock and paper agree: what a plan's order has not loaded has not been collected."""
    line = tables.HoldLine
    issued = session.scalar(
        select(func.sum(line.issued)).where(line.hold_id == row.hold_id, line.reserve_id == row.reserve_id)
    )
    before = sum(
        c.last.quantity
        for c in _of_hold(session, row.hold_id, row.reserve_id)
        if c.state is CallOffState.COLLECTED and c.row.id != row.id
    )
    loaded = int(issued or 0) - before
    if quantity > loaded:
        raise Conflict(
            f"调拨单已装车 {loaded},少于 {quantity};请先登记装车:POST /v1/orders/{{id}}/steps",
            f"The dispatch orders have loaded {loaded}, less than {quantity}: "
            "report the loading first, POST /v1/orders/{id}/steps",
            loaded=loaded,
        )


def _tell(session: Session, row: rows.CallOff, state: CallOffState, quantity: int) -> None:
    body = {"call_off_id": str(row.id), "reserve_id": row.reserve_id, "hold_id": str(row.hold_id)}
    enqueue(session, f"call_off.{state}", {**body, "ordered": row.quantity, "quantity": quantity})


def tell_overdue(session: Session, limit: int = 100) -> int:
    """Tell of call-offs that were not confirmed in time, each once; returns how many. They count no more anyway."""
    told = session.execute(_TELL_OVERDUE, {"limit": limit}).all()
    for row in told:
        body = {name: str(value) for name, value in row._mapping.items() if name != "quantity"}
        enqueue(session, "call_off.overdue", {**body, "ordered": row.quantity})
    return len(told)


def get(session: Session, call_off_id: UUID) -> CallOffView:
    """Raises NotFound."""
    return _view(_one(session, call_off_id), datetime.now(UTC))


def page(
    session: Session,
    reserve_id: str | None,
    hold_id: UUID | None,
    state: CallOffState | None,
    cursor: str | None,
    limit: int,
) -> CallOffPage:
    """Call-offs, the latest first."""
    c, step = rows.CallOff, rows.CallOffStep
    wanted = select(c).order_by(c.ordered_at.desc(), c.id.desc()).limit(limit + 1)
    if reserve_id is not None:
        wanted = wanted.where(c.reserve_id == reserve_id)
    if hold_id is not None:
        wanted = wanted.where(c.hold_id == hold_id)
    if state is not None:
        last = select(step.state).where(step.call_off_id == c.id).order_by(step.seq.desc()).limit(1)
        wanted = wanted.where(last.scalar_subquery() == state)
    if after := key_of(cursor, datetime.fromisoformat, UUID):
        wanted = wanted.where(tuple_(c.ordered_at, c.id) < tuple_(*after))
    found, now = list(session.scalars(wanted)), datetime.now(UTC)
    following = found[limit - 1] if len(found) > limit else None
    return CallOffPage(
        rows=[_view(loaded, now) for loaded in _load(session, found[:limit])],
        next_cursor=following and cursor_of(following.ordered_at.isoformat(), following.id),
    )


def _one(session: Session, call_off_id: UUID) -> _Loaded:
    row = session.get(rows.CallOff, call_off_id)
    if row is None:
        raise NotFound(f"没有调用 {call_off_id}", f"There is no call-off {call_off_id}")
    return _load(session, [row])[0]


def _of_hold(session: Session, hold_id: UUID, reserve_id: str) -> list[_Loaded]:
    c = rows.CallOff
    return _load(session, session.scalars(select(c).where(c.hold_id == hold_id, c.reserve_id == reserve_id)))


def _load(session: Session, found: Iterable[rows.CallOff]) -> list[_Loaded]:
    call_offs, step = list(found), rows.CallOffStep
    steps: dict[UUID, list[rows.CallOffStep]] = defaultdict(list)
    of_these = select(step).where(step.call_off_id.in_({row.id for row in call_offs}))
    for row in session.scalars(of_these.order_by(step.call_off_id, step.seq)):
        steps[row.call_off_id].append(row)
    wanted = select(tables.Reserve).where(tables.Reserve.id.in_({row.reserve_id for row in call_offs}))
    by_id = {reserve.id: reserve for reserve in session.scalars(wanted)}
    return [_Loaded(row, by_id[row.reserve_id], steps[row.id]) for row in call_offs]


def _view(loaded: _Loaded, now: datetime) -> CallOffView:
    row, reserve, last, state = loaded.row, loaded.reserve, loaded.last, loaded.state
    promised = [step.ready_at for step in loaded.steps if step.ready_at is not None]
    return CallOffView(
        id=row.id, reserve_id=row.reserve_id, place_id=reserve.place_id, item_code=reserve.item_code,
        mode=reserve.mode, hold_id=row.hold_id, quantity=row.quantity, state=state,
        counted=rules.counted(state, last.quantity, row.confirm_by, now),
        overdue=rules.overdue(state, row.confirm_by, now),
        ordered_at=row.ordered_at, confirm_by=row.confirm_by, due_at=promised[-1] if promised else row.due_at,
        amount_fen=last.amount_fen, voucher=row.voucher, may_become=sorted(MOVES[state]),
        steps=[_step_view(step) for step in loaded.steps],
    )  # fmt: skip


def _step_view(step: rows.CallOffStep) -> CallOffStepView:
    return CallOffStepView.model_validate(
        {name: getattr(step, name) for name in CallOffStepView.model_fields}
    )
