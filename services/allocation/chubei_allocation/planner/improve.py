"""Making a plan better until time is up: take part of it out, fill the hole in another way, keep what is better.

Large neighbourhood search (Shaw 1998; ruin and recreate, Schrimpf et al. 2000). A hole is what goes to a few
places close together, some hours of some vehicles, or the rest of their day. The dispatcher fills it again by a
taste that varies from one attempt to the next; docks, bays and stock keep what all other trips use of them.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .dispatch import Dispatcher
from .loads import Taste
from .model import FloatArray
from .state import Run, State
from .wants import goods_for, truck_share

WAIT_WORTH = 0.004  # utility that waiting the whole deadline less would be worth: it only breaks near-ties
MOST_OUT = 30  # trips taken out at once


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
        """One ruin and recreate; True if the plan is no worse for it, else it is as it was."""
        state, rng = self.state, self.rng
        out = self._hole()
        for run in out:
            state.remove(run)
        taste = Taste(
            share=float(rng.uniform(0.1, 0.95)),
            rank=float(rng.uniform(0.3, 1.2)),
            scarce=float(rng.uniform(0.0, 1.0)),
            dock=float(rng.choice([0.0, 0.5, 1.0])),
            drive=float(rng.choice([0.0, 1.0, 2.0])),
            noise=float(rng.choice([0.0, 0.05, 0.15, 0.3])),
            fade_min=float(rng.choice([1.0, 60.0, 150.0, 300.0])),
        )
        self.dispatcher.loads.prefer(taste)
        gaps = {
            (gap.vehicle, gap.free): gap
            for run in out
            for gap in state.gaps(run.vehicle)
            if gap.free <= run.start < gap.until
        }
        added = self.dispatcher.dispatch(gaps.values(), stop)
        now = merit(state)
        if now >= self.merit - 1e-12:
            self.merit = now
            return True
        for run in added:
            state.remove(run)
        for run in out:
            state.add(run)
        return False

    def _hole(self) -> list[Run]:
        """The trips to take out, in order of time."""
        state, rng = self.state, self.rng
        kind = rng.random()
        if kind < 0.5:
            out = self._to_neighbours()
        else:
            begin, end = state.model.scenario.now_min, state.model.deadline_min
            since = begin + (end - begin) * float(rng.random())
            until = since + float(rng.uniform(60, 240)) if kind < 0.8 else end
            fleet = rng.permutation(len(state.runs))[: int(rng.integers(2, 9))]
            out = [run for v in fleet for run in state.runs[v] if since <= run.start <= until]
        if len(out) > MOST_OUT:
            keep = rng.permutation(len(out))[:MOST_OUT]
            out = [out[k] for k in sorted(keep)]
        return sorted(out, key=lambda run: (run.start, run.vehicle))

    def _to_neighbours(self) -> list[Run]:
        """Most trips that deliver at a want and the few nearest to it."""
        state, rng = self.state, self.rng
        nodes = np.array([want.node for want in state.model.wants])
        seed = (
            int(rng.choice(len(nodes), p=self._idle_goods()))
            if rng.random() < 0.6
            else int(rng.integers(len(nodes)))
        )
        near = np.argsort(state.model.minutes(1.0)[nodes[seed], nodes], kind="stable")
        chosen = {int(nodes[k]) for k in near[: int(rng.integers(1, 5))]}
        return [
            run
            for runs in state.runs
            for run in runs
            if any(stop.node in chosen for stop in run.stops) and rng.random() < 0.85
        ]

    def _idle_goods(self) -> FloatArray:
        """How likely a hole is to be made around each want: by the truck-loads there that serve nobody in time."""
        state = self.state
        share = truck_share(state.model)
        idle = np.zeros(len(state.model.wants))
        for r, (want, served) in enumerate(zip(state.model.wants, state.served(), strict=True)):
            if want.item < 0:
                used = goods_for(state.model, want, served.supported, served.settled)
                idle[r] = np.maximum(state.had[r] - used, 0) @ share
        idle += 0.01 + 0.1 * idle.mean()
        likely: FloatArray = idle / idle.sum()
        return likely
