"""A lower bound on the mean wait, by asking for a grid of minutes t how many could be served by t at most.

The scenario is cut at t: tier 2 and what does not go by heads are left out, and a person counts the same
everywhere in a point. The planner's proven bound on the utility of that scenario is a bound on the share of
people, by weight, that can have been served by t: its relaxation is linear, so parts of people count as well.
That share grows with t, so between two minutes of the grid at least those wait who can not be served by the
later one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from chubei_allocation.planner import Scenario, Stop, plan


def wait_bound(
    scenario: Scenario, step_min: int = 20, stop: Callable[[], bool] = lambda: False
) -> float | None:
    """Minutes that a person waits at least on average, by weight; None when nobody is there to wait.

    When `stop` says so, what has not been asked yet counts as if all could be served.
    """
    if not any(point.people for point in scenario.points):
        return None
    waited, before = 0.0, 0
    for minute in _grid(scenario.deadline_min, step_min):
        share = 1.0 if stop() else served_at_most(scenario, minute)
        if share >= 1.0:
            break
        waited += (1.0 - share) * (minute - before)
        before = minute
    return waited


def _grid(deadline_min: int, step_min: int) -> Iterator[int]:
    yield from range(step_min, deadline_min, step_min)
    yield deadline_min


def served_at_most(scenario: Scenario, minute: int) -> float:
    """The share of people, by weight, that can have been served at tier 1 by a minute, at most."""
    kits = tuple(
        replace(kit, needs=tuple(need for need in kit.needs if need.tier == 1)) for kit in scenario.kits
    )
    cut = replace(scenario, deadline_min=minute, policy="total", kits=kits, demands=())
    return plan(cut, Stop(time_limit_s=None, work_limit=1)).claims.utility_bound
