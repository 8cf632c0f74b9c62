"""The papers that go along with a truck: what was planned, by stop, and what was received once it was counted."""

import html
import re
from base64 import b64decode, b64encode
from datetime import timedelta
from types import SimpleNamespace
from uuid import uuid4

import pytest
from chubei_shared.contracts.orders import Step, StepKind
from chubei_shared.contracts.stock import DeliverLine
from chubei_shared.tokens import Role

SIGNATURE = b"\x89PNG\r\n\x1a\n" + bytes(range(256))
_ON_THE_WAY = (StepKind.PICKED, StepKind.LOADED, StepKind.DEPARTED)


@pytest.fixture
def night(stocked) -> SimpleNamespace:
    incident = stocked.declare()
    stocked.approver.approve(stocked.proposed(incident).id)
    orders = list(stocked.commander.orders(incident.id))
    order = next(one for one in orders if one.stops[0].place_id in stocked.clerks)
    return SimpleNamespace(world=stocked, incident=incident, order=order)


def page_of(house, order_id, role: Role = Role.CLERK):
    return house.http(role).get(f"/v1/orders/{order_id}/papers")


def test_a_load_list_and_a_receipt_for_each_delivery(house, night):
    answer = page_of(house, night.order.id)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-security-policy"].startswith("default-src 'none'; style-src 'sha256-")
    deliveries = [stop for stop in night.order.stops if stop.deliver]
    assert answer.text.count("<h1>随车清单</h1>") == 1
    assert answer.text.count("<h1>接收单</h1>") == len(deliveries)
    assert "演练 EXERCISE" in answer.text
    for stop in night.order.stops:
        assert html.escape(f"{stop.name_zh}({stop.place_id})") in answer.text
        for code, units in (stop.load | stop.deliver).items():
            assert re.search(rf"<td>{code}</td>.*?<td class=\"n\">{units}</td>", answer.text), (code, units)
    assert f"{night.order.number}-{deliveries[0].stop + 1}" in answer.text
    assert "<script" not in answer.text


def test_what_was_counted_stands_on_the_receipt(house, night):
    world, order = night.world, night.order
    done = False
    for stop in order.stops:
        kinds = _ON_THE_WAY if stop.load else (StepKind.ARRIVED, StepKind.RECEIVED)
        for kind in kinds:
            lines = []
            if kind is StepKind.RECEIVED:
                code, units = sorted(stop.deliver.items())[0]
                lines = [DeliverLine(item_code=c, received=u) for c, u in stop.deliver.items() if c != code]
                lines.append(DeliverLine(item_code=code, received=units - 3, damaged=2, short=1))
            who = world.commander if kind is not StepKind.PICKED and kind is not StepKind.LOADED else None
            who = who or world.clerks.get(stop.place_id, world.commander)
            at = night.incident.occurred_at + timedelta(minutes=stop.end_min)
            who.step(
                order.id,
                Step(
                    id=uuid4(),
                    stop=stop.stop,
                    step=kind,
                    occurred_at=at,
                    lines=lines,
                    signed_by="王主任",
                    signature_png=b64encode(SIGNATURE).decode() if kind is StepKind.RECEIVED else None,
                ),
            )
            done = kind is StepKind.RECEIVED
        if done:
            break
    answer = page_of(house, order.id)
    page = answer.text
    assert "王主任" in page
    drawn = re.findall(r'<img class="drawn" src="data:image/png;base64,([^"]+)"', page)
    assert [b64decode(image) for image in drawn] == [SIGNATURE]
    assert 'class="drawn"' not in page_of(house, order.id, Role.ADMIN).text
    assert "img-src data:;" in answer.headers["content-security-policy"]
    counted = "".join(f'<td class="n">{count}</td>' for count in (units - 3, 2, 1))
    assert counted in page


def test_an_unknown_order_has_no_papers(house):
    assert page_of(house, uuid4()).status_code == 404
