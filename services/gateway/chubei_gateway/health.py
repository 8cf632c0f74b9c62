"""How the parts of the house are: asked now, all at once."""

import asyncio

import httpx
import redis
from chubei_shared.contracts.identity import Health, PartHealth
from chubei_shared.db import Transactions
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import State


async def health(state: State) -> Health:
    """The gateway's database, the Redis-protocol server, and each service with its database."""
    services = [_answers(state.http, part.name, part.url) for part in state.directory.parts.values()]
    parts = await asyncio.gather(
        run_in_threadpool(_database, state.tx), run_in_threadpool(_redis, state.redis), *services
    )
    return Health(status="ok" if all(part.status == "ok" for part in parts) else "degraded", parts=parts)


async def _answers(http: httpx.AsyncClient, name: str, url: str) -> PartHealth:
    try:
        (await http.get(f"{url}/healthz", timeout=3)).raise_for_status()
    except httpx.HTTPError:
        return PartHealth(name=name, status="away")
    return PartHealth(name=name, status="ok")


def _database(tx: Transactions) -> PartHealth:
    try:
        tx(lambda session: session.execute(text("SELECT 1")))
    except SQLAlchemyError:
        return PartHealth(name="database", status="away")
    return PartHealth(name="database", status="ok")


def _redis(client: "redis.Redis") -> PartHealth:
    try:
        client.ping()
    except redis.RedisError:
        return PartHealth(name="redis", status="away")
    return PartHealth(name="redis", status="ok")
