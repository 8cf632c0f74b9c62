"""Routes by which our pages sign in: as the others, but the tokens stay in cookies that no script can read."""

from typing import Annotated

from chubei_shared.access import CurrentCaller, Tx, allow, allow_public
from chubei_shared.contracts.identity import PasswordChange, Refresh, SignedIn, SignIn, Tokens
from chubei_shared.errors import Forbidden, Unauthorized
from chubei_shared.tokens import PEOPLE
from fastapi import APIRouter, Cookie, Depends, Header, Request, Response
from pydantic import ValidationError

from chubei_gateway import api_sessions, browser_cookies


def ours(requested_by: Annotated[str | None, Header(alias=browser_cookies.OURS)] = None) -> None:
    if requested_by is None:
        raise Forbidden(
            f"缺少请求头 {browser_cookies.OURS}:此接口只供本系统网页使用,其他程序请用 /v1/sessions",
            f"The header {browser_cookies.OURS} is missing: this is for our own pages; programs use /v1/sessions",
        )


router = APIRouter(tags=["sign-in"], dependencies=[Depends(ours)])


@router.post(
    "/v1/browser-sessions",
    name="sign_in_browser",
    status_code=201,
    summary="网页登录 / Sign in from a page",
    **allow_public(),
)
def sign_in(body: SignIn, request: Request, response: Response, tx: Tx) -> SignedIn:
    """As POST /v1/sessions; the tokens go into HttpOnly cookies."""
    return kept(response, api_sessions.sign_in(body, request, tx))


@router.post(
    "/v1/browser-sessions:refresh", name="refresh_browser", summary="网页续期 / Renew", **allow_public()
)
def refresh(
    request: Request,
    response: Response,
    tx: Tx,
    token: Annotated[str, Cookie(alias=browser_cookies.REFRESH, max_length=200)] = "",
) -> SignedIn:
    try:
        body = Refresh(refresh_token=token)
    except ValidationError:
        raise Unauthorized("尚未登录", "Nobody is signed in here") from None
    return kept(response, api_sessions.refresh_session(body, request, tx))


@router.delete(
    "/v1/browser-sessions/current",
    name="sign_out_browser",
    status_code=204,
    summary="网页退出 / Sign out",
    **allow(*PEOPLE, while_password_due=True),
)
def sign_out(request: Request, response: Response, caller: CurrentCaller, tx: Tx) -> None:
    browser_cookies.forget(response)
    api_sessions.sign_out(request, caller, tx)


@router.post(
    "/v1/browser-sessions/password",
    name="change_password_browser",
    summary="网页修改密码 / Change the password",
    **allow(*PEOPLE, while_password_due=True),
)
def change_password(
    body: PasswordChange, request: Request, response: Response, caller: CurrentCaller, tx: Tx
) -> SignedIn:
    return kept(response, api_sessions.change_password(body, request, caller, tx))


def kept(response: Response, tokens: Tokens) -> SignedIn:
    """The tokens in cookies; the answer says the rest."""
    browser_cookies.keep(response, tokens)
    return SignedIn(**tokens.model_dump(include=set(SignedIn.model_fields)))
