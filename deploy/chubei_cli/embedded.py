"""PostgreSQL 18 and Valkey from their wheels, for the length of a `with` block; for tests.

    with embedded_postgres(folder) as url: ...     # postgresql://chubei:…@127.0.0.1:PORT
    with embedded_valkey(folder) as url: ...       # redis://:…@127.0.0.1:PORT/0

`PostgresServer` and `ValkeyServer` prepare a folder and say which command serves it; `chubei up` supervises
that command itself.
"""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from .errors import NotReady
from .postgres import PostgresServer
from .process import die_with_parent
from .unprivileged import identity
from .valkey import ValkeyServer

__all__ = ["PostgresServer", "ValkeyServer", "embedded_postgres", "embedded_valkey"]


@contextlib.contextmanager
def embedded_postgres(folder: Path, options: Mapping[str, str] | None = None) -> Iterator[str]:
    """Run a PostgreSQL whose data lie in `folder`/postgres; gives its URL, without a database.

    `options` are server settings, for instance `{"fsync": "off"}` where the data may be lost.
    """
    server = PostgresServer(folder / "postgres", options=options)
    server.prepare()
    with _running(server, folder / "postgres.log", server.user):
        yield server.url


@contextlib.contextmanager
def embedded_valkey(folder: Path) -> Iterator[str]:
    """Run a Valkey whose data lie in `folder`/valkey; gives its URL."""
    server = ValkeyServer(folder / "valkey")
    server.prepare()
    with _running(server, folder / "valkey.log", None):
        yield server.url


@contextlib.contextmanager
def _running(server: PostgresServer | ValkeyServer, log: Path, user: str | None) -> Iterator[None]:
    with log.open("ab") as output:
        process = subprocess.Popen(
            server.command(),
            cwd="/",
            env=server.environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            **identity(user),
            process_group=0,
            preexec_fn=die_with_parent(server.orphan_signal),
        )
    try:
        _wait_ready(server)
        yield
    finally:
        process.send_signal(server.stop_signal)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _wait_ready(server: PostgresServer | ValkeyServer, timeout_s: float = 60) -> None:
    deadline = time.monotonic() + timeout_s
    while True:
        try:
            return server.check_ready()
        except NotReady:
            if time.monotonic() > deadline:
                raise
        time.sleep(0.05)
