"""The tables of the response: the plan by version, what was opened by it, tasks and their steps."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Identity, Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from chubei_allocation.tables import Base, Json


class Plan(Base):
    """Versions are only added; the newest is in force."""

    __tablename__ = "response_plan"

    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    document: Mapped[Json]
    put_at: Mapped[datetime]
    put_by: Mapped[str]


class Opening(Base):
    """That the tasks of a level were given out, so that they are given out once."""

    __tablename__ = "response_opening"

    incident_id: Mapped[UUID] = mapped_column(ForeignKey("incident.id"), primary_key=True)
    level: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    plan_version: Mapped[int] = mapped_column(ForeignKey("response_plan.version"))
    opened_at: Mapped[datetime]


class Task(Base):
    __tablename__ = "response_task"
    __table_args__ = (
        CheckConstraint("state IN ('open', 'acknowledged', 'done', 'dropped')", name="state"),
        UniqueConstraint("incident_id", "duty_id"),
        Index("response_task_latest", "opened_at", "id"),
        Index(
            "response_task_unanswered",
            "asked_at",
            postgresql_where=text("state = 'open' AND asked_at IS NOT NULL"),
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    incident_id: Mapped[UUID] = mapped_column(ForeignKey("incident.id"))
    duty_id: Mapped[str]
    plan_version: Mapped[int] = mapped_column(ForeignKey("response_plan.version"))
    stage: Mapped[str]
    to_post: Mapped[str] = mapped_column(ForeignKey("post.id"))
    zh: Mapped[str]
    en: Mapped[str]
    tier: Mapped[str | None]
    state: Mapped[str]
    opened_at: Mapped[datetime]
    due_at: Mapped[datetime]
    ack_within_min: Mapped[int]
    asked: Mapped[list[str]] = mapped_column(JSONB)
    """The posts that were asked since it was last given to one: that one, then those above."""
    asked_at: Mapped[datetime | None]
    """When the last of them was; none: there is nobody above to ask."""


class Step(Base):
    """What was done with a task; a trigger refuses every change, rows are only added."""

    __tablename__ = "response_step"
    __table_args__ = (
        CheckConstraint("move IN ('acknowledge', 'complete', 'drop', 'reassign', 'escalate')", name="move"),
        Index("response_step_task", "task_id", "serial"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    serial: Mapped[int] = mapped_column(BigInteger, Identity(always=True))
    """The order of recording, whatever the clocks say."""
    task_id: Mapped[UUID] = mapped_column(ForeignKey("response_task.id"))
    move: Mapped[str]
    state: Mapped[str]
    """After it."""
    to_post: Mapped[str | None]
    reason: Mapped[str | None]
    at: Mapped[datetime]
    by: Mapped[str]
