"""The inventory's client against the inventory itself, served by uvicorn on a real port.

One walk through every method, as allocation and `chubei seed` use it; what is refused arrives as the error
that the service raised, with all that it carried.
"""

import threading
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from uuid import UUID, uuid4

import httpx
import pytest
import uvicorn
from alembic import command
from alembic.config import Config
from chubei_inventory.app import create_app
from chubei_shared.contracts.base import Certainty, Mode, Provenance
from chubei_shared.contracts.catalogue import Family, Item, Kit, KitNeed, Lot, Place, PlaceKind
from chubei_shared.contracts.holds import HoldLine, HoldReplace, HoldRequest, HoldStatus
from chubei_shared.contracts.inventory_client import InventoryClient
from chubei_shared.contracts.reserves import Agreement
from chubei_shared.contracts.stock import Issue, IssueLine, Receive, ReceiveLine
from chubei_shared.errors import Conflict, Forbidden, Invalid, NotFound, Shortage, Unauthorized, Unavailable
from chubei_shared.settings import Settings
from chubei_shared.tokens import Caller, Role, Signer
from sqlalchemy import create_engine, text

PROVENANCE = Provenance(certainty=Certainty.INVENTED, source="contract test")
NOW = datetime.now(UTC)
ITEM = Item(
    code="1020101", name_zh="饮用水", name_en="Water", family=Family.RELIEF, unit_zh="瓶", pack=24, weight_g=550,
    volume_cm3=700, reserve_modes=[Mode.PHYSICAL], managing_body="应急局", dispatch_authority="应急局",
    provenance=PROVENANCE,
)  # fmt: skip
KIT = Kit(
    id="indoor", name_zh="室内", name_en="Indoors", provenance=PROVENANCE,
    needs=[KitNeed(item_code=ITEM.code, per_person=Decimal("2.5"), tier=1)],
)  # fmt: skip
STORE, SUPPLIER = (
    Place(id=name, kind=kind, name_zh=name, name_en=name, lon=116.36, lat=39.91, provenance=PROVENANCE)
    for name, kind in (("store#1", PlaceKind.STORE), ("supplier:1", PlaceKind.SUPPLIER))
)
AGREEMENT = Agreement(
    id="agreement.1", place_id=SUPPLIER.id, party="甲公司", valid_from=date(2020, 1, 1),
    valid_until=date(2040, 1, 1), provenance=PROVENANCE, mode=Mode.CONTRACT, item_code=ITEM.code,
    quantity=100, lead_min=120, unit_price_fen=200, last_verified_on=NOW.date(),
)  # fmt: skip


@pytest.fixture(scope="module")
def house(settings: Settings) -> Settings:
    """A migrated inventory apart from that of other tests."""
    own = settings.model_copy(update={"database_prefix": "contract"})
    url = own.database("inventory")
    server = create_engine(url.set(database="postgres"), isolation_level="AUTOCOMMIT")
    with server.connect() as connection:
        connection.execute(text(f'CREATE DATABASE "{url.database}"'))
    server.dispose()
    config = Config()
    config.set_main_option("script_location", "chubei_inventory:migrations")
    config.attributes["url"] = url
    command.upgrade(config, "head")
    return own


@pytest.fixture(scope="module")
def base_url(house: Settings) -> Iterator[str]:
    server = uvicorn.Server(uvicorn.Config(create_app(house), port=0, log_config=None))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive()
        time.sleep(0.02)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join()


def client(base_url: str, settings: Settings, role: Role) -> InventoryClient:
    issuer = "allocation" if role is Role.SERVICE else "gateway"
    token = Signer(settings.keys_dir, issuer).issue(Caller("someone", frozenset({role})))
    return InventoryClient(httpx.Client(base_url=base_url, headers={"Authorization": f"Bearer {token}"}))


@pytest.fixture(scope="module")
def admin(base_url: str, house: Settings) -> InventoryClient:
    """An administrator, in a house with an item, a kit, a store, a supplier and an agreement."""
    made = client(base_url, house, Role.ADMIN)
    made.put_item(ITEM)
    made.put_kit(KIT)
    made.put_place(STORE)
    made.put_place(SUPPLIER)
    made.put_reserve(AGREEMENT)
    return made


@pytest.fixture(scope="module")
def service(base_url: str, house: Settings, admin: InventoryClient) -> InventoryClient:
    return client(base_url, house, Role.SERVICE)


