"""What a route is given, and whom it lets in: `tx: Tx`, `caller: CurrentCaller`, `**allow(Role.CLERK)`."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from chubei_shared import audit
from chubei_shared.db import Transactions
from chubei_shared.errors import Forbidden, Unauthorized
from chubei_shared.tokens import Caller, Role, Verifier, check_roles

PUBLIC = "public"


def act_of(request: Request) -> audit.Act | None:
    """What is being done, and by whom; None for what only reads, and for callers who are not known."""
    caller: Caller | None = getattr(request.state, "caller", None)
    if caller is None or request.method in ("GET", "HEAD"):
        return None
    route = request.scope.get("route")
    path = getattr(route, "path", request.url.path)
    return audit.Act(caller.person, f"{request.method} {path}", request.url.path)


async def _transactions(request: Request) -> Transactions:
    tx: Transactions = request.app.state.tx
    return audit.Recorded(tx, lambda: act_of(request)) if request.app.state.notes_acts else tx


Tx = Annotated[Transactions, Depends(_transactions)]
"""In an endpoint: `def post(body: Body, tx: Tx): return tx(verb, body)`; the response follows the commit."""


_bearer = HTTPBearer(
    auto_error=False, description="令牌由 POST /v1/sessions 取得 / get one from POST /v1/sessions"
)


def _current_caller(
    request: Request, credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]
) -> Caller:
    if credentials is None:
        raise Unauthorized("缺少登录凭证", "No bearer token: sign in first")
    verifier: Verifier = request.app.state.verifier
    caller = verifier.verify(credentials.credentials)
    request.state.caller = caller
    return caller


CurrentCaller = Annotated[Caller, Depends(_current_caller)]


def allow(
    *roles: Role,
    while_password_due: bool = False,
    while_enrolment_due: bool = False,
    timeout_s: int | None = None,
    grant: str | None = None,
    personal: bool = False,
) -> dict[str, Any]:
    """Route arguments that let only these roles in, and say so in the OpenAPI document (x-roles).

    Use as `@router.post("/movements", **allow(Role.CLERK))`. The gateway reads x-roles and checks it first.
    `while_password_due`: also for someone who still has to change the first password, or to enrol a second factor;
    `while_enrolment_due`: for the latter only. `timeout_s`: how long the
    gateway waits for what takes longer than a minute (x-timeout-s). `grant`: what a guest's link must be for, by the
    names of the path's parameters (x-grant): `allow(Role.GUEST, grant="order:{id}")`; a guest gets 403 with any other.
    `personal`: shows personal data, so that the gateway records who looks at it (x-personal).
    """
    assert (Role.GUEST in roles) == (grant is not None), "a route for guests says what their link must be for"  # noqa: S101
    told = {"x-timeout-s": timeout_s, "x-grant": grant, "x-personal": personal}
    return {
        "dependencies": [Depends(_checker(frozenset(roles), while_password_due, while_enrolment_due, grant))],
        "openapi_extra": {"x-roles": sorted(roles), **{name: value for name, value in told.items() if value}},
    }


def allow_public() -> dict[str, Any]:
    """Route arguments for a route that needs no token."""
    return {"openapi_extra": {"x-roles": [PUBLIC]}}


def _checker(
    roles: frozenset[Role], while_password_due: bool, while_enrolment_due: bool, grant: str | None
) -> Callable[[Caller, Request], Awaitable[None]]:
    async def check(caller: CurrentCaller, request: Request) -> None:
        check_roles(caller, roles)
        if grant:
            purpose, *names = grant.split(":")
            if not caller.may(purpose, *(request.path_params[name.strip("{}")] for name in names)):
                raise Forbidden("此链接不适用于这一项", "This link is for something else")
        if caller.must_change_password and not while_password_due:
            raise Forbidden(
                "请先修改初始密码:POST /v1/me/password",
                "Change the first password first: POST /v1/me/password",
            )
        if caller.second_factor_due and not (while_password_due or while_enrolment_due):
            raise Forbidden(
                "请先绑定验证器:POST /v1/me/second-factor",
                "Enrol an authenticator first: POST /v1/me/second-factor",
            )

    return check
