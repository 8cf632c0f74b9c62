"""Verbs over second factors: who has one, and whether a code is right."""

from collections.abc import Iterable
from datetime import UTC, datetime
from enum import Enum, auto

from chubei_shared.telemetry import log
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from chubei_gateway import audit
from chubei_gateway.second_factor import totp
from chubei_gateway.second_factor.keys import Keys
from chubei_gateway.second_factor.tables import RecoveryCode, SecondFactor


class Verdict(Enum):
    NOT_ASKED = auto()
    """The person has no second factor."""
    RIGHT = auto()
    MISSING = auto()
    WRONG = auto()


def enrolled(session: Session, usernames: Iterable[str]) -> set[str]:
    """Those of them who have a second factor."""
    query = select(SecondFactor.username).where(
        SecondFactor.username.in_(sorted(usernames)), SecondFactor.confirmed_at.is_not(None)
    )
    return set(session.scalars(query))


def verdict(session: Session, keys: Keys, username: str, code: str | None) -> Verdict:
    """Whether the code is one of the person's; a right one is used up by this."""
    factor = session.get(SecondFactor, username, with_for_update=True)
    if factor is None or factor.confirmed_at is None:
        return Verdict.NOT_ASKED
    if code is None:
        return Verdict.MISSING
    right = takes(keys, factor, code) or _takes_recovery(session, keys, username, code)
    return Verdict.RIGHT if right else Verdict.WRONG


def takes(keys: Keys, factor: SecondFactor, code: str) -> bool:
    """Whether the authenticator shows this code about now, and has not been asked for it yet."""
    secret = keys.opened(factor.sealed_secret, factor.username)
    if secret is None:
        log.error("second factor sealed with another key", extra={"username": factor.username})
        return False
    typed = code.replace(" ", "")
    step = totp.matching_step(secret, typed, datetime.now(UTC), factor.last_step) if typed.isascii() else None
    if step is None:
        return False
    factor.last_step = step
    return True


def _takes_recovery(session: Session, keys: Keys, username: str, code: str) -> bool:
    taken = session.scalars(
        update(RecoveryCode)
        .where(
            RecoveryCode.username == username,
            RecoveryCode.digest == keys.digest(code, username),
            RecoveryCode.used_at.is_(None),
        )
        .values(used_at=datetime.now(UTC))
        .returning(RecoveryCode.username)
    ).all()
    if taken:
        audit.record(session, username, "second_factor.recovery_code", username)
    return bool(taken)
