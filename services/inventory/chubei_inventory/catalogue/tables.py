"""The catalogue's tables: versions, what was in force from which to which, and drafts."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, func, text
from sqlalchemy.orm import Mapped, mapped_column

from chubei_inventory.tables import Base


class Version(Base):
    """A state of the catalogue that was published; never changed."""

    __tablename__ = "catalogue_version"
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    name: Mapped[str]
    note: Mapped[str]
    published_at: Mapped[datetime] = mapped_column(server_default=func.now())
    published_by: Mapped[str]


class Entry(Base):
    """An item, a kit or a norm, as it was in force from version `since` to before `until`."""

    __tablename__ = "catalogue_entry"
    kind: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    since: Mapped[int] = mapped_column(ForeignKey("catalogue_version.number"), primary_key=True)
    until: Mapped[int | None] = mapped_column(ForeignKey("catalogue_version.number"))
    body: Mapped[dict[str, Any]]
    __table_args__ = (
        Index("catalogue_in_force", "kind", "key", unique=True, postgresql_where=text("until IS NULL")),
    )


class Draft(Base):
    __tablename__ = "catalogue_draft"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    body: Mapped[dict[str, Any]]
    base: Mapped[int]
    """The version that was in force when it was last written."""
    status: Mapped[str] = mapped_column(server_default=text("'open'"))
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    changed_by: Mapped[str]
    published_as: Mapped[int | None] = mapped_column(ForeignKey("catalogue_version.number"))
    __table_args__ = (Index("catalogue_draft_created", "created_at", "id"),)
