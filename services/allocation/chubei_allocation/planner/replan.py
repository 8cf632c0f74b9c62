"""A new plan that holds on to a previous one: searches that keep more or less of it, and a choice between them.

What still fits of the previous plan (keeping.py) is taken as settled up to some minute, and a search plans the rest:
first beside all settled trips, then beside fewer, at last freely. Each goes on from the plan of the one before it, if
that comes to more than what it constructs by itself. Of these plans that is taken which keeps most trips among those
whose utility is within TOLERANCE of the best. So what is kept costs no more than that against the best plan that is
known, as far as searches of such a length can tell.
Without a previous plan there is nothing to keep, and one search has all the time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from .keeping import keepable
from .model import Model
from .outcome import outcome
from .resume import resume
from .scenario import Trip
from .search import Search

TOLERANCE = 0.005
"""Of the utility of the best plan that is known, what keeping trips may cost."""

TURNS = ((1.0, 0.05), (0.8, 0.35), (0.5, 0.55), (0.0, 0.75))
"""For each search the share that it takes as settled of the trips that still fit, and the share of all time by which
its turn ends. With all trips settled little is left to search."""

WITHIN_REACH = 0.01
"""Of those so near to the best, the search that keeps most has the rest of the time: it may come within TOLERANCE."""

REHEAT = 0.4
"""Where in its cooling a search goes on from a plan, 0 to 1."""

Part = Callable[[], float]
Over = Callable[[], bool]
Construct = Callable[[Search, Over], None]


@dataclass(frozen=True)
class Option:
    """A search beside so many trips kept as they were."""

    search: Search
    kept: int


class Replan:
    """The searches for a new plan, one after the other; without previous trips there is one."""

    def __init__(self, model: Model, previous: Sequence[Trip], seed: int) -> None:
        self.model, self.previous, self.seed = model, previous, seed
        self.same: set[tuple[object, ...]] = set()
        self.options: list[Option] = []
        self.given_up = 0  # moves of searches that are no options any more

    @property
    def moves(self) -> int:
        return self.given_up + sum(option.search.moves for option in self.options)

    @property
    def choice(self) -> Search:
        """The search whose plan is to be taken, of those that there are by now."""
        return self._most_kept(TOLERANCE)

    def _most_kept(self, tolerance: float) -> Search:
        """The search that keeps most trips as they were of those whose utility is so near to the best."""
        least = (1.0 - tolerance) * max(option.search.utility for option in self.options)
        good = [option for option in self.options if option.search.utility >= least]
        return max(good, key=lambda option: (option.kept, option.search.utility)).search

    def run(self, construct: Construct, part: Part, over: Over) -> None:
        """Search until over(). `part` tells the share of all time or work that has passed, 0 to 1."""
        kept = keepable(self.model, self.previous, over)
        self.same = {trip.key() for trip in kept.same}
        settled = sorted((*kept.same, *kept.mended), key=lambda trip: trip.visits[0].start)
        if not settled:
            search = self._search_beside([])
            construct(search, over)
            search.improve(part, over)
            return
        for share, end in TURNS:
            self._take_turn(settled[: round(share * len(settled))], end, construct, part, over)
            if over():
                return
        self._improve(self._most_kept(WITHIN_REACH), 1.0, part, over)

    def _take_turn(
        self, settled: list[Trip], end: float, construct: Construct, part: Part, over: Over
    ) -> None:
        """Search beside these trips until a share of all time has passed."""
        before = self.options[-1].search if self.options else None
        search = self._search_beside(settled)
        construct(search, lambda: over() or part() >= end)
        if before is not None:
            resume(search, self._unsettled(before, settled))
        self._improve(search, end, part, over)
        self._give_up(search)

    def _give_up(self, but: Search) -> None:
        """Let go of searches out of reach of the best: those of a province take much memory."""
        best = self._most_kept(0.0)
        for option in self.options[:]:
            if option.search is not but and option.search.utility < (1.0 - WITHIN_REACH) * best.utility:
                self.options.remove(option)
                self.given_up += option.search.moves

    def _improve(self, search: Search, end: float, part: Part, over: Over) -> None:
        """Let a search go on until a share of all time has passed."""
        begin = part()

        def cooled() -> float:
            return REHEAT + (1 - REHEAT) * min(1.0, (part() - begin) / max(1e-9, end - begin))

        search.improve(cooled, lambda: over() or part() >= end)

    def _search_beside(self, settled: list[Trip]) -> Search:
        scenario = self.model.scenario
        model = Model(replace(scenario, committed=(*scenario.committed, *settled))) if settled else self.model
        search = Search(model, self.seed)
        self.options.append(Option(search, sum(trip.key() in self.same for trip in settled)))
        return search

    def _unsettled(self, search: Search, settled: list[Trip]) -> list[Trip]:
        """The trips of a search's plan that neither have begun nor are settled."""
        begun, fixed = self.model.scenario.committed, {trip.key() for trip in settled}
        return [trip for trip in outcome(search, begun)[len(begun) :] if trip.key() not in fixed]
