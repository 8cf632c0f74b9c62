"""What was printed."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, UniqueConstraint, func
from sqlalchemy.orm import Mapped, mapped_column

from chubei_inventory.tables import Base


class Paper(Base):
    """One print. Copies of a paper share its number. Append-only."""

    __tablename__ = "paper"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    form: Mapped[str]
    movement_id: Mapped[UUID] = mapped_column(ForeignKey("movement.id"))
    number: Mapped[str]
    copy_no: Mapped[int]
    printed_at: Mapped[datetime] = mapped_column(server_default=func.now())
    printed_by: Mapped[str]
    __table_args__ = (
        UniqueConstraint("movement_id", "form", "copy_no", name="paper_copy"),
        UniqueConstraint("number", "copy_no", name="paper_number"),
        Index("paper_printed", "printed_at", "id"),
    )
