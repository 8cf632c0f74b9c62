"""Verbs on incidents: declared once, with the people at every demand point."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from chubei_shared import outbox
from chubei_shared.contracts.incidents import DemandPoint, IncidentDeclaration, IncidentPage, IncidentView
from chubei_shared.contracts.network import District, Shelter, SubDistrict
from chubei_shared.errors import Conflict, Invalid, NotFound
from chubei_shared.tokens import Caller
from sqlalchemy import select
from sqlalchemy.orm import Session

from chubei_allocation import locks, network, pages, people, tables

_OLDEST = timedelta(days=30)


def declare(session: Session, body: IncidentDeclaration, caller: Caller) -> IncidentView:
    """Declare an incident and share its people out over the shelters. Raises Invalid, Conflict."""
    locks.one_at_a_time(session, body.id)
    declaration = body.model_dump(mode="json")
    if known := session.get(tables.Incident, body.id):
        if known.declaration != declaration:
            raise Conflict(
                f"编号 {body.id} 已用于另一次事件,请换新编号",
                f"Id {body.id} is another incident's: mint a new one",
            )
        return view(session, known)
    now = datetime.now(UTC)
    _check_time(body.occurred_at, now)
    district = network.district(session)
    if district is None:
        raise Conflict(
            "尚未录入区情,请先录入(chubei seed)",
            "The district is not known yet: put /v1/district first (chubei seed)",
        )
    shelters = network.rows(session, Shelter)
    _check_closures(session, body, shelters)
    incident = tables.Incident(
        id=body.id,
        kind=body.kind,
        level=body.level,
        name=body.name,
        place=body.place,
        occurred_at=body.occurred_at,
        declared_at=now,
        declared_by=caller.person,
        deadline_min=district.deadline_min,
        exercise=body.exercise,
        closures=[list(pair) for pair in body.closures],
        declaration=declaration,
    )
    session.add(incident)
    session.flush()
    session.add_all(_points(session, body, district, shelters))
    session.flush()
    shown = view(session, incident)
    outbox.enqueue(
        session,
        "incident.declared",
        {"incident_id": str(body.id), "name": body.name, "people": shown.people, "exercise": body.exercise},
    )
    return shown


def _check_time(occurred_at: datetime, now: datetime) -> None:
    if occurred_at > now:
        raise Invalid(
            "occurred_at:事件尚未发生,请核对时间和时区",
            "occurred_at: lies in the future: check the time and its zone",
        )
    if occurred_at < now - _OLDEST:
        raise Invalid(
            "occurred_at:早于 30 天前,请核对日期", "occurred_at: is more than 30 days ago: check the date"
        )


def _check_closures(session: Session, body: IncidentDeclaration, shelters: list[Shelter]) -> None:
    nodes = {shelter.id for shelter in shelters} | set(session.scalars(select(tables.LoadingSite.place_id)))
    if unknown := sorted({node for pair in body.closures for node in pair} - nodes):
        names = ", ".join(unknown)
        raise Invalid(
            f"closures:没有地点 {names},请核对编号",
            f"closures: there is no shelter or loading site {names}: correct the id",
        )


def _points(
    session: Session, body: IncidentDeclaration, district: District, shelters: list[Shelter]
) -> list[tables.DemandPoint]:
    """The people, over sub-districts by residents, then over each one's shelters by capacity."""
    people_at: dict[str, int] = {}
    for subdistrict_id, number in _by_subdistrict(session, body, district).items():
        own = [shelter for shelter in shelters if shelter.subdistrict_id == subdistrict_id]
        if number and not sum(shelter.capacity for shelter in own):
            raise Invalid(
                f"街道 {subdistrict_id} 有 {number} 人待安置,却没有安置点容量,请先增设安置点",
                f"Sub-district {subdistrict_id} has {number} people but no shelter with capacity: add one",
            )
        shares = people.share_out(number, [shelter.capacity for shelter in own])
        people_at |= {shelter.id: n for shelter, n in zip(own, shares, strict=True) if n}
    if not people_at:
        raise Invalid(
            "没有受灾人口,请给更大的 share 或填 people_by_subdistrict",
            "Nobody is affected: give a larger share, or people_by_subdistrict",
        )
    opened = [shelter for shelter in shelters if shelter.id in people_at]
    groups = people.members([people_at[shelter.id] for shelter in opened], district.group_shares)
    return [
        tables.DemandPoint(
            incident_id=body.id,
            shelter_id=shelter.id,
            people=people_at[shelter.id],
            groups=members,
            kit_id=shelter.kit_id,
        )
        for shelter, members in zip(opened, groups, strict=True)
    ]


