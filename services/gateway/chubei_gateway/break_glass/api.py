"""Routes of break-glass: the way in when the second factor is not at hand, and what is said of it afterwards."""

from typing import Annotated
from uuid import UUID

from chubei_shared.access import CurrentCaller, Tx, allow, allow_public
from chubei_shared.contracts.break_glass import AccountBreakGlass, BreakGlass, BreakGlassPage, BreakGlassView
from chubei_shared.contracts.identity import SignedIn, Tokens
from chubei_shared.errors import Conflict, Forbidden, Unauthorized
from chubei_shared.tokens import Role
from fastapi import APIRouter, Depends, Query, Request, Response

from chubei_gateway import api_sessions, identity, passwords
from chubei_gateway.api_browser import kept, ours
from chubei_gateway.api_parameters import address_of
from chubei_gateway.break_glass import break_glass
from chubei_gateway.limits import Tries
from chubei_gateway.sessions import Refused

router = APIRouter(tags=["sign-in"])


@router.post("/v1/break-glass", status_code=201, summary="应急登录 / Break the glass", **allow_public())
def break_the_glass(body: BreakGlass, request: Request, tx: Tx) -> Tokens:
    """An approver gets in by the password alone, for two hours, without the rights of an administrator.

    Everyone concerned is told at once, and it stays listed until two others have accounted for it.
    """
    tries = Tries.of_password(request.app.state.redis, body.username, address_of(request))
    tries.take()
    known = tx(identity.credentials, body.username)
    username, stored = known or ("?", None)
    right = passwords.matches(body.password, stored)
    opened = tx(
        break_glass.break_glass,
        body.model_copy(update={"username": username}),
        stored if right else None,
        api_sessions.visitor(request),
        request.app.state.settings.second_factor == "required",
    )
    if opened is Refused.PASSWORD:
        raise Unauthorized("用户名或密码不对", "The username or the password is wrong")
    tries.succeeded()
    if opened is Refused.NOT_NEEDED:
        raise Conflict(
            "此账户不需要二次验证,请正常登录", "No second factor is asked for here: sign in as usual"
        )
    if isinstance(opened, Refused):
        raise Forbidden("应急登录只限审批人", "Only approvers may break the glass")
    return api_sessions.tokens(request, opened)


@router.post(
    "/v1/browser-sessions:break-glass",
    name="break_glass_browser",
    status_code=201,
    summary="网页应急登录 / Break the glass from a page",
    dependencies=[Depends(ours)],
    **allow_public(),
)
def break_the_glass_from_a_page(body: BreakGlass, request: Request, response: Response, tx: Tx) -> SignedIn:
    """As POST /v1/break-glass; the tokens go into HttpOnly cookies."""
    return kept(response, break_the_glass(body, request, tx))


@router.get(
    "/v1/break-glass",
    summary="应急登录列表 / Sign-ins by break-glass",
    **allow(Role.ADMIN, Role.APPROVER, Role.AUDITOR, Role.COMMANDER),
)
def read_break_glass(
    tx: Tx,
    all_of_them: Annotated[
        bool, Query(alias="all", description="含已说明的 / those accounted for, too")
    ] = False,
) -> BreakGlassPage:
    """Those that two other persons have not accounted for yet."""
    return tx(break_glass.page, all_of_them)


@router.post(
    "/v1/break-glass/{break_glass_id}:account",
    summary="说明应急登录 / Account for it",
    **allow(Role.ADMIN, Role.APPROVER),
)
def account_for_break_glass(
    break_glass_id: UUID, body: AccountBreakGlass, caller: CurrentCaller, tx: Tx
) -> BreakGlassView:
    """In words, by a person who is not the one who came in; once each."""
    return tx(break_glass.account, break_glass_id, body.words, caller)
