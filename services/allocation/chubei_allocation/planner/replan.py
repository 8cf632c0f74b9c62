"""A new plan that holds on to a previous one: how much of it to keep is found by a race of searches.

What still fits of the previous plan (keeping.py) is taken as settled up to some minute, and a search plans the rest:
all of it settled, four fifths, …, nothing. The searches begin one after the other, each from the plan of the one
before and with a short time; then two go on, and at last one (successive halving, Jamieson and Talwalkar 2016): that
which keeps most trips among those whose utility is within TOLERANCE of the best. So what is kept costs no more than
that against a plan made freely, as far as a race can tell. Without a previous plan there is nothing to keep, and one
search has all the time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from .keeping import keepable
from .model import Model
from .outcome import outcome
from .resume import resume
from .scenario import Trip
from .search import Search

TOLERANCE = 0.005
"""Of the utility of a free plan, that keeping trips may cost."""

SHARES = (1.0, 0.8, 0.6, 0.3, 0.0)
FEW_SHARES = (1.0, 0.6, 0.0)
"""Of what still fits, settled for each search; the few where it takes long to begin a search."""

LARGE_FLEET = 300
HEATS = (0.5, 0.8, 1.0)
"""Shares of the time after which searches drop out: all are in the first heat, two in the second, one in the last."""

REHEAT = 0.5
"""Where in its cooling a search goes on from a plan, 0 to 1."""

YET_TO_GAIN = 0.01
"""Utility that a free search still gains between the first heat and the end (measured on districts); the others
gain in proportion to what they are free to plan."""

Part = Callable[[], float]
Over = Callable[[], bool]


@dataclass(frozen=True, eq=False)
class Runner:
    """A search beside so many trips kept as they were; `freedom` is the share of trips that it may plan anew."""

    search: Search
    kept: int
    freedom: float


class Race:
    """Searches for one model that keep more or less of a previous plan."""

    def __init__(self, model: Model, previous: Iterable[Trip], seed: int) -> None:
        self.model, self.seed = model, seed
        kept = keepable(model, previous)
        self.same = {trip.key() for trip in kept.same}
        self.settled = sorted((*kept.same, *kept.mended), key=lambda trip: trip.visits[0].start)
        shares = SHARES if len(model.vehicles) <= LARGE_FLEET else FEW_SHARES
        self.sizes = sorted({round(share * len(self.settled)) for share in shares}, reverse=True)
        self.runners = [self._runner(self.sizes[0])]

    def _runner(self, size: int) -> Runner:
        """A search beside the first of the settled trips."""
        scenario, settled = self.model.scenario, self.settled[:size]
        model = Model(replace(scenario, committed=(*scenario.committed, *settled))) if settled else self.model
        kept = sum(trip.key() in self.same for trip in settled)
        return Runner(Search(model, self.seed), kept, 1.0 - size / max(1, len(self.settled)))

    def _unsettled(self, search: Search, size: int) -> list[Trip]:
        """The trips of a search's plan that are planned anew beside the first of the settled trips."""
        begun = self.model.scenario.committed
        settled = {trip.key() for trip in self.settled[:size]}
        return [trip for trip in outcome(search, begun)[len(begun) :] if trip.key() not in settled]

    @property
    def moves(self) -> int:
        return sum(runner.search.moves for runner in self.runners)

    @property
    def leader(self) -> Search:
        """The search whose plan is to be taken as things stand."""
        return choice(self.runners).search

    def run(self, construct: Callable[[Search, Over], None], part: Part, over: Over) -> None:
        """Let the searches run. `part` tells the share of all time or work that has passed, 0 to 1."""
        if len(self.sizes) == 1:
            search = self.leader
            construct(search, over)
            search.improve(part, over)
            return
        for k, size in enumerate(self.sizes):
            heat = _Heat(part, over, HEATS[0] * (k + 1) / len(self.sizes))
            if k == 0:
                construct(self.leader, heat.over)
            else:
                before = self.runners[-1].search
                self.runners.append(self._runner(size))
                resume(self.runners[-1].search, self._unsettled(before, size))
            self._improve(self.runners[-1], heat)
            if over():
                return
        self._go_on(pair(self.runners, 1.0 - part()), HEATS[1], part, over)
        self._go_on(pair(self.runners, 1.0 - part())[:1], HEATS[2], part, over)

    def _go_on(self, runners: list[Runner], end: float, part: Part, over: Over) -> None:
        """Let these searches go on, one after the other, until a share of the time has passed."""
        begin = part()
        for k, runner in enumerate(runners):
            self._improve(runner, _Heat(part, over, begin + (end - begin) * (k + 1) / len(runners)))

    def _improve(self, runner: Runner, heat: _Heat) -> None:
        runner.search.improve(lambda: REHEAT + (1 - REHEAT) * heat.part(), heat.over)


class _Heat:
    """The turn of one search: from now until a share of the whole time has passed."""

    def __init__(self, part: Part, over: Over, end: float) -> None:
        self._part, self._over, self.begin, self.end = part, over, part(), end

    def part(self) -> float:
        """The share of this turn that has passed, 0 to 1."""
        return min(1.0, max(0.0, (self._part() - self.begin) / max(1e-9, self.end - self.begin)))

    def over(self) -> bool:
        return self._over() or self._part() >= self.end


def choice(runners: list[Runner], left: float = 0.0) -> Runner:
    """The runner that keeps most of those within TOLERANCE of the best; `left` is the share of the time to come."""
    hoped = {runner: runner.search.utility + YET_TO_GAIN * runner.freedom * left for runner in runners}
    least = (1.0 - TOLERANCE) * max(hoped.values())
    good = [runner for runner in runners if hoped[runner] >= least]
    return max(good, key=lambda runner: (runner.kept, hoped[runner]))


def pair(runners: list[Runner], left: float) -> list[Runner]:
    """The runner that is to be taken if hopes come true, and the best of those that keep less, its yardstick."""
    first = choice(runners, left)
    freer = [runner for runner in runners if runner.freedom > first.freedom]
    return (
        [first, max(freer, key=lambda runner: runner.search.utility + YET_TO_GAIN * runner.freedom * left)]
        if freer
        else [first]
    )
