"""Routes for signing in and out, and for one's own account."""

from typing import Annotated
from uuid import UUID

from chubei_shared.access import CurrentCaller, Tx, allow, allow_public
from chubei_shared.contracts.base import Name
from chubei_shared.contracts.identity import (
    FirstAccount,
    PasswordChange,
    Refresh,
    SessionPage,
    SignIn,
    Tokens,
    UserView,
)
from chubei_shared.db import Transactions
from chubei_shared.errors import Invalid, Unauthorized
from chubei_shared.tokens import ACCESS_LIFE, Role, Signer
from fastapi import APIRouter, Query, Request

from chubei_gateway import audit, identity, passwords, sessions
from chubei_gateway.api_parameters import PEOPLE, Limit
from chubei_gateway.limits import Tries

router = APIRouter(tags=["sign-in"])


@router.post("/v1/sessions", status_code=201, summary="登录 / Sign in", **allow_public())
def sign_in(body: SignIn, request: Request, tx: Tx) -> Tokens:
    """A pair of tokens. A wrong password and an unknown name have one answer, and take the same time."""
    address = _address(request)
    tries = Tries(request.app.state.redis, body.username, address)
    tries.take()
    known = tx(identity.credentials, body.username)
    username, stored = known or ("?", None)  # an unknown name may be a password, typed too early
    right = passwords.matches(body.password, stored)
    opened = tx(sessions.sign_in, username, stored if right else None, address)
    if opened is None:
        raise Unauthorized("用户名或密码不对", "The username or the password is wrong")
    tries.succeeded()
    if stored and passwords.outdated(stored):
        tx(identity.replace_hash, username, stored, passwords.hashed(body.password))
    return _tokens(request, opened)


@router.post("/v1/sessions:refresh", summary="续期 / Renew the tokens", **allow_public())
def refresh_session(body: Refresh, request: Request, tx: Tx) -> Tokens:
    """A new pair for a refresh token, which is good for one use (again within 10 s, if the answer was lost).

    An old one that comes again ends its session: somebody has a copy.
    """
    opened = tx(sessions.refresh, body.refresh_token)
    if opened is None:
        _announce(request, tx)
        raise Unauthorized("登录已过期,请重新登录", "The session is over: sign in again")
    return _tokens(request, opened)


@router.delete(
    "/v1/sessions/current",
    status_code=204,
    summary="退出登录 / Sign out",
    **allow(*PEOPLE, while_password_due=True),
)
def sign_out(request: Request, caller: CurrentCaller, tx: Tx) -> None:
    tx(sessions.end, UUID(caller.session_id), caller)
    _announce(request, tx)


@router.get("/v1/sessions", summary="会话列表 / Sessions", **allow(*PEOPLE))
def read_sessions(
    caller: CurrentCaller,
    tx: Tx,
    username: Annotated[Name | None, Query()] = None,
    cursor: Annotated[UUID | None, Query()] = None,
    limit: Limit = 100,
) -> SessionPage:
    """One's own sessions; an administrator sees everyone's. Newest first."""
    whose = username if Role.ADMIN in caller.roles else caller.subject
    return tx(sessions.page, whose, cursor, limit, caller.session_id)


@router.delete(
    "/v1/sessions/{session_id}", status_code=204, summary="撤销会话 / End a session", **allow(*PEOPLE)
)
def end_session(session_id: UUID, request: Request, caller: CurrentCaller, tx: Tx) -> None:
    """One's own, or anyone's for an administrator. Its tokens are refused everywhere at once."""
    tx(sessions.end, session_id, caller)
    _announce(request, tx)


@router.get("/v1/me", summary="本人账户 / One's own account", **allow(*PEOPLE, while_password_due=True))
def read_me(caller: CurrentCaller, tx: Tx) -> UserView:
    return tx(identity.user, caller.subject)


@router.post(
    "/v1/me/password", summary="修改密码 / Change the password", **allow(*PEOPLE, while_password_due=True)
)
def change_password(body: PasswordChange, request: Request, caller: CurrentCaller, tx: Tx) -> Tokens:
    """New tokens for this session; the other sessions end."""
    tries = Tries(request.app.state.redis, caller.subject, _address(request))
    tries.take()
    known = tx(identity.credentials, caller.subject)
    if known is None or not passwords.matches(body.old_password, known[1]):
        tx(audit.record, caller.subject, "password.change", caller.subject, 422)
        raise Invalid(
            "old_password:旧密码不对,请重新输入",
            "old_password: the old password is wrong: type it again",
            errors=[
                {"field": "old_password", "problem": "不对 / wrong", "remedy": "重新输入 / type it again"}
            ],
        )
    passwords.check_new(caller.subject, body.new_password, body.old_password, "new_password")
    opened = tx(identity.change_password, caller, known[1], passwords.hashed(body.new_password))
    tries.succeeded()
    _announce(request, tx)
    return _tokens(request, opened)


@router.get("/v1/first-account", summary="初始账户 / The first account", **allow_public())
def read_first_account(tx: Tx) -> FirstAccount:
    """The account that a new house starts with, and whether its first password is still to be changed."""
    return tx(identity.first_account)


def _address(request: Request) -> str:
    return request.client.host if request.client else "-"


def _tokens(request: Request, opened: sessions.Opened) -> Tokens:
    signer: Signer = request.app.state.signer
    return Tokens(
        access_token=signer.issue(opened.caller),
        expires_in_s=int(ACCESS_LIFE.total_seconds()),
        refresh_token=opened.refresh_token,
        must_change_password=opened.caller.must_change_password,
    )


def _announce(request: Request, tx: Transactions) -> None:
    sessions.announce_revocations(tx(sessions.recently_revoked), request.app.state.redis)
