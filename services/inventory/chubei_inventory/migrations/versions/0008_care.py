"""Care of stock: rules as data, since when stock is where it is, tasks with their steps, nightly runs.

Revision ID: 0008_care
"""

from alembic import op

revision = "0008_care"
down_revision = "0007_declarations"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE care_rule (
    kind text PRIMARY KEY CHECK (kind IN ('expiry', 'rotation', 'test', 'restack', 'check', 'replenish', 'recall')),
    months integer NOT NULL CHECK (months >= 0),
    ahead_days integer NOT NULL CHECK (ahead_days >= 0),
    repeat_days integer NOT NULL CHECK (repeat_days >= 0),
    duty_people integer CHECK (duty_people > 0),
    provenance jsonb NOT NULL,
    CONSTRAINT care_rule_people CHECK ((kind = 'replenish') = (duty_people IS NOT NULL))
);
INSERT INTO care_rule VALUES
    ('expiry', 0, 90, 30, NULL, '{"certainty": "invented", "source": "a warning 90 days before, asked again monthly"}'),
    ('rotation', 6, 30, 30, NULL, '{"certainty": "estimated", "source": "half a year of life left for those who take the goods into trade"}'),
    ('test', 36, 60, 0, NULL, '{"certainty": "verified", "source": "DB11/T 2010-2022: quality test of stock of 3 years and more"}'),
    ('restack', 12, 30, 0, NULL, '{"certainty": "verified", "source": "DB11/T 2010-2022: stock of more than 1 year is stacked anew"}'),
    ('check', 1, 7, 0, NULL, '{"certainty": "verified", "source": "DB11/T 2010-2022 chapter 6: fire check monthly"}'),
    ('replenish', 0, 0, 30, 11063, '{"certainty": "verified", "source": "1 % of 1,106,214 residents (Xicheng, census 2020)"}'),
    ('recall', 0, 0, 7, NULL, '{"certainty": "invented", "source": "asked again weekly while recalled goods are on hand"}');

CREATE TABLE care_stock (
    account text NOT NULL REFERENCES place,
    lot_id uuid NOT NULL REFERENCES lot,
    came_on date NOT NULL,
    PRIMARY KEY (account, lot_id)
);
CREATE INDEX care_stock_came ON care_stock (came_on);

CREATE TABLE care_task (
    id uuid PRIMARY KEY,
    kind text NOT NULL REFERENCES care_rule,
    subject text NOT NULL,
    place_id text REFERENCES place,
    account text REFERENCES place,
    item_code text REFERENCES item,
    lot_id uuid REFERENCES lot,
    reserve_id text REFERENCES reserve,
    units bigint NOT NULL,
    due_on date NOT NULL,
    role text NOT NULL CHECK (role IN ('clerk', 'commander')),
    state text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'acknowledged', 'done', 'lapsed')),
    opened_on date NOT NULL,
    done_on date,
    CONSTRAINT care_task_done_whole CHECK ((state = 'done') = (done_on IS NOT NULL))
);
CREATE UNIQUE INDEX care_task_once ON care_task (kind, subject) WHERE state IN ('open', 'acknowledged');
CREATE INDEX care_task_done ON care_task (kind, subject, done_on) WHERE state = 'done';
CREATE INDEX care_task_due ON care_task (due_on, id);
CREATE INDEX care_task_place ON care_task (place_id, due_on, id);

CREATE TABLE care_step (
    id uuid PRIMARY KEY,
    body_hash bytea NOT NULL,
    task_id uuid NOT NULL REFERENCES care_task,
    seq integer NOT NULL CHECK (seq > 0),
    state text NOT NULL CHECK (state IN ('acknowledged', 'done', 'lapsed')),
    happened_at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT now(),
    recorded_by text NOT NULL,
    note text NOT NULL,
    movement_id uuid REFERENCES movement (id),
    CONSTRAINT care_step_order UNIQUE (task_id, seq)
);

CREATE TABLE care_run (
    on_day date PRIMARY KEY,
    ran_at timestamptz NOT NULL,
    horizon bigint NOT NULL,
    opened jsonb NOT NULL,
    lapsed jsonb NOT NULL
);

CREATE INDEX lot_expires ON lot (expires_on) WHERE reserve_id IS NULL;
CREATE INDEX lot_made ON lot (made_on) WHERE reserve_id IS NULL;
CREATE INDEX movement_tested ON movement (seq) WHERE kind = 'tested';
"""

TRIGGERS = """
CREATE TRIGGER care_step_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON care_step
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change('a task goes on by steps, and is never edited');
CREATE TRIGGER care_task_kept BEFORE DELETE OR TRUNCATE ON care_task
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change('a task is done or lapses, it is not deleted');
CREATE TRIGGER care_task_fixed BEFORE UPDATE OF id, kind, subject, place_id, lot_id, due_on, opened_on ON care_task
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change('only its state changes');
CREATE TRIGGER care_task_allowed BEFORE UPDATE OF state ON care_task
    FOR EACH ROW WHEN (NOT CASE OLD.state
        WHEN 'open' THEN NEW.state IN ('acknowledged', 'done', 'lapsed')
        WHEN 'acknowledged' THEN NEW.state IN ('done', 'lapsed')
        ELSE false END)
    EXECUTE FUNCTION refuse_change('its state does not allow this move');
"""


def upgrade() -> None:
    op.execute(TABLES)
    op.execute(TRIGGERS)


def downgrade() -> None:
    raise RuntimeError("The ledger is never taken down: restore a backup instead")
