"""Reserves that are not on a shelf: money in fen, price rules, contacts, funds, verifications, call-offs.

Revision ID: 0003_reserves
"""

from alembic import op

revision = "0003_reserves"
down_revision = "0002_movements"
branch_labels = None
depends_on = None

MONEY_IN_FEN = """
ALTER TABLE reserve DROP CONSTRAINT reserve_of_its_mode;
ALTER TABLE reserve RENAME COLUMN unit_price_cny TO unit_price_fen;
ALTER TABLE reserve RENAME COLUMN budget_cny TO budget_fen;
ALTER TABLE reserve ALTER COLUMN budget_fen TYPE bigint;
UPDATE reserve SET unit_price_fen = unit_price_fen * 100, budget_fen = budget_fen * 100;
"""

TABLES = """
CREATE TABLE fund_account (
    id text PRIMARY KEY,
    name_zh text NOT NULL,
    name_en text NOT NULL,
    budget_fen bigint NOT NULL CHECK (budget_fen >= 0),
    provenance jsonb NOT NULL
);

ALTER TABLE reserve ADD COLUMN contacts jsonb NOT NULL DEFAULT '[]';
UPDATE reserve SET contacts = jsonb_build_array(jsonb_build_object('name', left(contact, 200), 'phone', NULL, 'post', ''))
    WHERE btrim(contact) <> '';
ALTER TABLE reserve DROP COLUMN contact;
ALTER TABLE reserve ADD COLUMN price_rule text NOT NULL DEFAULT 'fixed'
    CHECK (price_rule IN ('fixed', 'capped', 'market'));
UPDATE reserve SET price_rule = 'market' WHERE mode = 'fund';
ALTER TABLE reserve ADD COLUMN account_id text REFERENCES fund_account;
ALTER TABLE reserve ADD COLUMN ramp_min integer;
UPDATE reserve SET ramp_min = 0 WHERE mode = 'capacity';
ALTER TABLE reserve ADD CONSTRAINT reserve_of_its_mode CHECK (
    CASE mode
        WHEN 'contract' THEN num_nulls(lead_min, floor_stock) = 0
                             AND num_nonnulls(conversion_min, ramp_min, rate_per_hour, approval_min, delivery_min) = 0
        WHEN 'capacity' THEN num_nulls(conversion_min, ramp_min, rate_per_hour) = 0
                             AND num_nonnulls(lead_min, approval_min, delivery_min) = 0
        WHEN 'fund' THEN num_nulls(budget_fen, approval_min, delivery_min) = 0
                         AND num_nonnulls(lead_min, conversion_min, ramp_min, rate_per_hour) = 0
                         AND quantity = budget_fen / unit_price_fen
        ELSE false
    END);
CREATE INDEX reserve_account ON reserve (account_id) WHERE account_id IS NOT NULL;

CREATE TABLE verification (
    id uuid PRIMARY KEY,
    body_hash bytea NOT NULL,
    reserve_id text NOT NULL REFERENCES reserve,
    kind text NOT NULL,
    happened_at timestamptz NOT NULL,
    promised_units bigint CHECK (promised_units > 0),
    measured_units bigint CHECK (measured_units >= 0),
    promised_min integer CHECK (promised_min >= 0),
    measured_min integer CHECK (measured_min >= 0),
    note text NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT now(),
    recorded_by text NOT NULL,
    CONSTRAINT verification_measured CHECK (
        CASE kind
            WHEN 'call' THEN num_nonnulls(promised_units, measured_units, promised_min, measured_min) = 0
            WHEN 'visit' THEN num_nulls(promised_units, measured_units) = 0
                              AND num_nonnulls(promised_min, measured_min) = 0
            WHEN 'drill' THEN num_nulls(promised_units, measured_units, promised_min, measured_min) = 0
            ELSE false
        END)
);
CREATE INDEX verification_reserve ON verification (reserve_id, happened_at, id);

CREATE TABLE call_off (
    id uuid PRIMARY KEY,
    body_hash bytea NOT NULL,
    reserve_id text NOT NULL REFERENCES reserve,
    hold_id uuid NOT NULL REFERENCES hold,
    quantity bigint NOT NULL CHECK (quantity > 0),
    ordered_at timestamptz NOT NULL,
    confirm_by timestamptz NOT NULL CHECK (confirm_by > ordered_at),
    due_at timestamptz NOT NULL CHECK (due_at >= ordered_at),
    voucher text NOT NULL
);
CREATE INDEX call_off_reserve ON call_off (reserve_id, ordered_at, id);
CREATE INDEX call_off_hold ON call_off (hold_id);
CREATE INDEX call_off_ordered ON call_off (ordered_at, id);

CREATE TABLE call_off_step (
    id uuid PRIMARY KEY,
    body_hash bytea NOT NULL,
    call_off_id uuid NOT NULL REFERENCES call_off,
    seq integer NOT NULL CHECK (seq > 0),
    state text NOT NULL,
    happened_at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT now(),
    recorded_by text NOT NULL,
    quantity bigint NOT NULL,
    ready_at timestamptz,
    amount_fen bigint NOT NULL CHECK (amount_fen >= 0),
    told_by text,
    note text NOT NULL,
    CONSTRAINT call_off_step_order UNIQUE (call_off_id, seq),
    CONSTRAINT call_off_step_state CHECK (
        CASE WHEN state IN ('ordered', 'confirmed', 'ready', 'collected') THEN quantity > 0
             WHEN state IN ('failed', 'withdrawn') THEN quantity = 0 AND amount_fen = 0
             ELSE false
        END AND (seq = 1) = (state = 'ordered'))
);
"""

TRIGGERS = """
CREATE TRIGGER verification_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON verification
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change('a check is followed by another, never edited');
CREATE TRIGGER call_off_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON call_off
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change('a call-off goes on by steps, and is never edited');
CREATE TRIGGER call_off_step_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON call_off_step
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change('a call-off goes on by steps, and is never edited');

-- A step follows the one before it, by a move that its state allows, and never counts more.

CREATE FUNCTION follow_step() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    before call_off_step;
BEGIN
    SELECT * INTO before FROM call_off_step WHERE call_off_id = NEW.call_off_id AND seq = NEW.seq - 1;
    IF NEW.seq > 1 AND (before.seq IS NULL OR NEW.quantity > before.quantity OR NOT CASE before.state
            WHEN 'ordered' THEN NEW.state IN ('confirmed', 'failed', 'withdrawn')
            WHEN 'confirmed' THEN NEW.state IN ('confirmed', 'ready', 'failed', 'withdrawn')
            WHEN 'ready' THEN NEW.state IN ('collected', 'failed')
            ELSE false END) THEN
        RAISE EXCEPTION 'call-off %: % (%) can not follow % (%)', NEW.call_off_id, NEW.state, NEW.quantity,
            before.state, before.quantity USING ERRCODE = 'check_violation', CONSTRAINT = 'call_off_step_allowed';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER call_off_step_allowed BEFORE INSERT ON call_off_step FOR EACH ROW EXECUTE FUNCTION follow_step();
"""


def upgrade() -> None:
    op.execute(MONEY_IN_FEN)
    op.execute(TABLES)
    op.execute(TRIGGERS)


def downgrade() -> None:
    raise RuntimeError("The ledger is never taken down: restore a backup instead")
