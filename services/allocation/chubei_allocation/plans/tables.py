"""The tables of plans beside those of requests and plans themselves."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from chubei_allocation.tables import Base, Json


class Alternatives(Base):
    """Plan requests asked for together; their ids follow from this one's (alternatives.request_id)."""

    __tablename__ = "alternatives"
    __table_args__ = (Index("alternatives_incident", "incident_id", "asked_at", "id"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    incident_id: Mapped[UUID] = mapped_column(ForeignKey("incident.id"))
    asked_by: Mapped[str]
    asked_at: Mapped[datetime]
    body: Mapped[Json]
