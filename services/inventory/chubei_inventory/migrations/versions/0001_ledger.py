"""The ledger: catalogue, places, reserves, lots, movements, balances, holds.

The laws that no caller can break, buggy or not, are here: see TRIGGERS.

Revision ID: 0001
"""

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE item (
    code text PRIMARY KEY,
    name_zh text NOT NULL,
    name_en text NOT NULL,
    family text NOT NULL,
    unit_zh text NOT NULL,
    pack integer NOT NULL CHECK (pack > 0),
    weight_g integer NOT NULL CHECK (weight_g > 0),
    volume_cm3 integer NOT NULL CHECK (volume_cm3 > 0),
    shelf_life_months integer CHECK (shelf_life_months > 0),
    reserve_modes text[] NOT NULL,
    managing_body text NOT NULL,
    dispatch_authority text NOT NULL,
    ref_price_cny bigint CHECK (ref_price_cny >= 0),
    returnable boolean NOT NULL,
    provenance jsonb NOT NULL
);

CREATE TABLE kit (
    id text PRIMARY KEY,
    name_zh text NOT NULL,
    name_en text NOT NULL,
    provenance jsonb NOT NULL
);

CREATE TABLE kit_need (
    kit_id text NOT NULL REFERENCES kit,
    position integer NOT NULL,
    item_code text NOT NULL REFERENCES item,
    per_person numeric NOT NULL CHECK (per_person > 0),
    tier smallint NOT NULL CHECK (tier IN (1, 2)),
    group_id text,
    PRIMARY KEY (kit_id, position),
    CONSTRAINT kit_need_item_once UNIQUE (kit_id, item_code)
);

CREATE TABLE place (
    id text PRIMARY KEY,
    kind text NOT NULL CHECK (kind IN ('store', 'supplier', 'maker', 'point', 'transit', 'outside')),
    name_zh text NOT NULL,
    name_en text NOT NULL,
    zone text NOT NULL,
    lon double precision CHECK (lon BETWEEN -180 AND 180),
    lat double precision CHECK (lat BETWEEN -90 AND 90),
    provenance jsonb NOT NULL,
    outside boolean GENERATED ALWAYS AS (kind = 'outside'::text) STORED,
    CONSTRAINT place_id_outside UNIQUE (id, outside)
);

CREATE TABLE reserve (
    id text PRIMARY KEY,
    place_id text NOT NULL REFERENCES place,
    mode text NOT NULL,
    item_code text NOT NULL REFERENCES item,
    party text NOT NULL,
    contact text NOT NULL,
    valid_from date NOT NULL,
    valid_until date NOT NULL CHECK (valid_until >= valid_from),
    last_verified_on date,
    provenance jsonb NOT NULL,
    unit_price_cny bigint NOT NULL CHECK (unit_price_cny >= 0),
    lead_min integer,
    floor_stock bigint,
    conversion_min integer,
    rate_per_hour integer CHECK (rate_per_hour > 0),
    budget_cny integer,
    approval_min integer,
    delivery_min integer,
    quantity bigint NOT NULL CHECK (quantity > 0),
    held bigint NOT NULL DEFAULT 0,
    used bigint NOT NULL DEFAULT 0,
    CONSTRAINT reserve_not_overdrawn CHECK (held >= 0 AND used >= 0 AND held + used <= quantity),
    CONSTRAINT reserve_of_its_mode CHECK (
        CASE mode
            WHEN 'contract' THEN num_nulls(lead_min, floor_stock) = 0
            WHEN 'capacity' THEN num_nulls(conversion_min, rate_per_hour) = 0
            WHEN 'fund' THEN num_nulls(budget_cny, approval_min, delivery_min) = 0
                             AND quantity = budget_cny / unit_price_cny
            ELSE false
        END)
);
CREATE INDEX reserve_row ON reserve (place_id, item_code, mode);

CREATE TABLE lot (
    id uuid PRIMARY KEY,
    item_code text NOT NULL REFERENCES item,
    maker text NOT NULL,
    lot_no text NOT NULL,
    made_on date,
    expires_on date,
    quality text NOT NULL DEFAULT 'ok' CHECK (quality IN ('ok', 'sealed', 'recalled', 'test_due')),
    reserve_id text REFERENCES reserve,
    CHECK (expires_on >= made_on),
    CONSTRAINT lot_id_item UNIQUE (id, item_code),
    CONSTRAINT lot_reserve UNIQUE (reserve_id),
    CONSTRAINT lot_identity
        UNIQUE NULLS NOT DISTINCT (item_code, maker, lot_no, made_on, expires_on, reserve_id)
);

