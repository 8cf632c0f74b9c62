"""Approval, a saga in two transactions with one call to inventory between them.

    proposed --begin--> approving --hold--> approved, with its dispatch orders, or refused with what is short

The hold of a replan releases what is left of the hold of the plan that it replaces, in one transaction of inventory;
then that plan is superseded, and its orders become the replan's, are withdrawn, or are made (replanning/succession.py).
Who may begin it, and whether one person is enough, is signing.py's: until enough have signed it stays proposed.

A plan that stays `approving` (a crash, inventory away) is taken up again by the sweeper: the hold's id was
minted in the first transaction, so that asking once more is the same request, and there is one outcome.
"""

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from chubei_shared import china, outbox
from chubei_shared.contracts.holds import HoldLine, HoldReplace, HoldRequest, HoldStatus
from chubei_shared.contracts.plans import PlanStatus, PlanSummary
from chubei_shared.db import Transactions
from chubei_shared.errors import AppError, Conflict, Forbidden, Shortage, Unavailable
from chubei_shared.state_words import zh
from chubei_shared.tokens import Caller
from sqlalchemy import CursorResult, select, true, update
from sqlalchemy.orm import Session

from chubei_allocation import scenarios, tables
from chubei_allocation.approval import signing
from chubei_allocation.dispatch import orders
from chubei_allocation.exercise_books import books
from chubei_allocation.incidents import incidents
from chubei_allocation.inventory_gate import FINAL, InventoryGate
from chubei_allocation.plans import plans
from chubei_allocation.replanning import succession

HOLD_LIFE = timedelta(hours=12)
"""A hold outlives the deadline by this, for trips that come late; then what is left becomes free again."""


def approve(
    tx: Transactions, inventory: InventoryGate, plan_id: UUID, caller: Caller, seen: str | None = None
) -> PlanSummary:
    """Approve a plan: hold every line, then make its orders. Repeating it is the same approval.

    Where two persons have to, the plan stays proposed after the first. `seen`: the hash of the memo that was read.

    Raises Shortage (the plan is refused), Conflict, Forbidden, NotFound; Unavailable while inventory is away.
    """
    tx(begin, plan_id, caller, seen)
    return advance(tx, inventory, plan_id)


def advance(tx: Transactions, inventory: InventoryGate, plan_id: UUID) -> PlanSummary:
    """Bring an approval to its outcome. Raises as `approve`."""
    asked = tx(_hold_request, plan_id)
    if asked is not None:
        person, request, release = asked
        try:
            with books.of(tx, inventory, tx(_incident_of, plan_id), person) as client:
                replace = HoldReplace(release=release, hold=request)
                held = client.hold_replace(replace) if release else client.hold(request)
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


def begin(
    session: Session, plan_id: UUID, caller: Caller, seen: str | None = None, entered_by: str | None = None
) -> None:
    """proposed → approving, once enough have signed. Does nothing when the same person has decided already.

    `entered_by`: who enters an order that `caller` gave by word of mouth.
    """
    plan = plans.get(session, plan_id)
    session.get(
        tables.Incident, plan.incident_id, with_for_update=True
    )  # one approval of an incident at a time
    session.refresh(plan)
    if plan.status != PlanStatus.PROPOSED:
        if caller.person not in {plan.decided_by, *signing.persons(session, plan_id)}:
            raise Conflict(
                f"方案已由 {plan.decided_by} 处理", f"{plan.decided_by} has decided on this plan already"
            )
        return
    if plan.requested_by == caller.person:
        raise Forbidden(
            "申请人不能审批自己的方案,请由另一位审批人审批",
            "Who asked for a plan may not approve it: ask another approver",
        )
    carried = _carried(session, plan)
    if not carried and not _ahead(plans.scenario(session, plan), plan.plan):
        raise Conflict(
            "方案没有待装的车次,无需审批", "The plan has nothing left to load: there is nothing to approve"
        )
    if not signing.sign(session, plan, caller, seen, entered_by):
        return
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
            carried=[line.model_dump(mode="json") for line in carried],
            hold_expires_at=max(deadline_at, now) + HOLD_LIFE,
        )
    )
    if not won.rowcount:
        raise Conflict(
            "方案刚被他人处理,请重新读取", "Somebody else has just decided on this plan: read it again"
        )


def _carried(session: Session, plan: tables.Plan) -> list[HoldLine]:
    """What a replan's hold has to keep for orders under way. Raises Conflict when another plan stands in the way."""
    _check_alone(session, plan)
    return succession.check(session, plan) if plan.replaces else []


def _check_alone(session: Session, plan: tables.Plan) -> None:
    """No other plan of the incident is being approved, nor in force but for the one that this one replaces."""
    in_force = session.scalar(
        select(tables.Plan.id).where(
            tables.Plan.incident_id == plan.incident_id,
            tables.Plan.status.in_([PlanStatus.APPROVING, PlanStatus.APPROVED]),
            tables.Plan.id != plan.replaces if plan.replaces else true(),
        )
    )
    if in_force and plan.replaces:
        raise Conflict(
            f"该事件已有生效或正在审批的方案 {in_force},请按它重新申请重排",
            f"Plan {in_force} is in force or being approved for this incident: ask for a replan of it",
        )
    if in_force:
        raise Conflict(
            f"该事件已有生效方案 {in_force}", f"Plan {in_force} is in force for this incident already"
        )


