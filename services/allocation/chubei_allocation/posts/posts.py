"""Verbs on posts: who holds which, who stands above whom."""

from collections.abc import Iterable
from datetime import UTC, datetime
from uuid import UUID

from chubei_shared import outbox
from chubei_shared.contracts.posts import (
    ChannelView,
    EmailChannel,
    Holding,
    HoldingPage,
    Post,
    PostChange,
    PostPage,
    PostView,
    WebhookChannel,
    WebhookSecret,
    target,
)
from chubei_shared.editions import etag_of, refuse_other_edition
from chubei_shared.errors import Invalid, NotFound
from chubei_shared.tokens import Caller
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from chubei_allocation import locks
from chubei_allocation.posts import rules, secrets, tables

_POSTS = UUID("5b0f7a3e-8f43-4f3b-9a51-2f4a1f0d7c11")
NO_SMTP = "未配置邮件服务器:CHUBEI_SMTP_URL / no mail server: set CHUBEI_SMTP_URL"


def put(session: Session, post: Post, caller: Caller, if_match: str | None, mail: bool) -> PostChange:
    """Create a post or change it; the same again changes nothing. `mail`: whether e-mail can be sent.

    Raises Invalid (an unknown post above, or a circle), PreconditionRequired, PreconditionFailed.
    """
    locks.one_at_a_time(session, _POSTS)  # two changes that together make a circle see each other
    row = session.get(tables.Post, post.id)
    old = None if row is None else _post(row)
    if row is None or old != post:
        refuse_other_edition(if_match, None if old is None else etag_of(old))
        _check_above(session, post)
        if row is None:
            session.add(row := tables.Post(id=post.id))
        for column, value in post.model_dump(mode="json").items():
            setattr(row, column, value)
        session.flush()
        if old is None or (old.holder, old.deputy) != (post.holder, post.deputy):
            session.add(_holding(post, caller))
        outbox.enqueue(session, "post.changed", {"post_id": post.id, "holder": post.holder})
    urls = [channel.url for channel in post.channels if isinstance(channel, WebhookChannel)]
    made = secrets.keep(session, post.id, urls)
    session.flush()
    view = _views(session, [row], mail)[0]
    return PostChange(post=view.post, channels=view.channels, new_secrets=made)


def _check_above(session: Session, post: Post) -> None:
    found = session.execute(select(tables.Post.id, tables.Post.escalates_to))
    above: dict[str, str | None] = {row.id: row.escalates_to for row in found}
    if post.escalates_to is not None and post.escalates_to not in above.keys() | {post.id}:
        raise _invalid(
            f"没有岗位 {post.escalates_to},请先录入上级岗位",
            f"there is no post {post.escalates_to}: put the post above first",
        )
    if rules.in_circle(above | {post.id: post.escalates_to}, post.id):
        raise _invalid(
            f"从 {post.escalates_to} 逐级上报会回到 {post.id},请改上级岗位",
            f"what is escalated to {post.escalates_to} would come back to {post.id}: name another post above",
        )


def _invalid(zh: str, en: str) -> Invalid:
    error = {"field": "escalates_to", "problem": f"{zh} / {en}", "remedy": "GET /v1/posts"}
    return Invalid(f"escalates_to:{zh}", f"escalates_to: {en}", errors=[error])


def _holding(post: Post, caller: Caller) -> tables.Holding:
    return tables.Holding(
        post_id=post.id,
        holder=post.holder,
        deputy=post.deputy,
        from_at=datetime.now(UTC),
        recorded_by=caller.person,
    )


def renew_secret(session: Session, post_id: str, url: str) -> WebhookSecret:
    """Another secret for a webhook; the one before is good for nothing from now on. Raises NotFound."""
    session.refresh(row := get(session, post_id), with_for_update=True)
    if {"kind": "webhook", "url": url} not in row.channels:
        raise NotFound(f"岗位 {post_id} 没有此 webhook:{url}", f"Post {post_id} has no webhook {url}")
    return secrets.renew(session, post_id, url)


# Looked up by others


def get(session: Session, post_id: str) -> tables.Post:
    """Raises NotFound."""
    row = session.get(tables.Post, post_id)
    if row is None:
        raise NotFound(f"没有岗位 {post_id}", f"There is no post {post_id}")
    return row


def unknown(session: Session, post_ids: Iterable[str]) -> list[str]:
    """Those of `post_ids` that are no posts."""
    asked = set(post_ids)
    return sorted(asked - set(session.scalars(select(tables.Post.id).where(tables.Post.id.in_(asked)))))


def of_person(session: Session, person: str) -> list[tables.Post]:
    """The posts that a person holds or stands in for, by id."""
    post = tables.Post
    mine = select(post).where(or_(post.holder == person, post.deputy == person)).order_by(post.id)
    return list(session.scalars(mine))


def acts_for(session: Session, person: str, post_id: str) -> bool:
    """Whether a person holds a post or stands in for its holder, as it is now. Raises NotFound."""
    row = get(session, post_id)
    return person in (row.holder, row.deputy)


# Read


def show(session: Session, post_id: str, mail: bool) -> PostView:
    return _views(session, [get(session, post_id)], mail)[0]


def every(session: Session, mail: bool) -> PostPage:
    found = list(session.scalars(select(tables.Post).order_by(tables.Post.id)))
    return PostPage(rows=_views(session, found, mail))


def masked(view: PostView) -> PostView:
    """For those who do not keep posts: what is ready to send, and of e-mail addresses the first letter and the host."""
    shown = [
        one.model_copy(update={"target": f"{one.target[0]}***@{one.target.rpartition('@')[2]}"})
        if one.kind == "email"
        else one
        for one in view.channels
    ]
    kept = [one for one in view.post.channels if one.kind != "email"]
    return PostView(post=view.post.model_copy(update={"channels": kept}), channels=shown)


def holders(session: Session, post_id: str) -> HoldingPage:
    """Who held it from when, the latest first. Raises NotFound."""
    get(session, post_id)
    row = tables.Holding
    found = session.scalars(select(row).where(row.post_id == post_id).order_by(row.serial.desc()))
    return HoldingPage(
        rows=[
            Holding(holder=h.holder, deputy=h.deputy, from_at=h.from_at, recorded_by=h.recorded_by)
            for h in found
        ]
    )


def _post(row: tables.Post) -> Post:
    return Post.model_validate(row, from_attributes=True)


def _views(session: Session, found: list[tables.Post], mail: bool) -> list[PostView]:
    known = secrets.of_posts(session, [row.id for row in found])
    return [
        PostView(post=(post := _post(row)), channels=[_channel(post, c, known, mail) for c in post.channels])
        for row in found
    ]


def _channel(
    post: Post, channel: WebhookChannel | EmailChannel, known: dict[tuple[str, str], str], mail: bool
) -> ChannelView:
    secret = known.get((post.id, target(channel)))
    ready = mail or isinstance(channel, WebhookChannel)
    return ChannelView(
        kind=channel.kind,
        target=target(channel),
        secret=secret and secrets.masked(secret),
        ready=ready,
        problem=None if ready else NO_SMTP,
    )