def receive(quantity: int, lot_no: str) -> Receive:
    lot = Lot(lot_no=lot_no, maker="乙厂", made_on=date(2026, 1, 1), expires_on=date(2036, 1, 1))
    line = ReceiveLine(item_code=ITEM.code, lot=lot, quantity=quantity)
    return Receive(kind="receive", id=uuid4(), occurred_at=NOW, place_id=STORE.id, lines=[line])


def issue(quantity: int, hold_id: UUID | None = None) -> Issue:
    line = IssueLine(item_code=ITEM.code, quantity=quantity)
    return Issue(
        kind="issue",
        id=uuid4(),
        occurred_at=NOW,
        place_id=STORE.id,
        hold_id=hold_id,
        order_id=uuid4(),
        lines=[line],
    )


def hold(quantity: int, mode: Mode = Mode.PHYSICAL) -> HoldRequest:
    place = STORE if mode is Mode.PHYSICAL else SUPPLIER
    line = HoldLine(
        place_id=place.id,
        item_code=ITEM.code,
        mode=mode,
        quantity=quantity,
        needed_at=NOW + timedelta(hours=3),
    )
    return HoldRequest(id=uuid4(), purpose="plan:1", expires_at=NOW + timedelta(hours=2), lines=[line])


def test_master_data_comes_back_as_it_was_put(admin):
    assert admin.put_item(ITEM) == ITEM
    assert admin.put_kit(KIT) == KIT
    assert admin.put_place(STORE) == STORE
    assert admin.items().rows == [ITEM]
    assert admin.kits().rows == [KIT]
    assert admin.places().rows == [STORE, SUPPLIER]
    assert admin.put_reserve(AGREEMENT) == admin.reserve(AGREEMENT.id) == admin.reserves().rows[0]
    assert admin.reserve(AGREEMENT.id).reserve == AGREEMENT


def test_movements_and_stock(admin, service):
    receipt = receive(100, "L1")
    view = admin.record(receipt)
    assert admin.record(receipt) == view == admin.movement(receipt.id)
    assert view in admin.movements(place_id=STORE.id, item_code=ITEM.code).rows
    row = admin.stock(place_id=STORE.id, lot_id=view.entries[0].lot_id).rows[0]
    assert (row.lot_no, row.on_hand, row.available) == ("L1", 100, 100)
    first = admin.stock(limit=1)
    assert first.next_cursor is None or admin.stock(limit=1, cursor=first.next_cursor).rows != first.rows
    going = issue(3)
    assert admin.movements(order_id=service.record(going).order_id).rows[0].id == going.id


def test_holds(admin, service):
    admin.record(receive(100, "L2"))
    request = hold(10)
    view = service.hold(request)
    assert view == service.hold(request) == service.get_hold(request.id)
    service.record(issue(4, request.id))
    other = hold(20)
    assert service.hold_replace(HoldReplace(release=[request.id], hold=other)).status is HoldStatus.OPEN
    assert service.get_hold(request.id).status is HoldStatus.RELEASED
    assert service.release(other.id).status is HoldStatus.RELEASED


def test_what_can_be_had(admin, service):
    admin.record(receive(50, "L3"))
    held = service.hold(hold(60, Mode.CONTRACT))
    taken = {row.mode: row.quantity for row in service.snapshot().supply}
    freed = service.snapshot(needed_by=NOW + timedelta(days=1), release_holds=[held.id])
    assert taken[Mode.CONTRACT] == 40
    assert {row.mode: row.quantity for row in freed.supply} == taken | {Mode.CONTRACT: 100}
    assert freed.items == [ITEM]
    assert [(r.minute, r.contract) for r in service.availability([0, 120], ITEM.code)] == [(0, 0), (120, 40)]
    assert admin.books().faults == []
    service.release(held.id)


def test_refusals_arrive_as_what_they_are(base_url, house, admin, service):
    with pytest.raises(Shortage) as short:
        service.hold(hold(10**6))
    assert short.value.more["shortages"][0]["asked"] == 10**6
    receipt = receive(1, "L4")
    admin.record(receipt)
    with pytest.raises(Conflict):
        admin.record(receipt.model_copy(update={"voucher": "other"}))
    with pytest.raises(NotFound):
        admin.movement(uuid4())
    with pytest.raises(Invalid, match="nowhere"):
        admin.record(receipt.model_copy(update={"id": uuid4(), "place_id": "nowhere"}))
    with pytest.raises(Forbidden):
        client(base_url, house, Role.AUDITOR).record(receipt)
    with pytest.raises(Unauthorized):
        InventoryClient(httpx.Client(base_url=base_url)).books()
    with pytest.raises(Unavailable):
        InventoryClient(httpx.Client(base_url="http://127.0.0.1:1")).books()
