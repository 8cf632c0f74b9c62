"""The gateway's client against the gateway itself, over HTTP."""

import threading
import time
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import httpx
import pytest
import uvicorn
from chubei_cli.migrate import migrate
from chubei_gateway.app import create_app
from chubei_shared.contracts import gateway_client
from chubei_shared.contracts.gateway_client import GatewayClient, SignedIn
from chubei_shared.contracts.identity import NewUser, UserUpdate
from chubei_shared.errors import Conflict, NotFound, Unauthorized, Unavailable
from chubei_shared.settings import Settings
from chubei_shared.tokens import Role

PASSWORD = "correct horse battery"


@pytest.fixture(scope="module")
def url(settings: Settings) -> Iterator[str]:
    """A gateway with nothing behind it."""
    alone = Settings.model_validate(
        settings.model_dump()
        | {
            "database_prefix": "client",
            "inventory_url": "http://127.0.0.1:1",
            "allocation_url": "http://127.0.0.1:1",
        }
    )
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("CHUBEI_DATABASE_URL", alone.database_url)
        environment.setenv("CHUBEI_DATABASE_PREFIX", alone.database_prefix)
        migrate("gateway")
    server = uvicorn.Server(
        uvicorn.Config(create_app(alone), port=0, log_config=None, timeout_graceful_shutdown=1)
    )
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        assert thread.is_alive(), "the gateway did not start"
        time.sleep(0.01)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join()


@pytest.fixture
def client(url: str) -> Iterator[GatewayClient]:
    with httpx.Client(base_url=url, timeout=20) as http:
        yield GatewayClient(http)


@pytest.fixture(scope="module")
def admin(url: str) -> Iterator[GatewayClient]:
    with httpx.Client(base_url=url, timeout=20) as http:
        client = GatewayClient(http)
        first = client.sign_in(client.first_account().username, "first-admin-password")
        assert first.must_change_password
        assert not client.change_password("first-admin-password", PASSWORD).must_change_password
        yield client


def _clerk(number: int = 0) -> NewUser:
    return NewUser(
        username=f"clerk#{number}:{uuid4().hex[:8]}",
        display_name="王保管",
        roles=[Role.CLERK],
        password="given at first",
    )


def test_people(admin: GatewayClient) -> None:
    new = _clerk()
    made = admin.create_user(new)
    assert (made.username, made.roles, made.places) == (new.username, [Role.CLERK], [])
    assert made.must_change_password
    assert admin.user(new.username) == made
    assert made in list(admin.users())
    changed = admin.update_user(new.username, UserUpdate(roles=[Role.AUDITOR], disabled=True))
    assert (changed.roles, changed.disabled, changed.display_name) == ([Role.AUDITOR], True, "王保管")
    with pytest.raises(Unavailable, match="places: inventory is away"):
        admin.create_user(_clerk().model_copy(update={"places": ["north"]}))
    with pytest.raises(Conflict):
        admin.create_user(new)
    with pytest.raises(NotFound):
        admin.user("nobody")


def test_collections_are_read_page_by_page(admin: GatewayClient, monkeypatch: pytest.MonkeyPatch) -> None:
    names = {admin.create_user(_clerk(number)).username for number in range(3)}
    everyone = [user.username for user in admin.users()]
    acts = [row.id for row in admin.audit(act="user.create")]
    sessions = [session.id for session in admin.sessions()]
    small: dict[str, Any] = {"limit": "1"}
    whole = GatewayClient._get

    def get(self: GatewayClient, path: str, answer: Any, **params: Any) -> Any:
        return whole(self, path, answer, **params, **small)

    monkeypatch.setattr(GatewayClient, "_get", get)
    assert [user.username for user in admin.users()] == everyone == sorted(everyone)
    assert names <= set(everyone)
    assert [row.id for row in admin.audit(act="user.create")] == acts == sorted(acts, reverse=True)
    assert [session.id for session in admin.sessions()] == sessions


def test_signing_out_ends_the_session(admin: GatewayClient, client: GatewayClient) -> None:
    new = admin.create_user(_clerk())
    tokens = client.sign_in(new.username, "given at first")
    client.sign_out()
    with pytest.raises(Unauthorized, match="No bearer token"):
        client.me()
    with pytest.raises(Unauthorized):
        client.refresh(tokens.refresh_token)


def test_wrong_sign_in_leaves_nobody_signed_in(admin: GatewayClient, client: GatewayClient) -> None:
    client.sign_in("admin", PASSWORD)
    with pytest.raises(Unauthorized, match="username or the password"):
        client.sign_in("admin", "not the password")
    with pytest.raises(Unauthorized, match="No bearer token"):
        client.me()


def test_token_is_renewed_before_it_expires_by_one_of_many_threads(
    admin: GatewayClient, client: GatewayClient
) -> None:
    """The refresh token is good for one use, so the threads must not all renew."""
    tokens = client.sign_in("admin", PASSWORD)
    auth = client.http.auth
    assert isinstance(auth, SignedIn)
    auth.take(tokens.model_copy(update={"expires_in_s": 1}))
    start, failures = threading.Barrier(6), list[Exception]()

    def work() -> None:
        try:
            start.wait()
            client.me()
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert auth._tokens.refresh_token != tokens.refresh_token


def test_session_that_is_over_is_told_as_such(admin: GatewayClient, client: GatewayClient) -> None:
    client.sign_in("admin", PASSWORD)
    admin.revoke_session(next(session.id for session in client.sessions() if session.current))
    with pytest.raises(Unauthorized):
        client.me()
    with pytest.raises(Unauthorized):
        next(client.events())


def test_health_names_what_is_away(client: GatewayClient) -> None:
    health = client.health()
    assert health.status == "degraded"
    assert {part.name: part.status for part in health.parts} == {
        "database": "ok",
        "redis": "ok",
        "inventory": "away",
        "allocation": "away",
    }


def test_gateway_that_is_away_is_unavailable() -> None:
    with httpx.Client(base_url="http://127.0.0.1:1") as http:
        nobody = GatewayClient(http)
        with pytest.raises(Unavailable):
            nobody.health()
        with pytest.raises(Unavailable):
            next(nobody.events(patience_s=0.1))


def test_events_end_when_their_client_is_closed(url: str, admin: GatewayClient) -> None:
    with httpx.Client(base_url=url, timeout=20) as http:
        client = GatewayClient(http)
        client.sign_in(admin.me().username, PASSWORD)
        assert list(client.events(on_open=http.close)) == []


def test_event_stream_lines_are_read_as_the_standard_says() -> None:
    stream = [
        ": ping",
        "",
        "event: open",
        "id: inventory:1",
        "retry: 1000",
        "",
        'data: {"a":',
        "data:1}",
        "id: inventory:2",
        "",
        ": ping",
        "",
        "data: cut off",
    ]
    assert list(gateway_client._messages(stream)) == [("inventory:1", ""), ("inventory:2", '{"a":\n1}')]
