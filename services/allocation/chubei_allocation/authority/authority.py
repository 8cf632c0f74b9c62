"""Verbs on authority: the document, who holds which tier now, and which of the approvals on record count."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from chubei_shared import outbox
from chubei_shared.contracts.authority import ApprovalView, Authority, AuthorityView, Holder, Needed, Tier
from chubei_shared.editions import etag_of, refuse_other_edition
from chubei_shared.errors import NotFound
from chubei_shared.tokens import Caller
from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from chubei_allocation import locks
from chubei_allocation.authority import rules, tables
from chubei_allocation.posts.tables import Holding, Post

Json = dict[str, Any]
_DOCUMENT = UUID("0f7d1c5a-6b1e-4a6b-8a41-2d9a3f5c7e01")
UNDECIDED = ("proposed",)


def put(session: Session, body: Authority, caller: Caller, if_match: str | None) -> AuthorityView:
    """A further version of the document; the same again changes nothing.

    Raises PreconditionRequired, PreconditionFailed.
    """
    locks.one_at_a_time(session, _DOCUMENT)
    row = latest(session)
    old = None if row is None else document(row)
    if row is None or old != body:
        refuse_other_edition(if_match, None if old is None else etag_of(old))
        row = tables.AuthorityVersion(
            version=1 if row is None else row.version + 1,
            body=body.model_dump(mode="json"),
            put_by=caller.person,
            put_at=datetime.now(UTC),
        )
        session.add(row)
        session.flush()
        outbox.enqueue(session, "authority.changed", {"version": row.version})
    return view(session, row)


def show(session: Session, version: int | None = None) -> AuthorityView:
    """The document as it is, or as it was. Raises NotFound."""
    row = latest(session) if version is None else session.get(tables.AuthorityVersion, version)
    if row is None:
        raise NotFound(
            "尚未录入审批权限(PUT /v1/authority)" if version is None else f"没有第 {version} 版审批权限",
            "There is no authority document yet: PUT /v1/authority"
            if version is None
            else f"There is no version {version} of the authority document",
        )
    return view(session, row)


def view(session: Session, row: tables.AuthorityVersion) -> AuthorityView:
    told = document(row)
    return AuthorityView(
        version=row.version,
        authority=told,
        put_by=row.put_by,
        put_at=row.put_at,
        holders=holders(session, [tier.id for tier in told.tiers]),
        in_force=_anybody(session),
    )


def latest(session: Session) -> tables.AuthorityVersion | None:
    row = tables.AuthorityVersion
    return session.scalar(select(row).order_by(row.version.desc()).limit(1))


def document(row: tables.AuthorityVersion) -> Authority:
    return Authority.model_validate(row.body)


def _anybody(session: Session) -> bool:
    """Whether any post was ever held. What was held once is on record for good, so that there is no way back."""
    return bool(session.scalar(select(exists().where(Holding.holder.is_not(None)))))


def holders(session: Session, tiers: Sequence[str], lock: bool = False) -> list[Holder]:
    """Who holds a post of these tiers now, by tier in this order. `lock`: nobody changes them until the commit."""
    query = select(Post).where(Post.tier.in_(tiers)).order_by(Post.id)
    found = list(session.scalars(query.with_for_update(read=True) if lock else query))
    rows = [
        Holder(
            tier=post.tier or "",
            post_id=post.id,
            post_zh=post.name_zh,
            post_en=post.name_en,
            person=person,
            deputy=deputy,
        )
        for post in found
        for person, deputy in ((post.holder, False), (post.deputy, True))
        if person is not None
    ]
    return sorted(rows, key=lambda row: (list(tiers).index(row.tier), row.post_id, row.deputy))


# What a plan needs


def needed(
    session: Session, scenario: Json, trips: Sequence[Json], people: int, lock: bool = False
) -> Needed:
    """The least tier that may approve these trips, which support so many people, and who has it now.

    `lock`: nobody changes the document or who holds which post until the commit.
    """
    if lock:
        locks.one_at_a_time(session, _DOCUMENT)
    row = latest(session)
    if row is None or not _anybody(session):
        return _any_approver(row)
    tiers = document(row).tiers
    ruling = rules.least(tiers, rules.uses(scenario, trips, people))
    tier = tiers[ruling.level]
    who = holders(session, [above.id for above in tiers[ruling.level :]], lock)
    zh, en = _in_words(tier, ruling)
    return Needed(
        by_tier=True,
        version=row.version,
        tier=tier.id,
        name_zh=tier.name_zh,
        name_en=tier.name_en,
        approvers=tier.approvers,
        reasons=ruling.reasons,
        who=who,
        zh=zh,
        en=en,
    )


def top(session: Session) -> list[str]:
    """The posts of the highest tier; none where approvals do not go by tiers."""
    row = latest(session)
    if row is None:
        return []
    tier = document(row).tiers[-1].id
    return list(session.scalars(select(Post.id).where(Post.tier == tier).order_by(Post.id)))


def _any_approver(row: tables.AuthorityVersion | None) -> Needed:
    zh, en = "尚无人任岗位", "nobody has held a post yet"
    if row is None:
        zh, en = "尚未录入审批权限", "there is no authority document"
    return Needed(
        by_tier=False,
        version=None,
        tier=None,
        name_zh="任一审批人",
        name_en="any approver",
        approvers=1,
        reasons=[],
        who=[],
        zh=f"{zh}:除申请人外任一审批人可以批准",
        en=f"{en}: any approver but who asked may approve",
    )


def _in_words(tier: Tier, ruling: rules.Ruling) -> tuple[str, str]:
    number_zh = f"{tier.name_zh}两人" if tier.approvers == 2 else tier.name_zh
    number_en = f"two persons of {tier.name_en}" if tier.approvers == 2 else tier.name_en
    if not ruling.reasons:
        return f"{number_zh}或以上可以批准", f"{number_en} or above may approve"
    return (
        f"{';'.join(row.zh for row in ruling.reasons)}。{number_zh}或以上可以批准",
        f"{'; '.join(row.en for row in ruling.reasons)}; {number_en} or above may approve",
    )


# Approvals on record


def of_plan(session: Session, plan_id: UUID) -> list[tables.PlanApproval]:
    """As they were recorded."""
    row = tables.PlanApproval
    return list(session.scalars(select(row).where(row.plan_id == plan_id).order_by(row.serial)))


def views(session: Session, statuses: dict[UUID, str]) -> dict[UUID, list[ApprovalView]]:
    """The approvals of plans, given the plans' statuses: what a decision was made with stands, whatever came after."""
    row = tables.PlanApproval
    found = list(session.scalars(select(row).where(row.plan_id.in_(statuses)).order_by(row.serial)))
    by_plan: dict[UUID, list[ApprovalView]] = {plan_id: [] for plan_id in statuses}
    now = standing(session, found)
    for one in found:
        decided = statuses[one.plan_id] not in UNDECIDED
        by_plan[one.plan_id].append(
            ApprovalView(
                person=one.person,
                post_id=one.post_id,
                tier=one.tier,
                authority_version=one.authority_version,
                approved_at=one.approved_at,
                memo_hash=one.memo_hash,
                seen=one.seen,
                oral=one.oral,
                entered_by=one.entered_by,
                break_glass=one.break_glass,
                stands=decided or one.serial in now,
            )
        )
    return by_plan


def standing(session: Session, approvals: Iterable[tables.PlanApproval]) -> set[int]:
    """The serials of those whose person still holds, or stands in at, the post that it was given by."""
    rows = list(approvals)
    named = {row.post_id for row in rows if row.post_id}
    posts = (
        {post.id: post for post in session.scalars(select(Post).where(Post.id.in_(named)))} if named else {}
    )
    return {
        row.serial
        for row in rows
        if row.post_id is None
        or ((post := posts[row.post_id]).tier == row.tier and row.person in (post.holder, post.deputy))
    }
