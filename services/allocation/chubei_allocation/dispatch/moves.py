"""PURE: which step may follow which, at the stops of a dispatch order. The tables are the rule."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from chubei_shared.contracts.orders import OrderStatus, StepKind, Stop

AT_LOAD: dict[StepKind | None, frozenset[StepKind]] = {
    None: frozenset({StepKind.ARRIVED, StepKind.PICKED}),
    StepKind.ARRIVED: frozenset({StepKind.PICKED}),
    StepKind.PICKED: frozenset({StepKind.LOADED}),
    StepKind.LOADED: frozenset({StepKind.TAKEN_OVER, StepKind.DEPARTED}),
    StepKind.TAKEN_OVER: frozenset({StepKind.DEPARTED}),
    StepKind.DEPARTED: frozenset(),
}
AT_DELIVERY: dict[StepKind | None, frozenset[StepKind]] = {
    None: frozenset({StepKind.ARRIVED}),
    StepKind.ARRIVED: frozenset({StepKind.RECEIVED}),
    StepKind.RECEIVED: frozenset({StepKind.DEPARTED}),
    StepKind.DEPARTED: frozenset(),
}
"""From the last step done at a stop (None: nothing yet) to those that may be next there."""

ORDERS: dict[OrderStatus, frozenset[OrderStatus]] = {
    OrderStatus.PLANNED: frozenset({OrderStatus.UNDER_WAY, OrderStatus.WITHDRAWN}),
    OrderStatus.UNDER_WAY: frozenset({OrderStatus.UNDER_WAY, OrderStatus.DONE, OrderStatus.WITHDRAWN}),
    OrderStatus.DONE: frozenset(),
    OrderStatus.WITHDRAWN: frozenset(),
}
"""What an order may become. Under way it is withdrawn only where it has not begun to load (`may_change`)."""

PROVED = frozenset({StepKind.TAKEN_OVER, StepKind.RECEIVED})
"""Goods change hands: a name, a signature or a code shows whose."""
MOVES_STOCK = frozenset({StepKind.LOADED, StepKind.RECEIVED})


def may_change(done: Iterable[tuple[int, StepKind]]) -> bool:
    """Whether a replan may still change or withdraw an order: at most its vehicle has come to the first stop."""
    return all(step == (0, StepKind.ARRIVED) for step in done)


def following(stops: Sequence[Stop], done: Sequence[tuple[int, StepKind]]) -> tuple[int, frozenset[StepKind]]:
    """The stop and the steps that may come next after those `done`, in their order; none: the order is done."""
    stop, last = done[-1] if done else (0, None)
    if last is StepKind.DEPARTED:
        stop, last = stop + 1, None
    if last is StepKind.RECEIVED and stop == len(stops) - 1:
        return stop, frozenset()
    return stop, (AT_LOAD if stops[stop].load else AT_DELIVERY)[last]


def due(stops: Sequence[Stop], loaded: Mapping[int, Mapping[str, int]]) -> list[dict[str, int]]:
    """What each stop is to receive: as planned, as long as what was loaded lasts.

    `loaded`: {stop: {item: units}} where loading was reported; elsewhere it is taken to be as planned.
    """
    aboard: Counter[str] = Counter()
    told = []
    for number, stop in enumerate(stops):
        aboard.update(loaded.get(number, stop.load))
        told.append({item: min(units, aboard[item]) for item, units in stop.deliver.items()})
        aboard.subtract(told[-1])
    return told
