"""The tables of confirmations: what was asked for at once, of each place, and each answer."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Identity, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from chubei_allocation.tables import Base, Json, Rows


class Request(Base):
    __tablename__ = "confirmation_request"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    incident_id: Mapped[UUID] = mapped_column(ForeignKey("incident.id"))
    body: Mapped[Json]
    asked_at: Mapped[datetime]
    asked_by: Mapped[str]


class Confirmation(Base):
    """One place's in an incident; at most one that is not released."""

    __tablename__ = "confirmation"
    __table_args__ = (
        CheckConstraint("state IN ('asked', 'confirmed', 'declined', 'released')", name="state"),
        Index(
            "confirmation_open",
            "incident_id",
            "place_id",
            unique=True,
            postgresql_where=text("state <> 'released'"),
        ),
        Index(
            "confirmation_due",
            "due_at",
            postgresql_where=text("state = 'asked' AND overdue_told_at IS NULL"),
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    request_id: Mapped[UUID] = mapped_column(ForeignKey("confirmation_request.id"))
    incident_id: Mapped[UUID] = mapped_column(ForeignKey("incident.id"))
    place_id: Mapped[str]
    name_zh: Mapped[str]
    name_en: Mapped[str]
    items: Mapped[Rows]
    asked_at: Mapped[datetime]
    asked_by: Mapped[str]
    due_at: Mapped[datetime]
    state: Mapped[str]
    lines: Mapped[Rows]
    """Of the last answer, if that confirmed."""
    ready_min: Mapped[int | None]
    overdue_told_at: Mapped[datetime | None]


class Answer(Base):
    """What a place answered; a trigger refuses every change, rows are only added."""

    __tablename__ = "confirmation_answer"
    __table_args__ = (Index("confirmation_answer_confirmation", "confirmation_id", "serial"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    serial: Mapped[int] = mapped_column(BigInteger, Identity(always=True))
    """The order of recording, whatever the clocks say."""
    confirmation_id: Mapped[UUID] = mapped_column(ForeignKey("confirmation.id"))
    body: Mapped[Json]
    at: Mapped[datetime]
    by: Mapped[str]
