"""Sessions that an identity provider vouched for: the password here has no part in them."""

from alembic import op

revision = "0005_oidc"
down_revision = "0004_second_factor"


def upgrade() -> None:
    op.execute("ALTER TABLE sessions ADD COLUMN oidc boolean NOT NULL DEFAULT false")
