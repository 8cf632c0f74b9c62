"""PURE: which lots each order takes from what its hold keeps, and the bins in the order in which one walks.

Clerks' devices reckon the same without a network (gateway/web, clerk/picking): orders by number, one after another,
from the hold's lines in their order, which is first expired, first out; what has no bin comes last.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from chubei_shared.contracts.base import Mode
from chubei_shared.contracts.bins import Bin
from chubei_shared.contracts.holds import HeldLine
from chubei_shared.contracts.orders import OrderView, StepKind, StepState, Stop


@dataclass(frozen=True)
class Take:
    """Units of a lot; `lot_id` None: not from a shelf of the house."""

    item_code: str
    mode: Mode
    lot_id: UUID | None
    units: int


@dataclass(frozen=True)
class Takes:
    lines: tuple[Take, ...]
    short: Mapping[str, int]


class _Kept:
    """What is left of a hold's lines."""

    def __init__(self, lines: Iterable[HeldLine]) -> None:
        self._lines = [line for line in lines if line.mode is Mode.PHYSICAL]
        self._left = [line.outstanding for line in self._lines]

    def take(self, place_id: str, item: str, units: int) -> list[Take]:
        takes = []
        for n, line in enumerate(self._lines):
            now = min(units, self._left[n])
            if now and (line.place_id, line.item_code) == (place_id, item):
                takes.append(Take(item, Mode.PHYSICAL, line.lot_id, now))
                self._left[n] -= now
                units -= now
        return takes


def takes(
    orders: Sequence[OrderView], held: Mapping[UUID, Sequence[HeldLine]] | None
) -> dict[tuple[UUID, int], Takes]:
    """What each order takes at each of its stops that loads and is not loaded yet, by order and stop.

    `held` None: nobody knows the lots now; then it is what was planned, by item.
    """
    kept = {hold_id: _Kept(lines) for hold_id, lines in (held or {}).items()}
    found = {}
    for order in sorted(orders, key=lambda order: order.number):
        for stop in order.stops:
            if stop.load and not is_loaded(order, stop):
                found[order.id, stop.stop] = (
                    _as_planned(stop) if held is None else _of_stop(stop, kept.get(order.hold_id, _Kept([])))
                )
    return found


def is_loaded(order: OrderView, stop: Stop) -> bool:
    return any(
        step.stop == stop.stop and step.step is StepKind.LOADED and step.state is not StepState.REFUSED
        for step in order.steps
    )


def _as_planned(stop: Stop) -> Takes:
    modes = stop.modes
    lines = [Take(item, modes.get(item, Mode.PHYSICAL), None, units) for item, units in stop.load.items()]
    return Takes(tuple(lines), {})


def _of_stop(stop: Stop, kept: _Kept) -> Takes:
    lines: list[Take] = []
    short: dict[str, int] = {}
    for item, units in stop.load.items():
        mode = stop.modes.get(item, Mode.PHYSICAL)
        if mode is not Mode.PHYSICAL:
            lines.append(Take(item, mode, None, units))
            continue
        found = kept.take(stop.place_id, item, units)
        lines += found
        if missing := units - sum(take.units for take in found):
            short[item] = missing
    return Takes(tuple(lines), short)


def first_bins(bins: Iterable[Bin]) -> dict[str, Bin]:
    """By item the bin that a picker passes first, of those in use."""
    first: dict[str, Bin] = {}
    for one in sorted(bins, key=lambda one: (one.walk_order, one.code)):
        if one.item_code is not None and not one.closed:
            first.setdefault(one.item_code, one)
    return first


def walked(lines: Iterable[Take], bins: Mapping[str, Bin]) -> list[Take]:
    """In walking order; what has no bin last."""

    def place(line: Take) -> tuple[bool, int, str]:
        at = bins.get(line.item_code)
        return at is None, at.walk_order if at else 0, line.item_code

    return sorted(lines, key=place)
