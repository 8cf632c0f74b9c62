"""Pages of collections: by keyset, so that rows which come in between are neither lost nor shown twice."""

import base64
import binascii
from datetime import datetime
from typing import Any
from uuid import UUID

from chubei_shared.errors import Invalid
from sqlalchemy import Select, tuple_
from sqlalchemy.orm import InstrumentedAttribute, Session


def latest(
    session: Session,
    query: Select[Any],
    at: InstrumentedAttribute[datetime],
    key: InstrumentedAttribute[UUID],
    cursor: str | None,
    limit: int,
) -> tuple[list[Any], str | None]:
    """A page of entities, the latest first, and the cursor of the next page (None at the end)."""
    if cursor is not None:
        query = query.where(tuple_(at, key) < tuple_(*_decode(cursor)))
    found = list(session.scalars(query.order_by(at.desc(), key.desc()).limit(limit + 1)))
    if len(found) <= limit:
        return found, None
    last = found[limit - 1]
    return found[:limit], _encode(getattr(last, at.key), getattr(last, key.key))


def _encode(at: datetime, key: UUID) -> str:
    return base64.urlsafe_b64encode(f"{at.isoformat()}|{key}".encode()).decode()


def _decode(cursor: str) -> tuple[datetime, UUID]:
    try:
        at, key = base64.b64decode(cursor, altchars=b"-_", validate=True).decode().split("|")
        return datetime.fromisoformat(at), UUID(key)
    except (ValueError, binascii.Error):
        raise Invalid(
            "cursor:无效,请用上一页的 next_cursor",
            "cursor: not valid, use the next_cursor of the page before",
        ) from None
