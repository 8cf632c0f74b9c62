"""The arithmetic of the bench: ratios, and how cost grows with the size of a plan."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise


@dataclass(frozen=True)
class Cost:
    """What a whole plan cost: points of the scenario, trips of the plan, CPU seconds."""

    name: str
    points: int
    trips: int
    cpu_s: float


@dataclass(frozen=True)
class Growth:
    """From one size to the next. `exponent` 1.0 is linear in trips × log(trips), less is better."""

    smaller: Cost
    larger: Cost
    size_ratio: float
    cost_ratio: float
    exponent: float


def size(trips: int) -> float:
    """trips × ln(trips), the measure that cost is held against."""
    return trips * math.log(trips) if trips > 1 else float(trips)


def micros_per_size(cost: Cost) -> float:
    """Microseconds of CPU for each unit of trips × ln(trips)."""
    return cost.cpu_s * 1e6 / size(cost.trips) if cost.trips else 0.0


def growth(costs: list[Cost]) -> list[Growth]:
    """Growth between neighbours in order of points; those without trips or cost say nothing and are left out."""
    known = sorted(
        (cost for cost in costs if cost.trips > 1 and cost.cpu_s > 0), key=lambda cost: cost.points
    )
    steps = []
    for smaller, larger in pairwise(known):
        sizes, times = size(larger.trips) / size(smaller.trips), larger.cpu_s / smaller.cpu_s
        if sizes > 1:
            steps.append(Growth(smaller, larger, sizes, times, math.log(times) / math.log(sizes)))
    return steps


def ratio(value: float | None, base: float | None) -> float | None:
    """value / base, or None where either is not known or the base is nothing."""
    return value / base if value is not None and base else None


def gap(utility: float, bound: float) -> float:
    """The share of the bound that a plan leaves open."""
    return max(0.0, (bound - utility) / bound) if bound > 0 else 0.0
