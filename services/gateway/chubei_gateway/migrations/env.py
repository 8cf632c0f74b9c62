"""Alembic's entry: migrates the database at `config.attributes["url"]` (a SQLAlchemy URL)."""

from alembic import context
from chubei_gateway.tables import Base
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

engine = create_engine(context.config.attributes["url"], poolclass=NullPool)
with engine.begin() as connection:
    context.configure(connection=connection, target_metadata=Base.metadata)
    context.run_migrations()
