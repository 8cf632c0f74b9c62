"""Verbs on plans: stored as proposed when checked, read with what explains them."""

from typing import Any
from uuid import UUID

from chubei_shared.china import local
from chubei_shared.contracts.assumptions import Words
from chubei_shared.contracts.authority import ApprovalView, Needed
from chubei_shared.contracts.holds import Shortage
from chubei_shared.contracts.plans import (
    PlanPage,
    PlanRequest,
    PlanStatus,
    PlanSummary,
    PlanView,
    Tightness,
    TripChange,
)
from chubei_shared.errors import Conflict, NotFound
from chubei_shared.state_words import zh
from sqlalchemy import select
from sqlalchemy.orm import Session

from chubei_allocation import pages, tables
from chubei_allocation.authority import authority
from chubei_allocation.incidents import incidents
from chubei_allocation.plans import variants

MOVES: dict[PlanStatus, frozenset[PlanStatus]] = {
    PlanStatus.PROPOSED: frozenset({PlanStatus.APPROVING, PlanStatus.REFUSED}),
    PlanStatus.APPROVING: frozenset({PlanStatus.APPROVED, PlanStatus.REFUSED}),
    PlanStatus.APPROVED: frozenset({PlanStatus.SUPERSEDED}),
    PlanStatus.REFUSED: frozenset(),
    PlanStatus.SUPERSEDED: frozenset(),
}
"""What a plan may become."""


def move(session: Session, plan: tables.Plan, to: PlanStatus) -> None:
    """Lock a plan and bring it on; at once, so that no two are in force. Raises Conflict where MOVES forbids it."""
    session.refresh(plan, with_for_update=True)
    if to not in MOVES[PlanStatus(plan.status)]:
        raise Conflict(
            f"方案{zh(PlanStatus, plan.status)},不能变为{zh(PlanStatus, to)}",
            f"A plan that is {plan.status} can not become {to}",
        )
    plan.status = to
    session.flush()


def get(session: Session, plan_id: UUID) -> tables.Plan:
    """Raises NotFound."""
    plan = session.get(tables.Plan, plan_id)
    if plan is None:
        raise NotFound(f"没有方案 {plan_id}", f"There is no plan {plan_id}")
    return plan


def called(plan: tables.Plan) -> tuple[str, str]:
    """What people call a plan, by when it was made, as the pages do."""
    zh, en = ("重排方案", "replan") if plan.replaces else ("方案", "plan")
    at = local(plan.created_at)
    return f"{at} 的{zh}", f"the {en} of {at} (China)"


def scenario(session: Session, plan: tables.Plan) -> dict[str, Any]:
    """The planning-scenario/1 that the plan answers."""
    found = session.scalars(
        select(tables.PlanRequest.scenario).where(tables.PlanRequest.id == plan.request_id)
    ).one()
    assert found is not None  # noqa: S101 (a plan is stored with its request's scenario)
    return found


def approved(session: Session, incident_id: UUID) -> tables.Plan | None:
    """The plan in force for an incident."""
    return session.scalar(
        select(tables.Plan).where(
            tables.Plan.incident_id == incident_id, tables.Plan.status == PlanStatus.APPROVED
        )
    )


def show(session: Session, plan_id: UUID) -> PlanView:
    plan = get(session, plan_id)
    answered = scenario(session, plan)
    return PlanView(
        **dict(summary(session, plan)),
        catalogue_version=answered.get("catalogue_version"),
        scenario=answered,
        plan=plan.plan,
        served_by_hour=plan.served_by_hour,
        changes=[TripChange.model_validate(row) for row in plan.changes],
        tightest=[Tightness.model_validate(row) for row in plan.tightest],
        assumptions=assumptions(session, plan),
        authority=needed(session, plan),
    )


def needed(session: Session, plan: tables.Plan, lock: bool = False) -> Needed:
    """Who may approve a plan. `lock`: nobody changes who holds which post until the commit."""
    return authority.needed(
        session, scenario(session, plan), plan.plan.get("trips", []), plan.supported, lock
    )


def assumptions(session: Session, plan: tables.Plan) -> list[Words]:
    """What a what-if assumes, in words."""
    if not plan.what_if:
        return []
    body = session.scalars(select(tables.PlanRequest.body).where(tables.PlanRequest.id == plan.request_id))
    told = [variants.told(row) for row in PlanRequest.model_validate(body.one()).assume]
    return [Words(zh=zh, en=en) for zh, en in told]


def listed(session: Session, incident_id: UUID | None, cursor: str | None, limit: int) -> PlanPage:
    """Plans, the latest first."""
    query = select(tables.Plan)
    if incident_id:
        query = query.where(tables.Plan.incident_id == incident_id)
    found, following = pages.latest(session, query, tables.Plan.created_at, tables.Plan.id, cursor, limit)
    approvals = authority.views(session, {plan.id: plan.status for plan in found})
    rows = [_summary(session, plan, approvals[plan.id]) for plan in found]
    return PlanPage(rows=rows, next_cursor=following)


def summary(session: Session, plan: tables.Plan) -> PlanSummary:
    return _summary(session, plan, authority.views(session, {plan.id: plan.status})[plan.id])


def _summary(session: Session, plan: tables.Plan, approvals: list[ApprovalView]) -> PlanSummary:
    decided_for = plan.status in (PlanStatus.APPROVING, PlanStatus.APPROVED, PlanStatus.SUPERSEDED)
    return PlanSummary(
        id=plan.id,
        request_id=plan.request_id,
        incident_id=plan.incident_id,
        replaces=plan.replaces,
        status=PlanStatus(plan.status),
        requested_by=plan.requested_by,
        approved_by=plan.decided_by if decided_for else None,
        created_at=plan.created_at,
        snapshot_hash=plan.snapshot_hash,
        seed=plan.seed,
        solver_status=plan.solver_status,
        objective=plan.objective,
        bound=plan.bound,
        people=plan.people,
        supported=plan.supported,
        settled=plan.settled,
        mean_wait_min=plan.mean_wait_min,
        shortages=[Shortage.model_validate(row) for row in plan.shortages],
        refusal=plan.refusal,
        what_if=plan.what_if,
        minutes_left=incidents.minutes_left(incidents.get(session, plan.incident_id)),
        approvals=approvals,
    )
