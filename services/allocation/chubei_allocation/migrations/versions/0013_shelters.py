"""What keepers record at their shelters: handing out, requests for more, returns."""

from alembic import op

revision = "0013_shelters"
down_revision = "0012_hand_overs"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
CREATE TABLE shelter_record (
    id uuid CONSTRAINT shelter_record_pkey PRIMARY KEY,
    serial bigint GENERATED ALWAYS AS IDENTITY,
    incident_id uuid NOT NULL CONSTRAINT shelter_record_incident_id_fkey REFERENCES incident,
    shelter_id text NOT NULL CONSTRAINT shelter_record_shelter_id_fkey REFERENCES shelter,
    kind text NOT NULL,
    state text NOT NULL,
    occurred_at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL,
    recorded_by text NOT NULL,
    said bytea NOT NULL,
    people integer NOT NULL,
    units jsonb NOT NULL,
    text text NOT NULL,
    movement jsonb,
    problem jsonb,
    reply text NOT NULL,
    replied_by text,
    CONSTRAINT shelter_record_kind_check CHECK (kind IN ('hand_out', 'request', 'return')),
    CONSTRAINT shelter_record_state_check CHECK (state IN ('pending', 'done', 'refused', 'asked', 'answered')),
    CONSTRAINT shelter_record_of_kind_check CHECK ((kind = 'request') = (state IN ('asked', 'answered'))),
    CONSTRAINT shelter_record_moves_check CHECK ((movement IS NULL) = (kind = 'request'))
);
CREATE INDEX shelter_record_of ON shelter_record (incident_id, shelter_id, serial);
CREATE INDEX shelter_record_pending ON shelter_record (recorded_at) WHERE state = 'pending';

CREATE TABLE hand_out_recipient (
    record_id uuid NOT NULL CONSTRAINT hand_out_recipient_record_id_fkey REFERENCES shelter_record,
    number integer NOT NULL,
    name text NOT NULL,
    id_no text NOT NULL,
    phone text NOT NULL,
    household text NOT NULL,
    who bytea,
    people integer NOT NULL,
    lines jsonb NOT NULL,
    signed boolean NOT NULL,
    before integer NOT NULL,
    kept_until timestamptz,
    CONSTRAINT hand_out_recipient_pkey PRIMARY KEY (record_id, number)
);
CREATE INDEX hand_out_recipient_who ON hand_out_recipient (who) WHERE who IS NOT NULL;
CREATE INDEX hand_out_recipient_kept ON hand_out_recipient (kept_until) WHERE kept_until IS NOT NULL;
""")


def downgrade() -> None:
    op.execute("DROP TABLE hand_out_recipient, shelter_record")
