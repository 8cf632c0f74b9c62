"""Routes by which a browser signs in at the identity provider and comes back. Failures lead to our sign-in page."""

import json
from typing import Annotated, Final
from urllib.parse import quote

from chubei_shared.access import Tx, allow_public
from chubei_shared.contracts.identity import SignInWays
from chubei_shared.errors import NotFound, Unavailable
from chubei_shared.settings import Settings
from chubei_shared.telemetry import log
from fastapi import APIRouter, Cookie, Query, Request
from fastapi.responses import RedirectResponse

from chubei_gateway import api_sessions, browser_cookies
from chubei_gateway.api_parameters import address_of
from chubei_gateway.limits import Tries
from chubei_gateway.oidc import signing_in
from chubei_gateway.oidc.provider import Attempt, NotProved, Provider
from chubei_gateway.sessions import Refused

router = APIRouter(tags=["sign-in"])
_COOKIE: Final = "__Host-chubei-oidc"
"""The browser that set out is the one that comes back. Lax: it comes from the provider's site."""
_LIFE_S: Final = 600
Long = Annotated[str, Query(max_length=2000)]


@router.get("/v1/sign-in-ways", summary="登录方式 / Ways to sign in", **allow_public())
def read_ways(request: Request) -> SignInWays:
    """Besides the password: the identity provider's name, where one is configured."""
    settings: Settings = request.app.state.settings
    return SignInWays(oidc=settings.oidc_name if settings.oidc_issuer else None)


@router.get("/v1/oidc:start", summary="去统一身份认证登录 / Sign in at the provider", status_code=303,
            response_class=RedirectResponse, **allow_public())  # fmt: skip
def start(request: Request, to: Long = "/") -> RedirectResponse:
    """Leads there; `to` is a path of ours to come back to in the end."""
    provider = _provider(request)
    Tries.of_link(request.app.state.redis, address_of(request)).take()
    attempt = Attempt.new()
    try:
        answer = RedirectResponse(provider.address(attempt, _back(request)), status_code=303)
    except Unavailable:
        return _refused("away")
    kept = json.dumps({"nonce": attempt.nonce, "verifier": attempt.verifier, "to": to})
    request.app.state.redis.set(_key(attempt.state), kept, ex=_LIFE_S)
    answer.set_cookie(
        _COOKIE, attempt.state, max_age=_LIFE_S, path="/", secure=True, httponly=True, samesite="lax"
    )
    return answer


@router.get("/v1/oidc:return", summary="从统一身份认证返回 / Come back from the provider", status_code=303,
            response_class=RedirectResponse, **allow_public())  # fmt: skip
def come_back(
    request: Request,
    tx: Tx,
    state: Long = "",
    code: Long = "",
    started: Annotated[str, Cookie(alias=_COOKIE, max_length=200)] = "",
) -> RedirectResponse:
    """A state is good for one return, of the browser that set out."""
    provider = _provider(request)
    Tries.of_link(request.app.state.redis, address_of(request)).take()
    kept = request.app.state.redis.getdel(_key(state)) if state and state == started else None
    if not kept or not code:
        return _refused("stale")
    told = json.loads(kept)
    try:
        attempt = Attempt(state, told["nonce"], told["verifier"])
        proved = provider.proved(code, attempt, _back(request))
    except Unavailable:
        return _refused("away")
    except NotProved as error:
        log.warning("not signed in by the identity provider", extra={"error": str(error)})
        return _refused("not-proved")
    required = request.app.state.settings.second_factor == "required"
    opened = tx(signing_in.sign_in, proved, api_sessions.visitor(request), required)
    if isinstance(opened, Refused):
        return _refused("no-account" if opened is Refused.PASSWORD else "second-factor")
    answer = _leads_to(told["to"])
    browser_cookies.keep(answer, api_sessions.tokens(request, opened))
    return answer


def _provider(request: Request) -> Provider:
    provider: Provider | None = request.app.state.oidc
    if provider is None:
        raise NotFound(
            "未配置统一身份认证,请用用户名和密码登录",
            "No identity provider is configured: sign in with a password",
        )
    return provider


def _back(request: Request) -> str:
    """Where the provider sends people back to; it has to know this address."""
    return str(request.url_for("come_back"))


def _key(state: str) -> str:
    return f"chubei:oidc:{state}"


def _refused(why: str) -> RedirectResponse:
    return _leads_to(f"/sign-in?refused={why}")


def _leads_to(path: str) -> RedirectResponse:
    """Within this house, whatever somebody asked for. The cookie of the attempt has done its work."""
    ours = path if path.startswith("/") and not path.startswith(("//", "/\\")) else "/"
    answer = RedirectResponse(quote(ours, safe="/?=&%#:-._~"), status_code=303)
    answer.set_cookie(_COOKIE, "", max_age=0, path="/", secure=True, httponly=True, samesite="lax")
    return answer
