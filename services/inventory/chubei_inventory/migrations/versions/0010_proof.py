"""Proofs of the books as they ran, with each difference; the audit of decisions here, and the seals over both.

Revision ID: 0010_proof
"""

from alembic import op
from chubei_shared.audit_ddl import AUDIT_1, SEAL_1

revision = "0010_proof"
down_revision = "0009_holds"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE proof_run (
    id uuid PRIMARY KEY,
    night date CONSTRAINT proof_run_night UNIQUE,
    asked_by text NOT NULL,
    asked_at timestamptz NOT NULL DEFAULT now(),
    finished_at timestamptz,
    entries bigint,
    counts jsonb,
    CONSTRAINT proof_run_whole CHECK (num_nulls(finished_at, entries, counts) IN (0, 3))
);
CREATE INDEX proof_run_finished ON proof_run (finished_at, id) WHERE finished_at IS NOT NULL;
CREATE INDEX proof_run_asked ON proof_run (asked_at, id);

CREATE TABLE proof_finding (
    run_id uuid NOT NULL REFERENCES proof_run,
    number integer NOT NULL,
    "check" text NOT NULL,
    rows jsonb NOT NULL,
    expected text NOT NULL,
    found text NOT NULL,
    fingerprint bytea NOT NULL,
    PRIMARY KEY (run_id, number)
);
"""

TRIGGERS = """
CREATE TRIGGER proof_run_kept BEFORE DELETE OR TRUNCATE ON proof_run
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change('what a proof found stays as it was');
CREATE TRIGGER proof_run_once BEFORE UPDATE ON proof_run
    FOR EACH ROW WHEN (OLD.finished_at IS NOT NULL)
    EXECUTE FUNCTION refuse_change('what a proof found stays as it was');
CREATE TRIGGER proof_finding_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON proof_finding
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change('what a proof found stays as it was');
"""

ORDER_OF_SEALING = """
DROP INDEX movement_xact;
CREATE INDEX movement_xact ON movement (xact, seq);
"""


def upgrade() -> None:
    op.execute(TABLES)
    op.execute(TRIGGERS)
    op.execute(AUDIT_1)
    op.execute(SEAL_1)
    op.execute(ORDER_OF_SEALING)


def downgrade() -> None:
    raise RuntimeError("The ledger is never taken down: restore a backup instead")
