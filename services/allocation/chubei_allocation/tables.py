"""The tables of allocation. Constraints say what no caller, however wrong, can make untrue."""

from datetime import datetime
from typing import Any
from uuid import UUID

from chubei_shared import jobs, outbox
from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    MetaData,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

Json = dict[str, Any]
Rows = list[dict[str, Any]]


class Base(DeclarativeBase):
    metadata = MetaData(
        naming_convention={
            "ix": "%(table_name)s_%(column_0_name)s",
            "pk": "%(table_name)s_pkey",
            "fk": "%(table_name)s_%(column_0_name)s_fkey",
            "uq": "%(table_name)s_%(column_0_name)s_key",
            "ck": "%(table_name)s_%(constraint_name)s_check",
        }
    )
    type_annotation_map = {  # noqa: RUF012 (SQLAlchemy reads it on the class)
        str: Text,
        datetime: DateTime(timezone=True),
        Json: JSONB,
        Rows: JSONB,
        list[str]: JSONB,
        list[int]: JSONB,
        dict[str, int]: JSONB,
        dict[str, float]: JSONB,
        list[list[str]]: JSONB,
    }


outbox_table = outbox.table(Base.metadata)


# The district


class District(Base):
    """One row: `single` is true and the key."""

    __tablename__ = "district"
    __table_args__ = (CheckConstraint("single", name="single"),)

    single: Mapped[bool] = mapped_column(primary_key=True, default=True)
    id: Mapped[str]
    name_zh: Mapped[str]
    name_en: Mapped[str]
    residents: Mapped[int]
    duty_share: Mapped[float]
    deadline_min: Mapped[int]
    circuity: Mapped[float]
    speed_kmh: Mapped[float]
    group_shares: Mapped[dict[str, float]]
    attributions: Mapped[list[str]]
    provenance: Mapped[Json]


class SubDistrict(Base):
    __tablename__ = "subdistrict"

    id: Mapped[str] = mapped_column(primary_key=True)
    name_zh: Mapped[str]
    name_en: Mapped[str]
    zone: Mapped[str]
    residents: Mapped[int]
    lon: Mapped[float]
    lat: Mapped[float]
    provenance: Mapped[Json]


class LoadingSite(Base):
    __tablename__ = "loading_site"

    place_id: Mapped[str] = mapped_column(primary_key=True)
    docks: Mapped[Rows]
    load_fixed_min: Mapped[int]
    load_kg_per_min: Mapped[int]
    provenance: Mapped[Json]


class Shelter(Base):
    __tablename__ = "shelter"

    id: Mapped[str] = mapped_column(primary_key=True)
    subdistrict_id: Mapped[str] = mapped_column(ForeignKey("subdistrict.id"))
    name_zh: Mapped[str]
    name_en: Mapped[str]
    lon: Mapped[float]
    lat: Mapped[float]
    capacity: Mapped[int]
    kit_id: Mapped[str]
    bays: Mapped[int]
    unload_fixed_min: Mapped[int]
    unload_kg_per_min: Mapped[int]
    opens_min: Mapped[int]
    hand_out_per_hour: Mapped[int | None]
    max_size: Mapped[int]
    weight: Mapped[float]
    provenance: Mapped[Json]


class VehicleType(Base):
    __tablename__ = "vehicle_type"

    id: Mapped[str] = mapped_column(primary_key=True)
    name_zh: Mapped[str]
    name_en: Mapped[str]
    count: Mapped[int]
    start_place_id: Mapped[str] = mapped_column(ForeignKey("loading_site.place_id"))
    available_min: Mapped[int]
    payload_kg: Mapped[int]
    volume_l: Mapped[int]
    speed_factor: Mapped[float]
    size: Mapped[int]
    provenance: Mapped[Json]


# Incidents


