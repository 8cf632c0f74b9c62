"""One solve from scenario to plan: construct, bound and improve until the limit, and say what was reached."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from .bound import Bound, upper_bound
from .dispatch import Dispatcher
from .improve import Improver, merit
from .loads import Taste
from .model import Model
from .program import Watch
from .scenario import Claims, Plan, Scenario, SolverReport, Unmet
from .score import Scorer
from .state import State
from .wants import Target, build_ladder, goods_for, whole_target

DEFAULT_TIME_LIMIT_S = 10.0
TASTES = (
    (True, Taste(share=0.8, scarce=0.5, drive=1.0)),
    (False, Taste(share=0.8, rank=1.3, scarce=0.0, focus=3.0, fade_min=60.0)),
    (False, Taste(focus=1.5)),
    (False, Taste(scarce=1.0, drive=1.0, dock=0.5, focus=1.5)),
    (True, Taste(share=0.8, rank=1.3, scarce=0.0, focus=3.0, fade_min=60.0)),
)
"""(basic relief before everything else, taste), measured on districts with 15, 30 and 83 vehicles."""
LARGE_FLEET = 100  # vehicles; so many serve a city, where there is time for one construction only
CITY_TASTE = ((False, Taste(share=0.8, scarce=0.5, drive=1.0, dock=0.5, focus=0.1)),)
REPORT_EVERY_S = 0.2


@dataclass(frozen=True)
class Stop:
    """When a solve ends: after so many seconds, so many units of work (trips tried), or when asked to.

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


class _Clock:
    """Counts time and work, and reports progress now and then."""

    def __init__(self, stop: Stop, report: Callable[[_Clock], None]) -> None:
        self.stop = stop
        self.begun = time.monotonic()
        self.work = 0
        self.cancelled = False
        self._report = report
        self._reported = 0.0

    @property
    def elapsed_s(self) -> float:
        return time.monotonic() - self.begun

    def left_s(self) -> float | None:
        limit = self.stop.time_limit_s
        return None if limit is None else max(0.0, limit - self.elapsed_s)

    def over(self) -> bool:
        """Whether to end now; called before each trip that is tried."""
        self.work += 1
        limit = self.stop.work_limit
        return self.idle() or (limit is not None and self.work > limit)

    def idle(self) -> bool:
        """Whether to end now, asked while nothing is tried."""
        if self.elapsed_s - self._reported > REPORT_EVERY_S:
            self._reported = self.elapsed_s
            self._report(self)
        self.cancelled = self.cancelled or self.stop.should_stop()
        return self.cancelled or self.left_s() == 0.0


