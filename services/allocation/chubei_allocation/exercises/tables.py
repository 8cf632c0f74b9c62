"""The tables of exercises: how an incident is played, and its script."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from chubei_allocation.tables import Base, Json


class Exercise(Base):
    """`body` is the request as it came, by which a retry is recognised; without the scenario file, which is frozen."""

    __tablename__ = "exercise"
    __table_args__ = (
        CheckConstraint("form IN ('table_top', 'live')", name="form"),
        CheckConstraint("clock IN ('script', 'wall')", name="clock"),
        CheckConstraint("status IN ('running', 'concluded', 'cancelled')", name="status"),
        CheckConstraint(
            "(status = 'running') = (concluded_at IS NULL) AND (concluded_at IS NULL) = (concluded_by IS NULL)"
            " AND (status = 'concluded') = (score IS NOT NULL)",
            name="concluded",
        ),
        Index("exercise_latest", "opened_at", "incident_id"),
    )

    incident_id: Mapped[UUID] = mapped_column(ForeignKey("incident.id"), primary_key=True)
    form: Mapped[str]
    clock: Mapped[str]
    status: Mapped[str]
    body: Mapped[Json]
    opened_at: Mapped[datetime]
    opened_by: Mapped[str]
    now_min: Mapped[int]
    concluded_at: Mapped[datetime | None]
    """Or cancelled."""
    concluded_by: Mapped[str | None]
    findings: Mapped[str]
    score: Mapped[Json | None] = mapped_column(JSONB(none_as_null=True))


class Inject(Base):
    """`body` is a contracts.exercises.Inject. Its id is that of the amendment or deviation that it makes."""

    __tablename__ = "exercise_inject"
    __table_args__ = (
        CheckConstraint("status IN ('waiting', 'played', 'failed', 'skipped')", name="status"),
        UniqueConstraint("incident_id", "number"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    incident_id: Mapped[UUID] = mapped_column(ForeignKey("exercise.incident_id"))
    number: Mapped[int]
    at_min: Mapped[int]
    body: Mapped[Json]
    status: Mapped[str]
    played_at: Mapped[datetime | None]
    played_by: Mapped[str | None]
    problem: Mapped[Json | None] = mapped_column(JSONB(none_as_null=True))
