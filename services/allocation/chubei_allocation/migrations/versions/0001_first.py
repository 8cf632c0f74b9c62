"""The first tables of allocation: district, incidents, plans, orders."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "district",
        sa.Column("single", sa.Boolean(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name_zh", sa.Text(), nullable=False),
        sa.Column("name_en", sa.Text(), nullable=False),
        sa.Column("residents", sa.Integer(), nullable=False),
        sa.Column("duty_share", sa.Double(), nullable=False),
        sa.Column("deadline_min", sa.Integer(), nullable=False),
        sa.Column("circuity", sa.Double(), nullable=False),
        sa.Column("speed_kmh", sa.Double(), nullable=False),
        sa.Column("group_shares", JSONB(), nullable=False),
        sa.Column("attributions", JSONB(), nullable=False),
        sa.Column("provenance", JSONB(), nullable=False),
        sa.CheckConstraint("single", name="district_single_check"),
        sa.PrimaryKeyConstraint("single", name="district_pkey"),
    )
    op.create_table(
        "incident",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("declared_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("declared_by", sa.Text(), nullable=False),
        sa.Column("deadline_min", sa.Integer(), nullable=False),
        sa.Column("exercise", sa.Boolean(), nullable=False),
        sa.Column("closures", JSONB(), nullable=False),
        sa.Column("declaration", JSONB(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="incident_pkey"),
    )
    op.create_index("incident_latest", "incident", ["declared_at", "id"])
    op.create_table(
        "loading_site",
        sa.Column("place_id", sa.Text(), nullable=False),
        sa.Column("docks", JSONB(), nullable=False),
        sa.Column("load_fixed_min", sa.Integer(), nullable=False),
        sa.Column("load_kg_per_min", sa.Integer(), nullable=False),
        sa.Column("provenance", JSONB(), nullable=False),
        sa.PrimaryKeyConstraint("place_id", name="loading_site_pkey"),
    )
    op.create_table(
        "outbox",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("body", JSONB(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=True),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name="outbox_pkey"),
        sa.UniqueConstraint("seq", name="outbox_seq_key"),
    )
    op.create_index("outbox_unsent", "outbox", ["id"], postgresql_where=sa.text("sent_at IS NULL"))
    op.create_table(
        "subdistrict",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name_zh", sa.Text(), nullable=False),
        sa.Column("name_en", sa.Text(), nullable=False),
        sa.Column("zone", sa.Text(), nullable=False),
        sa.Column("residents", sa.Integer(), nullable=False),
        sa.Column("lon", sa.Double(), nullable=False),
        sa.Column("lat", sa.Double(), nullable=False),
        sa.Column("provenance", JSONB(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="subdistrict_pkey"),
    )
    op.create_table(
        "plan_request",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("incident_id", sa.Uuid(), nullable=False),
        sa.Column("requested_by", sa.Text(), nullable=False),
        sa.Column("body", JSONB(), nullable=False),
        sa.Column("policy", sa.Text(), nullable=False),
        sa.Column("time_limit_s", sa.Integer(), nullable=False),
        sa.Column("seed", sa.Integer(), nullable=False),
        sa.Column("now_min", sa.Integer(), nullable=True),
        sa.Column("progress", JSONB(), nullable=True),
        sa.Column("scenario", JSONB(), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("fence", sa.BigInteger(), nullable=False),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "status IN ('queued', 'running', 'done', 'failed', 'cancelled')", name="plan_request_status_check"
        ),
        sa.ForeignKeyConstraint(["incident_id"], ["incident.id"], name="plan_request_incident_id_fkey"),
        sa.PrimaryKeyConstraint("id", name="plan_request_pkey"),
    )
    op.create_index("plan_request_latest", "plan_request", ["created_at", "id"])
    op.create_index(
        "plan_request_open",
        "plan_request",
        ["created_at"],
        postgresql_where=sa.text("status IN ('queued', 'running')"),
    )
    op.create_table(
        "shelter",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("subdistrict_id", sa.Text(), nullable=False),
        sa.Column("name_zh", sa.Text(), nullable=False),
        sa.Column("name_en", sa.Text(), nullable=False),
        sa.Column("lon", sa.Double(), nullable=False),
        sa.Column("lat", sa.Double(), nullable=False),
        sa.Column("capacity", sa.Integer(), nullable=False),
        sa.Column("kit_id", sa.Text(), nullable=False),
        sa.Column("bays", sa.Integer(), nullable=False),
        sa.Column("unload_fixed_min", sa.Integer(), nullable=False),
        sa.Column("unload_kg_per_min", sa.Integer(), nullable=False),
        sa.Column("opens_min", sa.Integer(), nullable=False),
        sa.Column("hand_out_per_hour", sa.Integer(), nullable=True),
        sa.Column("max_size", sa.Integer(), nullable=False),
        sa.Column("weight", sa.Double(), nullable=False),
        sa.Column("provenance", JSONB(), nullable=False),
        sa.ForeignKeyConstraint(["subdistrict_id"], ["subdistrict.id"], name="shelter_subdistrict_id_fkey"),
        sa.PrimaryKeyConstraint("id", name="shelter_pkey"),
    )
    op.create_table(
        "vehicle_type",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name_zh", sa.Text(), nullable=False),
        sa.Column("name_en", sa.Text(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("start_place_id", sa.Text(), nullable=False),
        sa.Column("available_min", sa.Integer(), nullable=False),
        sa.Column("payload_kg", sa.Integer(), nullable=False),
        sa.Column("volume_l", sa.Integer(), nullable=False),
        sa.Column("speed_factor", sa.Double(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("provenance", JSONB(), nullable=False),
        sa.ForeignKeyConstraint(
            ["start_place_id"], ["loading_site.place_id"], name="vehicle_type_start_place_id_fkey"
        ),
        sa.PrimaryKeyConstraint("id", name="vehicle_type_pkey"),
    )
    op.create_table(
        "demand_point",
        sa.Column("incident_id", sa.Uuid(), nullable=False),
        sa.Column("shelter_id", sa.Text(), nullable=False),
        sa.Column("people", sa.Integer(), nullable=False),
        sa.Column("groups", JSONB(), nullable=False),
        sa.Column("kit_id", sa.Text(), nullable=False),
        sa.CheckConstraint("people > 0", name="demand_point_people_check"),
        sa.ForeignKeyConstraint(["incident_id"], ["incident.id"], name="demand_point_incident_id_fkey"),
        sa.ForeignKeyConstraint(["shelter_id"], ["shelter.id"], name="demand_point_shelter_id_fkey"),
        sa.PrimaryKeyConstraint("incident_id", "shelter_id", name="demand_point_pkey"),
    )
    op.create_table(
        "plan",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("request_id", sa.Uuid(), nullable=False),
        sa.Column("incident_id", sa.Uuid(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("requested_by", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("snapshot_hash", sa.Text(), nullable=False),
        sa.Column("seed", sa.Integer(), nullable=False),
        sa.Column("solver_status", sa.Text(), nullable=False),
        sa.Column("objective", sa.Double(), nullable=False),
        sa.Column("bound", sa.Double(), nullable=False),
        sa.Column("people", sa.Integer(), nullable=False),
        sa.Column("supported", sa.Integer(), nullable=False),
        sa.Column("settled", sa.Integer(), nullable=False),
        sa.Column("mean_wait_min", sa.Double(), nullable=False),
        sa.Column("served_by_hour", JSONB(), nullable=False),
        sa.Column("tightest", JSONB(), nullable=False),
        sa.Column("plan", JSONB(), nullable=False),
        sa.Column("decided_by", sa.Text(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("hold_id", sa.Uuid(), nullable=True),
        sa.Column("hold_expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("shortages", JSONB(), nullable=False),
        sa.Column("refusal", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "status IN ('proposed', 'approving', 'approved', 'refused')", name="plan_status_check"
        ),
        sa.CheckConstraint(
            "status NOT IN ('approving', 'approved') OR (hold_id IS NOT NULL AND decided_by IS NOT NULL)",
            name="plan_held_check",
        ),
        sa.CheckConstraint(
            "status NOT IN ('approving', 'approved') OR decided_by <> requested_by",
            name="plan_four_eyes_check",
        ),
        sa.ForeignKeyConstraint(["incident_id"], ["incident.id"], name="plan_incident_id_fkey"),
        sa.ForeignKeyConstraint(["request_id"], ["plan_request.id"], name="plan_request_id_fkey"),
        sa.PrimaryKeyConstraint("id", name="plan_pkey"),
        sa.UniqueConstraint("hold_id", name="plan_hold_id_key"),
        sa.UniqueConstraint("request_id", name="plan_request_id_key"),
    )
    op.create_index("plan_latest", "plan", ["created_at", "id"])
    op.create_index(
        "plan_one_in_force",
        "plan",
        ["incident_id"],
        unique=True,
        postgresql_where=sa.text("status IN ('approving', 'approved')"),
    )
    op.create_table(
        "dispatch_order",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("plan_id", sa.Uuid(), nullable=False),
        sa.Column("trip", sa.Integer(), nullable=False),
        sa.Column("incident_id", sa.Uuid(), nullable=False),
        sa.Column("hold_id", sa.Uuid(), nullable=False),
        sa.Column("vehicle", sa.Text(), nullable=False),
        sa.Column("exercise", sa.Boolean(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("stops", JSONB(), nullable=False),
        sa.CheckConstraint("status IN ('planned', 'under_way', 'done')", name="dispatch_order_status_check"),
        sa.ForeignKeyConstraint(["incident_id"], ["incident.id"], name="dispatch_order_incident_id_fkey"),
        sa.ForeignKeyConstraint(["plan_id"], ["plan.id"], name="dispatch_order_plan_id_fkey"),
        sa.PrimaryKeyConstraint("id", name="dispatch_order_pkey"),
        sa.UniqueConstraint("number", name="dispatch_order_number_key"),
        sa.UniqueConstraint("plan_id", "trip", name="dispatch_order_plan_id_key"),
    )
    op.create_index("dispatch_order_incident_id", "dispatch_order", ["incident_id"])
    op.create_table(
        "order_step",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("serial", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("stop", sa.Integer(), nullable=False),
        sa.Column("step", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by", sa.Text(), nullable=False),
        sa.Column("lines", JSONB(), nullable=False),
        sa.Column("signed_by", sa.Text(), nullable=False),
        sa.Column("body", JSONB(), nullable=False),
        sa.Column("problem", JSONB(), nullable=True),
        sa.CheckConstraint("state IN ('pending', 'done', 'refused')", name="order_step_state_check"),
        sa.ForeignKeyConstraint(["order_id"], ["dispatch_order.id"], name="order_step_order_id_fkey"),
        sa.PrimaryKeyConstraint("id", name="order_step_pkey"),
    )
    op.create_index(
        "order_step_once",
        "order_step",
        ["order_id", "stop", "step"],
        unique=True,
        postgresql_where=sa.text("state <> 'refused'"),
    )
    op.create_index("order_step_order_id", "order_step", ["order_id"])
    op.create_index(
        "order_step_pending",
        "order_step",
        ["order_id"],
        unique=True,
        postgresql_where=sa.text("state = 'pending'"),
    )


def downgrade() -> None:
    for table in (
        "order_step",
        "dispatch_order",
        "plan",
        "demand_point",
        "vehicle_type",
        "shelter",
        "plan_request",
        "subdistrict",
        "outbox",
        "loading_site",
        "incident",
        "district",
    ):
        op.drop_table(table)
