"""Links for people without an account."""

from alembic import op

revision = "0003_links"
down_revision = "0002_seals"

LINK = """
CREATE TABLE link (
    id uuid CONSTRAINT link_pkey PRIMARY KEY,
    purpose text NOT NULL,
    subject text[] NOT NULL,
    holder_name text NOT NULL,
    phone text,
    secret_hash bytea NOT NULL,
    code_hash bytea NOT NULL,
    created_by text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    first_used_at timestamptz,
    last_used_at timestamptz,
    revoked_at timestamptz,
    CONSTRAINT link_hashes CHECK (octet_length(secret_hash) = 32 AND octet_length(code_hash) = 32),
    CONSTRAINT link_subject CHECK (cardinality(subject) > 0)
);
CREATE UNIQUE INDEX link_secret ON link (secret_hash);
CREATE UNIQUE INDEX link_code ON link (code_hash);
CREATE INDEX link_created ON link (created_at, id);
CREATE INDEX link_of ON link USING gin (subject);
CREATE INDEX link_revoked ON link (revoked_at) WHERE revoked_at IS NOT NULL;
"""


def upgrade() -> None:
    op.execute(LINK)
