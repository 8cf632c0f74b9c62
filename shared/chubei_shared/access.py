"""What a route is given, and whom it lets in: `tx: Tx`, `caller: CurrentCaller`, `**allow(Role.CLERK)`."""

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from chubei_shared.db import Transactions
from chubei_shared.errors import Forbidden, Unauthorized
from chubei_shared.tokens import Caller, Role, Verifier, check_roles

PUBLIC = "public"


def _transactions(request: Request) -> Transactions:
    tx: Transactions = request.app.state.tx
    return tx


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
    return verifier.verify(credentials.credentials)


CurrentCaller = Annotated[Caller, Depends(_current_caller)]


def allow(*roles: Role, while_password_due: bool = False) -> dict[str, Any]:
    """Route arguments that let only these roles in, and say so in the OpenAPI document (x-roles).

    Use as `@router.post("/movements", **allow(Role.CLERK))`. The gateway reads x-roles and checks it first.
    `while_password_due`: also for someone who still has to change the first password.
    """
    return {
        "dependencies": [Depends(_checker(frozenset(roles), while_password_due))],
        "openapi_extra": {"x-roles": sorted(roles)},
    }


def allow_public() -> dict[str, Any]:
    """Route arguments for a route that needs no token."""
    return {"openapi_extra": {"x-roles": [PUBLIC]}}


def _checker(roles: frozenset[Role], while_password_due: bool) -> Callable[[Caller], None]:
    def check(caller: CurrentCaller) -> None:
        check_roles(caller, roles)
        if caller.must_change_password and not while_password_due:
            raise Forbidden(
                "请先修改初始密码:POST /v1/me/password",
                "Change the first password first: POST /v1/me/password",
            )

    return check
