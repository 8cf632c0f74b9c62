"""Verbs on headcounts: who is at each shelter, reported by the hour; and who has not reported."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from chubei_shared import outbox
from chubei_shared.contracts.amendments import IncidentStatus
from chubei_shared.contracts.headcounts import (
    Headcount,
    HeadcountBoard,
    HeadcountPage,
    HeadcountView,
    OwnShelter,
    ShelterRow,
)
from chubei_shared.contracts.incidents import IncidentView
from chubei_shared.contracts.network import Shelter
from chubei_shared.errors import Conflict, NotFound
from chubei_shared.tokens import Caller
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from chubei_allocation import locks, pages, tables
from chubei_allocation.incidents import checks, incidents
from chubei_allocation.incidents.amendments import check_moment
from chubei_allocation.incidents.tables import Headcount as Row
from chubei_allocation.network import network

EVERY = timedelta(minutes=60)
_CLOCK_SLACK = timedelta(minutes=5)


def report(session: Session, incident_id: UUID, body: Headcount, caller: Caller) -> HeadcountView:
    """Keep a report; the demand follows it. Raises NotFound, Invalid, Conflict.

    People at a shelter that is not open count as well: they are there. Of an ended incident, only what was counted
    before its end is taken.
    """
    incident = incidents.get(session, incident_id)
    locks.one_at_a_time(session, body.id)
    if known := session.get(Row, body.id):
        if known.incident_id != incident_id or _told(known) != body.model_dump(exclude={"surely"}):
            raise Conflict(
                f"编号 {body.id} 已用于另一次上报,请换新编号",
                f"Id {body.id} is another report's: mint a new one",
            )
        return _view(known)
    now = datetime.now(UTC)
    check_moment(body.occurred_at, incident.occurred_at, now + _CLOCK_SLACK)
    district = incidents.known(session)
    checks.refuse_unknown("shelter_id", "安置点", "shelter", [body.shelter_id], district.shelters)
    places = district.shelters[body.shelter_id].capacity
    checks.check_believable("people", body.shelter_id, body.people, places, body.surely, "surely")
    checks.check_members("groups", body.groups or {}, body.people, district)
    _check_not_after_end(session, incident, body.occurred_at)
    row = Row(
        id=body.id,
        incident_id=incident_id,
        shelter_id=body.shelter_id,
        occurred_at=body.occurred_at,
        recorded_at=now,
        recorded_by=caller.person,
        people=body.people,
        groups=body.groups,
        note=body.note,
    )
    session.add(row)
    session.flush()
    outbox.enqueue(
        session,
        "headcount.reported",
        {
            "incident_id": str(incident_id),
            "shelter_id": body.shelter_id,
            "people": body.people,
            "exercise": incident.exercise,
        },
    )
    return _view(row)


def listed(
    session: Session, incident_id: UUID, shelter_id: str | None, cursor: str | None, limit: int
) -> HeadcountPage:
    """Reports, the latest first."""
    incident = incidents.get(session, incident_id)
    query = select(Row).where(Row.incident_id == incident_id)
    if shelter_id:
        query = query.where(Row.shelter_id == shelter_id)
    found, following = pages.latest(session, query, Row.occurred_at, Row.id, cursor, limit)
    return HeadcountPage(
        minutes_left=incidents.minutes_left(incident),
        rows=[_view(row) for row in found],
        next_cursor=following,
    )


def board(session: Session, incident_id: UUID) -> HeadcountBoard:
    """Every shelter that is open or has people: who is there by the latest report, and who is to report."""
    seen = incidents.current(session, incident_id)
    latest = _latest(session, incident_id)
    people = {point.shelter_id: point for point in seen.points}
    now = datetime.now(UTC)
    rows = [
        _row(seen, shelter, latest.get(shelter.id), now)
        for shelter in network.rows(session, Shelter)
        if shelter.id in seen.opened or shelter.id in people
    ]
    return HeadcountBoard(
        incident_id=incident_id,
        minutes_left=seen.minutes_left,
        exercise=seen.exercise,
        people=seen.people,
        counted=sum(point.people for point in seen.points if point.counted_at),
        overdue=sum(row.overdue for row in rows),
        rows=rows,
    )


def of_shelter(session: Session, incident_id: UUID, shelter_id: str) -> OwnShelter:
    """One shelter of the board, and what its keeper reports by. Raises NotFound."""
    for row in board(session, incident_id).rows:
        if row.shelter_id == shelter_id:
            incident = incidents.get(session, incident_id)
            return OwnShelter(
                **dict(row),
                incident_id=incident_id,
                incident_name=incident.name,
                exercise=incident.exercise,
                ended=incidents.standing_now(session, incident).status is IncidentStatus.ENDED,
                groups=sorted(incidents.known(session).group_shares),
            )
    raise NotFound(
        f"安置点 {shelter_id} 未在此事件中启用", f"Shelter {shelter_id} is not open in this incident"
    )


def _latest(session: Session, incident_id: UUID) -> dict[str, HeadcountView]:
    found = session.scalars(
        select(Row)
        .where(Row.incident_id == incident_id)
        .ext(distinct_on(Row.shelter_id))
        .order_by(Row.shelter_id, Row.occurred_at.desc(), Row.serial.desc())
    )
    return {row.shelter_id: _view(row) for row in found}


def _row(seen: IncidentView, shelter: Shelter, latest: HeadcountView | None, now: datetime) -> ShelterRow:
    point = next((point for point in seen.points if point.shelter_id == shelter.id), None)
    opens_min = shelter.opens_min if point is None or point.opens_min is None else point.opens_min
    since = latest.occurred_at if latest else seen.occurred_at + timedelta(minutes=opens_min)
    due_at = since + EVERY
    overdue = now > due_at and seen.status is not IncidentStatus.ENDED
    return ShelterRow(
        shelter_id=shelter.id,
        name_zh=shelter.name_zh,
        name_en=shelter.name_en,
        subdistrict_id=shelter.subdistrict_id,
        open=shelter.id in seen.opened,
        people=point.people if point else 0,
        latest=latest,
        due_at=due_at,
        overdue=overdue,
        overdue_min=int((now - due_at).total_seconds() // 60) if overdue else 0,
    )


def _check_not_after_end(session: Session, incident: tables.Incident, at: datetime) -> None:
    seen = incidents.standing_now(session, incident)
    if seen.status is IncidentStatus.ENDED and seen.moved_at and at > seen.moved_at:
        checks.refuse_ended()


def _told(row: Row) -> dict[str, object]:
    return {name: getattr(row, name) for name in Headcount.model_fields if name != "surely"}


def _view(row: Row) -> HeadcountView:
    return HeadcountView.model_validate({name: getattr(row, name) for name in HeadcountView.model_fields})
