"""PURE: an order as it really went so far, and how it will go on if nothing more happens to it."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from chubei_shared.contracts.orders import StepKind, Stop

from chubei_allocation.dispatch import moves
from chubei_allocation.given import Call, OrderTrip


class Told(NamedTuple):
    """A step that was reported, at a minute of the incident; `units` are what was put aboard or received sound."""

    stop: int
    kind: StepKind
    minute: int
    units: Mapping[str, int] | None = None


def trip(
    order_id: str,
    number: str,
    vehicle: str,
    stops: Sequence[Stop],
    told: Sequence[Told],
    now_min: int,
    late_min: int = 0,
) -> OrderTrip:
    """What was reported stands as it was; what is to come takes its planned time, as late as the order is.

    An order is as late as its last report was, as somebody says (`late_min`), or as what should have been reported
    by now; one that is early waits for its time.
    """
    loaded = {t.stop: t.units for t in told if t.kind is StepKind.LOADED and t.units is not None}
    received = {t.stop: t.units for t in told if t.kind is StepKind.RECEIVED and t.units is not None}
    due = moves.due(stops, loaded)
    calls, late = [], max(0, late_min)
    for stop in stops:
        at = {t.kind: t.minute for t in told if t.stop == stop.stop}
        arrive, start, end = _times(stop, at, now_min, late, begun=bool(told))
        finished = _finish(at)
        late = max(late_min, 0, end - stop.end_min, at.get(StepKind.DEPARTED, 0) - stop.end_min)
        goods = loaded.get(stop.stop, stop.load) if stop.load else received.get(stop.stop, due[stop.stop])
        calls.append(
            Call(
                stop=stop.stop,
                place_id=stop.place_id,
                arrive_min=arrive,
                start_min=start,
                end_min=end,
                loads=bool(stop.load),
                goods={item: units for item, units in goods.items() if units},
                modes=stop.modes,
                done=finished is not None,
                picked=StepKind.PICKED in at,
            )
        )
    behind = max(0, calls[-1].end_min - stops[-1].end_min)
    return OrderTrip(order_id, number, vehicle, bool(told), tuple(calls), behind)


def _finish(at: Mapping[StepKind, int]) -> int | None:
    return at.get(StepKind.LOADED, at.get(StepKind.RECEIVED))


def _times(
    stop: Stop, at: Mapping[StepKind, int], now_min: int, late: int, begun: bool
) -> tuple[int, int, int]:
    """Arrival, start and end at a stop."""
    lasts = stop.end_min - stop.start_min
    there = min((at[kind] for kind in (StepKind.ARRIVED, StepKind.PICKED) if kind in at), default=None)
    finished = _finish(at)
    if finished is not None:
        arrive = min(there if there is not None else stop.arrive_min + late, finished)
        return arrive, max(arrive, finished - lasts), finished
    if there is not None:
        start = at.get(StepKind.PICKED, max(there, min(stop.start_min, now_min)))
        return there, start, max(start + lasts, now_min)
    due_min = stop.arrive_min if begun else stop.start_min
    late = max(late, now_min - due_min)
    return stop.arrive_min + late, stop.start_min + late, stop.end_min + late