CREATE TABLE hold (
    id uuid PRIMARY KEY,
    body_hash bytea NOT NULL,
    purpose text NOT NULL,
    status text NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'issued', 'released', 'expired')),
    expires_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    created_by text NOT NULL,
    passed_over jsonb NOT NULL DEFAULT '[]'
);
CREATE INDEX hold_open ON hold (expires_at) WHERE status = 'open';
CREATE INDEX hold_purpose ON hold (purpose);

CREATE TABLE movement (
    seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id uuid NOT NULL,
    kind text NOT NULL CHECK (kind IN ('receive', 'issue', 'deliver', 'transfer', 'adjust', 'reverse')),
    place_id text NOT NULL REFERENCES place,
    body_hash bytea NOT NULL,
    occurred_at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT now(),
    recorded_by text NOT NULL,
    voucher text NOT NULL,
    reason text NOT NULL,
    order_id uuid,
    hold_id uuid REFERENCES hold,
    reverses_id uuid,
    xact bigint NOT NULL DEFAULT pg_current_xact_id()::text::bigint,
    CONSTRAINT movement_id_once UNIQUE (id),
    CONSTRAINT movement_reversed_once UNIQUE (reverses_id),
    FOREIGN KEY (reverses_id) REFERENCES movement (id),
    CHECK ((kind = 'reverse') = (reverses_id IS NOT NULL))
);
CREATE INDEX movement_order ON movement (order_id, seq) WHERE order_id IS NOT NULL;
CREATE INDEX movement_hold ON movement (hold_id) WHERE hold_id IS NOT NULL;

CREATE TABLE entry (
    movement_seq bigint NOT NULL REFERENCES movement,
    line_no integer NOT NULL,
    place_id text NOT NULL REFERENCES place,
    item_code text NOT NULL,
    lot_id uuid NOT NULL,
    quantity bigint NOT NULL CHECK (quantity <> 0),
    PRIMARY KEY (movement_seq, line_no),
    CONSTRAINT entry_lot FOREIGN KEY (lot_id, item_code) REFERENCES lot (id, item_code)
);
CREATE INDEX entry_place ON entry (place_id, movement_seq);
CREATE INDEX entry_item ON entry (item_code, movement_seq);
CREATE INDEX entry_card ON entry (place_id, item_code, movement_seq);

CREATE TABLE balance (
    place_id text NOT NULL,
    item_code text NOT NULL,
    lot_id uuid NOT NULL,
    outside boolean NOT NULL,
    on_hand bigint NOT NULL DEFAULT 0,
    held bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (place_id, item_code, lot_id),
    CONSTRAINT balance_place FOREIGN KEY (place_id, outside) REFERENCES place (id, outside),
    CONSTRAINT balance_lot FOREIGN KEY (lot_id, item_code) REFERENCES lot (id, item_code),
    CONSTRAINT balance_not_negative CHECK (on_hand >= 0 OR outside),
    CONSTRAINT balance_not_overheld CHECK (held = 0 OR (held > 0 AND held <= on_hand))
) WITH (fillfactor = 80);
CREATE INDEX balance_inside ON balance (place_id, item_code, lot_id) WHERE NOT outside;
CREATE INDEX balance_item ON balance (item_code, place_id, lot_id) WHERE NOT outside;
CREATE INDEX balance_by_lot ON balance (lot_id);

CREATE TABLE hold_line (
    hold_id uuid NOT NULL REFERENCES hold,
    line_no integer NOT NULL,
    place_id text NOT NULL REFERENCES place,
    item_code text NOT NULL REFERENCES item,
    mode text NOT NULL,
    lot_id uuid,
    reserve_id text REFERENCES reserve,
    quantity bigint NOT NULL CHECK (quantity > 0),
    issued bigint NOT NULL DEFAULT 0 CHECK (issued >= 0),
    outstanding bigint NOT NULL CHECK (outstanding >= 0),
    PRIMARY KEY (hold_id, line_no),
    CONSTRAINT hold_line_balance FOREIGN KEY (place_id, item_code, lot_id) REFERENCES balance,
    CHECK (issued + outstanding <= quantity),
    CHECK ((lot_id IS NULL) = (reserve_id IS NOT NULL) AND (mode = 'physical') = (lot_id IS NOT NULL))
);
CREATE INDEX hold_line_row ON hold_line (place_id, item_code) WHERE outstanding > 0;

