"""What all tests share: a real PostgreSQL and a real Valkey, one of each for a pytest worker.

Durability is off (nothing here outlives the run); everything else is as `chubei up` runs it.
"""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from chubei_cli.embedded import embedded_postgres, embedded_valkey
from chubei_shared.settings import Settings
from chubei_shared.tokens import ensure_keys


@pytest.fixture(scope="session")
def folder() -> Iterator[Path]:
    """A folder for the servers, short and private, gone after the run."""
    with tempfile.TemporaryDirectory(prefix="chubei-test-") as made:
        yield Path(made)


@pytest.fixture(scope="session")
def postgres_url(folder: Path) -> Iterator[str]:
    with embedded_postgres(folder, {"fsync": "off", "synchronous_commit": "off"}) as url:
        yield url


@pytest.fixture(scope="session")
def redis_url(folder: Path) -> Iterator[str]:
    with embedded_valkey(folder) as url:
        yield url


@pytest.fixture(scope="session")
def settings(postgres_url: str, redis_url: str, folder: Path) -> Settings:
    """The settings of a house whose databases are still to be made (see each area's conftest)."""
    ensure_keys(folder / "keys")
    return Settings(
        database_url=postgres_url,
        redis_url=redis_url,
        keys_dir=folder / "keys",
        initial_admin_password="first-admin-password",
    )
