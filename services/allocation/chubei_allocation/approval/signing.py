"""Who signs a plan: whether a person may approve it, and whether enough persons have."""

from datetime import UTC, datetime
from uuid import UUID

from chubei_shared import outbox
from chubei_shared.contracts.authority import Holder, Needed
from chubei_shared.errors import Conflict, Forbidden
from chubei_shared.tokens import Caller
from sqlalchemy import select
from sqlalchemy.orm import Session

from chubei_allocation import tables
from chubei_allocation.approval import broken_glass, memos
from chubei_allocation.authority import authority
from chubei_allocation.authority.tables import PlanApproval
from chubei_allocation.incidents import incidents
from chubei_allocation.notices import notices
from chubei_allocation.plans import plans


def sign(
    session: Session,
    plan: tables.Plan,
    caller: Caller,
    seen: str | None = None,
    entered_by: str | None = None,
) -> bool:
    """Record a person's approval of a proposed plan; whether it can go on now. The incident is locked by the caller.

    Rights count as they are at this moment: an approval by somebody who has lost the post since does not. An order
    by word of mouth, `entered_by` somebody else, is enough by itself: its papers follow.
    Raises Conflict (the incident has ended, a what-if, another memo than was read), Forbidden naming who may.
    """
    incidents.check_not_ended(session, incidents.get(session, plan.incident_id))
    if plan.what_if:
        raise Conflict(
            "推测方案含假设,不能批准;请按实际资源另请求方案",
            "A what-if assumes what is not there and can not be approved: ask for a plan without assumptions",
        )
    need = plans.needed(session, plan, lock=True)
    post = post_of(need, caller.person) if need.by_tier else None
    _record(session, plan, need, post, caller, seen, entered_by)
    if entered_by or not need.by_tier:
        return True
    signed = _signed(session, plan, need)
    if len(signed) >= need.approvers:
        return True
    _ask_for_another(session, plan, need, signed)
    return False


def persons(session: Session, plan_id: UUID) -> set[str]:
    """Who has approved a plan."""
    found = session.scalars(select(PlanApproval.person).where(PlanApproval.plan_id == plan_id))
    return set(found)


def post_of(need: Needed, person: str) -> Holder:
    """The post by which a person may approve. Raises Forbidden naming who may."""
    for holder in need.who:
        if holder.person == person:
            return holder
    who = [f"{row.person}({row.post_zh})" for row in need.who]
    who_en = [f"{row.person} ({row.post_en})" for row in need.who]
    nobody_zh = "现无人任此级岗位,请在岗位上设置 tier(PUT /v1/posts/…)"
    nobody_en = "nobody holds a post of that tier now: set the tier of a post (PUT /v1/posts/…)"
    raise Forbidden(
        f"{person} 无权批准此方案:{need.zh}。可批准的人:{'、'.join(who) or nobody_zh}",
        f"{person} may not approve this plan: {need.en}. Who may: {', '.join(who_en) or nobody_en}",
        tier=need.tier,
        reasons=[row.model_dump() for row in need.reasons],
        who=[row.model_dump() for row in need.who],
    )


def _record(
    session: Session,
    plan: tables.Plan,
    need: Needed,
    post: Holder | None,
    caller: Caller,
    seen: str | None,
    entered_by: str | None,
) -> None:
    """Once for a person and a post; a word of mouth of who has signed already is on record beside it."""
    person, oral = caller.person, entered_by is not None
    key = (person, *_key(post), oral)
    if any((row.person, *_by(row), row.oral) == key for row in authority.of_plan(session, plan.id)):
        return
    memo = memos.of(session, plan)
    if seen is not None and not memos.still_holds(session, plan.id, seen, memo):
        raise Conflict(
            "seen:备忘录在您读取之后已有变化,请重新读取再批准",
            "seen: the memo has changed since you read it: read it again, then approve",
            hash=memo.hash,
        )
    session.add(
        PlanApproval(
            plan_id=plan.id,
            person=person,
            post_id=post and post.post_id,
            tier=post and post.tier,
            authority_version=need.version if post else None,
            approved_at=datetime.now(UTC),
            memo_hash=memo.hash,
            seen=seen,
            oral=oral,
            entered_by=entered_by or person,
            break_glass=caller.break_glass,
            memo=memo.memo.model_dump(mode="json"),
        )
    )
    session.flush()
    if caller.break_glass:
        broken_glass.approved(session, plan, person, post.post_id if post else None)


def _by(row: PlanApproval) -> tuple[str | None, str | None]:
    return row.post_id, row.tier


def _key(post: Holder | None) -> tuple[str | None, str | None]:
    return (post.post_id, post.tier) if post else (None, None)


def _signed(session: Session, plan: tables.Plan, need: Needed) -> set[str]:
    """Whose approvals count now."""
    there = {(row.person, row.post_id, row.tier) for row in need.who}
    rows = authority.of_plan(session, plan.id)
    return {row.person for row in rows if (row.person, row.post_id, row.tier) in there}


def _ask_for_another(session: Session, plan: tables.Plan, need: Needed, signed: set[str]) -> None:
    """Tell the others who may that one more approval is wanted."""
    by = "、".join(sorted(signed))
    zh, en = plans.called(plan)
    outbox.enqueue(
        session, "plan.signed", {"plan_id": str(plan.id), "by": sorted(signed), "needed": need.approvers}
    )
    for post_id in sorted({row.post_id for row in need.who if row.person not in signed}):
        notices.tell(
            session,
            post_id,
            "待第二人审批 / A second approval is wanted",
            f"{zh}已由 {by} 批准,{need.zh};请另一人审批",
            f"{by} approved {en}; {need.en}. Another person has to approve",
            dedup_key=f"second-approval:{plan.id}:{by}:{post_id}",
            incident_id=plan.incident_id,
        )
