"""The periodic work: expired holds are closed, and acts are told."""

from uuid import UUID

import pytest
from chubei_inventory import tasks
from sqlalchemy import text


@pytest.fixture(scope="module")
def celery(settings, database):
    return tasks.make_celery(settings)


def test_the_schedule_wakes_tasks_that_exist(celery):
    scheduled = {entry["task"] for entry in celery.conf.beat_schedule.values()}
    assert scheduled == {
        tasks.EXPIRE_HOLDS, tasks.RETRY_PARKED, tasks.CARE, tasks.WATCH_STOCKTAKES, tasks.SEAL, tasks.PROVE,
        tasks.OVERDUE_CALL_OFFS, tasks.FORGET,
    }  # fmt: skip
    assert scheduled <= set(celery.tasks)
    assert celery.conf.task_default_queue == "inventory"
    assert celery.conf.broker_transport_options["visibility_timeout"] > celery.conf.task_time_limit


def test_holds_whose_time_is_over_are_closed(celery, yard, expire, engine):
    yard.receive(10)
    over, running = yard.hold(4), yard.hold(3)
    expire(over)
    celery.tasks[tasks.EXPIRE_HOLDS].run()

    def status(hold_id: UUID) -> str:
        with engine.connect() as sql:
            return sql.scalar(text("SELECT status FROM hold WHERE id = :id"), {"id": hold_id})

    assert (status(over), status(running)) == ("expired", "open")
    with engine.connect() as sql:
        told = sql.scalars(text("SELECT body->>'hold_id' FROM outbox WHERE topic = 'hold.expired'")).all()
    assert told.count(str(over)) == 1


def test_each_act_is_told_once_with_its_places_and_items(yard, engine):
    yard.receive(10)
    hold_id = yard.hold(4)
    issued = yard.service.record(yard.issue(4, hold_id=hold_id))
    with engine.connect() as sql:
        moved = text("SELECT body FROM outbox WHERE topic = 'stock.moved' AND body->>'movement_id' = :id")
        told = sql.scalars(moved, {"id": str(issued.id)}).all()
        topics = text("SELECT topic FROM outbox WHERE body->>'hold_id' = :id ORDER BY id")
        assert sql.scalars(topics, {"id": str(hold_id)}).all() == ["hold.opened", "hold.issued"]
    assert told == [
        {"movement_id": str(issued.id), "kind": "issue", "places": [yard.store], "items": [yard.item]}
    ]
