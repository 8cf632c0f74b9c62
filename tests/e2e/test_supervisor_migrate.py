"""`chubei migrate`: creates what is missing, may be run again, and by two at a time."""

import os
import subprocess
import sys

import psycopg
from chubei_shared.settings import SERVICES

PREFIX = "migratetest"


def start(url: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "chubei_cli.main", "migrate"],
        env={**os.environ, "CHUBEI_DATABASE_URL": url, "CHUBEI_DATABASE_PREFIX": PREFIX},
        stderr=subprocess.PIPE,
        text=True,
    )


def tables(url: str, service: str) -> set[str]:
    with psycopg.connect(f"{url}/{PREFIX}_{service}") as connection:
        rows = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
    return {name for (name,) in rows}


def test_two_migrators_at_once_and_one_more(postgres_url: str) -> None:
    both = [start(postgres_url), start(postgres_url)]
    assert [migrator.communicate(timeout=120)[1] for migrator in both] == ["", ""]
    assert [migrator.returncode for migrator in both] == [0, 0]
    made = {service: tables(postgres_url, service) for service in SERVICES}
    assert all({"alembic_version", "outbox"} <= found for found in made.values())
    again = start(postgres_url)
    assert again.communicate(timeout=120)[1] == ""
    assert again.returncode == 0
    assert made == {service: tables(postgres_url, service) for service in SERVICES}


def test_a_database_newer_than_the_code_is_refused_in_one_line(postgres_url: str) -> None:
    assert start(postgres_url).wait(120) == 0
    with psycopg.connect(f"{postgres_url}/{PREFIX}_gateway", autocommit=True) as connection:
        (known,) = connection.execute("SELECT version_num FROM alembic_version").fetchone() or ("",)
        connection.execute("UPDATE alembic_version SET version_num = 'from_the_future'")
        try:
            refused = start(postgres_url)
            said = refused.communicate(timeout=120)[1]
            assert refused.returncode == 2
            assert len(said.splitlines()) == 1
            assert "gateway" in said
            assert "from_the_future" in said
        finally:
            connection.execute("UPDATE alembic_version SET version_num = %s", (known,))
