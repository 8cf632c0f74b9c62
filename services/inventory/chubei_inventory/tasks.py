"""The inventory's periodic work. Each task runs one verb; beat only wakes it, and twice does no harm."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache

from celery import Celery
from celery.schedules import crontab
from chubei_shared import seals
from chubei_shared.db import Transactions, make_engine
from chubei_shared.settings import Settings
from chubei_shared.workers import make_app, task

from chubei_inventory.call_offs import call_offs
from chubei_inventory.care import nightly
from chubei_inventory.holds import freed, holds
from chubei_inventory.offline import parking
from chubei_inventory.proof import checks, runs
from chubei_inventory.proof.runs import PROVE
from chubei_inventory.reserves import contacts
from chubei_inventory.stocktake import watch

EXPIRE_HOLDS, RETRY_PARKED, CARE = "inventory.expire_holds", "inventory.retry_parked", "inventory.care"
SEAL, WATCH_STOCKTAKES = "inventory.seal", "inventory.watch_stocktakes"
OVERDUE_CALL_OFFS, FORGET = "inventory.overdue_call_offs", "inventory.forget"
_LONGEST_S = 1800  # a proof of ten million entries takes minutes


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
        "watch-stocktakes": {
            "task": WATCH_STOCKTAKES,
            "schedule": timedelta(minutes=5),
            "options": {"expires": 300},
        },
        "overdue-call-offs": {
            "task": OVERDUE_CALL_OFFS,
            "schedule": timedelta(minutes=1),
            "options": {"expires": 60},
        },
        # every hour: the first after 01:00 in Beijing that finds the night's run missing makes it
        "care": {"task": CARE, "schedule": crontab(minute=10), "options": {"expires": 3000}},
        # contacts of reserves that ended
        "forget": {"task": FORGET, "schedule": timedelta(hours=1), "options": {"expires": 3000}},
        "seal": {"task": SEAL, "schedule": timedelta(minutes=1), "options": {"expires": 60}},
        # The proof of the last night (in China), if it has not run: a night that was slept through is caught up
        "prove": {"task": PROVE, "schedule": timedelta(minutes=5), "options": {"expires": 300}},
    }
    tx = Transactions(make_engine(settings.database("inventory"), pool_size=1))

    @task(celery, EXPIRE_HOLDS)
    def expire_holds() -> None:
        _all(tx, holds.expire_due)
        tx(freed.settle_freed)

    @task(celery, RETRY_PARKED)
    def retry_parked() -> None:
        _all(tx, parking.retry)

    @task(celery, SEAL)
    def seal() -> None:
        _all(tx, seals.seal, checks.SEALED)

    @task(celery, PROVE)
    def prove() -> None:
        tx(runs.ask_for_night, datetime.now(UTC))
        _all(tx, runs.run_next)

    @task(celery, CARE)
    def care() -> None:
        tx(nightly.run_if_due, datetime.now(UTC))

    @task(celery, FORGET)
    def forget() -> None:
        tx(contacts.forget, timedelta(days=settings.personal_data_days))

    @task(celery, WATCH_STOCKTAKES)
    def watch_stocktakes() -> None:
        tx(watch.look)

    @task(celery, OVERDUE_CALL_OFFS)
    def overdue_call_offs() -> None:
        _all(tx, call_offs.tell_overdue)

    return celery


def _all(tx: Transactions, verb: Callable[..., object], *args: object) -> None:
    """A portion at a time, each in a transaction of its own, until a portion is empty."""
    while tx(verb, *args):
        pass


@cache
def _from_environment() -> Celery:
    return make_celery(Settings())


def __getattr__(name: str) -> Celery:
    """`celery -A chubei_inventory.tasks:celery_app`: made when a worker asks for it, not by an import."""
    if name == "celery_app":
        return _from_environment()
    raise AttributeError(name)
