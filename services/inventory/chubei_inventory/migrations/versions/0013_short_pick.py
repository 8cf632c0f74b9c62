"""Short picks: what is missing has an account of its own, and a hold remembers what became of its lots.

Revision ID: 0013_short_pick
"""

from alembic import op

revision = "0013_short_pick"
down_revision = "0012_stocktakes"
branch_labels = None
depends_on = None

TABLES = """
ALTER TABLE place DROP CONSTRAINT place_state_check;
ALTER TABLE place ADD CONSTRAINT place_state_check CHECK (state IN (
    'shelf', 'transit', 'outside', 'sealed', 'testing', 'lent', 'missing', 'module', 'disputed'));
ALTER TABLE place DROP CONSTRAINT place_state_of_kind;
ALTER TABLE place ADD CONSTRAINT place_state_of_kind CHECK (
    CASE kind WHEN 'state' THEN state IN ('sealed', 'testing', 'lent', 'missing', 'module') AND parent_id IS NOT NULL
              WHEN 'outside' THEN state IN ('outside', 'disputed')
              WHEN 'transit' THEN state = 'transit'
              ELSE state = 'shelf' END);
ALTER TABLE movement DROP CONSTRAINT movement_kind_check;
ALTER TABLE movement ADD CONSTRAINT movement_kind_check CHECK (kind IN (
    'receive', 'issue', 'deliver', 'transfer', 'send', 'arrive', 'adjust', 'seal', 'release', 'test', 'tested',
    'return', 'scrap', 'short_pick', 'pack', 'unpack', 'move_module', 'settle', 'reverse'));
ALTER TABLE hold ADD COLUMN repicked jsonb NOT NULL DEFAULT '[]';
"""


def upgrade() -> None:
    op.execute(TABLES)


def downgrade() -> None:
    raise RuntimeError("The ledger is never taken down: restore a backup instead")
