"""Shelters' requests for more, accepted or declined."""

from alembic import op

revision = "0015_granted"
down_revision = "0014_exercises"
branch_labels = None
depends_on = None

_CHECKS = """
ALTER TABLE shelter_record DROP CONSTRAINT shelter_record_state_check, DROP CONSTRAINT shelter_record_of_kind_check;
ALTER TABLE shelter_record
    ADD CONSTRAINT shelter_record_state_check CHECK (state IN ('pending', 'done', 'refused', {states})),
    ADD CONSTRAINT shelter_record_of_kind_check CHECK ((kind = 'request') = (state IN ({states})));
"""


def upgrade() -> None:
    op.execute(_CHECKS.format(states="'asked', 'accepted', 'declined', 'answered'"))
    op.execute("ALTER TABLE shelter_record ADD answer jsonb, ADD granted jsonb NOT NULL DEFAULT '{}'")
    op.execute("ALTER TABLE shelter_record ALTER granted DROP DEFAULT")


def downgrade() -> None:
    op.execute("UPDATE shelter_record SET state = 'answered' WHERE state IN ('accepted', 'declined')")
    op.execute("ALTER TABLE shelter_record DROP answer, DROP granted")
    op.execute(_CHECKS.format(states="'asked', 'answered'"))
