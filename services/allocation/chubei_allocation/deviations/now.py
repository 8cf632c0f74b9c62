"""An incident at a minute, with its plan in force carried out as it stands: what the outlook and the live view show."""

from dataclasses import dataclass
from typing import Any

from chubei_shared.contracts.deviations import DeviationView
from chubei_shared.contracts.incidents import IncidentView
from chubei_shared.contracts.orders import Stop
from sqlalchemy.orm import Session

from chubei_allocation import needs, tables
from chubei_allocation.deviations import deviations, effect, rules
from chubei_allocation.deviations.effect import Run
from chubei_allocation.dispatch import orders, under_way
from chubei_allocation.given import Conditions
from chubei_allocation.incidents import incidents
from chubei_allocation.plans import plans

Json = dict[str, Any]
_NOBODY: Json = {"people": 0, "groups": {}}


@dataclass(frozen=True)
class Now:
    incident: IncidentView
    deadline_min: int
    now_min: int
    told: list[DeviationView]
    """The deviations that stand."""
    conditions: Conditions
    in_force: "InForce | None"


@dataclass(frozen=True)
class InForce:
    """The plan in force with its orders, and those of plans before it that were under way."""

    plan: tables.Plan
    scenario: Json
    """What it was made for."""
    peopled: Json
    """The same with the people who are there now."""
    orders: list[tables.DispatchOrder]
    stops: dict[str, list[Stop]]
    """As planned, by the order's id."""
    runs: list[Run]


def look(session: Session, row: tables.Incident, now_min: int | None = None) -> Now:
    """Nothing is solved. `now_min`: another minute than the one it is."""
    now = deviations.now_min(session, row) if now_min is None else now_min
    incident = incidents.current(session, row.id)
    told = deviations.standing(session, row.id)
    conditions = rules.fold((view.what for view in told), incident.closures)
    in_force = _in_force(session, row, incident, now, conditions)
    return Now(incident, row.deadline_min, now, told, conditions, in_force)


def _in_force(
    session: Session,
    row: tables.Incident,
    incident: IncidentView,
    now_min: int,
    conditions: Conditions,
) -> InForce | None:
    plan = plans.approved(session, row.id)
    if plan is None:
        return None
    scenario = plans.scenario(session, plan)
    trips = under_way.trips(session, row, now_min, conditions)
    found = under_way.of_incident(session, row.id)
    stops = {str(order.id): orders.stops_of(order) for order in found}
    runs = effect.play(trips, stops, scenario, conditions)
    return InForce(plan, scenario, _peopled(scenario, incident), found, stops, runs)


def _peopled(scenario: Json, incident: IncidentView) -> Json:
    """The scenario with the people who are at its points now, and what these were granted beyond their kits."""
    now = {point.shelter_id: point for point in incident.points}
    kits = {kit["id"] for kit in scenario["kits"]}
    peopled = []
    for point in scenario["points"]:
        at = now.get(point["id"])
        kit = point.get("kit") or (at.kit_id if at and at.kit_id in kits else None)
        people = {"people": at.people, "groups": at.groups} if at and kit else _NOBODY
        peopled.append({**point, **people, **({"kit": kit} if kit else {})})
    kit_rows, points = needs.raise_kits(scenario["kits"], peopled, incident.granted)
    return {**scenario, "kits": kit_rows, "points": points}
