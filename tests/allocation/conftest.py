"""A house of two services for allocation's tests: databases of its own, and the real inventory on a socket."""

import itertools
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from uuid import UUID, uuid4

import httpx
import pytest
import uvicorn
from chubei_allocation import proof
from chubei_allocation.app import create_app
from chubei_allocation.inventory_gate import InventoryGate
from chubei_allocation.solving import solving
from chubei_cli.migrate import migrate
from chubei_shared import outbox, seals
from chubei_shared.china import day
from chubei_shared.contracts import catalogue, network, reserves, stock
from chubei_shared.contracts.allocation_client import AllocationClient
from chubei_shared.contracts.incidents import IncidentDeclaration, IncidentView
from chubei_shared.contracts.inventory_client import InventoryClient
from chubei_shared.contracts.plans import PlanRequest, PlanView
from chubei_shared.db import Transactions
from chubei_shared.settings import Settings
from chubei_shared.tokens import Caller, Role, Signer
from sqlalchemy import text
from starlette.testclient import TestClient

from tests.effort import EFFORT

sys.path.insert(0, str(Path(__file__).parent))  # tests share celery_worker.py: importlib mode leaves it alone
from goods import BED, INVENTED, QUILT, WATER, item, kit
from small_district import network_of

TODAY = day(datetime.now(UTC))
_serial = itertools.count(1)


@pytest.fixture(scope="session")
def house_settings(settings: Settings) -> Iterator[Settings]:
    """Migrated databases that no other area's tests use."""
    own = settings.model_copy(
        update={"database_prefix": "alloctest", "solver_time_limit_s": 1, "exercise_books": "house"}
    )
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("CHUBEI_DATABASE_URL", own.database_url)
        environment.setenv("CHUBEI_DATABASE_PREFIX", own.database_prefix)
        migrate("inventory", "allocation")
    return own


@contextmanager
def served(app) -> Iterator[str]:
    """The app on a real socket; yields its URL."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(app, log_config=None))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            while not server.started:
                assert thread.is_alive()
                time.sleep(0.01)
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()


@pytest.fixture(scope="session")
def serve() -> Callable[..., AbstractContextManager[str]]:
    return served


@pytest.fixture(scope="session")
def house(house_settings: Settings) -> Iterator["House"]:
    from chubei_inventory.app import create_app as create_inventory

    with served(create_inventory(house_settings)) as url:
        yield House(house_settings.model_copy(update={"inventory_url": url}))


class House:
    """Allocation in this process, against a real inventory; clients by person."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.app = create_app(settings)
        self.tx: Transactions = self.app.state.tx
        self.gate: InventoryGate = self.app.state.inventory
        self.lost_gate = InventoryGate(
            settings.model_copy(update={"inventory_url": "http://127.0.0.1:9"})
        )  # nobody listens on the discard port
        self._signer = Signer(settings.keys_dir, "gateway")

    def http(self, *roles: Role, name: str = "someone", places: frozenset[str] = frozenset()) -> TestClient:
        token = self._signer.issue(Caller(name, frozenset(roles), places=places))
        return TestClient(self.app, headers={"Authorization": f"Bearer {token}"})

    def as_(
        self, *roles: Role, name: str | None = None, places: frozenset[str] = frozenset()
    ) -> AllocationClient:
        return AllocationClient(self.http(*roles, name=name or f"the-{roles[0]}", places=places))

    def inventory(self) -> InventoryClient:
        caller = Caller("keeper", frozenset({Role.ADMIN, Role.COMMANDER}))
        headers = {"Authorization": f"Bearer {self._signer.issue(caller)}"}
        return InventoryClient(
            httpx.Client(base_url=self.settings.inventory_url, headers=headers, timeout=30, trust_env=False)
        )

    def clear(self) -> None:
        """Forget all incidents, plans and orders, the district and its posts, and what hangs on them."""

        def forget(session) -> None:
            session.execute(text("SET LOCAL session_replication_role = replica"))  # what is append-only too
            session.execute(
                text(
                    "TRUNCATE district, subdistrict, shelter, loading_site, vehicle_type, incident, demand_point,"
                    " plan_request, plan, dispatch_order, order_step, deviation, post, readiness_run,"
                    " readiness_settings, readiness_alarm, response_plan, authority_version, outbox"
                    " RESTART IDENTITY CASCADE"
                )
            )

        self.tx(forget)


@pytest.fixture
def relay(house) -> Iterator[None]:
    """The outbox relay, as a process of the house would run it."""
    stop = threading.Event()
    thread = threading.Thread(target=outbox.run, args=("allocation", house.settings, stop))
    thread.start()
    yield
    stop.set()
    thread.join()


@pytest.fixture
def district(house: House, seal_all: Callable[[Transactions, Iterable[seals.Source]], None]) -> "World":
    """A small district that inventory knows nothing of yet; nothing else is known to allocation.

    What other tests have left is sealed: in a long run it is late by now, and no worker runs here.
    """
    seal_all(house.tx, proof.SEALED)
    house.clear()
    return World(house, next(_serial))


@pytest.fixture
def stocked(district: "World", catalogue_put: None) -> "World":
    """The same with its stores, supplier and shelters in inventory, and goods in them."""
    district.stock_up()
    return district


@pytest.fixture(scope="session")
def catalogue_put(house: House, sample: SimpleNamespace) -> None:
    put_catalogue(house, sample)


def put_catalogue(house: "House", sample: SimpleNamespace) -> None:
    for row in sample.items:
        house.inventory().put_item(row)
    house.inventory().put_kit(sample.kit)


