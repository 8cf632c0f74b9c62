"""The tables of stocktakes. Closed ones do not change; what came to light later stands beside them."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Identity, Index, LargeBinary, UniqueConstraint, func, text
from sqlalchemy.orm import Mapped, mapped_column

from chubei_inventory.tables import Base


class Rule(Base):
    """The threshold in force; one row."""

    __tablename__ = "stocktake_rule"
    id: Mapped[str] = mapped_column(primary_key=True)
    threshold: Mapped[dict[str, Any]]


class Stocktake(Base):
    __tablename__ = "stocktake"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    seq: Mapped[int] = mapped_column(BigInteger, Identity(always=True))
    body_hash: Mapped[bytes] = mapped_column(LargeBinary)
    body: Mapped[dict[str, Any]]
    """What was asked for: contracts.stocktakes.Stocktake."""
    place_id: Mapped[str] = mapped_column(ForeignKey("place.id"))
    threshold: Mapped[dict[str, Any]]
    state: Mapped[str] = mapped_column(server_default=text("'counting'"))
    opened_at: Mapped[datetime]
    opened_by: Mapped[str]
    closed_at: Mapped[datetime | None]
    closed_by: Mapped[str | None]
    movement_id: Mapped[UUID | None] = mapped_column(ForeignKey("movement.id"))
    lines_counted: Mapped[int | None]
    lines_right: Mapped[int | None]
    in_dispute: Mapped[bool] = mapped_column(server_default=text("false"))
    __table_args__ = (
        UniqueConstraint("seq", name="stocktake_seq"),
        Index("stocktake_place", "place_id", "seq"),
    )


class Line(Base):
    """A lot on an account. While its stocktake is open no other counts it."""

    __tablename__ = "stocktake_line"
    stocktake_id: Mapped[UUID] = mapped_column(ForeignKey("stocktake.id"), primary_key=True)
    account: Mapped[str] = mapped_column(primary_key=True)
    lot_id: Mapped[UUID] = mapped_column(ForeignKey("lot.id"), primary_key=True)
    item_code: Mapped[str]
    added: Mapped[bool]
    is_open: Mapped[bool] = mapped_column(server_default=text("true"))
    count_id: Mapped[UUID | None] = mapped_column(ForeignKey("stocktake_count.id"))
    """Of a posted one: the count that its difference follows from."""
    difference: Mapped[int | None] = mapped_column(BigInteger)
    __table_args__ = (
        Index("stocktake_line_open", "account", "lot_id", unique=True, postgresql_where=text("is_open")),
        Index("stocktake_line_posted", "lot_id", postgresql_where=text("count_id IS NOT NULL")),
    )


class Count(Base):
    __tablename__ = "stocktake_count"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    body_hash: Mapped[bytes] = mapped_column(LargeBinary)
    stocktake_id: Mapped[UUID] = mapped_column(ForeignKey("stocktake.id"))
    account: Mapped[str]
    item_code: Mapped[str]
    lot_id: Mapped[UUID] = mapped_column(ForeignKey("lot.id"))
    units: Mapped[int] = mapped_column(BigInteger)
    counted_at: Mapped[datetime]
    counted_by: Mapped[str]
    recorded_at: Mapped[datetime] = mapped_column(server_default=func.now())
    note: Mapped[str]
    hindrance: Mapped[str | None]
    """Why it is kept and not judged."""
    __table_args__ = (Index("stocktake_count_line", "stocktake_id", "account", "lot_id"),)


class Step(Base):
    __tablename__ = "stocktake_step"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    body_hash: Mapped[bytes] = mapped_column(LargeBinary)
    stocktake_id: Mapped[UUID] = mapped_column(ForeignKey("stocktake.id"))
    seq: Mapped[int]
    state: Mapped[str]
    recorded_at: Mapped[datetime] = mapped_column(server_default=func.now())
    recorded_by: Mapped[str]
    note: Mapped[str]
    __table_args__ = (UniqueConstraint("stocktake_id", "seq", name="stocktake_step_order"),)


class Doubt(Base):
    """A line of a posted stocktake whose difference would be another one by what was reported since."""

    __tablename__ = "stocktake_doubt"
    stocktake_id: Mapped[UUID] = mapped_column(ForeignKey("stocktake.id"), primary_key=True)
    account: Mapped[str] = mapped_column(primary_key=True)
    lot_id: Mapped[UUID] = mapped_column(primary_key=True)
    difference: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    noticed_at: Mapped[datetime] = mapped_column(server_default=func.now())


class Watch(Base):
    """How far late reports have been looked through: the oldest transaction not seen yet. One row."""

    __tablename__ = "stocktake_watch"
    id: Mapped[str] = mapped_column(primary_key=True)
    horizon: Mapped[int] = mapped_column(BigInteger)
