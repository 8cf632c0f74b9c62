"""Approval, a saga in two transactions with one call to inventory between them.

    proposed --begin--> approving --hold--> approved, with its dispatch orders, or refused with what is short

A plan that stays `approving` (a crash, inventory away) is taken up again by the sweeper: the hold's id was
minted in the first transaction, so that asking once more is the same request, and there is one outcome.
"""

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from chubei_shared import outbox
from chubei_shared.contracts.holds import HoldLine, HoldRequest, HoldStatus
from chubei_shared.contracts.plans import PlanStatus, PlanSummary
from chubei_shared.db import Transactions
from chubei_shared.errors import AppError, Conflict, Forbidden, Shortage, Unavailable
from chubei_shared.tokens import Caller
from sqlalchemy import CursorResult, select, update
from sqlalchemy.orm import Session

from chubei_allocation import incidents, orders, plans, scenarios, tables
from chubei_allocation.inventory_gate import FINAL, InventoryGate

HOLD_LIFE = timedelta(hours=12)
"""A hold outlives the deadline by this, for trips that come late; then what is left becomes free again."""


def approve(tx: Transactions, inventory: InventoryGate, plan_id: UUID, caller: Caller) -> PlanSummary:
    """Approve a plan: hold every line, then make its orders. Repeating it is the same approval.

    Raises Shortage (the plan is refused), Conflict, Forbidden, NotFound; Unavailable while inventory is away.
    """
    tx(begin, plan_id, caller)
    return advance(tx, inventory, plan_id)


def advance(tx: Transactions, inventory: InventoryGate, plan_id: UUID) -> PlanSummary:
    """Bring an approval to its outcome. Raises as `approve`."""
    asked = tx(_hold_request, plan_id)
    if asked is not None:
        person, request = asked
        try:
            with inventory.client(person) as client:
                held = client.hold(request)
        except FINAL as error:
            tx(_refuse, plan_id, error)
        except AppError as error:
            raise Unavailable(
                f"库存服务暂不可用,审批未完成,恢复后自动继续:{error.detail}",
                f"Inventory is away: the approval is not finished and goes on by itself: {error.detail_en}",
            ) from error
        else:
            tx(_conclude, plan_id, held.status)
    return tx(_outcome, plan_id)


def begin(session: Session, plan_id: UUID, caller: Caller) -> None:
    """proposed → approving. Does nothing when the same person has decided already."""
    plan = plans.get(session, plan_id)
    session.get(
        tables.Incident, plan.incident_id, with_for_update=True
    )  # one approval of an incident at a time
    session.refresh(plan)
    if plan.status != PlanStatus.PROPOSED:
        if plan.decided_by != caller.person:
            raise Conflict(
                f"方案已由 {plan.decided_by} 处理", f"{plan.decided_by} has decided on this plan already"
            )
        return
    if plan.requested_by == caller.person:
        raise Forbidden(
            "申请人不能审批自己的方案,请由另一位审批人审批",
            "Who asked for a plan may not approve it: ask another approver",
        )
    if not plan.plan["trips"]:
        raise Conflict("方案没有车次,无需审批", "The plan sends nothing: there is nothing to approve")
    _check_alone(session, plan)
    now = datetime.now(UTC)
    deadline_at = incidents.deadline(incidents.get(session, plan.incident_id))
    won: CursorResult[Any] = session.execute(  # type: ignore[assignment]
        update(tables.Plan)
        .where(tables.Plan.id == plan_id, tables.Plan.status == PlanStatus.PROPOSED)
        .values(
            status=PlanStatus.APPROVING,
            decided_by=caller.person,
            decided_at=now,
            hold_id=uuid4(),
            hold_expires_at=max(deadline_at, now) + HOLD_LIFE,
        )
    )
    if not won.rowcount:
        raise Conflict(
            "方案刚被他人处理,请重新读取", "Somebody else has just decided on this plan: read it again"
        )


def _check_alone(session: Session, plan: tables.Plan) -> None:
    in_force = session.scalar(
        select(tables.Plan.id).where(
            tables.Plan.incident_id == plan.incident_id,
            tables.Plan.status.in_([PlanStatus.APPROVING, PlanStatus.APPROVED]),
        )
    )
    if in_force:
        raise Conflict(
            f"该事件已有生效方案 {in_force}", f"Plan {in_force} is in force for this incident already"
        )


