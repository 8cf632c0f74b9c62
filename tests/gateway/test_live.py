"""Live events: delivered once and in order, also across a broker restart, a gap, and a screen that was away."""

import asyncio
import queue
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
import redis
from chubei_cli.valkey import ValkeyServer
from chubei_gateway.app import create_app
from chubei_gateway.live import QUEUE_LENGTH, Broadcast, Outboxes, Stream, format_cursor, parse_cursor
from chubei_shared import outbox
from chubei_shared.contracts.gateway_client import GatewayClient
from chubei_shared.db import Transactions, make_engine
from chubei_shared.errors import Invalid, Unauthorized
from chubei_shared.events import Event, connect, publish
from chubei_shared.settings import SERVICES, Service, Settings
from chubei_shared.tokens import Caller, Role, Signer
from fastapi import FastAPI
from hypothesis import given
from hypothesis import strategies as st

SignInAs = Callable[..., GatewayClient]
Serve = Callable[[FastAPI], AbstractContextManager[str]]
WAIT_S = 20


class Screen:
    """Reads the event stream in a thread, as a browser would."""

    def __init__(self, client: GatewayClient, **how: Any) -> None:
        self.seen: queue.Queue[Event | Exception] = queue.Queue()
        self._open, self._how, self._client = threading.Event(), how, client
        threading.Thread(target=self._read, daemon=True).start()
        assert self._open.wait(WAIT_S)

    def _read(self) -> None:
        try:
            for event in self._client.events(on_open=self._open.set, **self._how):
                self.seen.put(event)
        except Exception as error:
            self._open.set()
            self.seen.put(error)

    def next(self, count: int) -> list[Event]:
        found = [self.seen.get(timeout=WAIT_S) for _ in range(count)]
        assert all(isinstance(event, Event) for event in found), found
        return [event for event in found if isinstance(event, Event)]


@contextmanager
def relaying(settings: Settings, *services: Service) -> Iterator[None]:
    stop = threading.Event()
    threads = [threading.Thread(target=outbox.run, args=(s, settings, stop)) for s in services]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join()


@pytest.fixture(autouse=True)
def _nothing_waits(house: Settings) -> None:
    """What other tests did has left the outbox."""
    outbox.Relay("inventory", house).drain()


def _post(client: GatewayClient, *parcels: str) -> None:
    for parcel in parcels:
        assert client.http.post("/v1/parcels", json={"id": parcel, "quantity": 1}).status_code == 201


def _ids(events: list[Event]) -> list[str]:
    return [event.body["id"] for event in events]


def test_changes_arrive_as_they_happen(sign_in_as: SignInAs, house: Settings) -> None:
    clerk = sign_in_as(Role.CLERK)
    with relaying(house, "inventory"):
        screen = Screen(clerk, topics=["parcel."])
        _post(clerk, "a", "b", "c")
        events = screen.next(3)
    assert _ids(events) == ["a", "b", "c"]
    assert {e.service for e in events} == {"inventory"}
    first = events[0].seq
    assert first is not None
    assert [e.seq for e in events] == [first, first + 1, first + 2]


def test_topics_are_filtered_and_passing_events_have_no_number(sign_in_as: SignInAs, house: Settings) -> None:
    clerk = sign_in_as(Role.CLERK)
    screen = Screen(clerk, topics=["plan."])
    broker = connect(house.redis_url)
    for topic in ("other.thing", "plan.progress"):
        publish(broker, Event(service="allocation", topic=topic, body={"id": topic}))
    assert _ids(screen.next(1)) == ["plan.progress"]


def test_screen_that_was_away_goes_on_where_it_was(sign_in_as: SignInAs, house: Settings) -> None:
    clerk = sign_in_as(Role.CLERK)
    with relaying(house, "inventory"):
        screen = Screen(clerk, topics=["parcel."])
        _post(clerk, "before")
        [last] = screen.next(1)
        _post(clerk, "x1", "x2")
        screen.next(2)
    again = Screen(clerk, topics=["parcel."], last_event_id=f"inventory:{last.seq}")
    assert _ids(again.next(2)) == ["x1", "x2"]


def test_message_that_the_exchange_lost_is_filled_in(sign_in_as: SignInAs, house: Settings) -> None:
    clerk = sign_in_as(Role.CLERK)
    inventory = Transactions(make_engine(house.database("inventory"), pool_size=1))
    screen = Screen(clerk, topics=["parcel."])
    _post(clerk, "lost 1", "lost 2")
    inventory(outbox._number)
    inventory(outbox._mark_sent, [row.id for row in inventory(outbox._unsent)])  # but never sent
    with relaying(house, "inventory"):
        _post(clerk, "next")
        assert _ids(screen.next(3)) == ["lost 1", "lost 2", "next"]


@pytest.fixture
def broker(tmp_path: Path) -> Iterator["Broker"]:
    with ExitStack() as stack:
        yield Broker(tmp_path, stack)


