"""The tables of allocation. Constraints say what no caller, however wrong, can make untrue."""

from datetime import datetime
from typing import Any
from uuid import UUID

from chubei_shared import audit, jobs, outbox, seals
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
audit_table = audit.table(Base.metadata)
seal_table = seals.table(Base.metadata)


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
    loaders_per_dock: Mapped[int]
    provenance: Mapped[Json]


class Shelter(Base):
    __tablename__ = "shelter"
    __table_args__ = (CheckConstraint("status IN ('registered', 'candidate')", name="status"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    subdistrict_id: Mapped[str] = mapped_column(ForeignKey("subdistrict.id"))
    name_zh: Mapped[str]
    name_en: Mapped[str]
    lon: Mapped[float]
    lat: Mapped[float]
    status: Mapped[str]
    indoor: Mapped[bool | None]
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
    """As it was declared; what changed since are `incidents.tables`. `declaration` is the request as it came, by which
    a retry is recognised.
    """

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
    setting: Mapped[str]
    season: Mapped[str]
    opened: Mapped[list[str]]
    """The shelters opened when it was declared, those where nobody was expected too."""
    demands: Mapped[Rows]
    closures: Mapped[list[list[str]]]
    declaration: Mapped[Json]


class DemandPoint(Base):
    """Where the incident's people were expected when it was declared; the shelter is the network's."""

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
    replaces: Mapped[UUID | None] = mapped_column(ForeignKey("plan.id", use_alter=True))
    """The plan in force that it is to replace."""
    progress: Mapped[Json | None]
    scenario: Mapped[Json | None] = mapped_column(deferred=True)  # large: read where it is asked for


_SUCCEEDED = "status IN ('approved', 'superseded')"


class Plan(Base):
    """What a request led to. Its scenario is the request's; its figures are the independent checker's."""

    __tablename__ = "plan"
    __table_args__ = (
        CheckConstraint(
            "status IN ('proposed', 'approving', 'approved', 'refused', 'superseded')", name="status"
        ),
        CheckConstraint(
            "status NOT IN ('approving', 'approved', 'superseded') OR (hold_id IS NOT NULL AND decided_by IS NOT NULL)",
            name="held",
        ),
        CheckConstraint(
            "status NOT IN ('approving', 'approved', 'superseded') OR decided_by <> requested_by",
            name="four_eyes",
        ),
        CheckConstraint("NOT what_if OR status IN ('proposed', 'refused')", name="what_if"),
        Index("plan_latest", "created_at", "id"),
        Index(
            "plan_one_in_force",
            "incident_id",
            unique=True,
            postgresql_where=text("status = 'approved' OR (status = 'approving' AND replaces IS NULL)"),
        ),
        Index(
            "plan_one_approving",
            "incident_id",
            unique=True,
            postgresql_where=text("status = 'approving'"),
        ),
        Index("plan_one_successor", "replaces", unique=True, postgresql_where=text(_SUCCEEDED)),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    request_id: Mapped[UUID] = mapped_column(ForeignKey("plan_request.id"), unique=True)
    incident_id: Mapped[UUID] = mapped_column(ForeignKey("incident.id"))
    replaces: Mapped[UUID | None] = mapped_column(ForeignKey("plan.id"))
    """The plan in force that it is a replan of; superseded when this one is approved."""
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
    changes: Mapped[Rows] = mapped_column(deferred=True, server_default=text("'[]'"))
    """Of a replan, what becomes of each trip not yet begun (contracts.plans.TripChange), with the orders' ids."""
    carried: Mapped[Rows] = mapped_column(server_default=text("'[]'"))
    """Of a replan, what its hold keeps for orders under way: fixed when the approval begins."""
    decided_by: Mapped[str | None]
    """Who approved or refused it."""
    decided_at: Mapped[datetime | None]
    hold_id: Mapped[UUID | None] = mapped_column(unique=True)
    hold_expires_at: Mapped[datetime | None]
    shortages: Mapped[Rows]
    refusal: Mapped[str | None]
    what_if: Mapped[bool]
    """It assumes what is not there: it is never approved. The assumptions stand in the scenario, `assumed`."""
    closed_at: Mapped[datetime | None]
    """Its incident had ended, and what was left of its hold was given back (approval/closing.py)."""


# Orders


class DispatchOrder(Base):
    """One trip of an approved plan; `stops` are the trip as planned."""

    __tablename__ = "dispatch_order"
    __table_args__ = (
        CheckConstraint("status IN ('planned', 'under_way', 'done', 'withdrawn')", name="status"),
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
    revision: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    stops: Mapped[Rows]
    secret: Mapped[bytes] = mapped_column(server_default=text("uuid_send(gen_random_uuid())"), deferred=True)
    """Its codes follow from it (dispatch/proofs.py)."""
    wrong_codes: Mapped[int] = mapped_column(server_default=text("0"))


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
    proofs: Mapped[list[str]] = mapped_column(default=list, server_default=text("'[]'"))
    signature_png: Mapped[bytes | None] = mapped_column(deferred=True)
    body: Mapped[Json]
    """The request, with the signature's SHA-256 in its place."""
    problem: Mapped[Json | None]
