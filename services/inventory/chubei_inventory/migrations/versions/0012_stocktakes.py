"""Stocktakes: what is counted, counts, differences, who approved, and what came to light later.

Revision ID: 0012_stocktakes
"""

from alembic import op

revision = "0012_stocktakes"
down_revision = "0011_imports"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE stocktake_rule (id text PRIMARY KEY CHECK (id = 'default'), threshold jsonb NOT NULL);
INSERT INTO stocktake_rule VALUES ('default', '{"units": null, "pct": 2, "value_fen": 100000,
    "provenance": {"certainty": "invented", "source": "2 % or 1,000 yuan"}}');

CREATE TABLE stocktake (
    id uuid PRIMARY KEY,
    seq bigint GENERATED ALWAYS AS IDENTITY,
    body_hash bytea NOT NULL,
    body jsonb NOT NULL,
    place_id text NOT NULL REFERENCES place,
    threshold jsonb NOT NULL,
    state text NOT NULL DEFAULT 'counting' CHECK (state IN ('counting', 'review', 'posted', 'cancelled')),
    opened_at timestamptz NOT NULL,
    opened_by text NOT NULL,
    closed_at timestamptz,
    closed_by text,
    movement_id uuid REFERENCES movement (id),
    lines_counted integer,
    lines_right integer,
    in_dispute boolean NOT NULL DEFAULT false,
    CONSTRAINT stocktake_seq UNIQUE (seq),
    CONSTRAINT stocktake_closed_whole CHECK ((state IN ('posted', 'cancelled')) = (num_nulls(closed_at, closed_by) = 0)
        AND (state = 'posted') = (num_nulls(lines_counted, lines_right) = 0)
        AND (state = 'posted' OR movement_id IS NULL)),
    CONSTRAINT stocktake_two_people CHECK (state <> 'posted' OR closed_by <> opened_by)
);
CREATE INDEX stocktake_place ON stocktake (place_id, seq);

CREATE TABLE stocktake_count (
    id uuid PRIMARY KEY,
    body_hash bytea NOT NULL,
    stocktake_id uuid NOT NULL REFERENCES stocktake,
    account text NOT NULL,
    item_code text NOT NULL,
    lot_id uuid NOT NULL REFERENCES lot,
    units bigint NOT NULL CHECK (units >= 0),
    counted_at timestamptz NOT NULL,
    counted_by text NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT now(),
    note text NOT NULL,
    hindrance text
);
CREATE INDEX stocktake_count_line ON stocktake_count (stocktake_id, account, lot_id);

CREATE TABLE stocktake_line (
    stocktake_id uuid NOT NULL REFERENCES stocktake,
    account text NOT NULL,
    lot_id uuid NOT NULL REFERENCES lot,
    item_code text NOT NULL,
    added boolean NOT NULL,
    is_open boolean NOT NULL DEFAULT true,
    count_id uuid REFERENCES stocktake_count,
    difference bigint,
    PRIMARY KEY (stocktake_id, account, lot_id),
    CONSTRAINT stocktake_line_judged CHECK ((count_id IS NULL) = (difference IS NULL) AND NOT (is_open AND count_id IS NOT NULL))
);
CREATE UNIQUE INDEX stocktake_line_open ON stocktake_line (account, lot_id) WHERE is_open;
CREATE INDEX stocktake_line_posted ON stocktake_line (lot_id) WHERE count_id IS NOT NULL;

CREATE TABLE stocktake_step (
    id uuid PRIMARY KEY,
    body_hash bytea NOT NULL,
    stocktake_id uuid NOT NULL REFERENCES stocktake,
    seq integer NOT NULL CHECK (seq > 0),
    state text NOT NULL CHECK (state IN ('counting', 'review', 'posted', 'cancelled')),
    recorded_at timestamptz NOT NULL DEFAULT now(),
    recorded_by text NOT NULL,
    note text NOT NULL,
    CONSTRAINT stocktake_step_order UNIQUE (stocktake_id, seq)
);

CREATE TABLE stocktake_doubt (
    stocktake_id uuid NOT NULL REFERENCES stocktake,
    account text NOT NULL,
    lot_id uuid NOT NULL,
    difference bigint NOT NULL,
    noticed_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (stocktake_id, account, lot_id, difference)
);

CREATE TABLE stocktake_watch (id text PRIMARY KEY CHECK (id = 'late'), horizon bigint NOT NULL);
INSERT INTO stocktake_watch VALUES ('late', pg_snapshot_xmin(pg_current_snapshot())::text::bigint);
"""

TRIGGERS = """
CREATE TRIGGER stocktake_count_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON stocktake_count
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change('a count is followed by another, never edited');
CREATE TRIGGER stocktake_step_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON stocktake_step
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change('a stocktake goes on by steps, and is never edited');
CREATE TRIGGER stocktake_doubt_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON stocktake_doubt
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change('what was noticed stays');
CREATE TRIGGER stocktake_kept BEFORE DELETE OR TRUNCATE ON stocktake
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change('a stocktake is cancelled, not deleted');
CREATE TRIGGER stocktake_line_kept BEFORE DELETE OR TRUNCATE ON stocktake_line
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change('a stocktake is cancelled, not deleted');
CREATE TRIGGER stocktake_fixed BEFORE UPDATE OF id, body_hash, body, place_id, threshold, opened_at, opened_by ON stocktake
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change('only its state changes');
CREATE TRIGGER stocktake_closed BEFORE UPDATE ON stocktake
    FOR EACH ROW WHEN (OLD.state IN ('posted', 'cancelled')) EXECUTE FUNCTION refuse_change('it is closed');
CREATE TRIGGER stocktake_allowed BEFORE UPDATE OF state ON stocktake
    FOR EACH ROW WHEN (NOT CASE OLD.state
        WHEN 'counting' THEN NEW.state IN ('review', 'cancelled')
        WHEN 'review' THEN NEW.state IN ('counting', 'posted', 'cancelled')
        ELSE false END)
    EXECUTE FUNCTION refuse_change('its state does not allow this move');
CREATE TRIGGER stocktake_line_closed BEFORE UPDATE ON stocktake_line
    FOR EACH ROW WHEN (NOT OLD.is_open) EXECUTE FUNCTION refuse_change('its stocktake is closed');

-- Nothing is counted any more once a stocktake is closed; what comes in too late is kept with what hinders it.

CREATE FUNCTION count_while_open() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.hindrance IS NULL
       AND NOT EXISTS (SELECT FROM stocktake WHERE id = NEW.stocktake_id AND state IN ('counting', 'review')) THEN
        RAISE EXCEPTION 'stocktake %: it is closed', NEW.stocktake_id
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'stocktake_count_while_open';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER stocktake_count_while_open BEFORE INSERT ON stocktake_count
    FOR EACH ROW EXECUTE FUNCTION count_while_open();
"""


def upgrade() -> None:
    op.execute(TABLES)
    op.execute(TRIGGERS)


def downgrade() -> None:
    raise RuntimeError("The ledger is never taken down: restore a backup instead")
