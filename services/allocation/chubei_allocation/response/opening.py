"""Tasks are given out by the sweeper, to incidents whose level has none yet: also where whoever declared died on it."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid5

from chubei_shared import outbox
from chubei_shared.contracts.amendments import IncidentStatus
from chubei_shared.contracts.response import Duty, TaskState
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from chubei_allocation import locks
from chubei_allocation.incidents import incidents
from chubei_allocation.response import plan, rules, tables, telling
from chubei_allocation.tables import Incident

_NEW_FOR = timedelta(days=1)
"""A plan that comes later than this after an incident gives out no tasks for it."""
_CHANGES_FOR = timedelta(days=30)
"""For so long a graver level gives out more tasks."""


def candidates(session: Session) -> list[UUID]:
    """Incidents that may be without tasks at their level, the oldest first."""
    i, now = Incident, datetime.now(UTC)
    opened = select(tables.Opening.incident_id)
    recent = or_(i.declared_at > now - _NEW_FOR, i.id.in_(opened) & (i.declared_at > now - _CHANGES_FOR))
    return list(session.scalars(select(i.id).where(recent).order_by(i.declared_at, i.id)))


def open_for(session: Session, incident_id: UUID) -> int:
    """Give out the tasks that the incident's level calls for and that were not given out; how many these were.

    Once for a level, by the plan in force. A milder level takes none away, and an ended incident asks for none.
    Raises NotFound.
    """
    in_force = plan.in_force(session)
    if in_force is None:
        return 0
    locks.one_at_a_time(session, incident_id)
    standing = incidents.standing_now(session, incidents.get(session, incident_id))
    level = standing.level
    if (
        standing.status is IncidentStatus.ENDED
        or session.get(tables.Opening, (incident_id, level)) is not None
    ):
        return 0
    given = set(session.scalars(select(tables.Task.duty_id).where(tables.Task.incident_id == incident_id)))
    now = datetime.now(UTC)
    session.add(
        tables.Opening(incident_id=incident_id, level=level, plan_version=in_force.version, opened_at=now)
    )
    new = [duty for duty in rules.called_for(in_force.plan.duties, level) if duty.id not in given]
    for duty in new:
        _open(session, incident_id, duty, in_force.version, now)
    if new:
        outbox.enqueue(
            session,
            "tasks.opened",
            {"incident_id": str(incident_id), "level": level, "tasks": len(new)},
        )
    return len(new)


def _open(session: Session, incident_id: UUID, duty: Duty, version: int, now: datetime) -> None:
    task = tables.Task(
        id=uuid5(incident_id, duty.id),
        incident_id=incident_id,
        duty_id=duty.id,
        plan_version=version,
        stage=duty.stage,
        to_post=duty.to_post,
        zh=duty.zh,
        en=duty.en,
        tier=duty.tier,
        state=TaskState.OPEN,
        opened_at=now,
        due_at=now + timedelta(minutes=duty.due_within_min),
        ack_within_min=duty.ack_within_min,
        asked=[duty.to_post],
        asked_at=now,
    )
    session.add(task)
    session.flush()
    telling.ask(session, task)
