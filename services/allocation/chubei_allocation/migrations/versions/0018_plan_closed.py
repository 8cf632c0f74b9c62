"""When nothing was held any more for a plan whose incident had ended."""

from alembic import op

revision = "0018_plan_closed"
down_revision = "0017_shelter_keepers"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE plan ADD closed_at timestamptz")


def downgrade() -> None:
    op.execute("ALTER TABLE plan DROP closed_at")
