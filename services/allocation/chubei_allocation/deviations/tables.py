"""What deviated: reported once, never changed, and lifted at most once."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Identity, Index
from sqlalchemy.orm import Mapped, mapped_column

from chubei_allocation.tables import Base, Json


class Deviation(Base):
    """`what` is a contracts.deviations.What."""

    __tablename__ = "deviation"
    __table_args__ = (
        CheckConstraint("(lifted_at IS NULL) = (lifted_by IS NULL)", name="lifted"),
        Index("deviation_of_incident", "incident_id", "serial"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    serial: Mapped[int] = mapped_column(BigInteger, Identity(always=True))
    """The order of recording, whatever the clocks say."""
    incident_id: Mapped[UUID] = mapped_column(ForeignKey("incident.id"))
    occurred_at: Mapped[datetime]
    what: Mapped[Json]
    note: Mapped[str]
    reported_by: Mapped[str]
    reported_at: Mapped[datetime]
    lifted_by: Mapped[str | None]
    lifted_at: Mapped[datetime | None]
    lift_reason: Mapped[str]
