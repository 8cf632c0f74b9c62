"""Where each trip is: its last report, and the minutes of every stop, as planned and as they come out."""

from collections.abc import Mapping, Sequence
from math import ceil

from chubei_shared.contracts.deviations import TripOutlook
from chubei_shared.contracts.network import Shelter
from chubei_shared.contracts.orders import OrderStatus, StepKind, StepState, Stop
from chubei_shared.contracts.progress import LastReport, TripProgress, TripStop, Whereabouts
from sqlalchemy.orm import Session

from chubei_allocation import scenarios, tables
from chubei_allocation.deviations import outlook
from chubei_allocation.deviations.effect import Run
from chubei_allocation.deviations.now import InForce, Now
from chubei_allocation.dispatch import moves, orders
from chubei_allocation.network import network

Place = tuple[float, float]


def shown(session: Session, now: Now, row: tables.Incident) -> list[TripProgress]:
    """Every trip that is not withdrawn, by its order's number."""
    plan = now.in_force
    if plan is None:
        return []
    told = {view.order_id: view for view in outlook.trips(now)}
    runs = {run.trip.order_id: run for run in plan.runs}
    steps = orders.steps_by_order(session, [order.id for order in plan.orders])
    where = _places(session, plan)
    return [
        _trip(row, order, told[order.id], runs[str(order.id)], steps[order.id], where)
        for order in plan.orders
    ]


def whereabouts(stops: Sequence[Stop], last: tuple[int, StepKind] | None) -> tuple[Whereabouts, int]:
    """PURE: where a vehicle is by its last report, and the stop that it is at or on the way to."""
    if last is None:
        return Whereabouts.WAITING, 0
    stop, step = last
    following, allowed = moves.following(stops, [last])
    if not allowed:
        return Whereabouts.DONE, stop
    if step is StepKind.DEPARTED:
        return Whereabouts.ON_THE_WAY, following
    return Whereabouts.AT_STOP, stop


def _trip(
    row: tables.Incident,
    order: tables.DispatchOrder,
    told: TripOutlook,
    run: Run,
    steps: Sequence[tables.OrderStep],
    places: Mapping[str, Place],
) -> TripProgress:
    stops = orders.stops_of(order)
    standing = [step for step in steps if step.state != StepState.REFUSED]
    last = standing[-1] if standing else None
    where, stop = whereabouts(stops, (last.stop, StepKind(last.step)) if last else None)
    rows = _stops(stops, run, places)
    return TripProgress(
        **dict(told),
        status=OrderStatus(order.status),
        where=where,
        stop=stop,
        last=_report(row, last) if last else None,
        planned_end_min=stops[-1].end_min,
        end_min=rows[-1].end_min,
        stops=rows,
    )


def _report(row: tables.Incident, step: tables.OrderStep) -> LastReport:
    return LastReport(
        stop=step.stop,
        step=StepKind(step.step),
        occurred_at=step.occurred_at,
        minute=ceil((step.occurred_at - row.occurred_at).total_seconds() / 60),
        recorded_by=step.recorded_by,
    )


def _stops(stops: Sequence[Stop], run: Run, places: Mapping[str, Place]) -> list[TripStop]:
    made = {call.stop: call for call in run.calls}
    rows = []
    for stop in stops:
        call = made.get(stop.stop)
        lon, lat = places.get(stop.place_id, (None, None))
        rows.append(
            TripStop(
                stop=stop.stop,
                place_id=stop.place_id,
                name_zh=stop.name_zh,
                name_en=stop.name_en,
                lon=lon,
                lat=lat,
                loads=bool(stop.load),
                goods=dict(call.goods) if call else {},
                planned_arrive_min=stop.arrive_min,
                planned_end_min=stop.end_min,
                arrive_min=call.arrive_min if call else None,
                end_min=call.end_min if call else None,
                done=call.done if call else False,
            )
        )
    return rows


def _places(session: Session, plan: InForce) -> dict[str, Place]:
    nodes = (*plan.scenario["sources"], *plan.scenario["points"])
    known = {scenarios.place_of(node["id"]): (node["lon"], node["lat"]) for node in nodes}
    return {one.id: (one.lon, one.lat) for one in network.rows(session, Shelter)} | known
