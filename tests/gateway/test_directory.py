"""The directory of routes while services come up: a request that comes too early waits, and no longer than it must."""

import asyncio
import threading
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager
from typing import Any

import httpx
import pytest
from chubei_gateway.directory import Directory
from chubei_gateway.documents import Operation
from chubei_shared.errors import Unavailable
from fastapi import FastAPI
from fastapi.responses import JSONResponse, Response

Serve = Callable[..., AbstractContextManager[str]]
DOCUMENT = {"paths": {"/v1/labels": {"get": {"operationId": "labels", "x-roles": ["clerk"]}}}}
OWN: dict[str, Any] = {"paths": {}}


class Service:
    """Serves its document; `answers` are what comes before it, each when it is there."""

    def __init__(self) -> None:
        self.app = FastAPI(openapi_url=None)
        self.app.get("/openapi.json")(self._document)
        self.asked = 0
        self.answers: list[Callable[[], Awaitable[Response]]] = []

    async def _document(self) -> Response:
        self.asked += 1
        return await self.answers.pop(0)() if self.answers else JSONResponse(DOCUMENT)


def with_directory(url: str, test: Callable[[Directory], Awaitable[None]]) -> None:
    async def run() -> None:
        async with httpx.AsyncClient(trust_env=False) as http:
            await test(Directory({"allocation": url}, http, OWN))

    asyncio.run(run())


def test_who_asks_within_the_second_after_a_failed_try_is_served_all_the_same(
    serve: Serve, free_port: int
) -> None:
    """The service comes up just after the gateway looked; fifty requests come at once, and one read serves them."""
    service = Service()

    async def test(directory: Directory) -> None:
        await directory.read_suspects()
        with serve(service.app, free_port):
            found = await asyncio.gather(*(directory.find("GET", "/v1/labels") for _ in range(50)))
        assert {operation.path for operation in found} == {"/v1/labels"}
        assert service.asked == 1

    with_directory(f"http://127.0.0.1:{free_port}", test)


def test_who_asks_during_a_read_is_not_told_what_it_finds_but_what_the_next_one_does(serve: Serve) -> None:
    """The first read began before the service was ready, and ends after requests have come."""
    service = Service()
    begun, over = threading.Event(), threading.Event()

    async def not_ready() -> Response:
        begun.set()
        await asyncio.to_thread(over.wait)
        return Response(status_code=503)

    service.answers.append(not_ready)

    async def test(directory: Directory) -> None:
        early = asyncio.create_task(directory.find("GET", "/v1/labels"))
        await asyncio.to_thread(begun.wait)
        late = [asyncio.create_task(directory.find("GET", "/v1/labels")) for _ in range(20)]
        await asyncio.sleep(0)
        over.set()
        with pytest.raises(Unavailable):
            await early
        assert {(await one).path for one in late} == {"/v1/labels"}
        assert service.asked == 2

    with serve(service.app) as url:
        with_directory(url, test)


def test_a_service_that_stays_away_is_named(free_port: int) -> None:
    async def test(directory: Directory) -> None:
        outcomes: list[Operation | BaseException] = await asyncio.gather(
            *(directory.find("GET", "/v1/labels") for _ in range(50)), return_exceptions=True
        )
        assert {str(one) for one in outcomes} == {"服务尚未就绪:allocation / Not ready yet: allocation"}

    with_directory(f"http://127.0.0.1:{free_port}", test)
