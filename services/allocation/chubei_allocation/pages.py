"""Pages of collections: by keyset, so that rows which come in between are neither lost nor shown twice."""

from datetime import datetime
from typing import Any
from uuid import UUID

from chubei_shared.cursors import cursor_of, key_of
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
    if before := key_of(cursor, datetime.fromisoformat, UUID):
        query = query.where(tuple_(at, key) < tuple_(*before))
    found = list(session.scalars(query.order_by(at.desc(), key.desc()).limit(limit + 1)))
    if len(found) <= limit:
        return found, None
    last = found[limit - 1]
    return found[:limit], cursor_of(getattr(last, at.key).isoformat(), getattr(last, key.key))
