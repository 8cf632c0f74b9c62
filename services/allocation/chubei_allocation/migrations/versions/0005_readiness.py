"""Checks of readiness, their parts, what they are judged by, and their alarms."""

from alembic import op

revision = "0005_readiness"
down_revision = "0004_notices"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE readiness_run (
    id uuid CONSTRAINT readiness_run_pkey PRIMARY KEY,
    night date NOT NULL,
    reason text NOT NULL CONSTRAINT readiness_run_reason_check CHECK (reason IN ('nightly', 'asked', 'changed')),
    asked_by text NOT NULL,
    body jsonb NOT NULL,
    draws integer NOT NULL,
    stage integer NOT NULL,
    woken_at timestamptz NOT NULL,
    settings jsonb NOT NULL,
    inputs jsonb,
    result jsonb,
    summary jsonb,
    status text NOT NULL CONSTRAINT readiness_run_status_check CHECK (status IN ('queued', 'running', 'done', 'failed')),
    fence bigint NOT NULL,
    lease_until timestamptz,
    attempts integer NOT NULL,
    error text,
    created_at timestamptz NOT NULL,
    finished_at timestamptz,
    CONSTRAINT readiness_run_result_check CHECK (status <> 'done' OR result IS NOT NULL)
);
CREATE UNIQUE INDEX readiness_run_nightly ON readiness_run (night) WHERE reason = 'nightly';
CREATE INDEX readiness_run_open ON readiness_run (created_at) WHERE status IN ('queued', 'running');
CREATE INDEX readiness_run_latest ON readiness_run (created_at, id);

CREATE TABLE readiness_part (
    run_id uuid NOT NULL CONSTRAINT readiness_part_run_id_fkey REFERENCES readiness_run,
    key text NOT NULL,
    kind text NOT NULL CONSTRAINT readiness_part_kind_check CHECK (kind IN ('base', 'whole', 'loss', 'draw', 'date')),
    standing_id text NOT NULL,
    stage integer NOT NULL,
    spec jsonb NOT NULL,
    status text NOT NULL CONSTRAINT readiness_part_status_check CHECK (status IN ('queued', 'running', 'done', 'failed')),
    claim uuid,
    lease_until timestamptz,
    attempts integer NOT NULL,
    outcome jsonb,
    error text,
    CONSTRAINT readiness_part_pkey PRIMARY KEY (run_id, key)
);
CREATE INDEX readiness_part_open ON readiness_part (run_id, stage) WHERE status IN ('queued', 'running');

CREATE TABLE readiness_settings (
    edition bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT readiness_settings_pkey PRIMARY KEY,
    changed_at timestamptz NOT NULL,
    changed_by text NOT NULL,
    body jsonb NOT NULL
);

CREATE TABLE readiness_alarm (
    id uuid CONSTRAINT readiness_alarm_pkey PRIMARY KEY,
    dedup_key text NOT NULL CONSTRAINT readiness_alarm_dedup_key_key UNIQUE,
    kind text NOT NULL CONSTRAINT readiness_alarm_kind_check CHECK (kind IN ('below_target', 'date_near', 'no_result')),
    night date NOT NULL,
    post text NOT NULL,
    zh text NOT NULL,
    en text NOT NULL,
    raised_at timestamptz NOT NULL
);
CREATE INDEX readiness_alarm_latest ON readiness_alarm (raised_at, id);
"""


def upgrade() -> None:
    op.execute(TABLES)


def downgrade() -> None:
    raise RuntimeError("What was found ready is never taken down: restore a backup instead")
