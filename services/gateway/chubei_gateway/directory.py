"""Which service serves which path, and for whom: read from the services' own OpenAPI documents.

Nothing is written down twice, and what no document names does not exist. Documents are fetched as the
gateway runs, so services may start later, restart, or bring new routes.
"""

import asyncio
import time
from dataclasses import dataclass, field
from typing import Final

import httpx
from chubei_shared.errors import NotFound, Unavailable
from chubei_shared.telemetry import log
from starlette.exceptions import HTTPException

from chubei_gateway.documents import Document, Operation, merge, operations

_FRESH_S: Final = 30.0
_RETRY_S: Final = 1.0


@dataclass
class Part:
    """A service behind the gateway, as far as it is known."""

    name: str
    url: str
    document: Document | None = None
    operations: list[Operation] = field(default_factory=list)
    read_at: float = float("-inf")
    """Monotonic; of the last document that arrived."""
    suspect: bool = True
    """Not yet read, or away since: read again soon."""


class Directory:
    """The services behind the gateway. Used from one event loop."""

    def __init__(self, urls: dict[str, str], http: httpx.AsyncClient, own: Document) -> None:
        """`own` is the gateway's own document."""
        self.parts = {name: Part(name, url) for name, url in urls.items()}
        self._http, self._own = http, own
        self._own_operations = operations("gateway", self._own)
        self._merged: Document | None = None
        self._reading = asyncio.Lock()
        self._tried_at = float("-inf")

    def document(self) -> Document:
        """The document of the whole API, as far as the services are known."""
        if self._merged is None:
            known = {part.name: part.document for part in self.parts.values() if part.document}
            self._merged = merge(self._own, known)
        return self._merged

    async def find(self, method: str, path: str) -> Operation:
        """The operation that serves a request. Raises NotFound, HTTPException 405, or Unavailable."""
        if found := self._match(method, path):
            return found
        self._suspect_older_than(_RETRY_S)
        await self.read_suspects()
        if found := self._match(method, path):
            return found
        known = [*self._own_operations, *self._all()]
        if allowed := sorted({o.method for o in known if o.pattern.fullmatch(path)}):
            names = ", ".join(allowed)
            raise HTTPException(405, f"请用 {names} / use {names}", {"Allow": names})
        if unread := self._unread():
            names = ", ".join(unread)
            raise Unavailable(f"服务尚未就绪:{names}", f"Not ready yet: {names}", services=unread)
        raise NotFound(f"没有 {path}", f"There is no {path}: see /docs")

    def suspect(self, service: str) -> None:
        """The service did not answer: it may come back as another version."""
        self.parts[service].suspect = True

    async def read_suspects(self) -> None:
        """Read the documents of services that were away, once a second at most.

        While there are some that were never read, who asks waits until the second is over, and all who wait share
        one read that began after they asked: nobody is told "not ready" by an older look.
        """
        asked_at = time.monotonic()
        async with self._reading:
            rest_s = self._tried_at + _RETRY_S - time.monotonic()
            if self._tried_at > asked_at or (rest_s > 0 and not self._unread()):
                return
            await asyncio.sleep(rest_s)
            self._tried_at = time.monotonic()
            await asyncio.gather(*(self._read(part) for part in self.parts.values() if part.suspect))

    async def keep_fresh(self) -> None:
        """Read what is suspect or old, for ever."""
        while True:
            self._suspect_older_than(_FRESH_S)
            await self.read_suspects()
            await asyncio.sleep(_RETRY_S)

    def _suspect_older_than(self, age_s: float) -> None:
        for part in self.parts.values():
            part.suspect = part.suspect or time.monotonic() - part.read_at > age_s

    async def _read(self, part: Part) -> None:
        try:
            answer = await self._http.get(f"{part.url}/openapi.json", timeout=5)
            document = answer.raise_for_status().json()
            found = operations(part.name, document)
        except (httpx.HTTPError, ValueError, KeyError, TypeError, AttributeError) as error:
            if part.document is None:
                log.info("service not ready", extra={"part": part.name, "error": str(error)})
            return
        part.read_at, part.suspect = time.monotonic(), False
        if document != part.document:
            part.document, part.operations, self._merged = document, found, None
            log.info("routes read", extra={"part": part.name, "operations": len(found)})

    def _match(self, method: str, path: str) -> Operation | None:
        return next((o for o in self._all() if o.method == method and o.pattern.fullmatch(path)), None)

    def _unread(self) -> list[str]:
        return [part.name for part in self.parts.values() if part.document is None]

    def _all(self) -> list[Operation]:
        return [operation for part in self.parts.values() for operation in part.operations]
