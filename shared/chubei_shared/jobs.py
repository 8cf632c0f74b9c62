"""Jobs are rows in PostgreSQL: claimed under a lease with a fencing token, found again by a sweeper.

Celery only wakes a worker. A worker that lost its lease (it hung, its machine slept) can write nothing
more, because every later write names the fence it was given.
"""

from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    CursorResult,
    DateTime,
    Integer,
    Text,
    and_,
    or_,
    select,
    update,
)
from sqlalchemy.orm import Mapped, Session, mapped_column

Moment = Mapped[datetime] | Mapped[datetime | None]
QUEUED, RUNNING, DONE, FAILED, CANCELLED = "queued", "running", "done", "failed", "cancelled"
MAX_ATTEMPTS = 5
SKEW = timedelta(minutes=5)
"""By so much two machines' clocks may differ. What lies further ahead was written before a clock was set back: then
one acts, rather than wait for that moment to come round again. A lease is shorter than this."""


def long_ago(moment: Moment, span: timedelta, now: datetime) -> ColumnElement[bool]:
    """Whether more than `span` has passed since `moment`, or it can not be true."""
    return or_(moment < now - span, moment > now + SKEW)


def run_out(lease_until: Moment, now: datetime) -> ColumnElement[bool]:
    """Whether a lease is over, or was given by a clock that has been set back since."""
    return long_ago(lease_until, timedelta(), now)


class JobMixin:
    """The columns of a job; the table adds what the job is about."""

    status: Mapped[str] = mapped_column(Text, default=QUEUED)
    fence: Mapped[int] = mapped_column(BigInteger, default=0)
    lease_until: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    attempts: Mapped[int] = mapped_column(Integer, default=0)
    error: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=lambda: datetime.now(UTC))
    finished_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    id: Mapped[UUID]


J = TypeVar("J", bound=JobMixin)


def claim(session: Session, job: type[J], job_id: UUID, lease: timedelta) -> J | None:
    """Take a job that is queued or whose lease ran out; None when someone else has it or it is over."""
    now = datetime.now(UTC)
    free = or_(job.status == QUEUED, and_(job.status == RUNNING, run_out(job.lease_until, now)))
    return session.scalar(
        update(job)
        .where(job.id == job_id, free)
        .values(status=RUNNING, fence=job.fence + 1, attempts=job.attempts + 1, lease_until=now + lease)
        .returning(job)
    )


def renew(session: Session, held: JobMixin, lease: timedelta, /, **values: Any) -> bool:
    """Prolong the lease and store `values` (progress, say). False: the job is no longer ours, or cancelled."""
    return _guarded(session, held, lease_until=datetime.now(UTC) + lease, **values)


def release(session: Session, held: JobMixin) -> bool:
    """Lay the job down while it goes on: its work is in other rows now. Nobody claims it meanwhile."""
    return _guarded(session, held, lease_until=None)


def finish(session: Session, held: JobMixin, status: str, /, **values: Any) -> bool:
    """End the job. False: it is no longer ours, and nothing was written."""
    return _guarded(session, held, status=status, finished_at=datetime.now(UTC), lease_until=None, **values)


def put_back(session: Session, held: JobMixin, /, **values: Any) -> bool:
    """Give the job up, to be taken again. False: it is no longer ours, and nothing was written."""
    return _guarded(session, held, status=QUEUED, lease_until=None, **values)


def cancel(session: Session, job: type[J], job_id: UUID) -> bool:
    """Cancel a job that is not over; its worker sees that at its next `renew`."""
    result: CursorResult[Any] = session.execute(  # type: ignore[assignment]
        update(job)
        .where(job.id == job_id, job.status.in_([QUEUED, RUNNING]))
        .values(status=CANCELLED, finished_at=datetime.now(UTC), lease_until=None)
    )
    return bool(result.rowcount)


def stranded(session: Session, job: type[J], after: timedelta) -> list[UUID]:
    """Jobs that wait although no worker has them: queued for longer than `after`, or with a lease run out."""
    now = datetime.now(UTC)
    return list(
        session.scalars(
            select(job.id)
            .where(
                or_(
                    and_(job.status == QUEUED, long_ago(job.created_at, after, now)),
                    and_(job.status == RUNNING, run_out(job.lease_until, now)),
                )
            )
            .order_by(job.created_at)
            .limit(100)
            .with_for_update(skip_locked=True)
        )
    )


def _guarded(session: Session, held: JobMixin, **values: Any) -> bool:
    job = type(held)
    result: CursorResult[Any] = session.execute(  # type: ignore[assignment]
        update(job)
        .where(job.id == held.id, job.fence == held.fence, job.status == RUNNING)
        .values(**values)
        .execution_options(synchronize_session=False)
    )
    return bool(result.rowcount)
