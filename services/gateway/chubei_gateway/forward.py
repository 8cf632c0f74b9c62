"""Everything the gateway does not answer itself goes to the service whose document names the path.

The role is checked here before anything is forwarded, and again by the service. What changes something is
recorded in the audit after the answer, with its outcome: if the gateway dies in between, the service's own
record (who moved what, when) is what remains. So are looks at personal data.
"""

from collections.abc import AsyncIterator
from functools import partial
from typing import Final

import httpx
from anyio import CancelScope
from chubei_shared.access import PUBLIC, allow_public
from chubei_shared.errors import AppError, Forbidden, NotFound, Unauthorized, Unavailable
from chubei_shared.middleware import REQUEST_ID
from chubei_shared.telemetry import log, request_id
from chubei_shared.tokens import Caller, Verifier, check_roles
from fastapi import APIRouter, Request, Response
from fastapi.responses import StreamingResponse
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from chubei_gateway import audit, looks
from chubei_gateway.directory import Directory
from chubei_gateway.documents import Operation

_HOP_BY_HOP: Final = {
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
}
_NOT_FORWARDED: Final = _HOP_BY_HOP | {
    "host",
    "content-length",
    "accept-encoding",
    "cookie",
    "expect",
    REQUEST_ID,
}
_NOT_ANSWERED: Final = _HOP_BY_HOP | {"content-length", "content-encoding", "date", "server", REQUEST_ID}
_BROKEN: Final = (httpx.ConnectError, httpx.ReadError, httpx.WriteError, httpx.RemoteProtocolError)
_READS: Final = {"GET", "HEAD"}
_NOT_STALE: Final = {"connection.connect_tcp.started", "http11.receive_response_headers.complete"}
"""Steps of httpcore (its "trace" extension) in a request on a new connection, or one that was answered."""
_WHOLE_BYTES: Final = 1024 * 1024
_PIECE_BYTES: Final = 64 * 1024
_METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")


router = APIRouter(include_in_schema=False)


@router.api_route("/v1/{path:path}", methods=list(_METHODS), **allow_public())
async def forward(request: Request) -> Response:
    """The answer of the service that serves the request's path; the roles are those of its operation there."""
    path: str = request.scope["path"]
    if {".", ".."} & set(path.split("/")):
        raise NotFound(f"没有 {path}", f"There is no {path}")  # a client library would walk up
    directory: Directory = request.app.state.directory
    operation = await directory.find(request.method, path)
    caller = None if PUBLIC in operation.roles else await run_in_threadpool(_signed_in, request)
    try:
        if caller is not None:
            _check(caller, operation)
        response = await _send(request, operation, directory)
    except AppError as error:
        await _record(request, caller, operation, error.status)
        raise
    await _record(request, caller, operation, response.status_code)
    return response


def _signed_in(request: Request) -> Caller:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise Unauthorized("缺少登录凭证", "No bearer token: sign in first")
    verifier: Verifier = request.app.state.verifier
    return verifier.verify(token)


def _check(caller: Caller, operation: Operation) -> None:
    check_roles(caller, operation.roles)
    if caller.must_change_password:
        raise Forbidden(
            "请先修改初始密码:POST /v1/me/password", "Change the first password first: POST /v1/me/password"
        )


async def _send(request: Request, operation: Operation, directory: Directory) -> Response:
    """The service's answer. Raises Unavailable.

    A read whose connection broke is tried once more; so is a write that got no answer on a connection kept from
    before: the service had closed it, most likely before the write came, and if not, writes are idempotent by the
    ids that their clients mint.
    """
    http: httpx.AsyncClient = request.app.state.http
    raw_path = b"?".join(filter(None, [request.scope["raw_path"], request.scope["query_string"]]))
    try:
        target = httpx.URL(directory.parts[operation.service].url).copy_with(raw_path=raw_path)
    except httpx.InvalidURL:
        raise HTTPException(414, "请缩短地址或查询条件 / shorten the address or its query") from None
    outgoing = http.build_request(
        request.method,
        target,
        headers=_headers(request),
        content=await request.body(),
        timeout=httpx.Timeout(operation.timeout_s, connect=3),
    )
    steps: set[str] = set()

    async def note(step: str, _: object) -> None:
        steps.add(step)

    outgoing.extensions["trace"] = note
    for last in (False, True):
        try:
            answer = await http.send(outgoing, stream=True)
            if _is_small(answer):
                await answer.aread()
            break
        except httpx.HTTPError as error:
            directory.suspect(operation.service)
            fresh = bool(steps & _NOT_STALE)
            if last or not isinstance(error, _BROKEN) or (fresh and operation.method not in _READS):
                log.warning("service away", extra={"part": operation.service, "error": repr(error)})
                raise Unavailable(
                    f"服务 {operation.service} 暂不可用,请稍后用同一编号重试",
                    f"The service {operation.service} is not available: retry with the same id",
                    services=[operation.service],
                ) from error
    headers = {k: v for k, v in answer.headers.items() if k not in _NOT_ANSWERED}
    if answer.is_closed:
        return Response(answer.content, answer.status_code, headers)
    if length := _length(answer):
        headers["content-length"] = str(length)
    return StreamingResponse(_pieces(answer), answer.status_code, headers)


def _length(answer: httpx.Response) -> int | None:
    """How long the service says that its answer is, as it is passed on."""
    told: str = answer.headers.get("content-length", "")
    return int(told) if told.isdecimal() and "content-encoding" not in answer.headers else None


def _is_small(answer: httpx.Response) -> bool:
    """Whether an answer is read whole before it is passed on; what is larger, or of no known length, passes through."""
    length = _length(answer)
    return answer.request.method == "HEAD" or (length is not None and length <= _WHOLE_BYTES)


async def _pieces(answer: httpx.Response) -> AsyncIterator[bytes]:
    """An answer as it comes in. Whoever leaves early closes the connection to the service."""
    try:
        async for piece in answer.aiter_bytes(_PIECE_BYTES):
            yield piece
    finally:
        with CancelScope(shield=True):
            await answer.aclose()


def _headers(request: Request) -> list[tuple[bytes, bytes]]:
    """The caller's headers, byte for byte: names in them may be in any writing."""
    named = {name.strip().lower() for name in request.headers.get("connection", "").split(",")}
    kept = [
        (name.encode("latin-1"), value.encode("latin-1"))
        for name, value in request.headers.items()
        if name not in _NOT_FORWARDED | named and not name.startswith(("forwarded", "x-forwarded-"))
    ]
    return [*kept, (REQUEST_ID.encode(), (request_id.get() or "-").encode("latin-1"))]


async def _record(request: Request, caller: Caller | None, operation: Operation, status: int) -> None:
    """Record what changed something, or was to, and looks; an audit that is away does not undo what was done."""
    is_look = operation.method in _READS
    if caller is None or (is_look and not operation.personal):
        return
    act, target = f"{operation.method} {operation.path}", request.scope["path"]
    record = partial(looks.record, request.app.state.redis) if is_look else audit.attempt
    await run_in_threadpool(record, request.app.state.tx, caller.person, act, target, status)
