"""When a solve ends, and what it tells on the way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

DEFAULT_TIME_LIMIT_S = 10.0
REPLAN_SHARE = 0.5
"""Of a first plan's time or work, that planning again takes."""


@dataclass(frozen=True)
class Stop:
    """When a solve ends: after so many seconds, so many units of work (sets of days simulated), or when asked to.

    The same scenario, seed and work_limit give the same trips, if no time limit cuts in. `should_stop` is
    polled many times a second; the plan found so far is then returned.
    """

    time_limit_s: float | None = DEFAULT_TIME_LIMIT_S
    work_limit: int | None = None
    should_stop: Callable[[], bool] = lambda: False


@dataclass(frozen=True)
class Progress:
    """How far a solve is. `utility` and `supported` are those of the best plan so far; `bound` is proven."""

    phase: str  # "construct", "improve" or "done"
    elapsed_s: float
    utility: float
    supported: int
    people: int
    bound: float
