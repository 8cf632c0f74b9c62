"""Advisory locks, held until the transaction ends."""

from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session


def hold(session: Session, key: UUID) -> None:
    """Let one transaction at a time pass that uses `key`, so that two of the same request see each other."""
    session.execute(select(func.pg_advisory_xact_lock(key.int >> 65)))
