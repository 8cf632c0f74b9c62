"""PURE: the plan in force carried out as it stands, with all that happened and nothing planned anew.

Trips keep their order, their places and their loads. A vehicle that is late is late at every later stop, except where
it would have waited; it takes the first dock or bay that is free from when it is there, and may so hold up others.
What can not be loaded is not delivered, the first stops getting theirs while it lasts. The minutes between stops are
those of the plan.
"""

import heapq
import itertools
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from chubei_shared.contracts.deviations import TripState
from chubei_shared.contracts.orders import Stop

from chubei_allocation.given import Call, Conditions, OrderTrip, still_possible
from chubei_allocation.planner import Trip, Visit

Json = dict[str, Any]
SLACK_MIN = 15
"""Fewer minutes behind the plan are the road's, and not told."""
_LONGEST_WAIT_MIN = 1440


@dataclass(frozen=True)
class Run:
    """A trip as it comes out."""

    trip: OrderTrip
    calls: tuple[Call, ...]
    state: TripState
    late_min: int
    missing: tuple[int, ...]
    """Stops that are not made, or not with all that was planned there."""

    def deliveries(self) -> Trip:
        """What it brings, as the planner reckons with it."""
        return Trip(
            self.trip.vehicle,
            tuple(
                Visit(c.place_id, c.arrive_min, c.start_min, c.end_min, loads=False, goods=c.goods)
                for c in self.calls
                if not c.loads
            ),
        )


def play(
    trips: Sequence[OrderTrip], stops: Mapping[str, Sequence[Stop]], scenario: Json, conditions: Conditions
) -> list[Run]:
    """Every trip as it comes out; `stops` has each order's as planned, by its id. Vehicle by vehicle, by time."""
    berths, ready = _Berths(scenario), _ready(scenario, conditions)
    days = _days(trips, stops, conditions)
    done: dict[str, list[Call]] = defaultdict(list)
    free: dict[str, tuple[int, int]] = {}  # by vehicle: when its last call ended, and was to end
    queue = [(day[0][1].start_min, vehicle, 0) for vehicle, day in days.items()]
    heapq.heapify(queue)
    while queue:
        _, vehicle, n = heapq.heappop(queue)
        order_id, call, planned = days[vehicle][n]
        if not call.done:
            call = _timed(call, planned, free.get(vehicle), ready)
            call = berths.wait(call)
        berths.take(call)
        done[order_id].append(call)
        free[vehicle] = (call.end_min, planned.end_min)
        if n + 1 < len(days[vehicle]):
            _, following, then = days[vehicle][n + 1]
            timed = following if following.done else _timed(following, then, free[vehicle], ready)
            heapq.heappush(queue, (timed.start_min, vehicle, n + 1))
    return [_run(trip, tuple(done[trip.order_id]), stops[trip.order_id]) for trip in trips]


def _days(
    trips: Sequence[OrderTrip], stops: Mapping[str, Sequence[Stop]], conditions: Conditions
) -> dict[str, list[tuple[str, Call, Stop]]]:
    """By vehicle the calls that can be made, one trip after the other, each with its stop as planned."""
    days: dict[str, list[tuple[str, Call, Stop]]] = defaultdict(list)
    for trip in sorted(trips, key=lambda t: (not t.begun, stops[t.order_id][0].start_min)):
        calls = still_possible(trip, conditions)
        if not trip.begun and not _sets_out(trip, calls, days[trip.vehicle], conditions):
            continue
        planned = {stop.stop: stop for stop in stops[trip.order_id]}
        days[trip.vehicle] += [(trip.order_id, call, planned[call.stop]) for call in calls]
    return {vehicle: day for vehicle, day in days.items() if day}