def _hold_request(session: Session, plan_id: UUID) -> tuple[str, HoldRequest] | None:
    """Who approves, and the hold to ask for; None when the approval is over. The same at every try."""
    plan = plans.get(session, plan_id)
    person, hold_id, expires_at = plan.decided_by, plan.hold_id, plan.hold_expires_at
    if plan.status != PlanStatus.APPROVING or person is None or hold_id is None or expires_at is None:
        return None
    incident = incidents.get(session, plan.incident_id)
    lines = hold_lines(plans.scenario(session, plan), plan.plan, incidents.deadline(incident))
    return person, HoldRequest(id=hold_id, purpose=f"plan:{plan_id}", expires_at=expires_at, lines=lines)


def hold_lines(scenario: dict[str, Any], plan: dict[str, Any], needed_at: datetime) -> list[HoldLine]:
    """PURE: what the plan takes of each supply row, summed over its trips."""
    mode_of = scenarios.modes(scenario)
    taken: Counter[tuple[str, str, str]] = Counter()
    for trip in plan["trips"]:
        for visit in trip["visits"]:
            for item, units in visit.get("load", {}).items():
                taken[scenarios.place_of(visit["node"]), item, mode_of[visit["node"], item]] += units
    return [
        HoldLine(place_id=place, item_code=item, mode=mode, quantity=units, needed_at=needed_at)
        for (place, item, mode), units in sorted(taken.items())
    ]


def _conclude(session: Session, plan_id: UUID, held: HoldStatus) -> None:
    """approving → approved, with orders and events in one transaction; whoever comes second does nothing."""
    if held is not HoldStatus.OPEN:
        _end(
            session,
            plan_id,
            f"锁定已失效({held}),请重新制定方案 / the hold is {held} already: ask for a new plan",
        )
    elif _leave(session, plan_id, PlanStatus.APPROVED):
        plan = plans.get(session, plan_id)
        made = orders.create(session, plan, plans.scenario(session, plan))
        outbox.enqueue(session, "plan.approved", {"plan_id": str(plan_id), "orders": made})


def _refuse(session: Session, plan_id: UUID, error: AppError) -> None:
    shortages = error.more.get("shortages", []) if isinstance(error, Shortage) else []
    _end(session, plan_id, f"{error.detail} / {error.detail_en}", shortages)


def _end(
    session: Session, plan_id: UUID, refusal: str, shortages: list[dict[str, Any]] | None = None
) -> None:
    if _leave(session, plan_id, PlanStatus.REFUSED, refusal=refusal, shortages=shortages or []):
        outbox.enqueue(session, "plan.refused", {"plan_id": str(plan_id), "reason": refusal})


def _leave(session: Session, plan_id: UUID, status: PlanStatus, **values: Any) -> bool:
    """Guarded: only one of those who come out of `approving` writes."""
    left: CursorResult[Any] = session.execute(  # type: ignore[assignment]
        update(tables.Plan)
        .where(tables.Plan.id == plan_id, tables.Plan.status == PlanStatus.APPROVING)
        .values(status=status, **values)
    )
    return bool(left.rowcount)


def _outcome(session: Session, plan_id: UUID) -> PlanSummary:
    plan = plans.get(session, plan_id)
    if plan.status == PlanStatus.REFUSED:
        kind = Shortage if plan.shortages else Conflict
        zh, _, en = (plan.refusal or "").partition(" / ")  # a person's reason is in one language
        raise kind(f"方案被退回:{zh}", f"The plan is refused: {en or zh}", shortages=plan.shortages)
    return plans.summary(plan)


def refuse(session: Session, plan_id: UUID, reason: str, caller: Caller) -> PlanSummary:
    """proposed → refused, by a person. Repeating it changes nothing. Raises Conflict, NotFound."""
    plan = plans.get(session, plan_id)
    session.refresh(plan, with_for_update=True)
    if plan.status == PlanStatus.REFUSED and plan.decided_by == caller.person:
        return plans.summary(plan)
    if plan.status != PlanStatus.PROPOSED:
        raise Conflict(
            f"方案已是 {plan.status},不能退回",
            f"The plan is {plan.status}: only a proposed plan can be refused",
        )
    plan.status, plan.decided_by, plan.decided_at = PlanStatus.REFUSED, caller.person, datetime.now(UTC)
    plan.refusal = reason
    outbox.enqueue(session, "plan.refused", {"plan_id": str(plan_id), "reason": reason})
    return plans.summary(plan)
