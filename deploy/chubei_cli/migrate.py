"""`chubei migrate`: each service's database, created if missing and brought to the newest revision."""

import contextlib
import importlib.util
import os
from typing import Final

import psycopg
from alembic import command
from alembic.config import Config
from alembic.util import CommandError as AlembicError
from chubei_shared.settings import SERVICES
from psycopg import errors, sql
from sqlalchemy import URL
from sqlalchemy.exc import SQLAlchemyError

from .addresses import plain, server_url
from .errors import CommandError

_LOCK: Final = 7_201_100  # advisory lock: one migrator at a time in a database


def migrate(*services: str) -> None:
    """Migrate the databases of `services` (all, if none is named) on the server of CHUBEI_DATABASE_URL.

    Raises CommandError if the server does not let us, or a database is newer than this code.
    """
    server = server_url(os.environ.get("CHUBEI_DATABASE_URL", ""))
    for service in services or SERVICES:
        if service not in SERVICES:
            raise CommandError(f"没有服务 {service} / no service {service}: {', '.join(SERVICES)}")
        prefix = os.environ.get("CHUBEI_DATABASE_PREFIX") or "chubei"
        url = server.set(database=f"{prefix}_{service}")
        try:
            _ensure_database(url)
            _upgrade(service, url)
        except (psycopg.Error, SQLAlchemyError, AlembicError) as error:
            reason = " ".join(str(error).split())
            raise CommandError(f"无法迁移 / cannot migrate {url.database}: {reason}") from error


def _ensure_database(url: URL) -> None:
    try:
        psycopg.connect(plain(url), connect_timeout=10).close()
    except psycopg.OperationalError:
        _create_database(url)
        psycopg.connect(plain(url), connect_timeout=10).close()  # if it does not let us in, this says why


def _create_database(url: URL) -> None:
    """Create it, unless it is there, or another migrator is quicker."""
    with psycopg.connect(
        plain(url.set(database="postgres")), autocommit=True, connect_timeout=10
    ) as connection:
        if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (url.database,)).fetchone():
            return
        with contextlib.suppress(errors.DuplicateDatabase, errors.UniqueViolation):
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(str(url.database))))


def _upgrade(service: str, url: URL) -> None:
    package = f"chubei_{service}"
    if importlib.util.find_spec(package) is None:
        raise CommandError(f"缺少 {package} / {package} is not installed")
    config = Config()
    config.set_main_option("script_location", f"{package}:migrations")
    config.attributes["url"] = url
    with psycopg.connect(plain(url), autocommit=True) as connection:
        connection.execute("SELECT pg_advisory_lock(%s)", (_LOCK,))
        command.upgrade(config, "head")
