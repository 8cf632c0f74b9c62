"""Photos of what was found at a stop of an order."""

from alembic import op

revision = "0019_photos"
down_revision = "0018_plan_closed"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
CREATE TABLE order_photo (
    id uuid CONSTRAINT order_photo_pkey PRIMARY KEY,
    order_id uuid NOT NULL CONSTRAINT order_photo_order_id_fkey REFERENCES dispatch_order (id),
    stop integer NOT NULL,
    occurred_at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL,
    recorded_by text NOT NULL,
    note text NOT NULL,
    sha256 text NOT NULL,
    jpeg bytea,
    kept_until timestamptz NOT NULL
);
CREATE INDEX order_photo_order_id ON order_photo (order_id);
CREATE INDEX order_photo_due ON order_photo (kept_until) WHERE jpeg IS NOT NULL;
""")


def downgrade() -> None:
    op.execute("DROP TABLE order_photo")
