"""Making a plan better until time is up: take part of it out, fill the hole in another way, keep what is better.

Large neighbourhood search (Shaw 1998; ruin and recreate, Schrimpf et al. 2000). A hole is the rest of the day of
some vehicles: those that serve a place and its neighbours, or any. The dispatcher fills it again by a taste that
varies from one attempt to the next; docks, bays and stock keep what all other trips use of them.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from .dispatch import Dispatcher, Taste
from .state import Run, State

WAIT_WORTH = 0.004  # utility that waiting the whole deadline less would be worth: it only breaks near-ties


def merit(state: State) -> float:
    """What improvement raises: utility, and far behind it the time people wait."""
    return state.utility - WAIT_WORTH * state.mean_wait_min / state.model.deadline_min


class Improver:
    """Ruins and recreates the plan in `state`, in place; it never ends worse than it began."""

    def __init__(self, state: State, rng: np.random.Generator) -> None:
        self.state = state
        self.rng = rng
        self.merit = merit(state)
        self.dispatcher = Dispatcher(state, Taste(), rng)

    def attempt(self, stop: Callable[[], bool]) -> bool:
        """One ruin and recreate; True if the plan became better (or as good)."""
        state, rng = self.state, self.rng
        holes = self._hole()
        taken = {v: _rest_of_day(state, v, since) for v, since in holes.items()}
        kept = {v: len(state.runs[v]) for v in taken}
        self.dispatcher.taste = Taste(
            share=float(rng.uniform(0.1, 0.95)),
            scarce=float(rng.uniform(0.0, 0.6)),
            noise=float(rng.choice([0.0, 0.05, 0.15, 0.3])),
            fade_min=float(rng.choice([1.0, 60.0, 150.0, 300.0])),
        )
        self.dispatcher.dispatch(taken, stop)
        now = merit(state)
        if now >= self.merit - 1e-12:
            self.merit = now
            return True
        for v in taken:
            while len(state.runs[v]) > kept[v]:
                state.drop_last(v)
        for run in sorted((run for runs in taken.values() for run in runs), key=lambda run: run.start):
            state.add(run)
        return False

    def _hole(self) -> dict[int, int]:
        """Vehicles, and the minute from which on each loses its trips."""
        state, rng = self.state, self.rng
        fleet = list(range(len(state.model.vehicles)))
        size = min(len(fleet), int(rng.integers(2, 9)))
        begin, end = state.model.scenario.now_min, state.model.deadline_min
        since = int(begin + (end - begin) * (1 - rng.random() ** 1.5))
        if rng.random() < 0.5:
            fleet = self._around(int(rng.integers(len(state.model.wants))), fleet)
        else:
            rng.shuffle(fleet)
        return dict.fromkeys(fleet[:size], since)

    def _around(self, r: int, fleet: list[int]) -> list[int]:
        """The fleet, those first that go nearest to a want."""
        state = self.state
        node = state.model.wants[r].node
        minutes = state.model.minutes(1.0)[node]

        def nearest(v: int) -> float:
            stops = [stop.node for run in state.runs[v] for stop in run.stops]
            return min((float(minutes[stop]) for stop in stops), default=math.inf)

        return sorted(fleet, key=lambda v: (nearest(v) + 10 * self.rng.random(), v))


def _rest_of_day(state: State, v: int, since: int) -> list[Run]:
    """Take out the trips of a vehicle that begin at `since` or later."""
    out = []
    while state.runs[v] and state.runs[v][-1].start >= since:
        out.append(state.drop_last(v))
    return out
