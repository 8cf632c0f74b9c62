"""Verbs over links: made, opened, revoked. A link's id stands in its tokens as their session (sid)."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from chubei_shared import outbox
from chubei_shared.contracts.links import LinkPage, LinkPurpose, LinkView, NewLink
from chubei_shared.errors import Conflict, Forbidden, Invalid, NotFound
from chubei_shared.tokens import ACCESS_LIFE, Caller, Role, grant_of
from sqlalchemy import delete, or_, select, tuple_
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from chubei_gateway import audit
from chubei_gateway.links.tables import Link

LONGEST: Final = timedelta(days=30)
_CLOCKS_APART: Final = timedelta(seconds=30)


@dataclass(frozen=True)
class Opened:
    """What a guest's token is made of, after the commit."""

    caller: Caller
    link: LinkView
    life: timedelta


def make(
    session: Session, new: NewLink, secret_hash: bytes, code_hash: bytes, caller: Caller
) -> tuple[LinkView, bool]:
    """The link, and whether it is new. Raises Conflict where the id is another link's, Invalid for its time."""
    if known := session.get(Link, new.id):
        return _the_same(known, new, secret_hash, caller), False
    now = datetime.now(UTC)
    if not now < new.expires_at <= now + LONGEST:
        raise Invalid(
            "expires_at:应在 30 天之内的将来,请修改",
            "expires_at: must be in the future, within 30 days: correct it",
            errors=[{"field": "expires_at", "problem": "不在 30 天内 / not within 30 days",
                     "remedy": "改为 30 天内的时间 / a time within 30 days"}],
        )  # fmt: skip
    told = new.model_dump() | {
        "created_by": caller.subject,
        "secret_hash": secret_hash,
        "code_hash": code_hash,
    }
    made = session.scalar(insert(Link).values(told).on_conflict_do_nothing().returning(Link))
    if made is None:  # the same request beside this one, or another link with this code
        if known := session.get(Link, new.id):
            return _the_same(known, new, secret_hash, caller), False
        raise Conflict("请换新编号重试", "Mint another id and try again")
    audit.record(session, caller.subject, "link.create", _target(made), 201)
    _changed(session, made)
    return view(made), True


def known(session: Session, link_id: UUID) -> bool:
    return session.get(Link, link_id) is not None


def open_link(session: Session, digest: bytes, address: str) -> Opened | None:
    """What the holder of a secret or code may do; None (recorded) when there is no such link, or it is over."""
    is_it = or_(Link.secret_hash == digest, Link.code_hash == digest)
    found = session.scalar(select(Link).where(is_it).with_for_update())
    now = datetime.now(UTC)
    if found is None:
        audit.record(session, "?", "link.open", address, 401)
        return None
    if found.revoked_at is not None or found.expires_at <= now:
        audit.record(session, _guest(found), "link.open", _target(found), 401)
        return None
    found.first_used_at, found.last_used_at = found.first_used_at or now, now
    audit.record(session, _guest(found), "link.open", _target(found), 200)
    _changed(session, found)
    caller = Caller(
        subject=_guest(found),
        roles=frozenset({Role.GUEST}),
        session_id=str(found.id),
        grant=grant_of(found.purpose, *found.subject),
    )
    return Opened(caller, view(found), min(ACCESS_LIFE, found.expires_at - now))


def revoke(session: Session, link_id: UUID, caller: Caller) -> LinkView:
    """End a link: its maker, command or an administrator. Its tokens stop when the revocation is announced.

    Raises NotFound, Forbidden.
    """
    found = session.get(Link, link_id, with_for_update=True)
    if found is None:
        raise NotFound(f"没有链接 {link_id}", f"There is no link {link_id}")
    if found.created_by != caller.subject and not caller.roles & {Role.COMMANDER, Role.ADMIN}:
        raise Forbidden(
            "只有发出者、指挥人员或管理员可以撤销", "Its maker, command or an administrator may revoke it"
        )
    if found.revoked_at is None:
        found.revoked_at = datetime.now(UTC)
        audit.record(session, caller.subject, "link.revoke", _target(found), 200)
        _changed(session, found)
    return view(found)


def recently_revoked(session: Session) -> list[UUID]:
    """Links whose tokens may not have expired by themselves."""
    since = datetime.now(UTC) - ACCESS_LIFE - _CLOCKS_APART
    return list(session.scalars(select(Link.id).where(Link.revoked_at > since)))


def page(
    session: Session, purpose: LinkPurpose | None, subject: str | None, before: UUID | None, limit: int
) -> LinkPage:
    """Links, newest first; of one purpose, and with one id among their subject's."""
    query = select(Link).order_by(Link.created_at.desc(), Link.id.desc()).limit(limit + 1)
    if purpose is not None:
        query = query.where(Link.purpose == purpose)
    if subject is not None:
        query = query.where(Link.subject.contains([subject]))
    if before is not None:
        place = select(Link.created_at, Link.id).where(Link.id == before)
        query = query.where(tuple_(Link.created_at, Link.id) < place.scalar_subquery())
    found = session.scalars(query).all()
    rows = [view(link) for link in found[:limit]]
    return LinkPage(rows=rows, next_cursor=str(rows[-1].id) if len(found) > limit else None)


def purge(session: Session, keep: timedelta) -> None:
    """Forget links that were over longer ago, with their holders' names and telephones."""
    session.execute(delete(Link).where(Link.expires_at < datetime.now(UTC) - keep))


def view(link: Link) -> LinkView:
    return LinkView(
        id=link.id,
        purpose=LinkPurpose(link.purpose),
        subject=link.subject,
        holder_name=link.holder_name,
        phone=_masked(link.phone),
        created_by=link.created_by,
        created_at=link.created_at,
        expires_at=link.expires_at,
        first_used_at=link.first_used_at,
        last_used_at=link.last_used_at,
        revoked_at=link.revoked_at,
    )


def _the_same(known: Link, new: NewLink, secret_hash: bytes, caller: Caller) -> LinkView:
    told = new.model_dump()
    if {field: getattr(known, field) for field in told} != told or known.created_by != caller.subject:
        raise Conflict(
            f"编号 {new.id} 已用于另一链接,请换新编号", f"Id {new.id} is another link's: mint a new one"
        )
    if known.secret_hash != secret_hash:
        raise Conflict(
            "网关密钥已更换,此链接已失效,请换新编号另发",
            "The gateway has another key now, which ended this link: make one with a new id",
        )
    return view(known)


def _masked(phone: str | None) -> str | None:
    if phone is None:
        return None
    return f"{phone[:3]}****{phone[-4:]}" if len(phone) > 9 else "****"


def _guest(link: Link) -> str:
    return f"guest:{link.holder_name}"


def _target(link: Link) -> str:
    return f"{link.id} ({grant_of(link.purpose, *link.subject)})"


def _changed(session: Session, link: Link) -> None:
    outbox.enqueue(session, "link.changed", {"link_id": str(link.id), "purpose": link.purpose})
