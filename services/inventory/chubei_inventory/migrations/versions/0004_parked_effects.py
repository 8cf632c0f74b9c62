"""What a parked movement would change, shown beside the stock; where its sender works; where tests and scrap go.

Revision ID: 0004_parked_effects
"""

from alembic import op

revision = "0004_parked_effects"
down_revision = "0003_reserves"
branch_labels = None
depends_on = None

TABLES = """
ALTER TABLE parked ADD COLUMN sent_places text[];
CREATE TABLE parked_effect (
    parked_id uuid NOT NULL,
    body_hash bytea NOT NULL,
    line_no integer NOT NULL,
    place_id text NOT NULL,
    item_code text NOT NULL,
    lot_id uuid NOT NULL,
    change bigint NOT NULL,
    PRIMARY KEY (parked_id, body_hash, line_no),
    FOREIGN KEY (parked_id, body_hash) REFERENCES parked (id, body_hash)
);
CREATE INDEX parked_effect_account ON parked_effect (lot_id, place_id);

INSERT INTO place (id, kind, state, name_zh, name_en, zone, provenance)
SELECT 'outside:' || id, 'outside', 'outside', name_zh, name_en, '', '{"certainty": "verified", "source": "the books"}'
FROM (VALUES
    ('tested', '外部:检验消耗', 'Outside: used up by tests'),
    ('scrapped', '外部:报废', 'Outside: scrapped')
) AS account (id, name_zh, name_en);

CREATE FUNCTION forget_effects() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM parked_effect WHERE parked_id = NEW.id AND body_hash = NEW.body_hash;
    RETURN NULL;
END $$;
CREATE TRIGGER parked_settled AFTER UPDATE OF status ON parked
    FOR EACH ROW WHEN (NEW.status <> 'open') EXECUTE FUNCTION forget_effects();
"""


def upgrade() -> None:
    op.execute(TABLES)


def downgrade() -> None:
    raise RuntimeError("The ledger is never taken down: restore a backup instead")
