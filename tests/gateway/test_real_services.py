"""The gateway before the real services: one document, default deny on each of its operations, stock to a screen."""

import re
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import chubei_allocation.app
import chubei_gateway.app
import chubei_inventory.app
import httpx
import pytest
from chubei_cli.migrate import migrate
from chubei_shared import outbox
from chubei_shared.contracts.base import Certainty, Mode, Provenance
from chubei_shared.contracts.catalogue import Family, Item, Lot, Place, PlaceKind
from chubei_shared.contracts.gateway_client import GatewayClient
from chubei_shared.contracts.identity import NewUser, UserUpdate
from chubei_shared.contracts.inventory_client import InventoryClient
from chubei_shared.contracts.stock import Receive, ReceiveLine
from chubei_shared.errors import Forbidden, Invalid
from chubei_shared.settings import Settings
from chubei_shared.tokens import PEOPLE, Caller, Role, Signer, grant_of
from fastapi import FastAPI

Serve = Callable[[FastAPI], AbstractContextManager[str]]
INVENTED = Provenance(certainty=Certainty.INVENTED, source="test")


@pytest.fixture(scope="module")
def real(settings: Settings, serve: Serve) -> Iterator[Settings]:
    """The settings of a whole house that is up."""
    house = Settings.model_validate(settings.model_dump() | {"database_prefix": "real"})
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("CHUBEI_DATABASE_URL", house.database_url)
        environment.setenv("CHUBEI_DATABASE_PREFIX", house.database_prefix)
        migrate()
    with serve(chubei_inventory.app.create_app(house)) as inventory_url:
        house = house.model_copy(update={"inventory_url": inventory_url})
        with serve(chubei_allocation.app.create_app(house)) as allocation_url:
            house = house.model_copy(update={"allocation_url": allocation_url})
            with serve(chubei_gateway.app.create_app(house)) as gateway_url:
                yield house.model_copy(update={"gateway_url": gateway_url})


@pytest.fixture(scope="module")
def document(real: Settings) -> dict[str, Any]:
    while True:  # the services' documents arrive as the gateway runs
        found: dict[str, Any] = httpx.get(f"{real.gateway_url}/openapi.json").json()
        if {"/v1/movements", "/v1/plans"} <= found["paths"].keys():
            return found


