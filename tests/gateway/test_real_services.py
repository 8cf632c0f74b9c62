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
from chubei_shared.contracts.identity import NewUser
from chubei_shared.contracts.inventory_client import InventoryClient
from chubei_shared.contracts.stock import Receive, ReceiveLine
from chubei_shared.errors import Forbidden
from chubei_shared.settings import Settings
from chubei_shared.tokens import Caller, Role, Signer
from fastapi import FastAPI

Serve = Callable[[FastAPI], AbstractContextManager[str]]
PEOPLE = sorted(set(Role) - {Role.SERVICE})
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
    with httpx.Client(base_url=real.gateway_url) as http:
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


def test_stock_that_is_received_shows_on_a_screen(real: Settings) -> None:
    with httpx.Client(base_url=real.gateway_url, timeout=20) as http:
        admin = GatewayClient(http)
        admin.sign_in("admin", "first-admin-password")
        admin.change_password("first-admin-password", "correct horse battery")
        _master_data(InventoryClient(http))
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
    inventory.put_place(
        Place(id="north", kind=PlaceKind.STORE, name_zh="北库", name_en="North", provenance=INVENTED)
    )


def _receipt() -> Receive:
    return Receive(
        id=uuid4(),
        kind="receive",
        occurred_at=datetime.now(UTC),
        place_id="north",
        lines=[ReceiveLine(item_code="1010101", lot=Lot(lot_no="L1", maker="M"), quantity=50)],
    )
