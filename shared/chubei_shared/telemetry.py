"""Logs: one JSON object a line on standard error, with the request's id."""

import contextvars
import json
import logging
import sys
import time
from typing import Any
from uuid import uuid4

from starlette.types import ASGIApp, Message, Receive, Scope, Send

log = logging.getLogger("chubei")
request_id: contextvars.ContextVar[str | None] = contextvars.ContextVar("request_id", default=None)
REQUEST_ID = "x-request-id"

_STANDARD = set(logging.makeLogRecord({}).__dict__) | {"message", "asctime"}


class _Json(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        row: dict[str, Any] = {
            "at": self.formatTime(record, "%Y-%m-%dT%H:%M:%S%z"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            "request_id": request_id.get(),
        }
        row |= {k: v for k, v in record.__dict__.items() if k not in _STANDARD}
        if record.exc_info:
            row["exception"] = self.formatException(record.exc_info)
        return json.dumps({k: v for k, v in row.items() if v is not None}, ensure_ascii=False, default=str)


def configure(service: str) -> None:
    """Send all logs of this process to standard error as JSON lines."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Json())
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    for noisy in ("httpx", "httpcore", "uvicorn.access"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    log.info("start", extra={"service": service})


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
