"""The tables of call-offs: append-only."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Index, LargeBinary, UniqueConstraint, func
from sqlalchemy.orm import Mapped, mapped_column

from chubei_inventory.tables import Base


class CallOff(Base):
    """An order to a reserve. Its state is that of its last step."""

    __tablename__ = "call_off"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    body_hash: Mapped[bytes] = mapped_column(LargeBinary)
    reserve_id: Mapped[str] = mapped_column(ForeignKey("reserve.id"))
    hold_id: Mapped[UUID] = mapped_column(ForeignKey("hold.id"))
    quantity: Mapped[int] = mapped_column(BigInteger)
    ordered_at: Mapped[datetime]
    confirm_by: Mapped[datetime]
    due_at: Mapped[datetime]
    voucher: Mapped[str]
    __table_args__ = (
        Index("call_off_reserve", "reserve_id", "ordered_at", "id"),
        Index("call_off_hold", "hold_id"),
        Index("call_off_ordered", "ordered_at", "id"),
    )


class CallOffStep(Base):
    """What happened to a call-off; the first is the order itself. `quantity` is what then still counts."""

    __tablename__ = "call_off_step"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    body_hash: Mapped[bytes] = mapped_column(LargeBinary)
    call_off_id: Mapped[UUID] = mapped_column(ForeignKey("call_off.id"))
    seq: Mapped[int]
    state: Mapped[str]
    happened_at: Mapped[datetime]
    recorded_at: Mapped[datetime] = mapped_column(server_default=func.now())
    recorded_by: Mapped[str]
    quantity: Mapped[int] = mapped_column(BigInteger)
    ready_at: Mapped[datetime | None]
    amount_fen: Mapped[int] = mapped_column(BigInteger)
    told_by: Mapped[str | None]
    note: Mapped[str]
    __table_args__ = (UniqueConstraint("call_off_id", "seq", name="call_off_step_order"),)


class CallOffOverdue(Base):
    """A call-off that nobody confirmed in time, and of which that was told. It stops counting without this."""

    __tablename__ = "call_off_overdue"
    call_off_id: Mapped[UUID] = mapped_column(ForeignKey("call_off.id"), primary_key=True)
    told_at: Mapped[datetime] = mapped_column(server_default=func.now())
