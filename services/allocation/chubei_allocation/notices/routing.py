"""How each notice is sent: one by one by the post's channels, or, where there are too many in an hour, as one digest.

Decided by one worker at a time and not by who tells, so that no teller waits for another.
"""

from datetime import UTC, datetime
from uuid import UUID, uuid4

from chubei_shared import jobs
from chubei_shared.contracts.posts import Post, target
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from chubei_allocation import locks
from chubei_allocation.notices import rules, tables
from chubei_allocation.posts import posts

_ROUTING = UUID("c1f0b1c5-2a0e-4a1b-8f0e-9a6b2d7b1a10")
_AT_ONCE = 200
_TOLD = 50
"""So many subjects stand in a digest; the others are counted."""


def route(session: Session) -> int:
    """Make the deliveries of notices that have none yet, and the digests that are due; how many notices there were."""
    locks.one_at_a_time(session, _ROUTING)
    n, now = tables.Notice, datetime.now(UTC)
    waiting = select(n).where(n.routed_at.is_(None)).order_by(n.told_at, n.id).limit(_AT_ONCE)
    found = list(session.scalars(waiting.with_for_update(key_share=True)))
    for notice in found:
        notice.routed_at = now
        notice.singly = _singly_lately(session, notice, now) < rules.SINGLY_IN_AN_HOUR
        session.add(_delivery(notice, "app", "", now, status=jobs.DONE, finished_at=now))
        if notice.singly:
            _send_by_channels(session, notice, now)
        session.flush()
    _make_digests(session, now)
    return len(found)


def _singly_lately(session: Session, notice: tables.Notice, now: datetime) -> int:
    """An exercise keeps nothing real waiting: the two are counted apart."""
    n = tables.Notice
    return session.scalars(
        select(func.count()).where(
            n.to_post == notice.to_post,
            n.exercise == notice.exercise,
            n.singly,
            ~n.digest,
            n.routed_at > now - rules.WINDOW,
            n.routed_at <= now,
            n.id != notice.id,
        )
    ).one()


def _send_by_channels(session: Session, notice: tables.Notice, now: datetime) -> None:
    post = Post.model_validate(posts.get(session, notice.to_post), from_attributes=True)
    session.add_all(_delivery(notice, channel.kind, target(channel), now) for channel in post.channels)


def _delivery(
    notice: tables.Notice, kind: str, to: str, now: datetime, **more: str | datetime
) -> tables.Delivery:
    return tables.Delivery(id=uuid4(), notice_id=notice.id, kind=kind, target=to, try_at=now, **more)


def _make_digests(session: Session, now: datetime) -> None:
    n = tables.Notice
    waiting = select(n).where(~n.singly, n.digest_id.is_(None), n.routed_at.is_not(None))
    groups: dict[tuple[str, bool], list[tables.Notice]] = {}
    for notice in session.scalars(waiting.order_by(n.told_at, n.id)):
        groups.setdefault((notice.to_post, notice.exercise), []).append(notice)
    for (to_post, exercise), covered in sorted(groups.items()):
        last = session.scalar(
            select(func.max(n.told_at)).where(n.digest, n.to_post == to_post, n.exercise == exercise)
        )
        if not rules.digest_due(min(notice.told_at for notice in covered), last, now):
            continue
        digest = _digest(to_post, exercise, covered, now)
        session.add(digest)
        session.flush()
        for notice in covered:
            notice.digest_id = digest.id
        _send_by_channels(session, digest, now)
        session.flush()


def _digest(to_post: str, exercise: bool, covered: list[tables.Notice], now: datetime) -> tables.Notice:
    digest_id, number = uuid4(), len(covered)
    listed = "\n".join(f"- {notice.subject}" for notice in covered[:_TOLD])
    rest = number - _TOLD
    mark = "【演练 EXERCISE】" if exercise else ""
    return tables.Notice(
        id=digest_id,
        first_id=digest_id,
        dedup_key=f"digest:{digest_id}",
        to_post=to_post,
        subject=f"{mark}汇总:{number} 条通知 / Digest: {number} notices",
        zh=f"{mark}一小时内通知过多,以下合并发送:\n{listed}" + (f"\n……另有 {rest} 条" if rest > 0 else ""),
        en=f"{mark}Too many notices in an hour; these are sent together:\n{listed}"
        + (f"\n… and {rest} more" if rest > 0 else ""),
        exercise=exercise,
        told_at=now,
        routed_at=now,
        singly=True,
        digest=True,
    )
