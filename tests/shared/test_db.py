"""Transactions: one commit, and the same again when PostgreSQL asks for it."""

import threading

import pytest
from chubei_shared.db import Transactions
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError
from sqlalchemy.orm import Session


@pytest.fixture
def accounts(engine: Engine) -> Engine:
    with engine.begin() as connection:
        connection.execute(text("DROP TABLE IF EXISTS accounts"))
        connection.execute(text("CREATE TABLE accounts (id int PRIMARY KEY, amount int NOT NULL)"))
        connection.execute(text("INSERT INTO accounts VALUES (1, 0), (2, 0)"))
    return engine


def _amounts(tx: Transactions) -> dict[int, int]:
    rows = tx(lambda session: session.execute(text("SELECT id, amount FROM accounts")).all())
    return {row[0]: row[1] for row in rows}


def _add(session: Session, account: int) -> None:
    session.execute(text("UPDATE accounts SET amount = amount + 1 WHERE id = :id"), {"id": account})


def test_commits_what_the_verb_did_and_returns_its_answer(accounts: Engine, tx: Transactions) -> None:
    def verb(session: Session, account: int, *, twice: bool) -> str:
        for _ in range(1 + twice):
            _add(session, account)
        return "done"

    assert tx(verb, 1, twice=True) == "done"
    assert _amounts(tx) == {1: 2, 2: 0}


def test_undoes_everything_when_the_verb_raises(accounts: Engine, tx: Transactions) -> None:
    def verb(session: Session) -> None:
        _add(session, 1)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        tx(verb)
    assert _amounts(tx) == {1: 0, 2: 0}


def test_deadlock_is_run_again(accounts: Engine, tx: Transactions) -> None:
    """Two that take the same rows in opposite order, both at once: PostgreSQL kills one, both are done."""
    meet, runs = threading.Barrier(2), {1: 0, 2: 0}

    def verb(session: Session, first: int) -> None:
        runs[first] += 1
        _add(session, first)
        if runs[first] == 1:
            meet.wait(10)
        _add(session, 3 - first)

    threads = [threading.Thread(target=tx, args=(verb, first)) for first in (1, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert _amounts(tx) == {1: 2, 2: 2}
    assert sorted(runs.values()) == [1, 2]


def test_serialization_failure_is_run_again(accounts: Engine) -> None:
    serializable = Transactions(accounts.execution_options(isolation_level="SERIALIZABLE"))
    runs = 0

    def verb(session: Session) -> None:
        nonlocal runs
        runs += 1
        session.execute(text("SELECT sum(amount) FROM accounts")).one()
        if runs == 1:  # somebody else is quicker
            serializable(_add, 1)
        _add(session, 1)

    serializable(verb)
    assert runs == 2
    assert _amounts(serializable) == {1: 2, 2: 0}


def test_gives_up_after_a_few_runs_with_the_error(accounts: Engine, tx: Transactions) -> None:
    runs = 0

    def verb(session: Session) -> None:
        nonlocal runs
        runs += 1
        session.execute(text("DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '40001'; END $$"))

    with pytest.raises(DBAPIError) as refused:
        tx(verb)
    assert getattr(refused.value.orig, "sqlstate", None) == "40001"
    assert runs == 6


def test_other_errors_are_not_run_again(accounts: Engine, tx: Transactions) -> None:
    runs = 0

    def verb(session: Session) -> None:
        nonlocal runs
        runs += 1
        session.execute(text("INSERT INTO accounts VALUES (1, 0)"))

    with pytest.raises(IntegrityError):
        tx(verb)
    assert runs == 1


def test_connection_that_was_cut_is_replaced(accounts: Engine, tx: Transactions) -> None:
    """PostgreSQL may be restarted under us: the pool must not hand out dead connections."""
    with accounts.connect() as one:
        one.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
                " AND datname = current_database()"
            )
        )
    tx(_add, 2)
    assert _amounts(tx)[2] == 1


def test_a_lock_is_not_waited_for_for_ever(accounts: Engine, tx: Transactions) -> None:
    assert tx(lambda session: session.scalar(text("SHOW lock_timeout"))) == "10s"

    def verb(session: Session) -> None:
        session.execute(text("SET LOCAL lock_timeout = '50ms'"))
        _add(session, 1)

    with accounts.begin() as other:
        other.execute(text("UPDATE accounts SET amount = 9 WHERE id = 1"))
        with pytest.raises(OperationalError, match="lock timeout"):
            tx(verb)
