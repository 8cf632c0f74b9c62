"""What all tests share: a real PostgreSQL and a real Valkey, one of each for a pytest worker.

Durability is off (nothing here outlives the run); everything else is as `chubei up` runs it.
"""

import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import hypothesis
import pytest
from chubei_cli.embedded import embedded_postgres, embedded_valkey
from chubei_shared import seals
from chubei_shared.db import Transactions
from chubei_shared.settings import Settings
from chubei_shared.tokens import ensure_keys

# how long an example takes says something of the machine, which is busy
hypothesis.settings.register_profile(
    "busy", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("busy")


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
        oldest_report_days=36_500,  # tests tell of days long ago, and outlive theirs
    )


@pytest.fixture(scope="session")
def seal_all() -> Callable[[Transactions, Iterable[seals.Source]], None]:
    """Seals until nothing waits: one seal takes 2000 records of a source, and none newer than a transaction that is
    open anywhere on the server."""

    def seal(tx: Transactions, sources: Iterable[seals.Source]) -> None:
        until = time.monotonic() + 60
        while any(tx(seals.waiting, source, 0) for source in sources):
            assert time.monotonic() < until, "something stays unsealed"
            if not tx(seals.seal, sources):
                time.sleep(0.05)

    return seal
