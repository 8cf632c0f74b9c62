"""The outbox: events and task wake-ups are written with the act, and leave only after its commit.

Each service has one table `outbox` (`table(metadata)`), and one relay process:
`python -m chubei_shared.outbox SERVICE`. The relay numbers events (`seq`) one after the other, so that a
consumer that has seen seq n has seen all before it, then sends them: at least once, in order. Wake-ups
have no number and are forgotten once sent: nobody catches up on them.
"""

import json
import signal
import sys
import time
from datetime import UTC, datetime, timedelta
from threading import Event as Flag
from typing import Any

import psycopg
from celery import Celery
from kombu.exceptions import OperationalError as BrokerAway
from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    Identity,
    Index,
    MetaData,
    Table,
    Text,
    func,
    or_,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from chubei_shared import telemetry
from chubei_shared.db import Transactions, make_engine
from chubei_shared.events import Event, connect, publish
from chubei_shared.settings import SERVICES, Service, Settings
from chubei_shared.telemetry import log

KEEP = timedelta(days=30)
_PURGE_EVERY_S = 3600.0
_BATCH = 200
_CHANNEL = "outbox"
_RELAY_LOCK = 7_201_120  # advisory lock: one relay at a time numbers rows
_TASK = "task:"


def table(metadata: MetaData) -> Table:
    """Define the outbox table in a service's metadata."""
    return Table(
        "outbox",
        metadata,
        Column("id", BigInteger, Identity(), primary_key=True),
        Column("topic", Text, nullable=False),
        Column("body", JSONB, nullable=False),
        Column("at", DateTime(timezone=True), nullable=False, server_default=func.now()),
        Column("seq", BigInteger, unique=True),
        Column("sent_at", DateTime(timezone=True)),
        Index("outbox_unsent", "id", postgresql_where=text("sent_at IS NULL")),
    )


_outbox = table(MetaData())
_is_task = _outbox.c.topic.startswith(_TASK)


_ENQUEUE = text(
    "WITH added AS (INSERT INTO outbox (topic, body) VALUES (:topic, CAST(:body AS jsonb))) "
    "SELECT pg_notify('outbox', '')"
)
"""The event and the knock at the relay's door, in one round trip."""


def enqueue(session: Session, topic: str, body: dict[str, Any]) -> None:
    """Add an event to the session's transaction. `body` is plain JSON."""
    session.execute(_ENQUEUE, {"topic": topic, "body": json.dumps(body)})


def wake(session: Session, task: str, *args: Any, queue: str) -> None:
    """Send a Celery task after the commit. A wake-up only: the job it is about is a row that a sweeper finds."""
    enqueue(session, _TASK + task, {"args": list(args), "queue": queue})


def published_after(session: Session, service: str, after: int, limit: int) -> list[Event]:
    """The events of this service's outbox with seq > after, in order."""
    rows = session.execute(select(_outbox).where(_outbox.c.seq > after).order_by(_outbox.c.seq).limit(limit))
    return [_event(service, row) for row in rows]


def newest(session: Session, service: str) -> list[Event]:
    """The event with the highest seq, if there is one."""
    rows = session.execute(
        select(_outbox).where(_outbox.c.seq.is_not(None)).order_by(_outbox.c.seq.desc()).limit(1)
    )
    return [_event(service, row) for row in rows]


def _event(service: str, row: Any) -> Event:
    return Event(service=service, topic=row.topic, body=row.body, at=row.at, seq=row.seq)


def _number(session: Session) -> None:
    """Give the next numbers to all committed events, in order of insertion."""
    if not session.scalar(select(func.pg_try_advisory_xact_lock(_RELAY_LOCK))):
        return
    last = select(func.coalesce(func.max(_outbox.c.seq), 0)).scalar_subquery()
    fresh = (
        select(_outbox.c.id, (last + func.row_number().over(order_by=_outbox.c.id)).label("seq"))
        .where(_outbox.c.sent_at.is_(None), _outbox.c.seq.is_(None), ~_is_task)
        .subquery()
    )
    session.execute(_outbox.update().where(_outbox.c.id == fresh.c.id).values(seq=fresh.c.seq))


def _unsent(session: Session) -> list[Any]:
    return list(
        session.execute(
            select(_outbox)
            .where(_outbox.c.sent_at.is_(None), or_(_outbox.c.seq.is_not(None), _is_task))
            .order_by(_outbox.c.seq, _outbox.c.id)
            .limit(_BATCH)
        )
    )


def _mark_sent(session: Session, ids: list[int]) -> None:
    sent = _outbox.c.id.in_(ids)
    session.execute(_outbox.delete().where(sent, _is_task))
    session.execute(_outbox.update().where(sent).values(sent_at=func.now()))


def purge(session: Session) -> None:
    """Forget events sent longer than KEEP ago, but the newest, which holds the count."""
    last = select(func.max(_outbox.c.seq)).scalar_subquery()
    session.execute(
        _outbox.delete().where(_outbox.c.sent_at < datetime.now(UTC) - KEEP, _outbox.c.seq < last)
    )


class Relay:
    """Carries one service's outbox to the event exchange and to Celery."""

    def __init__(self, service: Service, settings: Settings) -> None:
        self._service = service
        self._tx = Transactions(make_engine(settings.database(service), pool_size=1))
        self._broker = connect(settings.redis_url)
        self._celery = Celery(broker=settings.redis_url)

    def run(self, listener: "psycopg.Connection[Any]", stop: Flag) -> None:
        """Drain whenever `listener` hears of something, and every two seconds in case it did not."""
        purge_at = time.monotonic()
        while not stop.is_set():
            if time.monotonic() >= purge_at:
                self._tx(purge)
                purge_at = time.monotonic() + _PURGE_EVERY_S
            self.drain()
            for _ in listener.notifies(timeout=2.0, stop_after=1):
                pass

    def drain(self) -> int:
        """Send what is waiting; returns how many were sent. Raises BrokerAway, with nothing lost."""
        self._tx(_number)
        total = 0
        while rows := self._tx(_unsent):
            for row in rows:
                self._send(row)
            self._tx(_mark_sent, [row.id for row in rows])
            total += len(rows)
        return total

    def _send(self, row: Any) -> None:
        if row.topic.startswith(_TASK):
            self._celery.send_task(
                row.topic.removeprefix(_TASK), row.body["args"], queue=row.body["queue"], ignore_result=True
            )
        else:
            publish(self._broker, _event(self._service, row))


def run(service: Service, settings: Settings, stop: Flag) -> None:
    """Relay until `stop`; while a server is away, everything waits in the outbox."""
    relay = Relay(service, settings)
    dsn = settings.database(service).set(drivername="postgresql").render_as_string(hide_password=False)
    while not stop.is_set():
        try:
            with psycopg.connect(dsn, autocommit=True, connect_timeout=5) as listener:
                listener.execute(f"LISTEN {_CHANNEL}")
                relay.run(listener, stop)
        except (psycopg.Error, DBAPIError, BrokerAway, OSError) as error:
            log.warning("outbox waits", extra={"service": service, "error": str(error)})
            stop.wait(1.0)


def main() -> None:
    """`python -m chubei_shared.outbox SERVICE`"""
    if len(sys.argv) != 2 or sys.argv[1] not in SERVICES:
        sys.exit(f"usage: python -m chubei_shared.outbox {'|'.join(SERVICES)}")
    service: Service = sys.argv[1]
    stop = Flag()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    telemetry.configure(f"{service}-outbox")
    run(service, Settings(), stop)


if __name__ == "__main__":
    main()
