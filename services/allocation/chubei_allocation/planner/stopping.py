"""When a solve ends, and what it tells on the way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

DEFAULT_TIME_LIMIT_S = 10.0
REPLAN_SHARE = 0.5
"""Of a first plan's time or work, that planning again takes."""
THREADS = 2
"""At work at a time: a district's search has as many chains."""


@dataclass(frozen=True)
class Stop:
    """When a solve ends: after so many seconds, so many units of work (sets of days simulated), or when asked to.

    The same scenario, seed and work_limit give the same plan, if no time limit cuts in. `should_stop` is
    polled many times a second; the plan found so far is then returned. `enough` is asked between rounds of the
    search, and with a work limit before there is a bound too, which is then not looked for: with the same
    work it is asked the same.
    """

    time_limit_s: float | None = DEFAULT_TIME_LIMIT_S
    work_limit: int | None = None
    should_stop: Callable[[], bool] = lambda: False
    enough: Callable[[Progress], bool] = lambda _: False


@dataclass(frozen=True)
class Progress:
    """How far a solve is. `utility` and `supported` are those of the best plan so far; `bound` is proven."""

    phase: str  # "construct", "improve" or "done"
    elapsed_s: float
    utility: float
    supported: int
    people: int
    bound: float
