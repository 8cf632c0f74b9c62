"""The tables of reports. A trigger refuses to change one that is signed, but for its being superseded."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Identity, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from chubei_allocation.tables import Base, Json

_STANDS = "status <> 'discarded'"


class Report(Base):
    """`facts` are the books' and never change; `told` is people's until it is signed."""

    __tablename__ = "report"
    __table_args__ = (
        CheckConstraint("kind IN ('first', 'hourly', 'city_request')", name="kind"),
        CheckConstraint("status IN ('draft', 'signed', 'superseded', 'discarded')", name="status"),
        CheckConstraint(
            "(status IN ('signed', 'superseded')) = (signed_by IS NOT NULL)"
            " AND (signed_by IS NULL) = (signed_at IS NULL)",
            name="signed",
        ),
        CheckConstraint("signed_by IS NULL OR NOT jsonb_exists(hands, signed_by)", name="four_eyes"),
        UniqueConstraint("number", "version"),
        Index("report_latest", "drafted_at", "id"),
        Index("report_one_successor", "replaces", unique=True, postgresql_where=text(_STANDS)),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    incident_id: Mapped[UUID] = mapped_column(ForeignKey("incident.id"), index=True)
    exercise: Mapped[bool]
    kind: Mapped[str]
    number: Mapped[str]
    version: Mapped[int]
    replaces: Mapped[UUID | None] = mapped_column(ForeignKey("report.id"))
    status: Mapped[str]
    revision: Mapped[int]
    """How often it was edited."""
    facts: Mapped[Json]
    facts_hash: Mapped[str]
    told: Mapped[Json]
    hash: Mapped[str]
    data_at: Mapped[datetime]
    drafted_at: Mapped[datetime]
    drafted_by: Mapped[str]
    edited_at: Mapped[datetime | None]
    edited_by: Mapped[str | None]
    signed_at: Mapped[datetime | None]
    signed_by: Mapped[str | None]
    hands: Mapped[list[str]]
    """Who drafted and edited it: none of them signs it."""
    discard_reason: Mapped[str]


class Arrival(Base):
    """What came from the city; rows are only added. `body` is the request as it came."""

    __tablename__ = "report_arrival"
    __table_args__ = (CheckConstraint("quantity > 0", name="quantity"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    serial: Mapped[int] = mapped_column(BigInteger, Identity(always=True))
    """The order of recording, whatever the clocks say."""
    report_id: Mapped[UUID] = mapped_column(ForeignKey("report.id"), index=True)
    item_code: Mapped[str]
    quantity: Mapped[int]
    arrived_at: Mapped[datetime]
    recorded_at: Mapped[datetime]
    recorded_by: Mapped[str]
    body: Mapped[Json]
