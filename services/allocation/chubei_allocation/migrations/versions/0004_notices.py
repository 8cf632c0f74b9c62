"""Notices to posts, and their deliveries."""

from alembic import op

revision = "0004_notices"
down_revision = "0003_posts"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE notice (
    id uuid CONSTRAINT notice_pkey PRIMARY KEY,
    dedup_key text NOT NULL CONSTRAINT notice_dedup_key_key UNIQUE,
    to_post text NOT NULL CONSTRAINT notice_to_post_fkey REFERENCES post,
    subject text NOT NULL,
    zh text NOT NULL,
    en text NOT NULL,
    incident_id uuid CONSTRAINT notice_incident_id_fkey REFERENCES incident,
    exercise boolean NOT NULL,
    told_at timestamptz NOT NULL,
    ack_within_min integer,
    acknowledged_at timestamptz,
    acknowledged_by text,
    escalated_from uuid CONSTRAINT notice_escalated_from_key UNIQUE
        CONSTRAINT notice_escalated_from_fkey REFERENCES notice,
    first_id uuid NOT NULL,
    escalated_at timestamptz,
    routed_at timestamptz,
    singly boolean NOT NULL,
    digest boolean NOT NULL,
    digest_id uuid CONSTRAINT notice_digest_id_fkey REFERENCES notice,
    CONSTRAINT notice_acknowledged_check CHECK ((acknowledged_at IS NULL) = (acknowledged_by IS NULL)),
    CONSTRAINT notice_ack_within_check CHECK (ack_within_min > 0)
);
CREATE INDEX notice_latest ON notice (told_at, id);
CREATE INDEX notice_post ON notice (to_post, told_at, id);
CREATE INDEX notice_incident ON notice (incident_id);
CREATE INDEX notice_first ON notice (first_id);
CREATE INDEX notice_unrouted ON notice (told_at) WHERE routed_at IS NULL;
CREATE INDEX notice_undigested ON notice (to_post) WHERE NOT singly AND digest_id IS NULL AND routed_at IS NOT NULL;
CREATE INDEX notice_unanswered ON notice (told_at)
    WHERE ack_within_min IS NOT NULL AND acknowledged_at IS NULL AND escalated_at IS NULL;

CREATE TABLE notice_delivery (
    id uuid CONSTRAINT notice_delivery_pkey PRIMARY KEY,
    notice_id uuid NOT NULL CONSTRAINT notice_delivery_notice_id_fkey REFERENCES notice,
    kind text NOT NULL,
    target text NOT NULL,
    try_at timestamptz NOT NULL,
    status text NOT NULL,
    fence bigint NOT NULL,
    lease_until timestamptz,
    attempts integer NOT NULL,
    error text,
    created_at timestamptz NOT NULL,
    finished_at timestamptz,
    CONSTRAINT notice_delivery_status_check CHECK (status IN ('queued', 'running', 'done', 'failed', 'cancelled')),
    CONSTRAINT notice_delivery_kind_check CHECK (kind IN ('app', 'webhook', 'email'))
);
CREATE INDEX notice_delivery_notice ON notice_delivery (notice_id);
CREATE INDEX notice_delivery_open ON notice_delivery (try_at) WHERE status IN ('queued', 'running');
"""


def upgrade() -> None:
    op.execute(TABLES)


def downgrade() -> None:
    raise RuntimeError("What people were told is never taken down: restore a backup instead")
