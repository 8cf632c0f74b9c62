"""Posts, who held them from when, and the secrets of their webhooks."""

from alembic import op

revision = "0003_posts"
down_revision = "0002_audit"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE post (
    id text CONSTRAINT post_pkey PRIMARY KEY,
    name_zh text NOT NULL,
    name_en text NOT NULL,
    holder text,
    deputy text,
    escalates_to text CONSTRAINT post_escalates_to_fkey REFERENCES post,
    tier text,
    channels jsonb NOT NULL,
    provenance jsonb NOT NULL,
    CONSTRAINT post_above_check CHECK (escalates_to <> id)
);
CREATE INDEX post_holder ON post (holder);
CREATE INDEX post_deputy ON post (deputy);

CREATE TABLE post_holding (
    serial bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT post_holding_pkey PRIMARY KEY,
    post_id text NOT NULL CONSTRAINT post_holding_post_id_fkey REFERENCES post,
    holder text,
    deputy text,
    from_at timestamptz NOT NULL,
    recorded_by text NOT NULL
);
CREATE INDEX post_holding_post ON post_holding (post_id, serial);
CREATE TRIGGER post_holding_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON post_holding
    FOR EACH STATEMENT EXECUTE FUNCTION audit_append_only();

CREATE TABLE webhook_secret (
    post_id text NOT NULL CONSTRAINT webhook_secret_post_id_fkey REFERENCES post,
    url text NOT NULL,
    secret text NOT NULL,
    made_at timestamptz NOT NULL,
    CONSTRAINT webhook_secret_pkey PRIMARY KEY (post_id, url)
);
"""


def upgrade() -> None:
    op.execute(TABLES)


def downgrade() -> None:
    raise RuntimeError("Who held a post is never taken down: restore a backup instead")
