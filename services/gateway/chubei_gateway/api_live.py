"""Routes for screens: the event stream, and the state of the house."""

from collections.abc import AsyncIterator
from functools import partial
from typing import Annotated

from chubei_shared.access import allow, allow_public
from chubei_shared.contracts.identity import Health
from chubei_shared.errors import Unauthorized
from chubei_shared.tokens import PEOPLE, Verifier
from fastapi import APIRouter, Depends, Header, Query, Request
from fastapi.sse import EventSourceResponse, ServerSentEvent
from starlette.concurrency import run_in_threadpool

from chubei_gateway.health import health
from chubei_gateway.live import Broadcast, Cursor, Outboxes, Stream, format_cursor, parse_cursor

router = APIRouter(tags=["live"])


def _last_seen(
    last_event_id: Annotated[
        str, Header(max_length=200, description="从何处继续 / where to go on: inventory:12,allocation:40")
    ] = "",
) -> Cursor:
    return parse_cursor(last_event_id)


@router.get(
    "/v1/events",
    summary="实时事件 / Live events",
    response_class=EventSourceResponse,
    **allow(*PEOPLE),
)
async def stream_events(
    request: Request,
    last_seen: Annotated[Cursor, Depends(_last_seen)],
    topics: Annotated[
        str, Query(max_length=200, description="主题前缀,逗号分隔 / topic prefixes, e.g. plan.,order.")
    ] = "",
) -> AsyncIterator[ServerSentEvent]:
    """Server-Sent Events; each message's data is one event as in /v1/<service>/events, its id where to go on.

    Lasting events arrive once and in order, also what was missed since Last-Event-ID; passing ones (those
    without seq: plan.progress) only as they happen. The first message, `open`, has no data. The stream
    ends when the token expires or its session is revoked, and when the reader is too slow: connect again
    with the last id.
    """
    broadcast: Broadcast = request.app.state.broadcast
    outboxes: Outboxes = request.app.state.outboxes
    prefixes = tuple(filter(None, (topic.strip() for topic in topics.split(",")))) or ("",)
    with broadcast.reader() as reader:
        stream = Stream(reader, outboxes)
        await stream.begin(last_seen)
        yield ServerSentEvent(event="open", id=format_cursor(stream.cursor), retry=1000)
        async for event in stream.events(partial(_still_valid, request)):
            if event.topic.startswith(prefixes):
                yield ServerSentEvent(raw_data=event.model_dump_json(), id=format_cursor(stream.cursor))


async def _still_valid(request: Request) -> bool:
    verifier: Verifier = request.app.state.verifier
    token = request.headers["authorization"].partition(" ")[2]
    try:
        await run_in_threadpool(verifier.verify, token)
    except Unauthorized:
        return False
    return True


@router.get("/v1/health", summary="各部分状态 / The parts and their state", **allow_public())
async def read_health(request: Request) -> Health:
    """The gateway's database, the Redis-protocol server, and each service with its database."""
    return await health(request.app.state)
