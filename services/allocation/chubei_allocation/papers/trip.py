"""What goes along with a truck: its load list (随车清单), and a receipt (接收单) for each stop where it delivers.

They say what was planned, and what has been reported so far; lots stand on the inventory's own papers.
"""

from base64 import b64encode
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from chubei_shared.china import local
from chubei_shared.contracts.orders import Proof, StepKind, StepState, Stop
from markupsafe import Markup
from sqlalchemy.orm import Session
from starlette.responses import HTMLResponse

from chubei_allocation import tables
from chubei_allocation.authority import authority
from chubei_allocation.dispatch import moves, orders, pick_lists
from chubei_allocation.dispatch.pick_lists import Items
from chubei_allocation.incidents import incidents
from chubei_allocation.papers.pages import page, qr
from chubei_allocation.plans import plans

PROOFS = {Proof.NAME: "姓名 name", Proof.SIGNATURE: "签名 signature", Proof.CODE: "验证码 code"}


Drawn = str
"""A signature as a data: address of a PNG, and nothing else: base64 has no character that HTML minds."""


class Line(NamedTuple):
    """Units of an item at a stop, as planned; counted once a receipt was reported."""

    stop: int
    what: str
    item_code: str
    name_zh: str
    name_en: str
    units: int
    packs: str
    weight_kg: str
    received: int | None = None
    damaged: int | None = None
    short: int | None = None


class Call(NamedTuple):
    """A stop of the trip with its times as people read them, and what happens there."""

    number: int
    place: str
    name_en: str
    arrives: str
    leaves: str
    lines: list[Line]
    signed_by: str
    proofs: str
    signature: Drawn | None
    """Of who received there."""
    driver: Drawn | None
    """Of who took over there."""


class Sheet(NamedTuple):
    """What the papers of one order say."""

    order: tables.DispatchOrder
    incident: tables.Incident
    approved_by: str
    approved_at: str
    calls: list[Call]
    deliveries: list[Call]
    total_kg: str
    code: Markup


class Proved(NamedTuple):
    """The take-overs and receipts that stand, by stop, and what was drawn at them, by step."""

    received: dict[int, tables.OrderStep]
    taken_over: dict[int, tables.OrderStep]
    drawn: dict[UUID, Drawn]


def show(session: Session, order_id: UUID, signatures: bool) -> HTMLResponse:
    """The papers of an order, with what was drawn or without. Raises NotFound."""
    order = orders.get(session, order_id)
    told = sheet(session, order, pick_lists.items_of(session, order.plan_id), signatures)
    return page("trip.html", "form.css", sheet=told, printed=local(datetime.now(UTC)))


def sheet(session: Session, order: tables.DispatchOrder, items: Items, signatures: bool = True) -> Sheet:
    """An order as planned, with what was reported so far."""
    incident = incidents.get(session, order.incident_id)
    plan = plans.get(session, order.plan_id)
    steps = orders.steps_of(session, order.id)
    stops = _as_loaded(orders.stops_of(order), orders.loaded(steps))
    found = orders.signatures(session, order.id) if signatures else {}
    drawn = {step_id: _drawn(png) for step_id, png in found.items()}
    proved = Proved(_standing(steps, StepKind.RECEIVED), _standing(steps, StepKind.TAKEN_OVER), drawn)
    calls = list(_calls(stops, items, incident.occurred_at, proved))
    loaded_kg = sum(float(line.weight_kg) for call in calls for line in call.lines if line.what[0] == "装")
    return Sheet(
        order=order,
        incident=incident,
        approved_by=(plan.decided_by or "") + _in_need(session, plan.id),
        approved_at=local(plan.decided_at),
        calls=calls,
        deliveries=[call for call in calls if call.lines and call.lines[0].what.startswith("卸")],
        total_kg=f"{loaded_kg:,.1f}",
        code=qr(f"chubei:order:{order.number}"),
    )


def _in_need(session: Session, plan_id: UUID) -> str:
    """What an approval by somebody who came in without the second factor is marked with."""
    by_break_glass = any(row.break_glass for row in authority.of_plan(session, plan_id))
    return "(应急登录 break-glass)" if by_break_glass else ""


def _as_loaded(stops: list[Stop], loaded: dict[int, dict[str, int]]) -> list[Stop]:
    """The stops with what was put aboard where that was reported, and what is left of it for each."""
    due = moves.due(stops, loaded)
    return [
        stop.model_copy(update={"load": loaded.get(number, stop.load), "deliver": due[number]})
        for number, stop in enumerate(stops)
    ]


def _standing(steps: list[tables.OrderStep], kind: StepKind) -> dict[int, tables.OrderStep]:
    """The steps of a kind that stand, by stop."""
    return {step.stop: step for step in steps if step.step == kind and step.state == StepState.DONE}


def _drawn(png: bytes) -> Drawn:
    return f"data:image/png;base64,{b64encode(png).decode()}"


def _calls(stops: list[Stop], items: Items, began: datetime, proved: Proved) -> Iterator[Call]:
    for stop in stops:
        receipt, taken = proved.received.get(stop.stop), proved.taken_over.get(stop.stop)
        counted = {line["item_code"]: line for line in receipt.lines} if receipt else {}
        lines = [_line(stop, "装 Load", items[code], units, {}) for code, units in sorted(stop.load.items())]
        lines += [
            _line(stop, "卸 Unload", items[code], units, counted.get(code, {}))
            for code, units in sorted(stop.deliver.items())
        ]
        yield Call(
            stop.stop + 1,
            f"{stop.name_zh}({stop.place_id})",
            stop.name_en,
            local(began + timedelta(minutes=stop.arrive_min)),
            local(began + timedelta(minutes=stop.end_min)),
            lines,
            receipt.signed_by if receipt else "",
            "、".join(PROOFS[Proof(one)] for one in receipt.proofs) if receipt else "",
            proved.drawn.get(receipt.id) if receipt else None,
            proved.drawn.get(taken.id) if taken else None,
        )


def _line(stop: Stop, what: str, item: dict[str, Any], units: int, counted: dict[str, int]) -> Line:
    packs, odd = divmod(units, item["pack"])
    return Line(
        stop.stop + 1,
        what,
        item["id"],
        item["name_zh"],
        item["name_en"],
        units,
        f"{packs} + {odd}" if odd else str(packs),
        f"{units * item['weight_kg']:.1f}",
        counted.get("received"),
        counted.get("damaged"),
        counted.get("short"),
    )
