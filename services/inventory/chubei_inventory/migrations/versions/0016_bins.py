"""Bins: where in a place things stand, in walking order.

Revision ID: 0016_bins
"""

from alembic import op

revision = "0016_bins"
down_revision = "0015_overdue"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE bin (
    place_id text NOT NULL REFERENCES place (id),
    code text NOT NULL,
    aisle text NOT NULL,
    walk_order integer NOT NULL CHECK (walk_order >= 0),
    item_code text REFERENCES item (code),
    closed boolean NOT NULL DEFAULT false,
    PRIMARY KEY (place_id, code)
);
CREATE INDEX bin_walk ON bin (place_id, walk_order, code);
"""


def upgrade() -> None:
    op.execute(TABLES)


def downgrade() -> None:
    raise RuntimeError("The ledger is never taken down: restore a backup instead")
