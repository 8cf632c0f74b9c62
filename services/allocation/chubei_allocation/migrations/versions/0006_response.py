"""The response plan by version, tasks given to posts, and what was done with them."""

from alembic import op

revision = "0006_response"
down_revision = "0005_readiness"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE response_plan (
    version integer CONSTRAINT response_plan_pkey PRIMARY KEY,
    document jsonb NOT NULL,
    put_at timestamptz NOT NULL,
    put_by text NOT NULL
);
CREATE TRIGGER response_plan_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON response_plan
    FOR EACH STATEMENT EXECUTE FUNCTION audit_append_only();

CREATE TABLE response_opening (
    incident_id uuid NOT NULL CONSTRAINT response_opening_incident_id_fkey REFERENCES incident,
    level integer NOT NULL,
    plan_version integer NOT NULL CONSTRAINT response_opening_plan_version_fkey REFERENCES response_plan,
    opened_at timestamptz NOT NULL,
    CONSTRAINT response_opening_pkey PRIMARY KEY (incident_id, level)
);

CREATE TABLE response_task (
    id uuid CONSTRAINT response_task_pkey PRIMARY KEY,
    incident_id uuid NOT NULL CONSTRAINT response_task_incident_id_fkey REFERENCES incident,
    duty_id text NOT NULL,
    plan_version integer NOT NULL CONSTRAINT response_task_plan_version_fkey REFERENCES response_plan,
    stage text NOT NULL,
    to_post text NOT NULL CONSTRAINT response_task_to_post_fkey REFERENCES post,
    zh text NOT NULL,
    en text NOT NULL,
    tier text,
    state text NOT NULL,
    opened_at timestamptz NOT NULL,
    due_at timestamptz NOT NULL,
    ack_within_min integer NOT NULL,
    asked jsonb NOT NULL,
    asked_at timestamptz,
    CONSTRAINT response_task_state_check CHECK (state IN ('open', 'acknowledged', 'done', 'dropped')),
    CONSTRAINT response_task_incident_id_key UNIQUE (incident_id, duty_id)
);
CREATE INDEX response_task_latest ON response_task (opened_at, id);
CREATE INDEX response_task_unanswered ON response_task (asked_at) WHERE state = 'open' AND asked_at IS NOT NULL;

CREATE TABLE response_step (
    id uuid CONSTRAINT response_step_pkey PRIMARY KEY,
    serial bigint GENERATED ALWAYS AS IDENTITY,
    task_id uuid NOT NULL CONSTRAINT response_step_task_id_fkey REFERENCES response_task,
    move text NOT NULL,
    state text NOT NULL,
    to_post text,
    reason text,
    at timestamptz NOT NULL,
    by text NOT NULL,
    CONSTRAINT response_step_move_check CHECK (move IN ('acknowledge', 'complete', 'drop', 'reassign', 'escalate'))
);
CREATE INDEX response_step_task ON response_step (task_id, serial);
CREATE TRIGGER response_step_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON response_step
    FOR EACH STATEMENT EXECUTE FUNCTION audit_append_only();
"""


def upgrade() -> None:
    op.execute(TABLES)


def downgrade() -> None:
    raise RuntimeError("Who was asked to do what is never taken down: restore a backup instead")
