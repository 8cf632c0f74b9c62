"""The table of everything that `chubei up` runs, in order. docker-compose.yml lists the same parts."""

import os
import sys
from collections.abc import Callable, Iterable
from typing import Final

import httpx
from chubei_shared.settings import SERVICES, Service

from .addresses import plain, server_url
from .errors import NotReady
from .parts import Https, Parts
from .postgres import check_postgres
from .supervisor import Child
from .valkey import check_redis

_NAMES: Final = {"inventory": "库存 inventory", "allocation": "调配 allocation", "gateway": "网关 gateway"}
# Service, queue, name. A solve has a queue of its own, so that it holds up nothing else; so have the nightly checks.
_WORKERS: Final[tuple[tuple[Service, str, str], ...]] = (
    ("inventory", "inventory", "inventory-worker"),
    ("allocation", "allocation", "allocation-worker"),
    ("allocation", "solver", "allocation-solver"),
    ("allocation", "readiness", "allocation-readiness"),
)
_MOST_CHECKING: Final = 4
"""Processes of the worker for readiness, each of which plans by one thread: one for each processor, up to so many."""
_SCHEDULED: Final[tuple[Service, ...]] = ("inventory", "allocation")


def children(parts: Parts) -> list[Child]:
    """All rows, in the order in which they can start."""
    ours = [service for service in SERVICES if service in parts.ports]
    rows = [_database(parts), _broker(parts), _migrations(parts, ours)]
    rows += [
        _api(parts, service) if service in ours else _outside_api(parts, service) for service in SERVICES
    ]
    rows += [_https(parts, parts.https)] if parts.https else []
    rows += [_worker(parts, *row) for row in _WORKERS if row[0] in ours]
    rows += [_beat(parts, service) for service in _SCHEDULED if service in ours]
    rows += [_relay(parts, service) for service in ours]
    return rows


def _database(parts: Parts) -> Child:
    server = parts.postgres
    if server is None:
        return Child(
            "postgres",
            "数据库 PostgreSQL",
            command=(),
            where="CHUBEI_DATABASE_URL",
            check_ready=lambda _: check_postgres(plain(server_url(parts.database_url))),
            ready_within_s=60,
        )
    return Child(
        "postgres",
        "数据库 PostgreSQL",
        command=tuple(server.command()),
        environment=server.environment,
        where=f"127.0.0.1:{server.port}",
        prepare=server.prepare,
        check_ready=lambda _: server.check_ready(),
        user=server.user,
        stop_signal=server.stop_signal,
        orphan_signal=server.orphan_signal,
        stop_within_s=30,
    )


def _broker(parts: Parts) -> Child:
    server = parts.valkey
    if server is None:
        return Child(
            "valkey",
            "消息 Redis",
            command=(),
            where="CHUBEI_REDIS_URL",
            check_ready=lambda _: check_redis(parts.redis_url),
            ready_within_s=60,
        )
    return Child(
        "valkey",
        "消息 Valkey",
        command=tuple(server.command()),
        environment=server.environment,
        where=f"127.0.0.1:{server.port}",
        prepare=server.prepare,
        check_ready=lambda _: server.check_ready(),
        stop_signal=server.stop_signal,
        orphan_signal=server.orphan_signal,
    )


def _migrations(parts: Parts, services: Iterable[Service]) -> Child:
    return Child(
        "migrate",
        "数据库结构 migrations",
        command=(sys.executable, "-m", "chubei_cli.main", "migrate", *services),
        environment=parts.environment,
        needs=("postgres",),
        once=True,
    )


def _api(parts: Parts, service: Service) -> Child:
    return Child(
        service,
        f"{_NAMES[service]} API",
        command=_uvicorn(service, "127.0.0.1", parts.ports[service]),
        environment=parts.environment,
        needs=("migrate", "valkey"),
        where=parts.urls[service],
        check_ready=_answers(f"{parts.urls[service]}/healthz"),
    )


def _https(parts: Parts, https: Https) -> Child:
    """The gateway again, for other machines."""
    files = ("--ssl-certfile", str(https.certificate.cert), "--ssl-keyfile", str(https.certificate.key))
    return Child(
        "gateway-https",
        f"{_NAMES['gateway']} HTTPS",
        command=_uvicorn("gateway", "0.0.0.0", https.port, *files),
        environment=parts.environment,
        needs=("gateway",),
        where=https.urls[0],
        check_ready=_says("Uvicorn running on"),
    )


def _uvicorn(service: Service, host: str, port: int, *more: str) -> tuple[str, ...]:
    app = f"chubei_{service}.app:create_app"
    options = (
        "--host",
        host,
        "--port",
        str(port),
        "--no-access-log",
        "--no-proxy-headers",  # the rate limit counts by address: nobody may make one up
        "--timeout-graceful-shutdown",
        "3",
        *more,
    )
    return (sys.executable, "-m", "uvicorn", app, "--factory", *options)


def _outside_api(parts: Parts, service: Service) -> Child:
    url = parts.urls[service]
    return Child(
        service,
        f"{_NAMES[service]} API",
        command=(),
        where=url,
        check_ready=_answers(f"{url}/healthz"),
        ready_within_s=60,
    )


def _worker(parts: Parts, service: Service, queue: str, name: str) -> Child:
    at_once = min(_MOST_CHECKING, os.cpu_count() or 1) if queue == "readiness" else 1
    options = (
        "-Q",
        queue,
        "-c",
        str(at_once),
        "--pool",
        "prefork",
        "--prefetch-multiplier",
        "1",
        "-n",
        f"{queue}@%h",
    )
    return Child(
        name,
        f"后台任务 {name}",
        command=(*_celery(service), "worker", *options, "--without-gossip", "--without-mingle", "-l", "INFO"),
        environment=parts.environment,
        needs=("migrate", "valkey"),
        check_ready=_says(" ready."),
    )


def _beat(parts: Parts, service: Service) -> Child:
    schedule = parts.state / f"{service}-beat"
    return Child(
        f"{service}-beat",
        f"定时 {service}-beat",
        command=(*_celery(service), "beat", "-s", str(schedule), "--pidfile", "", "-l", "INFO"),
        environment=parts.environment,
        needs=("migrate", "valkey"),
        check_ready=_says("beat: Starting"),
    )


def _relay(parts: Parts, service: Service) -> Child:
    return Child(
        f"{service}-outbox",
        f"发件箱 {service}-outbox",
        command=(sys.executable, "-m", "chubei_shared.outbox", service),
        environment=parts.environment,
        needs=("migrate", "valkey"),
        check_ready=_says("start"),
    )


def _celery(service: Service) -> tuple[str, ...]:
    return (sys.executable, "-m", "celery", "-A", f"chubei_{service}.tasks:celery_app")


def _answers(url: str) -> Callable[[str], None]:
    # Made once (it reads all certificates), with no connection kept: the service must be free to stop.
    http = httpx.Client(timeout=2, trust_env=False, limits=httpx.Limits(max_keepalive_connections=0))

    def check(_: str) -> None:
        try:
            answer = http.get(url)
        except httpx.HTTPError as error:
            raise NotReady(f"{url}: {error}") from error
        if answer.status_code != 200:
            raise NotReady(f"{url}: HTTP {answer.status_code}")

    return check


def _says(words: str) -> Callable[[str], None]:
    def check(said: str) -> None:
        if words not in said:
            raise NotReady(f"日志中尚无 / not in the log yet: {words!r}")

    return check
