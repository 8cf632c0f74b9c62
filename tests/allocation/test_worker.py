"""Real Celery workers: a request is picked up, and a worker that is killed in mid-solve loses nothing."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from chubei_shared import outbox
from chubei_shared.contracts.plans import PlanRequest, PlanStatus
from chubei_shared.events import Event, listen
from chubei_shared.tokens import Role
from sqlalchemy import text


@pytest.fixture
def relay(house) -> Iterator[None]:
    """The outbox relay, as a process of the house would run it."""
    stop = threading.Event()
    thread = threading.Thread(target=outbox.run, args=("allocation", house.settings, stop))
    thread.start()
    yield
    stop.set()
    thread.join()


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


def ask(stocked, time_limit_s: int) -> UUID:
    body = PlanRequest(
        id=uuid4(), incident_id=stocked.declare().id, time_limit_s=time_limit_s, now_min=0, seed=3
    )
    return stocked.commander.request_plan(body).id


def test_a_killed_worker_loses_nothing_and_news_travels(stocked, relay, tmp_path):
    """Worker one is killed in mid-solve; the sweeper, woken by beat, hands the request to worker two."""
    house, log = stocked.house, tmp_path / "worker.log"
    news: list[Event] = []
    listening, stop = threading.Event(), threading.Event()
    ear = threading.Thread(target=listen, args=(house.settings.redis_url, news.append, stop, listening.set))
    ear.start()
    assert listening.wait(30)
    try:
        with worker(house, tmp_path, "-Q", "solver") as first:
            request_id = ask(stocked, time_limit_s=300)
            until(lambda: stocked.commander.plan_request(request_id).progress is not None, log)
            until(lambda: any(event.topic == "plan.progress" for event in news), log)
            os.killpg(first.pid, signal.SIGKILL)
            first.wait()
        state = stocked.commander.plan_request(request_id)
        assert (state.status, state.attempts, state.plan_id) == ("running", 1, None)
        # The second try need not think for five minutes; and the lease of the dead need not be waited for.
        house.tx(
            lambda session: session.execute(
                text("UPDATE plan_request SET time_limit_s = 1, lease_until = now() WHERE id = :id"),
                {"id": request_id},
            )
        )
        schedule = tmp_path / "beat"
        with worker(house, tmp_path, "-Q", "solver,allocation", "-B", "-s", str(schedule)):
            until(lambda: stocked.commander.plan_request(request_id).plan_id is not None, log)
            until(lambda: "plan.proposed" in lasting(house), log)
    finally:
        stop.set()
        ear.join()
    state = stocked.commander.plan_request(request_id)
    assert (state.status, state.attempts) == ("done", 2)
    plan = stocked.commander.plan(state.plan_id)
    assert (plan.status, plan.supported, plan.seed) == (PlanStatus.PROPOSED, 300, 3)
    assert lasting(house) == ["network.changed", "incident.declared", "plan.requested", "plan.proposed"]
    assert {event.body["request_id"] for event in news if event.topic == "plan.progress"} == {str(request_id)}


def lasting(house) -> list[str]:
    """The topics of the events that anybody can still catch up on."""
    return [event["topic"] for event in house.http(Role.COMMANDER).get("/v1/allocation/events").json()]
