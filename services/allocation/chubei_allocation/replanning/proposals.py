"""The system's own replans: asked for by `system` when what happened costs enough people their relief.

Once for a set of deviations: the request's id follows from them, from who is to be served and from how much is lost.
Nothing is approved by this: the plan is proposed, and a person looks at it.
"""

import json
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid5

from chubei_shared import jobs
from chubei_shared.contracts.deviations import Outlook
from chubei_shared.contracts.plans import PlanRequest, PlanStatus, RequestView
from chubei_shared.tokens import Caller, Role
from sqlalchemy import select
from sqlalchemy.orm import Session

from chubei_allocation import tables
from chubei_allocation.deviations import outlook
from chubei_allocation.incidents import incidents
from chubei_allocation.plans import plan_requests

SYSTEM = Caller("system", frozenset({Role.COMMANDER}))
QUIET = timedelta(seconds=30)
"""How long nothing new has to have been reported: what happens together is planned for together."""
_REQUESTS = UUID("3d2f8c55-6a0e-4f0b-8d51-9be1c6a7f0d2")


def candidates(session: Session) -> list[UUID]:
    """Incidents with a plan in force that nobody is replanning, and whose deadline has not passed."""
    solving = (
        select(tables.PlanRequest.id)
        .where(
            tables.PlanRequest.replaces == tables.Plan.id,
            tables.PlanRequest.status.in_([jobs.QUEUED, jobs.RUNNING]),
        )
        .exists()
    )
    found = (
        select(tables.Incident)
        .join(tables.Plan, tables.Plan.incident_id == tables.Incident.id)
        .where(tables.Plan.status == PlanStatus.APPROVED, ~solving)
        .order_by(tables.Incident.declared_at)
    )
    now = datetime.now(UTC)
    return [row.id for row in session.scalars(found) if row.exercise or now < incidents.deadline(row)]


def propose(session: Session, incident_id: UUID, default_limit_s: int) -> RequestView | None:
    """Ask for a replan where the outlook recommends one; None where it does not, or one was asked for already."""
    seen = outlook.show(session, incident_id)
    if not seen.replan or any(row.reported_at > datetime.now(UTC) - QUIET for row in seen.deviations):
        return None
    request_id = _request_id(seen)
    if session.get(tables.PlanRequest, request_id) is not None:
        return None
    body = PlanRequest(
        id=request_id,
        incident_id=incident_id,
        replaces=seen.plan_id,
        now_min=seen.now_min if seen.exercise else None,
    )
    return plan_requests.request_plan(session, body, SYSTEM, default_limit_s)


def _request_id(seen: Outlook) -> UUID:
    """One for the plan, the deviations and the people; and anew each time that what is lost has doubled."""
    doublings = (seen.fewer // seen.threshold).bit_length()
    told = [str(seen.plan_id), sorted(str(row.id) for row in seen.deviations), seen.people, doublings]
    return uuid5(_REQUESTS, json.dumps(told))
