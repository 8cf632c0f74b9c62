"""Alternatives and what-ifs; who may approve what, who approved what; oral orders."""

from alembic import op

revision = "0010_authority"
down_revision = "0009_call_out"
branch_labels = None
depends_on = None

TABLES = """
ALTER TABLE plan ADD COLUMN what_if boolean NOT NULL DEFAULT false;
ALTER TABLE plan ALTER COLUMN what_if DROP DEFAULT;
ALTER TABLE plan ADD CONSTRAINT plan_what_if_check CHECK (NOT what_if OR status IN ('proposed', 'refused'));

CREATE TABLE alternatives (
    id uuid CONSTRAINT alternatives_pkey PRIMARY KEY,
    incident_id uuid NOT NULL CONSTRAINT alternatives_incident_id_fkey REFERENCES incident,
    asked_by text NOT NULL,
    asked_at timestamptz NOT NULL,
    body jsonb NOT NULL
);
CREATE INDEX alternatives_incident ON alternatives (incident_id, asked_at, id);

CREATE TABLE authority_version (
    version integer CONSTRAINT authority_version_pkey PRIMARY KEY,
    body jsonb NOT NULL,
    put_by text NOT NULL,
    put_at timestamptz NOT NULL
);
CREATE TRIGGER authority_version_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON authority_version
    FOR EACH STATEMENT EXECUTE FUNCTION audit_append_only();

CREATE TABLE plan_approval (
    serial bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT plan_approval_pkey PRIMARY KEY,
    plan_id uuid NOT NULL CONSTRAINT plan_approval_plan_id_fkey REFERENCES plan,
    person text NOT NULL,
    post_id text CONSTRAINT plan_approval_post_id_fkey REFERENCES post,
    tier text,
    authority_version integer CONSTRAINT plan_approval_authority_version_fkey REFERENCES authority_version,
    approved_at timestamptz NOT NULL,
    memo_hash text NOT NULL,
    seen text,
    oral boolean NOT NULL,
    entered_by text NOT NULL,
    memo jsonb NOT NULL,
    CONSTRAINT plan_approval_tier_check CHECK ((tier IS NULL) = (authority_version IS NULL)),
    CONSTRAINT plan_approval_post_check CHECK ((post_id IS NULL) = (tier IS NULL)),
    CONSTRAINT plan_approval_entered_check CHECK (oral = (entered_by <> person))
);
CREATE INDEX plan_approval_plan ON plan_approval (plan_id, serial);
CREATE TRIGGER plan_approval_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON plan_approval
    FOR EACH STATEMENT EXECUTE FUNCTION audit_append_only();

CREATE TABLE oral_order (
    id uuid CONSTRAINT oral_order_pkey PRIMARY KEY,
    plan_id uuid NOT NULL CONSTRAINT oral_order_plan_id_key UNIQUE
        CONSTRAINT oral_order_plan_id_fkey REFERENCES plan,
    incident_id uuid NOT NULL CONSTRAINT oral_order_incident_id_fkey REFERENCES incident,
    given_by text NOT NULL,
    post_id text CONSTRAINT oral_order_post_id_fkey REFERENCES post,
    tier text,
    how text NOT NULL,
    given_at timestamptz NOT NULL,
    witness text NOT NULL,
    note text NOT NULL,
    break_glass boolean NOT NULL,
    reason text,
    recorded_by text NOT NULL,
    recorded_at timestamptz NOT NULL,
    papers_due_at timestamptz NOT NULL,
    document_no text,
    papers_by text,
    papers_at timestamptz,
    papers_note text NOT NULL,
    overdue_at timestamptz,
    closed_at timestamptz,
    body jsonb NOT NULL,
    CONSTRAINT oral_order_heard_check CHECK (given_by <> recorded_by),
    CONSTRAINT oral_order_reason_check CHECK (NOT break_glass OR reason IS NOT NULL),
    CONSTRAINT oral_order_papers_check
        CHECK ((papers_at IS NULL) = (papers_by IS NULL) AND (papers_at IS NULL) = (document_no IS NULL)),
    CONSTRAINT oral_order_four_eyes_check CHECK (papers_by <> recorded_by),
    CONSTRAINT oral_order_closed_check CHECK (closed_at IS NULL OR papers_at IS NOT NULL)
);
CREATE INDEX oral_order_incident_id ON oral_order (incident_id);
CREATE INDEX oral_order_latest ON oral_order (recorded_at, id);
CREATE INDEX oral_order_due ON oral_order (papers_due_at) WHERE papers_at IS NULL;

CREATE TABLE oral_order_account (
    oral_order_id uuid CONSTRAINT oral_order_account_oral_order_id_fkey REFERENCES oral_order,
    person text,
    finding text NOT NULL,
    accounted_at timestamptz NOT NULL,
    CONSTRAINT oral_order_account_pkey PRIMARY KEY (oral_order_id, person)
);
"""


def upgrade() -> None:
    op.execute(TABLES)


def downgrade() -> None:
    raise RuntimeError("Who decided what is never taken down: restore a backup instead")
