"""The tables of care: rules, since when stock is where it is, tasks and their steps, nightly runs."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Index, LargeBinary, UniqueConstraint, func, text
from sqlalchemy.orm import Mapped, mapped_column

from chubei_inventory.tables import Base


class Rule(Base):
    __tablename__ = "care_rule"
    kind: Mapped[str] = mapped_column(primary_key=True)
    months: Mapped[int]
    ahead_days: Mapped[int]
    repeat_days: Mapped[int]
    duty_people: Mapped[int | None]
    provenance: Mapped[dict[str, Any]]


class Stock(Base):
    """Since when a lot has been at an account, as far as the last run has read the books."""

    __tablename__ = "care_stock"
    account: Mapped[str] = mapped_column(ForeignKey("place.id"), primary_key=True)
    lot_id: Mapped[UUID] = mapped_column(ForeignKey("lot.id"), primary_key=True)
    came_on: Mapped[date]
    __table_args__ = (Index("care_stock_came", "came_on"),)


class Task(Base):
    """One open task for a subject at most; what is due again is a new one."""

    __tablename__ = "care_task"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(ForeignKey("care_rule.kind"))
    subject: Mapped[str]
    place_id: Mapped[str | None] = mapped_column(ForeignKey("place.id"))
    account: Mapped[str | None] = mapped_column(ForeignKey("place.id"))
    item_code: Mapped[str | None] = mapped_column(ForeignKey("item.code"))
    lot_id: Mapped[UUID | None] = mapped_column(ForeignKey("lot.id"))
    reserve_id: Mapped[str | None] = mapped_column(ForeignKey("reserve.id"))
    units: Mapped[int] = mapped_column(BigInteger)
    due_on: Mapped[date]
    role: Mapped[str]
    state: Mapped[str] = mapped_column(server_default=text("'open'"))
    opened_on: Mapped[date]
    done_on: Mapped[date | None]
    __table_args__ = (
        Index(
            "care_task_once", "kind", "subject", unique=True,
            postgresql_where=text("state IN ('open', 'acknowledged')"),
        ),
        Index("care_task_done", "kind", "subject", "done_on", postgresql_where=text("state = 'done'")),
        Index("care_task_due", "due_on", "id"),
        Index("care_task_place", "place_id", "due_on", "id"),
    )  # fmt: skip


class Step(Base):
    __tablename__ = "care_step"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    body_hash: Mapped[bytes] = mapped_column(LargeBinary)
    task_id: Mapped[UUID] = mapped_column(ForeignKey("care_task.id"))
    seq: Mapped[int]
    state: Mapped[str]
    happened_at: Mapped[datetime]
    recorded_at: Mapped[datetime] = mapped_column(server_default=func.now())
    recorded_by: Mapped[str]
    note: Mapped[str]
    movement_id: Mapped[UUID | None] = mapped_column(ForeignKey("movement.id"))
    __table_args__ = (UniqueConstraint("task_id", "seq", name="care_step_order"),)


class Run(Base):
    """A night's run; `horizon` is the oldest transaction that it could not see yet."""

    __tablename__ = "care_run"
    on: Mapped[date] = mapped_column("on_day", primary_key=True)
    ran_at: Mapped[datetime]
    horizon: Mapped[int] = mapped_column(BigInteger)
    opened: Mapped[dict[str, Any]]
    lapsed: Mapped[dict[str, Any]]
