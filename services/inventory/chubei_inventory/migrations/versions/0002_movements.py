"""Movements of every kind: states of stock, owners, loans, recalls, and what is parked for review.

Goods that leave the shelf without leaving the place stand on an account of their own (kind 'state'): sealed:…,
testing:…, lent:…, module:…. What was reported to have gone out, though the books had it not, stands on
disputed:… (kind 'outside': it may be below zero).

Revision ID: 0002_movements
"""

from alembic import op

revision = "0002_movements"
down_revision = "0001"
branch_labels = None
depends_on = None

TABLES = """
ALTER TABLE place DROP CONSTRAINT place_kind_check;
ALTER TABLE place ADD CONSTRAINT place_kind_check CHECK (kind IN (
    'store', 'special', 'street', 'donation', 'supplier', 'maker', 'point', 'transit', 'outside', 'state'));
ALTER TABLE place ADD COLUMN parent_id text REFERENCES place;
ALTER TABLE place ADD COLUMN state text NOT NULL DEFAULT 'shelf' CHECK (state IN (
    'shelf', 'transit', 'outside', 'sealed', 'testing', 'lent', 'module', 'disputed'));
ALTER TABLE place ADD CONSTRAINT place_state_of_kind CHECK (
    CASE kind WHEN 'state' THEN state IN ('sealed', 'testing', 'lent', 'module') AND parent_id IS NOT NULL
              WHEN 'outside' THEN state IN ('outside', 'disputed')
              WHEN 'transit' THEN state = 'transit'
              ELSE state = 'shelf' END) NOT VALID;
UPDATE place SET state = kind WHERE kind IN ('transit', 'outside');
ALTER TABLE place VALIDATE CONSTRAINT place_state_of_kind;
CREATE INDEX place_parent ON place (parent_id) WHERE parent_id IS NOT NULL;

ALTER TABLE lot ADD COLUMN owner text NOT NULL DEFAULT 'district'
    CHECK (owner IN ('district', 'superior', 'street', 'donor', 'social'));
ALTER TABLE lot DROP CONSTRAINT lot_identity;
ALTER TABLE lot ADD CONSTRAINT lot_identity
    UNIQUE NULLS NOT DISTINCT (item_code, maker, lot_no, made_on, expires_on, owner, reserve_id);

ALTER TABLE movement DROP CONSTRAINT movement_kind_check;
ALTER TABLE movement ADD CONSTRAINT movement_kind_check CHECK (kind IN (
    'receive', 'issue', 'deliver', 'transfer', 'send', 'arrive', 'adjust', 'seal', 'release', 'test', 'tested',
    'return', 'scrap', 'pack', 'unpack', 'move_module', 'settle', 'reverse'));
ALTER TABLE movement ADD COLUMN approved_by text;
ALTER TABLE movement ADD CONSTRAINT movement_scrap_approved CHECK (
    kind <> 'scrap' OR (approved_by IS NOT NULL AND approved_by <> recorded_by));
ALTER TABLE movement ADD COLUMN details jsonb NOT NULL DEFAULT '{}';
CREATE INDEX movement_occurred ON movement (occurred_at);
CREATE INDEX movement_xact ON movement (xact);

CREATE INDEX balance_disputed ON balance (lot_id, place_id) WHERE place_id LIKE 'disputed:%';

CREATE TABLE return_rule (
    item_code text PRIMARY KEY REFERENCES item,
    within_months integer CHECK (within_months > 0),
    source text NOT NULL
);

CREATE TABLE recall (
    id uuid PRIMARY KEY,
    body_hash bytea NOT NULL,
    item_code text REFERENCES item,
    maker text NOT NULL,
    lot_no text,
    occurred_at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT now(),
    recorded_by text NOT NULL,
    voucher text NOT NULL,
    reason text NOT NULL,
    lifted_at timestamptz,
    lifted_by text,
    lifted_reason text,
    CONSTRAINT recall_lifted_whole CHECK (num_nulls(lifted_at, lifted_by, lifted_reason) IN (0, 3))
);
CREATE INDEX recall_open ON recall (maker) WHERE lifted_at IS NULL;

CREATE TABLE lot_change (
    seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    lot_id uuid NOT NULL REFERENCES lot,
    quality text NOT NULL CHECK (quality IN ('ok', 'sealed', 'recalled', 'test_due')),
    reason text NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT now(),
    recorded_by text NOT NULL,
    recall_id uuid REFERENCES recall,
    movement_id uuid,
    xact bigint NOT NULL DEFAULT pg_current_xact_id()::text::bigint
);
CREATE INDEX lot_change_lot ON lot_change (lot_id, seq);
CREATE INDEX lot_change_xact ON lot_change (xact);

CREATE TABLE parked (
    id uuid NOT NULL,
    body_hash bytea NOT NULL,
    seq bigint GENERATED ALWAYS AS IDENTITY,
    body text NOT NULL,
    place_id text NOT NULL,
    reason text NOT NULL,
    detail text NOT NULL,
    detail_en text NOT NULL,
    waits_for text[] NOT NULL DEFAULT '{}',
    status text NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'booked', 'accepted', 'rejected')),
    sent_by text NOT NULL,
    received_at timestamptz NOT NULL DEFAULT now(),
    settled_at timestamptz,
    settled_by text,
    settled_reason text,
    settled_as uuid REFERENCES movement (id),
    xact bigint NOT NULL DEFAULT pg_current_xact_id()::text::bigint,
    PRIMARY KEY (id, body_hash),
    CONSTRAINT parked_seq UNIQUE (seq),
    CONSTRAINT parked_settled_whole CHECK ((status = 'open') = (settled_at IS NULL)
        AND (settled_at IS NULL) = (settled_by IS NULL)
        AND (status IN ('booked', 'accepted')) = (settled_as IS NOT NULL))
);
CREATE INDEX parked_open ON parked (place_id, seq) WHERE status = 'open';
CREATE INDEX parked_waits ON parked USING gin (waits_for) WHERE status = 'open';
CREATE INDEX parked_xact ON parked (place_id, xact);
"""

