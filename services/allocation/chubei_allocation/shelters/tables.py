"""What keepers recorded at their shelters: handing out, requests, returns."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Identity, Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from chubei_allocation.tables import Base, Json, Rows

_OF_REQUESTS = "'asked', 'accepted', 'declined', 'answered'"


class ShelterRecord(Base):
    """`said` is a keyed hash of the request, by which a retry is recognised: names are not kept for that."""

    __tablename__ = "shelter_record"
    __table_args__ = (
        CheckConstraint("kind IN ('hand_out', 'request', 'return')", name="kind"),
        CheckConstraint(f"state IN ('pending', 'done', 'refused', {_OF_REQUESTS})", name="state"),
        CheckConstraint(f"(kind = 'request') = (state IN ({_OF_REQUESTS}))", name="of_kind"),
        CheckConstraint("(movement IS NULL) = (kind = 'request')", name="moves"),
        Index("shelter_record_of", "incident_id", "shelter_id", "serial"),
        Index("shelter_record_pending", "recorded_at", postgresql_where=text("state = 'pending'")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    serial: Mapped[int] = mapped_column(BigInteger, Identity(always=True))
    incident_id: Mapped[UUID] = mapped_column(ForeignKey("incident.id"))
    shelter_id: Mapped[str] = mapped_column(ForeignKey("shelter.id"))
    kind: Mapped[str]
    state: Mapped[str]
    occurred_at: Mapped[datetime]
    recorded_at: Mapped[datetime]
    recorded_by: Mapped[str]
    said: Mapped[bytes]
    people: Mapped[int]
    units: Mapped[dict[str, int]]
    text: Mapped[str]
    movement: Mapped[Json | None] = mapped_column(JSONB(none_as_null=True))
    """As inventory is asked to record it, the same at every try."""
    problem: Mapped[Json | None] = mapped_column(JSONB(none_as_null=True))
    reply: Mapped[str]
    replied_by: Mapped[str | None]
    answer: Mapped[Json | None] = mapped_column(JSONB(none_as_null=True))
    """As it was given, by which a retry is recognised."""
    granted: Mapped[dict[str, int]]


class Recipient(Base):
    """A row of a list of handing out. Who it was stands here masked, and is forgotten in time."""

    __tablename__ = "hand_out_recipient"
    __table_args__ = (
        Index("hand_out_recipient_who", "who", postgresql_where=text("who IS NOT NULL")),
        Index("hand_out_recipient_kept", "kept_until", postgresql_where=text("kept_until IS NOT NULL")),
    )

    record_id: Mapped[UUID] = mapped_column(ForeignKey("shelter_record.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    name: Mapped[str]
    id_no: Mapped[str]
    phone: Mapped[str]
    household: Mapped[str]
    who: Mapped[bytes | None]
    """A keyed hash, for who stands on two lists."""
    people: Mapped[int]
    lines: Mapped[Rows]
    signed: Mapped[bool]
    before: Mapped[int]
    kept_until: Mapped[datetime | None]
    """None: there is nothing left that tells who it was."""
