"""kill -9 in mid-write, of the service and of PostgreSQL: every acknowledged operation is there exactly once.

Durability is on here. The kill comes when a request is known to be inside its transaction (it waits for a lot that
the test has locked), and also anywhere while four clerks are writing.
"""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import psutil
import psycopg
import pytest
from alembic import command
from alembic.config import Config
from chubei_cli.embedded import PostgresServer
from chubei_cli.errors import NotReady
from chubei_cli.process import die_with_parent, free_port
from chubei_cli.unprivileged import identity
from chubei_shared.contracts.base import Certainty, Mode, Provenance
from chubei_shared.contracts.catalogue import Family, Item, Place, PlaceKind
from chubei_shared.contracts.inventory_client import InventoryClient
from chubei_shared.errors import AppError
from chubei_shared.settings import Settings
from chubei_shared.tokens import Caller, Role, Signer
from sqlalchemy import create_engine, text

LONG_S = 90
INVENTED = Provenance(certainty=Certainty.INVENTED, source="test")
STORE = Place(id="STORE", kind=PlaceKind.STORE, name_zh="库", name_en="store", provenance=INVENTED)
WATER = Item(
    code="1020101", name_zh="水", name_en="Water", family=Family.RELIEF, unit_zh="瓶", pack=24, weight_g=550,
    volume_cm3=700, reserve_modes=[Mode.PHYSICAL], managing_body="局", dispatch_authority="局",
    provenance=INVENTED,
)  # fmt: skip
BOX = {"lot_no": "L", "maker": "厂"}


class House:
    """A PostgreSQL and an inventory service, each in processes of its own that can be killed and started again."""

    def __init__(self, folder: Path, redis_url: str, keys_dir: Path) -> None:
        self.server = PostgresServer(folder / "postgres")
        self.log = (folder / "log").open("ab")
        self.port, self.keys_dir, self.redis_url = free_port(), keys_dir, redis_url
        self.start_postgres()
        self.settings = Settings(database_url=self.server.url, redis_url=redis_url, keys_dir=keys_dir)
        self.migrate()
        self.start_service()
        token = Signer(keys_dir, "gateway").issue(
            Caller("chief", frozenset({Role.ADMIN})), timedelta(hours=1)
        )
        self.http = httpx.Client(
            base_url=f"http://127.0.0.1:{self.port}", headers={"Authorization": f"Bearer {token}"}, timeout=30
        )
        self.client = InventoryClient(self.http)

    def start_postgres(self) -> None:
        self.server.prepare()
        self.postgres = subprocess.Popen(
            self.server.command(), cwd="/", env=self.server.environment, stdout=self.log, stderr=self.log,
            **identity(self.server.user), process_group=0, preexec_fn=die_with_parent(self.server.orphan_signal),
        )  # fmt: skip
        wait(self._postgres_answers)

    def _postgres_answers(self) -> bool:
        try:
            self.server.check_ready()
        except NotReady:
            return False
        return True

    def migrate(self) -> None:
        url = self.settings.database("inventory")
        engine = create_engine(url.set(database="postgres"), isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text(f'CREATE DATABASE "{url.database}"'))
        engine.dispose()
        config = Config()
        config.set_main_option("script_location", "chubei_inventory:migrations")
        config.attributes["url"] = url
        command.upgrade(config, "head")

    def start_service(self) -> None:
        environment = os.environ | {
            "CHUBEI_DATABASE_URL": self.server.url, "CHUBEI_REDIS_URL": self.redis_url,
            "CHUBEI_KEYS_DIR": str(self.keys_dir),
        }  # fmt: skip
        factory = ("--factory", "chubei_inventory.app:create_app", "--port", str(self.port))
        self.service = subprocess.Popen(
            [sys.executable, "-m", "uvicorn", *factory], env=environment, stdout=self.log, stderr=self.log,
            preexec_fn=die_with_parent(),
        )  # fmt: skip
        wait(self._service_answers)

    def _service_answers(self) -> bool:
        try:
            return httpx.get(f"http://127.0.0.1:{self.port}/healthz", timeout=5).is_success
        except httpx.HTTPError:
            return False

    def kill_service(self) -> None:
        self.service.kill()
        self.service.wait()

    def kill_postgres(self) -> None:
        """All of its processes at once, as a power cut would."""
        doomed = [
            *psutil.Process(self.postgres.pid).children(recursive=True),
            psutil.Process(self.postgres.pid),
        ]
        for process in doomed:
            process.suspend()
        for process in doomed:
            process.kill()
        self.postgres.wait()
        psutil.wait_procs(doomed)

    def close(self) -> None:
        self.kill_service()
        self.postgres.send_signal(signal.SIGQUIT)
        self.postgres.wait()
        self.log.close()


