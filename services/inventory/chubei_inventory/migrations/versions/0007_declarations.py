"""Social and household reserves, declared and counted apart.

Revision ID: 0007_declarations
"""

from alembic import op

revision = "0007_declarations"
down_revision = "0006_recall_lock"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE declaration (
    id text PRIMARY KEY,
    sphere text NOT NULL CHECK (sphere IN ('social', 'household')),
    item_code text NOT NULL REFERENCES item,
    quantity bigint NOT NULL CHECK (quantity > 0),
    area text NOT NULL,
    party text NOT NULL,
    households integer CHECK (households > 0),
    contacts jsonb NOT NULL,
    declared_on date NOT NULL,
    valid_until date NOT NULL CHECK (valid_until >= declared_on),
    withdrawn boolean NOT NULL,
    note text NOT NULL,
    provenance jsonb NOT NULL,
    CONSTRAINT declaration_of_homes CHECK ((sphere = 'household') = (households IS NOT NULL))
);
CREATE INDEX declaration_item ON declaration (item_code);
"""


def upgrade() -> None:
    op.execute(TABLES)


def downgrade() -> None:
    raise RuntimeError("The ledger is never taken down: restore a backup instead")
