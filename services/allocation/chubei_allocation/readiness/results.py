"""Verbs that show what checks found: the newest, a night's, a month's."""

from datetime import date, timedelta
from typing import Any

from chubei_shared.contracts.readiness import Current, Readiness, RunView
from chubei_shared.errors import NotFound
from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session, undefer

from chubei_allocation.readiness import runs
from chubei_allocation.readiness.tables import Run


def current(session: Session) -> Current:
    latest = _newest(session)
    open_ = session.scalar(
        select(Run).where(Run.status.in_(["queued", "running"])).order_by(Run.created_at.desc()).limit(1)
    )
    over = session.scalar(
        select(Run).where(Run.status.in_(["done", "failed"])).order_by(Run.finished_at.desc()).limit(1)
    )
    return Current(
        latest=_shown(session, latest) if latest else None,
        under_way=runs.view(session, open_) if open_ else None,
        failed=runs.view(session, over) if over and over.status == "failed" else None,
    )


def of_night(session: Session, night: date) -> Readiness:
    """The newest finished check of a night. Raises NotFound."""
    found = _newest(session, Run.night == night)
    if found is None:
        raise NotFound(
            f"{night} 没有已完成的检查,请看 /v1/readiness/history",
            f"There is no finished check of {night}: see /v1/readiness/history",
        )
    return _shown(session, found)


def of_month(session: Session, first: date) -> list[RunView]:
    """The newest finished check of each night of a month, in order."""
    after = (first + timedelta(days=32)).replace(day=1)
    rows = session.scalars(
        select(Run)
        .where(Run.night >= first, Run.night < after, Run.status == "done")
        .ext(distinct_on(Run.night))
        .order_by(Run.night, Run.finished_at.desc())
    ).all()
    return [runs.view(session, row) for row in rows]


def last_of_month(session: Session, first: date) -> Readiness | None:
    """The newest finished check of the last night of a month that has one."""
    after = (first + timedelta(days=32)).replace(day=1)
    nights = select(func.max(Run.night)).where(Run.night >= first, Run.night < after, Run.status == "done")
    found = _newest(session, Run.night == nights.scalar_subquery())
    return _shown(session, found) if found else None


def _newest(session: Session, *where: Any) -> Run | None:
    return session.scalar(
        select(Run)
        .where(Run.status == "done", *where)
        .order_by(Run.finished_at.desc())
        .limit(1)
        .options(undefer(Run.result))
    )


def _shown(session: Session, run: Run) -> Readiness:
    return Readiness.model_validate({**(run.result or {}), "run": runs.view(session, run)}, strict=False)


def summary_before(session: Session, run: Run) -> dict[str, Any] | None:
    """The few figures of the check that was finished before this one."""
    return session.scalar(
        select(Run.summary)
        .where(Run.status == "done", Run.id != run.id)
        .order_by(Run.finished_at.desc())
        .limit(1)
    )
