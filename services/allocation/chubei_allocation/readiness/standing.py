"""PURE: a standing scenario of the duty, from the district, what inventory has, and who is at hand at that hour."""

from datetime import datetime, timedelta
from decimal import Decimal
from math import ceil
from uuid import UUID, uuid5

from chubei_shared.contracts.incidents import DemandPoint, IncidentKind, IncidentView
from chubei_shared.contracts.network import CrewStep, Network, Shelter, ShelterStatus, VehicleType
from chubei_shared.contracts.readiness_settings import Shift, Standing
from chubei_shared.contracts.reserves import Snapshot

from chubei_allocation.incidents.people import affected, members, share_out
from chubei_allocation.scenarios import Json, Unplannable, assemble

_NAMESPACE = UUID("3c7b9f52-0c0d-5e57-9c1b-6f7b2ad0d5a4")
_STORES = ("store", "special", "street")


def scenario_of(standing: Standing, shift: Shift, network: Network, snapshot: Snapshot) -> Json:
    """The planning-scenario/1 of a standing scenario, both tiers. Raises Unplannable."""
    at_that_hour = _on_shift(network, shift, {p.id for p in snapshot.places if p.kind in _STORES})
    return assemble(incident_of(standing, network, snapshot), at_that_hour, snapshot, "fair", 0)


def relief_only(scenario: Json) -> Json:
    """The same with tier 1 of each kit alone: the duty of 12 hours is basic relief.

    Whoever can support everybody in the whole scenario can do so here: leave out the other goods. So what is
    proven impossible here is impossible.
    """
    kits = [
        {**kit, "needs": [need for need in kit["needs"] if need["tier"] == 1]} for kit in scenario["kits"]
    ]
    return {**scenario, "kits": kits}


def incident_of(standing: Standing, network: Network, snapshot: Snapshot) -> IncidentView:
    """What would be declared: all residents' share, at the registered shelters. Raises Unplannable."""
    if network.district is None:
        raise Unplannable("尚未录入区情 / the district is not known yet: put /v1/district first")
    taken_at = snapshot.taken_at
    points = _points(standing, network)
    return IncidentView(
        id=uuid5(_NAMESPACE, f"{standing.id}/{taken_at.isoformat()}"),
        kind=IncidentKind.OTHER,
        level=1,
        name=standing.name_zh,
        place="",
        occurred_at=taken_at,
        declared_at=taken_at,
        declared_by="readiness",
        deadline_at=taken_at + timedelta(minutes=network.district.deadline_min),
        minutes_left=network.district.deadline_min,
        exercise=True,
        people=sum(point.people for point in points),
        points=points,
        closures=[],
        season=standing.season,
    )


def people_of(standing: Standing, network: Network) -> int:
    """How many people the duty is about."""
    district = network.district
    return affected(district.residents, standing.share or district.duty_share) if district else 0


def people_in(scenario: Json) -> int:
    """How many people a scenario is about."""
    return sum(point["people"] for point in scenario["points"])


def deadline(network: Network, now: datetime) -> datetime:
    """Until when goods have to last: those who have them at the deadline use them the day after."""
    return now + timedelta(minutes=network.district.deadline_min if network.district else 0)


def registered(network: Network) -> list[Shelter]:
    """The shelters that open by themselves; candidates are opened by somebody."""
    return [one for one in network.shelters if one.status is ShelterStatus.REGISTERED]


def _points(standing: Standing, network: Network) -> list[DemandPoint]:
    assert network.district is not None  # noqa: S101 (incident_of has looked)
    total = people_of(standing, network)
    subdistricts = network.subdistricts
    if not sum(row.residents for row in subdistricts):
        raise Unplannable("没有街道人口 / no sub-district has residents: put /v1/network first")
    shelters = registered(network)
    at: dict[str, int] = {}
    for row, number in zip(subdistricts, share_out(total, [s.residents for s in subdistricts]), strict=True):
        own = [shelter for shelter in shelters if shelter.subdistrict_id == row.id]
        if number and not sum(shelter.capacity for shelter in own):
            raise Unplannable(
                f"街道 {row.id} 没有安置点容量 / sub-district {row.id} has no shelter with capacity"
            )
        shares = share_out(number, [shelter.capacity for shelter in own])
        at |= {shelter.id: people for shelter, people in zip(own, shares, strict=True) if people}
    opened = [shelter for shelter in shelters if shelter.id in at]
    groups = members([at[shelter.id] for shelter in opened], network.district.group_shares)
    return [_point(shelter, at[shelter.id], group) for shelter, group in zip(opened, groups, strict=True)]


def _point(shelter: Shelter, people: int, groups: dict[str, int]) -> DemandPoint:
    return DemandPoint(
        shelter_id=shelter.id,
        subdistrict_id=shelter.subdistrict_id,
        name_zh=shelter.name_zh,
        name_en=shelter.name_en,
        people=people,
        groups=groups,
        kit_id=shelter.kit_id,
    )


def _on_shift(network: Network, shift: Shift, stores: set[str]) -> Network:
    """The network with the crews of its stores and the vehicles that are there on a shift; suppliers keep theirs."""
    sites = [
        site.model_copy(update={"docks": _crews(site.docks, shift)}) if site.place_id in stores else site
        for site in network.loading_sites
    ]
    district = network.district and network.district.model_copy(
        update={"speed_kmh": network.district.speed_kmh * shift.speed_factor}
    )
    fleet = [_vehicles(kind, shift) for kind in network.vehicle_types]
    return network.model_copy(update={"loading_sites": sites, "vehicle_types": fleet, "district": district})


def _crews(docks: list[CrewStep], shift: Shift) -> list[CrewStep]:
    return [
        CrewStep(
            from_min=step.from_min + (shift.docks_delay_min if step.manned else 0),
            manned=_part(step.manned, shift.docks_share),
        )
        for step in docks
    ]


def _vehicles(kind: VehicleType, shift: Shift) -> VehicleType:
    count = _part(kind.count, shift.vehicles_share)
    return kind.model_copy(
        update={"count": count, "available_min": kind.available_min + shift.vehicles_delay_min}
    )


def _part(number: int, share: float) -> int:
    """A share of a number, rounded up; of the decimal that people wrote."""
    return ceil(number * Decimal(str(share)))
