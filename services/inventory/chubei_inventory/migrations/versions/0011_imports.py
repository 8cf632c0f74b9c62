"""What was imported.

Revision ID: 0011_imports
"""

from alembic import op

revision = "0011_imports"
down_revision = "0010_proof"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE import_run (
    id uuid PRIMARY KEY,
    list_key text NOT NULL,
    file_sha256 text NOT NULL CHECK (file_sha256 ~ '^[0-9a-f]{64}$'),
    report jsonb NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT now(),
    recorded_by text NOT NULL
);
CREATE INDEX import_run_recorded ON import_run (recorded_at, id);
CREATE TRIGGER import_run_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON import_run
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change('an import is on record for good');
"""


def upgrade() -> None:
    op.execute(TABLES)


def downgrade() -> None:
    raise RuntimeError("The ledger is never taken down: restore a backup instead")
