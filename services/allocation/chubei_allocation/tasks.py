"""Celery: messages are wake-ups only, what there is to do stands in PostgreSQL.

Workers: `celery -A chubei_allocation.tasks worker -Q allocation` and, apart so that no short task waits for a
solve, `-Q solver -c 1`. Beat only wakes the sweeper.
"""

from functools import cache
from typing import Any
from uuid import UUID

from celery import Celery
from chubei_shared import events
from chubei_shared.db import Transactions, make_engine
from chubei_shared.settings import Settings
from chubei_shared.telemetry import log
from kombu.exceptions import OperationalError

from chubei_allocation import plan_requests, solving, sweeping
from chubei_allocation.inventory_gate import InventoryGate

_SWEEP_EVERY_S = 5
_LONGEST_S = 2 * 3600
"""Above the longest solve (an hour) by far: a message not acknowledged for so long is sent again."""


def make_app(settings: Settings) -> Celery:
    app = Celery("allocation", broker=settings.redis_url)
    app.conf.update(
        task_ignore_result=True,
        task_acks_late=True,
        worker_prefetch_multiplier=1,
        broker_connection_retry_on_startup=True,
        broker_transport_options={
            "visibility_timeout": _LONGEST_S,
            "socket_timeout": 10,
            "socket_connect_timeout": 5,
            "retry_on_timeout": True,
        },
        timezone="UTC",
        task_default_queue="allocation",
        task_routes={plan_requests.SOLVE: {"queue": plan_requests.SOLVER_QUEUE}},
        beat_schedule={
            "sweep": {
                "task": "chubei_allocation.tasks.sweep",
                "schedule": _SWEEP_EVERY_S,
                "options": {"expires": _SWEEP_EVERY_S},  # while no worker runs they do not pile up
            }
        },
    )
    return app


celery_app = make_app(Settings())


class _Worker:
    """What the tasks of one process share; made at the first task, after the fork."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.tx = Transactions(make_engine(settings.database("allocation"), pool_size=2))
        self.inventory = InventoryGate(settings)


@cache
def _worker() -> _Worker:
    return _Worker(Settings())


@celery_app.task(name=plan_requests.SOLVE)  # type: ignore[untyped-decorator]
def solve(request_id: str) -> None:
    worker = _worker()
    with _ProgressNews(worker.settings.redis_url) as news:
        solving.solve(
            worker.tx, worker.inventory, UUID(request_id), worker.settings.solver_memory_mib, news.tell
        )


@celery_app.task(name="chubei_allocation.tasks.sweep")  # type: ignore[untyped-decorator]
def sweep() -> None:
    worker = _worker()
    sweeping.sweep(worker.tx, worker.inventory)


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
