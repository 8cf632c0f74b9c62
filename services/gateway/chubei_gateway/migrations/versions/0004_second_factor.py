"""Second factors, recovery codes, break-glass; what a session was opened with."""

from alembic import op

revision = "0004_second_factor"
down_revision = "0003_links"

SESSIONS = """
ALTER TABLE sessions ADD COLUMN device text NOT NULL DEFAULT '-';
ALTER TABLE sessions ADD COLUMN break_glass boolean NOT NULL DEFAULT false;
"""

SECOND_FACTOR = """
CREATE TABLE second_factor (
    username text CONSTRAINT second_factor_pkey PRIMARY KEY
        CONSTRAINT second_factor_username_fkey REFERENCES users (username),
    sealed_secret bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    confirmed_at timestamptz,
    last_step bigint
);
CREATE TABLE recovery_code (
    username text NOT NULL
        CONSTRAINT recovery_code_username_fkey REFERENCES second_factor (username) ON DELETE CASCADE,
    digest bytea NOT NULL,
    used_at timestamptz,
    CONSTRAINT recovery_code_pkey PRIMARY KEY (username, digest),
    CONSTRAINT recovery_code_digest CHECK (octet_length(digest) = 32)
);
"""

BREAK_GLASS = """
CREATE TABLE break_glass (
    id uuid CONSTRAINT break_glass_pkey PRIMARY KEY,
    username text NOT NULL CONSTRAINT break_glass_username_fkey REFERENCES users (username),
    reason text NOT NULL,
    witness text NOT NULL,
    address text NOT NULL,
    device text NOT NULL,
    at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL
);
CREATE INDEX break_glass_at ON break_glass (at);
CREATE TABLE break_glass_account (
    break_glass_id uuid NOT NULL CONSTRAINT break_glass_account_break_glass_id_fkey REFERENCES break_glass (id),
    by text NOT NULL CONSTRAINT break_glass_account_by_fkey REFERENCES users (username),
    at timestamptz NOT NULL DEFAULT now(),
    words text NOT NULL,
    CONSTRAINT break_glass_account_pkey PRIMARY KEY (break_glass_id, by)
);
"""


def upgrade() -> None:
    op.execute(SESSIONS)
    op.execute(SECOND_FACTOR)
    op.execute(BREAK_GLASS)
