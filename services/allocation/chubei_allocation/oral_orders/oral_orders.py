"""Verbs on oral orders: a named person's word starts the approval at once; the papers follow, or it is raised."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from chubei_shared import outbox
from chubei_shared.contracts.authority import Needed
from chubei_shared.contracts.oral_orders import Account, OralOrder, OralOrderView, OralState, Papers
from chubei_shared.contracts.plans import PlanStatus
from chubei_shared.db import Transactions
from chubei_shared.errors import Conflict, Forbidden, Invalid, NotFound
from chubei_shared.state_words import zh
from chubei_shared.tokens import Caller
from sqlalchemy import select
from sqlalchemy.orm import Session

from chubei_allocation import locks
from chubei_allocation import tables as base
from chubei_allocation.approval import approval, signing
from chubei_allocation.inventory_gate import InventoryGate
from chubei_allocation.oral_orders import rules, tables, telling, views
from chubei_allocation.oral_orders.rules import Act
from chubei_allocation.plans import plans
from chubei_allocation.posts import posts

_CLOCK_SLACK = timedelta(minutes=5)
_AT_ONCE = 20
_IN_NEED = "应急登录 / signed in by break-glass"
_ACTS = {Act.PAPERS: "补文件", Act.ACCOUNT: "补说明"}


def give(
    tx: Transactions, inventory: InventoryGate, plan_id: UUID, body: OralOrder, caller: Caller
) -> OralOrderView:
    """Enter an oral order and carry the approval through. Repeating it is the same order.

    Raises as `approval.approve`; the order is on record even where stock has become short or inventory is away.
    """
    tx(record, plan_id, body, caller)
    approval.advance(tx, inventory, plan_id)
    return tx(show, body.id)


def record(session: Session, plan_id: UUID, body: OralOrder, caller: Caller) -> None:
    """Write it down and begin the approval in the name of who gave it.

    Raises Conflict, Forbidden, Invalid, NotFound.
    """
    locks.one_at_a_time(session, body.id)
    if known := session.get(tables.OralOrder, body.id):
        if (known.plan_id, known.body) != (plan_id, body.model_dump(mode="json")):
            raise Conflict(
                f"编号 {body.id} 已用于另一口头命令,请换新编号",
                f"Id {body.id} is another oral order's: mint a new one",
            )
        return
    plan = plans.get(session, plan_id)
    incident = session.get_one(base.Incident, plan.incident_id, with_for_update=True)
    session.refresh(plan)
    if plan.status != PlanStatus.PROPOSED:
        raise Conflict(
            f"方案{zh(PlanStatus, plan.status)},不再需要口头命令",
            f"The plan is {plan.status}: there is nothing left to order",
        )
    _check_time(incident, body.given_at)
    need = plans.needed(session, plan, lock=True)
    _check_persons(session, need, body, caller)
    approval.begin(session, plan_id, Caller(body.given_by, frozenset()), entered_by=caller.person)
    post = signing.post_of(need, body.given_by) if need.by_tier else None
    row = tables.OralOrder(
        **body.model_dump(exclude={"break_glass", "reason"}),
        break_glass=body.break_glass or caller.break_glass,
        reason=body.reason or (_IN_NEED if caller.break_glass else None),
        plan_id=plan_id,
        incident_id=plan.incident_id,
        post_id=post and post.post_id,
        tier=post and post.tier,
        recorded_by=caller.person,
        recorded_at=datetime.now(UTC),
        papers_due_at=body.given_at + rules.PAPERS_WITHIN,
        papers_note="",
        body=body.model_dump(mode="json"),
    )
    session.add(row)
    session.flush()
    telling.given(session, row)


def _check_time(incident: base.Incident, given_at: datetime) -> None:
    if given_at < incident.occurred_at:
        raise Invalid(
            "given_at:早于事件发生,请核对时间", "given_at: is before the incident: correct the time"
        )
    if given_at > datetime.now(UTC) + _CLOCK_SLACK:
        raise Invalid("given_at:在将来,请核对时间", "given_at: lies in the future: correct the time")


def _check_persons(session: Session, need: Needed, body: OralOrder, caller: Caller) -> None:
    if body.given_by == caller.person:
        raise Invalid(
            "given_by:登记的是他人的口头命令;本人有权请直接批准(:approve)",
            "given_by: an oral order is somebody else's: approve it yourself if you may (:approve)",
        )
    if need.by_tier and not body.break_glass and not posts.of_person(session, caller.person):
        raise Forbidden(
            "您不任任何岗位:请由在岗人员登记,或以 break_glass=true 应急登记并写明 reason(将通知最高级各岗位)",
            "You hold no post: let somebody who does enter it, or set break_glass to true with a reason "
            "(all posts of the highest tier are told)",
        )


# What follows


def papers(session: Session, order_id: UUID, body: Papers, caller: Caller) -> OralOrderView:
    """The written order is there; again changes nothing.

    By who gave it, or anybody of the tier, never by who entered it.

    Raises Conflict, Forbidden, NotFound.
    """
    row = get(session, order_id, lock=True)
    if row.papers_by == caller.person and row.document_no == body.document_no:
        return views.of(session, [row])[0]
    _check_act(session, row, Act.PAPERS)
    _check_other(row, caller)
    need = plans.needed(session, plans.get(session, row.plan_id), lock=True)
    if need.by_tier and caller.person != row.given_by:
        signing.post_of(need, caller.person)
    row.document_no, row.papers_by = body.document_no, caller.person
    row.papers_note = f"{body.note} {_IN_NEED}".strip() if caller.break_glass else body.note
    row.papers_at = datetime.now(UTC)
    _close_if_done(session, row)
    outbox.enqueue(
        session, "oral_order.papers", {"oral_order_id": str(row.id), "incident_id": str(row.incident_id)}
    )
    return views.of(session, [row])[0]


def account(session: Session, order_id: UUID, body: Account, caller: Caller) -> OralOrderView:
    """One person's account of a break-glass entry; two close it, with the papers. Again changes nothing.

    Raises Conflict, Forbidden, NotFound.
    """
    row = get(session, order_id, lock=True)
    if session.get(tables.OralOrderAccount, (order_id, caller.person)):
        return views.of(session, [row])[0]
    _check_act(session, row, Act.ACCOUNT)
    _check_other(row, caller)
    session.add(
        tables.OralOrderAccount(
            oral_order_id=order_id,
            person=caller.person,
            finding=body.finding,
            accounted_at=datetime.now(UTC),
        )
    )
    session.flush()
    _close_if_done(session, row)
    outbox.enqueue(
        session, "oral_order.accounted", {"oral_order_id": str(row.id), "incident_id": str(row.incident_id)}
    )
    return views.of(session, [row])[0]


def _check_act(session: Session, row: tables.OralOrder, act: Act) -> None:
    now = views.state(session, row)
    if act in rules.MOVES[now, row.break_glass]:
        return
    if act is Act.ACCOUNT and not row.break_glass:
        raise Conflict(
            "不是应急登记,无需两人说明", "It is no break-glass entry: there is nothing to account for"
        )
    raise Conflict(
        f"口头命令{zh(OralState, now)},不能再{_ACTS[act]}",
        f"The oral order is {now}: {act} can not be given any more",
    )


def _check_other(row: tables.OralOrder, caller: Caller) -> None:
    if row.recorded_by == caller.person:
        raise Forbidden(
            "登记口头命令的人不能自行补件或说明,请由他人办理",
            "Who entered an oral order may not close it: let somebody else",
        )


def _close_if_done(session: Session, row: tables.OralOrder) -> None:
    session.flush()
    if views.state(session, row) is OralState.CLOSED:
        row.closed_at = datetime.now(UTC)
        session.flush()


def raise_overdue(session: Session) -> int:
    """Tell, once for each, that papers are overdue; how many these were. For the sweeper."""
    row, now = tables.OralOrder, datetime.now(UTC)
    late = (
        select(row)
        .where(row.papers_at.is_(None), row.papers_due_at < now, row.overdue_at.is_(None))
        .order_by(row.papers_due_at)
        .limit(_AT_ONCE)
        .with_for_update(skip_locked=True)
    )
    found = list(session.scalars(late))
    for order in found:
        order.overdue_at = now
        telling.overdue(session, order)
    return len(found)


def get(session: Session, order_id: UUID, lock: bool = False) -> tables.OralOrder:
    """Raises NotFound."""
    row = session.get(tables.OralOrder, order_id, with_for_update=lock or None)
    if row is None:
        raise NotFound(f"没有口头命令 {order_id}", f"There is no oral order {order_id}")
    return row


def show(session: Session, order_id: UUID) -> OralOrderView:
    return views.of(session, [get(session, order_id)])[0]
