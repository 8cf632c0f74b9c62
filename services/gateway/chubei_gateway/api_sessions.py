"""Routes for signing in and out, and for one's own account."""

from dataclasses import replace
from typing import Annotated, Final
from uuid import UUID

from chubei_shared.access import CurrentCaller, Tx, allow, allow_public
from chubei_shared.contracts.base import Name
from chubei_shared.contracts.identity import (
    FirstAccount,
    Me,
    PasswordChange,
    Refresh,
    SessionPage,
    SignIn,
    Tokens,
)
from chubei_shared.db import Transactions
from chubei_shared.errors import Invalid, SecondFactorNeeded, Unauthorized
from chubei_shared.settings import Settings
from chubei_shared.tokens import PEOPLE, Role, Signer
from fastapi import APIRouter, Query, Request

from chubei_gateway import audit, devices, identity, passwords, sessions
from chubei_gateway.api_parameters import Limit, address_of
from chubei_gateway.limits import Tries
from chubei_gateway.sessions import Opened, Refused, Visitor

router = APIRouter(tags=["sign-in"])
_NEED_SECOND_FACTOR: Final = {Role.APPROVER, Role.ADMIN}
"""Roles that must have one where CHUBEI_SECOND_FACTOR=required."""


@router.post("/v1/sessions", status_code=201, summary="登录 / Sign in", **allow_public())
def sign_in(body: SignIn, request: Request, tx: Tx) -> Tokens:
    """A pair of tokens. A wrong password and an unknown name have one answer, and take the same time.

    Who has a second factor also sends `code`: without it, or with a wrong one, the answer is 401 with the type
    urn:chubei:problem:second-factor-needed. A code is good for one sign-in.
    """
    redis = request.app.state.redis
    tries = Tries.of_password(redis, body.username, address_of(request))
    tries.take()
    known = tx(identity.credentials, body.username)
    username, stored = known or ("?", None)  # an unknown name may be a password, typed too early
    right = passwords.matches(body.password, stored)
    codes = Tries.of_second_factor(redis, username) if right and body.code else None
    if codes:
        codes.take()
    keys = request.app.state.second_factor_keys
    opened = tx(sessions.sign_in, username, stored if right else None, visitor(request), keys, body.code)
    if opened is Refused.PASSWORD:
        raise Unauthorized("用户名或密码不对", "The username or the password is wrong")
    tries.succeeded()
    if isinstance(opened, Refused):
        raise _code_needed(opened)
    if codes:
        codes.succeeded()
    if stored and passwords.outdated(stored):
        tx(identity.replace_hash, username, stored, passwords.hashed(body.password))
    return tokens(request, opened)


@router.post("/v1/sessions:refresh", summary="续期 / Renew the tokens", **allow_public())
def refresh_session(body: Refresh, request: Request, tx: Tx) -> Tokens:
    """A new pair for a refresh token, which is good for one use (again within 10 s, if the answer was lost).

    An old one that comes again ends its session: somebody has a copy.
    """
    opened = tx(sessions.refresh, body.refresh_token)
    if opened is None:
        announce(request, tx)
        raise Unauthorized("登录已过期,请重新登录", "The session is over: sign in again")
    return tokens(request, opened)


@router.delete(
    "/v1/sessions/current",
    status_code=204,
    summary="退出登录 / Sign out",
    **allow(*PEOPLE, while_password_due=True),
)
def sign_out(request: Request, caller: CurrentCaller, tx: Tx) -> None:
    tx(sessions.end, UUID(caller.session_id), caller)
    announce(request, tx)


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
    announce(request, tx)


@router.get("/v1/me", summary="本人账户 / One's own account", **allow(*PEOPLE, while_password_due=True))
def read_me(caller: CurrentCaller, tx: Tx) -> Me:
    found = tx(identity.user, caller.subject)
    return Me(**found.model_dump(), second_factor_due=caller.second_factor_due)


@router.post(
    "/v1/me/password", summary="修改密码 / Change the password", **allow(*PEOPLE, while_password_due=True)
)
def change_password(body: PasswordChange, request: Request, caller: CurrentCaller, tx: Tx) -> Tokens:
    """New tokens for this session; the other sessions end."""
    tries = Tries.of_password(request.app.state.redis, caller.subject, address_of(request))
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
    announce(request, tx)
    return tokens(request, opened)


@router.get("/v1/first-account", summary="初始账户 / The first account", **allow_public())
def read_first_account(tx: Tx) -> FirstAccount:
    """The account that a new house starts with, and whether its first password is still to be changed."""
    return tx(identity.first_account)


def visitor(request: Request) -> Visitor:
    return Visitor(address_of(request), devices.device(request.headers.get("user-agent")))


def tokens(request: Request, opened: Opened) -> Tokens:
    """The pair for what was opened; it says what is due before anything else."""
    signer: Signer = request.app.state.signer
    settings: Settings = request.app.state.settings
    due = (
        settings.second_factor == "required"
        and not (opened.second_factor or opened.break_glass or opened.oidc)
        and not opened.caller.roles.isdisjoint(_NEED_SECOND_FACTOR)
    )
    return Tokens(
        access_token=signer.issue(replace(opened.caller, second_factor_due=due), opened.life),
        expires_in_s=int(opened.life.total_seconds()),
        refresh_token=opened.refresh_token,
        must_change_password=opened.caller.must_change_password,
        second_factor_due=due,
    )


def announce(request: Request, tx: Transactions) -> None:
    """Tell all services which sessions have ended."""
    sessions.announce_revocations(tx(sessions.recently_revoked), request.app.state.redis)


def _code_needed(refused: Refused) -> SecondFactorNeeded:
    if refused is Refused.CODE_MISSING:
        return SecondFactorNeeded(
            "code:请输入验证器显示的 6 位验证码,或一个恢复码",
            "code: give the six digits that the authenticator shows, or a recovery code",
        )
    return SecondFactorNeeded(
        "code:验证码不对或已用过;请核对手机时间,等下一个再试",
        "code: it is wrong or was used before: look at the phone's clock, and take the next one",
    )