class Incident(Base):
    """`declaration` is the request as it came, by which a retry is recognised."""

    __tablename__ = "incident"
    __table_args__ = (Index("incident_latest", "declared_at", "id"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str]
    level: Mapped[int]
    name: Mapped[str]
    place: Mapped[str]
    occurred_at: Mapped[datetime]
    declared_at: Mapped[datetime]
    declared_by: Mapped[str]
    deadline_min: Mapped[int]
    exercise: Mapped[bool]
    closures: Mapped[list[list[str]]]
    declaration: Mapped[Json]


class DemandPoint(Base):
    """Where the incident's people are; the shelter is the network's, the people are the incident's."""

    __tablename__ = "demand_point"
    __table_args__ = (CheckConstraint("people > 0", name="people"),)

    incident_id: Mapped[UUID] = mapped_column(ForeignKey("incident.id"), primary_key=True)
    shelter_id: Mapped[str] = mapped_column(ForeignKey("shelter.id"), primary_key=True)
    people: Mapped[int]
    groups: Mapped[dict[str, int]]
    kit_id: Mapped[str]


# Plans


class PlanRequest(jobs.JobMixin, Base):
    """A job: one solve. `scenario` is what the last try asked the planner."""

    __tablename__ = "plan_request"
    __table_args__ = (
        CheckConstraint("status IN ('queued', 'running', 'done', 'failed', 'cancelled')", name="status"),
        Index("plan_request_latest", "created_at", "id"),
        Index("plan_request_open", "created_at", postgresql_where=text("status IN ('queued', 'running')")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    incident_id: Mapped[UUID] = mapped_column(ForeignKey("incident.id"))
    requested_by: Mapped[str]
    body: Mapped[Json]
    policy: Mapped[str]
    time_limit_s: Mapped[int]
    seed: Mapped[int]
    now_min: Mapped[int | None]
    progress: Mapped[Json | None]
    scenario: Mapped[Json | None] = mapped_column(deferred=True)  # large: read where it is asked for


class Plan(Base):
    """What a request led to. Its scenario is the request's; its figures are the independent checker's."""

    __tablename__ = "plan"
    __table_args__ = (
        CheckConstraint("status IN ('proposed', 'approving', 'approved', 'refused')", name="status"),
        CheckConstraint(
            "status NOT IN ('approving', 'approved') OR (hold_id IS NOT NULL AND decided_by IS NOT NULL)",
            name="held",
        ),
        CheckConstraint(
            "status NOT IN ('approving', 'approved') OR decided_by <> requested_by", name="four_eyes"
        ),
        Index("plan_latest", "created_at", "id"),
        Index(
            "plan_one_in_force",
            "incident_id",
            unique=True,
            postgresql_where=text("status IN ('approving', 'approved')"),
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    request_id: Mapped[UUID] = mapped_column(ForeignKey("plan_request.id"), unique=True)
    incident_id: Mapped[UUID] = mapped_column(ForeignKey("incident.id"))
    status: Mapped[str]
    requested_by: Mapped[str]
    created_at: Mapped[datetime]
    snapshot_hash: Mapped[str]
    seed: Mapped[int]
    solver_status: Mapped[str]
    objective: Mapped[float]
    bound: Mapped[float]
    people: Mapped[int]
    supported: Mapped[int]
    settled: Mapped[int]
    mean_wait_min: Mapped[float]
    served_by_hour: Mapped[list[int]]
    tightest: Mapped[Rows]
    plan: Mapped[Json] = mapped_column(deferred=True)
    decided_by: Mapped[str | None]
    """Who approved or refused it."""
    decided_at: Mapped[datetime | None]
    hold_id: Mapped[UUID | None] = mapped_column(unique=True)
    hold_expires_at: Mapped[datetime | None]
    shortages: Mapped[Rows]
    refusal: Mapped[str | None]


# Orders


class DispatchOrder(Base):
    """One trip of an approved plan; `stops` are the trip as planned."""

    __tablename__ = "dispatch_order"
    __table_args__ = (
        CheckConstraint("status IN ('planned', 'under_way', 'done')", name="status"),
        UniqueConstraint("plan_id", "trip"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(unique=True)
    plan_id: Mapped[UUID] = mapped_column(ForeignKey("plan.id"))
    trip: Mapped[int]
    incident_id: Mapped[UUID] = mapped_column(ForeignKey("incident.id"), index=True)
    hold_id: Mapped[UUID]
    vehicle: Mapped[str]
    exercise: Mapped[bool]
    status: Mapped[str]
    stops: Mapped[Rows]


class OrderStep(Base):
    """A step as reported. At most one of a kind at a stop stands; at most one of an order is pending."""

    __tablename__ = "order_step"
    __table_args__ = (
        CheckConstraint("state IN ('pending', 'done', 'refused')", name="state"),
        Index(
            "order_step_once",
            "order_id",
            "stop",
            "step",
            unique=True,
            postgresql_where=text("state <> 'refused'"),
        ),
        Index("order_step_pending", "order_id", unique=True, postgresql_where=text("state = 'pending'")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    serial: Mapped[int] = mapped_column(BigInteger, Identity(always=True))
    """The order of recording, whatever the clocks say."""
    order_id: Mapped[UUID] = mapped_column(ForeignKey("dispatch_order.id"), index=True)
    stop: Mapped[int]
    step: Mapped[str]
    state: Mapped[str]
    occurred_at: Mapped[datetime]
    recorded_at: Mapped[datetime]
    recorded_by: Mapped[str]
    lines: Mapped[Rows]
    signed_by: Mapped[str]
    body: Mapped[Json]
    problem: Mapped[Json | None]
