"""Verbs over a person's own second factor: enrolled, confirmed, taken off; reset by an administrator."""

import os
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from chubei_shared import outbox
from chubei_shared.contracts.second_factor import SecondFactorView
from chubei_shared.errors import Conflict, Forbidden, Invalid, NotFound
from chubei_shared.tokens import Caller
from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from chubei_gateway import audit, sessions
from chubei_gateway.second_factor import factors, totp
from chubei_gateway.second_factor.keys import Keys, new_recovery_code
from chubei_gateway.second_factor.tables import RecoveryCode, SecondFactor
from chubei_gateway.tables import User, UserSession

RECOVERY_CODES: Final = 10


def view(session: Session, username: str) -> SecondFactorView:
    found = session.get(SecondFactor, username)
    left = session.scalar(
        select(func.count()).where(RecoveryCode.username == username, RecoveryCode.used_at.is_(None))
    )
    return SecondFactorView(enrolled_at=found.confirmed_at if found else None, recovery_codes_left=left or 0)


def begin(session: Session, keys: Keys, caller: Caller) -> bytes:
    """A new secret for the caller's authenticator, asked for only once it is confirmed. Raises Conflict, Forbidden."""
    _not_in_break_glass(session, caller)
    session.get_one(User, caller.subject, with_for_update=True)
    found = session.get(SecondFactor, caller.subject)
    if found and found.confirmed_at:
        raise Conflict(
            "已绑定验证器;要换一个,请先解除(POST /v1/me/second-factor:remove)",
            "There is one already; to change it take it off first: POST /v1/me/second-factor:remove",
        )
    secret = os.urandom(totp.SECRET_BYTES)
    sealed = keys.sealed(secret, caller.subject)
    if found:
        found.sealed_secret, found.last_step = sealed, None
    else:
        session.add(SecondFactor(username=caller.subject, sealed_secret=sealed))
    return secret


def confirm(session: Session, keys: Keys, caller: Caller, code: str) -> list[str]:
    """The authenticator shows the right code: from now on it is asked for. Ends the person's other sessions.

    Answers the recovery codes, which nobody sees again. Raises Conflict, Invalid, Forbidden.
    """
    _not_in_break_glass(session, caller)
    found = session.get(SecondFactor, caller.subject, with_for_update=True)
    if found is None or found.confirmed_at:
        raise Conflict(
            "没有待确认的验证器,请先开始绑定(POST /v1/me/second-factor)",
            "Nothing waits to be confirmed: begin with POST /v1/me/second-factor",
        )
    if not factors.takes(keys, found, code):
        raise Invalid(
            "code:验证码不对;请核对手机时间是否准确,输入新显示的一个",
            "code: it is wrong: look whether the phone's clock is right, and type the code that it shows now",
            errors=[
                {
                    "field": "code",
                    "problem": "不对 / wrong",
                    "remedy": "输入新的一个 / type the code shown now",
                }
            ],
        )
    found.confirmed_at = datetime.now(UTC)
    sessions.end_all(session, caller.subject, but=UUID(caller.session_id))
    _changed(session, caller.subject, "enrol", caller.subject)
    return _new_codes(session, keys, caller.subject)


def renew_codes(session: Session, keys: Keys, caller: Caller) -> list[str]:
    """New recovery codes in place of all earlier ones. The caller has shown password and code."""
    _not_in_break_glass(session, caller)
    _changed(session, caller.subject, "recovery_codes", caller.subject)
    return _new_codes(session, keys, caller.subject)


def remove(session: Session, caller: Caller) -> None:
    """Take off the caller's own; password and code were shown. Ends the other sessions."""
    _not_in_break_glass(session, caller)
    _take_off(session, caller.subject)
    sessions.end_all(session, caller.subject, but=UUID(caller.session_id))
    _changed(session, caller.subject, "remove", caller.subject)


def reset(session: Session, username: str, caller: Caller) -> None:
    """Take off somebody else's, who lost phone and codes; ends all their sessions. Raises NotFound, Forbidden."""
    _not_in_break_glass(session, caller)
    if session.get(User, username, with_for_update=True) is None:
        raise NotFound(f"没有用户 {username}", f"There is no user {username}")
    if username == caller.subject:
        raise Forbidden(
            "不能重置本人的:请用恢复码解除,或请另一位管理员重置",
            "Not one's own: take it off with a recovery code, or ask another administrator",
        )
    _take_off(session, username)
    sessions.end_all(session, username)
    _changed(session, username, "reset", caller.subject)


def _take_off(session: Session, username: str) -> None:
    session.execute(delete(SecondFactor).where(SecondFactor.username == username))


def _new_codes(session: Session, keys: Keys, username: str) -> list[str]:
    session.execute(delete(RecoveryCode).where(RecoveryCode.username == username))
    codes = [new_recovery_code() for _ in range(RECOVERY_CODES)]
    session.add_all(RecoveryCode(username=username, digest=keys.digest(code, username)) for code in codes)
    return codes


def _not_in_break_glass(session: Session, caller: Caller) -> None:
    current = session.get(UserSession, UUID(caller.session_id))
    if current is not None and current.break_glass:
        raise Forbidden(
            "应急登录期间不能改动二次验证,请正常登录后再做",
            "Not in a break-glass session: sign in as usual first",
        )


def _changed(session: Session, username: str, what: str, by: str) -> None:
    audit.record(session, by, f"second_factor.{what}", username)
    outbox.enqueue(session, "second_factor.changed", {"username": username, "what": what, "by": by})
