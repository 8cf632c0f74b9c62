"""The outbox: what is committed leaves, at least once and in order; what is not committed never does."""

import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import redis
from chubei_cli.valkey import ValkeyServer
from chubei_shared import outbox
from chubei_shared.db import Transactions
from chubei_shared.events import EXCHANGE, Event, connect, listen, publish
from chubei_shared.settings import Settings
from kombu.exceptions import OperationalError as BrokerAway
from sqlalchemy import Engine, func, select, text
from sqlalchemy.orm import Session

WAIT_S = 20


@contextmanager
def listening(redis_url: str) -> Iterator["queue.Queue[Event]"]:
    """Everything that the exchange brings."""
    seen: queue.Queue[Event] = queue.Queue()
    stop, connected = threading.Event(), threading.Event()
    thread = threading.Thread(target=listen, args=(redis_url, seen.put, stop, connected.set))
    thread.start()
    assert connected.wait(WAIT_S)
    try:
        yield seen
    finally:
        stop.set()
        thread.join()


def _take(seen: "queue.Queue[Event]", count: int) -> list[Event]:
    return [seen.get(timeout=WAIT_S) for _ in range(count)]


def _await(seen: "queue.Queue[Event]", number: int) -> None:
    """A relay that was killed after it sent sends again."""
    while _take(seen, 1)[0].body != {"n": number}:
        pass


def _say(tx: Transactions, *numbers: int) -> None:
    for number in numbers:
        tx(outbox.enqueue, "thing.said", {"n": number})


def _rows(tx: Transactions) -> list[Any]:
    return list(
        tx(lambda session: session.execute(select(outbox._outbox).order_by(outbox._outbox.c.id)).all())
    )


def test_events_leave_in_order_with_numbers_without_gaps(tx: Transactions, house: Settings) -> None:
    with listening(house.redis_url) as seen:
        _say(tx, 1, 2, 3)
        assert outbox.Relay("inventory", house).drain() == 3
        events = _take(seen, 3)
    assert [(e.seq, e.body["n"]) for e in events] == [(1, 1), (2, 2), (3, 3)]
    assert {(e.service, e.topic) for e in events} == {("inventory", "thing.said")}
    assert tx(outbox.published_after, "inventory", 1, 10) == events[1:]
    assert tx(outbox.newest, "inventory") == events[2:]
    assert outbox.Relay("inventory", house).drain() == 0


def test_what_was_rolled_back_never_leaves(tx: Transactions, house: Settings) -> None:
    def act(session: Session) -> None:
        outbox.enqueue(session, "thing.said", {"n": -1})
        raise ZeroDivisionError

    with listening(house.redis_url) as seen:
        with pytest.raises(ZeroDivisionError):
            tx(act)
        _say(tx, 1)
        assert outbox.Relay("inventory", house).drain() == 1
        [event] = _take(seen, 1)
    assert (event.seq, event.body) == (1, {"n": 1})


def test_late_commit_comes_after_those_before_it(tx: Transactions, house: Settings) -> None:
    """A row that was inserted first and committed last has the last number: nobody has passed it."""

    def slow(session: Session) -> None:
        outbox.enqueue(session, "thing.said", {"n": 1})
        _say(tx, 2)
        relay.drain()

    relay = outbox.Relay("inventory", house)
    tx(slow)
    relay.drain()
    assert [(e.seq, e.body["n"]) for e in tx(outbox.published_after, "inventory", 0, 10)] == [(1, 2), (2, 1)]


def test_many_writers_and_two_relays_leave_no_gap_and_lose_nothing(tx: Transactions, house: Settings) -> None:
    writers, each = 8, 25

    def write(writer: int) -> None:
        for number in range(each):
            _say(tx, writer * each + number)

    def relay(done: threading.Event) -> None:
        mine = outbox.Relay("inventory", house)
        while not done.is_set():
            mine.drain()
        mine.drain()

    done = threading.Event()
    with listening(house.redis_url) as seen:
        relays = [threading.Thread(target=relay, args=(done,)) for _ in range(2)]
        threads = [threading.Thread(target=write, args=(writer,)) for writer in range(writers)]
        for thread in (*relays, *threads):
            thread.start()
        for thread in threads:
            thread.join()
        done.set()
        for thread in relays:
            thread.join()
        came = {event.seq: event.body["n"] for event in _take(seen, writers * each)}
        while len(came) < writers * each:  # twice is allowed, never is not
            [event] = _take(seen, 1)
            came[event.seq] = event.body["n"]
    assert sorted(came) == list(range(1, writers * each + 1))
    assert sorted(came.values()) == list(range(writers * each))


def test_wake_ups_go_to_celery_and_have_no_number(tx: Transactions, house: Settings) -> None:
    store = redis.Redis.from_url(house.redis_url)
    store.delete("a-queue")
    tx(outbox.wake, "solve", "request-1", queue="a-queue")
    _say(tx, 1)
    assert outbox.Relay("inventory", house).drain() == 2
    assert store.llen("a-queue") == 1
    assert b"solve" in store.lindex("a-queue", 0)
    assert [e.seq for e in tx(outbox.published_after, "inventory", 0, 1)] == [1]
    assert [(row.seq, row.sent_at is None) for row in _rows(tx)] == [(1, False)]  # the wake-up is forgotten


class Broker:
    """A Valkey of one's own, to kill and start again on the same port and data."""

    def __init__(self, folder: Path) -> None:
        self.server = ValkeyServer(folder / "valkey")
        self.server.prepare()
        self.start()

    def start(self) -> None:
        self._process = subprocess.Popen(
            self.server.command(), env=self.server.environment, stdout=subprocess.DEVNULL
        )
        while not _answers(self.server.url):
            time.sleep(0.02)

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()


