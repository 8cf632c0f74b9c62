"""The table of photos."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, LargeBinary, text
from sqlalchemy.orm import Mapped, mapped_column

from chubei_allocation.tables import Base


class OrderPhoto(Base):
    """Taken at a stop of an order. The image is forgotten in time, what it was of stays."""

    __tablename__ = "order_photo"
    __table_args__ = (Index("order_photo_due", "kept_until", postgresql_where=text("jpeg IS NOT NULL")),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    order_id: Mapped[UUID] = mapped_column(ForeignKey("dispatch_order.id"), index=True)
    stop: Mapped[int]
    occurred_at: Mapped[datetime]
    recorded_at: Mapped[datetime]
    recorded_by: Mapped[str]
    note: Mapped[str]
    sha256: Mapped[str]
    """Of the image: by it a retry is known, and a print proven, when the image itself is gone."""
    jpeg: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True)
    kept_until: Mapped[datetime]
