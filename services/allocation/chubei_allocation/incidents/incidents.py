"""Incidents as they stand, read: as declared, amended and counted since."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from chubei_shared.contracts.amendments import Amendment, AmendmentView, IncidentStatus
from chubei_shared.contracts.catalogue import Season, Setting
from chubei_shared.contracts.demands import AbsoluteDemand, DemandView, GrantedView
from chubei_shared.contracts.incidents import DemandPoint, IncidentPage, IncidentView
from chubei_shared.contracts.network import Shelter, ShelterStatus
from chubei_shared.errors import Invalid, NotFound
from sqlalchemy import select
from sqlalchemy.orm import Session

from chubei_allocation import pages, tables
from chubei_allocation.incidents import checks
from chubei_allocation.incidents import tables as kept
from chubei_allocation.incidents.standing import (
    Amended,
    Counted,
    Event,
    Ground,
    Known,
    Standing,
    before,
    fold,
)
from chubei_allocation.network import network

_CLOCK_SLACK = timedelta(minutes=5)
_LONGEST = timedelta(days=30)
"""An exercise is as far as the last thing reported in it: a mistyped year would end it, and every curve be as long."""


class Record(NamedTuple):
    """All that is on record of an incident: how it began, what has happened since, and the amendments' rows."""

    start: Standing
    events: list[Event]
    amendments: list[kept.Amendment]


def current(session: Session, incident_id: UUID) -> IncidentView:
    """The incident as it stands. Raises NotFound."""
    return view(session, get(session, incident_id))


def view(session: Session, incident: tables.Incident) -> IncidentView:
    return _views(session, [incident])[0]


def get(session: Session, incident_id: UUID) -> tables.Incident:
    """What was declared, and never changes. Raises NotFound."""
    incident = session.get(tables.Incident, incident_id)
    if incident is None:
        raise NotFound(f"没有事件 {incident_id}", f"There is no incident {incident_id}")
    return incident


def listed(session: Session, cursor: str | None, limit: int) -> IncidentPage:
    """Incidents, the latest first."""
    found, following = pages.latest(
        session, select(tables.Incident), tables.Incident.declared_at, tables.Incident.id, cursor, limit
    )
    return IncidentPage(rows=_views(session, found), next_cursor=following)


def standing_now(session: Session, incident: tables.Incident) -> Standing:
    record = records(session, [incident])[incident.id]
    return fold(record.start, record.events, known(session))


def level_at(session: Session, incident: tables.Incident, at: datetime) -> int:
    """As it was amended by then."""
    record = records(session, [incident])[incident.id]
    return fold(record.start, before(record.events, at), known(session)).level


def check_not_ended(session: Session, incident: tables.Incident) -> None:
    """Raises Conflict when nothing new is to begin for this incident."""
    if standing_now(session, incident).status is IncidentStatus.ENDED:
        checks.refuse_ended()


def check_time(incident: tables.Incident, occurred_at: datetime) -> None:
    """Raises Invalid for what is before the incident, or in the future: of the wall's clock, or an exercise's own."""
    if occurred_at < incident.occurred_at:
        raise Invalid(
            "occurred_at:早于事件发生,请核对时间", "occurred_at: is before the incident: correct the time"
        )
    if incident.exercise:
        if occurred_at > incident.occurred_at + _LONGEST:
            raise Invalid(
                f"occurred_at:在演练开始 {_LONGEST.days} 天之后,请核对日期",
                f"occurred_at: is more than {_LONGEST.days} days after the exercise began: check the date",
            )
    elif occurred_at > datetime.now(UTC) + _CLOCK_SLACK:
        raise Invalid("occurred_at:在将来,请核对时间", "occurred_at: lies in the future: correct the time")


def deadline(incident: tables.Incident) -> datetime:
    return incident.occurred_at + timedelta(minutes=incident.deadline_min)


