"""Exercises: books of their own, scripts, scores."""

from alembic import op

revision = "0014_exercises"
down_revision = "0013_shelters"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE exercise_book (
    incident_id uuid CONSTRAINT exercise_book_pkey PRIMARY KEY
        CONSTRAINT exercise_book_incident_id_fkey REFERENCES incident,
    source text NOT NULL,
    name text NOT NULL,
    frozen_at timestamptz NOT NULL,
    snapshot jsonb NOT NULL,
    CONSTRAINT exercise_book_source_check CHECK (source IN ('stock', 'file'))
);
CREATE TRIGGER exercise_book_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON exercise_book
    FOR EACH STATEMENT EXECUTE FUNCTION audit_append_only();

CREATE TABLE exercise_entry (
    id text CONSTRAINT exercise_entry_pkey PRIMARY KEY,
    serial bigint GENERATED ALWAYS AS IDENTITY,
    incident_id uuid NOT NULL CONSTRAINT exercise_entry_incident_id_fkey REFERENCES exercise_book,
    kind text NOT NULL,
    body jsonb NOT NULL,
    recorded_at timestamptz NOT NULL,
    recorded_by text NOT NULL,
    CONSTRAINT exercise_entry_kind_check CHECK (kind IN ('hold', 'move', 'place'))
);
CREATE INDEX exercise_entry_of ON exercise_entry (incident_id, serial);
CREATE TRIGGER exercise_entry_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON exercise_entry
    FOR EACH STATEMENT EXECUTE FUNCTION audit_append_only();

CREATE TABLE exercise (
    incident_id uuid CONSTRAINT exercise_pkey PRIMARY KEY
        CONSTRAINT exercise_incident_id_fkey REFERENCES incident,
    form text NOT NULL,
    clock text NOT NULL,
    status text NOT NULL,
    body jsonb NOT NULL,
    opened_at timestamptz NOT NULL,
    opened_by text NOT NULL,
    now_min integer NOT NULL,
    concluded_at timestamptz,
    concluded_by text,
    findings text NOT NULL,
    score jsonb,
    CONSTRAINT exercise_form_check CHECK (form IN ('table_top', 'live')),
    CONSTRAINT exercise_clock_check CHECK (clock IN ('script', 'wall')),
    CONSTRAINT exercise_status_check CHECK (status IN ('running', 'concluded', 'cancelled')),
    CONSTRAINT exercise_concluded_check CHECK ((status = 'running') = (concluded_at IS NULL)
        AND (concluded_at IS NULL) = (concluded_by IS NULL) AND (status = 'concluded') = (score IS NOT NULL))
);
CREATE INDEX exercise_latest ON exercise (opened_at, incident_id);

CREATE TABLE exercise_inject (
    id uuid CONSTRAINT exercise_inject_pkey PRIMARY KEY,
    incident_id uuid NOT NULL CONSTRAINT exercise_inject_incident_id_fkey REFERENCES exercise,
    number integer NOT NULL,
    at_min integer NOT NULL,
    body jsonb NOT NULL,
    status text NOT NULL,
    played_at timestamptz,
    played_by text,
    problem jsonb,
    CONSTRAINT exercise_inject_status_check CHECK (status IN ('waiting', 'played', 'failed', 'skipped')),
    CONSTRAINT exercise_inject_incident_id_key UNIQUE (incident_id, number)
);
"""


def upgrade() -> None:
    op.execute(TABLES)


def downgrade() -> None:
    raise RuntimeError("What was exercised is never taken down: restore a backup instead")
