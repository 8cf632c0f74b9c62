"""The table of what others say they have."""

from datetime import date
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from chubei_inventory.tables import Base


class Declaration(Base):
    __tablename__ = "declaration"
    id: Mapped[str] = mapped_column(primary_key=True)
    sphere: Mapped[str]
    item_code: Mapped[str] = mapped_column(ForeignKey("item.code"))
    quantity: Mapped[int] = mapped_column(BigInteger)
    area: Mapped[str]
    party: Mapped[str]
    households: Mapped[int | None]
    contacts: Mapped[list[dict[str, Any]]]
    declared_on: Mapped[date]
    valid_until: Mapped[date]
    withdrawn: Mapped[bool]
    note: Mapped[str]
    provenance: Mapped[dict[str, Any]]
    __table_args__ = (Index("declaration_item", "item_code"),)