class Broker:
    """A Valkey of one's own, to kill and start again on the same port and data."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.server = ValkeyServer(folder / "valkey")
        self.server.prepare()
        self.start()
        stack.callback(self.kill)

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


def test_nothing_is_missed_across_a_broker_restart(
    house: Settings,
    broker: Broker,
    inventory_url: str,
    allocation_url: str,
    serve: Serve,
    sign_in_as: SignInAs,
) -> None:
    name = sign_in_as(Role.CLERK).me().username
    own = {"redis_url": broker.server.url, "inventory_url": inventory_url, "allocation_url": allocation_url}
    settings = Settings.model_validate(house.model_dump() | own)
    with (
        serve(create_app(settings)) as url,
        httpx.Client(base_url=url, timeout=20) as http,
        relaying(settings, "inventory"),
    ):
        clerk = GatewayClient(http)
        clerk.sign_in(name, "correct horse battery")
        screen = Screen(clerk, topics=["parcel."])
        _post(clerk, "before")
        [before] = screen.next(1)
        broker.kill()
        _post(clerk, "during 1", "during 2")
        broker.start()
        _post(clerk, "after")
        assert _ids(screen.next(3)) == ["during 1", "during 2", "after"]
        late = Screen(clerk, topics=["parcel."], last_event_id=f"inventory:{before.seq}")
        assert _ids(late.next(3)) == ["during 1", "during 2", "after"]
        assert screen.seen.empty()


def test_stream_ends_with_its_session(sign_in_as: SignInAs, admin: GatewayClient) -> None:
    clerk = sign_in_as(Role.CLERK)
    screen = Screen(clerk)
    admin.revoke_session(next(clerk.sessions()).id)
    ended = screen.seen.get(timeout=WAIT_S)
    while isinstance(ended, Event):  # the revocation is an event too, where a relay runs
        ended = screen.seen.get(timeout=WAIT_S)
    assert isinstance(ended, Unauthorized)


def test_stream_ends_with_its_token(house: Settings, gateway_url: str) -> None:
    token = Signer(house.keys_dir, "gateway").issue(
        Caller("somebody", frozenset({Role.CLERK})),
        timedelta(seconds=-3),  # 5 s of leeway
    )
    with httpx.stream(
        "GET", f"{gateway_url}/v1/events", headers={"Authorization": f"Bearer {token}"}, timeout=WAIT_S
    ) as answer:
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert list(answer.iter_lines())[:1] == ["event: open"]


@pytest.mark.parametrize("bad", ["x", "inventory", "inventory:x", "stranger:1", "inventory:-1", "a:1:2"])
def test_bad_last_event_id_is_refused(
    bad: str, sign_in_as: SignInAs, house: Settings, gateway_url: str
) -> None:
    token = Signer(house.keys_dir, "gateway").issue(Caller("somebody", frozenset({Role.CLERK})))
    headers = {"Authorization": f"Bearer {token}", "Last-Event-ID": bad}
    answer = httpx.get(f"{gateway_url}/v1/events", headers=headers)
    assert answer.status_code == 422
    assert "inventory:12" in answer.json()["detail_en"]


def test_events_need_a_sign_in(anyone: GatewayClient) -> None:
    with pytest.raises(Unauthorized):
        next(anyone.events())


def test_slow_reader_is_dropped_and_others_are_not(house: Settings, tx: Transactions) -> None:
    async def scene() -> list[Event]:
        broadcast = Broadcast(house.redis_url)
        outboxes = Outboxes({}, httpx.AsyncClient(), Signer(house.keys_dir, "gateway"), tx)
        try:
            with broadcast.reader() as slow, broadcast.reader() as quick:
                stream = Stream(slow, outboxes)
                await stream.begin({})
                for number in range(QUEUE_LENGTH + 2):
                    broadcast._put(Event(service="allocation", topic="plan.progress", body={"n": number}))
                    await quick.queue.get()
                assert not quick.overrun
                return [event async for event in stream.events(lambda: asyncio.sleep(0, True))]
        finally:
            await asyncio.to_thread(broadcast.close)

    assert asyncio.run(scene()) == []


def test_cursor_ahead_of_a_restored_outbox_is_set_back(house: Settings, tx: Transactions) -> None:
    tx(outbox.enqueue, "user.changed", {"username": uuid4().hex})
    tx(outbox._number)
    [newest] = tx(outbox.newest, "gateway")

    async def scene() -> dict[str, int]:
        broadcast = Broadcast(house.redis_url)
        outboxes = Outboxes({}, httpx.AsyncClient(), Signer(house.keys_dir, "gateway"), tx)
        try:
            with broadcast.reader() as reader:
                stream = Stream(reader, outboxes)
                await stream.begin({"gateway": 10**9, "inventory": 7})
                return stream.cursor
        finally:
            await asyncio.to_thread(broadcast.close)

    assert asyncio.run(scene()) == {"gateway": newest.seq, "inventory": 7}


@given(st.dictionaries(st.sampled_from(SERVICES), st.integers(0, 2**63 - 1)))
def test_cursor_survives_the_wire(cursor: dict[str, int]) -> None:
    assert parse_cursor(format_cursor(cursor)) == cursor


@given(st.text(max_size=40))
def test_cursor_of_any_text_is_one_or_refused(text: str) -> None:
    try:
        cursor = parse_cursor(text)
    except Invalid:
        return
    assert cursor.keys() <= set(SERVICES)
