"""The frame of a service: one FastAPI app with problem+json, request log, token check, health and event catch-up."""

from collections.abc import Iterable
from typing import Annotated, Any

import redis
from fastapi import APIRouter, FastAPI, Query
from fastapi.routing import APIRoute, iter_route_contexts
from redis.backoff import NoBackoff
from redis.retry import Retry
from sqlalchemy import text
from starlette.types import Lifespan

from chubei_shared import outbox, problems, telemetry
from chubei_shared.access import Tx, allow, allow_public
from chubei_shared.db import Transactions, make_engine
from chubei_shared.events import Event
from chubei_shared.middleware import BodyLimit, RequestLog
from chubei_shared.settings import Service, Settings
from chubei_shared.tokens import Role, Verifier

_PROBLEMS: dict[int | str, dict[str, Any]] = {
    code: {
        "description": text_,
        "content": {problems.PROBLEM_JSON: {"schema": problems.REFERENCE}},
    }
    for code, text_ in {
        400: "无法读取 / can not be read",
        401: "请先登录 / sign in first",
        403: "权限不足 / not allowed",
        404: "未找到 / not found",
        409: "与现状冲突 / in conflict with what is there",
        412: "记录已被他人更改 / changed since it was read",
        413: "内容过大 / too large",
        422: "内容有误 / invalid content",
        428: "缺少 If-Match / If-Match is missing",
        429: "请稍候 / too many attempts",
        503: "暂不可用,请重试 / not available: retry",
    }.items()
}


def redis_client(settings: Settings) -> "redis.Redis":
    """A client that tries twice at once and then gives up: every request waits for it, and can do without."""
    return redis.Redis.from_url(
        settings.redis_url,
        socket_timeout=2,
        socket_connect_timeout=2,
        health_check_interval=30,
        retry=Retry(NoBackoff(), 1),
    )


def service_app(
    service: Service,
    title: str,
    routers: Iterable[APIRouter],
    settings: Settings | None = None,
    lifespan: Lifespan[FastAPI] | None = None,
    notes_acts: bool = True,
) -> FastAPI:
    """The app of `service`; `app.state` carries settings, tx, redis and verifier. `lifespan` runs as it serves.

    With `notes_acts` what routes do goes into the audit (a service whose verbs do that themselves says no).

    Raises AssertionError when a route does not say which roles it lets in: nothing is open by omission.
    """
    telemetry.configure(service)
    settings = settings or Settings()
    app = FastAPI(
        title=title,
        docs_url=None,  # pages come from the gateway, for the whole API
        redoc_url=None,
        responses=_PROBLEMS,
        lifespan=lifespan,
        generate_unique_id_function=lambda route: route.name,
    )
    engine = make_engine(settings.database(service))
    app.state.settings, app.state.tx = settings, Transactions(engine)
    app.state.notes_acts = notes_acts
    app.state.redis = redis_client(settings)
    app.state.verifier = Verifier(settings.keys_dir, app.state.redis)
    problems.install_handlers(app)
    problems.describe(app)
    app.add_middleware(BodyLimit)
    app.add_middleware(RequestLog)
    for router in (*routers, _common(service)):
        app.include_router(router)
    for route in iter_route_contexts(app.routes):
        if isinstance(route.original_route, APIRoute):
            assert "x-roles" in (route.openapi_extra or {}), f"{route.path} does not say whom it lets in"  # noqa: S101
    return app


def _common(service: Service) -> APIRouter:
    router = APIRouter()

    @router.get("/healthz", include_in_schema=False, **allow_public())
    def healthz(tx: Tx) -> dict[str, str]:
        tx(lambda session: session.execute(text("SELECT 1")))
        return {"service": service, "status": "ok"}

    def read_events(
        tx: Tx,
        after: Annotated[int, Query(ge=0, lt=2**63)] = 0,
        newest: bool = False,
        limit: Annotated[int, Query(ge=1, le=1000)] = 500,
    ) -> list[Event]:
        """Events with seq > after; with `newest`, the newest alone: where a listener begins."""
        if newest:
            return tx(outbox.newest, service)
        return tx(outbox.published_after, service, after, limit)

    # The path names the service, because the gateway serves all paths under one roof.
    router.add_api_route(
        f"/v1/{service}/events",
        read_events,
        methods=["GET"],
        name=f"read_{service}_events",
        summary=f"已发布的事件 / published events of {service}, by sequence number",
        tags=["events"],
        **allow(Role.COMMANDER, Role.APPROVER, Role.AUDITOR, Role.ADMIN, Role.SERVICE, Role.CLERK),
    )
    return router
