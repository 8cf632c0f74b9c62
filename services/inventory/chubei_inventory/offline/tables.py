"""The tables of reports that are not booked, and of what they would change."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    LargeBinary,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from chubei_inventory.tables import Base


class Parked(Base):
    """A movement that was reported and can not be booked as it is: it waits for what it names, or for a person."""

    __tablename__ = "parked"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    body_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    seq: Mapped[int] = mapped_column(BigInteger, Identity(always=True))
    body: Mapped[str]
    """The JSON text as it came."""
    place_id: Mapped[str]
    reason: Mapped[str]
    detail: Mapped[str]
    detail_en: Mapped[str]
    waits_for: Mapped[list[str]] = mapped_column(server_default=text("'{}'::text[]"))
    status: Mapped[str] = mapped_column(server_default=text("'open'"))
    sent_by: Mapped[str]
    sent_places: Mapped[list[str] | None]
    """Where its sender works; None: everywhere."""
    received_at: Mapped[datetime] = mapped_column(server_default=func.now())
    settled_at: Mapped[datetime | None]
    settled_by: Mapped[str | None]
    settled_reason: Mapped[str | None]
    settled_as: Mapped[UUID | None] = mapped_column(ForeignKey("movement.id"))
    xact: Mapped[int] = mapped_column(BigInteger, server_default=text("pg_current_xact_id()::text::bigint"))
    __table_args__ = (
        UniqueConstraint("seq", name="parked_seq"),
        Index("parked_open", "place_id", "seq", postgresql_where=text("status = 'open'")),
        Index("parked_waits", "waits_for", postgresql_using="gin", postgresql_where=text("status = 'open'")),
        Index("parked_xact", "place_id", "xact"),
    )


class ParkedEffect(Base):
    """What an open parked movement would change of an account, were it booked as it is."""

    __tablename__ = "parked_effect"
    parked_id: Mapped[UUID] = mapped_column(primary_key=True)
    body_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    line_no: Mapped[int] = mapped_column(primary_key=True)
    place_id: Mapped[str]
    item_code: Mapped[str]
    lot_id: Mapped[UUID]
    change: Mapped[int] = mapped_column(BigInteger)
    __table_args__ = (
        ForeignKeyConstraint(["parked_id", "body_hash"], ["parked.id", "parked.body_hash"]),
        Index("parked_effect_account", "lot_id", "place_id"),
    )
