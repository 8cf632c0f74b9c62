"""The allocation's background work: a wake-up starts a solve, and beat wakes the sweeper.

Solves have a queue of their own, so that no short task waits for one.
"""

from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any
from uuid import UUID

from celery import Celery, chord, group
from celery.schedules import crontab
from chubei_shared import events, seals
from chubei_shared.contracts.break_glass import TELL
from chubei_shared.db import Transactions, make_engine
from chubei_shared.settings import Settings
from chubei_shared.telemetry import log
from chubei_shared.workers import make_app, task
from kombu.exceptions import OperationalError

from chubei_allocation import proof, sweeping
from chubei_allocation.approval import broken_glass
from chubei_allocation.call_out import register
from chubei_allocation.dispatch import proofs
from chubei_allocation.inventory_gate import InventoryGate
from chubei_allocation.notices import notices, sending
from chubei_allocation.papers import snapshots
from chubei_allocation.photos import photos
from chubei_allocation.plans import plan_requests
from chubei_allocation.readiness import changes, runs, work
from chubei_allocation.shelters import recipients
from chubei_allocation.solving import solving

SWEEP, SEAL = "chubei_allocation.tasks.sweep", "chubei_allocation.tasks.seal"
NIGHT, CHANGED = "chubei_allocation.tasks.night", "chubei_allocation.tasks.changed"
ANSWER = "chubei_allocation.tasks.answer"
FORGET = "chubei_allocation.tasks.forget"
SNAPSHOT = "chubei_allocation.tasks.snapshot"
REMIND = "chubei_allocation.tasks.remind"
PROPOSE = "chubei_allocation.tasks.propose"
_SWEEP_EVERY = timedelta(seconds=5)
_LONGEST_S = 2 * 3600  # above the longest solve (an hour) by far


def make_celery(settings: Settings) -> Celery:
    """The Celery app of this service: its workers, and the schedule that its beat wakes them by."""
    celery = make_app("allocation", settings, _LONGEST_S)
    celery.conf.update(
        task_routes={
            plan_requests.SOLVE: {"queue": plan_requests.SOLVER_QUEUE},
            runs.GO_ON: {"queue": runs.QUEUE},
            ANSWER: {"queue": runs.QUEUE},
        },
        result_backend=settings.redis_url,  # of chords alone: what they count; no result is kept
        result_expires=timedelta(days=1),
        beat_schedule={
            "sweep": {
                "task": SWEEP,
                "schedule": _SWEEP_EVERY,
                "options": {"expires": _SWEEP_EVERY.seconds},  # while no worker runs they do not pile up
            },
            "notices": {
                "task": notices.SEND,
                "schedule": _SWEEP_EVERY,
                "options": {"expires": _SWEEP_EVERY.seconds},
            },
            # the sweeper asks too, and the API as it watches: whoever is first
            "night": {
                "task": NIGHT,
                "schedule": crontab(hour=runs.FROM_HOUR, minute=0),
                "options": {"expires": 3600},
            },
            "changed": {"task": CHANGED, "schedule": timedelta(minutes=10), "options": {"expires": 600}},
            "seal": {"task": SEAL, "schedule": timedelta(minutes=1), "options": {"expires": 60}},
            "snapshot": {"task": SNAPSHOT, "schedule": timedelta(minutes=1), "options": {"expires": 60}},
            "forget": {"task": FORGET, "schedule": timedelta(hours=1), "options": {"expires": 3600}},
            "remind": {"task": REMIND, "schedule": timedelta(minutes=1), "options": {"expires": 60}},
            "propose": {"task": PROPOSE, "schedule": timedelta(seconds=30), "options": {"expires": 30}},
        },
    )
    tx = Transactions(make_engine(settings.database("allocation"), pool_size=2))
    inventory, personal = InventoryGate(settings), timedelta(days=settings.personal_data_days)

    @task(celery, plan_requests.SOLVE)
    def solve(request_id: str) -> None:
        with _ProgressNews(settings.redis_url, "plan.progress") as news:
            solving.solve(tx, inventory, UUID(request_id), settings.solver_memory_mib, news.tell)

    @task(celery, SWEEP)
    def sweep() -> None:
        sweeping.sweep(tx, inventory)

    @task(celery, PROPOSE)
    def propose() -> None:
        if settings.propose_replans:
            sweeping.propose(tx, settings.solver_time_limit_s)

    @task(celery, SNAPSHOT)
    def snapshot() -> None:
        if settings.snapshot_dir is not None:
            keeping = snapshots.Keeping(settings.snapshot_dir, settings.snapshots_kept)
            snapshots.keep(tx, inventory, keeping, datetime.now(UTC))

    @task(celery, FORGET)
    def forget() -> None:
        tx(recipients.forget)
        tx(photos.forget)
        tx(proofs.forget, personal)
        tx(register.forget, personal)

    @task(celery, SEAL)
    def seal() -> None:
        while tx(seals.seal, proof.SEALED):
            pass

    _add_notices(celery, tx, settings)
    _add_readiness(celery, tx, inventory, settings)
    return celery


def _add_notices(celery: Celery, tx: Transactions, settings: Settings) -> None:
    """The tasks by which people are told."""
    sender = sending.Sender(settings)

    @task(celery, notices.SEND)
    def send_notices() -> None:
        sending.work(tx, sender)

    @task(celery, TELL)
    def tell_of_broken_glass(told: dict[str, str]) -> None:
        tx(broken_glass.entered, told)

    @task(celery, REMIND)
    def remind() -> None:
        sweeping.remind(tx)


def _add_readiness(celery: Celery, tx: Transactions, inventory: InventoryGate, settings: Settings) -> None:
    """The tasks of readiness. Whatever of a chord is lost, the sweeper wakes `go_on` again."""
    looked: list[changes.Sums | None] = [None]

    @task(celery, NIGHT)
    def night() -> None:
        tx(runs.ask_for_night, datetime.now(UTC))

    @task(celery, CHANGED)
    def changed() -> None:
        looked[0] = changes.look(tx, inventory, looked[0])

    @task(celery, ANSWER, ignore_result=False)
    def answer(run_id: str) -> None:
        with _ProgressNews(settings.redis_url, "readiness.progress") as news:
            work.answer_parts(tx, UUID(run_id), settings.solver_memory_mib, news.tell)

    @task(celery, runs.GO_ON)
    def go_on(run_id: str) -> None:
        if turns := work.go_on(tx, inventory, UUID(run_id)):
            chord(group(answer.si(run_id) for _ in range(turns)))(go_on.si(run_id))


class _ProgressNews:
    """Passing events of progress, straight to the exchange. News only: after a failure it falls silent."""

    def __init__(self, redis_url: str, topic: str) -> None:
        self._connection = events.connect(redis_url)
        self._topic = topic
        self._silent = False

    def __enter__(self) -> "_ProgressNews":
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.release()

    def tell(self, body: dict[str, Any]) -> None:
        if self._silent:
            return
        try:
            events.publish(self._connection, events.Event(service="allocation", topic=self._topic, body=body))
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
