"""Goods change hands with a proof: a name, a signature or a code that only the other side knows."""

import struct
import zlib
from base64 import b64encode

import pytest
from chubei_allocation.dispatch.proofs import MOST_WRONG
from chubei_shared.contracts.orders import OrderStatus, Proof, StepKind
from chubei_shared.errors import Conflict, Forbidden, Invalid
from chubei_shared.tokens import Role
from nights import ARRIVED, DEPARTED, LOADED, PICKED, RECEIVED, Night
from pydantic import ValidationError
from sqlalchemy import text

TAKEN_OVER = StepKind.TAKEN_OVER


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


PNG = b"\x89PNG\r\n\x1a\n" + b"".join(
    [
        chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)),
        chunk(b"IDAT", zlib.compress(b"\0\0")),
        chunk(b"IEND", b""),
    ]
)
SIGNED = b64encode(PNG).decode()


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 10**6:06d}"


def test_taken_over_and_received_by_name_signature_or_code(stocked):
    night = Night(stocked)
    order = night.order(at=stocked.north)
    clerk, commander = stocked.clerks[stocked.north], stocked.commander
    codes = commander.order_codes(order.id)
    for other in (Role.CLERK, Role.APPROVER, Role.AUDITOR, Role.ADMIN):
        with pytest.raises(Forbidden):
            stocked.house.as_(other).order_codes(order.id)
    clerk.step(order.id, night.body(0, PICKED))
    clerk.step(order.id, night.body(0, LOADED))
    for unproved, told in (
        (night.body(0, TAKEN_OVER), "needs a name, a signature"),
        (night.body(0, TAKEN_OVER, code=wrong(codes.take_over[0].code)), "is wrong"),
        (night.body(0, TAKEN_OVER, code=codes.receive[0].code), "is wrong"),
        (night.body(0, DEPARTED, signature_png=SIGNED), "belong to a take-over or a receipt"),
    ):
        with pytest.raises(Invalid, match=told):
            clerk.step(order.id, unproved)
    with pytest.raises(Forbidden, match="A take-over is reported by"):
        stocked.clerks[stocked.south].step(order.id, night.body(0, TAKEN_OVER, signed_by="王师傅"))
    taken = night.body(0, TAKEN_OVER, code=codes.take_over[0].code)
    shown = clerk.step(order.id, taken)
    assert clerk.step(order.id, taken) == shown
    assert shown.steps[-1].proofs == [Proof.CODE]
    commander.step(order.id, night.body(0, DEPARTED))
    stop = next(s for s in order.stops if s.deliver)
    for other in order.stops[1 : stop.stop]:
        for kind in (PICKED, LOADED, DEPARTED):
            night.by(other).step(order.id, night.body(other.stop, kind))
    commander.step(order.id, night.body(stop.stop, ARRIVED))
    with pytest.raises(Invalid, match="needs a name"):
        commander.step(order.id, night.body(stop.stop, RECEIVED, signed_by=" "))
    receipt = night.body(stop.stop, RECEIVED, signed_by="王主任", signature_png=SIGNED)
    shown = commander.step(order.id, receipt)
    assert commander.step(order.id, receipt) == shown
    step = shown.steps[-1]
    assert (step.signed_by, step.proofs) == ("王主任", [Proof.NAME, Proof.SIGNATURE])
    path = f"/v1/orders/{order.id}/steps"
    image = stocked.house.http(Role.AUDITOR).get(f"{path}/{step.id}/signature")
    assert (image.content, image.headers["content-type"]) == (PNG, "image/png")
    assert stocked.house.http(Role.AUDITOR).get(f"{path}/{shown.steps[0].id}/signature").status_code == 404
    assert shown.status in (OrderStatus.UNDER_WAY, OrderStatus.DONE)


def test_a_code_is_not_guessed(stocked):
    night = Night(stocked)
    order = night.order(at=stocked.north)
    clerk = stocked.clerks[stocked.north]
    clerk.step(order.id, night.body(0, PICKED))
    clerk.step(order.id, night.body(0, LOADED))
    right = stocked.commander.order_codes(order.id).take_over[0].code
    for _ in range(MOST_WRONG):
        with pytest.raises(Invalid, match="tries left"):
            clerk.step(order.id, night.body(0, TAKEN_OVER, code=wrong(right)))
    with pytest.raises(Conflict, match="Too many wrong codes"):
        clerk.step(order.id, night.body(0, TAKEN_OVER, code=right))
    assert clerk.step(order.id, night.body(0, TAKEN_OVER, signed_by="王师傅")).steps[-1].step is TAKEN_OVER
    secrets = stocked.house.tx(lambda s: s.scalars(text("SELECT secret FROM dispatch_order")).all())
    assert len(set(secrets)) == len(secrets) == len(night.orders)


@pytest.mark.parametrize(
    "text", ["", "AAAA", b64encode(b"GIF89a").decode(), b64encode(PNG + bytes(70_000)).decode()]
)
def test_a_signature_is_a_small_png(text):
    from chubei_shared.contracts.orders import Step

    with pytest.raises(ValidationError):
        Step.model_validate(
            {
                "id": "0d5f6f1e-5f0b-4b43-90f4-5d0b6a3c7c01", "stop": 0, "step": "received",
                "occurred_at": "2026-11-21T06:05:00+08:00", "signature_png": text,
            }
        )  # fmt: skip
