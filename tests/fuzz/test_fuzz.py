"""The API as strangers would use it: schemathesis makes requests of the OpenAPI documents, on databases of their own.

No answer is a 5xx, none has a status or a body that the document does not tell. The seed is fixed and the number of
requests bounded: the same requests in each run. Half of them name things that are there, so that they come further
than "not found".
"""

import os
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest
import schemathesis
from chubei_allocation.app import create_app as allocation_app
from chubei_cli.migrate import migrate
from chubei_gateway.app import create_app as gateway_app
from chubei_inventory.app import create_app as inventory_app
from chubei_shared.settings import Settings
from chubei_shared.tokens import PEOPLE, Caller, Role, Signer
from fastapi import FastAPI
from hypothesis import HealthCheck, Phase, given, seed
from hypothesis import settings as bounded
from hypothesis import strategies as st
from schemathesis.checks import CHECKS, load_all_checks
from starlette.testclient import TestClient

EXAMPLES = 6
load_all_checks()
WANTED = CHECKS.get_by_names(
    [
        "not_a_server_error",
        "status_code_conformance",
        "content_type_conformance",
        "response_schema_conformance",
    ]
)
PROVENANCE = {"certainty": "invented", "source": "fuzz"}
STORE = {"id": "STORE-N", "kind": "store", "name_zh": "北库", "name_en": "North", "provenance": PROVENANCE}
WATER = {
    "code": "1020101", "name_zh": "水", "name_en": "Water", "family": "relief", "unit_zh": "瓶", "pack": 24,
    "weight_g": 550, "volume_cm3": 700, "reserve_modes": ["physical"], "managing_body": "局",
    "dispatch_authority": "局", "provenance": PROVENANCE,
}  # fmt: skip


@pytest.fixture(scope="module")
def house(settings: Settings) -> Settings:
    """Migrated databases that only these requests see. Inventory is away for allocation."""
    ours = settings.model_dump() | {"database_prefix": "fuzz", "inventory_url": "http://127.0.0.1:1"}
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("CHUBEI_DATABASE_URL", settings.database_url)
        environment.setenv("CHUBEI_DATABASE_PREFIX", "fuzz")
        migrate("inventory", "allocation", "gateway")
    return Settings.model_validate(ours)


def token(house: Settings, roles: list[str]) -> dict[str, str]:
    """Of somebody who has every role that a person can have; of a service, where only services may."""
    service = set(roles) == {Role.SERVICE}
    caller = Caller(
        "fuzz",
        frozenset({Role.SERVICE} if service else PEOPLE),
        places=frozenset({str(STORE["id"])}),
        session_id=None if service else str(uuid4()),
    )
    signed = Signer(house.keys_dir, "allocation" if service else "gateway").issue(caller, timedelta(hours=1))
    return {"Authorization": f"Bearer {signed}"}


def furnish(app: FastAPI, house: Settings) -> dict[str, Any]:
    """Put a store, an item, a lot, a hold and their like there; what there is, by the names that parameters have."""
    http = TestClient(app, headers=token(house, list(PEOPLE)))
    service = TestClient(app, headers=token(house, [Role.SERVICE]))
    document = app.openapi()

    def examples(path: str) -> dict[str, Any]:
        body = document["paths"][path]["post"]["requestBody"]["content"]["application/json"]
        return {name: example["value"] for name, example in body["examples"].items()}

    def done(answer: httpx.Response) -> Any:
        assert answer.is_success, answer.text
        return answer.json()

    done(http.put("/v1/places/STORE-N", json=STORE))
    done(http.put("/v1/items/1020101", json=WATER))
    received = done(http.post("/v1/movements", json=examples("/v1/movements")["receive"]))
    line = {"place_id": "STORE-N", "item_code": "1020101", "mode": "physical", "quantity": 5}
    held = {
        "id": "8f0c2c0a-41f4-4dcb-9d6b-3a3c1d3f7b01", "purpose": "fuzz", "expires_at": "2100-01-01T00:00:00Z",
        "lines": [line | {"needed_at": "2026-12-01T00:00:00Z"}],
    }  # fmt: skip
    hold = done(service.post("/v1/holds", json=held))
    run = done(http.post("/v1/proof-runs", json={"id": "8f0c2c0a-41f4-4dcb-9d6b-3a3c1d3f7b02"}))
    return {
        "place_id": "STORE-N", "at_place_id": "STORE-N", "code": "1020101", "item_code": "1020101",
        "lot_id": received["entries"][0]["lot_id"], "movement_id": received["id"], "hold_id": hold["id"],
        "run_id": run["id"], "version": 1,
    }  # fmt: skip


