"""The account of an incident: people served by what has been received, against what was planned."""

from dataclasses import replace
from math import ceil
from uuid import UUID

from chubei_shared.contracts.orders import ServedRow, ServedView, StepKind, StepState
from sqlalchemy import select
from sqlalchemy.orm import Session

from chubei_allocation import tables
from chubei_allocation.dispatch import orders
from chubei_allocation.incidents import incidents
from chubei_allocation.planner import Trip, Visit, parse_plan, parse_scenario, served_by_hour
from chubei_allocation.planner.figures import Figures, figures
from chubei_allocation.plans import plans


def show(session: Session, incident_id: UUID) -> ServedView:
    """People served by the deadline; all 0 while no plan is approved."""
    incident = incidents.get(session, incident_id)
    points = incidents.current(session, incident_id).points
    plan = plans.approved(session, incident_id)
    actual = planned = None
    actual_by_hour = planned_by_hour = [0] * (ceil(incident.deadline_min / 60) + 1)
    if plan is not None:
        scenario = parse_scenario(plans.scenario(session, plan))
        as_planned = parse_plan(plan.plan, scenario)
        as_received = replace(as_planned, trips=_receipts(session, incident))
        planned, actual = (figures(scenario, made.trips) for made in (as_planned, as_received))
        planned_by_hour, actual_by_hour = (
            [served for _, served in served_by_hour(scenario, made)] for made in (as_planned, as_received)
        )
    return ServedView(
        incident_id=incident_id,
        minutes_left=incidents.minutes_left(incident),
        people=sum(point.people for point in points),
        served=actual.supported if actual else 0,
        planned=planned.supported if planned else 0,
        served_by_hour=actual_by_hour,
        planned_by_hour=planned_by_hour,
        rows=[
            ServedRow(
                shelter_id=point.shelter_id,
                name_zh=point.name_zh,
                name_en=point.name_en,
                people=point.people,
                served=_supported(actual, point.shelter_id),
                planned=_supported(planned, point.shelter_id),
            )
            for point in points
        ],
    )


def _supported(found: Figures | None, shelter_id: str) -> int:
    """0 while there is no plan, and where a shelter was opened after it was made."""
    point = found.points.get(shelter_id) if found else None
    return point.supported if point else 0


def _receipts(session: Session, incident: tables.Incident) -> tuple[Trip, ...]:
    """Every receipt as a delivery of what arrived sound, at the minute it was received."""
    found = session.execute(
        select(tables.OrderStep, tables.DispatchOrder)
        .join(tables.DispatchOrder, tables.DispatchOrder.id == tables.OrderStep.order_id)
        .where(
            tables.DispatchOrder.incident_id == incident.id,
            tables.OrderStep.step == StepKind.RECEIVED,
            tables.OrderStep.state == StepState.DONE,
        )
    )
    trips = []
    for step, order in found:
        minute = ceil((step.occurred_at - incident.occurred_at).total_seconds() / 60)
        sound = {line["item_code"]: line["received"] for line in step.lines}
        place = orders.stops_of(order)[step.stop].place_id
        trips.append(Trip(order.vehicle, (Visit(place, minute, minute, minute, loads=False, goods=sound),)))
    return tuple(trips)
