"""Proof that goods changed hands: codes of orders; signatures on steps."""

from alembic import op

revision = "0012_hand_overs"
down_revision = "0011_reports"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
ALTER TABLE dispatch_order
    ADD COLUMN secret bytea NOT NULL DEFAULT uuid_send(gen_random_uuid()),
    ADD COLUMN wrong_codes integer NOT NULL DEFAULT 0;
ALTER TABLE order_step
    ADD COLUMN proofs jsonb NOT NULL DEFAULT '[]',
    ADD COLUMN signature_png bytea;
""")


def downgrade() -> None:
    op.execute("""
ALTER TABLE order_step DROP COLUMN proofs, DROP COLUMN signature_png;
ALTER TABLE dispatch_order DROP COLUMN secret, DROP COLUMN wrong_codes;
""")
