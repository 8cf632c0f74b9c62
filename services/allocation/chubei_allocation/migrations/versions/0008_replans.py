"""Replans: plans that supersede others, orders that are withdrawn or revised, and what deviated from the plan."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0008_replans"
down_revision = "0007_needs"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("plan_request", sa.Column("replaces", sa.Uuid()))
    op.create_foreign_key("plan_request_replaces_fkey", "plan_request", "plan", ["replaces"], ["id"])
    op.add_column("plan", sa.Column("replaces", sa.Uuid()))
    op.create_foreign_key("plan_replaces_fkey", "plan", "plan", ["replaces"], ["id"])
    for column in ("changes", "carried"):
        op.add_column("plan", sa.Column(column, JSONB(), nullable=False, server_default="[]"))
    for name, told in (
        ("status", "status IN ('proposed', 'approving', 'approved', 'refused', 'superseded')"),
        (
            "held",
            "status NOT IN ('approving', 'approved', 'superseded') OR (hold_id IS NOT NULL AND decided_by IS NOT NULL)",
        ),
        ("four_eyes", "status NOT IN ('approving', 'approved', 'superseded') OR decided_by <> requested_by"),
    ):
        op.drop_constraint(f"plan_{name}_check", "plan")
        op.create_check_constraint(f"plan_{name}_check", "plan", told)
    op.drop_index("plan_one_in_force", "plan")
    for name, column, where in (
        ("in_force", "incident_id", "status = 'approved' OR (status = 'approving' AND replaces IS NULL)"),
        ("approving", "incident_id", "status = 'approving'"),
        ("successor", "replaces", "status IN ('approved', 'superseded')"),
    ):
        op.create_index(f"plan_one_{name}", "plan", [column], unique=True, postgresql_where=sa.text(where))
    op.drop_constraint("dispatch_order_status_check", "dispatch_order")
    op.create_check_constraint(
        "dispatch_order_status_check",
        "dispatch_order",
        "status IN ('planned', 'under_way', 'done', 'withdrawn')",
    )
    op.add_column("dispatch_order", sa.Column("revision", sa.Integer(), nullable=False, server_default="0"))
    op.create_table(
        "deviation",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("serial", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("incident_id", sa.Uuid(), nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("what", JSONB(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("reported_by", sa.Text(), nullable=False),
        sa.Column("reported_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lifted_by", sa.Text()),
        sa.Column("lifted_at", sa.DateTime(timezone=True)),
        sa.Column("lift_reason", sa.Text(), nullable=False),
        sa.CheckConstraint("(lifted_at IS NULL) = (lifted_by IS NULL)", name="deviation_lifted_check"),
        sa.ForeignKeyConstraint(["incident_id"], ["incident.id"], name="deviation_incident_id_fkey"),
        sa.PrimaryKeyConstraint("id", name="deviation_pkey"),
    )
    op.create_index("deviation_of_incident", "deviation", ["incident_id", "serial"])


def downgrade() -> None:
    raise RuntimeError("What was decided is never taken down: restore a backup instead")
