"""Seals over the audit: each row knows its transaction, and why an act was refused."""

from alembic import op
from chubei_shared.audit_ddl import SEAL_1

revision = "0002_seals"
down_revision = "0001"

COLUMNS = """
ALTER TABLE audit ADD COLUMN reason text NOT NULL DEFAULT '';
ALTER TABLE audit ADD COLUMN xact bigint NOT NULL DEFAULT 0;
ALTER TABLE audit ALTER COLUMN xact SET DEFAULT pg_current_xact_id()::text::bigint;
CREATE INDEX audit_xact ON audit (xact, id);
CREATE OR REPLACE FUNCTION audit_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP
        USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = TG_NAME;
END $$;
"""


def upgrade() -> None:
    op.execute(COLUMNS)
    op.execute(SEAL_1)