def requests(
    operation: Any, headers: dict[str, str], known: dict[str, Any], statuses: Counter[int]
) -> Callable[[], None]:
    """Some requests of one operation, each answer checked."""

    @seed(20261122)
    @bounded(
        max_examples=EXAMPLES, deadline=None, database=None, phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(case=operation.as_strategy(), at_home=st.booleans())
    def ask(case: Any, at_home: bool) -> None:
        for given_names in (case.path_parameters, case.query) if at_home else ():
            for name in set(given_names or ()) & known.keys():
                given_names[name] = known[name]
        answer = case.call_and_validate(headers=headers, checks=WANTED)
        statuses[answer.status_code] += 1

    return ask


@pytest.mark.parametrize("service", ["inventory", "allocation"])
def test_no_request_is_answered_otherwise_than_the_document_says(house, subtests, service):
    app = inventory_app(house) if service == "inventory" else allocation_app(house)
    known = furnish(app, house) if service == "inventory" else {}
    statuses: Counter[int] = Counter()
    for found in schemathesis.openapi.from_asgi("/openapi.json", app).get_all_operations():
        operation = found.ok()
        with subtests.test(operation.label):
            headers = token(house, operation.definition.raw["x-roles"])
            requests(operation, headers, known, statuses)()
    assert statuses[200] + statuses[201] > 50  # not everything was refused
    assert statuses[404]
    assert statuses[422]


@contextmanager
def served(service: str, house: Settings) -> Iterator[str]:
    """A service in a process of its own: what it has in its event loop is there, and no thread of ours is."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    told = {f"CHUBEI_{name.upper()}": str(value) for name, value in house.model_dump().items()}
    app = [f"chubei_{service}.app:create_app", "--factory", "--port", str(port), "--log-level", "critical"]
    url, until = f"http://127.0.0.1:{port}", time.monotonic() + 60
    process = subprocess.Popen(
        [sys.executable, "-m", "uvicorn", *app], env=os.environ | told, stderr=subprocess.DEVNULL
    )
    try:
        while True:
            assert process.poll() is None, f"{service} did not start"
            assert time.monotonic() < until, f"{service} does not answer"
            try:
                httpx.get(f"{url}/healthz", trust_env=False).raise_for_status()
                break
            except httpx.HTTPError:
                time.sleep(0.1)
        yield url
    finally:
        process.kill()
        process.wait()


def test_no_request_of_the_gateways_own_is_answered_otherwise(house, subtests):
    """As it is served, with the services behind it. Its stream of events has no end, so it is left out. Too many
    sign-ins are a 429, as the document says."""
    statuses: Counter[int] = Counter()
    document = schemathesis.openapi.from_dict(
        gateway_app(house).openapi()
    )  # before it knows the services' ones
    with ExitStack() as stack:
        urls = {
            f"{name}_url": stack.enter_context(served(name, house)) for name in ("inventory", "allocation")
        }
        document.config.update(base_url=stack.enter_context(served("gateway", house.model_copy(update=urls))))
        for found in document.exclude(path="/v1/events").get_all_operations():
            operation = found.ok()
            with subtests.test(operation.label):
                headers = token(house, operation.definition.raw["x-roles"])
                requests(operation, headers, {"username": "admin"}, statuses)()
    assert statuses[200] + statuses[201] > 10
    assert statuses[401]
    assert statuses[404]
    assert statuses[422]


def test_an_answer_that_is_not_in_the_document_is_noticed():
    """The checks themselves: a status, a type and a body that nobody told."""
    app = FastAPI()

    @app.get("/status", responses={200: {"model": int}})
    def status() -> Any:
        from fastapi.responses import JSONResponse

        return JSONResponse(1, 418)

    @app.get("/body", response_model=None, responses={200: {"model": int}})
    def body() -> Any:
        return {"not": "a number"}

    for found in schemathesis.openapi.from_asgi("/openapi.json", app).get_all_operations():
        with pytest.raises(schemathesis.core.failures.FailureGroup):
            requests(found.ok(), {}, {}, Counter())()
