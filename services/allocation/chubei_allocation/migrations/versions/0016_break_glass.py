"""Approvals by somebody who had come in without the second factor."""

from alembic import op

revision = "0016_break_glass"
down_revision = "0015_granted"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE plan_approval ADD break_glass boolean NOT NULL DEFAULT false")
    op.execute("ALTER TABLE plan_approval ALTER break_glass DROP DEFAULT")


def downgrade() -> None:
    op.execute("ALTER TABLE plan_approval DROP break_glass")
