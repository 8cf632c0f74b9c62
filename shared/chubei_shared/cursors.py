"""Cursors: where a page of a collection ends, opaque to the caller."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from typing import Any

from chubei_shared.errors import Invalid


def cursor_of(*key: object) -> str:
    """The cursor of the row with this key."""
    return urlsafe_b64encode(json.dumps([str(part) for part in key]).encode()).decode()


def key_of(cursor: str | None, *kinds: Callable[[str], Any]) -> list[Any] | None:
    """The key that a cursor was made of, each part of its kind; None for the first page. Raises Invalid."""
    if cursor is None:
        return None
    try:
        parts = json.loads(urlsafe_b64decode(cursor.encode()))
        return [kind(part) for kind, part in zip(kinds, parts, strict=True)]
    except (ValueError, TypeError, AttributeError):
        raise Invalid(
            "cursor 无效:请原样使用上一页的 next_cursor",
            "cursor is not valid: use next_cursor of the page before as it is",
            errors=[{"field": "cursor", "problem": "unknown", "remedy": "next_cursor"}],
        ) from None


def name(part: str) -> str:
    """An identifier in a key."""
    if "\0" in part:
        raise ValueError("NUL")
    return part


def serial(part: str) -> int:
    """A serial number in a key."""
    if not part.isdecimal() or len(part) > 18:
        raise ValueError("no serial number")
    return int(part)