CREATE TABLE outbox (
    id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
    topic text NOT NULL,
    body jsonb NOT NULL,
    at timestamptz NOT NULL DEFAULT now(),
    seq bigint UNIQUE,
    sent_at timestamptz
);
CREATE INDEX outbox_unsent ON outbox (id) WHERE sent_at IS NULL;

INSERT INTO place (id, kind, name_zh, name_en, zone, provenance)
SELECT 'outside:' || id, 'outside', name_zh, name_en, '', '{"certainty": "verified", "source": "the books"}'
FROM (VALUES
    ('received', '外部:入库来源', 'Outside: where receipts come from'),
    ('issued', '外部:出库去向', 'Outside: where issues go to'),
    ('adjusted', '外部:盘点差异', 'Outside: differences of counts'),
    ('damaged', '外部:途中损坏', 'Outside: damaged on the way'),
    ('lost', '外部:途中短少', 'Outside: short on arrival'),
    ('contract', '外部:协议储备调用', 'Outside: called off from agreements'),
    ('capacity', '外部:产能储备调用', 'Outside: called off from makers'),
    ('fund', '外部:资金采购', 'Outside: bought with funds')
) AS account (id, name_zh, name_en);
"""

TRIGGERS = """
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '%: % is refused, %', TG_TABLE_NAME, TG_OP, TG_ARGV[0]
        USING ERRCODE = 'restrict_violation', CONSTRAINT = TG_NAME;
END $$;

-- Movements and entries are append-only.

CREATE TRIGGER movement_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON movement
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change('movements are never edited, only reversed');
CREATE TRIGGER entry_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON entry
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change('movements are never edited, only reversed');

-- Entries come in balanced statements, in the transaction of their movement, and post the balances.
-- Its statements' plans are kept for a connection's life: the settings keep them right when the tables grow.

CREATE FUNCTION post_entries() RETURNS trigger LANGUAGE plpgsql
    SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
BEGIN
    IF EXISTS (SELECT FROM fresh GROUP BY movement_seq, lot_id HAVING sum(quantity) <> 0) THEN
        RAISE EXCEPTION 'entry: what goes out of a lot is not what comes in'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'entry_balanced';
    END IF;
    IF EXISTS (SELECT FROM fresh JOIN movement m ON m.seq = fresh.movement_seq
               WHERE m.xact <> pg_current_xact_id()::text::bigint) THEN
        RAISE EXCEPTION 'entry: its movement is closed'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'entry_of_open_movement';
    END IF;
    MERGE INTO balance AS b
    USING (SELECT f.place_id, f.item_code, f.lot_id, p.outside, sum(f.quantity)::bigint AS change
           FROM fresh f JOIN place p ON p.id = f.place_id
           GROUP BY f.place_id, f.item_code, f.lot_id, p.outside
           ORDER BY f.place_id, f.item_code, f.lot_id) AS c
    ON b.place_id = c.place_id AND b.item_code = c.item_code AND b.lot_id = c.lot_id
    WHEN MATCHED THEN UPDATE SET on_hand = b.on_hand + c.change
    WHEN NOT MATCHED THEN INSERT (place_id, item_code, lot_id, outside, on_hand)
        VALUES (c.place_id, c.item_code, c.lot_id, c.outside, c.change);
    UPDATE reserve AS r SET used = r.used - c.change
    FROM (SELECT l.reserve_id, sum(f.quantity)::bigint AS change
          FROM fresh f JOIN lot l ON l.id = f.lot_id
          WHERE l.reserve_id IS NOT NULL
            AND f.place_id IN ('outside:contract', 'outside:capacity', 'outside:fund')
          GROUP BY l.reserve_id ORDER BY l.reserve_id) AS c
    WHERE r.id = c.reserve_id;
    RETURN NULL;
