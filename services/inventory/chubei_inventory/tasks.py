"""The inventory's periodic work. Each task runs one verb; beat only wakes it, and twice does no harm."""

from datetime import timedelta
from functools import cache
from typing import Any

from celery import Celery
from celery.schedules import crontab
from chubei_shared.db import Transactions, make_engine
from chubei_shared.outbox import enqueue
from chubei_shared.settings import Settings
from chubei_shared.telemetry import log
from chubei_shared.workers import make_app
from sqlalchemy.orm import Session

from chubei_inventory import disputes, holds, parking, queries

EXPIRE_HOLDS, CHECK_BOOKS = "inventory.expire_holds", "inventory.check_books"
RETRY_PARKED = "inventory.retry_parked"
_LONGEST_S = 600
_FAULTS_TOLD = 20


def make_celery(settings: Settings) -> Celery:
    """The Celery app of this service: its worker, and the schedule that its beat wakes it by."""
    celery = make_app("inventory", settings, _LONGEST_S)
    celery.conf.beat_schedule = {
        "expire-holds": {
            "task": EXPIRE_HOLDS,
            "schedule": timedelta(minutes=1),
            "options": {"expires": 60},
        },
        "retry-parked": {
            "task": RETRY_PARKED,
            "schedule": timedelta(minutes=1),
            "options": {"expires": 60},
        },
        # 05:00 in Beijing
        "check-books": {"task": CHECK_BOOKS, "schedule": crontab(hour=21, minute=0)},
    }
    tx = Transactions(make_engine(settings.database("inventory"), pool_size=1))

    @celery.task(name=EXPIRE_HOLDS)  # type: ignore[untyped-decorator]  # celery has no types
    def expire_holds() -> None:
        while tx(holds.expire_due):
            pass
        tx(disputes.settle_freed)

    @celery.task(name=RETRY_PARKED)  # type: ignore[untyped-decorator]  # celery has no types
    def retry_parked() -> None:
        while tx(parking.retry):
            pass

    @celery.task(name=CHECK_BOOKS)  # type: ignore[untyped-decorator]  # celery has no types
    def check_books() -> None:
        report = tx(queries.books)
        if report.faults:
            log.error("THE BOOKS DO NOT BALANCE", extra={"faults": report.faults[:_FAULTS_TOLD]})
            tx(tell_faults, report.faults)

    return celery


def tell_faults(session: Session, faults: list[str]) -> None:
    """Tell the screens that the books do not balance; nothing is repaired silently."""
    body: dict[str, Any] = {"count": len(faults), "faults": faults[:_FAULTS_TOLD]}
    enqueue(session, "books.fault", body)


@cache
def _from_environment() -> Celery:
    return make_celery(Settings())


def __getattr__(name: str) -> Celery:
    """`celery -A chubei_inventory.tasks:celery_app`: made when a worker asks for it, not by an import."""
    if name == "celery_app":
        return _from_environment()
    raise AttributeError(name)
