"""Why a plan does not serve more: who goes without, and which resources bind. Fast: nothing is solved."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from .binding import Binding, bindings
from .causes import Cause, causes
from .scenario import Scenario, Trip, Unmet
from .scene import Scene

HELPS_ANYWAY = ("vehicles", "lanes", "ways", "desks")  # more of these may mend a cause, or need no delivery


@dataclass(frozen=True)
class Explanation:
    """What a plan reaches, who goes without, and how much of each resource it uses.

    causes      for which no plan could serve some: of these places few other resources can be said to bind
    bindings    of each resource that concerns somebody who goes without: binding ones first, then by people
    """

    people: int
    supported: int
    settled: int
    utility: float
    unmet: tuple[Unmet, ...]
    causes: tuple[Cause, ...]
    bindings: tuple[Binding, ...]

    @property
    def binding(self) -> tuple[Binding, ...]:
        return tuple(row for row in self.bindings if row.binds)

    @property
    def zh(self) -> str:
        if not self.unmet:
            return "所有人都在时限内得到救助和安置，没有资源成为约束"
        if self.causes:
            return "；".join(cause.zh for cause in self.causes)
        if not self.binding:
            return "没有哪种资源用尽：限制来自路程和时限，或求解时间太短"
        return f"{len(self.binding)} 种资源成为约束"

    @property
    def en(self) -> str:
        if not self.unmet:
            return "everybody is supported and settled in time: nothing binds"
        if self.causes:
            return "; ".join(cause.en for cause in self.causes)
        if not self.binding:
            return (
                "no resource is used up: distance and deadline hold the plan up, or it was solved too briefly"
            )
        count = len(self.binding)
        return "1 resource binds" if count == 1 else f"{count} resources bind"

    def as_json(self) -> dict[str, Any]:
        return {
            "zh": self.zh,
            "en": self.en,
            "people": self.people,
            "supported": self.supported,
            "settled": self.settled,
            "utility": round(self.utility, 6),
            "unmet": [{**vars(row), "short": dict(row.short)} for row in self.unmet],
            "causes": [vars(row) for row in self.causes],
            "bindings": [row.as_json() for row in self.bindings],
        }


def explain(scenario: Scenario, trips: Iterable[Trip]) -> Explanation:
    """What holds these trips up. They may be any that obey the rules, however they were found."""
    scene = Scene(scenario, trips)
    found = causes(scene)
    rows = sorted(
        _besides(found, bindings(scene)),
        key=lambda row: (not row.binds, -row.people, -row.share, row.kind, row.id),
    )
    return Explanation(
        people=scene.figures.people,
        supported=scene.figures.supported,
        settled=scene.figures.settled,
        utility=scene.figures.utility,
        unmet=tuple(scene.unmet),
        causes=tuple(found),
        bindings=tuple(rows),
    )


def _besides(found: list[Cause], rows: list[Binding]) -> Iterator[Binding]:
    """What binds apart from the plain causes: where nothing can come in time, no stock or dock is to blame."""
    beyond = {point for cause in found if not cause.item for point in cause.points}
    for row in rows:
        points = row.points
        if row.kind not in HELPS_ANYWAY:
            points = {point: people for point, people in points.items() if point not in beyond}
        if points:
            yield replace(row, points=points)
