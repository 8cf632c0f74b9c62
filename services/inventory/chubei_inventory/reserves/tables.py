"""The table of checks of what reserves promise: append-only."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Index, LargeBinary, func
from sqlalchemy.orm import Mapped, mapped_column

from chubei_inventory.tables import Base


class Verification(Base):
    __tablename__ = "verification"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    body_hash: Mapped[bytes] = mapped_column(LargeBinary)
    reserve_id: Mapped[str] = mapped_column(ForeignKey("reserve.id"))
    kind: Mapped[str]
    happened_at: Mapped[datetime]
    promised_units: Mapped[int | None] = mapped_column(BigInteger)
    measured_units: Mapped[int | None] = mapped_column(BigInteger)
    promised_min: Mapped[int | None]
    measured_min: Mapped[int | None]
    note: Mapped[str]
    recorded_at: Mapped[datetime] = mapped_column(server_default=func.now())
    recorded_by: Mapped[str]
    __table_args__ = (Index("verification_reserve", "reserve_id", "happened_at", "id"),)