TRIGGERS = """
CREATE TRIGGER lot_change_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON lot_change
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change('a lot is changed again, not otherwise in the past');

-- A lot's quality is what its last change says; a lot that comes in while it is recalled is born recalled.

CREATE FUNCTION apply_lot_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE lot SET quality = NEW.quality WHERE id = NEW.lot_id;
    RETURN NULL;
END $$;
CREATE TRIGGER lot_change_applied AFTER INSERT ON lot_change FOR EACH ROW EXECUTE FUNCTION apply_lot_change();

CREATE FUNCTION recall_at_birth() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO lot_change (lot_id, quality, reason, recorded_by, recall_id)
    SELECT NEW.id, 'recalled', r.reason, r.recorded_by, r.id FROM recall r
    WHERE r.lifted_at IS NULL AND r.maker = NEW.maker
      AND coalesce(r.lot_no, NEW.lot_no) = NEW.lot_no AND coalesce(r.item_code, NEW.item_code) = NEW.item_code
    ORDER BY r.recorded_at, r.id LIMIT 1;
    RETURN NULL;
END $$;
CREATE TRIGGER lot_born_recalled AFTER INSERT ON lot
    FOR EACH ROW WHEN (NEW.reserve_id IS NULL) EXECUTE FUNCTION recall_at_birth();

-- What was parked is settled once and never lost; its number of change lets a phone ask what is new.

CREATE TRIGGER parked_kept BEFORE DELETE OR TRUNCATE ON parked
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change('a parked movement is settled, not deleted');
CREATE TRIGGER parked_fixed BEFORE UPDATE OF id, body_hash, body, sent_by, received_at ON parked
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change('only its settlement and its reason change');
CREATE TRIGGER parked_settled_once BEFORE UPDATE ON parked
    FOR EACH ROW WHEN (OLD.status <> 'open') EXECUTE FUNCTION refuse_change('it has been settled');

CREATE FUNCTION stamp_parked() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.xact := pg_current_xact_id()::text::bigint;
    RETURN NEW;
END $$;
CREATE TRIGGER parked_stamped BEFORE UPDATE ON parked FOR EACH ROW EXECUTE FUNCTION stamp_parked();

CREATE TRIGGER recall_kept BEFORE DELETE OR TRUNCATE ON recall
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change('a recall is lifted, not deleted');
"""


def upgrade() -> None:
    op.execute(TABLES)
    op.execute(TRIGGERS)


def downgrade() -> None:
    raise RuntimeError("The ledger is never taken down: restore a backup instead")
