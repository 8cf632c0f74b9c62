"""Jobs: claimed by one, under a lease; who lost the lease can write nothing more; nothing is stranded."""

import threading
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from chubei_shared import jobs
from chubei_shared.db import Transactions
from chubei_shared.jobs import CANCELLED, DONE, QUEUED, RUNNING
from sqlalchemy import update

LONG = timedelta(minutes=2)
OVER = timedelta(seconds=-1)
"""A lease that has run out as soon as it is given: its worker hangs."""


@pytest.fixture
def job_id(tx: Transactions, job_type: Any) -> UUID:
    def add(session: Any) -> UUID:
        job = job_type()
        session.add(job)
        session.flush()
        return job.id

    return tx(add)


def _job(tx: Transactions, job_type: Any, job_id: UUID) -> Any:
    return tx(lambda session: session.get_one(job_type, job_id))


def test_one_of_many_workers_gets_it(tx: Transactions, job_type: Any, job_id: UUID) -> None:
    start, got = threading.Barrier(8), []

    def work() -> None:
        start.wait()
        got.append(tx(jobs.claim, job_type, job_id, LONG))

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    [held] = [job for job in got if job is not None]
    assert (held.status, held.fence, held.attempts) == (RUNNING, 1, 1)


def test_done_job_keeps_its_result_and_is_not_claimed_again(
    tx: Transactions, job_type: Any, job_id: UUID
) -> None:
    held = tx(jobs.claim, job_type, job_id, LONG)
    assert held is not None
    assert tx(jobs.renew, held, LONG, result=1)
    assert tx(jobs.finish, held, DONE, result=42)
    assert tx(jobs.claim, job_type, job_id, LONG) is None
    job = _job(tx, job_type, job_id)
    assert (job.status, job.result, job.lease_until) == (DONE, 42, None)
    assert job.finished_at is not None


def test_worker_that_lost_its_lease_writes_nothing(tx: Transactions, job_type: Any, job_id: UUID) -> None:
    hung = tx(jobs.claim, job_type, job_id, OVER)
    second = tx(jobs.claim, job_type, job_id, LONG)
    assert hung is not None
    assert second is not None
    assert (second.fence, second.attempts) == (2, 2)
    assert not tx(jobs.renew, hung, LONG, result=-1)
    assert not tx(jobs.finish, hung, DONE, result=-1)
    assert _job(tx, job_type, job_id).result is None
    assert tx(jobs.finish, second, DONE, result=7)
    assert not tx(jobs.finish, hung, DONE, result=-1)
    assert _job(tx, job_type, job_id).result == 7


def test_cancel_stops_the_worker_at_its_next_renewal(tx: Transactions, job_type: Any, job_id: UUID) -> None:
    held = tx(jobs.claim, job_type, job_id, LONG)
    assert held is not None
    assert tx(jobs.cancel, job_type, job_id)
    assert not tx(jobs.renew, held, LONG)
    assert not tx(jobs.finish, held, DONE, result=1)
    assert not tx(jobs.cancel, job_type, job_id)
    assert tx(jobs.claim, job_type, job_id, LONG) is None
    assert _job(tx, job_type, job_id).status == CANCELLED


def test_cancelled_before_it_began_never_begins(tx: Transactions, job_type: Any, job_id: UUID) -> None:
    assert tx(jobs.cancel, job_type, job_id)
    assert tx(jobs.claim, job_type, job_id, LONG) is None


def test_sweeper_finds_what_waits_and_what_was_dropped(tx: Transactions, job_type: Any) -> None:
    def add(session: Any, age: timedelta) -> UUID:
        job = job_type(created_at=datetime.now(UTC) - age)
        session.add(job)
        session.flush()
        return job.id

    old, fresh, dropped, busy, over = (tx(add, timedelta(minutes=age)) for age in (9, 0, 8, 7, 6))
    tx(jobs.claim, job_type, dropped, OVER)
    tx(jobs.claim, job_type, busy, LONG)
    tx(jobs.cancel, job_type, over)
    assert tx(jobs.stranded, job_type, timedelta(minutes=1)) == [old, dropped]
    assert fresh in tx(jobs.stranded, job_type, timedelta(seconds=-1))


def test_a_lease_of_a_clock_that_was_set_back_since_keeps_nobody_waiting(
    tx: Transactions, job_type: Any, job_id: UUID
) -> None:
    dead = tx(jobs.claim, job_type, job_id, timedelta(hours=2))  # fifteen seconds, by a clock two hours ahead
    assert dead is not None
    assert tx(jobs.stranded, job_type, timedelta(minutes=1)) == [job_id]
    assert tx(jobs.claim, job_type, job_id, LONG) is not None
    assert not tx(jobs.renew, dead, LONG)


def test_two_sweepers_do_not_find_the_same(tx: Transactions, job_type: Any, job_id: UUID) -> None:
    def sweep(session: Any) -> tuple[list[UUID], list[UUID]]:
        mine = jobs.stranded(session, job_type, OVER)
        return mine, tx(jobs.stranded, job_type, OVER)

    assert tx(sweep) == ([job_id], [])


def test_unknown_job_is_nobodys(tx: Transactions, job_type: Any) -> None:
    assert tx(jobs.claim, job_type, UUID(int=0), LONG) is None
    assert not tx(jobs.cancel, job_type, UUID(int=0))


def test_new_job_is_queued(tx: Transactions, job_type: Any, job_id: UUID) -> None:
    job = _job(tx, job_type, job_id)
    assert (job.status, job.fence, job.attempts) == (QUEUED, 0, 0)
    tx(lambda session: session.execute(update(job_type).values(result=1)))
    assert _job(tx, job_type, job_id).status == QUEUED
