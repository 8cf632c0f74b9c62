"""Files as they come in and go out, by an administrator."""

import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from alembic import command
from alembic.config import Config
from chubei_inventory.app import create_app
from chubei_shared.settings import Settings
from chubei_shared.tokens import Caller, Role, Signer
from sqlalchemy import create_engine, text
from starlette.testclient import TestClient

sys.path.insert(0, str(Path(__file__).parent))

from exchange_cases import Exchange


@pytest.fixture
def files(sign_in: Any) -> Exchange:
    return Exchange(sign_in(Role.ADMIN))


@pytest.fixture
def unknown(yard: Any) -> Callable[[], str]:
    """Codes of items that nobody has registered."""
    return lambda: str(int(yard.new_item()) + 5_000_000)


@pytest.fixture
def new_house(settings: Settings) -> Iterator[Callable[[], Exchange]]:
    """Makes inventories with nothing in them; each answers an administrator."""
    names, apps = [], []
    server = create_engine(
        settings.database("inventory").set(database="postgres"), isolation_level="AUTOCOMMIT"
    )

    def make() -> Exchange:
        own = settings.model_copy(update={"database_prefix": f"new_{uuid4().hex[:8]}"})
        url = own.database("inventory")
        names.append(url.database)
        with server.connect() as connection:
            connection.execute(text(f'CREATE DATABASE "{url.database}"'))
        config = Config()
        config.set_main_option("script_location", "chubei_inventory:migrations")
        config.attributes["url"] = url
        command.upgrade(config, "head")
        apps.append(create_app(own))
        caller = Caller(subject="a-admin", roles=frozenset({Role.ADMIN}), places=frozenset(), acting_for=None)
        token = Signer(settings.keys_dir, "gateway").issue(caller, timedelta(hours=1))
        return Exchange(TestClient(apps[-1], headers={"Authorization": f"Bearer {token}"}))

    yield make
    with server.connect() as connection:
        for name in names:
            connection.execute(text(f'DROP DATABASE "{name}" WITH (FORCE)'))
    server.dispose()
