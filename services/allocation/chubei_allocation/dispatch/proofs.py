"""Proof that goods changed hands: a name, a signature drawn on a screen, or a code that only the other side knows."""

import hmac
from base64 import b64decode
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from uuid import UUID

from chubei_shared.contracts.orders import OrderCodes, Proof, Step, StepKind, StepState, Stop, StopCode
from chubei_shared.db import Transactions
from chubei_shared.errors import Conflict, Invalid, NotFound
from chubei_shared.tokens import Caller, Role
from sqlalchemy import update
from sqlalchemy.orm import Session

from chubei_allocation import tables
from chubei_allocation.dispatch import moves, orders

MOST_WRONG = 10
"""Wrong codes of an order, after which it takes none any more: a name or a signature still will do."""


def code(secret: bytes, kind: StepKind, stop: Stop) -> str:
    """PURE: the six figures for a step at a stop."""
    told = hmac.digest(secret, f"{kind}:{stop.stop}:{stop.place_id}".encode(), "sha256")
    return f"{int.from_bytes(told[:8], 'big') % 10**6:06d}"


def codes(session: Session, order_id: UUID, caller: Caller) -> OrderCodes:
    """The codes of an order; to its driver those for taking over only. Raises NotFound."""
    order = orders.get(session, order_id)
    stops = orders.stops_of(order)
    return OrderCodes(
        order_id=order.id,
        number=order.number,
        take_over=_codes(order, StepKind.TAKEN_OVER, [stop for stop in stops if stop.load]),
        receive=[]
        if Role.GUEST in caller.roles
        else _codes(order, StepKind.RECEIVED, [stop for stop in stops if not stop.load]),
    )


def _codes(order: tables.DispatchOrder, kind: StepKind, stops: list[Stop]) -> list[StopCode]:
    return [
        StopCode(stop=stop.stop, place_id=stop.place_id, code=code(order.secret, kind, stop))
        for stop in stops
    ]


def check_code(tx: Transactions, order_id: UUID, body: Step) -> None:
    """Raises Invalid for a wrong code, which is counted; Conflict once there were too many; NotFound."""
    if body.code is None:
        return
    left = tx(_count_wrong, order_id, body)
    if left is not None:
        raise Invalid(
            f"交接码(code)不对,请再核对(还可试 {left} 次),或改用姓名、签名",
            f"The code (code) is wrong: ask again ({left} tries left), or give a name or a signature",
        )


def _count_wrong(session: Session, order_id: UUID, body: Step) -> int | None:
    """None where the code is right; else how many may still be tried."""
    order = orders.get(session, order_id, lock=True)
    if session.get(tables.OrderStep, body.id):
        return None  # a retry
    if order.wrong_codes >= MOST_WRONG:
        raise Conflict(
            "输错次数过多,此单不再接受验证码,请用姓名或签名",
            "Too many wrong codes: this order takes none any more, give a name or a signature",
        )
    stops = orders.stops_of(order)
    if body.step in moves.PROVED and body.stop < len(stops):
        right = code(order.secret, body.step, stops[body.stop])
        if hmac.compare_digest(right, body.code or ""):
            return None
    order.wrong_codes += 1
    return MOST_WRONG - order.wrong_codes


def given(body: Step, signed_by: str) -> list[Proof]:
    """PURE: what a step is proved by; its code has been checked. Raises Invalid where nothing is, and it has to be."""
    if body.step not in moves.PROVED:
        if body.signature_png or body.code:
            raise Invalid(
                "signature_png、code:只有交接、接收时填写,请去掉",
                "signature_png, code: belong to a take-over or a receipt; leave them out",
            )
        return []
    found = [
        proof
        for proof, there in (
            (Proof.NAME, signed_by.strip()),
            (Proof.SIGNATURE, body.signature_png),
            (Proof.CODE, body.code),
        )
        if there
    ]
    if not found:
        raise Invalid(
            "signed_by:交接和接收须有姓名、签名(signature_png)或验证码(code)之一",
            "signed_by: a take-over or receipt needs a name, a signature (signature_png) or a code",
            errors=[{"field": "signed_by", "problem": "缺少 / missing", "remedy": "姓名 / a name"}],
        )
    return found


def image(body: Step) -> bytes | None:
    return b64decode(body.signature_png) if body.signature_png else None


def told(body: Step) -> dict[str, object]:
    """The request as it is kept, by which a retry is recognised: with the signature's hash."""
    reported: dict[str, object] = body.model_dump(mode="json")
    if body.signature_png:
        reported["signature_png"] = sha256(body.signature_png.encode()).hexdigest()
    return reported


def forget(session: Session, keep: timedelta) -> int:
    """Forget signatures that are older; how many. That somebody signed, and who, stays with the step."""
    gone = (
        update(tables.OrderStep)
        .where(
            tables.OrderStep.signature_png.is_not(None),
            tables.OrderStep.recorded_at <= datetime.now(UTC) - keep,
        )
        .values(signature_png=None)
        .returning(tables.OrderStep.id)
    )
    return len(session.scalars(gone).all())


def signature(session: Session, order_id: UUID, step_id: UUID) -> bytes:
    """The image. Raises NotFound."""
    step = session.get(tables.OrderStep, step_id)
    if step is None or step.order_id != order_id or step.state == StepState.REFUSED or not step.signature_png:
        raise NotFound(
            f"步骤 {step_id} 没有签名,或已过保存期", f"Step {step_id} has no signature, or its time was over"
        )
    return step.signature_png