class _Solve:
    """The state of one solve."""

    def __init__(
        self, scenario: Scenario, stop: Stop, seed: int, on_progress: Callable[[Progress], None] | None
    ) -> None:
        self.on_progress = on_progress
        self.phase = "construct"
        self.bound = Bound(1.0, None)
        self.watch = Watch()
        self.best: State | None = None
        self.clock = _Clock(stop, self._report)
        self.rng = np.random.default_rng(seed)
        self.model = Model(scenario)
        self.scorer = Scorer(self.model)
        self.whole = [whole_target(want) for want in self.model.wants]
        self.people = sum(want.people for want in self.model.wants)
        self.told = (0.0, 0)  # utility and people supported, of the best that has been seen

    def _report(self, clock: _Clock) -> None:
        if self.on_progress is None:
            return
        if self.best and self.best.utility > self.told[0]:  # less while a part of it is being rebuilt
            self.told = (self.best.utility, sum(row.supported for row in self.best.served()))
        self.on_progress(
            Progress(
                phase=self.phase,
                elapsed_s=clock.elapsed_s,
                utility=self.told[0],
                supported=self.told[1],
                people=self.people,
                bound=self.bound.utility,
            )
        )

    def state(self, targets: list[Target], basic_first: bool) -> State:
        return State(self.model, build_ladder(self.model, targets, basic_first), self.scorer)

    def run(self) -> State:
        """The best state found within the limits."""
        bounding = threading.Thread(target=self._find_bound, daemon=True)
        bounding.start()
        if self.clock.stop.work_limit is not None:
            bounding.join()  # targets must not depend on how fast the bound comes
        large = len(self.model.vehicles) > LARGE_FLEET
        if not large:  # a first plan at once; for a city its targets come sooner than a plan
            self._construct(self.whole, TASTES[:1])
        self._await(bounding)
        targets = self.whole if self.bound.targets is None else list(self.bound.targets)
        self._construct(targets, CITY_TASTE if large else TASTES)
        best = self.best or self.state(self.whole, basic_first=True)
        self.best = best
        self.phase = "improve"
        if self.model.vehicles and self.model.wants:
            improver = Improver(best, self.rng)
            while not self.clock.over():
                improver.attempt(self.clock.over)
        self.watch.stop()
        bounding.join(timeout=1.0)  # at most: a bound that is not there by then is not waited for
        self.phase = "done"
        self._report(self.clock)
        return best

    def _await(self, bounding: threading.Thread) -> None:
        """Wait for the bound and its targets, but no longer than a quarter of the time that is left."""
        patience = (self.clock.left_s() or 20.0) / 4 + self.clock.elapsed_s
        while bounding.is_alive() and self.clock.elapsed_s < patience and not self.clock.idle():
            bounding.join(timeout=0.05)

    def _find_bound(self) -> None:
        limit = None if self.clock.stop.work_limit is not None else self.clock.left_s()
        self.bound = upper_bound(self.model, limit, self.watch)

    def _construct(self, targets: list[Target], tastes: tuple[tuple[bool, Taste], ...]) -> None:
        """Plans by several tastes, first towards the targets and then towards everything; keep the best."""
        for basic_first, taste in tastes:
            if self.best is not None and self.clock.over():
                return
            state = self.state(targets, basic_first)
            if self.best is None:
                self.best = state  # what has been sent so far is the plan, should time be up at once
            dispatcher = Dispatcher(state, taste, self.rng)
            dispatcher.dispatch(state.all_gaps(), self.clock.over)
            if targets is not self.whole:
                state.climb(build_ladder(self.model, self.whole, basic_first))
                dispatcher.loads.prefer(taste)
                dispatcher.dispatch(state.all_gaps(), self.clock.over)
            if merit(state) > merit(self.best):
                self.best = state


def plan(
    scenario: Scenario,
    stop: Stop | None = None,
    seed: int = 0,
    on_progress: Callable[[Progress], None] | None = None,
) -> Plan:
    """The best plan found for a scenario before `stop`, with a proven bound on what any plan can reach.

    Anytime: whenever it is stopped it returns a plan that obeys all rules, if need be one without new trips.
    """
    solve = _Solve(scenario, stop or Stop(), seed, on_progress)
    state = solve.run()
    served = state.served()
    utility = round(state.utility, 6)
    bound = max(solve.bound.utility, utility)
    claims = Claims(
        supported=sum(row.supported for row in served),
        settled=sum(row.settled for row in served),
        utility=utility,
        mean_wait_min=round(state.mean_wait_min, 3),
        utility_bound=bound,
    )
    status = "optimal" if bound <= utility else "feasible"
    report = SolverReport(
        status="stopped" if solve.clock.cancelled else status,
        seed=seed,
        objective=utility,
        bound=bound,
        gap=round((bound - utility) / bound, 6) if bound else 0.0,
        method="stage-wise list scheduling, large neighbourhood search; LP bound (GLOP duals, checked)",
        elapsed_s=round(solve.clock.elapsed_s, 3),
    )
    return Plan(scenario.name, state.trips(), claims, report, _unmet(state))


def _unmet(state: State) -> tuple[Unmet, ...]:
    """Points where someone goes without, and absolute demands that are short."""
    rows: dict[str, Unmet] = {}
    ids = [item.id for item in state.model.scenario.items]
    for r, (want, served) in enumerate(zip(state.model.wants, state.served(), strict=True)):
        whole = whole_target(want)
        lacking = np.maximum(goods_for(state.model, want, whole.supported, whole.settled) - state.had[r], 0)
        row = rows.get(want.point.id, Unmet(want.point.id, 0, 0, {}))
        if want.people:
            missed = (want.people - served.supported, want.people - served.settled)
            row = replace(row, not_supported=missed[0], not_settled=missed[1])
        short = {ids[i]: int(units) for i, units in enumerate(lacking) if units}
        row = replace(row, short={**row.short, **short})
        if row.not_supported or row.not_settled or row.short:
            rows[want.point.id] = row
    return tuple(rows.values())
