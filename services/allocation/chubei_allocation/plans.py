"""Verbs on plans: stored as proposed when checked, read with what explains them."""

from typing import Any
from uuid import UUID

from chubei_shared.contracts.holds import Shortage
from chubei_shared.contracts.plans import PlanPage, PlanStatus, PlanSummary, PlanView, Tightness
from chubei_shared.errors import NotFound
from sqlalchemy import select
from sqlalchemy.orm import Session

from chubei_allocation import pages, tables


def get(session: Session, plan_id: UUID) -> tables.Plan:
    """Raises NotFound."""
    plan = session.get(tables.Plan, plan_id)
    if plan is None:
        raise NotFound(f"没有方案 {plan_id}", f"There is no plan {plan_id}")
    return plan


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
        **dict(summary(plan)),
        catalogue_version=answered.get("catalogue_version"),
        scenario=answered,
        plan=plan.plan,
        served_by_hour=plan.served_by_hour,
        tightest=[Tightness.model_validate(row) for row in plan.tightest],
    )


def listed(session: Session, incident_id: UUID | None, cursor: str | None, limit: int) -> PlanPage:
    """Plans, the latest first."""
    query = select(tables.Plan)
    if incident_id:
        query = query.where(tables.Plan.incident_id == incident_id)
    found, following = pages.latest(session, query, tables.Plan.created_at, tables.Plan.id, cursor, limit)
    return PlanPage(rows=[summary(plan) for plan in found], next_cursor=following)


def summary(plan: tables.Plan) -> PlanSummary:
    in_force = plan.status in (PlanStatus.APPROVING, PlanStatus.APPROVED)
    return PlanSummary(
        id=plan.id,
        request_id=plan.request_id,
        incident_id=plan.incident_id,
        status=PlanStatus(plan.status),
        requested_by=plan.requested_by,
        approved_by=plan.decided_by if in_force else None,
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
    )
