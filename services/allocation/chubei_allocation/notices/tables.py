"""The tables of notices: what was told to whom, and each way by which it is sent."""

from datetime import datetime
from uuid import UUID

from chubei_shared import jobs
from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from chubei_allocation.tables import Base


class Notice(Base):
    """One for a `dedup_key`. A digest is a notice too; those that it covers name it."""

    __tablename__ = "notice"
    __table_args__ = (
        CheckConstraint("(acknowledged_at IS NULL) = (acknowledged_by IS NULL)", name="acknowledged"),
        CheckConstraint("ack_within_min > 0", name="ack_within"),
        Index("notice_latest", "told_at", "id"),
        Index("notice_post", "to_post", "told_at", "id"),
        Index("notice_incident", "incident_id"),
        Index("notice_first", "first_id"),
        Index("notice_unrouted", "told_at", postgresql_where=text("routed_at IS NULL")),
        Index(
            "notice_undigested",
            "to_post",
            postgresql_where=text("NOT singly AND digest_id IS NULL AND routed_at IS NOT NULL"),
        ),
        Index(
            "notice_unanswered",
            "told_at",
            postgresql_where=text(
                "ack_within_min IS NOT NULL AND acknowledged_at IS NULL AND escalated_at IS NULL"
            ),
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    dedup_key: Mapped[str] = mapped_column(unique=True)
    to_post: Mapped[str] = mapped_column(ForeignKey("post.id"))
    subject: Mapped[str]
    zh: Mapped[str]
    en: Mapped[str]
    incident_id: Mapped[UUID | None] = mapped_column(ForeignKey("incident.id"))
    exercise: Mapped[bool]
    told_at: Mapped[datetime]
    ack_within_min: Mapped[int | None]
    acknowledged_at: Mapped[datetime | None]
    acknowledged_by: Mapped[str | None]
    escalated_from: Mapped[UUID | None] = mapped_column(ForeignKey("notice.id"), unique=True)
    first_id: Mapped[UUID]
    """The first of those that led to each other; its own, where nothing led to it."""
    escalated_at: Mapped[datetime | None]
    routed_at: Mapped[datetime | None]
    """When it was decided how it is sent."""
    singly: Mapped[bool]
    digest: Mapped[bool]
    digest_id: Mapped[UUID | None] = mapped_column(ForeignKey("notice.id"))


class Delivery(jobs.JobMixin, Base):
    """A job: one notice by one channel. The application itself is one, and has it at once."""

    __tablename__ = "notice_delivery"
    __table_args__ = (
        CheckConstraint("status IN ('queued', 'running', 'done', 'failed', 'cancelled')", name="status"),
        CheckConstraint("kind IN ('app', 'webhook', 'email')", name="kind"),
        Index("notice_delivery_notice", "notice_id"),
        Index("notice_delivery_open", "try_at", postgresql_where=text("status IN ('queued', 'running')")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    notice_id: Mapped[UUID] = mapped_column(ForeignKey("notice.id"))
    kind: Mapped[str]
    target: Mapped[str]
    try_at: Mapped[datetime]
    """Not to be tried before."""
