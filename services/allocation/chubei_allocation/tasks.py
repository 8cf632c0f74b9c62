"""The allocation's background work: a wake-up starts a solve, and beat wakes the sweeper.

Solves have a queue of their own, so that no short task waits for one.
"""

from datetime import timedelta
from functools import cache
from typing import Any
from uuid import UUID

from celery import Celery
from chubei_shared import events
from chubei_shared.db import Transactions, make_engine
from chubei_shared.settings import Settings
from chubei_shared.telemetry import log
from chubei_shared.workers import make_app
from kombu.exceptions import OperationalError

from chubei_allocation import plan_requests, solving, sweeping
from chubei_allocation.inventory_gate import InventoryGate

SWEEP = "chubei_allocation.tasks.sweep"
_SWEEP_EVERY = timedelta(seconds=5)
_LONGEST_S = 2 * 3600  # above the longest solve (an hour) by far


def make_celery(settings: Settings) -> Celery:
    """The Celery app of this service: its workers, and the schedule that its beat wakes them by."""
    celery = make_app("allocation", settings, _LONGEST_S)
    celery.conf.update(
        task_routes={plan_requests.SOLVE: {"queue": plan_requests.SOLVER_QUEUE}},
        beat_schedule={
            "sweep": {
                "task": SWEEP,
                "schedule": _SWEEP_EVERY,
                "options": {"expires": _SWEEP_EVERY.seconds},  # while no worker runs they do not pile up
            }
        },
    )
    tx = Transactions(make_engine(settings.database("allocation"), pool_size=2))
    inventory = InventoryGate(settings)

    @celery.task(name=plan_requests.SOLVE)  # type: ignore[untyped-decorator]  # celery has no types
    def solve(request_id: str) -> None:
        with _ProgressNews(settings.redis_url) as news:
            solving.solve(tx, inventory, UUID(request_id), settings.solver_memory_mib, news.tell)

    @celery.task(name=SWEEP)  # type: ignore[untyped-decorator]  # celery has no types
    def sweep() -> None:
        sweeping.sweep(tx, inventory)

    return celery


class _ProgressNews:
    """Passing events plan.progress, straight to the exchange. News only: after a failure it falls silent."""

    def __init__(self, redis_url: str) -> None:
        self._connection = events.connect(redis_url)
        self._silent = False

    def __enter__(self) -> "_ProgressNews":
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.release()

    def tell(self, body: dict[str, Any]) -> None:
        if self._silent:
            return
        try:
            events.publish(
                self._connection, events.Event(service="allocation", topic="plan.progress", body=body)
            )
        except (OperationalError, OSError) as error:
            self._silent = True
            log.warning("no progress events: the broker is away", extra={"error": str(error)})


@cache
def _from_environment() -> Celery:
    return make_celery(Settings())


def __getattr__(name: str) -> Celery:
    """`celery -A chubei_allocation.tasks:celery_app`: made when a worker asks for it, not by an import."""
    if name == "celery_app":
        return _from_environment()
    raise AttributeError(name)
