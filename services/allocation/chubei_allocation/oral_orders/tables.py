"""The tables of oral orders."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from chubei_allocation.tables import Base, Json


class OralOrder(Base):
    """`body` is the request as it came, by which a retry is recognised."""

    __tablename__ = "oral_order"
    __table_args__ = (
        CheckConstraint("given_by <> recorded_by", name="heard"),
        CheckConstraint("NOT break_glass OR reason IS NOT NULL", name="reason"),
        CheckConstraint(
            "(papers_at IS NULL) = (papers_by IS NULL) AND (papers_at IS NULL) = (document_no IS NULL)",
            name="papers",
        ),
        CheckConstraint("papers_by <> recorded_by", name="four_eyes"),
        CheckConstraint("closed_at IS NULL OR papers_at IS NOT NULL", name="closed"),
        Index("oral_order_latest", "recorded_at", "id"),
        Index("oral_order_due", "papers_due_at", postgresql_where=text("papers_at IS NULL")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    plan_id: Mapped[UUID] = mapped_column(ForeignKey("plan.id"), unique=True)
    incident_id: Mapped[UUID] = mapped_column(ForeignKey("incident.id"), index=True)
    given_by: Mapped[str]
    post_id: Mapped[str | None] = mapped_column(ForeignKey("post.id"))
    tier: Mapped[str | None]
    how: Mapped[str]
    given_at: Mapped[datetime]
    witness: Mapped[str]
    note: Mapped[str]
    break_glass: Mapped[bool]
    reason: Mapped[str | None]
    recorded_by: Mapped[str]
    recorded_at: Mapped[datetime]
    papers_due_at: Mapped[datetime]
    document_no: Mapped[str | None]
    papers_by: Mapped[str | None]
    papers_at: Mapped[datetime | None]
    papers_note: Mapped[str]
    overdue_at: Mapped[datetime | None]
    """When it was raised that the papers are overdue."""
    closed_at: Mapped[datetime | None]
    body: Mapped[Json]


class OralOrderAccount(Base):
    """One person's account of a break-glass entry."""

    __tablename__ = "oral_order_account"

    oral_order_id: Mapped[UUID] = mapped_column(ForeignKey("oral_order.id"), primary_key=True)
    person: Mapped[str] = mapped_column(primary_key=True)
    finding: Mapped[str]
    accounted_at: Mapped[datetime]
