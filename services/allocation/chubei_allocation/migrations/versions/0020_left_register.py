"""Since when somebody is not on the call register any more."""

from alembic import op

revision = "0020_left_register"
down_revision = "0019_photos"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE call_person ADD left_at timestamptz")
    op.execute("UPDATE call_person SET left_at = now() WHERE NOT active")


def downgrade() -> None:
    op.execute("ALTER TABLE call_person DROP left_at")
