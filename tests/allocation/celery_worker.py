"""Real Celery workers, as the supervisor starts them, for tests that kill them."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def worker(house, folder, *options: str) -> Iterator[subprocess.Popen]:
    """A worker process with a group of its own, as the supervisor starts it."""
    settings = house.settings
    environment = {
        **os.environ,
        "CHUBEI_DATABASE_URL": settings.database_url,
        "CHUBEI_DATABASE_PREFIX": settings.database_prefix,
        "CHUBEI_REDIS_URL": settings.redis_url,
        "CHUBEI_INVENTORY_URL": settings.inventory_url,
        "CHUBEI_KEYS_DIR": str(settings.keys_dir),
        "CHUBEI_SOLVER_MEMORY_MIB": "4096",
    }
    celery = [sys.executable, "-m", "celery", "-A", "chubei_allocation.tasks:celery_app", "worker", "-c", "1"]
    with (folder / "worker.log").open("ab") as log:
        process = subprocess.Popen(
            [*celery, *options, "--without-gossip", "--without-mingle"],
            env=environment,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGTERM)
        process.wait(60)


def until(met: Callable[[], bool], log: Path) -> None:
    end = time.monotonic() + 120
    while not met():
        assert time.monotonic() < end, log.read_text()
        time.sleep(0.1)
