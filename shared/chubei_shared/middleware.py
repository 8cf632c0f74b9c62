"""What every request passes: an id and a line in the log, and a limit to its size."""

import time
from uuid import uuid4

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from chubei_shared.telemetry import log, request_id

REQUEST_ID = "x-request-id"
MAX_BODY_BYTES = 8 * 1024 * 1024


class RequestLog:
    """ASGI middleware: gives each request an id (the caller's, if sent), answers it back, logs one line."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        sent = dict(scope["headers"]).get(REQUEST_ID.encode(), b"").decode("latin-1")[:64]
        rid = sent if sent.isprintable() and sent else uuid4().hex
        request_id.set(rid)
        begun, status = time.monotonic(), 500

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], (REQUEST_ID.encode(), rid.encode("latin-1"))]
            await send(message)

        try:
            await self._app(scope, receive, send_with_id)
        finally:
            if scope["path"] != "/healthz":
                log.info(
                    "request",
                    extra={
                        "method": scope["method"],
                        "path": scope["path"],
                        "status": status,
                        "ms": round((time.monotonic() - begun) * 1000, 1),
                    },
                )


class BodyLimit:
    """ASGI middleware: a body over MAX_BODY_BYTES is refused; before it is read, where its length is told."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        told = Headers(scope=scope).get("content-length", "") if scope["type"] == "http" else ""
        size = int(told) if told.isdecimal() else 0
        received = 0

        async def receive_counted() -> Message:
            nonlocal received
            message: Message = await receive() if size <= MAX_BODY_BYTES else {}
            received += len(message.get("body", b""))
            if max(size, received) > MAX_BODY_BYTES:
                raise HTTPException(413, "内容超过 8 MiB,请分批发送 / over 8 MiB: send it in parts")
            return message

        await self._app(scope, receive_counted, send)
