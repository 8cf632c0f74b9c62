"""Addresses that people give, judged before anything starts: a slip is one line, not a part that dies."""

import httpx
import redis
from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from .errors import CommandError


def http_address(name: str, given: str) -> str:
    """The base URL of a service that the setting `name` gives. Raises CommandError."""
    try:
        url = httpx.URL(given)
    except httpx.InvalidURL:
        url = httpx.URL()
    if url.scheme not in ("http", "https") or not url.host:
        raise CommandError(f"{name} 不是网址 / is no address ({given!r}): give http://host:port")
    return given


def redis_address(given: str) -> str:
    """The server that CHUBEI_REDIS_URL names. Raises CommandError."""
    try:
        redis.Redis.from_url(given).close()
    except ValueError as error:
        raise CommandError(
            "CHUBEI_REDIS_URL 无效 / is not valid: give redis://[:password@]host:port/0"
        ) from error
    return given


def server_url(given: str) -> URL:
    """The server that CHUBEI_DATABASE_URL names, at its database `postgres`. Raises CommandError."""
    try:
        url = make_url(given)
        if url.get_backend_name() != "postgresql":
            raise ArgumentError(url.drivername)
    except (ArgumentError, ValueError) as error:
        raise CommandError(
            "CHUBEI_DATABASE_URL 未设或无效 / is not set or not valid: give postgresql://user:password@host:port"
        ) from error
    return url.set(drivername="postgresql+psycopg", database="postgres")


def plain(url: URL) -> str:
    """The URL as libpq reads it, with its password."""
    return url.set(drivername="postgresql").render_as_string(hide_password=False)