def minutes_left(incident: tables.Incident) -> int:
    """Whole minutes until the deadline; 0 once it has passed."""
    return max(0, int((deadline(incident) - datetime.now(UTC)).total_seconds() // 60))


def known(session: Session) -> Known:
    """The district as the fold needs it."""
    return _known(session, network.rows(session, Shelter))


def _known(session: Session, shelters: Sequence[Shelter]) -> Known:
    district = network.district(session)
    return Known(
        shelters={
            one.id: Ground(one.subdistrict_id, one.capacity, one.status is ShelterStatus.CANDIDATE)
            for one in shelters
        },
        group_shares=district.group_shares if district else {},
    )


def records(session: Session, incidents: Sequence[tables.Incident]) -> dict[UUID, Record]:
    """What is on record of each."""
    ids = [incident.id for incident in incidents]
    points: dict[UUID, list[tables.DemandPoint]] = defaultdict(list)
    for point in session.scalars(select(tables.DemandPoint).where(tables.DemandPoint.incident_id.in_(ids))):
        points[point.incident_id].append(point)
    amended: dict[UUID, list[kept.Amendment]] = defaultdict(list)
    rows = select(kept.Amendment).where(kept.Amendment.incident_id.in_(ids)).order_by(kept.Amendment.serial)
    for row in session.scalars(rows):
        amended[row.incident_id].append(row)
    counted: dict[UUID, list[kept.Headcount]] = defaultdict(list)
    for count in session.scalars(select(kept.Headcount).where(kept.Headcount.incident_id.in_(ids))):
        counted[count.incident_id].append(count)
    return {
        one.id: Record(
            _start(one, points[one.id]),
            [*map(_amended, amended[one.id]), *map(_counted, counted[one.id])],
            amended[one.id],
        )
        for one in incidents
    }


def _start(incident: tables.Incident, points: Sequence[tables.DemandPoint]) -> Standing:
    return Standing(
        level=incident.level,
        setting=Setting(incident.setting),
        season=Season(incident.season),
        opened=frozenset(incident.opened),
        people={point.shelter_id: point.people for point in points},
        groups={point.shelter_id: point.groups for point in points},
        closures=tuple((start, end) for start, end in incident.closures),
        demands=tuple(AbsoluteDemand.model_validate(row) for row in incident.demands),
    )


def _amended(row: kept.Amendment) -> Amended:
    return Amended(row.occurred_at, row.serial, Amendment.model_validate(row.body).change)


def _counted(row: kept.Headcount) -> Counted:
    return Counted(row.occurred_at, row.serial, row.shelter_id, row.people, row.groups)


def _views(session: Session, incidents: Sequence[tables.Incident]) -> list[IncidentView]:
    shelters = network.rows(session, Shelter)
    district = _known(session, shelters)
    found = records(session, incidents)
    return [_view(incident, found[incident.id], district, shelters) for incident in incidents]


def _view(
    incident: tables.Incident, record: Record, district: Known, shelters: Sequence[Shelter]
) -> IncidentView:
    standing = fold(record.start, record.events, district)
    return IncidentView(
        id=incident.id,
        kind=incident.kind,
        level=standing.level,
        name=incident.name,
        place=incident.place,
        occurred_at=incident.occurred_at,
        declared_at=incident.declared_at,
        declared_by=incident.declared_by,
        deadline_at=deadline(incident),
        minutes_left=minutes_left(incident),
        exercise=incident.exercise,
        people=sum(standing.people.values()),
        points=[_point(standing, one) for one in shelters if standing.people.get(one.id)],
        closures=list(standing.closures),
        status=standing.status,
        setting=standing.setting,
        season=standing.season,
        opened=sorted(standing.opened),
        crowding=list(checks.crowding(standing, district)),
        demands=[_demand(incident.id, demand) for demand in standing.demands],
        granted=[
            GrantedView(shelter_id=shelter, item_code=item, units=more.units, worth=more.worth)
            for (shelter, item), more in sorted(standing.granted.items())
        ],
        amendments=[amendment_view(row) for row in record.amendments],
    )


def _point(standing: Standing, shelter: Shelter) -> DemandPoint:
    return DemandPoint(
        shelter_id=shelter.id,
        subdistrict_id=shelter.subdistrict_id,
        name_zh=shelter.name_zh,
        name_en=shelter.name_en,
        people=standing.people[shelter.id],
        groups=dict(standing.groups.get(shelter.id, {})),
        kit_id=shelter.kit_id,
        open=shelter.id in standing.opened,
        opens_min=standing.opens_min.get(shelter.id),
        counted_at=standing.counted_at.get(shelter.id),
    )


def _demand(incident_id: UUID, demand: AbsoluteDemand) -> DemandView:
    """A site's place is of this incident only, so that two incidents never count into one place."""
    place_id = demand.shelter_id or f"site-{incident_id.hex}-{demand.site.id if demand.site else ''}"
    return DemandView(**demand.model_dump(), place_id=place_id)


def amendment_view(row: kept.Amendment) -> AmendmentView:
    told = Amendment.model_validate(row.body)
    return AmendmentView(
        id=row.id,
        occurred_at=row.occurred_at,
        recorded_at=row.recorded_at,
        recorded_by=row.recorded_by,
        why=told.why,
        change=told.change,
    )