def _by_subdistrict(session: Session, body: IncidentDeclaration, district: District) -> dict[str, int]:
    subdistricts = network.rows(session, SubDistrict)
    if body.people_by_subdistrict is not None:
        if unknown := sorted(set(body.people_by_subdistrict) - {s.id for s in subdistricts}):
            names = ", ".join(unknown)
            raise Invalid(
                f"people_by_subdistrict:没有街道 {names},请核对编号",
                f"people_by_subdistrict: there is no sub-district {names}: correct the id",
            )
        return body.people_by_subdistrict
    if not subdistricts:
        raise Conflict(
            "尚未录入街道,请先录入(chubei seed)",
            "No sub-district is known yet: put /v1/network first (chubei seed)",
        )
    total = people.affected(district.residents, body.share or district.duty_share)
    shares = people.share_out(total, [s.residents for s in subdistricts])
    return {s.id: n for s, n in zip(subdistricts, shares, strict=True)}


def get(session: Session, incident_id: UUID) -> tables.Incident:
    """Raises NotFound."""
    incident = session.get(tables.Incident, incident_id)
    if incident is None:
        raise NotFound(f"没有事件 {incident_id}", f"There is no incident {incident_id}")
    return incident


def show(session: Session, incident_id: UUID) -> IncidentView:
    return view(session, get(session, incident_id))


def listed(session: Session, cursor: str | None, limit: int) -> IncidentPage:
    """Incidents, the latest first."""
    found, following = pages.latest(
        session, select(tables.Incident), tables.Incident.declared_at, tables.Incident.id, cursor, limit
    )
    at = _points_of(session, [row.id for row in found])
    return IncidentPage(rows=[_view(row, at[row.id]) for row in found], next_cursor=following)


def deadline(incident: tables.Incident) -> datetime:
    return incident.occurred_at + timedelta(minutes=incident.deadline_min)


def points(session: Session, incident_id: UUID) -> list[DemandPoint]:
    """The demand points by shelter id."""
    return _points_of(session, [incident_id])[incident_id]


def _points_of(session: Session, incident_ids: list[UUID]) -> dict[UUID, list[DemandPoint]]:
    found = session.execute(
        select(tables.DemandPoint, tables.Shelter)
        .join(tables.Shelter, tables.Shelter.id == tables.DemandPoint.shelter_id)
        .where(tables.DemandPoint.incident_id.in_(incident_ids))
        .order_by(tables.DemandPoint.shelter_id)
    )
    at: dict[UUID, list[DemandPoint]] = {incident_id: [] for incident_id in incident_ids}
    for point, shelter in found:
        at[point.incident_id].append(
            DemandPoint(
                shelter_id=shelter.id,
                subdistrict_id=shelter.subdistrict_id,
                name_zh=shelter.name_zh,
                name_en=shelter.name_en,
                people=point.people,
                groups=point.groups,
                kit_id=point.kit_id,
            )
        )
    return at


def view(session: Session, incident: tables.Incident) -> IncidentView:
    return _view(incident, points(session, incident.id))


def _view(incident: tables.Incident, rows: list[DemandPoint]) -> IncidentView:
    deadline_at = deadline(incident)
    return IncidentView(
        id=incident.id,
        kind=incident.kind,
        level=incident.level,
        name=incident.name,
        place=incident.place,
        occurred_at=incident.occurred_at,
        declared_at=incident.declared_at,
        declared_by=incident.declared_by,
        deadline_at=deadline_at,
        minutes_left=max(0, int((deadline_at - datetime.now(UTC)).total_seconds() // 60)),
        exercise=incident.exercise,
        people=sum(row.people for row in rows),
        points=rows,
        closures=[(start, end) for start, end in incident.closures],
    )
