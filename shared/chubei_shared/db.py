"""PostgreSQL sessions. A transaction is one request or one task, and commits once, here."""

import random
import time
from collections.abc import Callable
from typing import Concatenate, ParamSpec, TypeVar

from sqlalchemy import URL, Engine, create_engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session, sessionmaker

P = ParamSpec("P")
T = TypeVar("T")

_TRIES = 6
_RETRY = {"40001", "40P01"}  # serialization failure, deadlock: PostgreSQL asks for the same again


def make_engine(url: URL, pool_size: int = 8) -> Engine:
    return create_engine(
        url,
        pool_size=pool_size,
        max_overflow=pool_size,
        pool_pre_ping=True,  # PostgreSQL may have been restarted under us
        hide_parameters=True,  # what fails is logged with its statement: password hashes are no part of a log
        connect_args={"connect_timeout": 5, "options": "-c timezone=UTC -c lock_timeout=10s"},
    )


class Transactions:
    """Runs verbs, each in a transaction of its own."""

    def __init__(self, engine: Engine) -> None:
        self._sessions = sessionmaker(engine, expire_on_commit=False)

    def __call__(self, verb: Callable[Concatenate[Session, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `verb(session, *args)`, commit, and return what it returned.

        A verb that met a serialization failure or a deadlock is run again from the start, so a verb has
        no effects but those on its session.
        """
        for left in reversed(range(_TRIES)):
            try:
                with self._sessions.begin() as session:
                    return verb(session, *args, **kwargs)
            except DBAPIError as error:
                if not left or getattr(error.orig, "sqlstate", None) not in _RETRY:
                    raise
                time.sleep(random.uniform(0.002, 0.05))  # noqa: S311 (spreads the retries, no secret)
        raise AssertionError("unreachable")
