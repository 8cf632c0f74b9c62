"""What nobody acknowledged in time goes to the post above, once."""

from datetime import UTC, datetime, timedelta

from chubei_shared import outbox
from sqlalchemy import exists, func, or_, select
from sqlalchemy.orm import Session, aliased

from chubei_allocation.notices import notices, rules, tables
from chubei_allocation.posts import posts

_AT_ONCE = 100


def escalate(session: Session) -> int:
    """Tell the posts above what was not acknowledged within its time; how many notices that were.

    Where somebody acknowledged one of those that led to each other, the others go no further.
    """
    n, now = tables.Notice, datetime.now(UTC)
    heard = aliased(tables.Notice)
    late_from = n.told_at + func.make_interval(0, 0, 0, 0, 0, n.ack_within_min)
    query = (
        select(n)
        .where(
            n.ack_within_min.is_not(None),
            n.acknowledged_at.is_(None),
            n.escalated_at.is_(None),
            or_(late_from <= now, n.told_at > now + rules.SKEW),
            ~exists().where(heard.first_id == n.first_id, heard.acknowledged_at.is_not(None)),
        )
        .order_by(n.told_at, n.id)
        .limit(_AT_ONCE)
        .with_for_update(skip_locked=True)
    )
    found = list(session.scalars(query))
    for notice in found:
        _escalate(session, notice, now)
    return len(found)


def _escalate(session: Session, notice: tables.Notice, now: datetime) -> None:
    within_min = notice.ack_within_min or 0
    if not rules.over(notice.told_at, timedelta(minutes=within_min), now):
        return
    notice.escalated_at = now
    session.flush()
    post = posts.get(session, notice.to_post)
    if post.escalates_to is None:
        outbox.enqueue(session, "notice.unanswered", {"notice_id": str(notice.id), "to_post": post.id})
        return
    notices.tell(
        session,
        post.escalates_to,
        f"未确认 / Not acknowledged: {notice.subject}",
        f"{post.name_zh} 在 {within_min} 分钟内没有确认:{notice.zh}",
        f"{post.name_en} did not acknowledge within {within_min} min: {notice.en}",
        dedup_key=f"escalation:{notice.id}",
        incident_id=notice.incident_id,
        exercise=notice.exercise,
        ack_within_min=within_min,
        escalated_from=notice,
    )
