"""What comes of the plan in force as things stand: people at the deadline, late trips, and whether to plan anew."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from chubei_shared.contracts.deviations import (
    DeviationView,
    Outlook,
    PointOutlook,
    TripOutlook,
    TripState,
)
from chubei_shared.contracts.orders import Stop
from chubei_shared.errors import Invalid
from sqlalchemy.orm import Session

from chubei_allocation.deviations.effect import SLACK_MIN, Run
from chubei_allocation.deviations.now import InForce, Now, look
from chubei_allocation.given import OrderTrip
from chubei_allocation.incidents import incidents
from chubei_allocation.planner import parse_scenario, parse_trips
from chubei_allocation.planner.figures import figures

REPLAN_FROM = 0.01
"""Of those in need, how many more without relief make a replan worth its while."""


@dataclass(frozen=True)
class _Served:
    """People served at the deadline by point, as planned and as it comes out."""

    planned: dict[str, int]
    expected: dict[str, int]
    people_planned: int


def show(session: Session, incident_id: UUID, now_min: int | None = None) -> Outlook:
    """Nothing is solved. Raises NotFound, and Invalid for a `now_min` of what is no exercise."""
    row = incidents.get(session, incident_id)
    if now_min is not None and not row.exercise:
        raise Invalid(
            "now_min:只有演练可以自选,请去掉", "now_min: only an exercise may choose it; leave it out"
        )
    now = look(session, row, now_min)
    if now.in_force is None:
        return _outlook(now, _Served({}, {}, now.incident.people))
    return _outlook(now, _served(now.in_force))


def _served(plan: InForce) -> _Served:
    as_planned = parse_scenario(plan.scenario)
    before = figures(as_planned, parse_trips(plan.plan.plan, as_planned))
    now = figures(parse_scenario(plan.peopled), [run.deliveries() for run in plan.runs])
    return _Served(
        planned={name: point.supported for name, point in before.points.items()},
        expected={name: point.supported for name, point in now.points.items()},
        people_planned=before.people,
    )


def _outlook(now: Now, served: _Served) -> Outlook:
    incident, plan = now.incident, now.in_force
    planned, expected = sum(served.planned.values()), sum(served.expected.values())
    fewer = max(0, (incident.people - expected) - (served.people_planned - planned)) if plan else 0
    threshold = max(1, round(incident.people * REPLAN_FROM))
    replan = fewer >= threshold and now.now_min < now.deadline_min
    zh, en = (
        _words(now.deadline_min, expected, fewer, replan, now.told)
        if plan
        else ("尚无生效方案", "no plan is in force")
    )
    shown = trips(now)
    return Outlook(
        incident_id=incident.id,
        exercise=incident.exercise,
        plan_id=plan.plan.id if plan else None,
        now_min=now.now_min,
        deadline_min=now.deadline_min,
        minutes_left=max(0, now.deadline_min - now.now_min),
        people=incident.people,
        planned=planned,
        expected=expected,
        fewer=fewer,
        threshold=threshold,
        replan=replan,
        zh=zh,
        en=en,
        points=[
            PointOutlook(
                shelter_id=point.shelter_id,
                name_zh=point.name_zh,
                name_en=point.name_en,
                people=point.people,
                planned=served.planned.get(point.shelter_id, 0),
                expected=served.expected.get(point.shelter_id, 0),
            )
            for point in incident.points
            if served.planned.get(point.shelter_id, 0) != served.expected.get(point.shelter_id, 0)
        ],
        trips=[row for row in shown if row.overdue or row.state is not TripState.ON_TIME],
        deviations=now.told,
    )


def _words(
    deadline_min: int, expected: int, fewer: int, replan: bool, told: Sequence[DeviationView]
) -> tuple[str, str]:
    """E.g. 东库失去:至第 720 分钟可保障 8,214 人,比方案少 2,849 人;可重排."""
    what_zh = "、".join(view.zh for view in told) or "按现状"
    what_en = "; ".join(view.en for view in told) or "As things stand"
    than_zh = f"比方案少 {fewer:,} 人" if fewer else "与方案相同"
    than_en = f"{fewer:,} fewer than planned" if fewer else "as planned"
    then_zh = ";宜重排" if replan else ";可重排" if fewer else ""
    then_en = "; a replan is recommended" if replan else "; a replan may help" if fewer else ""
    return (
        f"{what_zh}:至第 {deadline_min} 分钟可保障 {expected:,} 人,{than_zh}{then_zh}",
        f"{what_en}: {expected:,} people served by minute {deadline_min}, {than_en}{then_en}",
    )


def trips(now: Now) -> list[TripOutlook]:
    """How every trip comes out, by number."""
    if now.in_force is None:
        return []
    delays, stops = now.conditions.delays_min, now.in_force.stops
    return [
        _trip(run, stops[run.trip.order_id], now.now_min, run.trip.order_id in delays)
        for run in now.in_force.runs
    ]


def _trip(run: Run, stops: Sequence[Stop], now_min: int, told_late: bool) -> TripOutlook:
    overdue = not told_late and _overdue(run.trip, stops, now_min)
    names = [(stops[n].name_zh, stops[n].name_en) for n in run.missing]
    at_zh, at_en = "、".join(zh for zh, _ in names), ", ".join(en for _, en in names)
    match run.state:
        case TripState.IMPOSSIBLE:
            zh, en = f"走不成:{at_zh}", f"can not be made: {at_en}"
        case TripState.CUT_SHORT:
            zh, en = f"货不齐或到不了:{at_zh}", f"short of goods, or not reached: {at_en}"
        case TripState.LATE:
            zh, en = f"晚 {run.late_min} 分钟", f"{run.late_min} minutes late"
        case TripState.ON_TIME:
            zh, en = "准时", "on time"
    if overdue:
        zh, en = f"{zh};逾期未报", f"{en}; a report is overdue"
    return TripOutlook(
        order_id=UUID(run.trip.order_id),
        number=run.trip.number,
        vehicle=run.trip.vehicle,
        state=run.state,
        late_min=run.late_min,
        overdue=overdue,
        zh=f"{run.trip.vehicle} {zh}",
        en=f"{run.trip.vehicle} {en}",
    )


def _overdue(trip: OrderTrip, stops: Sequence[Stop], now_min: int) -> bool:
    """Whether the next report should have come more than SLACK_MIN ago."""
    for call, stop in zip(trip.calls, stops, strict=True):
        if not call.done:
            return now_min > (stop.end_min if trip.begun else stop.start_min) + SLACK_MIN
    return False
