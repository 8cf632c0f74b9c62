"""Whether two requests under one id are the same request."""

import json
from hashlib import sha256
from uuid import UUID

from chubei_shared.contracts.base import Dto
from chubei_shared.errors import Conflict


def fingerprint(body: Dto) -> bytes:
    """SHA-256 over canonical JSON: the same for the same content, however it was spelt on the wire.

    Ids are remembered for good, beyond the day a contract gets a field more: so defaults are left out.
    """
    told = body.model_dump(mode="json", exclude_defaults=True)
    text = json.dumps(told, sort_keys=True, separators=(",", ":"))
    return sha256(text.encode()).digest()


def other_content(request_id: UUID) -> Conflict:
    """The refusal of a known id with another body."""
    return Conflict(
        f"编号 {request_id} 已用于另一内容,请换新编号",
        f"The id {request_id} has been used for other content: mint a new id",
    )
