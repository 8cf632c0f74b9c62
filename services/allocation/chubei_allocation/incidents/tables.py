"""What has become of an incident since it was declared. The database refuses to edit or delete it."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Identity, Index
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from chubei_allocation.tables import Base, Json


class Amendment(Base):
    """`body` is the request as it came, by which a retry is recognised."""

    __tablename__ = "incident_amendment"
    __table_args__ = (Index("incident_amendment_of", "incident_id", "serial"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    serial: Mapped[int] = mapped_column(BigInteger, Identity(always=True))
    """The order of recording, whatever the clocks say."""
    incident_id: Mapped[UUID] = mapped_column(ForeignKey("incident.id"))
    occurred_at: Mapped[datetime]
    recorded_at: Mapped[datetime]
    recorded_by: Mapped[str]
    kind: Mapped[str]
    body: Mapped[Json]


class Headcount(Base):
    __tablename__ = "headcount"
    __table_args__ = (
        CheckConstraint("people >= 0", name="people"),
        Index("headcount_of", "incident_id", "occurred_at", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    serial: Mapped[int] = mapped_column(BigInteger, Identity(always=True))
    """The order of recording, whatever the clocks say."""
    incident_id: Mapped[UUID] = mapped_column(ForeignKey("incident.id"))
    shelter_id: Mapped[str] = mapped_column(ForeignKey("shelter.id"))
    occurred_at: Mapped[datetime]
    recorded_at: Mapped[datetime]
    recorded_by: Mapped[str]
    people: Mapped[int]
    groups: Mapped[dict[str, int] | None] = mapped_column(JSONB(none_as_null=True))
    note: Mapped[str]
