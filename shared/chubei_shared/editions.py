"""Editions of a record that people edit: an ETag names the one that was read, If-Match the one to change (RFC 9110).

An edition is the content that people wrote; what is counted beside it (held, used) does not change it.
"""

import json
from hashlib import sha256
from typing import Annotated

from fastapi import Header

from chubei_shared.contracts.base import Dto
from chubei_shared.errors import PreconditionFailed, PreconditionRequired

IfMatch = Annotated[
    str | None,
    Header(
        max_length=400, description="读到的 ETag;* 为任何版本 / the ETag that was read; * for any edition"
    ),
]


def etag_of(content: Dto) -> str:
    """The strong ETag of a record's content: the same content has the same one."""
    text = json.dumps(content.model_dump(mode="json"), sort_keys=True, separators=(",", ":"))
    return f'"{sha256(text.encode()).hexdigest()[:24]}"'


def refuse_other_edition(if_match: str | None, now: str | None) -> None:
    """Let a change pass that names the present edition, whose ETag is `now` (None: there is no record yet).

    Raises PreconditionRequired where an edit names none, PreconditionFailed where it names another.
    """
    if if_match is None:
        if now is not None:
            raise PreconditionRequired(
                "更改已有记录须带 If-Match:先读取(GET),再把其 ETag 填入 If-Match",
                "To change what is there, send If-Match: GET it, and send back its ETag",
                errors=[{"field": "If-Match", "problem": "missing", "remedy": f"If-Match: {now}"}],
            )
        return
    named = [tag.strip() for tag in if_match.split(",")]
    if now is None or (named != ["*"] and now not in named):
        raise PreconditionFailed(
            "记录在您读取之后已被更改,请重新读取(GET)后再改",
            "It was changed since you read it: GET it again, then change that",
            errors=[{"field": "If-Match", "problem": if_match, "remedy": "GET, then If-Match: <ETag>"}],
            etag=now,
        )
