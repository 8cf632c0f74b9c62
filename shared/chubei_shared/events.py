"""Events between services and to the screens: a kombu fanout exchange on the Redis-protocol server.

The exchange only brings news quickly. What must not be missed is read from the producer's outbox, by
sequence number: a message published while nobody listens vanishes without an error. Fanout, because on
Redis that is PUBLISH and leaves nothing behind; a topic queue outlives a listener that was killed, and
fills up for ever.
"""

import contextlib
from collections.abc import Callable
from datetime import UTC, datetime
from threading import Event as Flag
from typing import Any
from uuid import uuid4

from kombu import Connection, Consumer, Exchange, Queue
from kombu.exceptions import OperationalError
from kombu.pools import producers
from pydantic import AwareDatetime, BaseModel, Field

from chubei_shared.telemetry import log

EXCHANGE = Exchange("chubei.events", type="fanout")


class Event(BaseModel):
    """Something that happened. `seq` counts a producer's lasting events without gaps; passing ones have none."""

    service: str
    topic: str
    """stock.moved, hold.opened, plan.progress, plan.approved, order.received, …"""
    body: dict[str, Any]
    at: AwareDatetime = Field(default_factory=lambda: datetime.now(UTC))
    seq: int | None = None


def connect(redis_url: str) -> Connection:
    return Connection(
        redis_url,
        transport_options={"socket_timeout": 10, "socket_connect_timeout": 5, "retry_on_timeout": True},
    )


def publish(connection: Connection, event: Event) -> None:
    """Send one event; raises kombu's OperationalError after a few tries."""
    with producers[connection].acquire(block=True, timeout=10) as producer:
        producer.publish(
            event.model_dump_json(),
            content_type="application/json",
            content_encoding="utf-8",
            exchange=EXCHANGE,
            routing_key=f"{event.service}.{event.topic}",
            declare=[EXCHANGE],
            retry=True,
            retry_policy={"max_retries": 3, "interval_start": 0.1, "interval_max": 1.0},
        )


def listen(
    redis_url: str, on_event: Callable[[Event], None], stop: Flag, on_connected: Callable[[], None]
) -> None:
    """Call `on_event` for each event from now on, until `stop` is set; reconnects by itself.

    `on_connected` is called each time we are listening: events before it may have been missed, so that
    is the moment to catch up from the outboxes.
    """

    def received(message: Any) -> None:
        message.ack()
        try:
            on_event(Event.model_validate_json(message.body))
        except ValueError:
            log.warning("event of another shape", exc_info=True)

    while not stop.is_set():
        queue = Queue(f"chubei.listener.{uuid4().hex}", EXCHANGE, "#", auto_delete=True, durable=False)
        try:
            with connect(redis_url) as connection, Consumer(connection, [queue], on_message=received):
                _drain(connection, 0.1)  # the first one subscribes
                on_connected()
                while not stop.is_set():
                    _drain(connection, 0.5)
        except (OperationalError, *Connection(redis_url).connection_errors, OSError) as error:
            log.warning("event exchange unreachable, trying again", extra={"error": str(error)})
            stop.wait(1.0)


def _drain(connection: Connection, timeout_s: float) -> None:
    with contextlib.suppress(TimeoutError):
        connection.drain_events(timeout=timeout_s)
