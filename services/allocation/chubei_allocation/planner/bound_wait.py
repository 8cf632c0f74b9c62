"""A proven lower bound on the mean wait of any plan.

Let w(t) be the greatest weighted share of people that any plan serves (tier 1) by minute t. Whoever is not served
by t waits at t, so

    mean wait ≥ ∫ (1 − w(t)) dt,   t from 0 to the deadline.

w(t) is bounded by the relaxation of bound.py, for the scenario whose deadline is t, whose kits ask for tier 1
only and whose policy counts every person alike: a plan's settled are then its supported, and its utility is the
share that it serves. w never falls, so between two minutes it is at most what it is at the later one. Intervals
are halved where that loses most.
"""

from __future__ import annotations

import heapq
import math
import time
from dataclasses import replace

from .bound import upper_bound
from .model import Model
from .policies import TOTAL
from .program import Watch
from .scenario import Scenario


def wait_bound(
    model: Model, time_limit_s: float | None = None, watch: Watch | None = None, evaluations: int = 60
) -> float:
    """Minutes, rounded down to three decimals; the more evaluations of w, the tighter. 0 if nobody waits."""
    if not any(want.people for want in model.wants):
        return 0.0
    begun = time.monotonic()
    watch = watch or Watch()

    def left_s() -> float | None:
        return None if time_limit_s is None else time_limit_s - (time.monotonic() - begun)

    def most_served(minute: int) -> float:
        return upper_bound(Model(_by(model.scenario, minute)), left_s(), watch).utility

    last = model.deadline_min
    # (minus what halving may win, begin, end, w at begin, w at end)
    spans = [(0.0, 0, last, 0.0, most_served(last))]
    for _ in range(evaluations - 1):
        _, begin, end, low, high = heapq.heappop(spans)
        seconds = left_s()
        if watch.stopped or end - begin < 2 or high <= low or (seconds is not None and seconds <= 0):
            heapq.heappush(spans, (0.0, begin, end, low, high))
            break
        middle = (begin + end) // 2
        at_middle = min(high, most_served(middle))
        for part in ((begin, middle, low, at_middle), (middle, end, at_middle, high)):
            heapq.heappush(spans, ((part[1] - part[0]) * (part[2] - part[3]), *part))
    waited = math.fsum((end - begin) * (1.0 - high) for _, begin, end, _, high in spans)
    return max(0.0, math.floor(waited * 1000 - 1e-3) / 1000)


def _by(scenario: Scenario, minute: int) -> Scenario:
    """The scenario in which only tier 1 by a minute counts, and every person alike."""
    kits = tuple(
        replace(kit, needs=tuple(need for need in kit.needs if need.tier == 1)) for kit in scenario.kits
    )
    return replace(scenario, deadline_min=minute, policy=TOTAL.name, kits=kits, demands=())