END $$;

CREATE TRIGGER entry_posts AFTER INSERT ON entry REFERENCING NEW TABLE AS fresh
    FOR EACH STATEMENT EXECUTE FUNCTION post_entries();

CREATE FUNCTION movement_moves() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM entry WHERE movement_seq = NEW.seq) THEN
        RAISE EXCEPTION 'movement %: it has no entries', NEW.id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'movement_has_entries';
    END IF;
    RETURN NULL;
END $$;

CREATE CONSTRAINT TRIGGER movement_has_entries AFTER INSERT ON movement
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION movement_moves();

-- Balances and the reserves' counters change by triggers only, so that they can not drift from the records.

CREATE TRIGGER balance_posted_only BEFORE UPDATE OR DELETE ON balance
    FOR EACH ROW WHEN (pg_trigger_depth() = 0)
    EXECUTE FUNCTION refuse_change('balances follow from entries and holds');
CREATE TRIGGER balance_opened_empty BEFORE INSERT ON balance
    FOR EACH ROW WHEN (pg_trigger_depth() = 0 AND (NEW.on_hand <> 0 OR NEW.held <> 0))
    EXECUTE FUNCTION refuse_change('balances follow from entries and holds');
CREATE TRIGGER balance_not_emptied BEFORE TRUNCATE ON balance
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change('balances follow from entries and holds');
CREATE TRIGGER reserve_counted_only BEFORE UPDATE OF held, used ON reserve
    FOR EACH ROW WHEN (pg_trigger_depth() = 0)
    EXECUTE FUNCTION refuse_change('what is held and used follows from holds and entries');
CREATE TRIGGER reserve_opened_unused BEFORE INSERT ON reserve
    FOR EACH ROW WHEN (NEW.held <> 0 OR NEW.used <> 0)
    EXECUTE FUNCTION refuse_change('what is held and used follows from holds and entries');

-- What a hold keeps is counted on its balance or reserve at once; only an open hold keeps anything.

CREATE FUNCTION count_held() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    change bigint := NEW.outstanding - CASE TG_OP WHEN 'UPDATE' THEN OLD.outstanding ELSE 0 END;
BEGIN
    IF change > 0 AND NOT EXISTS (SELECT FROM hold WHERE id = NEW.hold_id AND status = 'open') THEN
        RAISE EXCEPTION 'hold %: it is not open', NEW.hold_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'hold_line_of_open_hold';
    END IF;
    IF NEW.lot_id IS NOT NULL THEN
        UPDATE balance SET held = held + change
        WHERE place_id = NEW.place_id AND item_code = NEW.item_code AND lot_id = NEW.lot_id;
    ELSE
        UPDATE reserve SET held = held + change WHERE id = NEW.reserve_id;
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER hold_line_counted AFTER INSERT OR UPDATE OF outstanding ON hold_line
    FOR EACH ROW EXECUTE FUNCTION count_held();
CREATE TRIGGER hold_line_kept BEFORE DELETE OR TRUNCATE ON hold_line
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change('a hold is released, not deleted');
CREATE TRIGGER hold_line_fixed
    BEFORE UPDATE OF hold_id, line_no, place_id, item_code, mode, lot_id, reserve_id, quantity ON hold_line
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change('only issued and outstanding change');

CREATE FUNCTION close_hold() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.status <> 'open' OR EXISTS (SELECT FROM hold_line WHERE hold_id = NEW.id AND outstanding > 0) THEN
        RAISE EXCEPTION 'hold %: % can not become % (give back what it keeps first)', NEW.id, OLD.status, NEW.status
            USING ERRCODE = 'check_violation', CONSTRAINT = 'hold_closed_empty';
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER hold_closes AFTER UPDATE OF status ON hold
    FOR EACH ROW WHEN (OLD.status IS DISTINCT FROM NEW.status) EXECUTE FUNCTION close_hold();
CREATE TRIGGER hold_kept BEFORE DELETE OR TRUNCATE ON hold
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change('a hold is released, not deleted');
"""


def upgrade() -> None:
    op.execute(TABLES)
    op.execute(TRIGGERS)


def downgrade() -> None:
    raise RuntimeError("The ledger is never taken down: restore a backup instead")
