"""`chubei doctor`: are the records of all parts true, and is nothing cut off? It reads, and changes nothing.

It asks the databases themselves, so that it works while the services are down. What it has seen of each audit chain
it remembers beside the state (STATE/seals.json): when the end of a chain is cut off, the next visit shows it.
"""

import json
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from chubei_allocation import proof as allocation_proof
from chubei_gateway import proof as gateway_proof
from chubei_inventory.proof import checks as inventory_checks
from chubei_inventory.proof.words import WORDS as INVENTORY_WORDS
from chubei_shared import proof, seals
from chubei_shared.db import make_engine
from chubei_shared.hash_chain import Anchor
from chubei_shared.proof import Found
from chubei_shared.settings import SERVICES, Service
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from sqlalchemy import URL, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from . import doctor_rules as rules
from .addresses import redis_address, server_url
from .doctor_rules import HoldState, Part
from .doctor_screen import show
from .errors import CommandError, NotReady
from .parts import outside
from .postgres import PostgresServer
from .secret import write_private
from .state import StateFolder, state_folder
from .valkey import ValkeyServer, check_redis

_TITLES: Final = {"inventory": "库存 inventory", "allocation": "调配 allocation", "gateway": "网关 gateway"}
_ORDERS: Final = "调拨单与预留 orders and holds"
_ONE_MOMENT: Final = text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")


def doctor(
    state: Annotated[
        Path | None, typer.Option("--state", envvar="CHUBEI_STATE", help="状态文件夹 / the state folder")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="输出 JSON / answer in JSON")] = False,
    anchor: Annotated[
        list[str] | None,
        typer.Option(help="此前记下的封存号,如 gateway:12:ab34… / a seal that was told before"),
    ] = None,
) -> None:
    """核对全部账目与审计链,不改动(退出码:0 一致,1 有差异,2 无法核对) / prove all records (exit code 0, 1, 2)."""
    folder = state_folder(state)
    anchors = _remembered(folder.path)
    for given in anchor or ():
        service, told = _anchor(given)
        anchors[service].append(told)
    server, redis_url = _addresses(folder)
    with _bar() as looking_at:
        parts, heads = examine(server, redis_url, folder.path, anchors, looking_at)
    _remember(folder.path, heads)
    if as_json:
        typer.echo(json.dumps(_document(parts, heads), ensure_ascii=False, indent=1))
    else:
        show(parts, heads)
    raise typer.Exit(rules.exit_code(parts))


