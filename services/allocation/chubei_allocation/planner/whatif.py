"""One more of something: small changes to a scenario, as values and as pure functions of it.

A change only ever adds, so no plan that the scenario allows is forbidden by it: what can be reached never falls.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Any

from .scenario import Scenario, Steps, Supply


@dataclass(frozen=True)
class Change:
    """`amount` more of a resource.

    kind       id         amount
    docks      source     docks, in all minutes that any is manned
    crews      source     minutes by which every crew comes earlier
    items      source     units of `item`, available with the source's others of that item
    lead       source     minutes by which all goods are there earlier
    vehicles   type       vehicles
    bays       point      bays, in all minutes that any is manned
    desks      point      people an hour that are handed out to
    lanes      point      sizes of vehicle
    ways       node       1: the closed way to `other` is open, both ways
    """

    kind: str
    id: str
    amount: int
    item: str = ""
    other: str = ""

    def as_json(self) -> dict[str, Any]:
        return {key: value for key, value in asdict(self).items() if value != ""}


def changed(scenario: Scenario, change: Change) -> Scenario:
    """The scenario with the change made. Raises KeyError for a kind or an id that does not exist."""
    return _EDITS[change.kind](scenario, change)


def _docks(scenario: Scenario, change: Change) -> Scenario:
    source = _one(scenario.sources, "id", change.id)
    more = replace(source, docks=more_berths(source.docks, change.amount))
    return replace(scenario, sources=_with(scenario.sources, source, more))


def _crews(scenario: Scenario, change: Change) -> Scenario:
    source = _one(scenario.sources, "id", change.id)
    more = replace(source, docks=crews_earlier(source.docks, change.amount))
    return replace(scenario, sources=_with(scenario.sources, source, more))


def _bays(scenario: Scenario, change: Change) -> Scenario:
    point = _one(scenario.points, "id", change.id)
    more = replace(point, bays=more_berths(point.bays, change.amount))
    return replace(scenario, points=_with(scenario.points, point, more))


def _desks(scenario: Scenario, change: Change) -> Scenario:
    point = _one(scenario.points, "id", change.id)
    rate = None if point.hand_out_per_hour is None else point.hand_out_per_hour + change.amount
    return replace(scenario, points=_with(scenario.points, point, replace(point, hand_out_per_hour=rate)))


def _lanes(scenario: Scenario, change: Change) -> Scenario:
    point = _one(scenario.points, "id", change.id)
    wider = replace(point, max_size=point.max_size + change.amount)
    return replace(scenario, points=_with(scenario.points, point, wider))


def _vehicles(scenario: Scenario, change: Change) -> Scenario:
    kind = _one(scenario.vehicles, "type", change.id)
    more = replace(kind, count=kind.count + change.amount)
    return replace(scenario, vehicles=_with(scenario.vehicles, kind, more))


def _items(scenario: Scenario, change: Change) -> Scenario:
    """On the row that is there; else on a new one of goods that stand in the source from the start."""
    _one(scenario.sources, "id", change.id), _one(scenario.items, "id", change.item)
    for row in scenario.supply:
        if (row.source, row.item) == (change.id, change.item):
            more = replace(row, quantity=row.quantity + change.amount)
            return replace(scenario, supply=_with(scenario.supply, row, more))
    new = Supply(change.id, change.item, "physical", change.amount, available_min=0, rate_per_hour=None)
    return replace(scenario, supply=(*scenario.supply, new))


def _lead(scenario: Scenario, change: Change) -> Scenario:
    _one(scenario.sources, "id", change.id)
    rows = tuple(
        replace(row, available_min=max(0, row.available_min - change.amount))
        if row.source == change.id
        else row
        for row in scenario.supply
    )
    return replace(scenario, supply=rows)


def _ways(scenario: Scenario, change: Change) -> Scenario:
    opened = {(change.id, change.other), (change.other, change.id)}
    if not opened & scenario.closures:
        raise KeyError(f"{change.id}→{change.other}")
    return replace(scenario, closures=scenario.closures - opened)


_EDITS: dict[str, Callable[[Scenario, Change], Scenario]] = {
    "docks": _docks,
    "crews": _crews,
    "items": _items,
    "lead": _lead,
    "vehicles": _vehicles,
    "bays": _bays,
    "desks": _desks,
    "lanes": _lanes,
    "ways": _ways,
}
KINDS = tuple(_EDITS)


def _one(rows: tuple[Any, ...], key: str, name: str) -> Any:
    for row in rows:
        if getattr(row, key) == name:
            return row
    raise KeyError(name)


def _with(rows: tuple[Any, ...], old: Any, new: Any) -> tuple[Any, ...]:
    return tuple(new if row is old else row for row in rows)


def more_berths(steps: Steps, amount: int) -> Steps:
    """So many more wherever any are; where there never are any, from minute 0 on."""
    if not any(number for _, number in steps):
        return ((0, amount),)
    return tuple((begin, number + amount if number else 0) for begin, number in steps)


def crews_earlier(steps: Steps, minutes: int) -> Steps:
    """Whoever comes on comes so much earlier, and nobody leaves earlier: max(now, so much later)."""
    corners = sorted({0} | {begin for begin, _ in steps} | {max(0, begin - minutes) for begin, _ in steps})
    made: list[tuple[int, int]] = []
    for corner in corners:
        # a crew that would have come before minute 0 is there at minute 0
        there = max(crews_at(steps, corner), crews_at(steps, corner + minutes))
        if not made or made[-1][1] != there:
            made.append((corner, there))
    return tuple(made)


def crews_at(steps: Steps, minute: int) -> int:
    """How many berths are manned at a minute."""
    return next((number for begin, number in reversed(steps) if begin <= minute), 0)