def wait(done: Any) -> None:
    deadline = time.monotonic() + LONG_S
    while not done():
        assert time.monotonic() < deadline, f"{done} in {LONG_S} s"
        time.sleep(0.05)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, redis_url: str, settings: Settings) -> Iterator[House]:
    made = House(tmp_path_factory.mktemp("crash"), redis_url, settings.keys_dir)
    made.client.put_place(STORE)
    made.client.put_item(WATER)
    yield made
    made.close()


def movement(kind: str, quantity: int) -> dict[str, Any]:
    head = {
        "kind": kind,
        "id": str(uuid4()),
        "occurred_at": datetime.now(UTC).isoformat(),
        "place_id": STORE.id,
    }
    return head | {"lines": [{"item_code": WATER.code, "quantity": quantity, "lot": BOX}]}


def on_hand(house: House) -> int:
    rows = house.client.stock(item_code=WATER.code).rows
    return sum(row.on_hand - row.disputed for row in rows if row.place_id == STORE.id)


def send(house: House, body: dict[str, Any], answers: list[Any]) -> None:
    try:
        answers.append(house.http.post("/v1/movements:batch", json=body).status_code)
    except httpx.HTTPError as error:
        answers.append(type(error).__name__)


@pytest.mark.parametrize("victim", ["service", "postgres"])
def test_killed_inside_a_transaction_and_it_is_there_once_when_it_is_sent_again(house, victim):
    house.http.post("/v1/movements", json=movement("receive", 100)).raise_for_status()
    before = on_hand(house)
    batch = {"movements": [movement("receive", 5), movement("issue", 3), movement("receive", 1)]}
    answers: list[Any] = []
    url = house.settings.database("inventory").set(drivername="postgresql")
    with psycopg.connect(url.render_as_string(hide_password=False), autocommit=True) as watcher:
        locker = psycopg.connect(url.render_as_string(hide_password=False))
        locker.execute("SELECT FROM lot FOR UPDATE")
        sender = threading.Thread(target=send, args=(house, batch, answers))
        sender.start()
        inside = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND state = 'active'"
        wait(lambda: watcher.execute(inside).fetchone()[0] == 1)
        written = "SELECT count(*) FROM movement"
        assert watcher.execute(written).fetchone()[0] >= 1
        house.kill_service() if victim == "service" else house.kill_postgres()
        sender.join()
        locker.close()
    assert answers != [200]
    if victim == "service":
        house.start_service()
    else:
        house.start_postgres()
        wait(house._service_answers)
    wait(lambda: not leftover(house))
    assert on_hand(house) == before, "half of a batch was kept"
    for _ in range(2):
        house.http.post("/v1/movements:batch", json=batch).raise_for_status()
    assert on_hand(house) == before + 3
    assert house.client.books().faults == []


def leftover(house: House) -> int:
    """Sessions that PostgreSQL has not given up yet."""
    url = house.settings.database("inventory").set(drivername="postgresql")
    with psycopg.connect(url.render_as_string(hide_password=False)) as connection:
        busy = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
        return connection.execute(busy).fetchone()[0]


class Clerk(threading.Thread):
    """Books one movement after another, singly and in batches; repeats each with its id until it is answered."""

    def __init__(self, house: House, over: threading.Event) -> None:
        super().__init__(daemon=True)
        self.house, self.over = house, over
        self.acknowledged: set[str] = set()
        self.units = 0

    def run(self) -> None:
        while not self.over.is_set():
            single, batch = movement("receive", 1), [movement("receive", 2), movement("issue", 1)]
            self.until_answered("/v1/movements", single)
            self.until_answered("/v1/movements:batch", {"movements": batch})
            self.acknowledged |= {single["id"], *(body["id"] for body in batch)}
            self.units += 2

    def until_answered(self, path: str, body: dict[str, Any]) -> None:
        while True:
            try:
                if self.house.http.post(path, json=body).is_success:
                    return
            except (httpx.HTTPError, AppError):
                pass
            time.sleep(0.05)


def test_every_acknowledged_operation_is_there_once_whoever_is_killed_whenever(house):
    before, over = on_hand(house), threading.Event()
    clerks = [Clerk(house, over) for _ in range(4)]
    for clerk in clerks:
        clerk.start()
    for turn in range(6):
        told = sum(len(clerk.acknowledged) for clerk in clerks)
        wait(lambda told=told: sum(len(clerk.acknowledged) for clerk in clerks) > told + 20)
        if turn % 2:
            house.kill_postgres()
            house.start_postgres()
        else:
            house.kill_service()
            house.start_service()
    over.set()
    for clerk in clerks:
        clerk.join()
    acknowledged = set().union(*(clerk.acknowledged for clerk in clerks))
    url = house.settings.database("inventory").set(drivername="postgresql")
    with psycopg.connect(url.render_as_string(hide_password=False)) as connection:
        booked = [str(row[0]) for row in connection.execute("SELECT id FROM movement").fetchall()]
    assert acknowledged <= set(booked), "an acknowledged operation is gone"
    assert len(booked) == len(set(booked))
    assert on_hand(house) == before + sum(clerk.units for clerk in clerks)
    assert house.client.books().faults == []
