"""People without an account act by a link, drivers, keepers, suppliers: real gateway, allocation and inventory."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest
from chubei_cli.migrate import migrate
from chubei_gateway.app import create_app
from chubei_shared.contracts.allocation_client import AllocationClient
from chubei_shared.contracts.confirmations import AskConfirmations, ConfirmationAnswer, ConfirmationState
from chubei_shared.contracts.gateway_client import GatewayClient
from chubei_shared.contracts.headcounts import Headcount
from chubei_shared.contracts.identity import NewUser
from chubei_shared.contracts.keeper_client import KeeperClient
from chubei_shared.contracts.links import NewLink
from chubei_shared.contracts.orders import OrderStatus, OrderView, Step, StepKind
from chubei_shared.contracts.shelters import AskForMore, HandOut, KeeperStep
from chubei_shared.errors import Conflict, Forbidden, Invalid, Unauthorized
from chubei_shared.tokens import Role
from nights import Night

PASSWORD = "correct horse battery"
PICKED, LOADED, DEPARTED = StepKind.PICKED, StepKind.LOADED, StepKind.DEPARTED
TAKEN_OVER, ARRIVED, RECEIVED = StepKind.TAKEN_OVER, StepKind.ARRIVED, StepKind.RECEIVED


@pytest.fixture(scope="module")
def doors(house, serve) -> Iterator[tuple[str, str]]:
    """The gateway's URL and allocation's own."""
    with pytest.MonkeyPatch.context() as environment, ExitStack() as stack:
        environment.setenv("CHUBEI_DATABASE_URL", house.settings.database_url)
        environment.setenv("CHUBEI_DATABASE_PREFIX", house.settings.database_prefix)
        migrate("gateway")
        allocation = stack.enter_context(serve(house.app))
        settings = house.settings.model_copy(update={"allocation_url": allocation})
        yield stack.enter_context(serve(create_app(settings))), allocation


@contextmanager
def client(url: str) -> Iterator[GatewayClient]:
    with httpx.Client(base_url=url, timeout=30, trust_env=False) as http:
        yield GatewayClient(http)


@pytest.fixture(scope="module")
def name(doors) -> str:
    """A commander's name, who has signed in and changed the first password."""
    url, _ = doors
    name = f"commander-{uuid4().hex[:8]}"
    with client(url) as admin:
        admin.sign_in("admin", "first-admin-password")
        admin.change_password("first-admin-password", PASSWORD)
        admin.create_user(
            NewUser(username=name, display_name="指挥", roles=[Role.COMMANDER], password="given at first")
        )
    with client(url) as commander:
        commander.sign_in(name, "given at first")
        commander.change_password("given at first", PASSWORD)
    return name


def test_a_driver_reports_the_road_and_the_receipts_of_one_order(stocked, doors, name):
    gateway_url, allocation_url = doors
    incident = stocked.declare()
    stocked.approver.approve(stocked.proposed(incident).id)
    orders = list(stocked.commander.orders(incident.id))
    order = next(o for o in orders if sum(1 for stop in o.stops if stop.load) == 1)
    other = next(o for o in orders if o.id != order.id)

    def step(stop: int, kind: StepKind, minute: int, **more: Any) -> Step:
        return Step(
            id=uuid4(),
            stop=stop,
            step=kind,
            occurred_at=incident.occurred_at + timedelta(minutes=minute),
            **more,
        )

    with client(gateway_url) as commander, client(gateway_url) as guest:
        commander.sign_in(name, PASSWORD)
        link = commander.make_link(
            NewLink(
                id=uuid4(), purpose="order", subject=[str(order.id)], holder_name="王师傅", phone="13800000000",
                expires_at=datetime.now(UTC) + timedelta(hours=12),
            )
        )  # fmt: skip
        token = guest.open_link(link.code)
        driver = AllocationClient(guest.http)
        assert driver.order(order.id) == order
        for forbidden in (lambda: driver.order(other.id), lambda: list(driver.orders(incident.id))):
            with pytest.raises(Forbidden):
                forbidden()

        load, *drops = order.stops
        keeper = stocked.clerks.get(load.place_id, stocked.commander)
        for kind in (PICKED, LOADED):  # the store's, or the command's: not the driver's
            with pytest.raises(Forbidden):
                driver.step(order.id, step(0, kind, load.end_min))
            keeper.step(order.id, step(0, kind, load.end_min))
        turn = driver.order_turn(order.id)
        assert (turn.stop, turn.next) == (0, [DEPARTED, TAKEN_OVER])
        assert set(order.stops[-1].deliver) <= {row.item_code for row in turn.items if row.name_zh}
        codes = driver.order_codes(
            order.id
        )  # to be told to the store's clerk; those of receivers are not the driver's
        assert [row.stop for row in codes.take_over] == [0]
        assert codes.receive == []
        taken = driver.step(order.id, step(0, TAKEN_OVER, load.end_min)).steps[-1]
        assert (taken.signed_by, taken.recorded_by) == ("王师傅", "guest:王师傅")
        with pytest.raises(Forbidden):
            driver.step(other.id, step(0, PICKED, load.end_min))
        done: OrderView = driver.step(order.id, step(0, DEPARTED, load.end_min))
        coming = stocked.commander.order_codes(order.id).receive
        for stop, code in zip(drops, coming, strict=True):
            driver.step(order.id, step(stop.stop, ARRIVED, stop.arrive_min))
            with pytest.raises(Invalid, match="needs a name"):  # a driver does not receive
                driver.step(order.id, step(stop.stop, RECEIVED, stop.end_min))
            received = step(stop.stop, RECEIVED, stop.end_min, code=code.code)
            done = driver.step(order.id, received)
            assert driver.step(order.id, received) == done  # a repeat is the same step
            if stop is not drops[-1]:
                done = driver.step(order.id, step(stop.stop, DEPARTED, stop.end_min))
        assert done.status is OrderStatus.DONE
        by_driver = {s.recorded_by for s in done.steps if s.step in (DEPARTED, ARRIVED, RECEIVED)}
        assert by_driver == {"guest:王师傅"}
        delivered = [m for m in stocked.books.movements(order_id=order.id).rows if m.kind == "deliver"]
        assert {m.recorded_by for m in delivered} == {"guest:王师傅"}
        assert stocked.books.books().faults == []

        commander.revoke_link(link.id)
        with pytest.raises(Unauthorized):
            driver.order(order.id)
        headers = {"Authorization": f"Bearer {token.access_token}"}
        assert httpx.get(f"{allocation_url}/v1/orders/{order.id}", headers=headers).status_code == 401


