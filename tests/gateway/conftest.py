"""A gateway as it is served, over HTTP, with two small services behind it that are made with the same frame."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from datetime import UTC, datetime
from uuid import UUID, uuid4

import httpx
import psycopg
import pytest
import uvicorn
from chubei_cli.migrate import migrate
from chubei_gateway.app import create_app
from chubei_gateway.second_factor import totp
from chubei_shared import audit, outbox
from chubei_shared.access import CurrentCaller, Tx, allow, allow_public
from chubei_shared.contracts.base import Dto, Units
from chubei_shared.contracts.gateway_client import GatewayClient
from chubei_shared.contracts.identity import NewUser
from chubei_shared.db import Transactions, make_engine
from chubei_shared.errors import NotFound, Shortage
from chubei_shared.settings import Settings
from chubei_shared.tokens import Role
from chubei_shared.web import service_app
from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import StreamingResponse
from sqlalchemy import MetaData

PASSWORD = "correct horse battery"
SignInAs = Callable[..., GatewayClient]


@pytest.fixture(autouse=True)
def _one_half_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    """For authenticators and the gateway a test lasts no time, so that no code grows old in the middle of it."""
    step_at, begun = totp.step_at, datetime.now(UTC)
    monkeypatch.setattr(totp, "step_at", lambda when: step_at(min(when, begun)))


@pytest.fixture(scope="session")
def house(settings: Settings) -> Settings:
    """Settings with databases: the gateway's migrated, the small services' with their outbox and audit alone."""
    ours = Settings.model_validate(settings.model_dump() | {"database_prefix": "gw"})
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("CHUBEI_DATABASE_URL", ours.database_url)
        environment.setenv("CHUBEI_DATABASE_PREFIX", ours.database_prefix)
        migrate("gateway")
    with psycopg.connect(ours.database_url + "/postgres", autocommit=True) as connection:
        connection.execute("CREATE DATABASE gw_inventory")
        connection.execute("CREATE DATABASE gw_allocation")
    for service in ("inventory", "allocation"):
        metadata = MetaData()
        outbox.table(metadata)
        audit.table(metadata)
        metadata.create_all(make_engine(ours.database(service), pool_size=1))
    return ours


class Parcel(Dto):
    id: str
    quantity: Units


class Label(Dto):
    """Means one thing in inventory and another in allocation."""

    parcel: Parcel


class Echo(Dto):
    path: str
    headers: dict[str, str]
    query: str
    body: str


def _inventory(settings: Settings) -> FastAPI:
    router = APIRouter(tags=["小库存 / Small inventory"])

    @router.get("/v1/parcels/{parcel_id}", summary="包裹 / A parcel", **allow(Role.CLERK))
    def read_parcel(parcel_id: str) -> Parcel:
        return Parcel(id=parcel_id, quantity=7)

    @router.post("/v1/parcels", status_code=201, **allow(Role.CLERK))
    def post_parcel(body: Parcel, caller: CurrentCaller, tx: Tx) -> Label:
        if body.quantity > 100:
            raise Shortage("库存不足", "Not that many", shortages=[{"item_code": body.id}])
        tx(outbox.enqueue, "parcel.moved", {"id": body.id, "by": caller.person})
        return Label(parcel=body)

    @router.patch("/v1/parcels/{parcel_id}", status_code=204, **allow(Role.CLERK))
    def touch_parcel(parcel_id: str) -> None:
        assert parcel_id

    @router.post("/v1/echo/{name}", **allow_public())
    async def echo(name: str, request: Request) -> Echo:
        body = (await request.body()).decode()
        path = request.scope["raw_path"].decode()
        assert name
        return Echo(path=path, headers=dict(request.headers), query=request.url.query, body=body)

    @router.get("/v1/heaps", **allow_public())
    def heap(broken: bool = False) -> StreamingResponse:
        """Ten mebibytes that are told and, unless it breaks off, sent."""
        pieces = (b"x" * 65_536 for _ in range(1 if broken else 160))
        headers = {"Content-Length": str(160 * 65_536), "Content-Disposition": "attachment; filename=heap"}
        return StreamingResponse(pieces, headers=headers, media_type="application/zip")

    return service_app("inventory", "Small inventory", [router], settings)


class Other:
    class Label(Dto):
        text: str


def _allocation(settings: Settings) -> FastAPI:
    router = APIRouter()

    @router.get("/v1/people/{number}", **allow(Role.COMMANDER, personal=True))
    def read_person(number: int) -> dict[str, int]:
        return {"number": number}

    @router.get("/v1/labels", **allow(Role.COMMANDER, Role.APPROVER))
    def read_labels() -> list[Other.Label]:
        return [Other.Label(text="x")]

    @router.get("/v1/allocation-parcels/{parcel_id}", **allow(Role.COMMANDER))
    def read_parcel(parcel_id: str) -> Parcel:
        return Parcel(id=parcel_id, quantity=1)

    @router.get("/v1/orders/{id}", **allow(Role.COMMANDER, Role.CLERK, Role.GUEST, grant="order:{id}"))
    def read_order(id: UUID, caller: CurrentCaller) -> Echo:
        if id.int == 0:
            raise NotFound(f"没有调拨单 {id}", f"There is no order {id}")
        return Echo(path=f"/v1/orders/{id}", headers={}, query="", body=caller.person)

    return service_app("allocation", "Small allocation", [router], settings)


@contextmanager
def served(app: FastAPI, port: int = 0) -> Iterator[str]:
    """`app` on a port of its own; gives its URL."""
    config = uvicorn.Config(app, port=port, log_config=None, timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive(), "the server did not start"
            time.sleep(0.01)
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()


@pytest.fixture
def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture
def small_allocation(house: Settings) -> FastAPI:
    return _allocation(house)


@pytest.fixture(scope="session")
def serve() -> Callable[..., AbstractContextManager[str]]:
    return served


@pytest.fixture(scope="session")
def inventory_url(house: Settings) -> Iterator[str]:
    with served(_inventory(house)) as url:
        yield url


@pytest.fixture(scope="session")
def allocation_url(house: Settings) -> Iterator[str]:
    with served(_allocation(house)) as url:
        yield url


@pytest.fixture(scope="session")
def gateway_url(house: Settings, inventory_url: str, allocation_url: str) -> Iterator[str]:
    behind = {"inventory_url": inventory_url, "allocation_url": allocation_url}
    with served(create_app(Settings.model_validate(house.model_dump() | behind))) as url:
        yield url


@pytest.fixture
def connect(gateway_url: str) -> Iterator[Callable[[], GatewayClient]]:
    """Makes clients that are not signed in."""
    with ExitStack() as stack:
        yield lambda: GatewayClient(stack.enter_context(httpx.Client(base_url=gateway_url, timeout=20)))


@pytest.fixture
def anyone(connect: Callable[[], GatewayClient]) -> GatewayClient:
    return connect()


@pytest.fixture(scope="session")
def admin(gateway_url: str) -> Iterator[GatewayClient]:
    """The first account, its password changed."""
    with httpx.Client(base_url=gateway_url, timeout=20) as http:
        first = GatewayClient(http)
        assert first.first_account().must_change_password
        first.sign_in("admin", "first-admin-password")
        first.change_password("first-admin-password", PASSWORD)
        yield first


@pytest.fixture
def sign_in_as(connect: Callable[[], GatewayClient], admin: GatewayClient) -> SignInAs:
    """Makes a person with these roles, who has changed the first password, and signs in."""

    def sign_in(*roles: Role, username: str | None = None) -> GatewayClient:
        name = username or f"p-{uuid4().hex[:12]}"
        admin.create_user(
            NewUser(username=name, display_name=name, roles=list(roles), password="given at first")
        )
        client = connect()
        client.sign_in(name, "given at first")
        client.change_password("given at first", PASSWORD)
        return client

    return sign_in


@pytest.fixture
def tx(house: Settings) -> Iterator[Transactions]:
    """On the gateway's database."""
    engine = make_engine(house.database("gateway"), pool_size=2)
    yield Transactions(engine)
    engine.dispose()
