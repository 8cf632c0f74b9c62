"""Reports of an incident, and what the city sent on its request."""

from alembic import op

revision = "0011_reports"
down_revision = "0010_authority"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE report (
    id uuid CONSTRAINT report_pkey PRIMARY KEY,
    incident_id uuid NOT NULL CONSTRAINT report_incident_id_fkey REFERENCES incident,
    exercise boolean NOT NULL,
    kind text NOT NULL,
    number text NOT NULL,
    version integer NOT NULL,
    replaces uuid CONSTRAINT report_replaces_fkey REFERENCES report,
    status text NOT NULL,
    revision integer NOT NULL,
    facts jsonb NOT NULL,
    facts_hash text NOT NULL,
    told jsonb NOT NULL,
    hash text NOT NULL,
    data_at timestamptz NOT NULL,
    drafted_at timestamptz NOT NULL,
    drafted_by text NOT NULL,
    edited_at timestamptz,
    edited_by text,
    signed_at timestamptz,
    signed_by text,
    hands jsonb NOT NULL,
    discard_reason text NOT NULL,
    CONSTRAINT report_kind_check CHECK (kind IN ('first', 'hourly', 'city_request')),
    CONSTRAINT report_status_check CHECK (status IN ('draft', 'signed', 'superseded', 'discarded')),
    CONSTRAINT report_signed_check CHECK ((status IN ('signed', 'superseded')) = (signed_by IS NOT NULL)
        AND (signed_by IS NULL) = (signed_at IS NULL)),
    CONSTRAINT report_four_eyes_check CHECK (signed_by IS NULL OR NOT jsonb_exists(hands, signed_by)),
    CONSTRAINT report_number_key UNIQUE (number, version)
);
CREATE INDEX report_incident_id ON report (incident_id);
CREATE INDEX report_latest ON report (drafted_at, id);
CREATE UNIQUE INDEX report_one_successor ON report (replaces) WHERE status <> 'discarded';

CREATE FUNCTION report_stands() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' OR OLD.facts <> NEW.facts
        OR (OLD.status <> 'draft' AND to_jsonb(OLD) - 'status' <> to_jsonb(NEW) - 'status') THEN
        RAISE EXCEPTION 'report % stands as it is: % refused', OLD.number, TG_OP
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = TG_NAME;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER report_stands BEFORE UPDATE OR DELETE ON report FOR EACH ROW EXECUTE FUNCTION report_stands();

CREATE TABLE report_arrival (
    id uuid CONSTRAINT report_arrival_pkey PRIMARY KEY,
    serial bigint GENERATED ALWAYS AS IDENTITY,
    report_id uuid NOT NULL CONSTRAINT report_arrival_report_id_fkey REFERENCES report,
    item_code text NOT NULL,
    quantity integer NOT NULL,
    arrived_at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL,
    recorded_by text NOT NULL,
    body jsonb NOT NULL,
    CONSTRAINT report_arrival_quantity_check CHECK (quantity > 0)
);
CREATE INDEX report_arrival_report_id ON report_arrival (report_id);
CREATE TRIGGER report_arrival_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON report_arrival
    FOR EACH STATEMENT EXECUTE FUNCTION audit_append_only();
"""


def upgrade() -> None:
    op.execute(TABLES)


def downgrade() -> None:
    raise RuntimeError("What was signed is never taken down: restore a backup instead")