def _sets_out(
    trip: OrderTrip, calls: Sequence[Call], day: Sequence[tuple[str, Call, Stop]], conditions: Conditions
) -> bool:
    """Whether a trip that has not begun makes sense: a vehicle, goods to bring, and no closed way on it."""
    places = [call.place_id for call in (*(call for _, call, _ in day[-1:]), *trip.calls)]
    blocked = any(leg in conditions.closures for leg in itertools.pairwise(places))
    return trip.vehicle not in conditions.lost_vehicles and not blocked and any(not c.loads for c in calls)


def _timed(
    call: Call, planned: Stop, before: tuple[int, int] | None, ready: Mapping[tuple[str, str], int]
) -> Call:
    """A call to come, after the vehicle's one before it; the way takes what it was planned to take."""
    arrive = call.arrive_min
    if before is not None:
        ended, was_to_end = before
        arrive = max(arrive, ended + max(0, planned.arrive_min - was_to_end))
    there = max((ready.get((call.place_id, item), 0) for item in call.goods), default=0) if call.loads else 0
    start = max(arrive, call.start_min, there)
    return replace(call, arrive_min=arrive, start_min=start, end_min=start + call.end_min - call.start_min)


def _ready(scenario: Json, conditions: Conditions) -> dict[tuple[str, str], int]:
    """The minute before which what is late can not be loaded, by place and item."""
    before = {(place, item): minutes for place, item, minutes in scenario.get("late", [])}
    ready: dict[tuple[str, str], int] = {}
    for row in scenario["supply"]:
        key = (row["source"].partition("~")[0], row["item"])
        if key in conditions.late_min:
            late = max(0, conditions.late_min[key] - before.get(key, 0))
            ready[key] = max(ready.get(key, 0), row["available_min"] + late)
    return ready


def _run(trip: OrderTrip, calls: tuple[Call, ...], stops: Sequence[Stop]) -> Run:
    made = {call.stop: call for call in calls}
    missing = tuple(
        stop.stop
        for stop in stops
        if stop.stop not in made
        or any(made[stop.stop].goods.get(i, 0) < n for i, n in {**stop.load, **stop.deliver}.items())
    )
    late = max(0, calls[-1].end_min - stops[calls[-1].stop].end_min) if calls else 0
    left = [call for call in trip.calls if not call.done]
    if left and not any(call.stop in made for call in left):
        state = TripState.IMPOSSIBLE
    elif missing:
        state = TripState.CUT_SHORT
    else:
        state = TripState.LATE if late > SLACK_MIN else TripState.ON_TIME
    return Run(trip, calls, state, late, missing)


class _Berths:
    """Docks and bays, by place and minute; who comes first has them first."""

    def __init__(self, scenario: Json) -> None:
        self._manned: dict[str, list[list[tuple[int, int]]]] = defaultdict(list)
        for node in scenario["sources"]:
            self._manned[node["id"].partition("~")[0]].append(_steps(node["docks"]))
        for node in scenario["points"]:
            self._manned[node["id"]].append(_steps(node["bays"]))
        self._taken: dict[str, dict[int, int]] = defaultdict(lambda: defaultdict(int))

    def take(self, call: Call) -> None:
        for minute in range(call.start_min, call.end_min):
            self._taken[call.place_id][minute] += 1

    def wait(self, call: Call) -> Call:
        """The call at the first minute from its start on with a berth free until it is through."""
        lasts, run = call.end_min - call.start_min, 0
        for minute in range(call.start_min, call.start_min + _LONGEST_WAIT_MIN):
            run = run + 1 if self._taken[call.place_id][minute] < self._at(call.place_id, minute) else 0
            if run >= lasts:
                start = minute - lasts + 1
                return replace(call, start_min=start, end_min=start + lasts)
        late = call.start_min + _LONGEST_WAIT_MIN
        return replace(call, start_min=late, end_min=late + lasts)

    def _at(self, place_id: str, minute: int) -> int:
        return sum(
            next((n for begin, n in reversed(steps) if begin <= minute), 0)
            for steps in self._manned[place_id]
        )


def _steps(berths: Any) -> list[tuple[int, int]]:
    return [(0, berths)] if isinstance(berths, int) else [(begin, number) for begin, number in berths]
