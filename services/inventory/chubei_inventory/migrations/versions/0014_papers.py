"""What was printed: papers by number, each copy of them.

Revision ID: 0014_papers
"""

from alembic import op

revision = "0014_papers"
down_revision = "0013_short_pick"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE paper (
    id uuid PRIMARY KEY,
    form text NOT NULL CHECK (form IN ('receipt', 'issue', 'load', 'acceptance')),
    movement_id uuid NOT NULL REFERENCES movement (id),
    number text NOT NULL,
    copy_no integer NOT NULL CHECK (copy_no >= 0),
    printed_at timestamptz NOT NULL DEFAULT now(),
    printed_by text NOT NULL,
    CONSTRAINT paper_copy UNIQUE (movement_id, form, copy_no),
    CONSTRAINT paper_number UNIQUE (number, copy_no)
);
CREATE INDEX paper_printed ON paper (printed_at, id);
CREATE TRIGGER paper_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON paper
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change('what was printed is on record for good');
"""


def upgrade() -> None:
    op.execute(TABLES)


def downgrade() -> None:
    raise RuntimeError("The ledger is never taken down: restore a backup instead")
