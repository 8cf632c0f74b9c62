"""The web application, as `make setup` has built it, and the API document (Swagger UI from its wheel, no CDN)."""

import gzip
from functools import lru_cache
from importlib.resources import files
from mimetypes import guess_type
from pathlib import Path
from typing import Final

from chubei_shared.access import allow_public
from chubei_shared.errors import NotFound, Unavailable
from fastapi import APIRouter, Request
from fastapi.responses import FileResponse, HTMLResponse, Response

from chubei_gateway.headers import page_policy

_WEB: Final = Path(__file__).parent / "web"
_OURS: Final = files("chubei_gateway").joinpath("pages")
_SWAGGER_UI: Final = files("fastapi_offline").joinpath("static")
_PAGE: Final = page_policy()
_DAY: Final = {"Cache-Control": "public, max-age=86400"}
_FOR_EVER: Final = {
    "Cache-Control": "public, max-age=31536000, immutable"
}  # a build names files by their content
_ASK: Final = {"Cache-Control": "no-cache"}
_FILES: Final = {
    "style.css": (_OURS, "text/css"),
    "docs.js": (_OURS, "text/javascript"),
    "swagger-ui.css": (_SWAGGER_UI, "text/css"),
    "swagger-ui-bundle.js": (_SWAGGER_UI, "text/javascript"),
}

router = APIRouter(include_in_schema=False)
application = APIRouter(include_in_schema=False)
"""To be included last: it takes every path."""


@router.get("/docs", response_class=HTMLResponse, **allow_public())
def docs() -> HTMLResponse:
    return HTMLResponse(_OURS.joinpath("docs.html").read_text("utf-8"), headers=_PAGE)


@router.get("/pages/{name}", **allow_public())
def page_file(name: str) -> Response:
    """A file that the API document asks for."""
    if name not in _FILES:
        raise NotFound(f"没有 {name}", f"There is no {name}")
    folder, kind = _FILES[name]
    return Response(folder.joinpath(name).read_bytes(), media_type=kind, headers=_DAY)


@router.get("/assets/{name}", **allow_public())
def asset(name: str, request: Request) -> Response:
    found = _WEB / "assets" / name
    if not found.is_file():
        raise NotFound(f"没有 {name}", f"There is no {name}")
    # a worker has the policy that its script came with
    headers = _FOR_EVER | _policy(request) | {"Vary": "Accept-Encoding"}
    if "gzip" not in request.headers.get("accept-encoding", ""):
        return FileResponse(found, headers=headers)
    headers["Content-Encoding"] = "gzip"
    return Response(_squeezed(found), media_type=guess_type(name)[0], headers=headers)


@lru_cache(maxsize=500)
def _squeezed(asset: Path) -> bytes:
    """A phone in a basement's doorway has little bandwidth. Nothing secret is in these files (BREACH)."""
    return gzip.compress(asset.read_bytes(), 9)


@application.get("/{path:path}", **allow_public())
def page(path: str, request: Request) -> Response:
    """A file at the root of the application; for a browser, any other path is one of its pages."""
    found = _WEB / path
    if "/" not in path and found.is_file():  # sw.js, the manifest, the icon
        return FileResponse(found, headers=_ASK | _policy(request))
    if "text/html" not in request.headers.get("accept", ""):
        raise NotFound(f"没有 /{path}", f"There is no /{path}: see /docs")
    if not (_WEB / "index.html").is_file():
        raise Unavailable("网页尚未构建,请运行 make setup", "The pages are not built: run make setup")
    return FileResponse(_WEB / "index.html", headers=_ASK | _policy(request))


def _policy(request: Request) -> dict[str, str]:
    source = request.app.state.settings.tile_source
    return page_policy(source.host if source else None)
