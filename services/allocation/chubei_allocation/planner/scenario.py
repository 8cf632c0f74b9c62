"""What is asked and what is answered: scenarios (planning-scenario/1) and plans (planning-plan/1).

Plain frozen values without behaviour beyond their JSON form. Times are whole minutes after the disaster,
quantities whole units, weights kg, volumes m3. `parse.py` reads them from JSON and refuses what is wrong.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Steps = tuple[tuple[int, int], ...]
"""How many crews work from which minute on: ((from_min, number), ...), ascending; before the first, none."""

SCENARIO_FORMAT = "planning-scenario/1"
PLAN_FORMAT = "planning-plan/1"
TIER_WORTH = {1: 0.7, 2: 0.3}


class ScenarioError(ValueError):
    """A scenario or plan that cannot be used: `place` names the field, `remedy` says what to write there.

    Texts are Chinese and English, so that the one line of `str(error)` can be shown as it is.
    """

    def __init__(self, place: str, problem: str, remedy: str) -> None:
        super().__init__(f"{place}: {problem}; {remedy}")
        self.place = place
        self.problem = problem
        self.remedy = remedy


@dataclass(frozen=True)
class Item:
    id: str
    name_zh: str
    name_en: str
    pack: int
    weight_kg: float
    volume_m3: float


@dataclass(frozen=True)
class Need:
    """One item of a kit: `per_person` units for everyone, or for each member of `group`."""

    item: str
    per_person: float
    tier: int
    group: str | None


@dataclass(frozen=True)
class Kit:
    id: str
    name_zh: str
    name_en: str
    needs: tuple[Need, ...]


@dataclass(frozen=True)
class Source:
    id: str
    kind: str
    lon: float
    lat: float
    docks: Steps
    load_fixed_min: int
    load_kg_per_min: float


@dataclass(frozen=True)
class Supply:
    """`quantity` units of an item at a source: all at `available_min`, or made at `rate_per_hour` from then."""

    source: str
    item: str
    mode: str
    quantity: int
    available_min: int
    rate_per_hour: float | None


@dataclass(frozen=True)
class Point:
    id: str
    lon: float
    lat: float
    people: int
    kit: str | None
    groups: Mapping[str, int]
    weight: float
    bays: Steps
    unload_fixed_min: int
    unload_kg_per_min: float
    opens_min: int
    hand_out_per_hour: float | None
    max_size: float
    on_hand: Mapping[str, int]


@dataclass(frozen=True)
class Demand:
    """A need that is not per head; `worth` is counted in people."""

    point: str
    item: str
    units: int
    by_min: int
    worth: float


@dataclass(frozen=True)
class VehicleType:
    type: str
    count: int
    start: str
    available_min: int
    payload_kg: float
    volume_m3: float
    speed_factor: float
    size: float
    lost: frozenset[int]
    later: Mapping[int, int] = field(default_factory=dict)
    """By number: vehicles that are not available before a later minute than the type."""

    def from_min(self, number: int) -> int:
        """When vehicle `number` of the type is available."""
        return self.later.get(number, self.available_min)


@dataclass(frozen=True)
class Travel:
    """Either `minutes` (sources then points, None: no way) or a great circle × `circuity` at `speed_kmh`."""

    minutes: tuple[tuple[float | None, ...], ...] | None
    circuity: float = 1.0
    speed_kmh: float = 1.0


@dataclass(frozen=True)
class Visit:
    """A stop of a trip: it loads `goods` at a source, or delivers them at a point."""

    node: str
    arrive: int
    start: int
    end: int
    loads: bool
    goods: Mapping[str, int]

    def as_json(self) -> dict[str, Any]:
        times = {"node": self.node, "arrive": self.arrive, "start": self.start, "end": self.end}
        return {**times, "load" if self.loads else "deliver": dict(self.goods)}


@dataclass(frozen=True)
class Trip:
    vehicle: str
    visits: tuple[Visit, ...]

    def key(self) -> tuple[object, ...]:
        """What makes two trips the same; a product may hang other keys on them."""
        return (
            self.vehicle,
            *(
                (v.node, v.arrive, v.start, v.end, v.loads, tuple(sorted(v.goods.items())))
                for v in self.visits
            ),
        )

    def as_json(self) -> dict[str, Any]:
        return {"vehicle": self.vehicle, "visits": [visit.as_json() for visit in self.visits]}


@dataclass(frozen=True)
class Scenario:
    name: str
    deadline_min: int
    now_min: int
    policy: str
    items: tuple[Item, ...]
    kits: tuple[Kit, ...]
    sources: tuple[Source, ...]
    supply: tuple[Supply, ...]
    points: tuple[Point, ...]
    demands: tuple[Demand, ...]
    vehicles: tuple[VehicleType, ...]
    travel: Travel
    closures: frozenset[tuple[str, str]]
    committed: tuple[Trip, ...]


@dataclass(frozen=True)
class Claims:
    """What the planner says its plan reaches; the checker works it out anew."""

    supported: int
    settled: int
    utility: float
    mean_wait_min: float
    utility_bound: float


@dataclass(frozen=True)
class Unmet:
    """What a point goes without at the deadline, and the units still short for its whole kit, by item."""

    point: str
    not_supported: int
    not_settled: int
    short: Mapping[str, int]


@dataclass(frozen=True)
class SolverReport:
    """How the plan was found. `status`: optimal (gap 0 to six decimals), feasible, or stopped (cancelled).

    elapsed_s: None where work was the only limit, so that what gives the same plan gives the same file.
    """

    status: str
    seed: int
    objective: float
    bound: float
    gap: float
    method: str
    elapsed_s: float | None


@dataclass(frozen=True)
class Changes:
    """Against a previous plan, its trips not yet begun: see PLANNING.md, `changes`."""

    kept: int
    changed: int
    dropped: int
    new: int


@dataclass(frozen=True)
class Plan:
    scenario: str
    trips: tuple[Trip, ...]
    claims: Claims
    solver: SolverReport
    unmet: tuple[Unmet, ...] = ()
    changes: Changes | None = field(default=None)

    def as_json(self) -> dict[str, Any]:
        """The planning-plan/1 object, ready for json.dumps."""
        body: dict[str, Any] = {
            "format": PLAN_FORMAT,
            "scenario": self.scenario,
            "claims": dict(vars(self.claims)),
            "solver": {key: value for key, value in vars(self.solver).items() if value is not None},
            "unmet": [{**vars(row), "short": dict(row.short)} for row in self.unmet],
            "trips": [trip.as_json() for trip in self.trips],
        }
        if self.changes is not None:
            body["changes"] = dict(vars(self.changes))
        return body