def test_a_keeper_reports_who_is_at_one_shelter(district, doors, name):
    gateway_url, allocation_url = doors
    incident = district.declare(exercise=False, hours_ago=2)
    own, other, _ = district.shelters

    def count(shelter: str, people: int) -> Headcount:
        return Headcount(id=uuid4(), shelter_id=shelter, people=people, occurred_at=datetime.now(UTC))

    with client(gateway_url) as commander, client(gateway_url) as guest:
        commander.sign_in(name, PASSWORD)
        asked = NewLink(
            id=uuid4(), purpose="headcount", subject=[str(incident.id), own], holder_name="李园长",
            expires_at=datetime.now(UTC) + timedelta(hours=72),
        )  # fmt: skip
        link = commander.make_link(asked)
        token = guest.open_link(link.code)
        keeper = AllocationClient(guest.http)
        assert keeper.shelter_of(incident.id, own).overdue
        reported = keeper.report_headcount(incident.id, count(own, 77))
        assert reported.recorded_by == "guest:李园长"
        assert not keeper.shelter_of(incident.id, own).overdue
        assert {p.shelter_id: p.people for p in district.commander.incident(incident.id).points}[own] == 77
        for forbidden in (
            lambda: keeper.report_headcount(incident.id, count(other, 1)),
            lambda: keeper.report_headcount(uuid4(), count(own, 1)),
            lambda: keeper.shelter_of(incident.id, other),
            lambda: keeper.headcount_board(incident.id),
            lambda: keeper.incident(incident.id),
        ):
            with pytest.raises(Forbidden):
                forbidden()
        headers = {"Authorization": f"Bearer {token.access_token}"}
        at_another = f"{allocation_url}/v1/incidents/{incident.id}/shelters/{other}/headcounts"
        body = count(other, 1).model_dump(mode="json")
        assert httpx.post(at_another, json=body, headers=headers).status_code == 403
        commander.revoke_link(link.id)
        with pytest.raises(Unauthorized):
            keeper.report_headcount(incident.id, count(own, 78))