def _operations(document: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    methods = {"get", "put", "post", "delete", "patch"}
    return [(p, m, item[m]) for p, item in document["paths"].items() for m in sorted(methods & item.keys())]


def test_document_holds_every_operation_of_every_service_once(
    document: dict[str, Any], real: Settings
) -> None:
    parts = [httpx.get(f"{url}/openapi.json").json() for url in (real.inventory_url, real.allocation_url)]
    theirs = [(path, method) for part in parts for path, method, _ in _operations(part)]
    assert len(theirs) == len(set(theirs)), "two services claim one path"
    assert set(theirs) <= {(path, method) for path, method, _ in _operations(document)}
    ids = [operation["operationId"] for _, _, operation in _operations(document)]
    assert len(ids) == len(set(ids))
    described = {tag["name"] for tag in document["tags"]}
    assert {tag for _, _, operation in _operations(document) for tag in operation["tags"]} == described


def test_no_operation_is_open_and_each_role_has_its_own(document: dict[str, Any], real: Settings) -> None:
    signer = Signer(real.keys_dir, "gateway")
    tokens = {role: signer.issue(Caller("somebody", frozenset({role}))) for role in PEOPLE}
    refused = 0
    ours = {
        "X-Requested-By": "test"
    }  # who is not one of our pages is refused before they are asked who they are
    with httpx.Client(base_url=real.gateway_url, headers=ours) as http:
        for path, method, operation in _operations(document):
            target = re.sub(r"\{[^}]+\}", "x", path)
            roles = set(operation["x-roles"])
            if roles == {"public"}:
                continue
            assert http.request(method, target).status_code == 401, (method, path)
            for role in set(PEOPLE) - roles:
                answer = http.request(method, target, headers={"Authorization": f"Bearer {tokens[role]}"})
                assert answer.status_code == 403, (method, path, role, answer.text)
                refused += 1
    assert refused > 50


def test_a_guest_gets_nowhere_but_where_guests_are_named(document: dict[str, Any], real: Settings) -> None:
    """At the gateway and at each service itself; and there, with a link for another thing, not either."""
    link = Caller(
        "guest:x", frozenset({Role.GUEST}), session_id=str(uuid4()), grant=grant_of("order", uuid4())
    )
    headers = {"Authorization": f"Bearer {Signer(real.keys_dir, 'gateway').issue(link)}"}
    open_to_guests = set()
    for url in (real.gateway_url, real.inventory_url, real.allocation_url):
        with httpx.Client(base_url=url, headers=headers) as http:
            for path, method, operation in _operations(http.get("/openapi.json").json()):
                if operation["x-roles"] == ["public"]:
                    continue
                answer = http.request(method, re.sub(r"\{[^}]+\}", str(uuid4()), path))
                assert answer.status_code == 403, (url, method, path, answer.text)
                if Role.GUEST in operation["x-roles"]:
                    assert operation["x-grant"]
                    open_to_guests.add((method, path))
    assert open_to_guests == {
        ("get", "/v1/orders/{id}"),
        ("get", "/v1/orders/{id}/codes"),
        ("get", "/v1/orders/{id}/turn"),
        ("post", "/v1/orders/{id}/steps"),
        ("get", "/v1/incidents/{id}/shelters/{shelter_id}"),
        ("post", "/v1/incidents/{id}/shelters/{shelter_id}/headcounts"),
        ("get", "/v1/incidents/{id}/shelters/{shelter_id}/deliveries"),
        ("post", "/v1/incidents/{id}/shelters/{shelter_id}/steps"),
        ("post", "/v1/incidents/{id}/shelters/{shelter_id}/hand-outs"),
        ("post", "/v1/incidents/{id}/shelters/{shelter_id}/requests"),
        ("post", "/v1/incidents/{id}/shelters/{shelter_id}/returns"),
        ("get", "/v1/incidents/{id}/shelters/{shelter_id}/records"),
        ("get", "/v1/confirmations/{id}"),
        ("post", "/v1/confirmations/{id}:answer"),
    }


def test_stock_that_is_received_shows_on_a_screen(real: Settings) -> None:
    with httpx.Client(base_url=real.gateway_url, timeout=20) as http:
        admin = GatewayClient(http)
        admin.sign_in("admin", "first-admin-password")
        admin.change_password("first-admin-password", "correct horse battery")
        _master_data(InventoryClient(http))
        nowhere = NewUser(
            username="lost", display_name="x", roles=[Role.CLERK], places=["north", "NOWHERE"],
            password="given at first",
        )  # fmt: skip
        with pytest.raises(
            Invalid, match="no place NOWHERE; stores that are registered: north, south"
        ) as told:
            admin.create_user(nowhere)
        assert [error["field"] for error in told.value.more["errors"]] == ["places"]
        admin.create_user(nowhere.model_copy(update={"places": []}))
        with pytest.raises(Invalid, match="NOWHERE"):
            admin.update_user("lost", UserUpdate(places=["NOWHERE"]))
        for name in ("north-clerk", "south-clerk"):
            admin.create_user(
                NewUser(
                    username=name,
                    display_name=name,
                    roles=[Role.CLERK],
                    places=[name.removesuffix("-clerk")],
                    password="given at first",
                )
            )
    with httpx.Client(base_url=real.gateway_url, timeout=20) as http:
        clerk = GatewayClient(http)
        for name, outcome in (("south-clerk", Forbidden), ("north-clerk", None)):
            clerk.sign_in(name, "given at first")
            clerk.change_password("given at first", "correct horse battery")
            if outcome:
                with pytest.raises(outcome):
                    InventoryClient(http).record(_receipt())
        stop = threading.Event()
        relay = threading.Thread(target=outbox.run, args=("inventory", real, stop))
        relay.start()
        try:
            movement = InventoryClient(http).record(_receipt())
            event = next(clerk.events(last_event_id="inventory:0", topics=["stock."]))
        finally:
            stop.set()
            relay.join()
    assert movement.recorded_by == "north-clerk"
    assert (event.service, event.body["movement_id"]) == ("inventory", str(movement.id))


def test_files_and_pages_pass_through(real: Settings) -> None:
    token = Signer(real.keys_dir, "gateway").issue(Caller("an-admin", frozenset({Role.ADMIN})))
    with httpx.Client(
        base_url=real.gateway_url, headers={"Authorization": f"Bearer {token}"}, timeout=30
    ) as http:
        _master_data(InventoryClient(http))
        items = http.get("/v1/lists/items/export")
        assert items.headers["content-disposition"] == "attachment; filename*=UTF-8''items.xlsx"
        assert items.headers["content-type"].endswith("spreadsheetml.sheet")
        binary = {"Content-Type": "application/octet-stream"}
        rehearsed = http.post("/v1/lists/items/imports", content=items.content, headers=binary)
        assert rehearsed.headers["etag"]
        assert (rehearsed.json()["same"], rehearsed.json()["faults"]) == (1, [])
        marked = http.post("/v1/lists/items/imports:mark", content=items.content, headers=binary)
        assert marked.content.startswith(b"PK")
        assert http.get("/v1/export").content.startswith(b"PK")
        assert (
            http.post("/v1/lists/items/imports", content=b"x" * (9 << 20), headers=binary).status_code == 413
        )
        movement = InventoryClient(http).record(_receipt())
        printed = {"id": str(uuid4()), "movement_id": str(movement.id)}
        assert http.post("/v1/papers", json=printed).status_code == 201
        page = http.get(f"/v1/papers/{printed['id']}/page")
        assert page.headers["content-type"] == "text/html; charset=utf-8"
        assert "style-src 'sha256-" in page.headers["content-security-policy"]
        assert page.headers["x-frame-options"] == "DENY"
        label = {"kind": "lot", "lot_id": str(movement.entries[0].lot_id)}
        assert "<svg" in http.post("/v1/labels", json={"labels": [label]}).text


def _master_data(inventory: InventoryClient) -> None:
    inventory.put_item(
        Item(
            code="1010101",
            name_zh="棉被",
            name_en="Quilt",
            family=Family.RELIEF,
            unit_zh="床",
            pack=5,
            weight_g=3000,
            volume_cm3=20000,
            reserve_modes=[Mode.PHYSICAL],
            managing_body="应急局",
            dispatch_authority="应急局",
            provenance=INVENTED,
        )
    )
    for name in ("north", "south"):
        inventory.put_place(
            Place(id=name, kind=PlaceKind.STORE, name_zh=name, name_en=name, provenance=INVENTED)
        )


def _receipt() -> Receive:
    return Receive(
        id=uuid4(),
        kind="receive",
        occurred_at=datetime.now(UTC),
        place_id="north",
        lines=[ReceiveLine(item_code="1010101", lot=Lot(lot_no="L1", maker="M"), quantity=50)],
    )
