"""Forwarding: who gets through to which path, what is passed on, and what happens when a service is away."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar
from uuid import uuid4

import httpx
import pytest
from chubei_gateway.app import create_app
from chubei_shared.contracts.gateway_client import GatewayClient
from chubei_shared.db import Transactions
from chubei_shared.errors import NotFound, Shortage, from_response
from chubei_shared.middleware import MAX_BODY_BYTES
from chubei_shared.settings import Settings
from chubei_shared.tokens import PEOPLE, Caller, Role, Signer
from fastapi import FastAPI
from sqlalchemy import text

SignInAs = Callable[..., GatewayClient]
Serve = Callable[[FastAPI], AbstractContextManager[str]]


def _as(settings: Settings, *roles: Role) -> dict[str, str]:
    token = Signer(settings.keys_dir, "gateway").issue(Caller("somebody", frozenset(roles), frozenset({"n"})))
    return {"Authorization": f"Bearer {token}"}


ROUTES = [
    ("GET", "/v1/parcels/1", {Role.CLERK}),
    ("POST", "/v1/parcels", {Role.CLERK}),
    ("GET", "/v1/labels", {Role.COMMANDER, Role.APPROVER}),
    ("GET", "/v1/allocation-parcels/1", {Role.COMMANDER}),
    ("GET", "/v1/users", {Role.ADMIN}),
    ("POST", "/v1/users", {Role.ADMIN}),
    ("PATCH", "/v1/users/nobody", {Role.ADMIN}),
    ("GET", "/v1/person-names?username=admin", set(PEOPLE)),
    ("GET", "/v1/audit", {Role.ADMIN, Role.AUDITOR}),
    ("GET", "/v1/audit/verification", {Role.ADMIN, Role.AUDITOR}),
    ("GET", "/v1/inventory/events", set(PEOPLE)),
]


@pytest.mark.parametrize(("method", "path", "allowed"), ROUTES)
def test_only_the_named_roles_get_through(
    method: str, path: str, allowed: set[Role], gateway_url: str, house: Settings
) -> None:
    with httpx.Client(base_url=gateway_url) as http:
        assert http.request(method, path).status_code == 401
        for role in set(PEOPLE):
            answer = http.request(method, path, headers=_as(house, role), json={})
            assert (answer.status_code != 403) == (role in allowed), (role, answer.text)
            if role not in allowed:
                assert set(answer.json()["roles"]) >= allowed - {Role.SERVICE}


@pytest.mark.parametrize(
    "path", ["/v1/nothing", "/v1/parcels/1/more", "/nowhere", "/healthz/x", "/v1/parcels/.."]
)
def test_unknown_path_does_not_exist_for_anyone(path: str, gateway_url: str, house: Settings) -> None:
    url = httpx.URL(gateway_url)
    connection = HTTPConnection(url.host, url.port)  # sends the path as it is
    connection.request("GET", path, headers=_as(house, *(set(PEOPLE))))
    answer = connection.getresponse()
    assert answer.status == 404
    assert answer.headers["content-type"] == "application/problem+json"
    connection.close()


def test_documents_and_health_of_services_are_not_forwarded(gateway_url: str) -> None:
    for path in ("/v1/openapi.json", "/v1/healthz"):
        assert httpx.get(gateway_url + path).status_code == 404


@pytest.mark.parametrize(("path", "allowed"), [("/v1/parcels/1", "GET, PATCH"), ("/v1/me", "GET")])
def test_other_method_of_a_known_path_is_405(path: str, allowed: str, gateway_url: str) -> None:
    answer = httpx.delete(gateway_url + path)
    assert answer.status_code == 405
    assert answer.headers["allow"] == allowed
    assert answer.headers["content-type"] == "application/problem+json"


def test_services_check_the_token_again(inventory_url: str, house: Settings) -> None:
    path = f"{inventory_url}/v1/parcels/1"
    assert httpx.get(path).status_code == 401
    assert httpx.get(path, headers=_as(house, Role.ADMIN)).status_code == 403
    assert httpx.get(path, headers=_as(house, Role.CLERK)).status_code == 200


def test_forged_tokens_are_refused(gateway_url: str, house: Settings) -> None:
    forged = Signer(house.keys_dir, "gateway").issue(Caller("x", frozenset({Role.SERVICE})))
    stranger = Signer(house.keys_dir, "allocation").issue(Caller("x", frozenset({Role.CLERK})))
    for token in (forged, stranger, "", "x.y.z"):
        answer = httpx.get(
            f"{gateway_url}/v1/parcels/1", headers={"Authorization": f"Bearer {token}".strip()}
        )
        assert answer.status_code == 401


def test_bodies_and_problems_come_back_as_they_are(sign_in_as: SignInAs) -> None:
    clerk = sign_in_as(Role.CLERK)
    assert clerk.http.get("/v1/parcels/1").json() == {"id": "1", "quantity": 7}
    created = clerk.http.post("/v1/parcels", json={"id": "a", "quantity": 3})
    assert (created.status_code, created.json()) == (201, {"parcel": {"id": "a", "quantity": 3}})
    refused = clerk.http.post("/v1/parcels", json={"id": "a", "quantity": 300})
    assert refused.headers["content-type"] == "application/problem+json"
    error = from_response(refused)
    assert isinstance(error, Shortage)
    assert error.more == {"shortages": [{"item_code": "a"}]}
    invalid = clerk.http.post("/v1/parcels", json={"id": "a", "quantity": 0})
    assert invalid.status_code == 422
    assert invalid.json()["errors"][0]["field"] == "quantity"


def test_what_is_passed_on(gateway_url: str) -> None:
    headers = {
        "X-Request-Id": "night-1",
        "Connection": "keep-alive, x-hop",
        "X-Hop": "1",
        "TE": "trailers",
        "Cookie": "a=b",
        "X-Forwarded-For": "1.2.3.4",
        "Content-Type": "text/plain",
        "Accept-Language": "zh",
    }
    answer = httpx.post(
        f"{gateway_url}/v1/echo/a%2Fb%20c", params={"q": "仓 1&2"}, headers=headers, content="内容"
    )
    assert answer.status_code == 404  # the slash is one, wherever it is decoded
    answer = httpx.post(
        f"{gateway_url}/v1/echo/b%20c", params={"q": "仓 1&2"}, headers=headers, content="内容"
    )
    echo = answer.json()
    assert echo["path"] == "/v1/echo/b%20c"
    assert echo["query"] == answer.request.url.query.decode()
    assert echo["body"] == "内容"
    assert echo["headers"]["x-request-id"] == "night-1"
    assert echo["headers"]["accept-language"] == "zh"
    assert not {"x-hop", "te", "cookie", "x-forwarded-for"} & echo["headers"].keys()
    assert answer.headers.get_list("x-request-id") == ["night-1"]
    assert answer.headers.get_list("content-length") == [str(len(answer.content))]


def test_headers_in_any_writing_are_passed_on_byte_for_byte(gateway_url: str) -> None:
    names = {"X-Request-Id": b"n\xe9", "X-Office": "值班室".encode()}
    answer = httpx.post(f"{gateway_url}/v1/echo/x", headers=names)
    assert answer.status_code == 200
    sent = answer.json()["headers"]
    assert {name.encode("latin-1") for name in (sent["x-request-id"], sent["x-office"])} == set(
        names.values()
    )


def test_address_that_is_too_long_is_refused(gateway_url: str) -> None:
    with closing(HTTPConnection(gateway_url.removeprefix("http://"))) as client:
        client.request("POST", "/v1/echo/x?q=" + "a" * 70_000)
        answer = client.getresponse()
        assert (answer.status, answer.headers["content-type"]) == (414, "application/problem+json")


@pytest.mark.parametrize("path", ["/v1/echo/x", "/v1/sessions"])
@pytest.mark.parametrize("told", [True, False])
def test_body_has_a_limit(path: str, told: bool, gateway_url: str) -> None:
    body = b"x" * (MAX_BODY_BYTES + 1)
    content = body if told else iter([body[:-1], body[-1:]])  # without a length it is sent in chunks
    answer = httpx.post(gateway_url + path, content=content, timeout=30)
    assert answer.status_code == 413
    assert answer.headers["content-type"] == "application/problem+json"
    assert "8 MiB" in answer.json()["detail_en"]


def test_service_that_is_not_up_yet_is_named_and_found_when_it_comes(
    house: Settings, inventory_url: str, free_port: int, serve: Callable[..., AbstractContextManager[str]]
) -> None:
    later = f"http://127.0.0.1:{free_port}"
    behind = {"inventory_url": inventory_url, "allocation_url": later}
    clerk, commander = _as(house, Role.CLERK), _as(house, Role.COMMANDER)
    with serve(create_app(Settings.model_validate(house.model_dump() | behind))) as url:
        assert httpx.get(f"{url}/v1/parcels/1", headers=clerk).status_code == 200
        missing = httpx.get(f"{url}/v1/labels", headers=commander)
        assert (missing.status_code, missing.json()["services"]) == (503, ["allocation"])
        states = {p["name"]: p["status"] for p in httpx.get(f"{url}/v1/health").json()["parts"]}
        assert states == {"database": "ok", "redis": "ok", "inventory": "ok", "allocation": "away"}


def test_service_that_went_away_is_named_and_comes_back(
    house: Settings,
    inventory_url: str,
    free_port: int,
    small_allocation: FastAPI,
    serve: Callable[..., AbstractContextManager[str]],
) -> None:
    behind = {"inventory_url": inventory_url, "allocation_url": f"http://127.0.0.1:{free_port}"}
    commander = _as(house, Role.COMMANDER)
    with (
        serve(create_app(Settings.model_validate(house.model_dump() | behind))) as url,
        httpx.Client(base_url=url, headers=commander) as http,
    ):
        for _ in range(2):
            with serve(small_allocation, free_port):
                _until(lambda: http.get("/v1/labels").status_code == 200)
            away = http.get("/v1/labels")
            assert (away.status_code, away.json()["services"]) == (503, ["allocation"])
            assert "retry" in away.json()["detail_en"]


def _until(happens: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 15
    while not happens():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_changes_are_audited_with_their_outcome_and_reads_are_not(
    sign_in_as: SignInAs, admin: GatewayClient
) -> None:
    clerk = sign_in_as(Role.CLERK)
    name, rid = clerk.me().username, uuid4().hex
    clerk.http.get("/v1/parcels/1")
    for quantity in (1, 300):
        clerk.http.post("/v1/parcels", json={"id": "a", "quantity": quantity}, headers={"x-request-id": rid})
    auditor = sign_in_as(Role.AUDITOR)
    rows = [r for r in auditor.audit(subject=name) if r.request_id == rid]
    assert [(r.act, r.target, r.outcome) for r in rows] == [
        ("POST /v1/parcels", "/v1/parcels", 409),
        ("POST /v1/parcels", "/v1/parcels", 201),
    ]
    for method, path in (("POST", "/v1/parcels"), ("PATCH", "/v1/parcels/a%00b")):
        auditor.http.request(method, path, json={"id": "a", "quantity": 1})
        denied = next(admin.audit(subject=auditor.me().username))
        assert (denied.act.split()[0], denied.target, denied.outcome) == (method, path, 403)
    assert not [r for r in admin.audit(subject=name) if r.act.startswith("GET")]


def test_who_looks_at_personal_data_is_recorded_once_in_a_while(
    sign_in_as: SignInAs, admin: GatewayClient
) -> None:
    commander, clerk = sign_in_as(Role.COMMANDER), sign_in_as(Role.CLERK)
    for _ in range(3):
        assert commander.http.get("/v1/people/1").status_code == 200
    commander.http.get("/v1/people/2")
    assert clerk.http.get("/v1/people/1").status_code == 403
    looks = {
        name: [(r.act, r.target, r.outcome) for r in admin.audit(subject=name) if r.act.startswith("GET")]
        for name in (commander.me().username, clerk.me().username)
    }
    assert list(looks.values()) == [
        [("GET /v1/people/{number}", "/v1/people/2", 200), ("GET /v1/people/{number}", "/v1/people/1", 200)],
        [("GET /v1/people/{number}", "/v1/people/1", 403)],
    ]


def test_who_looks_at_people_and_links_is_recorded_too(
    sign_in_as: SignInAs, admin: GatewayClient, anyone: GatewayClient
) -> None:
    other = sign_in_as(Role.ADMIN)
    name = other.me().username
    for path in ("/v1/users", "/v1/users?limit=1", f"/v1/users/{name}", "/v1/links"):
        assert other.http.get(path).status_code == 200
        assert anyone.http.get(path).status_code == 401
    looks = [(r.act, r.target, r.outcome) for r in admin.audit(subject=name) if r.act.startswith("GET")]
    assert looks == [
        ("GET /v1/links", "/v1/links", 200),
        ("GET /v1/users/{username}", f"/v1/users/{name}", 200),
        ("GET /v1/users", "/v1/users", 200),
    ]


def test_a_look_that_could_not_be_recorded_is_recorded_at_the_next_one(
    sign_in_as: SignInAs, admin: GatewayClient, tx: Transactions
) -> None:
    commander = sign_in_as(Role.COMMANDER)
    tx(lambda session: session.execute(text("ALTER TABLE audit RENAME TO audit_away")))
    try:
        assert commander.http.get("/v1/people/3").status_code == 200
    finally:
        tx(lambda session: session.execute(text("ALTER TABLE audit_away RENAME TO audit")))
    looks = [row for row in admin.audit(subject=commander.me().username) if row.target == "/v1/people/3"]
    assert looks == []
    for _ in range(2):
        commander.http.get("/v1/people/3")
    looks = [row for row in admin.audit(subject=commander.me().username) if row.target == "/v1/people/3"]
    assert [look.outcome for look in looks] == [200]


def test_client_raises_what_the_gateway_answers(anyone: GatewayClient) -> None:
    with pytest.raises(NotFound, match="There is no /v1/nothing"):
        anyone._get("/v1/nothing", type(anyone.health()))


def test_a_large_answer_passes_through_in_pieces(gateway_url: str) -> None:
    with httpx.stream("GET", f"{gateway_url}/v1/heaps") as answer:
        assert answer.headers["content-length"] == str(160 * 65_536)
        assert answer.headers["content-disposition"] == "attachment; filename=heap"
        assert answer.headers["content-type"] == "application/zip"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert sum(len(piece) for piece in answer.iter_raw()) == 160 * 65_536


def test_an_answer_that_breaks_off_is_no_whole_answer(gateway_url: str) -> None:
    with (
        pytest.raises(httpx.RemoteProtocolError),
        httpx.stream("GET", f"{gateway_url}/v1/heaps?broken=1") as answer,
    ):
        answer.read()


def test_who_leaves_early_leaves_nothing_open(gateway_url: str) -> None:
    """More readers that leave than the gateway may have connections: the last one is served all the same."""
    for _ in range(220):
        with httpx.stream("GET", f"{gateway_url}/v1/heaps") as answer:
            next(answer.iter_raw())
    assert len(httpx.get(f"{gateway_url}/v1/heaps", timeout=30).content) == 160 * 65_536


class Closing(BaseHTTPRequestHandler):
    """A service that keeps connections, and closes them without an answer: on a parcel that comes on a connection
    kept from before, or whenever a `stubborn` one comes."""

    protocol_version = "HTTP/1.1"
    heard: ClassVar[list[tuple[str, bool]]]
    """Each parcel that came, and whether its connection had served a request before."""

    def setup(self) -> None:
        super().setup()
        self.served = 0

    def do_GET(self) -> None:
        path = {"/v1/parcels": {m: {"operationId": m, "x-roles": ["public"]} for m in ("get", "post")}}
        self._answer({"paths": path})

    def do_POST(self) -> None:
        parcel = self.rfile.read(int(self.headers["content-length"])).decode()
        self.heard.append((parcel, self.served > 0))
        if self.served or parcel == "stubborn":
            self.close_connection = True
        else:
            self._answer({"taken": parcel})

    def _answer(self, body: dict[str, Any]) -> None:
        content = json.dumps(body).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
        self.served += 1

    def log_message(self, format: str, *args: Any) -> None:
        """Nobody reads it."""


@pytest.fixture
def closing_service(house: Settings, serve: Serve) -> Iterator[httpx.Client]:
    """A client of a gateway whose inventory closes connections, one of which the gateway keeps."""
    Closing.heard = []
    service = ThreadingHTTPServer(("127.0.0.1", 0), Closing)
    thread = threading.Thread(target=service.serve_forever)
    thread.start()
    behind = {"inventory_url": f"http://127.0.0.1:{service.server_port}"}
    try:
        with (
            serve(create_app(Settings.model_validate(house.model_dump() | behind))) as url,
            httpx.Client(base_url=url) as http,
        ):
            assert http.get("/v1/parcels").status_code == 200
            yield http
    finally:
        service.shutdown()
        service.server_close()
        thread.join()


def test_a_write_that_met_a_closed_connection_is_sent_again_on_a_new_one(
    closing_service: httpx.Client,
) -> None:
    answer = closing_service.post("/v1/parcels", content="box")
    assert (answer.status_code, answer.json()) == (200, {"taken": "box"})
    assert Closing.heard == [("box", True), ("box", False)]


def test_a_write_without_an_answer_on_a_new_connection_is_not_sent_again(
    closing_service: httpx.Client,
) -> None:
    answer = closing_service.post("/v1/parcels", content="stubborn")
    assert (answer.status_code, answer.json()["services"]) == (503, ["inventory"])
    assert Closing.heard == [("stubborn", True), ("stubborn", False)]
