"""The tables of break-glass: kept for good, also when the sessions are forgotten."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, func
from sqlalchemy.orm import Mapped, mapped_column, relationship

from chubei_gateway.tables import Base


class BreakGlassAccounted(Base):
    """A person's words on it; one each."""

    __tablename__ = "break_glass_account"

    break_glass_id: Mapped[UUID] = mapped_column(ForeignKey("break_glass.id"), primary_key=True)
    by: Mapped[str] = mapped_column(ForeignKey("users.username"), primary_key=True)
    at: Mapped[datetime] = mapped_column(server_default=func.now())
    words: Mapped[str]


class GlassBroken(Base):
    """One sign-in without the second factor; its id is the session's."""

    __tablename__ = "break_glass"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    username: Mapped[str] = mapped_column(ForeignKey("users.username"))
    reason: Mapped[str]
    witness: Mapped[str]
    address: Mapped[str]
    device: Mapped[str]
    at: Mapped[datetime] = mapped_column(server_default=func.now())
    expires_at: Mapped[datetime]
    accounts: Mapped[list[BreakGlassAccounted]] = relationship(
        order_by=BreakGlassAccounted.at, lazy="selectin"
    )

    __table_args__ = (Index("break_glass_at", "at"),)
