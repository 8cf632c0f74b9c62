"""The inventory service on its own database, and people who call it.

Nothing in a ledger can be deleted, so tests keep apart by fresh ids: `fresh("store")` names a new place.
"""

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import count
from typing import Any
from uuid import UUID, uuid4

import pytest
from alembic import command
from alembic.config import Config
from chubei_inventory.app import create_app
from chubei_shared.china import day
from chubei_shared.contracts.base import Certainty, Mode, Provenance
from chubei_shared.contracts.catalogue import Family, Item, Place, PlaceKind
from chubei_shared.contracts.holds import HoldLine, HoldRequest
from chubei_shared.contracts.inventory_client import InventoryClient
from chubei_shared.contracts.stock import Adjust, AdjustLine, Issue, Receive, Reverse
from chubei_shared.db import make_engine
from chubei_shared.settings import Settings
from chubei_shared.tokens import Caller, Role, Signer
from fastapi import FastAPI
from sqlalchemy import URL, Engine, create_engine, text
from starlette.testclient import TestClient

INVENTED = Provenance(certainty=Certainty.INVENTED, source="test")
SOON = date(2030, 6, 1)
_numbers = count(1)


def fresh(prefix: str) -> str:
    """An id that no other test has."""
    return f"{prefix}-{next(_numbers)}"


def now() -> datetime:
    return datetime.now(UTC)


def today() -> date:
    """As the books count days: in China."""
    return day(now())


@pytest.fixture(scope="session")
def database(settings: Settings) -> URL:
    """A migrated database of the inventory."""
    url = settings.database("inventory")
    server = create_engine(url.set(database="postgres"), isolation_level="AUTOCOMMIT")
    with server.connect() as connection:
        connection.execute(text(f'CREATE DATABASE "{url.database}"'))
    server.dispose()
    config = Config()
    config.set_main_option("script_location", "chubei_inventory:migrations")
    config.attributes["url"] = url
    command.upgrade(config, "head")
    return url


@pytest.fixture(scope="session")
def engine(database: URL) -> Iterator[Engine]:
    """Straight to the database, as a caller would who goes around the verbs."""
    made = make_engine(database, pool_size=12)
    yield made
    made.dispose()


@pytest.fixture(scope="session")
def app(database: URL, settings: Settings) -> FastAPI:
    return create_app(settings)


SignIn = Callable[..., TestClient]


@pytest.fixture(scope="session")
def sign_in(app: FastAPI, settings: Settings) -> SignIn:
    """`sign_in(Role.CLERK, "store-1")`: an HTTP client with that role's token, bound to those places."""

    def signed(role: Role, *places: str) -> TestClient:
        issuer = "allocation" if role is Role.SERVICE else "gateway"
        caller = Caller(
            subject=f"a-{role}",
            roles=frozenset({role}),
            places=frozenset(places),
            acting_for="commander-li" if role is Role.SERVICE else None,
        )
        token = Signer(settings.keys_dir, issuer).issue(caller, timedelta(hours=1))
        return TestClient(app, headers={"Authorization": f"Bearer {token}"}, raise_server_exceptions=False)

    return signed


@pytest.fixture(scope="session")
def service(sign_in: SignIn) -> InventoryClient:
    """The allocation service's client."""
    return InventoryClient(sign_in(Role.SERVICE))


@pytest.fixture(scope="session")
def admin(sign_in: SignIn) -> InventoryClient:
    return InventoryClient(sign_in(Role.ADMIN))


