"""The tables of the call-out: the register of people, call-outs of incidents, who is on the sheet, and each change."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Identity, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from chubei_allocation.tables import Base, Json

_DRIVES = "(duty = 'driver') = (vehicle_type_id IS NOT NULL)"


class Person(Base):
    __tablename__ = "call_person"
    __table_args__ = (
        CheckConstraint("duty IN ('keeper', 'loader', 'driver', 'shelter')", name="duty"),
        CheckConstraint(_DRIVES, name="drives"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    duty: Mapped[str]
    place_id: Mapped[str]
    """A loading site, or of SHELTER a shelter."""
    vehicle_type_id: Mapped[str | None] = mapped_column(ForeignKey("vehicle_type.id"))
    phone: Mapped[str]
    arrive_min: Mapped[int]
    active: Mapped[bool]
    provenance: Mapped[Json]
    left_at: Mapped[datetime | None]
    """Since when not active; some time later the phone is forgotten (empty)."""


class CallOut(Base):
    __tablename__ = "call_out"
    __table_args__ = (Index("call_out_incident", "incident_id", "opened_at"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    incident_id: Mapped[UUID] = mapped_column(ForeignKey("incident.id"))
    body: Mapped[Json]
    places: Mapped[list[str]]
    """Whose keepers and loaders were called, as it was then."""
    vehicle_types: Mapped[list[str]]
    opened_at: Mapped[datetime]
    opened_by: Mapped[str]


class Call(Base):
    """One person on an incident's sheet, with the duty of that night; the phone is the register's."""

    __tablename__ = "call"
    __table_args__ = (
        CheckConstraint(
            "state IN ('to_call', 'called', 'answered', 'unreachable', 'declined', 'present', 'released')",
            name="state",
        ),
        CheckConstraint("state <> 'answered' OR expected_min IS NOT NULL", name="expected"),
        UniqueConstraint("incident_id", "person_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    incident_id: Mapped[UUID] = mapped_column(ForeignKey("incident.id"))
    call_out_id: Mapped[UUID] = mapped_column(ForeignKey("call_out.id"))
    person_id: Mapped[str] = mapped_column(ForeignKey("call_person.id"))
    name: Mapped[str]
    duty: Mapped[str]
    place_id: Mapped[str]
    vehicle_type_id: Mapped[str | None]
    arrive_min: Mapped[int]
    answer_within_min: Mapped[int]
    state: Mapped[str]
    state_at: Mapped[datetime]
    state_by: Mapped[str]
    expected_min: Mapped[int | None]


class Change(Base):
    """What was heard or seen; a trigger refuses every change, rows are only added."""

    __tablename__ = "call_change"
    __table_args__ = (
        CheckConstraint(
            "move IN ('call', 'answer', 'unreachable', 'decline', 'present', 'release')", name="move"
        ),
        Index("call_change_call", "call_id", "serial"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    serial: Mapped[int] = mapped_column(BigInteger, Identity(always=True))
    """The order of recording, whatever the clocks say."""
    call_id: Mapped[UUID] = mapped_column(ForeignKey("call.id"))
    body: Mapped[Json]
    move: Mapped[str]
    state: Mapped[str]
    """After it."""
    expected_min: Mapped[int | None]
    note: Mapped[str]
    at: Mapped[datetime]
    by: Mapped[str]
