"""Verbs over sessions: opened by a sign-in, prolonged by refresh tokens, ended.

A refresh token is good for one use, and a session has one live token at any time. A token that was
replaced less than GRACE ago may come again, because its answer was lost on the way: it gets a new pair,
and the pair that was lost is replaced in turn. Later than that, somebody has a copy: the session ends.
"""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum, auto
from uuid import UUID, uuid4

import redis
from chubei_shared import outbox
from chubei_shared.contracts.identity import SessionPage, SessionView
from chubei_shared.errors import NotFound
from chubei_shared.telemetry import log
from chubei_shared.tokens import ACCESS_LIFE, Caller, Role, revocation_key
from sqlalchemy import delete, select, tuple_, update
from sqlalchemy.orm import Session

from chubei_gateway import audit
from chubei_gateway.second_factor import factors
from chubei_gateway.second_factor.factors import Verdict
from chubei_gateway.second_factor.keys import Keys
from chubei_gateway.tables import RefreshToken, User, UserSession

GRACE = timedelta(seconds=10)
IDLE_LIFE = timedelta(hours=24)
"""A session ends so long after its last refresh: a shift and the way home."""
LIFE = timedelta(days=7)
"""And so long after its sign-in in any case."""
BREAK_GLASS_LIFE = timedelta(hours=2)
"""Of a session opened without the second factor."""
KEEP = timedelta(days=90)
"""Ended sessions are listed for so long."""
_CLOCKS_APART = timedelta(seconds=30)


@dataclass(frozen=True)
class Opened:
    """What tokens are made of, after the commit."""

    session_id: UUID
    caller: Caller
    refresh_token: str
    life: timedelta
    """Of the access token: the session may end before ACCESS_LIFE."""
    second_factor: bool
    """Whether the person has one."""
    break_glass: bool
    oidc: bool
    """Whether an identity provider vouched for the person."""


class Refused(Enum):
    """Why somebody is not let in."""

    PASSWORD = auto()
    CODE_MISSING = auto()
    CODE_WRONG = auto()
    ROLE = auto()
    NOT_NEEDED = auto()


@dataclass(frozen=True)
class Visitor:
    """Where a sign-in comes from, and with what."""

    address: str
    device: str


def sign_in(
    session: Session, username: str, right_hash: str | None, visitor: Visitor, keys: Keys, code: str | None
) -> Opened | Refused:
    """Open a session for the person whose stored hash the password matched, and whose second factor, if they have one,
    the code. What is wrong is recorded.
    """
    user = person(session, username, right_hash)
    if user is None:
        audit.record(session, username, "session.open", visitor.address, 401)
        return Refused.PASSWORD
    match factors.verdict(session, keys, user.username, code):
        case Verdict.MISSING:
            return Refused.CODE_MISSING
        case Verdict.WRONG:
            audit.record(session, user.username, "session.second_factor", visitor.address, 401)
            return Refused.CODE_WRONG
    opened = begin(session, user, visitor)
    audit.record(session, user.username, "session.open", str(opened.session_id))
    return opened


def person(session: Session, username: str, right_hash: str | None) -> User | None:
    """Who it is, if the password matched their stored hash, and still does; theirs alone until the commit."""
    user = session.get(User, username, with_for_update=True) if right_hash else None
    return user if user and not user.disabled and user.password_hash == right_hash else None


def has_second_factor(session: Session, username: str) -> bool:
    return username in factors.enrolled(session, [username])


def begin(
    session: Session, user: User, visitor: Visitor, break_glass: bool = False, oidc: bool = False
) -> Opened:
    """A new session of somebody who is let in."""
    now = datetime.now(UTC)
    opened = UserSession(
        id=uuid4(),
        username=user.username,
        address=visitor.address,
        device=visitor.device,
        break_glass=break_glass,
        oidc=oidc,
        created_at=now,
        last_used_at=now,
        expires_at=now + (BREAK_GLASS_LIFE if break_glass else IDLE_LIFE),
    )
    session.add(opened)
    session.flush()
    return _opened(session, user, opened)


def refresh(session: Session, token: str) -> Opened | None:
    """A new pair for a refresh token; None when it is unknown, its session is over, its person is disabled, or it was
    used before.

    The last two end its session, so the caller must announce revocations.
    """
    now = datetime.now(UTC)
    is_it = RefreshToken.token_hash == _digest(token)
    found = session.scalar(
        select(UserSession).join(RefreshToken).where(is_it).with_for_update(of=UserSession)
    )
    if found is None or found.revoked_at is not None or found.expires_at <= now:
        return None
    user = session.get_one(User, found.username)
    if user.disabled:
        revoke(session, [found.id])
        return None
    replaced_at = session.scalars(select(RefreshToken.replaced_at).where(is_it)).one()
    if replaced_at is not None and replaced_at < now - GRACE:
        audit.record(session, user.username, "session.copied-token", str(found.id), 401)
        revoke(session, [found.id])
        return None
    found.last_used_at = now
    return renewed(session, user, found)


