"""PURE: which step may follow which, at the stops of a dispatch order. The tables are the rule."""

from collections.abc import Sequence

from chubei_shared.contracts.orders import StepKind, Stop

AT_LOAD: dict[StepKind | None, frozenset[StepKind]] = {
    None: frozenset({StepKind.ARRIVED, StepKind.PICKED}),
    StepKind.ARRIVED: frozenset({StepKind.PICKED}),
    StepKind.PICKED: frozenset({StepKind.LOADED}),
    StepKind.LOADED: frozenset({StepKind.DEPARTED}),
    StepKind.DEPARTED: frozenset(),
}
AT_DELIVERY: dict[StepKind | None, frozenset[StepKind]] = {
    None: frozenset({StepKind.ARRIVED}),
    StepKind.ARRIVED: frozenset({StepKind.RECEIVED}),
    StepKind.RECEIVED: frozenset({StepKind.DEPARTED}),
    StepKind.DEPARTED: frozenset(),
}
"""From the last step done at a stop (None: nothing yet) to those that may be next there."""

MOVES_STOCK = frozenset({StepKind.LOADED, StepKind.RECEIVED})


def following(stops: Sequence[Stop], done: Sequence[tuple[int, StepKind]]) -> tuple[int, frozenset[StepKind]]:
    """The stop and the steps that may come next after those `done`, in their order; none: the order is done."""
    stop, last = done[-1] if done else (0, None)
    if last is StepKind.DEPARTED:
        stop, last = stop + 1, None
    if last is StepKind.RECEIVED and stop == len(stops) - 1:
        return stop, frozenset()
    return stop, (AT_LOAD if stops[stop].load else AT_DELIVERY)[last]
