"""Live events for the screens: Server-Sent Events that miss nothing lasting.

One thread listens to the event exchange and hands each event to every open stream. A stream remembers how
far it has come with each service (its cursor), and fills any gap from that service's outbox; so what the
exchange loses, or what happened while a screen was away, still arrives, once and in order.
"""

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Final

import httpx
from chubei_shared import outbox
from chubei_shared.db import Transactions
from chubei_shared.errors import Invalid
from chubei_shared.events import Event, listen
from chubei_shared.settings import SERVICES
from chubei_shared.telemetry import log
from chubei_shared.tokens import Caller, Role, Signer
from pydantic import TypeAdapter
from sqlalchemy.exc import SQLAlchemyError
from starlette.concurrency import run_in_threadpool

AWAY: Final = (httpx.HTTPError, SQLAlchemyError, ValueError)
"""How an outbox that can not be read shows."""
QUEUE_LENGTH: Final = 1000
"""Events that wait for a slow reader; with more its stream ends, and it comes back with its cursor."""
_CATCH_UP_S: Final = 30.0
"""So often a stream looks for what it missed, should the exchange have gone mute."""
_CHECK_S: Final = 2.0
"""So often a stream asks whether its token still holds, and for a service that was away."""
_PAGE: Final = 500
_Events = TypeAdapter(list[Event])

Cursor = dict[str, int]
"""The seq of the last event seen, by service."""


def parse_cursor(text: str) -> Cursor:
    """'inventory:12,allocation:40' as a cursor. Raises Invalid."""
    try:
        pairs = [pair.split(":") for pair in text.split(",") if pair]
        cursor = {service: int(seq) for service, seq in pairs}
        if not cursor.keys() <= set(SERVICES) or not all(0 <= seq < 2**63 for seq in cursor.values()):
            raise ValueError
        return cursor
    except ValueError:
        raise Invalid(
            "Last-Event-ID 应如 inventory:12,allocation:40",
            "Last-Event-ID should be like inventory:12,allocation:40",
        ) from None


def format_cursor(cursor: Cursor) -> str:
    return ",".join(f"{service}:{seq}" for service, seq in sorted(cursor.items()))


class Reader:
    """One stream's queue. An item of None says: look into the outboxes."""

    def __init__(self) -> None:
        self.queue: asyncio.Queue[Event | None] = asyncio.Queue(QUEUE_LENGTH)
        self.overrun = False


class Broadcast:
    """Hands what the exchange brings to all readers. The readers live on one event loop."""

    def __init__(self, redis_url: str) -> None:
        self._loop = asyncio.get_running_loop()
        self._readers: set[Reader] = set()
        self._stop = threading.Event()
        self._thread = threading.Thread(
            target=listen,
            args=(redis_url, self._hand, self._stop, lambda: self._hand(None)),
            name="events",
            daemon=True,
        )
        self._thread.start()

    @contextmanager
    def reader(self) -> Iterator[Reader]:
        """A reader of everything from now on."""
        reader = Reader()
        self._readers.add(reader)
        try:
            yield reader
        finally:
            self._readers.discard(reader)

    def close(self) -> None:
        self._stop.set()
        self._thread.join(5)

    def _hand(self, event: Event | None) -> None:
        if not self._stop.is_set():
            self._loop.call_soon_threadsafe(self._put, event)

    def _put(self, event: Event | None) -> None:
        for reader in self._readers:
            if reader.queue.full():
                reader.overrun = True
            else:
                reader.queue.put_nowait(event)


class Outboxes:
    """What the services have published: the gateway's own read directly, the others' over HTTP."""

    def __init__(
        self, urls: dict[str, str], http: httpx.AsyncClient, signer: Signer, tx: Transactions
    ) -> None:
        self._urls, self._http, self._signer, self._tx = urls, http, signer, tx

    async def after(self, service: str, seq: int) -> list[Event]:
        """The next events of a service. Raises httpx.HTTPError, SQLAlchemyError."""
        if service == "gateway":
            return await run_in_threadpool(self._tx, outbox.published_after, service, seq, _PAGE)
        return await self._get(service, {"after": seq, "limit": _PAGE})

    async def newest(self) -> Cursor:
        """How far each service has come; those that are away are left out."""
        found = await asyncio.gather(*(self._newest(service) for service in ("gateway", *self._urls)))
        return {service: seq for part in found for service, seq in part.items()}

    async def _newest(self, service: str) -> Cursor:
        try:
            if service == "gateway":
                events = await run_in_threadpool(self._tx, outbox.newest, service)
            else:
                events = await self._get(service, {"newest": True})
        except AWAY as error:
            log.info("outbox away", extra={"part": service, "error": repr(error)})
            return {}
        return {service: (events[0].seq or 0) if events else 0}

    async def _get(self, service: str, params: dict[str, int | bool]) -> list[Event]:
        token = self._signer.issue(Caller("gateway", frozenset({Role.AUDITOR})))
        answer = await self._http.get(
            f"{self._urls[service]}/v1/{service}/events",
            params=params,
            headers={"Authorization": f"Bearer {token}"},
            timeout=5,
        )
        return _Events.validate_json(answer.raise_for_status().content)


class Stream:
    """The events that one screen gets: every lasting one from its cursor on, once and in order."""

    def __init__(self, reader: Reader, outboxes: Outboxes) -> None:
        self.cursor: Cursor = {}
        self._reader, self._outboxes = reader, outboxes
        self._look_at = float("inf")
        """Monotonic; when to look into the outboxes next."""

    async def begin(self, last_seen: Cursor) -> None:
        """Set the cursor: where the screen has been, else now; never ahead of an outbox (of a restored house)."""
        newest = await self._outboxes.newest()
        self.cursor = newest | {s: min(seq, newest.get(s, seq)) for s, seq in last_seen.items()}
        self._look_at = time.monotonic() + (0 if last_seen else _CATCH_UP_S)

    async def events(self, valid: Callable[[], Awaitable[bool]]) -> AsyncIterator[Event]:
        """Events until the reader is overrun or `valid`, asked every few seconds, says no."""
        check_at = time.monotonic() + _CHECK_S
        while not self._reader.overrun:
            if time.monotonic() >= check_at:
                if not await valid():
                    return
                check_at = time.monotonic() + _CHECK_S
            if time.monotonic() >= self._look_at:
                async for event in self._look():
                    yield event
            if news := await self._news():
                yield news

    async def _look(self) -> AsyncIterator[Event]:
        """What the outboxes have after the cursor; again soon if a service is away."""
        self._look_at = time.monotonic() + _CATCH_UP_S
        for service in sorted(self.cursor):
            try:
                while events := await self._outboxes.after(service, self.cursor[service]):
                    for event in events:
                        self.cursor[service] = event.seq or 0
                        yield event
            except AWAY:
                self._look_at = time.monotonic() + _CHECK_S

    async def _news(self) -> Event | None:
        """The next event from the exchange, if one comes soon and it is the next one after the cursor."""
        try:
            async with asyncio.timeout(_CHECK_S):
                event = await self._reader.queue.get()
        except TimeoutError:
            return None
        if event is None:
            self._look_at = 0.0
            return None
        if event.seq is None:
            return event
        seen = self.cursor.get(event.service, event.seq - 1)
        if event.seq > seen + 1:
            self._look_at = 0.0  # some are missing, and this one is in the outbox with them
        if event.seq != seen + 1:
            return None
        self.cursor[event.service] = event.seq
        return event
