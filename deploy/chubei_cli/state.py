"""The state folder of one installation: its lock, its secrets, and what runs on it."""

import contextlib
import fcntl
import json
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final, Self

from .errors import CommandError
from .process import free_port, port_is_free
from .secret import write_private

DEFAULT_STATE: Final = Path(".state")
_LOCK_TRIES: Final = 10  # a reader that looks whether we run holds the lock for an instant


@dataclass
class Running:
    """What `STATE/up.json` says: an `up` and where its parts are. It holds no secret."""

    pid: int
    ready: bool = False
    urls: dict[str, str] = field(default_factory=dict)
    """Base URLs of gateway, inventory and allocation."""
    ports: dict[str, int] = field(default_factory=dict)
    """The loopback ports of all parts that were started; the next start takes them again."""
    children: dict[str, dict[str, str | int | None]] = field(default_factory=dict)
    """By name: title, state, pid, where, restarts."""


class StateFolder:
    """A folder that one `up` at a time may use."""

    def __init__(self, path: Path) -> None:
        self.path = path.resolve()
        self._file = self.path / "up.json"
        self._lock_file = self.path / "lock"

    @property
    def keys(self) -> Path:
        """Where the token keys lie."""
        return self.path / "keys"

    @property
    def first_password(self) -> Path:
        """The first account's password, until it is changed."""
        return self.path / "first-admin-password"

    @contextlib.contextmanager
    def locked(self) -> Iterator[Self]:
        """Make the folder and hold it. Raises CommandError if it is in use or cannot be written."""
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = self._lock_file.open("a")
        except OSError as error:
            raise CommandError(
                f"状态文件夹不可写 / cannot write the state folder: {error}; "
                "用 --state 另选 / choose another with --state"
            ) from error
        with lock:
            if not _flock(lock.fileno(), _LOCK_TRIES):
                raise CommandError(self._who_runs())
            yield self

    def running(self) -> Running | None:
        """The `up` that runs on this folder now, if one does (perhaps still starting)."""
        try:
            with self._lock_file.open("a") as lock:
                return None if _flock(lock.fileno(), 1) else self.last_run()
        except OSError:
            return None

    def last_run(self) -> Running | None:
        """What the last `up` wrote, whether it still runs or not."""
        try:
            return Running(**json.loads(self._file.read_text()))
        except (OSError, ValueError, TypeError):
            return None

    def write(self, running: Running) -> None:
        """Let others know. Raises OSError."""
        write_private(self._file, json.dumps(asdict(running), ensure_ascii=False, indent=1))

    def port_chooser(self) -> Callable[[str], int]:
        """Gives each part the port it had last time if that is free, else another free one."""
        last = self.last_run()
        known = last.ports if last else {}
        given: set[int] = set()

        def choose(part: str) -> int:
            port = known.get(part, 0)
            while not port or port in given or not port_is_free(port):
                port = free_port()
            given.add(port)
            return port

        return choose

    def _who_runs(self) -> str:
        running = self.last_run()
        who = f"pid {running.pid}, {running.urls.get('gateway', '')}" if running else "pid ?"
        return f"{self.path} 已有一个 chubei 在运行 / another chubei runs on it: {who}"


def _flock(descriptor: int, tries: int) -> bool:
    for left in reversed(range(tries)):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if left:
                time.sleep(0.05)
        else:
            return True
    return False


def state_folder(given: Path | None) -> StateFolder:
    """The folder of --state, else of CHUBEI_STATE, else ./.state."""
    return StateFolder(given or Path(os.environ.get("CHUBEI_STATE") or DEFAULT_STATE))
