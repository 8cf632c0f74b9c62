"""The watch over the nightly check from outside beat and workers: a thread of the API process, which anyway must run.

Beat or a worker that hangs can not say so. Every few minutes this asks for the night's check if nobody has (a slot that
was slept through is caught up when the house starts), and raises the alarm when its result is not there by 06:00. The
outbox carries the alarm; any number of API processes may watch, each thing happens once.
"""

import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from chubei_shared.db import Transactions
from chubei_shared.telemetry import log
from fastapi import FastAPI
from sqlalchemy.exc import SQLAlchemyError

from chubei_allocation.readiness import alarms, runs

_EVERY_S = 300.0


def look(tx: Transactions, now: datetime) -> None:
    """One look: the night's check is asked for, and missed when it is late."""
    tx(runs.ask_for_night, now)
    tx(alarms.raise_if_missing, now)


@asynccontextmanager
async def watching(app: FastAPI) -> AsyncIterator[None]:
    """The lifespan of an API that watches."""
    stop = threading.Event()
    watcher = threading.Thread(target=_watch, args=(lambda: look(app.state.tx, datetime.now(UTC)), stop))
    watcher.start()
    try:
        yield
    finally:
        stop.set()
        watcher.join()


def _watch(look_once: Callable[[], None], stop: threading.Event) -> None:
    while True:
        try:
            look_once()
        except SQLAlchemyError as error:  # the database is away: the next look will tell
            log.warning("readiness can not be watched", extra={"error": str(error)})
        if stop.wait(_EVERY_S):
            return
