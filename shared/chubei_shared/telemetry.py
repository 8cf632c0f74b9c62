"""Logs: one JSON object a line on standard error, with the request's id."""

import contextvars
import json
import logging
import sys
from typing import Any

log = logging.getLogger("chubei")
request_id: contextvars.ContextVar[str | None] = contextvars.ContextVar("request_id", default=None)

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
