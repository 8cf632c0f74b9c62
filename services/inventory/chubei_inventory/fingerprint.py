"""Whether two requests under one id are the same request."""

import json
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any
from uuid import UUID

from chubei_shared.contracts.base import Dto
from chubei_shared.errors import Conflict


def fingerprint(body: Dto) -> bytes:
    """SHA-256 over canonical JSON: the same for the same content, however it was spelt on the wire."""
    text = json.dumps(body.model_dump(), default=_plain, sort_keys=True, separators=(",", ":"))
    return sha256(text.encode()).digest()


def _plain(value: Any) -> str:
    return value.astimezone(UTC).isoformat() if isinstance(value, datetime) else str(value)


def other_content(request_id: UUID) -> Conflict:
    """The refusal of a known id with another body."""
    return Conflict(
        f"编号 {request_id} 已用于另一内容,请换新编号",
        f"The id {request_id} has been used for other content: mint a new id",
    )
