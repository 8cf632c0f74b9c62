"""The gateway's database: its schema, and what it refuses by itself."""

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from chubei_gateway import audit, proof
from chubei_gateway.tables import Base
from chubei_shared import seals
from chubei_shared.contracts.gateway_client import GatewayClient
from chubei_shared.db import Transactions
from chubei_shared.settings import Settings
from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session


def test_migrations_make_the_tables_that_the_code_knows(house: Settings) -> None:
    with create_engine(house.database("gateway")).connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_server_default": True})
        assert compare_metadata(context, Base.metadata) == []


@pytest.fixture
def connection(house: Settings, admin: GatewayClient) -> psycopg.Connection:
    """The admin's acts are in the audit."""
    dsn = house.database("gateway").set(drivername="postgresql")
    return psycopg.connect(dsn.render_as_string(hide_password=False), autocommit=True)


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE audit SET outcome = 200",
        "DELETE FROM audit",
        "TRUNCATE audit",
        "DELETE FROM audit WHERE false",
    ],
)
def test_audit_is_append_only(change: str, connection: psycopg.Connection) -> None:
    with connection, pytest.raises(psycopg.errors.IntegrityError, match="append-only"):
        connection.execute(change)


@pytest.mark.parametrize(
    ("statement", "constraint"),
    [
        ("UPDATE users SET roles = '{service}'", "users_roles"),
        ("UPDATE users SET roles = '{}'", "users_roles"),
        (
            "INSERT INTO users SELECT 'ADMIN', display_name, roles, places, password_hash, true, false"
            " FROM users WHERE username = 'admin'",
            "users_folded",
        ),
        (
            "INSERT INTO refresh_tokens SELECT sha256('x'), session_id FROM refresh_tokens"
            " WHERE replaced_at IS NULL LIMIT 1",
            "refresh_tokens_live",
        ),
        ("UPDATE refresh_tokens SET token_hash = 'a token itself'", "refresh_tokens_sha256"),
    ],
)
def test_constraints_hold(statement: str, constraint: str, connection: psycopg.Connection) -> None:
    with connection, pytest.raises(psycopg.errors.IntegrityError) as refused:
        connection.execute(statement)
    assert refused.value.diag.constraint_name == constraint


def test_audit_row_falls_with_its_act(tx: Transactions) -> None:
    def act(session: object) -> None:
        audit.record(session, "somebody", "undone", "x")  # type: ignore[arg-type]
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        tx(act)
    assert not tx(audit.page, None, "undone", None, 10).rows


def test_audit_pages_newest_first(tx: Transactions) -> None:
    for number in range(5):
        tx(audit.record, "pager", "page", str(number))
    first = tx(audit.page, "pager", None, None, 3)
    assert [row.target for row in first.rows] == ["4", "3", "2"]
    assert first.next_cursor
    second = tx(audit.page, "pager", None, int(first.next_cursor), 3)
    assert [row.target for row in second.rows] == ["1", "0"]
    assert second.next_cursor is None


def test_a_record_that_was_changed_after_its_seal_is_named(tx: Transactions) -> None:
    tx(audit.record, "keeper", "sealed", "x")
    tx(seals.seal, audit.SOURCES, 10**6)
    whole = tx(proof.verification)
    assert whole.sealed >= 1
    assert not [one for one in whole.differences if one.check == "chain"]

    def tamper(session: Session) -> None:
        session.execute(text("ALTER TABLE audit DISABLE TRIGGER ALL"))
        changed = session.scalar(
            text("UPDATE audit SET outcome = 403 WHERE subject = 'keeper' AND act = 'sealed' RETURNING id")
        )
        raise Seen(changed, proof.verification(session))

    with pytest.raises(Seen) as seen:
        tx(tamper)
    changed, found = seen.value.args
    assert [(one.check, one.rows["id"]) for one in found.differences] == [("chain", changed)]


class Seen(Exception):
    """Undoes what was done to see it."""
