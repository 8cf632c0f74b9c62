"""The dispatch as it goes: who is served against the plan's curve, where every trip is, and when it ends."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from uuid import UUID

from chubei_shared.contracts.incidents import DemandPoint
from chubei_shared.contracts.network import Shelter
from chubei_shared.contracts.progress import End, ItemProgress, PointProgress, ProgressView
from sqlalchemy.orm import Session

from chubei_allocation.deviations.effect import Run
from chubei_allocation.deviations.now import InForce, Now, look
from chubei_allocation.dispatch import moves
from chubei_allocation.incidents import incidents
from chubei_allocation.network import network
from chubei_allocation.planner import parse_scenario, parse_trips
from chubei_allocation.plans import outcomes
from chubei_allocation.progress import curves, trips
from chubei_allocation.progress.curves import Course, Played
from chubei_allocation.shelters import recipients

NO_END = End(served_min=None, last_delivery_min=None)


class Account:
    """The courses of an incident: of all, and of every item."""

    def __init__(self, now: Now) -> None:
        self.now, plan = now, now.in_force
        self.items: dict[str, Course] = {}
        self.tiers: dict[str, int] = {}
        self.whole = curves.nothing(now.deadline_min, now.now_min)
        self.in_need: dict[str, int] = {}
        if plan is not None:
            self._play(plan)

    def _play(self, plan: InForce) -> None:
        as_planned, peopled = parse_scenario(plan.scenario), parse_scenario(plan.peopled)
        played = (
            Played(as_planned, parse_trips(plan.plan.plan, as_planned)),
            Played(peopled, [_done(run).deliveries() for run in plan.runs]),
            Played(peopled, [run.deliveries() for run in plan.runs]),
        )
        self.tiers = curves.tiers(peopled)
        self.whole = curves.course(*played, self.now.now_min)
        self.items = {item: curves.course_of_item(item, *played, self.now.now_min) for item in self.tiers}
        self.in_need = {item: curves.in_need(peopled, item) for item in self.tiers}

    def least(self, point: DemandPoint) -> str | None:
        """The item of basic relief of which fewest people at a point have theirs now."""
        at = min(max(0, self.now.now_min), self.now.deadline_min)
        had = {
            item: int(course.actual.of(point.shelter_id)[at])
            for item, course in sorted(self.items.items())
            if self.tiers[item] == 1 and point.shelter_id in course.actual.by_point
        }
        least = min(had, key=lambda item: had[item], default=None)
        return least if least is not None and had[least] < point.people else None


def show(session: Session, incident_id: UUID, every_min: int) -> ProgressView:
    """Raises NotFound."""
    row = incidents.get(session, incident_id)
    now = look(session, row)
    account, plan, incident = Account(now), now.in_force, now.incident
    minutes = curves.minutes(now.deadline_min, now.now_min, every_min)
    at = min(max(0, now.now_min), now.deadline_min)
    planned, actual, forecast = (
        one.total() for one in (account.whole.planned, account.whole.actual, account.whole.forecast)
    )
    ends = _ends(account, plan) if plan else (NO_END, NO_END)
    points = _points(session, account, minutes)
    zh, en = _words(now, int(actual[at]), int(planned[at]), int(forecast[-1]), int(planned[-1]), ends)
    return ProgressView(
        incident_id=incident.id,
        name=incident.name,
        exercise=incident.exercise,
        plan_id=plan.plan.id if plan else None,
        occurred_at=incident.occurred_at,
        now_min=now.now_min,
        deadline_min=now.deadline_min,
        minutes_left=max(0, now.deadline_min - now.now_min),
        people=incident.people,
        planned=int(planned[-1]),
        actual=int(actual[at]),
        planned_now=int(planned[at]),
        forecast=int(forecast[-1]),
        handed_out=sum(point.handed_out for point in points),
        planned_end=ends[0],
        forecast_end=ends[1],
        zh=zh,
        en=en,
        minutes=minutes,
        curves=account.whole.at(minutes),
        items=_items(account, plan, minutes) if plan else [],
        points=points,
        trips=trips.shown(session, now, row),
    )


def _done(run: Run) -> Run:
    """What was made of it so far."""
    return replace(run, calls=tuple(call for call in run.calls if call.done))


def _ends(account: Account, plan: InForce) -> tuple[End, End]:
    as_planned = [stops[-1].end_min for stops in plan.stops.values()]
    to_come = [call.end_min for run in plan.runs for call in run.calls if not call.loads]
    return curves.end(account.whole.planned, as_planned), curves.end(account.whole.forecast, to_come)


def _items(account: Account, plan: InForce, minutes: Sequence[int]) -> list[ItemProgress]:
    names = outcomes.names(plan.scenario)
    planned, received, aboard = _units(plan)
    return [
        ItemProgress(
            **dict(course.at(minutes)),
            item_code=item,
            name_zh=names[item][0],
            name_en=names[item][1],
            tier=account.tiers[item],
            people=account.in_need[item],
            planned_units=planned[item],
            received_units=received[item],
            aboard_units=aboard[item],
        )
        for item, course in sorted(account.items.items(), key=lambda row: (account.tiers[row[0]], row[0]))
    ]


def _units(plan: InForce) -> tuple[Counter[str], Counter[str], Counter[str]]:
    """Units to be brought as planned, received sound so far, and aboard now, by item."""
    planned: Counter[str] = Counter()
    received: Counter[str] = Counter()
    aboard: Counter[str] = Counter()
    for run in plan.runs:
        stops = plan.stops[run.trip.order_id]
        done = {call.stop: call for call in run.trip.calls if call.done}
        due = moves.due(stops, {n: call.goods for n, call in done.items() if call.loads})
        for stop in stops:
            planned.update(stop.deliver)
            call = done.get(stop.stop)
            if call is not None and call.loads:
                aboard.update(call.goods)
            elif call is not None:
                received.update(call.goods)
                aboard.subtract(due[stop.stop])
    return planned, received, aboard


def _points(session: Session, account: Account, minutes: Sequence[int]) -> list[PointProgress]:
    places = {one.id: one for one in network.rows(session, Shelter)}
    coming = _next_calls(account.now.in_force)
    reached = recipients.reached(session, account.now.incident.id)
    rows = []
    for point in account.now.incident.points:
        order, minute = coming.get(point.shelter_id, (None, None))
        rows.append(
            PointProgress(
                **dict(account.whole.at(minutes, point.shelter_id)),
                shelter_id=point.shelter_id,
                name_zh=point.name_zh,
                name_en=point.name_en,
                lon=places[point.shelter_id].lon,
                lat=places[point.shelter_id].lat,
                people=point.people,
                handed_out=_handed_out(account, point, reached[point.shelter_id]),
                least_item=account.least(point),
                next_order=order,
                next_min=minute,
            )
        )
    return rows


def _handed_out(account: Account, point: DemandPoint, people: Counter[str]) -> int:
    """People who stand on lists for every item of basic relief; while no plan is in force, for any item."""
    items = [item for item, tier in account.tiers.items() if tier == 1] or list(people)
    return min(point.people, min((people[item] for item in items), default=0))


def _next_calls(plan: InForce | None) -> Mapping[str, tuple[str, int]]:
    """By place the delivery that comes next: its order's number, and when its vehicle is to be there."""
    coming: dict[str, tuple[str, int]] = {}
    for run in plan.runs if plan else []:
        for call in run.calls:
            if call.loads or call.done:
                continue
            if call.place_id not in coming or call.arrive_min < coming[call.place_id][1]:
                coming[call.place_id] = (run.trip.number, call.arrive_min)
    return coming


