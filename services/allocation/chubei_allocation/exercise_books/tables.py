"""The books of exercises: a copy of the stock, frozen, and what an exercise did with it. Rows are only added."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Identity, Index
from sqlalchemy.orm import Mapped, mapped_column

from chubei_allocation.tables import Base, Json


class Book(Base):
    """An exercise's stock as it began: today's (`stock`), or as a scenario file has it (`file`)."""

    __tablename__ = "exercise_book"
    __table_args__ = (CheckConstraint("source IN ('stock', 'file')", name="source"),)

    incident_id: Mapped[UUID] = mapped_column(ForeignKey("incident.id"), primary_key=True)
    source: Mapped[str]
    name: Mapped[str]
    frozen_at: Mapped[datetime]
    snapshot: Mapped[Json]


class Entry(Base):
    """A hold, a movement or a place, as it was asked for; the books are the fold of them."""

    __tablename__ = "exercise_entry"
    __table_args__ = (
        CheckConstraint("kind IN ('hold', 'move', 'place')", name="kind"),
        Index("exercise_entry_of", "incident_id", "serial"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    """The hold's or movement's id, or the place's within its incident."""
    serial: Mapped[int] = mapped_column(BigInteger, Identity(always=True))
    """The order of recording, whatever the clocks say."""
    incident_id: Mapped[UUID] = mapped_column(ForeignKey("exercise_book.incident_id"))
    kind: Mapped[str]
    body: Mapped[Json]
    recorded_at: Mapped[datetime]
    recorded_by: Mapped[str]
