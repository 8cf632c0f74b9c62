"""Verbs on deliveries: taken under a lease, sent by others outside of any transaction, recorded behind the fence."""

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from chubei_shared import jobs
from chubei_shared.contracts.notices import NoticeSent
from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from chubei_allocation.notices import rules, tables
from chubei_allocation.posts import secrets
from chubei_allocation.posts.tables import Post

LEASE = timedelta(minutes=2)
"""Above the longest try by far."""
_AT_ONCE = 20


class Parcel(NamedTuple):
    """One delivery as it goes out."""

    delivery: tables.Delivery
    body: NoticeSent
    secret: str | None
    """Of its webhook; None: the post no longer has it."""
    wanted: bool
    """Whether the post still has this channel."""


def take(session: Session) -> list[Parcel]:
    """Deliveries to be tried now, and ours until their lease runs out: also of workers that died on them."""
    d, now = tables.Delivery, datetime.now(UTC)
    due = or_(d.try_at <= now, d.try_at > now + rules.LONGEST_WAIT + rules.SKEW)
    left = or_(d.lease_until < now, d.lease_until > now + LEASE + rules.SKEW)
    query = (
        select(d)
        .where(or_(and_(d.status == jobs.QUEUED, due), and_(d.status == jobs.RUNNING, left)))
        .order_by(d.try_at, d.id)
        .limit(_AT_ONCE)
        .with_for_update(skip_locked=True)
    )
    found = list(session.scalars(query))
    for delivery in found:
        delivery.status, delivery.lease_until = jobs.RUNNING, now + LEASE
        delivery.fence, delivery.attempts = delivery.fence + 1, delivery.attempts + 1
    session.flush()
    return _parcels(session, found)


def _parcels(session: Session, found: list[tables.Delivery]) -> list[Parcel]:
    n = tables.Notice
    by_id = {row.id: row for row in session.scalars(select(n).where(n.id.in_({d.notice_id for d in found})))}
    to_posts = {notice.to_post for notice in by_id.values()}
    channels = {
        (post.id, channel["kind"], channel.get("url") or channel.get("address"))
        for post in session.scalars(select(Post).where(Post.id.in_(to_posts)))
        for channel in post.channels
    }
    known = secrets.of_posts(session, to_posts)
    return [
        Parcel(
            delivery=delivery,
            body=_body(delivery, notice),
            secret=known.get((notice.to_post, delivery.target)),
            wanted=(notice.to_post, delivery.kind, delivery.target) in channels,
        )
        for delivery in found
        for notice in [by_id[delivery.notice_id]]
    ]


def _body(delivery: tables.Delivery, notice: tables.Notice) -> NoticeSent:
    return NoticeSent(
        id=delivery.id,
        notice_id=notice.id,
        to_post=notice.to_post,
        subject=notice.subject,
        zh=notice.zh,
        en=notice.en,
        incident_id=notice.incident_id,
        exercise=notice.exercise,
        told_at=notice.told_at,
        ack_within_min=notice.ack_within_min,
        escalated_from=notice.escalated_from,
    )


def record(session: Session, parcel: Parcel, problem: str | None) -> bool:
    """What became of a try: delivered where there was no problem. False: it is no longer ours."""
    held, now = parcel.delivery, datetime.now(UTC)
    if not parcel.wanted:
        return jobs.finish(session, held, jobs.CANCELLED)
    if problem is None:
        return jobs.finish(session, held, jobs.DONE, error=None)
    if now - held.created_at >= rules.GIVE_UP_AFTER:
        return jobs.finish(session, held, jobs.FAILED, error=problem)
    return jobs.put_back(session, held, error=problem, try_at=now + rules.wait(held.attempts))