def _words(
    now: Now, actual: int, planned_now: int, forecast: int, planned: int, ends: tuple[End, End]
) -> tuple[str, str]:
    if now.in_force is None:
        return "尚无生效方案", "No plan is in force"
    was, is_ = (one.served_min for one in ends)
    zh = (
        f"发生后 {_span(now.now_min)[0]}:已救助 {actual:,} 人(方案 {planned_now:,}),"
        f"预计 {_span(now.deadline_min)[0]}内 {forecast:,} 人(方案 {planned:,})"
    )
    en = (
        f"{_span(now.now_min)[1]} after it happened: {actual:,} people served (plan {planned_now:,}), "
        f"{forecast:,} expected within {_span(now.deadline_min)[1]} (plan {planned:,})"
    )
    if is_ is None:
        return zh, en
    return (
        f"{zh},最后一批在 {_span(is_)[0]}(方案 {_span(was or 0)[0]})",
        f"{en}; the last of them at {_span(is_)[1]} (plan {_span(was or 0)[1]})",
    )


def _span(minutes: int) -> tuple[str, str]:
    """241 as 4 小时 1 分, 4 h 1 min."""
    hours, rest = divmod(minutes, 60)
    zh = [f"{hours} 小时"] * (hours > 0) + [f"{rest} 分"] * (rest > 0 or not hours)
    en = [f"{hours} h"] * (hours > 0) + [f"{rest} min"] * (rest > 0 or not hours)
    return " ".join(zh), " ".join(en)
