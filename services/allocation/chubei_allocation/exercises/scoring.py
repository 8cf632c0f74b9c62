"""What is on record of an exercise, as its score is reckoned from it."""

from datetime import UTC, datetime, timedelta
from math import ceil
from uuid import UUID

from chubei_shared.contracts.exercises import Score
from chubei_shared.contracts.orders import OrderStatus, StepState
from chubei_shared.contracts.reports import ReportStatus
from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from chubei_allocation import tables
from chubei_allocation.authority.tables import PlanApproval
from chubei_allocation.dispatch import served
from chubei_allocation.exercises import rules
from chubei_allocation.oral_orders.tables import OralOrder
from chubei_allocation.reports.tables import Report
from chubei_allocation.response.tables import Step as TaskStep
from chubei_allocation.response.tables import Task


def score(session: Session, incident: tables.Incident) -> Score:
    """As things stand."""
    gone = served.show(session, incident.id)
    tasks, in_time = _tasks(session, incident.id)
    return rules.score(
        rules.Played(
            people=gone.people,
            planned_by_hour=gone.planned_by_hour,
            served_by_hour=gone.served_by_hour,
            decide_min=_decide_min(session, incident),
            tasks=tasks,
            tasks_in_time=in_time,
            papers_wrong=_wrong(session, incident.id),
            papers_late=_late(session, incident.id),
        )
    )


def _decide_min(session: Session, incident: tables.Incident) -> int | None:
    first = session.scalar(
        select(func.min(PlanApproval.approved_at))
        .join(tables.Plan, tables.Plan.id == PlanApproval.plan_id)
        .where(tables.Plan.incident_id == incident.id)
    )
    return max(0, ceil((first - incident.declared_at).total_seconds() / 60)) if first else None


def _tasks(session: Session, incident_id: UUID) -> tuple[int, int]:
    """Tasks whose time to be acknowledged is over or that were acknowledged, and those that were in time."""
    asked = {task.id: task for task in session.scalars(select(Task).where(Task.incident_id == incident_id))}
    heard: dict[UUID, datetime] = {}
    escalated: set[UUID] = set()
    for step in session.scalars(
        select(TaskStep).where(TaskStep.task_id.in_(asked)).order_by(TaskStep.serial)
    ):
        if step.move == "acknowledge":
            heard.setdefault(step.task_id, step.at)
        if step.move == "escalate" and step.task_id not in heard:
            escalated.add(step.task_id)
    due = {task.id: task.opened_at + timedelta(minutes=task.ack_within_min) for task in asked.values()}
    now = datetime.now(UTC)
    counted = [one for one in asked if one in heard or now > due[one]]
    in_time = [one for one in counted if one in heard and heard[one] <= due[one] and one not in escalated]
    return len(counted), len(in_time)


def _wrong(session: Session, incident_id: UUID) -> int:
    refused = (
        select(func.count())
        .select_from(tables.OrderStep)
        .join(tables.DispatchOrder, tables.DispatchOrder.id == tables.OrderStep.order_id)
        .where(tables.DispatchOrder.incident_id == incident_id, tables.OrderStep.state == StepState.REFUSED)
    )
    discarded = (
        select(func.count())
        .select_from(Report)
        .where(Report.incident_id == incident_id, Report.status == ReportStatus.DISCARDED)
    )
    return (session.scalar(refused) or 0) + (session.scalar(discarded) or 0)


def _late(session: Session, incident_id: UUID) -> int:
    late = (
        select(func.count())
        .select_from(OralOrder)
        .where(
            OralOrder.incident_id == incident_id,
            or_(
                OralOrder.papers_at > OralOrder.papers_due_at,
                OralOrder.papers_at.is_(None) & (OralOrder.papers_due_at < datetime.now(UTC)),
            ),
        )
    )
    unfinished = (
        select(func.count())
        .select_from(tables.DispatchOrder)
        .where(
            tables.DispatchOrder.incident_id == incident_id,
            tables.DispatchOrder.status.in_([OrderStatus.PLANNED, OrderStatus.UNDER_WAY]),
        )
    )
    return (session.scalar(late) or 0) + (session.scalar(unfinished) or 0)
