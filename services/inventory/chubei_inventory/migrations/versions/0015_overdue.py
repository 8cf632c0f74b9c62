"""Call-offs of which somebody was told that nobody confirmed them in time.

Revision ID: 0015_overdue
"""

from alembic import op

revision = "0015_overdue"
down_revision = "0014_papers"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE call_off_overdue (
    call_off_id uuid PRIMARY KEY REFERENCES call_off,
    told_at timestamptz NOT NULL DEFAULT now()
);
"""


def upgrade() -> None:
    op.execute(TABLES)


def downgrade() -> None:
    raise RuntimeError("The ledger is never taken down: restore a backup instead")
