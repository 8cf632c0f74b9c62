"""Who keeps a shelter, on the register with a telephone."""

from alembic import op

revision = "0017_shelter_keepers"
down_revision = "0016_break_glass"
branch_labels = None
depends_on = None

_DUTIES = """
ALTER TABLE call_person DROP CONSTRAINT call_person_duty_check;
ALTER TABLE call_person ADD CONSTRAINT call_person_duty_check CHECK (duty IN ({duties}));
"""
_SITE = "ALTER TABLE call_person ADD CONSTRAINT call_person_place_id_fkey FOREIGN KEY (place_id) REFERENCES loading_site"


def upgrade() -> None:
    op.execute("ALTER TABLE call_person DROP CONSTRAINT call_person_place_id_fkey")
    op.execute(_DUTIES.format(duties="'keeper', 'loader', 'driver', 'shelter'"))


def downgrade() -> None:
    op.execute("DELETE FROM call_person WHERE duty = 'shelter'")
    op.execute(_DUTIES.format(duties="'keeper', 'loader', 'driver'"))
    op.execute(_SITE)
