"""Alembic's entry: migrates the database at `config.attributes["url"]` (a SQLAlchemy URL)."""

from alembic import context
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

engine = create_engine(context.config.attributes["url"], poolclass=NullPool)
with engine.begin() as connection:
    context.configure(connection=connection)
    context.run_migrations()
