"""Run by Alembic: migrates the database that config.attributes["url"] names (a SQLAlchemy URL)."""

from alembic import context
from chubei_inventory.tables import Base
from sqlalchemy import create_engine, pool


def migrate() -> None:
    engine = create_engine(context.config.attributes["url"], poolclass=pool.NullPool)
    with engine.connect() as connection:
        context.configure(connection, target_metadata=Base.metadata, transaction_per_migration=True)
        with context.begin_transaction():
            context.run_migrations()
    engine.dispose()


migrate()
