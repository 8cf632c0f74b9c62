"""A PostgreSQL as `chubei up` runs it (durability on), databases of the inventory, goods, and servers over them."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from uuid import uuid4

from alembic import command
from alembic.config import Config
from chubei_cli.process import die_with_parent
from chubei_inventory.catalogue import catalogue
from chubei_inventory.movements import movements
from chubei_shared.contracts.base import Certainty, Mode, Provenance
from chubei_shared.contracts.catalogue import Family, Item, Place, PlaceKind
from chubei_shared.contracts.stock import Receive
from chubei_shared.db import Transactions, make_engine
from chubei_shared.settings import Settings
from chubei_shared.tokens import Caller, Role, Signer, ensure_keys
from sqlalchemy import Engine, create_engine, text

BOSS = Caller("bench", frozenset({Role.ADMIN}))
STORES = ("STORE-N", "STORE-C", "STORE-S")
ITEMS = tuple(str(1_020_101 + n) for n in range(70))
BOX = {"lot_no": "L1", "maker": "厂", "expires_on": "2035-01-01"}
_INVENTED = Provenance(certainty=Certainty.INVENTED, source="bench")


class House:
    """One server with as many databases as are asked for."""

    def __init__(self, server_url: str, folder: Path) -> None:
        ensure_keys(folder / "keys")
        self.server_url, self.folder = server_url, folder

    def settings(self, prefix: str) -> Settings:
        return Settings(
            database_url=self.server_url, database_prefix=prefix, redis_url="redis://127.0.0.1:1/0",
            keys_dir=self.folder / "keys",
        )  # fmt: skip

    def database(self, prefix: str) -> Engine:
        """A new, migrated database of the inventory, with places, items and a lot of each everywhere."""
        url = self.settings(prefix).database("inventory")
        server = create_engine(url.set(database="postgres"), isolation_level="AUTOCOMMIT")
        with server.connect() as connection:
            connection.execute(text(f'CREATE DATABASE "{url.database}"'))
        server.dispose()
        config = Config()
        config.set_main_option("script_location", "chubei_inventory:migrations")
        config.attributes["url"] = url
        command.upgrade(config, "head")
        engine = make_engine(url)
        _furnish(Transactions(engine))
        return engine

    def token(self) -> str:
        return Signer(self.folder / "keys", "gateway").issue(BOSS, timedelta(hours=2))

    @contextmanager
    def serving(self, app: str, prefix: str, **more: str) -> Iterator[int]:
        """`app` under uvicorn, one process; gives its port."""
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = int(free.getsockname()[1])
        settings = self.settings(prefix)
        environment = os.environ | {
            "CHUBEI_DATABASE_URL": self.server_url, "CHUBEI_DATABASE_PREFIX": prefix,
            "CHUBEI_REDIS_URL": settings.redis_url, "CHUBEI_KEYS_DIR": str(settings.keys_dir), **more,
        }  # fmt: skip
        with (self.folder / f"{app.partition(':')[0]}.log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "uvicorn", "--factory", app, "--port", str(port), "--no-access-log"],
                env=environment, stdout=log, stderr=log, preexec_fn=die_with_parent(),
            )  # fmt: skip
        try:
            _until_it_answers(port, process)
            yield port
        finally:
            process.terminate()
            process.wait()


def _until_it_answers(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        try:
            HTTPConnection("127.0.0.1", port, timeout=2).request("GET", "/healthz")
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise RuntimeError(f"nothing answers on port {port}")


def receipt(place: str, codes: tuple[str, ...], units: int) -> Receive:
    lines = [{"item_code": code, "quantity": units, "lot": BOX} for code in codes]
    head: dict[str, Any] = {"kind": "receive", "id": uuid4(), "occurred_at": datetime.now(UTC)}
    return Receive.model_validate(head | {"place_id": place, "lines": lines})


def _furnish(tx: Transactions) -> None:
    for place in STORES:
        tx(catalogue.put_place, Place(
            id=place, kind=PlaceKind.STORE, name_zh=place, name_en=place, provenance=_INVENTED))  # fmt: skip
    for code in ITEMS:
        tx(catalogue.put_item, Item(
            code=code, name_zh="物", name_en="goods", family=Family.RELIEF, unit_zh="件", pack=1, weight_g=500,
            volume_cm3=500, reserve_modes=[Mode.PHYSICAL], managing_body="局", dispatch_authority="局",
            provenance=_INVENTED), BOSS)  # fmt: skip
    for place in STORES:
        tx(movements.record, receipt(place, ITEMS, 10**6), BOSS)
