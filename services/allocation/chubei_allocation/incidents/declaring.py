"""The verb that declares an incident, with the people at every shelter that is opened for them."""

from datetime import UTC, datetime, timedelta

from chubei_shared import outbox
from chubei_shared.china import day
from chubei_shared.contracts.catalogue import Season
from chubei_shared.contracts.incidents import IncidentDeclaration, IncidentView
from chubei_shared.contracts.network import District, Shelter, ShelterStatus, SubDistrict
from chubei_shared.errors import Conflict, Invalid
from chubei_shared.tokens import Caller
from sqlalchemy import select
from sqlalchemy.orm import Session

from chubei_allocation import locks, tables
from chubei_allocation.incidents import checks, incidents, people
from chubei_allocation.incidents.checks import Ground
from chubei_allocation.incidents.standing import Known, Standing
from chubei_allocation.network import network

_OLDEST = timedelta(days=30)
_SEASONS = dict.fromkeys((11, 12, 1, 2, 3), Season.WINTER) | dict.fromkeys((6, 7, 8), Season.SUMMER)


def season_of(moment: datetime) -> Season:
    """PURE: by the date in China, winter from November to March and summer from June to August; a design choice."""
    return _SEASONS.get(day(moment).month, Season.ANY)


def declare(session: Session, body: IncidentDeclaration, caller: Caller) -> IncidentView:
    """Declare an incident and share its people out over the shelters. Raises Invalid, Conflict."""
    locks.one_at_a_time(session, body.id)
    if known := session.get(tables.Incident, body.id):
        if IncidentDeclaration.model_validate(known.declaration) != body:
            raise Conflict(
                f"编号 {body.id} 已用于另一次事件,请换新编号",
                f"Id {body.id} is another incident's: mint a new one",
            )
        return incidents.view(session, known)
    now = datetime.now(UTC)
    _check_time(body.occurred_at, now)
    district = network.district(session)
    if district is None:
        raise Conflict(
            "尚未录入区情,请先录入(chubei seed)",
            "The district is not known yet: put /v1/district first (chubei seed)",
        )
    ground = ground_of(session)
    shelters = network.rows(session, Shelter)
    opened = _opened(body, shelters)
    _check_needs(body, ground)
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
        setting=body.setting,
        season=body.season or season_of(body.occurred_at),
        opened=[one.id for one in opened],
        demands=[demand.model_dump(mode="json") for demand in body.demands],
        closures=[list(pair) for pair in body.closures],
        declaration=body.model_dump(mode="json"),
    )
    session.add(incident)
    session.flush()
    session.add_all(_points(session, body, district, ground.known, opened))
    session.flush()
    shown = incidents.view(session, incident)
    outbox.enqueue(
        session,
        "incident.declared",
        {"incident_id": str(body.id), "name": body.name, "people": shown.people, "exercise": body.exercise},
    )
    return shown


def ground_of(session: Session) -> Ground:
    """What declarations and amendments may name."""
    return Ground(
        incidents.known(session),
        [one.id for one in network.rows(session, SubDistrict)],
        list(session.scalars(select(tables.LoadingSite.place_id))),
    )


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


def _check_needs(body: IncidentDeclaration, ground: Ground) -> None:
    """What is named has to be there, and each demand once."""
    for field, named in (
        ("people_by_subdistrict", body.people_by_subdistrict or {}),
        ("groups_by_subdistrict", body.groups_by_subdistrict),
    ):
        checks.refuse_unknown(field, "街道", "sub-district", named, ground.subdistricts)
    for field, ids in (("open_shelters", body.open_shelters), ("leave_out", body.leave_out)):
        checks.refuse_unknown(field, "安置点", "shelter", ids, ground.known.shelters)
    if both := sorted(set(body.open_shelters) & set(body.leave_out)):
        names = ", ".join(both)
        raise Invalid(
            f"leave_out:{names} 同时在 open_shelters 中,请去掉其一",
            f"leave_out: {names} is in open_shelters as well: take it out of one",
        )
    checks.check_ways("closures", body.closures, ground)
    for n, demand in enumerate(body.demands):
        checks.check_demand(f"demands[{n}]", demand, body.demands[:n], ground.known)


def _opened(body: IncidentDeclaration, shelters: list[Shelter]) -> list[Shelter]:
    """The registered shelters, and the candidates that are named; without those left out."""
    return [
        one
        for one in shelters
        if (one.status is ShelterStatus.REGISTERED and one.id not in body.leave_out)
        or one.id in body.open_shelters
    ]


def _points(
    session: Session, body: IncidentDeclaration, district: District, known: Known, opened: list[Shelter]
) -> list[tables.DemandPoint]:
    """The people, over sub-districts by residents, then over each one's shelters by capacity."""
    wanted = _by_subdistrict(session, body, district)
    nobody = Standing(body.level, body.setting, Season.ANY, frozenset(one.id for one in opened), {}, {})
    checks.check_room(nobody, wanted, known, body.crowded, "people_by_subdistrict")
    people_at: dict[str, int] = {}
    for subdistrict_id, number in wanted.items():
        own = [one for one in opened if one.subdistrict_id == subdistrict_id]
        shares = people.share_out(number, [one.capacity for one in own])
        people_at |= {one.id: n for one, n in zip(own, shares, strict=True) if n}
    if not people_at and not body.demands:
        raise Invalid(
            "没有受灾人口,请给更大的 share 或填 people_by_subdistrict",
            "Nobody is affected: give a larger share, or people_by_subdistrict",
        )
    at = [one for one in opened if one.id in people_at]
    groups = _groups(body, district, known, at, people_at)
    return [
        tables.DemandPoint(
            incident_id=body.id,
            shelter_id=one.id,
            people=people_at[one.id],
            groups=groups[one.id],
            kit_id=one.kit_id,
        )
        for one in at
    ]


def _groups(
    body: IncidentDeclaration, district: District, known: Known, at: list[Shelter], people_at: dict[str, int]
) -> dict[str, dict[str, int]]:
    """By the district's shares; in the sub-districts where members are told, as told."""
    by_share = people.members([people_at[one.id] for one in at], district.group_shares)
    groups = {one.id: members for one, members in zip(at, by_share, strict=True)}
    for subdistrict_id, told in body.groups_by_subdistrict.items():
        own = [one.id for one in at if one.subdistrict_id == subdistrict_id]
        numbers = [people_at[one] for one in own]
        checks.check_members(f"groups_by_subdistrict.{subdistrict_id}", told, sum(numbers), known)
        groups |= dict(zip(own, people.spread(numbers, told), strict=True))
    return groups


def _by_subdistrict(session: Session, body: IncidentDeclaration, district: District) -> dict[str, int]:
    if body.people_by_subdistrict is not None:
        return body.people_by_subdistrict
    subdistricts = network.rows(session, SubDistrict)
    if not subdistricts:
        raise Conflict(
            "尚未录入街道,请先录入(chubei seed)",
            "No sub-district is known yet: put /v1/network first (chubei seed)",
        )
    total = people.affected(district.residents, body.share or district.duty_share)
    shares = people.share_out(total, [s.residents for s in subdistricts])
    return {s.id: n for s, n in zip(subdistricts, shares, strict=True)}
