"""Real Celery workers: a request is picked up, and a worker that is killed in mid-solve loses nothing."""

import os
import signal
import threading
from uuid import UUID, uuid4

from celery_worker import until, worker
from chubei_shared.contracts.plans import PlanRequest, PlanStatus
from chubei_shared.events import Event, listen
from chubei_shared.tokens import Role
from sqlalchemy import text


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
