"""The gateway: identity, sessions and audit of its own; everything else is forwarded."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from importlib.metadata import version

import httpx
from chubei_shared.settings import Settings
from chubei_shared.tokens import Signer
from chubei_shared.web import service_app
from fastapi import FastAPI

from chubei_gateway import (
    api_browser,
    api_live,
    api_map,
    api_pages,
    api_people,
    api_second_factor,
    api_sessions,
    forward,
)
from chubei_gateway.break_glass import api as api_break_glass
from chubei_gateway.browser_cookies import CookieBearer
from chubei_gateway.directory import Directory
from chubei_gateway.headers import SecurityHeaders
from chubei_gateway.links import api as api_links
from chubei_gateway.links.codes import Codes
from chubei_gateway.live import Broadcast, Outboxes
from chubei_gateway.oidc import api as api_oidc
from chubei_gateway.oidc.provider import Provider
from chubei_gateway.second_factor.keys import Keys
from chubei_gateway.upkeep import Upkeep

_DESCRIPTION = """区级应急物资储备的全部接口。先由 `POST /v1/sessions` 登录取得令牌,再点 Authorize 填入。

The whole API of a district's emergency reserves. Sign in with `POST /v1/sessions`, then give the access token
under Authorize. Failures are `application/problem+json`; who creates something mints its id, so that a retry
is the same request."""

_TAGS = {
    "sign-in": "登录与本人账户 / Signing in, and one's own account",
    "people": "人员与角色 / People and roles",
    "links": "链接:给没有账户的人 / Links for people without an account",
    "audit": "审计 / What was done",
    "live": "实时事件、各部分状态、地图底图 / Live events, the state of the parts, the map’s ground",
    "care": "库存养护 / Care of stock: what is due, and the tasks it makes",
    "stocktakes": "盘点 / Stocktakes: blind counts, differences, how right the books were",
    "catalogue": "目录、救助标准、地点 / Items, kits, places",
    "proof": "账目核对 / Proof that the books are true",
    "stock": "库存与变动流水 / Stock and movements",
    "offline": "离线作业 / Work done offline, and what is in dispute",
    "holds": "预留 / Stock promised to a plan",
    "reserves": "协议、产能、资金储备 / Agreements, capacity commitments, funds",
    "supply": "可调用资源 / What can be had by when, over all modes",
    "exchange": "导入、导出 / Lists in and out, as Excel and CSV",
    "bins": "货位 / Bins, and what lies in them",
    "papers": "单据与标签 / Papers and labels to print",
    "network": "区情、安置点、车辆 / The district, shelters, fleet",
    "posts": "岗位 / Posts, and who holds them",
    "notices": "通知 / What posts were told",
    "response": "响应预案与任务 / The response plan, and tasks",
    "incidents": "突发事件 / Incidents and who needs help",
    "call-out": "点名:保管员、装卸工、司机 / Keepers, loaders and drivers, called on the night",
    "confirmations": "供应商确认 / What suppliers confirm before a plan",
    "deviations": "情况变化与调整 / What went otherwise than planned, and what it does",
    "plans": "方案与审批 / Plans and their approval",
    "orders": "调拨单 / Dispatch orders and their steps",
    "shelters": "安置点:接收、发放、增补、归还 / What keepers do at their shelters",
    "aftermath": "复盘 / Afterwards: time line, planned against actual, what is owed",
    "exercises": "演练 / Exercises: scripts, injects, scores",
    "reports": "报告:草拟、签发 / Reports upward, drafted and signed",
    "readiness": "保障能力检查 / Whether the duty can be kept, proved each night",
    "events": "已发布的事件 / Published events, to catch up by number",
}


def create_app(settings: Settings | None = None) -> FastAPI:
    """The gateway's app, for uvicorn --factory. It answers at once; services may come later."""
    routers = (
        api_sessions.router,
        api_browser.router,
        api_second_factor.router,
        api_break_glass.router,
        api_oidc.router,
        api_people.people,
        api_links.router,
        api_people.done,
        api_live.router,
        api_map.router,
        api_pages.router,
    )
    app = service_app("gateway", "Chubei 储备 API", routers, settings, _lifespan, notes_acts=False)
    app.openapi_tags = [{"name": name, "description": said} for name, said in _TAGS.items()]
    app.description, app.version = _DESCRIPTION, version("chubei-gateway")
    app.state.signer = Signer(app.state.settings.keys_dir, "gateway")
    app.state.second_factor_keys = Keys(app.state.settings.keys_dir)
    app.state.link_codes = Codes(app.state.settings.keys_dir)
    app.state.oidc = Provider(app.state.settings) if app.state.settings.oidc_issuer else None
    app.add_middleware(CookieBearer)
    app.add_middleware(SecurityHeaders)
    app.router.redirect_slashes = False
    app.include_router(forward.router)
    app.include_router(api_pages.application)  # last: it takes every path
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    state, settings = app.state, app.state.settings
    urls = {"inventory": settings.inventory_url, "allocation": settings.allocation_url}
    own = app.openapi()
    async with httpx.AsyncClient(
        timeout=httpx.Timeout(60, connect=3), limits=httpx.Limits(max_connections=200), trust_env=False
    ) as state.http:
        state.directory = Directory(urls, state.http, own)
        state.outboxes = Outboxes(urls, state.http, state.signer, state.tx)
        state.broadcast = Broadcast(settings.redis_url)
        app.openapi = state.directory.document  # type: ignore[method-assign]
        upkeep = Upkeep(settings, state.tx, state.redis)
        await upkeep.attempt()  # who finds the gateway up finds the first account
        tasks = [asyncio.create_task(task) for task in (upkeep.run(), state.directory.keep_fresh())]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task
            state.broadcast.close()
