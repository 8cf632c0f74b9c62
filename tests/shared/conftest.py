"""A database with an outbox and a table of jobs, as a service has them."""

from collections.abc import Iterator
from uuid import UUID, uuid4

import psycopg
import pytest
from chubei_shared import outbox
from chubei_shared.db import Transactions, make_engine
from chubei_shared.jobs import JobMixin
from chubei_shared.settings import Settings
from sqlalchemy import Engine, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    pass


class Sum(JobMixin, Base):
    """A job with a result of its own."""

    __tablename__ = "sums"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    result: Mapped[int | None]


outbox_table = outbox.table(Base.metadata)


@pytest.fixture(scope="session")
def house(settings: Settings) -> Settings:
    """Settings whose database of "inventory" has these tables."""
    ours = Settings.model_validate(settings.model_dump() | {"database_prefix": "sh"})
    with psycopg.connect(ours.database_url + "/postgres", autocommit=True) as connection:
        connection.execute("CREATE DATABASE sh_inventory")
    return ours


@pytest.fixture(scope="session")
def session_engine(house: Settings) -> Iterator[Engine]:
    made = make_engine(house.database("inventory"), pool_size=16)
    Base.metadata.create_all(made)
    yield made
    made.dispose()


@pytest.fixture
def engine(session_engine: Engine) -> Engine:
    """Of the database, emptied."""
    with session_engine.begin() as connection:
        connection.execute(text("TRUNCATE outbox, sums RESTART IDENTITY"))
    return session_engine


@pytest.fixture
def tx(engine: Engine) -> Transactions:
    return Transactions(engine)


@pytest.fixture
def job_type() -> type[Sum]:
    return Sum