def test_a_keeper_receives_hands_out_and_asks_for_more_at_one_shelter(stocked, doors, name):
    gateway_url, _ = doors
    night = Night(stocked)
    order = night.orders[0]
    night.load(order)
    stop = next(stop for stop in order.stops if stop.deliver)
    here, incident_id = stop.place_id, night.incident.id
    other = next(shelter for shelter in stocked.shelters if shelter != here)
    when = night.incident.occurred_at + timedelta(minutes=stop.end_min)

    def step(kind: StepKind) -> KeeperStep:
        return KeeperStep(id=uuid4(), order_id=order.id, stop=stop.stop, step=kind, occurred_at=when)

    with client(gateway_url) as commander, client(gateway_url) as guest:
        commander.sign_in(name, PASSWORD)
        link = commander.make_link(
            NewLink(
                id=uuid4(), purpose="headcount", subject=[str(incident_id), here], holder_name="李园长",
                expires_at=datetime.now(UTC) + timedelta(hours=72),
            )
        )  # fmt: skip
        guest.open_link(link.code)
        keeper = KeeperClient(guest.http)
        assert order.id in {row.order_id for row in keeper.deliveries(incident_id, here).rows}
        keeper.keeper_step(incident_id, here, step(ARRIVED))
        received = keeper.keeper_step(incident_id, here, step(RECEIVED)).steps[-1]
        assert (received.signed_by, received.recorded_by) == ("李园长", "guest:李园长")
        item, units = max(stop.deliver.items())
        rows = [{"name": "张明", "people": units, "lines": [{"item_code": item, "units": units}]}]
        listed = HandOut.model_validate({"id": uuid4(), "occurred_at": when, "rows": rows})
        assert keeper.hand_out(incident_id, here, listed).recorded_by == "guest:李园长"
        assert item not in stocked.on_hand(here)
        more = {
            "id": uuid4(),
            "occurred_at": when,
            "reason": "还缺",
            "lines": [{"item_code": item, "units": 5}],
        }
        asked = keeper.ask_for_more(incident_id, here, AskForMore.model_validate(more))
        assert len(keeper.shelter_records(incident_id, here).rows) == 2
        for forbidden in (
            lambda: keeper.deliveries(incident_id, other),
            lambda: keeper.keeper_step(incident_id, other, step(ARRIVED)),
            lambda: keeper.hand_out(incident_id, other, listed),
            lambda: keeper.ask_for_more(uuid4(), here, AskForMore.model_validate(more)),
            lambda: keeper.answer_request(asked, "好"),
            lambda: keeper.shelter_records(incident_id),
            lambda: keeper.step(order.id, step(RECEIVED)),
            lambda: keeper.order_codes(order.id),
        ):
            with pytest.raises(Forbidden):
                forbidden()


def test_a_supplier_confirms_what_it_was_asked_for(stocked, doors, name):
    gateway_url, allocation_url = doors
    incident = stocked.declare()
    asked = stocked.commander.ask_confirmations(
        incident.id, AskConfirmations(id=uuid4(), place_ids=[stocked.supplier])
    )
    own = asked.rows[0]
    elsewhere = stocked.commander.ask_confirmations(
        stocked.declare().id, AskConfirmations(id=uuid4(), place_ids=[stocked.supplier])
    )
    (other,) = elsewhere.rows

    def said(units: int) -> ConfirmationAnswer:
        line = {"item_code": own.items[0].item_code, "mode": "contract", "quantity": units}
        return ConfirmationAnswer.model_validate(
            {"id": uuid4(), "answer": "confirmed", "lines": [line], "ready_min": 60}
        )

    with client(gateway_url) as commander, client(gateway_url) as guest:
        commander.sign_in(name, PASSWORD)
        link = commander.make_link(
            NewLink(
                id=uuid4(), purpose="confirmation", subject=[str(own.id)], holder_name="赵经理",
                expires_at=datetime.now(UTC) + timedelta(hours=12),
            )
        )  # fmt: skip
        token = guest.open_link(link.code)
        supplier = AllocationClient(guest.http)
        assert supplier.confirmation(own.id) == stocked.commander.confirmation(own.id)
        with pytest.raises(Invalid, match=r"最多填约定的数量.*Confirm at most what is agreed"):
            supplier.answer_confirmation(own.id, said(own.items[0].quantity + 1))
        first = said(120)
        answered = supplier.answer_confirmation(own.id, first)
        assert supplier.answer_confirmation(own.id, first) == answered  # a repeat is the same answer
        assert answered.state is ConfirmationState.CONFIRMED
        assert supplier.answer_confirmation(own.id, said(80)).history[-1].by == "guest:赵经理"
        supply = stocked.proposed(incident).scenario["supply"]
        assert [(r["quantity"], r["available_min"]) for r in supply if r["source"] == stocked.supplier] == [
            (80, 60)
        ]
        for forbidden in (
            lambda: supplier.confirmation(other.id),
            lambda: supplier.answer_confirmation(other.id, said(1)),
            lambda: supplier.confirmations(incident.id),
            lambda: supplier.release_confirmation(own.id),
            lambda: supplier.ask_confirmations(incident.id, AskConfirmations(id=uuid4())),
            lambda: supplier.call_out(incident.id),
        ):
            with pytest.raises(Forbidden):
                forbidden()
        headers = {"Authorization": f"Bearer {token.access_token}"}
        at_another = f"{allocation_url}/v1/confirmations/{other.id}:answer"
        body = said(1).model_dump(mode="json")
        assert httpx.post(at_another, json=body, headers=headers).status_code == 403
        stocked.commander.release_confirmation(own.id)
        with pytest.raises(Conflict):
            supplier.answer_confirmation(own.id, said(70))
        commander.revoke_link(link.id)
        with pytest.raises(Unauthorized):
            supplier.confirmation(own.id)
