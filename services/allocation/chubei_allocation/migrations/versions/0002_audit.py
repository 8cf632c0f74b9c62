"""The audit of what was decided here, refused acts too, and the seals over it."""

from alembic import op
from chubei_shared.audit_ddl import AUDIT_1, SEAL_1

revision = "0002_audit"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(AUDIT_1)
    op.execute(SEAL_1)


def downgrade() -> None:
    raise RuntimeError("An audit is never taken down: restore a backup instead")