class Yard:
    """A store with one item, and the few things that tests keep doing there."""

    now, today, soon, invented = staticmethod(now), staticmethod(today), SOON, INVENTED

    def __init__(self, admin: InventoryClient, service: InventoryClient) -> None:
        self.admin, self.service = admin, service
        self.store = self.place(PlaceKind.STORE)
        self.item = self.new_item()

    def place(self, kind: PlaceKind) -> str:
        name = fresh(kind)
        self.admin.put_place(Place(id=name, kind=kind, name_zh=name, name_en=name, provenance=INVENTED))
        return name

    def new_item(self, **changes: Any) -> str:
        code = str(1_000_000 + next(_numbers))
        values: dict[str, Any] = {
            "code": code, "name_zh": "水", "name_en": "Water", "family": Family.RELIEF, "unit_zh": "瓶",
            "pack": 24, "weight_g": 550, "volume_cm3": 700, "reserve_modes": [Mode.PHYSICAL],
            "managing_body": "应急局", "dispatch_authority": "应急局", "provenance": INVENTED,
        }  # fmt: skip
        self.admin.put_item(Item(**values | changes))
        return code

    def receive(
        self,
        quantity: int,
        expires_on: date | None = SOON,
        lot_no: str | None = None,
        place: str | None = None,
    ) -> UUID:
        """Receive a lot of the item; returns the lot's id."""
        lot = {"lot_no": lot_no or fresh("lot"), "maker": "厂", "expires_on": expires_on}
        line = {"item_code": self.item, "quantity": quantity, "lot": lot}
        receipt = Receive.model_validate(
            {
                "kind": "receive",
                "id": uuid4(),
                "occurred_at": now(),
                "place_id": place or self.store,
                "lines": [line],
            }
        )
        return self.admin.record(receipt).entries[0].lot_id

    def issue(self, quantity: int, **changes: Any) -> Issue:
        """An issue of the item, not yet sent."""
        line = {"item_code": self.item, "quantity": quantity} | changes.pop("line", {})
        body = {"kind": "issue", "id": uuid4(), "occurred_at": now(), "place_id": self.store, "lines": [line]}
        return Issue.model_validate(body | changes)

    def reversal(self, movement_id: UUID) -> Reverse:
        """A reversal, not yet sent."""
        return Reverse(kind="reverse", id=uuid4(), occurred_at=now(), reverses_id=movement_id, reason="误记")

    def adjustment(self, lot_id: UUID, *changes: int) -> Adjust:
        """An adjustment of a lot at the store, not yet sent."""
        lines = [AdjustLine(lot_id=lot_id, change=change) for change in changes]
        return Adjust(
            kind="adjust", id=uuid4(), occurred_at=now(), place_id=self.store, reason="盘点", lines=lines
        )

    def books_balance(self) -> bool:
        return self.admin.books().faults == []

    def line(self, quantity: int, **changes: Any) -> HoldLine:
        values: dict[str, Any] = {
            "place_id": self.store, "item_code": self.item, "mode": Mode.PHYSICAL, "quantity": quantity,
            "needed_at": now() + timedelta(hours=6),
        }  # fmt: skip
        return HoldLine(**values | changes)

    def request(self, *lines: HoldLine) -> HoldRequest:
        """A request to hold `lines`, not yet sent."""
        return HoldRequest(
            id=uuid4(), purpose="plan:test", expires_at=now() + timedelta(hours=1), lines=list(lines)
        )

    def hold(self, quantity: int) -> UUID:
        return self.service.hold(self.request(self.line(quantity))).id

    def all_places(self) -> list[Place]:
        return self.pages(self.admin.places, limit=500)

    def pages(self, ask: Callable[..., Any], limit: int = 2, **query: Any) -> list[Any]:
        """All rows of a collection, page by page."""
        rows, cursor = [], None
        while True:
            page = ask(**query, cursor=cursor, limit=limit)
            rows += page.rows
            if (cursor := page.next_cursor) is None:
                return rows

    def stock(self, place: str | None = None) -> tuple[int, int, int]:
        """On hand, held and available of the item at a place."""
        rows = self.admin.stock(place_id=place or self.store, item_code=self.item).rows
        return sum(r.on_hand for r in rows), sum(r.held for r in rows), sum(r.available for r in rows)


@pytest.fixture
def yard(admin: InventoryClient, service: InventoryClient) -> Yard:
    return Yard(admin, service)


@pytest.fixture
def expire(engine: Engine) -> Callable[[UUID], None]:
    """Let a hold's time be over, without anybody noticing."""

    def past(hold_id: UUID) -> None:
        with engine.begin() as connection:
            connection.execute(
                text("UPDATE hold SET expires_at = now() - interval '1 second' WHERE id = :id"),
                {"id": hold_id},
            )

    return past
