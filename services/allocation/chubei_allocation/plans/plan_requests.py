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

from chubei_allocation import locks, pages, tables
from chubei_allocation.incidents import incidents
from chubei_allocation.planner import REPLAN_SHARE
from chubei_allocation.plans import plans

SOLVE = "chubei_allocation.tasks.solve"
SOLVER_QUEUE = "solver"
_OVER_ZH = {jobs.DONE: "已有方案", jobs.FAILED: "已失败"}


def request_plan(session: Session, body: PlanRequest, caller: Caller, default_limit_s: int) -> RequestView:
    """Ask for a plan. Raises NotFound, Invalid, Conflict."""
    locks.one_at_a_time(session, body.id)
    asked = body.model_dump(mode="json")
    if known := session.get(tables.PlanRequest, body.id):
        if PlanRequest.model_validate(known.body) != body:
            raise Conflict(
                f"编号 {body.id} 已用于另一请求,请换新编号",
                f"Id {body.id} is another request's: mint a new one",
            )
        return view(session, known)
    incident = incidents.get(session, body.incident_id)
    incidents.check_not_ended(session, incident)
    _check_start(incident, body.now_min)
    replaces = _replaced(session, body)
    _check_assumptions(session, body)
    job = tables.PlanRequest(
        id=body.id,
        incident_id=body.incident_id,
        requested_by=caller.person,
        body=asked,
        policy=body.policy,
        time_limit_s=body.time_limit_s or _limit_s(default_limit_s, replaces),
        seed=body.seed,
        now_min=body.now_min,
        replaces=replaces,
    )
    session.add(job)
    session.flush()
    wake(session, job.id)
    outbox.enqueue(
        session, "plan.requested", {"request_id": str(job.id), "incident_id": str(job.incident_id)}
    )
    return view(session, job)


def _replaced(session: Session, body: PlanRequest) -> UUID | None:
    """The plan in force that the new one is to replace: it goes on from there."""
    in_force = plans.approved(session, body.incident_id)
    if body.replaces is not None and (in_force is None or in_force.id != body.replaces):
        now = in_force.id if in_force else "-"
        raise Conflict(
            f"replaces:方案 {body.replaces} 不是此事件的生效方案(现为 {now}),请改填或不填",
            f"replaces: plan {body.replaces} is not in force for this incident ({now} is): name that or leave it out",
        )
    return in_force.id if in_force else None


def _limit_s(default_s: int, replaces: UUID | None) -> int:
    """A replan has a plan to go on from, and takes half of the time."""
    return max(1, int(default_s * REPLAN_SHARE)) if replaces else default_s


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


def _check_assumptions(session: Session, body: PlanRequest) -> None:
    """What they name is the district's; goods are looked up when the plan is made."""
    known = {
        "type": set(session.scalars(select(tables.VehicleType.id))),
        "place_id": set(session.scalars(select(tables.LoadingSite.place_id))),
        "shelter_id": set(session.scalars(select(tables.Shelter.id))),
    }
    known["a"] = known["b"] = known["place_id"] | known["shelter_id"]
    for number, row in enumerate(body.assume):
        for field, ids in known.items():
            name = getattr(row, field, None)
            if name is not None and name not in ids:
                at = f"assume[{number}].{field}"
                zh, en = f"没有 {name},请核对编号", f"there is no {name}: correct the id"
                raise Invalid(
                    f"{at}:{zh}",
                    f"{at}: {en}",
                    errors=[{"field": at, "problem": f"{zh} / {en}", "remedy": "GET /v1/network"}],
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
            f"请求{_OVER_ZH[job.status]},不能取消",
            f"The request is over ({job.status}): there is nothing to cancel",
        )
    return view(session, job)


def view(session: Session, job: tables.PlanRequest) -> RequestView:
    return _views(session, [job])[0]


def _views(session: Session, found: list[tables.PlanRequest]) -> list[RequestView]:
    led_to = select(tables.Plan.request_id, tables.Plan.id).where(
        tables.Plan.request_id.in_([job.id for job in found])
    )
    plan_ids = {row.request_id: row.id for row in session.execute(led_to)}
    return [
        RequestView(
            id=job.id,
            incident_id=job.incident_id,
            requested_by=job.requested_by,
            policy=job.policy,
            status=job.status,
            attempts=job.attempts,
            time_limit_s=job.time_limit_s,
            work_limit=job.body.get("work_limit"),
            seed=job.seed,
            replaces=job.replaces,
            progress=Progress.model_validate(job.progress) if job.progress else None,
            error=job.error,
            plan_id=plan_ids.get(job.id),
            what_if=bool(job.body.get("assume")),
            created_at=job.created_at,
            finished_at=job.finished_at,
            minutes_left=incidents.minutes_left(incidents.get(session, job.incident_id)),
        )
        for job in found
    ]
