"""A recall finds its lots however maker and number are written: full or half width, capitals, spaces.

Revision ID: 0017_recall_reading
"""

from alembic import op

revision = "0017_recall_reading"
down_revision = "0016_bins"
branch_labels = None
depends_on = None

FUNCTIONS = r"""
CREATE FUNCTION as_read(said text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN lower(regexp_replace(normalize(said, NFKC), '\s', '', 'g'));

CREATE FUNCTION recalls_lot(r recall, l lot) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN l.reserve_id IS NULL AND as_read(r.maker) = as_read(l.maker)
        AND (r.lot_no IS NULL OR as_read(r.lot_no) = as_read(l.lot_no))
        AND (r.item_code IS NULL OR r.item_code = l.item_code);

CREATE OR REPLACE FUNCTION recall_at_birth() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO lot_change (lot_id, quality, reason, recorded_by, recall_id)
    SELECT NEW.id, 'recalled', r.reason, r.recorded_by, r.id FROM recall r
    WHERE r.lifted_at IS NULL AND recalls_lot(r, NEW)
    ORDER BY r.recorded_at, r.id LIMIT 1;
    RETURN NULL;
END $$;

INSERT INTO lot_change (lot_id, quality, reason, recorded_by, recall_id)
SELECT DISTINCT ON (l.id) l.id, 'recalled', r.reason, r.recorded_by, r.id FROM recall r JOIN lot l ON recalls_lot(r, l)
WHERE r.lifted_at IS NULL AND l.quality = 'ok' ORDER BY l.id, r.recorded_at, r.id;
"""


def upgrade() -> None:
    op.execute(FUNCTIONS)


def downgrade() -> None:
    raise RuntimeError("The ledger is never taken down: restore a backup instead")
