"""A house of two services for allocation's tests: databases of its own, and the real inventory on a socket."""

import itertools
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from uuid import UUID, uuid4

import httpx
import pytest
import uvicorn
from chubei_allocation import solving
from chubei_allocation.app import create_app
from chubei_allocation.inventory_gate import InventoryGate
from chubei_cli.migrate import migrate
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

WATER, QUILT, BED = "1020101", "1040101", "1010201"
INVENTED = {"certainty": "invented", "source": "test"}
TODAY = datetime.now(UTC).date()
_serial = itertools.count(1)


@pytest.fixture(scope="session")
def house_settings(settings: Settings) -> Iterator[Settings]:
    """Migrated databases that no other area's tests use."""
    own = settings.model_copy(update={"database_prefix": "alloctest", "solver_time_limit_s": 1})
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
        """Forget all incidents, plans and orders, and the district."""
        self.tx(
            lambda session: session.execute(
                text(
                    "TRUNCATE district, subdistrict, shelter, loading_site, vehicle_type, incident, demand_point,"
                    " plan_request, plan, dispatch_order, order_step, outbox RESTART IDENTITY"
                )
            )
        )


@pytest.fixture
def district(house: House) -> "World":
    """A small district that inventory knows nothing of yet; nothing else is known to allocation."""
    house.clear()
    return World(house, next(_serial))


@pytest.fixture
def stocked(district: "World", catalogue_put: None) -> "World":
    """The same with its stores, supplier and shelters in inventory, and goods in them."""
    district.stock_up()
    return district


@pytest.fixture(scope="session")
def catalogue_put(house: House, sample: SimpleNamespace) -> None:
    for row in sample.items:
        house.inventory().put_item(row)
    house.inventory().put_kit(sample.kit)


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
        body = PlanRequest(id=uuid4(), incident_id=incident.id, time_limit_s=1, now_min=0, **more)
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


def item(code: str, zh: str, en: str, grams: int) -> catalogue.Item:
    return catalogue.Item(
        code=code,
        name_zh=zh,
        name_en=en,
        family="relief",
        unit_zh="件",
        pack=1,
        weight_g=grams,
        volume_cm3=20_000,
        reserve_modes=["physical", "contract"],
        managing_body="应急管理局",
        dispatch_authority="区应急指挥部",
        provenance=INVENTED,
    )


def kit() -> catalogue.Kit:
    needs = [(WATER, 1), (QUILT, 1), (BED, 2)]
    return catalogue.Kit(
        id="indoor-test",
        name_zh="室内",
        name_en="indoors",
        needs=[{"item_code": code, "per_person": 1, "tier": tier} for code, tier in needs],
        provenance=INVENTED,
    )


def network_of(north: str, south: str, supplier: str, shelters: list[str]) -> network.Network:
    """Two sub-districts of 20,000 and 10,000 residents, three shelters, three loading sites, five trucks."""
    names = {"name_zh": "示例", "name_en": "example", "provenance": INVENTED}
    sites = [
        network.LoadingSite(
            place_id=place,
            docks=[{"from_min": 0, "manned": 1}, {"from_min": 60, "manned": 2}],
            load_fixed_min=10,
            load_kg_per_min=100,
            provenance=INVENTED,
        )
        for place in (north, south, supplier)
    ]
    points = [
        network.Shelter(
            id=shelter,
            subdistrict_id=subdistrict,
            lon=116.35 + 0.01 * n,
            lat=39.92,
            capacity=capacity,
            kit_id="indoor-test",
            bays=1,
            unload_fixed_min=5,
            unload_kg_per_min=80,
            opens_min=30,
            hand_out_per_hour=120,
            max_size=1,
            **names,
        )
        for n, (shelter, subdistrict, capacity) in enumerate(
            zip(shelters, ("A", "A", "B"), (150, 50, 80), strict=True)
        )
    ]
    fleet = [
        network.VehicleType(
            id=f"TRUCK-{place}",
            count=count,
            start_place_id=place,
            available_min=20,
            payload_kg=1500,
            volume_l=15_000,
            size=1,
            **names,
        )
        for place, count in ((north, 3), (south, 2))
    ]
    return network.Network(
        district=network.District(
            id="sample",
            residents=30_000,
            duty_share=0.01,
            deadline_min=720,
            circuity=1.4,
            speed_kmh=12,
            group_shares={"infant": 0.02, "frail": 0.03},
            attributions=["© OpenStreetMap contributors"],
            **names,
        ),
        subdistricts=[
            network.SubDistrict(id=code, residents=residents, lon=116.35, lat=39.92, **names)
            for code, residents in (("A", 20_000), ("B", 10_000))
        ],
        loading_sites=sites,
        shelters=points,
        vehicle_types=fleet,
    )
