"""One solve from scenario to plan: construct, bound and improve until the limit, and say what was reached."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from .bound import Bound, upper_bound
from .changes import changes
from .check import judge
from .construct import construct
from .model import Model
from .outcome import outcome, unmet
from .program import Watch
from .ready import make_ready
from .resume import REHEAT, resume
from .scenario import Claims, Plan, Scenario, SolverReport, Trip
from .search import Search
from .stopping import DEFAULT_TIME_LIMIT_S, REPLAN_SHARE, THREADS, Progress, Stop
from .surplus import cut_surplus

REPORT_EVERY_S = 0.2
CLOSING_S_PER_TRIP = 6e-4  # from the end of the search to a plan that is checked and written
_METHOD = (
    "在模拟中对车辆日程模拟退火;线性规划上界(GLOP 对偶解,已核验)"
    " / simulated annealing of vehicle days over a simulation; LP bound (GLOP duals, checked)"
)
logger = logging.getLogger(__name__)


class _Clock:
    """Counts time, and reports progress now and then."""

    def __init__(self, stop: Stop, report: Callable[[_Clock], None]) -> None:
        self.stop = stop
        self.begun = time.monotonic()
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
        """Whether to end now."""
        if self.elapsed_s - self._reported > REPORT_EVERY_S:
            self._reported = self.elapsed_s
            self._report(self)
        self.cancelled = self.cancelled or self.stop.should_stop()
        return self.cancelled or self.left_s() == 0.0


class _Solve:
    """The state of one solve."""

    def __init__(
        self,
        scenario: Scenario,
        stop: Stop,
        seed: int,
        on_progress: Callable[[Progress], None] | None,
        previous: Sequence[Trip],
        threads: int,
    ) -> None:
        self.on_progress = on_progress
        self.phase = "construct"
        self.bound = Bound(1.0, None)
        self.watch = Watch()
        self.clock = _Clock(stop, self._report)
        self.model = Model(scenario)
        self.people = sum(want.people for want in self.model.wants)
        self.bounding = threading.Thread(target=self._find_bound, daemon=True)
        if stop.work_limit is None:
            self.bounding.start()
        self.previous = previous
        self.search = Search(self.model, seed, threads)
        self._report(self.clock)

    def _report(self, clock: _Clock) -> None:
        if self.on_progress is not None:
            self.on_progress(self._progress(clock))

    def _progress(self, clock: _Clock) -> Progress:
        return Progress(
            phase=self.phase,
            elapsed_s=clock.elapsed_s,
            utility=self.search.utility,
            supported=self.search.supported,
            people=self.people,
            bound=self.bound.utility,
        )

    def _enough(self) -> bool:
        return self.clock.stop.enough(self._progress(self.clock))

    def _find_bound(self) -> None:
        limit = None if self.clock.stop.work_limit is not None else self.clock.left_s()
        self.bound = upper_bound(self.model, limit, self.watch)

    def _over(self) -> bool:
        limit, left_s = self.clock.stop.work_limit, self.clock.left_s()
        closing_s = CLOSING_S_PER_TRIP * int(self.search.best.days.trips.sum())
        done = limit is not None and self.search.moves >= limit
        over = self.clock.over() or done or (left_s is not None and left_s <= closing_s)
        if over:
            self.watch.stop()
        return over

    def _part(self) -> float:
        """The share of the work or time that has passed, 0 to 1."""
        stop = self.clock.stop
        if stop.work_limit is not None:
            return min(1.0, self.search.moves / stop.work_limit)
        if stop.time_limit_s is not None:
            return min(1.0, self.clock.elapsed_s / stop.time_limit_s)
        return 0.5

    def run(self) -> Search:
        """The search, when the time is up."""
        resumed = bool(self.previous) and resume(self.search, self.previous)
        if self.clock.stop.work_limit is not None and not self._enough():
            self._find_bound()  # here: its targets must not depend on how fast it comes
        begin = REHEAT if resumed else 0.0
        if not resumed:
            construct(self.search, self.bound, self._over)
        self._report(self.clock)
        self.phase = "improve"
        self.search.bound = lambda: self.bound.utility
        self.search.improve(lambda: begin + (1 - begin) * self._part(), self._over, self._enough)
        self.watch.stop()  # where no limit did: there was nothing to better, or it was good enough
        cut_surplus(self.search)
        if self.bounding.is_alive():
            self.bounding.join(timeout=1.0)  # at most: a bound that is not there by then is not waited for
        self.phase = "done"
        self._report(self.clock)
        return self.search


def plan(
    scenario: Scenario,
    stop: Stop | None = None,
    seed: int = 0,
    on_progress: Callable[[Progress], None] | None = None,
    previous: Sequence[Trip] | None = None,
    threads: int = THREADS,
) -> Plan:
    """The best plan found for a scenario before `stop`, with a proven bound on what any plan can reach.

    Anytime: whenever it is stopped it returns a plan that obeys all rules, if need be one without new trips.
    The time limit runs from when the search is compiled, which is once for each machine (ready.py).
    With the trips of a previous plan it keeps those not yet begun where that costs little (resume.py), tells how
    it differs, and takes half of the default time, and half of a work limit.
    `threads` at most are at work at a time (the bound's aside, where there is no work limit); of the plan they
    change nothing.
    """
    make_ready()
    solve = _Solve(scenario, _limits(stop, previous), seed, on_progress, previous or (), threads)
    search = solve.run()
    trips = obeying(search)
    utility = round(search.utility, 6)
    bound = max(solve.bound.utility, utility)
    claims = Claims(
        supported=search.supported,
        settled=int(search.score[:, 3].sum()),
        utility=utility,
        mean_wait_min=round(search.mean_wait_min, 3),
        utility_bound=bound,
    )
    status = "optimal" if bound <= utility else "feasible"
    report = SolverReport(
        status="stopped" if solve.clock.cancelled else status,
        seed=seed,
        objective=utility,
        bound=bound,
        gap=round((bound - utility) / bound, 6) if bound else 0.0,
        method=_METHOD,
        elapsed_s=None if solve.clock.left_s() is None else round(solve.clock.elapsed_s, 3),
    )
    told = None if previous is None else changes(scenario, previous, trips)
    return Plan(scenario.name, trips, claims, report, unmet(search), told)


def obeying(search: Search) -> tuple[Trip, ...]:
    """All trips, but those of vehicles that the independent checker objects to.

    There are none unless the search has a fault, and then a plan without a few vehicles is still worth far more at
    three in the morning than no plan.
    """
    trips = outcome(search)
    while bad := [one for one in judge(search.model.scenario, trips).violations if one.vehicle]:
        logger.error("求解器有误，撤下所涉车辆 / fault of the planner, vehicles are left out: %s", bad[0])
        search.leave_out({one.vehicle for one in bad})
        left = outcome(search)
        if len(left) == len(
            trips
        ):  # it is not the vehicles: whoever carries the plan out is told by the checker
            break
        trips = left
    return trips


def _limits(stop: Stop | None, previous: Sequence[Trip] | None) -> Stop:
    """When to end. To plan again takes half the work of a first plan."""
    if previous is None:
        return stop or Stop()
    if stop is None:
        return Stop(time_limit_s=DEFAULT_TIME_LIMIT_S * REPLAN_SHARE)
    work = stop.work_limit
    return stop if work is None else replace(stop, work_limit=max(1, int(work * REPLAN_SHARE)))
