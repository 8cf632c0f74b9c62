"""The tables of readiness: checks, their parts, what they are judged by, and the alarms that they raised."""

from datetime import date, datetime
from uuid import UUID

from chubei_shared import jobs
from sqlalchemy import BigInteger, CheckConstraint, Date, ForeignKey, Identity, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from chubei_allocation.tables import Base, Json


class Run(jobs.JobMixin, Base):
    """One check. Its lease is held while its inputs are read; then its parts carry the work."""

    __tablename__ = "readiness_run"
    __table_args__ = (
        CheckConstraint("status IN ('queued', 'running', 'done', 'failed')", name="status"),
        CheckConstraint("reason IN ('nightly', 'asked', 'changed')", name="reason"),
        CheckConstraint("status <> 'done' OR result IS NOT NULL", name="result"),
        Index("readiness_run_nightly", "night", unique=True, postgresql_where=text("reason = 'nightly'")),
        Index("readiness_run_open", "created_at", postgresql_where=text("status IN ('queued', 'running')")),
        Index("readiness_run_latest", "created_at", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    night: Mapped[date] = mapped_column(Date)
    reason: Mapped[str]
    asked_by: Mapped[str]
    body: Mapped[Json]
    """The request as it came, by which a repeat is recognised."""
    draws: Mapped[int]
    stage: Mapped[int] = mapped_column(default=0)
    """0: base plans; 1: all that starts from them."""
    woken_at: Mapped[datetime]
    settings: Mapped[Json] = mapped_column(deferred=True)
    inputs: Mapped[Json | None] = mapped_column(deferred=True)
    result: Mapped[Json | None] = mapped_column(deferred=True)
    summary: Mapped[Json | None]
    """The few figures that a list shows."""


class Part(Base):
    """One question to the planner, and its answer. Whoever has claimed it last may write."""

    __tablename__ = "readiness_part"
    __table_args__ = (
        CheckConstraint("status IN ('queued', 'running', 'done', 'failed')", name="status"),
        CheckConstraint("kind IN ('base', 'whole', 'loss', 'draw', 'date')", name="kind"),
        Index(
            "readiness_part_open", "run_id", "stage", postgresql_where=text("status IN ('queued', 'running')")
        ),
    )

    run_id: Mapped[UUID] = mapped_column(ForeignKey("readiness_run.id"), primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
    standing_id: Mapped[str]
    stage: Mapped[int]
    spec: Mapped[Json]
    status: Mapped[str]
    claim: Mapped[UUID | None]
    lease_until: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(default=0)
    outcome: Mapped[Json | None] = mapped_column(deferred=True)
    error: Mapped[str | None]


class Settings(Base):
    """Editions of what readiness is judged by; the newest is in force."""

    __tablename__ = "readiness_settings"

    edition: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    changed_at: Mapped[datetime]
    changed_by: Mapped[str]
    body: Mapped[Json]


class Alarm(Base):
    """What somebody was told: each once."""

    __tablename__ = "readiness_alarm"
    __table_args__ = (
        CheckConstraint("kind IN ('below_target', 'date_near', 'no_result')", name="kind"),
        Index("readiness_alarm_latest", "raised_at", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    dedup_key: Mapped[str] = mapped_column(unique=True)
    kind: Mapped[str]
    night: Mapped[date] = mapped_column(Date)
    post: Mapped[str]
    zh: Mapped[str]
    en: Mapped[str]
    raised_at: Mapped[datetime]
