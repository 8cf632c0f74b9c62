"""A lot that is made while a recall is being written sees it, or is seen by it.

Revision ID: 0006_recall_lock
"""

from alembic import op

revision = "0006_recall_lock"
down_revision = "0005_catalogue"
branch_labels = None
depends_on = None

TRIGGER = """
CREATE FUNCTION wait_for_recall() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(7201121);
    RETURN NULL;
END $$;
-- lot_born_recalled looks at the recalls after it
CREATE TRIGGER lot_waits_for_recall BEFORE INSERT ON lot FOR EACH STATEMENT EXECUTE FUNCTION wait_for_recall();
"""


def upgrade() -> None:
    op.execute(TRIGGER)


def downgrade() -> None:
    raise RuntimeError("The ledger is never taken down: restore a backup instead")
