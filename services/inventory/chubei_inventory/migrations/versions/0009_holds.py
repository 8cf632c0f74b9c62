"""What a hold's lines are for: the day of arrival, what of them is firm, whose consent.

Revision ID: 0009_holds
"""

from alembic import op

revision = "0009_holds"
down_revision = "0008_care"
branch_labels = None
depends_on = None

TABLES = """
ALTER TABLE hold_line
    ADD COLUMN needed_on date,
    ADD COLUMN firm bigint CHECK (firm BETWEEN 0 AND quantity),
    ADD COLUMN consent text NOT NULL DEFAULT '';
DROP TRIGGER hold_line_fixed ON hold_line;
CREATE TRIGGER hold_line_fixed BEFORE UPDATE OF
        hold_id, line_no, place_id, item_code, mode, lot_id, reserve_id, quantity, needed_on, firm, consent ON hold_line
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change('only issued and outstanding change');
"""


def upgrade() -> None:
    op.execute(TABLES)


def downgrade() -> None:
    raise RuntimeError("The ledger is never taken down: restore a backup instead")
