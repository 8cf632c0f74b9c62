"""The pages: what this is and how its parts are, and the API document (Swagger UI from its wheel, no CDN)."""

from html import escape
from importlib.resources import files
from string import Template
from typing import Final

from chubei_shared.access import allow_public
from chubei_shared.errors import NotFound
from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response

from chubei_gateway.headers import PAGE_POLICY
from chubei_gateway.health import health

_OURS: Final = files("chubei_gateway").joinpath("pages")
_SWAGGER_UI: Final = files("fastapi_offline").joinpath("static")
_PAGE: Final = {"Content-Security-Policy": PAGE_POLICY}
_DAY: Final = {"Cache-Control": "public, max-age=86400"}
_FILES: Final = {
    "style.css": (_OURS, "text/css"),
    "docs.js": (_OURS, "text/javascript"),
    "swagger-ui.css": (_SWAGGER_UI, "text/css"),
    "swagger-ui-bundle.js": (_SWAGGER_UI, "text/javascript"),
}
_NAMES: Final = {
    "database": "网关数据库 / Gateway's database",
    "redis": "消息 / Messages",
    "inventory": "库存 / Inventory",
    "allocation": "调配 / Allocation",
}
_STATES: Final = {"ok": "正常 / in order", "away": "连不上 / away"}

router = APIRouter(include_in_schema=False)


@router.get("/", response_class=HTMLResponse, **allow_public())
async def home(request: Request) -> HTMLResponse:
    """What this is, where the API is described, and how the parts are."""
    found = await health(request.app.state)
    rows = "\n".join(
        f'<li class="{escape(part.status)}"><span>{escape(_NAMES.get(part.name, part.name))}</span>'
        f" <b>{_STATES[part.status]}</b></li>"
        for part in found.parts
    )
    page = Template(_OURS.joinpath("home.html").read_text("utf-8")).substitute(parts=rows)
    return HTMLResponse(page, headers=_PAGE)


@router.get("/docs", response_class=HTMLResponse, **allow_public())
def docs() -> HTMLResponse:
    return HTMLResponse(_OURS.joinpath("docs.html").read_text("utf-8"), headers=_PAGE)


@router.get("/pages/{name}", **allow_public())
def page_file(name: str) -> Response:
    """A file that the pages ask for."""
    if name not in _FILES:
        raise NotFound(f"没有 {name}", f"There is no {name}")
    folder, kind = _FILES[name]
    return Response(folder.joinpath(name).read_bytes(), media_type=kind, headers=_DAY)
