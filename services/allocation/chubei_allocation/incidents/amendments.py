"""The verb that amends an incident: one more row, never an edit."""

from datetime import UTC, datetime
from uuid import UUID

from chubei_shared import outbox
from chubei_shared.china import local
from chubei_shared.contracts.amendments import Amendment
from chubei_shared.contracts.incidents import IncidentView
from chubei_shared.errors import Conflict, Invalid
from chubei_shared.tokens import Caller
from sqlalchemy.orm import Session

from chubei_allocation import locks
from chubei_allocation.incidents import checks, incidents, standing
from chubei_allocation.incidents.declaring import ground_of
from chubei_allocation.incidents.tables import Amendment as Row


def amend(session: Session, incident_id: UUID, body: Amendment, caller: Caller) -> IncidentView:
    """Add an amendment; the incident as it stands with it. Raises NotFound, Invalid, Conflict.

    It is checked against the incident as it stood when it took effect, all that is on record by now counted in.
    """
    incident = incidents.get(session, incident_id)
    locks.one_at_a_time(session, incident_id)  # who comes second sees what the first has changed
    locks.one_at_a_time(session, body.id)
    if known := session.get(Row, body.id):
        if known.incident_id != incident_id or Amendment.model_validate(known.body) != body:
            raise Conflict(
                f"编号 {body.id} 已用于另一变更,请换新编号",
                f"Id {body.id} is another amendment's: mint a new one",
            )
        return incidents.view(session, incident)
    now = datetime.now(UTC)
    at = body.occurred_at or now
    check_moment(at, incident.occurred_at, now)
    record = incidents.records(session, [incident])[incident_id]
    ground = ground_of(session)
    stood = standing.fold(record.start, standing.before(record.events, at), ground.known)
    _check_after_moves(standing.fold(record.start, record.events, ground.known), body, at)
    checks.check(stood, body.change, ground)
    session.add(
        Row(
            id=body.id,
            incident_id=incident_id,
            occurred_at=at,
            recorded_at=now,
            recorded_by=caller.person,
            kind=body.change.kind,
            body=body.model_dump(mode="json"),
        )
    )
    session.flush()
    shown = incidents.view(session, incident)
    outbox.enqueue(
        session,
        "incident.amended",
        {
            "incident_id": str(incident_id),
            "amendment_id": str(body.id),
            "kind": body.change.kind,
            "status": shown.status,
            "people": shown.people,
            "exercise": incident.exercise,
        },
    )
    return shown


def check_moment(at: datetime, began: datetime, now: datetime) -> None:
    """Raises Invalid unless `at` lies between the disaster and now."""
    if at > now:
        raise Invalid(
            "occurred_at:尚未到这一时刻,请核对时间和时区",
            "occurred_at: lies in the future: check the time and its zone",
        )
    if at < began:
        raise Invalid(
            f"occurred_at:早于事件发生({local(began)}),请核对时间",
            f"occurred_at: is before the incident happened ({local(began)}): check the time",
        )


def _check_after_moves(now: standing.Standing, body: Amendment, at: datetime) -> None:
    """An incident is ended and reopened in the order of the clock, so that the last word said is the last in time."""
    if body.change.kind in ("ended", "reopened") and now.moved_at and at < now.moved_at:
        raise Invalid(
            f"occurred_at:早于上一次状态变更({local(now.moved_at)}),请核对时间",
            f"occurred_at: is before the status last changed ({local(now.moved_at)}): check the time",
        )
