"""The register of bins."""

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from chubei_inventory.tables import Base


class Bin(Base):
    """One bin of a place, where pickers pass it, and what stands there by plan."""

    __tablename__ = "bin"
    place_id: Mapped[str] = mapped_column(ForeignKey("place.id"), primary_key=True)
    code: Mapped[str] = mapped_column(primary_key=True)
    aisle: Mapped[str]
    walk_order: Mapped[int]
    item_code: Mapped[str | None] = mapped_column(ForeignKey("item.code"))
    closed: Mapped[bool] = mapped_column(server_default=text("false"))
    __table_args__ = (Index("bin_walk", "place_id", "walk_order", "code"),)
