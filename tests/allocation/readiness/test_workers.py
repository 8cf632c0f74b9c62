"""Real workers: chords carry a check through, and one whose worker is killed in the middle comes to the same rows."""

import os
import signal
from typing import Any
from uuid import UUID, uuid4

from celery_worker import until, worker
from checks import finish, light
from chubei_shared.tokens import Role
from sqlalchemy import text


def outcomes(house, run_id: UUID) -> dict[str, Any]:
    """What the parts of a check were answered, but when it was asked."""
    rows = house.tx(
        lambda session: session.execute(
            text("SELECT key, status, outcome FROM readiness_part WHERE run_id = :id"), {"id": run_id}
        ).all()
    )
    return {row.key: (row.status, row.outcome) for row in rows}


def over(house, run_id: UUID) -> int:
    return sum(status == "done" for status, _ in outcomes(house, run_id).values())


def state(house, run_id: UUID) -> str:
    runs = house.as_(Role.AUDITOR).readiness_runs()
    return next(run.status for run in runs if run.id == run_id)


def test_a_killed_worker_changes_nothing_of_what_is_found(stocked, relay, tmp_path):
    house, log = stocked.house, tmp_path / "worker.log"
    light(stocked)
    commander = house.http(Role.COMMANDER)
    undisturbed, killed = uuid4(), uuid4()
    commander.post("/v1/readiness:run", json={"id": str(undisturbed), "draws": 10})
    finish(house, undisturbed)
    house.tx(
        lambda session: session.execute(text("DELETE FROM outbox WHERE seq IS NULL"))
    )  # nobody need be woken
    with worker(house, tmp_path, "-Q", "readiness") as first:
        commander.post("/v1/readiness:run", json={"id": str(killed), "draws": 10})
        until(lambda: over(house, killed) > 8, log)
        os.killpg(first.pid, signal.SIGKILL)
        first.wait()
    assert state(house, killed) == "running"
    house.tx(  # the lease of the dead need not be waited for
        lambda session: session.execute(
            text("UPDATE readiness_part SET lease_until = now() WHERE status = 'running'")
        )
    )
    schedule = tmp_path / "beat"
    with worker(house, tmp_path, "-Q", "readiness,allocation", "-B", "-s", str(schedule)):
        until(lambda: state(house, killed) == "done", log)
    found, wanted = outcomes(house, killed), outcomes(house, undisturbed)
    assert found.keys() == wanted.keys()
    assert {key for key in found if found[key] != wanted[key]} == set()
    results = house.tx(
        lambda session: session.execute(text("SELECT result -> 'chance' AS chance FROM readiness_run")).all()
    )
    assert results[0] == results[1]
