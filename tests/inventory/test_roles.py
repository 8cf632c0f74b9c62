"""Who may do what: the service checks the role again, whoever forwarded the request."""

from uuid import uuid4

import pytest
from chubei_shared.contracts.catalogue import PlaceKind
from chubei_shared.contracts.inventory_client import InventoryClient
from chubei_shared.contracts.stock import Transfer
from chubei_shared.errors import Forbidden, Unauthorized
from chubei_shared.tokens import Role
from fastapi.routing import APIRoute
from starlette.testclient import TestClient

PEOPLE = [Role.CLERK, Role.COMMANDER, Role.APPROVER, Role.AUDITOR, Role.ADMIN]


def test_a_clerk_moves_stock_at_the_own_store_only(yard, sign_in):
    yard.receive(10)
    own = InventoryClient(sign_in(Role.CLERK, yard.store))
    assert own.record(yard.issue(1)).recorded_by == "a-clerk"
    stranger = InventoryClient(sign_in(Role.CLERK, "another-store"))
    with pytest.raises(Forbidden, match=yard.store):
        stranger.record(yard.issue(1))
    assert yard.stock()[0] == 9


def test_a_transfer_is_recorded_where_the_goods_leave(yard, sign_in):
    yard.receive(10)
    target = yard.place(PlaceKind.STORE)
    body = Transfer.model_validate(
        {"kind": "transfer", "id": uuid4(), "occurred_at": yard.now(), "from_place_id": yard.store,
         "to_place_id": target, "lines": [{"item_code": yard.item, "quantity": 5}]}
    )  # fmt: skip
    with pytest.raises(Forbidden):
        InventoryClient(sign_in(Role.CLERK, target)).record(body)
    InventoryClient(sign_in(Role.CLERK, yard.store)).record(body)
    assert yard.stock(target)[0] == 5


def test_a_reversal_is_for_those_who_work_where_it_was_done(yard, sign_in):
    yard.receive(10)
    issued = yard.admin.record(yard.issue(1))
    with pytest.raises(Forbidden):
        InventoryClient(sign_in(Role.CLERK, "another-store")).record(yard.reversal(issued.id))
    InventoryClient(sign_in(Role.CLERK, yard.store)).record(yard.reversal(issued.id))
    assert yard.stock()[0] == 10


def test_a_service_records_the_person_it_acts_for(yard):
    yard.receive(10)
    assert yard.service.record(yard.issue(1)).recorded_by == "commander-li"


@pytest.mark.parametrize("role", [Role.COMMANDER, Role.APPROVER, Role.AUDITOR])
def test_command_does_not_move_stock(yard, sign_in, role):
    yard.receive(10)
    with pytest.raises(Forbidden):
        InventoryClient(sign_in(role)).record(yard.issue(1))


@pytest.mark.parametrize("role", PEOPLE)
def test_people_do_not_take_draw_or_release_holds(yard, sign_in, role):
    yard.receive(10)
    hold_id = yard.hold(5)
    person = InventoryClient(sign_in(role, yard.store))
    with pytest.raises(Forbidden):
        person.hold(yard.request(yard.line(1)))
    with pytest.raises(Forbidden):
        person.release(hold_id)
    for promised in ({"hold_id": hold_id}, {"order_id": uuid4()}, {"hold_id": hold_id, "order_id": uuid4()}):
        with pytest.raises(Forbidden):
            person.record(yard.issue(1, **promised))
    assert person.get_hold(hold_id).lines[0].quantity == 5


@pytest.mark.parametrize("role", [Role.CLERK, Role.APPROVER, Role.AUDITOR, Role.SERVICE])
def test_master_data_is_written_by_administrators_and_command(yard, sign_in, role):
    place = next(p for p in yard.all_places() if p.id == yard.store)
    with pytest.raises(Forbidden):
        InventoryClient(sign_in(role, yard.store)).put_place(place)
    InventoryClient(sign_in(Role.COMMANDER)).put_place(place)


@pytest.mark.parametrize("role", [*PEOPLE, Role.SERVICE])
def test_everyone_reads(sign_in, role):
    reader = InventoryClient(sign_in(role))
    reader.stock(limit=1)
    reader.movements(limit=1)
    reader.availability([0])
    reader.snapshot()
    reader.books()


def test_nobody_gets_in_without_a_token(app):
    with TestClient(app) as http:
        for route in app.routes:
            if isinstance(route, APIRoute) and route.path.startswith("/v1"):
                for method in route.methods:
                    assert http.request(method, route.path).status_code == 401, route.path
    with pytest.raises(Unauthorized):
        InventoryClient(TestClient(app, headers={"Authorization": "Bearer x"})).books()
