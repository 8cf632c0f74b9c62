"""What an incident needs: candidate shelters, setting and season, demands; amendments and headcounts."""

from alembic import op

revision = "0007_needs"
down_revision = "0006_response"
branch_labels = None
depends_on = None

NEEDS = """
ALTER TABLE shelter
    ADD COLUMN status text NOT NULL DEFAULT 'registered',
    ADD COLUMN indoor boolean,
    ADD CONSTRAINT shelter_status_check CHECK (status IN ('registered', 'candidate'));
ALTER TABLE shelter ALTER COLUMN status DROP DEFAULT;

ALTER TABLE incident
    ADD COLUMN setting text NOT NULL DEFAULT 'any',
    ADD COLUMN season text NOT NULL DEFAULT 'any',
    ADD COLUMN opened jsonb NOT NULL DEFAULT '[]',
    ADD COLUMN demands jsonb NOT NULL DEFAULT '[]';
UPDATE incident SET opened = (SELECT coalesce(jsonb_agg(id ORDER BY id), '[]') FROM shelter);
ALTER TABLE incident
    ALTER COLUMN setting DROP DEFAULT, ALTER COLUMN season DROP DEFAULT,
    ALTER COLUMN opened DROP DEFAULT, ALTER COLUMN demands DROP DEFAULT;

CREATE TABLE incident_amendment (
    id uuid CONSTRAINT incident_amendment_pkey PRIMARY KEY,
    serial bigint GENERATED ALWAYS AS IDENTITY NOT NULL,
    incident_id uuid NOT NULL CONSTRAINT incident_amendment_incident_id_fkey REFERENCES incident,
    occurred_at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL,
    recorded_by text NOT NULL,
    kind text NOT NULL,
    body jsonb NOT NULL
);
CREATE INDEX incident_amendment_of ON incident_amendment (incident_id, serial);
CREATE TRIGGER incident_amendment_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON incident_amendment
    FOR EACH STATEMENT EXECUTE FUNCTION audit_append_only();

CREATE TABLE headcount (
    id uuid CONSTRAINT headcount_pkey PRIMARY KEY,
    serial bigint GENERATED ALWAYS AS IDENTITY NOT NULL,
    incident_id uuid NOT NULL CONSTRAINT headcount_incident_id_fkey REFERENCES incident,
    shelter_id text NOT NULL CONSTRAINT headcount_shelter_id_fkey REFERENCES shelter,
    occurred_at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL,
    recorded_by text NOT NULL,
    people integer NOT NULL CONSTRAINT headcount_people_check CHECK (people >= 0),
    groups jsonb,
    note text NOT NULL
);
CREATE INDEX headcount_of ON headcount (incident_id, occurred_at, id);
CREATE TRIGGER headcount_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON headcount
    FOR EACH STATEMENT EXECUTE FUNCTION audit_append_only();
"""


def upgrade() -> None:
    op.execute(NEEDS)


def downgrade() -> None:
    raise RuntimeError("What was reported is never taken down: restore a backup instead")