def _incident_of(session: Session, plan_id: UUID) -> UUID:
    return plans.get(session, plan_id).incident_id


def _hold_request(session: Session, plan_id: UUID) -> tuple[str, HoldRequest, list[UUID]] | None:
    """Who approves, the hold to ask for, and those to release; None when it is over. The same at every try."""
    plan = plans.get(session, plan_id)
    person, hold_id, expires_at = plan.decided_by, plan.hold_id, plan.hold_expires_at
    if plan.status != PlanStatus.APPROVING or person is None or hold_id is None or expires_at is None:
        return None
    incident = incidents.get(session, plan.incident_id)
    lines = hold_lines(plans.scenario(session, plan), plan.plan, incident.occurred_at)
    lines += [HoldLine.model_validate(row) for row in plan.carried]
    request = HoldRequest(id=hold_id, purpose=f"plan:{plan_id}", expires_at=expires_at, lines=lines)
    replaced = plans.get(session, plan.replaces).hold_id if plan.replaces else None
    return person, request, [replaced] if replaced else []


def hold_lines(scenario: dict[str, Any], plan: dict[str, Any], started_at: datetime) -> list[HoldLine]:
    """PURE: what trips not yet begun take of each supply row, by the day on which it arrives at its trip's last stop.

    Expiry is a matter of days (in China), so trips that arrive on one day are one line.
    """
    mode_of = scenarios.modes(scenario)
    taken: Counter[tuple[str, str, str, date]] = Counter()
    last: dict[date, datetime] = {}
    for trip in _ahead(scenario, plan):
        arrives_at = started_at + timedelta(minutes=trip["visits"][-1]["arrive"])
        day = china.day(arrives_at)
        last[day] = max(arrives_at, last.get(day, arrives_at))
        for visit in trip["visits"]:
            for item, units in visit.get("load", {}).items():
                place = scenarios.place_of(visit["node"])
                taken[place, item, mode_of[visit["node"], item], day] += units
    return [
        HoldLine(place_id=place, item_code=item, mode=mode, quantity=units, needed_at=last[day])
        for (place, item, mode, day), units in sorted(taken.items())
    ]


def _ahead(scenario: dict[str, Any], plan: dict[str, Any]) -> list[dict[str, Any]]:
    """The trips that have not begun: a plan has those that have first."""
    trips: list[dict[str, Any]] = plan["trips"][len(scenario.get("committed", [])) :]
    return trips


def _conclude(session: Session, plan_id: UUID, held: HoldStatus) -> None:
    """approving → approved, with orders and events in one transaction; whoever comes second does nothing."""
    if held is not HoldStatus.OPEN:
        _end(
            session,
            plan_id,
            f"锁定已失效({zh(HoldStatus, held)}),请重新制定方案 / the hold is {held} already: ask for a new plan",
        )
        return
    plan = plans.get(session, plan_id)
    session.refresh(plan, with_for_update=True)
    if plan.status != PlanStatus.APPROVING:
        return
    if plan.replaces:  # first: there is never more than one in force
        plans.move(session, plans.get(session, plan.replaces), PlanStatus.SUPERSEDED)
        outbox.enqueue(session, "plan.superseded", {"plan_id": str(plan.replaces), "by": str(plan_id)})
    plans.move(session, plan, PlanStatus.APPROVED)
    scenario = plans.scenario(session, plan)
    told: dict[str, Any] = {"plan_id": str(plan_id), "replaces": plan.replaces and str(plan.replaces)}
    if plan.replaces:
        told |= {str(fate): count for fate, count in succession.carry_out(session, plan, scenario).items()}
    else:
        trips = sorted(plan.plan["trips"], key=lambda trip: trip["visits"][0]["start"])
        orders.create(session, plan, scenario, list(enumerate(trips)))
        told |= {"orders": len(trips)}
    outbox.enqueue(session, "plan.approved", told)


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
    return plans.summary(session, plan)


def refuse(session: Session, plan_id: UUID, reason: str, caller: Caller) -> PlanSummary:
    """proposed → refused, by a person. Repeating it changes nothing. Raises Conflict, NotFound."""
    plan = plans.get(session, plan_id)
    session.refresh(plan, with_for_update=True)
    if plan.status == PlanStatus.REFUSED and plan.decided_by == caller.person:
        return plans.summary(session, plan)
    if plan.status != PlanStatus.PROPOSED:
        raise Conflict(
            f"方案{zh(PlanStatus, plan.status)},不能退回",
            f"The plan is {plan.status}: only a proposed plan can be refused",
        )
    plan.status, plan.decided_by, plan.decided_at = PlanStatus.REFUSED, caller.person, datetime.now(UTC)
    plan.refusal = reason
    outbox.enqueue(session, "plan.refused", {"plan_id": str(plan_id), "reason": reason})
    return plans.summary(session, plan)