@pytest.fixture
def whole(settings: Settings, sample: SimpleNamespace) -> Iterator["World"]:
    """A stocked district whose services have databases of their own, the gateway's too: for `chubei doctor`."""
    from chubei_inventory.app import create_app as create_inventory

    own = settings.model_copy(
        update={"database_prefix": "wholetest", "solver_time_limit_s": 1, "exercise_books": "house"}
    )
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("CHUBEI_DATABASE_URL", own.database_url)
        environment.setenv("CHUBEI_DATABASE_PREFIX", own.database_prefix)
        migrate()
    with served(create_inventory(own)) as url:
        house = House(own.model_copy(update={"inventory_url": url}))
        put_catalogue(house, sample)
        world = World(house, 1)
        world.stock_up()
        yield world


@pytest.fixture(scope="session")
def sample() -> SimpleNamespace:
    """The values behind a `World`, for tests that need no service; the supplier is a maker here."""
    made = [
        item(WATER, "饮用水", "water", 10_000),
        item(QUILT, "棉被", "quilts", 2_000),
        item(BED, "行军床", "beds", 8_000),
    ]
    return SimpleNamespace(
        water=WATER,
        quilt=QUILT,
        items=made,
        kit=kit(),
        kits=[kit()],
        network=network_of("NORTH", "SOUTH", "MAKER", ["P1", "P2", "P3"]),
    )


class World:
    """300 people at three shelters; 200 cases of water on the shelf in the north, 200 more by agreement."""

    def __init__(self, house: House, serial: int) -> None:
        self.house = house
        self.north, self.south, self.supplier = (f"{name}-{serial}" for name in ("NORTH", "SOUTH", "SUP"))
        self.shelters = [f"P{n}-{serial}" for n in (1, 2, 3)]
        self.commander = house.as_(Role.COMMANDER)
        self.approver = house.as_(Role.APPROVER)
        self.clerks = {
            place: house.as_(Role.CLERK, name=f"clerk-{place}", places=frozenset({place}))
            for place in (self.north, self.south)
        }
        self.books = house.inventory()
        house.as_(Role.ADMIN).put_network(self.network())

    def network(self) -> network.Network:
        return network_of(self.north, self.south, self.supplier, self.shelters)

    def stock_up(self) -> None:
        kind = catalogue.PlaceKind
        for place_id, of_kind in [
            (self.north, kind.STORE),
            (self.south, kind.STORE),
            (self.supplier, kind.SUPPLIER),
            *((shelter, kind.POINT) for shelter in self.shelters),
        ]:
            self.books.put_place(
                catalogue.Place(
                    id=place_id,
                    kind=of_kind,
                    name_zh=f"示例{place_id}",
                    name_en=f"Example {place_id}",
                    lon=116.36,
                    lat=39.91,
                    provenance=INVENTED,
                )
            )
        self.receive(self.north, {WATER: 200, QUILT: 400})
        self.receive(self.south, {BED: 400})
        self.books.put_reserve(
            reserves.Agreement(
                id=f"AGR-{self.supplier}",
                mode="contract",
                place_id=self.supplier,
                item_code=WATER,
                quantity=200,
                lead_min=30,
                unit_price_fen=2000,
                last_verified_on=TODAY - timedelta(days=3),
                party="示例供水",
                valid_from=TODAY - timedelta(days=30),
                valid_until=TODAY + timedelta(days=300),
                provenance=INVENTED,
            )
        )

    def receive(self, place_id: str, goods: dict[str, int]) -> None:
        """Goods that last for a year."""
        self.books.record(
            stock.Receive(
                kind="receive",
                id=uuid4(),
                occurred_at=datetime.now(UTC) - timedelta(days=2),
                place_id=place_id,
                lines=[
                    stock.ReceiveLine(
                        item_code=code,
                        lot=catalogue.Lot(
                            lot_no=f"L-{code}",
                            maker="示例厂",
                            expires_on=TODAY + timedelta(days=365),
                        ),
                        quantity=units,
                    )
                    for code, units in goods.items()
                ],
            )
        )

    def take_away(self, place_id: str, code: str, units: int) -> None:
        """Goods go out for another purpose."""
        self.books.record(
            stock.Issue(
                kind="issue",
                id=uuid4(),
                occurred_at=datetime.now(UTC),
                place_id=place_id,
                reason="另有用途",
                lines=[stock.IssueLine(item_code=code, quantity=units)],
            )
        )

    def on_hand(self, place_id: str) -> dict[str, int]:
        found: dict[str, int] = {}
        for row in self.books.stock(place_id=place_id).rows:
            found[row.item_code] = found.get(row.item_code, 0) + row.on_hand
        return found

    def declare(self, exercise: bool = True, hours_ago: float = 13) -> IncidentView:
        return self.commander.declare(
            IncidentDeclaration(
                id=uuid4(),
                kind="earthquake",
                level=2,
                name="示例地震",
                occurred_at=datetime.now(UTC) - timedelta(hours=hours_ago),
                exercise=exercise,
            )
        )

    def request(self, incident: IncidentView, **more) -> UUID:
        """A plan request, not yet taken up by anybody."""
        body = PlanRequest(id=uuid4(), incident_id=incident.id, now_min=0, **EFFORT, **more)
        return self.commander.request_plan(body).id

    def solve(self, request_id: UUID) -> list[dict]:
        """Do in this process what the worker does; the progress that was told."""
        told: list[dict] = []
        solving.solve(self.house.tx, self.house.gate, request_id, 4096, told.append)
        return told

    def proposed(self, incident: IncidentView | None = None) -> PlanView:
        """A plan by the real planner."""
        request_id = self.request(incident or self.declare())
        self.solve(request_id)
        state = self.commander.plan_request(request_id)
        assert state.plan_id, state.error
        return self.commander.plan(state.plan_id)