@contextmanager
def _bar() -> Iterator[Callable[[str], None]]:
    """A bar on a terminal's standard error, which says what is looked at and for how long: large books take minutes."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    screen = Console(stderr=True)
    with Progress(*columns, console=screen, transient=True, disable=not screen.is_terminal) as bar:
        task = bar.add_task("", total=len(SERVICES) + 1, completed=-1)
        yield lambda title: bar.update(task, description=title, advance=1)


def examine(
    server: URL,
    redis_url: str,
    folder: Path,
    anchors: dict[Service, list[Anchor]],
    looking_at: Callable[[str], None] = lambda _: None,
) -> tuple[list[Part], dict[Service, Anchor]]:
    """All parts, and the newest seal of each chain that is whole. `looking_at` is told each part that takes long."""
    parts, heads = [_database(server), _broker(redis_url), _disk(folder)], {}
    prefix = os.environ.get("CHUBEI_DATABASE_PREFIX") or "chubei"
    urls = {service: server.set(database=f"{prefix}_{service}") for service in SERVICES}
    for service, url in urls.items():
        looking_at(_TITLES[service])
        part, head = _service(service, url, anchors[service])
        parts.append(part)
        if head is not None and not any(d.check == "chain" for d in part.differences):
            heads[service] = head
    looking_at(_ORDERS)
    parts.append(_orders_against_holds(urls["allocation"], urls["inventory"]))
    return parts, heads


@contextmanager
def _reading(url: URL) -> Iterator[Session]:
    """A session that sees one moment, and can write nothing."""
    engine = make_engine(url, pool_size=1)
    try:
        with Session(engine) as session:
            session.execute(_ONE_MOMENT)
            yield session
    finally:
        engine.dispose()


def _database(server: URL) -> Part:
    part = Part("database", "数据库 PostgreSQL")
    try:
        with _reading(server) as session:
            before = time.time()
            now = float(session.scalars(text("SELECT extract(epoch FROM clock_timestamp())")).one())
            apart_s = now - (before + time.time()) / 2
    except SQLAlchemyError as error:
        return _unknown(part, error)
    part.facts.append(f"时钟差 clock difference {apart_s:+.1f} s")
    if abs(apart_s) > rules.CLOCK_S:
        found = Found("clock", {"service": "database"}, f"within {rules.CLOCK_S} s", f"{apart_s:+.0f} s")
        part.differences.append(proof.told(found, rules.WORDS))
    return part


def _broker(redis_url: str) -> Part:
    part = Part("broker", "消息 Valkey")
    try:
        check_redis(redis_url)
    except NotReady as error:
        part.trouble = str(error)
    return part


def _disk(folder: Path) -> Part:
    part = Part("disk", "磁盘 disk")
    usage = shutil.disk_usage(folder if folder.exists() else Path.cwd())
    free = usage.free / usage.total
    part.facts.append(f"可用 free {usage.free / 2**30:.1f} GiB ({free:.0%})")
    if free < rules.DISK_FREE:
        found = Found("disk", {"path": str(folder)}, f"{rules.DISK_FREE:.0%} free", f"{free:.1%} free")
        part.differences.append(proof.told(found, rules.WORDS))
    return part


def _service(service: Service, url: URL, anchors: list[Anchor]) -> tuple[Part, Anchor | None]:
    part = Part(service, _TITLES[service])
    try:
        with _reading(url) as session:
            part.differences += _differences(service, session, anchors)
            head = seals.newest(session)
    except SQLAlchemyError as error:
        return _unknown(part, error), None
    if head is not None:
        part.facts.append(f"最新封存 last seal {service}:{head.number}:{head.hash.hex()}")
    return part, head


def _differences(service: Service, session: Session, anchors: list[Anchor]) -> list[Any]:
    if service == "gateway":
        return [proof.told(one, gateway_proof.WORDS) for one in gateway_proof.differences(session, anchors)]
    if service == "allocation":
        found = allocation_proof.differences(session, anchors)
        return [proof.told(one, allocation_proof.WORDS) for one in found]
    of_books = [
        proof.told(one, INVENTORY_WORDS)
        for _, found in inventory_checks.differences(session, anchors)
        for one in found
    ]
    return of_books + [proof.told(one, rules.WORDS) for one in _night(session)]


def _night(session: Session) -> Iterator[Found]:
    """The nightly proof is late, counted from the last one, or from the first movement."""
    age_h = session.scalar(
        text(
            "SELECT extract(epoch FROM now() - coalesce("
            "(SELECT max(finished_at) FROM proof_run WHERE night IS NOT NULL), "
            "(SELECT recorded_at FROM movement ORDER BY seq LIMIT 1))) / 3600"
        )
    )
    if age_h is not None and age_h > rules.NIGHT_H:
        yield Found("night", {"table": "proof_run"}, f"within {rules.NIGHT_H} h", f"{age_h:.0f} h ago")


def _orders_against_holds(allocation: URL, inventory: URL) -> Part:
    """What each side says of the other, and what is claimed is read before what it claims."""
    part = Part("orders", _ORDERS)
    try:
        with _reading(allocation) as session:
            before = allocation_proof.claims(session)
        with _reading(inventory) as session:
            status = "CASE WHEN status = 'open' AND expires_at <= now() THEN 'expired' ELSE status END"
            holds = [
                HoldState(*row)
                for row in session.execute(text(f"SELECT id, purpose, {status} FROM hold"))  # noqa: S608
            ]
            orders = text("SELECT DISTINCT order_id FROM movement WHERE order_id IS NOT NULL")
            named = list(session.scalars(orders))
            wanted = text("SELECT id FROM movement WHERE id = ANY(:ids)")
            claimed = [*before.movements.values(), *before.of_shelters.values()]
            movements = list(session.scalars(wanted, {"ids": claimed}))
        with _reading(allocation) as session:
            after = allocation_proof.claims(session)
    except SQLAlchemyError as error:
        return _unknown(part, error)
    found = [
        *rules.plans_against_holds(before, holds),
        *rules.holds_against_plans(holds, after),
        *rules.steps_against_movements(before, movements),
        *rules.movements_against_orders(named, after),
    ]
    part.differences += [proof.told(one, rules.WORDS) for one in found]
    part.facts.append(f"{len(before.holds)} 个方案 plans, {len(named)} 张调拨单 orders")
    return part


def _unknown(part: Part, error: SQLAlchemyError) -> Part:
    part.trouble = " ".join(str(getattr(error, "orig", None) or error).split())
    return part


def _addresses(folder: StateFolder) -> tuple[URL, str]:
    """The database server and the broker: what the environment says, else those of the `up` that runs."""
    running = folder.running()
    ports = running.ports if running else {}
    database_url, redis_url = outside("DATABASE_URL"), outside("REDIS_URL")
    if not database_url and "postgres" in ports:
        database_url = PostgresServer(folder.path / "postgres", port=ports["postgres"]).url
    if not redis_url and "valkey" in ports:
        redis_url = ValkeyServer(folder.path / "valkey", port=ports["valkey"]).url
    if not database_url or not redis_url:
        raise CommandError(
            f"{folder.path} 上没有运行的系统:先执行 chubei up,或设 CHUBEI_DATABASE_URL 与 CHUBEI_REDIS_URL / nothing "
            "runs on it: start chubei up, or set CHUBEI_DATABASE_URL and CHUBEI_REDIS_URL"
        )
    return server_url(database_url), redis_address(redis_url)


def _anchor(given: str) -> tuple[Service, Anchor]:
    service, _, rest = given.partition(":")
    number, _, told = rest.partition(":")
    for known in SERVICES:
        if known == service and number.isdecimal() and len(told) == 64:
            try:
                return known, Anchor(int(number), bytes.fromhex(told))
            except ValueError:
                break
    raise CommandError(
        f"--anchor 无效 / is not valid ({given!r}): 照抄上次的“最新封存” / give a last seal as it was told, "
        "SERVICE:NUMBER:HASH"
    )


def _remembered(folder: Path) -> dict[Service, list[Anchor]]:
    """The newest seals of the last visit. Raises CommandError for a file that can not be read."""
    anchors: dict[Service, list[Anchor]] = {service: [] for service in SERVICES}
    file = folder / "seals.json"
    try:
        for told in json.loads(file.read_text()) if file.exists() else ():
            service, anchor = _anchor(told)
            anchors[service].append(anchor)
    except (OSError, ValueError) as error:
        raise CommandError(f"{file}: {error}; 移走后重试 / move it away and try again") from error
    return anchors


def _remember(folder: Path, heads: dict[Service, Anchor]) -> None:
    """Keep the newest seals of whole chains; of the others what was known before."""
    known = {service: anchors[-1] for service, anchors in _remembered(folder).items() if anchors} | heads
    if not folder.is_dir():
        return
    try:
        write_private(folder / "seals.json", json.dumps([_told(*one) for one in sorted(known.items())]))
    except OSError as error:
        raise CommandError(f"{folder / 'seals.json'}: {error}") from error


def _told(service: Service, head: Anchor) -> str:
    return f"{service}:{head.number}:{head.hash.hex()}"


def _document(parts: list[Part], heads: dict[Service, Anchor]) -> dict[str, Any]:
    return {
        "state": ("clean", "differences", "unknown")[rules.exit_code(parts)],
        "parts": [
            {**asdict(part), "state": part.state,
             "differences": [d.model_dump(mode="json") for d in part.differences]}
            for part in parts
        ],
        "seals": [_told(*one) for one in sorted(heads.items())],
    }  # fmt: skip
