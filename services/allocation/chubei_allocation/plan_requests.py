"""Verbs on plan requests: rows that a solver worker takes up; a Celery message only wakes it."""

from datetime import UTC, datetime
from math import ceil
from uuid import UUID

from chubei_shared import jobs, outbox
from chubei_shared.contracts.plans import PlanRequest, Progress, RequestPage, RequestView
from chubei_shared.errors import Conflict, Invalid, NotFound
from chubei_shared.tokens import Caller
from sqlalchemy import select
from sqlalchemy.orm import Session

from chubei_allocation import incidents, locks, pages, tables

SOLVE = "chubei_allocation.tasks.solve"
SOLVER_QUEUE = "solver"


def request_plan(session: Session, body: PlanRequest, caller: Caller, default_limit_s: int) -> RequestView:
    """Ask for a plan. Raises NotFound, Invalid, Conflict."""
    locks.one_at_a_time(session, body.id)
    asked = body.model_dump(mode="json")
    if known := session.get(tables.PlanRequest, body.id):
        if known.body != asked:
            raise Conflict(
                f"编号 {body.id} 已用于另一请求,请换新编号",
                f"Id {body.id} is another request's: mint a new one",
            )
        return view(session, known)
    incident = incidents.get(session, body.incident_id)
    _check_start(incident, body.now_min)
    job = tables.PlanRequest(
        id=body.id,
        incident_id=body.incident_id,
        requested_by=caller.person,
        body=asked,
        policy=body.policy,
        time_limit_s=body.time_limit_s or default_limit_s,
        seed=body.seed,
        now_min=body.now_min,
    )
    session.add(job)
    session.flush()
    wake(session, job.id)
    outbox.enqueue(
        session, "plan.requested", {"request_id": str(job.id), "incident_id": str(job.incident_id)}
    )
    return view(session, job)


def wake(session: Session, request_id: UUID) -> None:
    """Have a solver worker look at this request after the commit."""
    outbox.wake(session, SOLVE, str(request_id), queue=SOLVER_QUEUE)


def minutes_since(occurred_at: datetime) -> int:
    """Whole minutes since it happened, rounded up: a plan begins no earlier than now."""
    return max(0, ceil((datetime.now(UTC) - occurred_at).total_seconds() / 60))


def _check_start(incident: tables.Incident, now_min: int | None) -> None:
    if now_min is not None and not incident.exercise:
        raise Invalid(
            "now_min:只有演练可以自选起始分钟,请去掉", "now_min: only an exercise may choose it; leave it out"
        )
    start = minutes_since(incident.occurred_at) if now_min is None else now_min
    if start >= incident.deadline_min:
        raise Invalid(
            f"第 {incident.deadline_min} 分钟的时限已过(现为第 {start} 分钟),无法再排方案",
            f"The deadline, minute {incident.deadline_min}, has passed (it is minute {start}): no plan can meet it",
        )


def get(session: Session, request_id: UUID) -> tables.PlanRequest:
    """Raises NotFound."""
    job = session.get(tables.PlanRequest, request_id)
    if job is None:
        raise NotFound(f"没有方案请求 {request_id}", f"There is no plan request {request_id}")
    return job


def show(session: Session, request_id: UUID) -> RequestView:
    return view(session, get(session, request_id))


def listed(session: Session, incident_id: UUID | None, cursor: str | None, limit: int) -> RequestPage:
    """Requests, the latest first."""
    query = select(tables.PlanRequest)
    if incident_id:
        query = query.where(tables.PlanRequest.incident_id == incident_id)
    found, following = pages.latest(
        session, query, tables.PlanRequest.created_at, tables.PlanRequest.id, cursor, limit
    )
    return RequestPage(rows=_views(session, found), next_cursor=following)


def cancel(session: Session, request_id: UUID) -> RequestView:
    """Cancel a request; a solve under way stops within a second or so. Cancelling again changes nothing."""
    job = get(session, request_id)
    if jobs.cancel(session, tables.PlanRequest, request_id):
        outbox.enqueue(session, "plan.cancelled", {"request_id": str(request_id)})
    session.refresh(job)
    if job.status != jobs.CANCELLED:
        raise Conflict(
            f"请求已结束({job.status}),不能取消",
            f"The request is over ({job.status}): there is nothing to cancel",
        )
    return view(session, job)


def view(session: Session, job: tables.PlanRequest) -> RequestView:
    return _views(session, [job])[0]


def _views(session: Session, found: list[tables.PlanRequest]) -> list[RequestView]:
    led_to = select(tables.Plan.request_id, tables.Plan.id).where(
        tables.Plan.request_id.in_([job.id for job in found])
    )
    plans = {row.request_id: row.id for row in session.execute(led_to)}
    return [
        RequestView(
            id=job.id,
            incident_id=job.incident_id,
            requested_by=job.requested_by,
            policy=job.policy,
            status=job.status,
            attempts=job.attempts,
            time_limit_s=job.time_limit_s,
            seed=job.seed,
            progress=Progress.model_validate(job.progress) if job.progress else None,
            error=job.error,
            plan_id=plans.get(job.id),
            created_at=job.created_at,
            finished_at=job.finished_at,
        )
        for job in found
    ]
