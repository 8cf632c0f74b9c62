"""Verbs on notices. `tell` is the one way in which anything here tells a person something."""

from collections.abc import Iterable
from datetime import UTC, datetime
from uuid import UUID, uuid4

from chubei_shared import outbox
from chubei_shared.contracts.notices import NoticeCount, NoticePage, NoticeView
from chubei_shared.errors import Forbidden, NotFound
from chubei_shared.tokens import Caller
from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from chubei_allocation import pages
from chubei_allocation.notices import tables, views
from chubei_allocation.posts import posts
from chubei_allocation.tables import Incident

SEND = "chubei_allocation.tasks.send_notices"
_QUEUE = "allocation"
_SUBJECT_CHARS = 200


def tell(
    session: Session,
    to_post: str,
    subject: str,
    zh: str,
    en: str,
    dedup_key: str,
    incident_id: UUID | None = None,
    exercise: bool = False,
    ack_within_min: int | None = None,
    escalated_from: tables.Notice | None = None,
) -> UUID:
    """Tell a post something, in the caller's transaction: in the application, and by its channels after the commit.

    `subject` is one line, Chinese / English. Once for a `dedup_key`, however often it is asked; the id of the notice.
    What is not acknowledged within `ack_within_min` goes to the post above. What is about an exercise is marked so.
    Raises NotFound: there is no such post.
    """
    posts.get(session, to_post)
    incident = session.get(Incident, incident_id) if incident_id else None
    exercise = exercise or (incident is not None and incident.exercise)
    notice_id = uuid4()
    row = {
        "id": notice_id,
        "dedup_key": dedup_key,
        "to_post": to_post,
        "subject": marked(_one_line(subject), exercise, "【演练 EXERCISE】"),
        "zh": marked(zh, exercise, "【演练】"),
        "en": marked(en, exercise, "[EXERCISE] "),
        "incident_id": incident_id,
        "exercise": exercise,
        "told_at": datetime.now(UTC),
        "ack_within_min": ack_within_min,
        "escalated_from": escalated_from and escalated_from.id,
        "first_id": escalated_from.first_id if escalated_from else notice_id,
        "singly": True,
        "digest": False,
    }
    new = insert(tables.Notice).values(row).on_conflict_do_nothing(index_elements=["dedup_key"])
    if session.scalar(new.returning(tables.Notice.id)) is None:
        return session.scalars(select(tables.Notice.id).where(tables.Notice.dedup_key == dedup_key)).one()
    outbox.wake(session, SEND, queue=_QUEUE)
    told = {"notice_id": str(notice_id), "to_post": to_post, "exercise": exercise}
    outbox.enqueue(session, "notice.told", told | ({"incident_id": str(incident_id)} if incident_id else {}))
    return notice_id


def marked(text: str, exercise: bool, mark: str) -> str:
    return f"{mark}{text}" if exercise and not text.startswith(mark) else text


def _one_line(text: str) -> str:
    return " ".join(text.split())[:_SUBJECT_CHARS]


def acknowledge(session: Session, notice_id: UUID, caller: Caller) -> NoticeView:
    """Say that it was heard; again changes nothing. Raises NotFound, Forbidden (who does not hold the post now)."""
    notice = get(session, notice_id)
    session.refresh(notice, with_for_update=True)
    if not posts.acts_for(session, caller.person, notice.to_post):
        raise Forbidden(
            f"只有岗位 {notice.to_post} 的任职人或代理人可以确认",
            f"Only who holds the post {notice.to_post}, or the deputy, may acknowledge this",
        )
    if notice.acknowledged_at is None:
        notice.acknowledged_at, notice.acknowledged_by = datetime.now(UTC), caller.person
        session.flush()
        outbox.enqueue(
            session, "notice.acknowledged", {"notice_id": str(notice_id), "to_post": notice.to_post}
        )
    return views.of(session, [notice])[0]


def settle(session: Session, key_prefix: str, person: str) -> None:
    """Acknowledge, for a person, all notices whose key begins so: what they were about was taken up elsewhere."""
    n = tables.Notice
    session.execute(
        update(n)
        .where(n.dedup_key.startswith(key_prefix, autoescape=True), n.acknowledged_at.is_(None))
        .values(acknowledged_at=datetime.now(UTC), acknowledged_by=person)
    )


def get(session: Session, notice_id: UUID) -> tables.Notice:
    """Raises NotFound."""
    notice = session.get(tables.Notice, notice_id)
    if notice is None or notice.digest:
        raise NotFound(f"没有通知 {notice_id}", f"There is no notice {notice_id}")
    return notice


def show(session: Session, notice_id: UUID) -> NoticeView:
    return views.of(session, [get(session, notice_id)])[0]


def listed(
    session: Session,
    mine_of: str | None,
    to_post: str | None,
    incident_id: UUID | None,
    unread: bool,
    cursor: str | None,
    limit: int,
) -> NoticePage:
    """Notices, the latest first; `mine_of`: to the posts of that person only."""
    n = tables.Notice
    query = select(n).where(~n.digest)
    if mine_of is not None:
        query = query.where(n.to_post.in_(_posts_of(session, mine_of)))
    if to_post is not None:
        query = query.where(n.to_post == to_post)
    if incident_id is not None:
        query = query.where(n.incident_id == incident_id)
    if unread:
        query = query.where(n.acknowledged_at.is_(None))
    found, following = pages.latest(session, query, n.told_at, n.id, cursor, limit)
    return NoticePage(rows=views.of(session, found), next_cursor=following)


def count(session: Session, person: str) -> NoticeCount:
    """How many nobody has acknowledged, to each of a person's posts."""
    n, mine = tables.Notice, _posts_of(session, person)
    unread = (
        select(n.to_post, func.count().label("number"))
        .where(n.to_post.in_(mine), n.acknowledged_at.is_(None), ~n.digest)
        .group_by(n.to_post)
    )
    found: dict[str, int] = {row.to_post: row.number for row in session.execute(unread)}
    return NoticeCount(
        unread=sum(found.values()), by_post={post_id: found.get(post_id, 0) for post_id in mine}
    )


def _posts_of(session: Session, person: str) -> Iterable[str]:
    return [post.id for post in posts.of_person(session, person)]