def renewed(session: Session, user: User, of: UserSession) -> Opened:
    """A new pair for the session, in place of its live refresh token."""
    now = datetime.now(UTC)
    session.execute(
        update(RefreshToken)
        .where(RefreshToken.session_id == of.id, RefreshToken.replaced_at.is_(None))
        .values(replaced_at=now)
    )
    if not of.break_glass:
        of.expires_at = min(now + IDLE_LIFE, of.created_at + LIFE)
    return _opened(session, user, of)


def end(session: Session, session_id: UUID, caller: Caller) -> None:
    """End one of the caller's sessions, or anyone's for an administrator. Raises NotFound."""
    found = session.get(UserSession, session_id)
    if found is None or (found.username != caller.subject and Role.ADMIN not in caller.roles):
        raise NotFound(f"没有会话 {session_id}", f"There is no session {session_id}")
    revoke(session, [session_id])
    audit.record(session, caller.subject, "session.end", str(session_id), 204)


def end_all(session: Session, username: str, but: UUID | None = None) -> None:
    """End all sessions of a person, but one."""
    query = select(UserSession.id).where(
        UserSession.username == username,
        UserSession.revoked_at.is_(None),
        UserSession.id.is_distinct_from(but),
    )
    revoke(session, list(session.scalars(query)))


def revoke(session: Session, session_ids: list[UUID]) -> None:
    """Mark sessions as ended; their access tokens stop with `announce_revocations` after the commit."""
    ended = session.scalars(
        update(UserSession)
        .where(UserSession.id.in_(sorted(session_ids)), UserSession.revoked_at.is_(None))
        .values(revoked_at=datetime.now(UTC))
        .returning(UserSession.id)
    ).all()
    if ended:
        outbox.enqueue(session, "session.revoked", {"session_ids": [str(one) for one in ended]})


def recently_revoked(session: Session) -> list[UUID]:
    """Sessions whose access tokens may not have expired by themselves."""
    since = datetime.now(UTC) - ACCESS_LIFE - _CLOCKS_APART
    return list(session.scalars(select(UserSession.id).where(UserSession.revoked_at > since)))


def announce_revocations(session_ids: list[UUID], revocations: "redis.Redis") -> None:
    """Tell all services, by Redis. Done at once after a revocation, and again by upkeep in case that was lost."""
    life = ACCESS_LIFE + 2 * _CLOCKS_APART
    try:
        pipe = revocations.pipeline()
        for session_id in session_ids:
            pipe.set(revocation_key(str(session_id)), "", ex=life)
        pipe.execute()
    except redis.RedisError as error:
        log.warning("revocations wait for Redis", extra={"error": str(error)})


def page(
    session: Session, username: str | None, before: UUID | None, limit: int, current: str | None
) -> SessionPage:
    """Sessions, newest first: of one person or of all."""
    query = (
        select(UserSession).order_by(UserSession.created_at.desc(), UserSession.id.desc()).limit(limit + 1)
    )
    if username is not None:
        query = query.where(UserSession.username == username)
    if before is not None:
        place = select(UserSession.created_at, UserSession.id).where(UserSession.id == before)
        query = query.where(tuple_(UserSession.created_at, UserSession.id) < place.scalar_subquery())
    found = session.scalars(query).all()
    rows = [
        SessionView(
            id=s.id,
            username=s.username,
            created_at=s.created_at,
            last_used_at=s.last_used_at,
            expires_at=s.expires_at,
            address=s.address,
            revoked=s.revoked_at is not None,
            current=str(s.id) == current,
            device=s.device,
            break_glass=s.break_glass,
        )
        for s in found[:limit]
    ]
    return SessionPage(rows=rows, next_cursor=str(rows[-1].id) if len(found) > limit else None)


def purge(session: Session) -> None:
    """Forget sessions that ended long ago, with their tokens."""
    session.execute(delete(UserSession).where(UserSession.expires_at < datetime.now(UTC) - KEEP))


def _opened(session: Session, user: User, of: UserSession) -> Opened:
    token = secrets.token_urlsafe(32)
    session.add(RefreshToken(token_hash=_digest(token), session_id=of.id))
    caller = Caller(
        subject=user.username,
        roles=frozenset(Role(role) for role in user.roles) - ({Role.ADMIN} if of.break_glass else set()),
        places=frozenset(user.places),
        session_id=str(of.id),
        must_change_password=user.must_change_password and not of.oidc,
        break_glass=of.break_glass,
    )
    return Opened(
        session_id=of.id,
        caller=caller,
        refresh_token=token,
        life=min(ACCESS_LIFE, of.expires_at - datetime.now(UTC)),
        second_factor=has_second_factor(session, user.username),
        break_glass=of.break_glass,
        oidc=of.oidc,
    )


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
