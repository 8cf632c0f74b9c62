"""Where the parts of the system are: ours on free loopback ports, outside ones as the environment says."""

import errno
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from chubei_shared.settings import SERVICES, Service
from chubei_shared.tokens import ISSUERS, ensure_keys

from .addresses import http_address, redis_address, server_url
from .errors import CommandError
from .postgres import PostgresServer
from .process import listener_on, port_trouble
from .secret import readable_password, secret_file
from .state import StateFolder
from .tls import Asked, Certificate, certificate
from .valkey import ValkeyServer

DEFAULT_PORT: Final = 8080
DEFAULT_TLS_PORT: Final = 8443
# Nothing is imported from the folder a child happens to run in, and its log is up to date.
_PYTHON: Final = {"PYTHONSAFEPATH": "1", "PYTHONUNBUFFERED": "1"}


@dataclass(frozen=True)
class Https:
    """Where the gateway is for other machines. The parts of this one go on to talk to it without TLS."""

    port: int
    certificate: Certificate

    @property
    def urls(self) -> list[str]:
        """By each name that the certificate has."""
        hosts = (f"[{name}]" if ":" in name else name for name in self.certificate.names or ("localhost",))
        return [f"https://{host.removeprefix('*.')}:{self.port}" for host in hosts]


@dataclass(frozen=True)
class Parts:
    """Where the parts are. A server that is ours is given as such, an outside one only by its URL."""

    state: Path
    postgres: PostgresServer | None
    database_url: str
    valkey: ValkeyServer | None
    redis_url: str
    urls: Mapping[Service, str]
    """Base URL of each service."""
    ports: Mapping[Service, int]
    """The port of each service that is ours; the others run elsewhere."""
    environment: Mapping[str, str]
    """What the services find in their environment."""
    https: Https | None = None


def find_parts(
    state: StateFolder, port: int | None, say: Callable[[str], None], tls: Asked | None = None
) -> Parts:
    """Where everything is or will be: from the environment what is outside, on free ports what is ours."""
    choose = state.port_chooser()
    if database_url := outside("DATABASE_URL"):
        server_url(database_url)
    if redis_url := outside("REDIS_URL"):
        redis_address(redis_url)
    postgres = None if database_url else PostgresServer(state.path / "postgres", port=choose("postgres"))
    valkey = None if redis_url else ValkeyServer(state.path / "valkey", port=choose("valkey"))
    urls = {
        service: http_address(f"CHUBEI_{service.upper()}_URL", url)
        for service in SERVICES
        if (url := outside(f"{service.upper()}_URL"))
    }
    ports = {service: choose(service) for service in SERVICES if service not in urls}
    https = None
    if tls:
        if "gateway" not in ports:
            raise CommandError("--tls: 网关不在本机(CHUBEI_GATEWAY_URL)/ the gateway runs elsewhere")
        found = certificate(state.path / "tls", tls)
        https = Https(_gateway_port(port, DEFAULT_TLS_PORT, choose("https"), say), found)
    elif "gateway" in ports:
        ports["gateway"] = _gateway_port(port, DEFAULT_PORT, ports["gateway"], say)
    urls |= {service: f"http://127.0.0.1:{number}" for service, number in ports.items()}
    database_url = database_url or (postgres.url if postgres else "")
    redis_url = redis_url or (valkey.url if valkey else "")
    environment = {
        "CHUBEI_DATABASE_URL": database_url,
        "CHUBEI_REDIS_URL": redis_url,
        "CHUBEI_KEYS_DIR": str(_keys(state, ports)),
        "CHUBEI_SNAPSHOT_DIR": outside("SNAPSHOT_DIR") or str(state.path / "snapshots"),
        **{f"CHUBEI_{service.upper()}_URL": url for service, url in urls.items()},
    }
    if "gateway" in ports:
        environment["CHUBEI_INITIAL_ADMIN_PASSWORD"] = outside("INITIAL_ADMIN_PASSWORD") or secret_file(
            state.first_password, readable_password
        )
    return Parts(
        state=state.path,
        postgres=postgres,
        database_url=database_url,
        valkey=valkey,
        redis_url=redis_url,
        urls=urls,
        ports=ports,
        environment={**os.environ, **_PYTHON, **environment},
        https=https,
    )


def outside(name: str) -> str:
    """What the user set CHUBEI_<name> to; empty if nothing."""
    return os.environ.get(f"CHUBEI_{name}", "").rstrip("/")


def _gateway_port(asked: int | None, default: int, fallback: int, say: Callable[[str], None]) -> int:
    wanted = default if asked is None else asked
    if wanted == 0:
        return fallback
    trouble = port_trouble(wanted)
    if not trouble:
        return wanted
    who = listener_on(wanted)
    taken = f"端口 {wanted} 已被占用 / port {wanted} is taken" + (f" ({who})" if who else "")
    if trouble == errno.EACCES:
        taken = f"端口 {wanted} 须有特权 / port {wanted} needs privileges"
    if asked is not None:
        raise CommandError(
            f"{taken}: 用 --port 另选，或 --port 0 自动选 / choose another with --port, or 0 for any"
        )
    say(f"· {taken}: 改用 / using {fallback}")
    return fallback


def _keys(state: StateFolder, ports: Mapping[Service, int]) -> Path:
    if given := outside("KEYS_DIR"):
        return _given_keys(Path(given).resolve(), ports)
    for issuer in ISSUERS:
        if issuer not in ports:
            raise CommandError(
                f"CHUBEI_{issuer.upper()}_URL 已设，还需 CHUBEI_KEYS_DIR / is set, so CHUBEI_KEYS_DIR is needed too: "
                f"the folder with {issuer}.pub"
            )
    state.keys.mkdir(mode=0o700, exist_ok=True)
    ensure_keys(state.keys)
    return state.keys


def _given_keys(folder: Path, ports: Mapping[Service, int]) -> Path:
    names = [f"{issuer}.pub" for issuer in ISSUERS] + [
        f"{issuer}.key" for issuer in ISSUERS if issuer in ports
    ]
    missing = [name for name in names if not (folder / name).is_file()]
    if missing:
        raise CommandError(
            f"CHUBEI_KEYS_DIR {folder}：缺少 / is without {', '.join(missing)}: "
            "放入密钥，或不设此项 / put the keys there, or leave it unset"
        )
    return folder
