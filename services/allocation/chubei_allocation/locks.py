"""Advisory locks, held until the transaction ends."""

from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session


def one_at_a_time(session: Session, key: UUID) -> None:
    """Let the transactions that use `key` pass one after the other, so that two of the same request see each other."""
    session.execute(select(func.pg_advisory_xact_lock(key.int >> 65)))
