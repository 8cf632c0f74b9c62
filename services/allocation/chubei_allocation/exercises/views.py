"""Exercises as they are read, and what of the yearly duty is done."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from chubei_shared.contracts.exercises import (
    Clock,
    ExercisePage,
    ExerciseRow,
    ExerciseStatus,
    ExerciseView,
    Form,
    InjectStatus,
    InjectView,
    Score,
    YearlyDuty,
)
from chubei_shared.contracts.exercises import Inject as Scripted
from chubei_shared.errors import NotFound
from sqlalchemy import and_, cast, func, select
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Session

from chubei_allocation import pages, tables
from chubei_allocation.exercise_books.tables import Book
from chubei_allocation.exercises import rules, scoring
from chubei_allocation.exercises.tables import Exercise, Inject

_YEAR = timedelta(days=365)


def show(session: Session, incident_id: UUID) -> ExerciseView:
    """Raises NotFound."""
    exercise = session.get(Exercise, incident_id)
    if exercise is None:
        raise NotFound(
            f"事件 {incident_id} 没有按演练开始", f"Incident {incident_id} was not opened as an exercise"
        )
    incident = session.get_one(tables.Incident, incident_id)
    source, name, frozen_at = session.execute(
        select(Book.source, Book.name, Book.frozen_at).where(Book.incident_id == incident_id)
    ).one()
    kept = Score.model_validate(exercise.score) if exercise.score else None
    status = ExerciseStatus(exercise.status)
    return ExerciseView(
        incident_id=incident_id,
        name=incident.name,
        form=Form(exercise.form),
        clock=Clock(exercise.clock),
        status=status,
        stock=source,
        stock_name=name,
        frozen_at=frozen_at,
        opened_at=exercise.opened_at,
        opened_by=exercise.opened_by,
        now_min=exercise.now_min,
        concluded_at=exercise.concluded_at,
        concluded_by=exercise.concluded_by,
        findings=exercise.findings,
        injects=_injects(session, incident_id),
        score=kept or scoring.score(session, incident),
        counts=rules.counts(status, kept.decide_min if kept else None),
    )


def _injects(session: Session, incident_id: UUID) -> list[InjectView]:
    found = session.scalars(select(Inject).where(Inject.incident_id == incident_id).order_by(Inject.number))
    return [
        InjectView(
            **dict(Scripted.model_validate(row.body)),
            id=row.id,
            number=row.number,
            status=InjectStatus(row.status),
            played_at=row.played_at,
            played_by=row.played_by,
            problem=row.problem,
        )
        for row in found
    ]


def listed(session: Session, cursor: str | None, limit: int) -> ExercisePage:
    """The latest first, with the duty of the year."""
    found, following = pages.latest(
        session, select(Exercise), Exercise.opened_at, Exercise.incident_id, cursor, limit
    )
    ids = [row.incident_id for row in found]
    names = {
        row.id: row.name
        for row in session.execute(
            select(tables.Incident.id, tables.Incident.name).where(tables.Incident.id.in_(ids))
        )
    }
    return ExercisePage(
        duty=duty(session),
        rows=[
            ExerciseRow(
                incident_id=row.incident_id,
                name=names[row.incident_id],
                form=Form(row.form),
                status=ExerciseStatus(row.status),
                opened_at=row.opened_at,
                concluded_at=row.concluded_at,
                points=row.score["points"] if row.score else None,
                of=row.score["of"] if row.score else None,
                counts=rules.counts(
                    ExerciseStatus(row.status), row.score["decide_min"] if row.score else None
                ),
            )
            for row in found
        ],
        next_cursor=following,
    )


def duty(session: Session) -> YearlyDuty:
    """Exercises within a year that count (rules.counts)."""
    decided = cast(Exercise.score, JSONB)["decide_min"].astext.is_not(None)
    counted = and_(Exercise.status == ExerciseStatus.CONCLUDED, decided)
    since = datetime.now(UTC) - _YEAR
    done = select(func.count()).select_from(Exercise).where(counted, Exercise.concluded_at >= since)
    last = select(func.max(Exercise.concluded_at)).where(counted)
    return YearlyDuty(
        done=session.scalar(done) or 0,
        due=rules.YEARLY,
        source=rules.YEARLY_SOURCE,
        last_at=session.scalar(last),
    )
