"""The register of people to call, call-out sheets, and what suppliers confirm before planning."""

from alembic import op

revision = "0009_call_out"
down_revision = "0008_replans"
branch_labels = None
depends_on = None

TABLES = """
ALTER TABLE loading_site ADD COLUMN loaders_per_dock integer NOT NULL DEFAULT 2;
ALTER TABLE loading_site ALTER COLUMN loaders_per_dock DROP DEFAULT;

CREATE TABLE call_person (
    id text CONSTRAINT call_person_pkey PRIMARY KEY,
    name text NOT NULL,
    duty text NOT NULL,
    place_id text NOT NULL CONSTRAINT call_person_place_id_fkey REFERENCES loading_site,
    vehicle_type_id text CONSTRAINT call_person_vehicle_type_id_fkey REFERENCES vehicle_type,
    phone text NOT NULL,
    arrive_min integer NOT NULL,
    active boolean NOT NULL,
    provenance jsonb NOT NULL,
    CONSTRAINT call_person_duty_check CHECK (duty IN ('keeper', 'loader', 'driver')),
    CONSTRAINT call_person_drives_check CHECK ((duty = 'driver') = (vehicle_type_id IS NOT NULL))
);

CREATE TABLE call_out (
    id uuid CONSTRAINT call_out_pkey PRIMARY KEY,
    incident_id uuid NOT NULL CONSTRAINT call_out_incident_id_fkey REFERENCES incident,
    body jsonb NOT NULL,
    places jsonb NOT NULL,
    vehicle_types jsonb NOT NULL,
    opened_at timestamptz NOT NULL,
    opened_by text NOT NULL
);
CREATE INDEX call_out_incident ON call_out (incident_id, opened_at);

CREATE TABLE call (
    id uuid CONSTRAINT call_pkey PRIMARY KEY,
    incident_id uuid NOT NULL CONSTRAINT call_incident_id_fkey REFERENCES incident,
    call_out_id uuid NOT NULL CONSTRAINT call_call_out_id_fkey REFERENCES call_out,
    person_id text NOT NULL CONSTRAINT call_person_id_fkey REFERENCES call_person,
    name text NOT NULL,
    duty text NOT NULL,
    place_id text NOT NULL,
    vehicle_type_id text,
    arrive_min integer NOT NULL,
    answer_within_min integer NOT NULL,
    state text NOT NULL,
    state_at timestamptz NOT NULL,
    state_by text NOT NULL,
    expected_min integer,
    CONSTRAINT call_state_check CHECK (state IN
        ('to_call', 'called', 'answered', 'unreachable', 'declined', 'present', 'released')),
    CONSTRAINT call_expected_check CHECK (state <> 'answered' OR expected_min IS NOT NULL),
    CONSTRAINT call_incident_id_key UNIQUE (incident_id, person_id)
);

CREATE TABLE call_change (
    id uuid CONSTRAINT call_change_pkey PRIMARY KEY,
    serial bigint GENERATED ALWAYS AS IDENTITY,
    call_id uuid NOT NULL CONSTRAINT call_change_call_id_fkey REFERENCES call,
    body jsonb NOT NULL,
    move text NOT NULL,
    state text NOT NULL,
    expected_min integer,
    note text NOT NULL,
    at timestamptz NOT NULL,
    by text NOT NULL,
    CONSTRAINT call_change_move_check CHECK (move IN
        ('call', 'answer', 'unreachable', 'decline', 'present', 'release'))
);
CREATE INDEX call_change_call ON call_change (call_id, serial);
CREATE TRIGGER call_change_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON call_change
    FOR EACH STATEMENT EXECUTE FUNCTION audit_append_only();

CREATE TABLE confirmation_request (
    id uuid CONSTRAINT confirmation_request_pkey PRIMARY KEY,
    incident_id uuid NOT NULL CONSTRAINT confirmation_request_incident_id_fkey REFERENCES incident,
    body jsonb NOT NULL,
    asked_at timestamptz NOT NULL,
    asked_by text NOT NULL
);

CREATE TABLE confirmation (
    id uuid CONSTRAINT confirmation_pkey PRIMARY KEY,
    request_id uuid NOT NULL CONSTRAINT confirmation_request_id_fkey REFERENCES confirmation_request,
    incident_id uuid NOT NULL CONSTRAINT confirmation_incident_id_fkey REFERENCES incident,
    place_id text NOT NULL,
    name_zh text NOT NULL,
    name_en text NOT NULL,
    items jsonb NOT NULL,
    asked_at timestamptz NOT NULL,
    asked_by text NOT NULL,
    due_at timestamptz NOT NULL,
    state text NOT NULL,
    lines jsonb NOT NULL,
    ready_min integer,
    overdue_told_at timestamptz,
    CONSTRAINT confirmation_state_check CHECK (state IN ('asked', 'confirmed', 'declined', 'released'))
);
CREATE UNIQUE INDEX confirmation_open ON confirmation (incident_id, place_id) WHERE state <> 'released';
CREATE INDEX confirmation_due ON confirmation (due_at) WHERE state = 'asked' AND overdue_told_at IS NULL;

CREATE TABLE confirmation_answer (
    id uuid CONSTRAINT confirmation_answer_pkey PRIMARY KEY,
    serial bigint GENERATED ALWAYS AS IDENTITY,
    confirmation_id uuid NOT NULL CONSTRAINT confirmation_answer_confirmation_id_fkey REFERENCES confirmation,
    body jsonb NOT NULL,
    at timestamptz NOT NULL,
    by text NOT NULL
);
CREATE INDEX confirmation_answer_confirmation ON confirmation_answer (confirmation_id, serial);
CREATE TRIGGER confirmation_answer_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON confirmation_answer
    FOR EACH STATEMENT EXECUTE FUNCTION audit_append_only();
"""


def upgrade() -> None:
    op.execute(TABLES)


def downgrade() -> None:
    raise RuntimeError("Who was called and what was confirmed is never taken down: restore a backup instead")
