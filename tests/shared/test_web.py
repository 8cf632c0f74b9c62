"""The frame of a service: nothing is open by omission, and what each service has."""

from typing import Any

import pytest
from chubei_shared.access import allow, allow_public
from chubei_shared.problems import PROBLEM_JSON
from chubei_shared.settings import Settings
from chubei_shared.tokens import Caller, Role, Signer
from chubei_shared.web import service_app
from fastapi import APIRouter
from sqlalchemy import Engine
from starlette.testclient import TestClient


def _open_route() -> APIRouter:
    router = APIRouter()

    @router.get("/v1/open")
    def read_open() -> None: ...

    return router


def _nested() -> APIRouter:
    outer = APIRouter()
    outer.include_router(_open_route(), prefix="/deep")
    return outer


@pytest.mark.parametrize("router", [_open_route(), _nested()])
def test_route_that_does_not_say_whom_it_lets_in_is_refused(router: APIRouter, house: Settings) -> None:
    with pytest.raises(AssertionError, match="/v1/open does not say whom it lets in"):
        service_app("inventory", "x", [router], house)


@pytest.fixture
def client(engine: Engine, house: Settings) -> TestClient:
    router = APIRouter()

    @router.get("/v1/clerks", **allow(Role.CLERK))
    def read_clerks() -> str:
        return "for clerks"

    @router.get("/v1/all", **allow_public())
    def read_all() -> str:
        return "for all"

    return TestClient(service_app("inventory", "x", [router], house))


def _as(house: Settings, caller: Caller) -> dict[str, str]:
    return {"Authorization": f"Bearer {Signer(house.keys_dir, 'gateway').issue(caller)}"}


def test_roles_are_checked_at_the_route(client: TestClient, house: Settings) -> None:
    assert client.get("/v1/all").json() == "for all"
    missing = client.get("/v1/clerks")
    assert (missing.status_code, missing.headers["content-type"]) == (401, PROBLEM_JSON)
    assert (
        client.get("/v1/clerks", headers=_as(house, Caller("x", frozenset({Role.ADMIN})))).status_code == 403
    )
    assert (
        client.get("/v1/clerks", headers=_as(house, Caller("x", frozenset({Role.CLERK})))).status_code == 200
    )
    due = Caller("x", frozenset({Role.CLERK}), must_change_password=True)
    assert "POST /v1/me/password" in client.get("/v1/clerks", headers=_as(house, due)).json()["detail_en"]


def test_document_says_the_roles(client: TestClient) -> None:
    paths = client.get("/openapi.json").json()["paths"]
    assert paths["/v1/clerks"]["get"]["x-roles"] == ["clerk"]
    assert paths["/v1/all"]["get"]["x-roles"] == ["public"]
    assert "x-roles" in paths["/v1/inventory/events"]["get"]


def test_health_asks_the_database(client: TestClient, house: Settings) -> None:
    assert client.get("/healthz").json() == {"service": "inventory", "status": "ok"}
    nowhere = Settings.model_validate(house.model_dump() | {"database_url": "postgresql://x:x@127.0.0.1:1"})
    away = TestClient(service_app("inventory", "x", [], nowhere)).get("/healthz")
    assert (away.status_code, away.headers["content-type"]) == (503, PROBLEM_JSON)


@pytest.mark.parametrize("query", ["after=-1", f"after={2**63}", "limit=0", "limit=1001", "after=x"])
def test_events_refuse_impossible_numbers(query: str, client: TestClient, house: Settings) -> None:
    auditor = _as(house, Caller("x", frozenset({Role.AUDITOR})))
    assert client.get(f"/v1/inventory/events?{query}", headers=auditor).status_code == 422


@pytest.mark.parametrize(
    ("sent", "kept"), [("night-1", True), ("a\x7fb", False), ("", False), ("x" * 80, False)]
)
def test_request_has_an_id(sent: str, kept: bool, client: TestClient) -> None:
    answered = client.get("/v1/all", headers={"x-request-id": sent}).headers["x-request-id"]
    assert (answered == sent) == kept
    assert 0 < len(answered) <= 64


@pytest.mark.parametrize("wrong", [{"roles": [Role.GUEST]}, {"roles": [Role.CLERK], "grant": "order:{id}"}])
def test_a_route_for_guests_says_what_their_link_must_be_for(wrong: dict[str, Any]) -> None:
    with pytest.raises(AssertionError, match="for guests"):
        allow(*wrong.pop("roles"), **wrong)