def _answers(url: str) -> bool:
    try:
        return bool(redis.Redis.from_url(url).ping())
    except redis.RedisError:
        return False


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    made = Broker(tmp_path)
    yield made
    made.kill()


def test_broker_away_loses_nothing(tx: Transactions, house: Settings, broker: Broker) -> None:
    settings = Settings.model_validate(house.model_dump() | {"redis_url": broker.server.url})
    relay = outbox.Relay("inventory", settings)
    _say(tx, 1)
    assert relay.drain() == 1
    broker.kill()
    _say(tx, 2, 3)
    tx(outbox.wake, "solve", queue="a-queue")
    with pytest.raises((BrokerAway, OSError)):
        relay.drain()
    assert [row.sent_at is None for row in _rows(tx)] == [False, True, True, True]
    broker.start()
    with listening(broker.server.url) as seen:
        assert relay.drain() == 3
        assert [e.body["n"] for e in _take(seen, 2)] == [2, 3]
    assert redis.Redis.from_url(broker.server.url).llen("a-queue") == 1


def test_listener_waits_for_a_broker_that_comes_later(
    broker: Broker, caplog: pytest.LogCaptureFixture
) -> None:
    broker.kill()
    seen: queue.Queue[Event] = queue.Queue()
    stop, connected = threading.Event(), threading.Event()
    thread = threading.Thread(target=listen, args=(broker.server.url, seen.put, stop, connected.set))
    thread.start()
    try:
        deadline = time.monotonic() + WAIT_S
        while "event exchange unreachable" not in caplog.text:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        broker.start()
        assert connected.wait(WAIT_S)
        publish(connect(broker.server.url), Event(service="inventory", topic="plan.progress", body={}))
        assert seen.get(timeout=WAIT_S).topic == "plan.progress"
    finally:
        stop.set()
        thread.join()


@contextmanager
def relay_process(settings: Settings) -> Iterator["subprocess.Popen[bytes]"]:
    """`python -m chubei_shared.outbox inventory`, as it is deployed."""
    given = {f"CHUBEI_{k.upper()}": str(v) for k, v in settings.model_dump().items() if v is not None}
    process = subprocess.Popen(
        [sys.executable, "-m", "chubei_shared.outbox", "inventory"],
        env={"PATH": os.defpath} | given,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def test_process_carries_on_after_kill_and_stops_on_sigterm(tx: Transactions, house: Settings) -> None:
    with listening(house.redis_url) as seen:
        with relay_process(house) as relay:
            _say(tx, 1)
            _await(seen, 1)
            relay.kill()
            relay.wait()
        _say(tx, 2)
        with relay_process(house) as relay:
            _await(seen, 2)
            _say(tx, 3)
            _await(seen, 3)
            relay.send_signal(signal.SIGTERM)
            assert relay.wait(WAIT_S) == 0


def test_relay_outlives_its_database_connection(tx: Transactions, house: Settings, engine: Engine) -> None:
    with listening(house.redis_url) as seen, relay_process(house):
        _say(tx, 1)
        _await(seen, 1)
        with engine.connect() as one:
            one.execute(
                text(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE pid <> pg_backend_pid() AND datname = current_database()"
                )
            )
        _say(tx, 2)
        _await(seen, 2)


_LISTENER = """
import sys, threading
from chubei_shared.events import listen
listen(sys.argv[1], print, threading.Event(), lambda: print("on", flush=True))
"""


def test_killed_listener_leaves_no_queue_behind(house: Settings, tx: Transactions) -> None:
    """What nobody reads must not pile up in the broker."""
    listener = subprocess.Popen([sys.executable, "-c", _LISTENER, house.redis_url], stdout=subprocess.PIPE)
    assert listener.stdout
    assert listener.stdout.readline() == b"on\n"
    listener.kill()
    listener.communicate()
    store = redis.Redis.from_url(house.redis_url)
    _say(tx, *range(20))
    outbox.Relay("inventory", house).drain()
    assert [key for key in store.keys("*listener*") if store.type(key) == b"list"] == []


def test_old_events_are_forgotten_but_the_count_goes_on(tx: Transactions, house: Settings) -> None:
    relay = outbox.Relay("inventory", house)
    _say(tx, 1, 2, 3)
    tx(outbox.wake, "solve", queue="a-queue")
    relay.drain()
    tx(lambda session: session.execute(text("UPDATE outbox SET sent_at = sent_at - interval '31 days'")))
    _say(tx, 4)  # not sent yet
    tx(outbox.purge)
    assert [row.seq for row in _rows(tx)] == [3, None]
    relay.drain()
    assert tx(lambda session: session.scalar(select(func.max(outbox._outbox.c.seq)))) == 4


def test_unknown_service_is_refused(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["outbox", "kitchen"])
    with pytest.raises(SystemExit, match=r"usage: .*inventory\|allocation\|gateway"):
        outbox.main()


def test_message_of_another_shape_is_passed_over(house: Settings, caplog: pytest.LogCaptureFixture) -> None:
    with listening(house.redis_url) as seen:
        broker = connect(house.redis_url)
        with broker.Producer() as producer:
            for body in ("not json", '{"service": 1}', '["a"]'):
                producer.publish(
                    body,
                    exchange=EXCHANGE,
                    routing_key="x",
                    declare=[EXCHANGE],
                    content_type="application/json",
                    content_encoding="utf-8",
                )
        publish(broker, Event(service="inventory", topic="plan.progress", body={}))
        assert _take(seen, 1)[0].topic == "plan.progress"
    assert "event of another shape" in caplog.text
