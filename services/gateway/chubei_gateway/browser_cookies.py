"""A browser's session, in cookies that no script can read: nothing for XSS to take away.

`__Host-` cookies are Secure and this host's alone; SameSite=Strict keeps them out of what other sites send, and a
write must also carry a header that no other site can add. So CSRF has nothing to ride on.
"""

from http.cookies import CookieError, SimpleCookie
from typing import Final

from chubei_shared.contracts.identity import Tokens
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from chubei_gateway.sessions import LIFE

ACCESS: Final = "__Host-chubei-access"
REFRESH: Final = "__Host-chubei-refresh"
OURS: Final = "X-Requested-By"
"""Our pages send it. To send a header of its own, a page of another site would need our leave (CORS): we give none."""
_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})


def keep(response: Response, tokens: Tokens) -> None:
    """Put the tokens into the answer's cookies."""
    _set(response, ACCESS, tokens.access_token, tokens.expires_in_s)
    _set(response, REFRESH, tokens.refresh_token, int(LIFE.total_seconds()))


def forget(response: Response) -> None:
    for name in (ACCESS, REFRESH):
        _set(response, name, "", 0)


def _set(response: Response, name: str, value: str, life_s: int) -> None:
    response.set_cookie(name, value, max_age=life_s, path="/", secure=True, httponly=True, samesite="strict")


class CookieBearer:
    """ASGI middleware: who comes with our cookie is served as one who brought its token."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and (token := _token(scope["method"], Headers(scope=scope))):
            bearer = (b"authorization", f"Bearer {token}".encode("latin-1"))
            scope = {**scope, "headers": [*scope["headers"], bearer]}
        await self._app(scope, receive, send)


def _token(method: str, headers: Headers) -> str | None:
    cookies = headers.get("cookie")
    if cookies is None or "authorization" in headers or (method not in _SAFE and OURS not in headers):
        return None
    try:
        found = SimpleCookie(cookies).get(ACCESS)
    except CookieError:
        return None
    return found.value if found else None
