"""Kill any one process of `chubei up` while a clerk is at work: it comes back, and the books balance."""

import secrets
import signal
import tempfile
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid4

import httpx
import psutil
import pytest
from chubei_cli.state import Running, StateFolder
from chubei_cli.up import running
from chubei_shared.contracts.base import Certainty, Mode, Provenance
from chubei_shared.contracts.catalogue import Family, Item, Lot, Place, PlaceKind
from chubei_shared.contracts.gateway_client import GatewayClient
from chubei_shared.contracts.inventory_client import InventoryClient
from chubei_shared.contracts.stock import Receive, ReceiveLine
from chubei_shared.errors import AppError

LONG_S = 90
INVENTED = Provenance(certainty=Certainty.INVENTED)
QUILT = Item(
    code="1010301",
    name_zh="棉被",
    name_en="quilt",
    family=Family.RELIEF,
    unit_zh="床",
    pack=1,
    weight_g=3000,
    volume_cm3=20000,
    reserve_modes=[Mode.PHYSICAL],
    managing_body="局",
    dispatch_authority="局",
    provenance=INVENTED,
)
STORE = Place(id="STORE", kind=PlaceKind.STORE, name_zh="库", name_en="store", provenance=INVENTED)


class Clerk(threading.Thread):
    """Receives one quilt after another; asks again with the same id until it is answered."""

    def __init__(self, inventory: InventoryClient) -> None:
        super().__init__(daemon=True)
        self._inventory, self.over = inventory, threading.Event()
        self.acknowledged: set[UUID] = set()

    def run(self) -> None:
        while not self.over.is_set():
            receipt = Receive(
                kind="receive",
                id=uuid4(),
                occurred_at=datetime.now(UTC),
                place_id=STORE.id,
                lines=[ReceiveLine(item_code=QUILT.code, quantity=1, lot=Lot(lot_no="L", maker="M"))],
            )
            while receipt.id not in self.acknowledged:
                try:
                    self.acknowledged.add(self._inventory.record(receipt).id)
                except AppError:
                    time.sleep(0.2)


@pytest.fixture
def house() -> Iterator[tuple[StateFolder, Running]]:
    with tempfile.TemporaryDirectory(prefix="chubei-e2e-") as folder, running(Path(folder)) as found:
        yield StateFolder(Path(folder)), found


def _until_well(state: StateFolder, url: str, killed: str, pid: int) -> None:
    """Wait until the killed child runs again under another pid, and all parts of the house answer."""
    deadline = time.monotonic() + LONG_S
    while True:
        assert time.monotonic() < deadline, f"{killed} did not come back"
        now = state.last_run()
        if (
            now is not None
            and now.children[killed]["pid"] not in (None, pid)
            and all(child["state"] in ("ready", "done") for child in now.children.values())
            and httpx.get(f"{url}/healthz", timeout=5, trust_env=False).status_code == 200
        ):
            return
        time.sleep(0.2)


def test_any_process_may_die(house: tuple[StateFolder, Running]) -> None:
    state, found = house
    url = found.urls["gateway"]
    with httpx.Client(base_url=url, timeout=30, trust_env=False) as http:
        admin, inventory = GatewayClient(http), InventoryClient(http)
        first = state.first_password.read_text().strip()
        admin.sign_in("admin", first)
        admin.change_password(first, secrets.token_urlsafe(12))
        inventory.put_item(QUILT)
        inventory.put_place(STORE)
        clerk = Clerk(inventory)
        clerk.start()
        for name, child in found.children.items():
            if child["state"] != "ready":
                continue
            now = state.last_run()
            assert now is not None
            pid = int(now.children[name]["pid"] or 0)  # it may be another than at the start
            psutil.Process(pid).send_signal(signal.SIGKILL)
            _until_well(state, url, name, pid)
        clerk.over.set()
        clerk.join(LONG_S)
        assert not clerk.is_alive()
        on_hand = sum(row.on_hand for row in inventory.stock(place_id=STORE.id).rows)
        assert on_hand == len(clerk.acknowledged) > 0
        assert inventory.books().faults == []
