"""What one more of each would give, in people: every figure is the difference of solves made here.

The scenario as it is and each changed one are solved with the same effort, by several seeds; a gain is the
difference of the means, but never more than the plan leaves to gain. A solve is no proof of an optimum, so this
has an error. Its tolerance is the largest of

- the spread over the seeds, of the scenario as it is or with any change;
- the largest fall seen with any change: a change only ever adds, so what falls fell by the planner's error;
- how far the difference of any solve with the change and any solve without it is from the gain.

A gain is claimed only where it exceeds its tolerance: every solve with the change then beat every one without.
In people it is claimed only beside one in utility; more people of one tier for fewer of another is none.
What the plan's own trips reach with the change, if nothing is planned anew, is exact: it is told beside.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from math import ceil
from statistics import fmean
from typing import Any

from .advice_words import MEASURES, PEOPLE, Gain, proved_in_words, unproved_in_words
from .bound import upper_bound
from .candidates import candidates, said
from .check import judge
from .explain import explain
from .figures import Figures, figures
from .model import Model
from .scenario import Scenario, Trip
from .scene import Scene
from .stopping import Stop
from .whatif import Change, changed

SEEDS = 3
MOST_CHANGES = 12  # that are tried
SURE = 4  # changes for whose second look time is set aside
SHARE_OF_PRICES = 8  # of the time, at most, goes into prices of what binds, from the bound's relaxation
NAMED = 3  # points that are named as gaining most


@dataclass(frozen=True)
class Advice:
    """One change and what solving again with it gave.

    seeds    those it was solved with; fewer than all when a first look showed nothing, or time ran out
    gains    by measure: supported, settled (people), utility
    kept     by measure, people more if the trips stay just as they are: exact, not solved for
    at_most  no plan whatever gains more utility by the change than this over the best found without it
    points   {point: people more}, those who gained most and in every solve
    """

    change: Change
    zh: str
    en: str
    seeds: tuple[int, ...]
    gains: dict[str, Gain]
    kept: dict[str, int]
    at_most: float
    points: dict[str, int] = field(default_factory=dict)

    @property
    def proved(self) -> bool:
        return self.gains["utility"].proved

    def as_json(self) -> dict[str, Any]:
        gains = {name: {**vars(gain), "value": round(gain.value, 6)} for name, gain in self.gains.items()}
        return {**vars(self), "change": self.change.as_json(), "gains": gains, "proved": self.proved}


@dataclass(frozen=True)
class Advised:
    """`base`: what solving the scenario as it is reached, by seed. `advice`: the most useful first.

    tolerance    by measure, of the solves themselves: no smaller difference means anything
    """

    seeds: tuple[int, ...]
    base: tuple[dict[str, float], ...]
    tolerance: dict[str, float]
    advice: tuple[Advice, ...]
    cut_short: bool

    def as_json(self) -> dict[str, Any]:
        return {**vars(self), "advice": [row.as_json() for row in self.advice]}


@dataclass(frozen=True)
class AdviceProgress:
    """Solve number `done` + 1 of `total` begins: with which change (in words), or the scenario as it is."""

    done: int
    total: int
    zh: str
    en: str


class RefusedError(ValueError):
    """A plan found on the way does not pass the independent checker. This is a fault of the planner."""


@dataclass(frozen=True)
class _Solved:
    figures: Figures
    bound: float

    def measure(self, name: str) -> float:
        return float(getattr(self.figures, name))


def advise(
    scenario: Scenario,
    trips: Iterable[Trip],
    stop: Stop | None = None,
    seed: int = 0,
    on_progress: Callable[[AdviceProgress], None] | None = None,
    most: int = MOST_CHANGES,
) -> Advised:
    """What one more of each resource that binds these trips would give.

    `stop.time_limit_s` is for all solves together, `stop.work_limit` for each: with a work limit and without a
    time limit the same call gives the same advice. When asked to stop it returns what it knows by then.
    Raises RefusedError.
    """
    begun, stop, scene = time.monotonic(), stop or Stop(), Scene(scenario, trips)
    rows = explain(scenario, scene.trips).bindings
    patience = None if stop.time_limit_s is None else stop.time_limit_s / SHARE_OF_PRICES
    prices = upper_bound(Model(scenario), patience).prices if rows else {}
    tried = candidates(scene, rows, prices, most)
    return _Advisor(scene, tried, stop, seed, on_progress, begun).run()


class _Advisor:
    """The solves with and without each change, and what they say."""

    def __init__(
        self,
        scene: Scene,
        tried: tuple[Change, ...],
        stop: Stop,
        seed: int,
        on_progress: Callable[[AdviceProgress], None] | None,
        begun: float,
    ) -> None:
        self.scene = scene
        self.scenario = scene.scenario
        self.stop = stop
        self.seeds = tuple(range(seed, seed + SEEDS))
        self.on_progress = on_progress
        self.solved: dict[Change | None, list[_Solved]] = {None: [], **{change: [] for change in tried}}
        self.done = 0
        self.total = SEEDS + len(tried) + min(SURE, len(tried)) * (SEEDS - 1) if tried else 0
        self.begun = begun
        limit = stop.time_limit_s
        left = None if limit is None else max(0.0, limit - (time.monotonic() - begun))
        self.each = replace(stop, time_limit_s=None if left is None else left / max(1, self.total))
        self.cut_short = False

    def run(self) -> Advised:
        if self.total:
            self._first_looks()
            while not self.cut_short and self._time_left() and (best := self._most_promising()) is not None:
                for seed in self.seeds[1:]:
                    self._solve(best, seed)
        rows = [self._advice(c) for c, solved in self.solved.items() if c is not None and solved]
        rows.sort(key=lambda row: (not row.proved, -row.gains["utility"].value))
        return Advised(
            self.seeds,
            tuple({name: solved.measure(name) for name in MEASURES} for solved in self.solved[None]),
            {name: self._noise(name) for name in MEASURES},
            tuple(rows),
            self.cut_short,
        )

    def _first_looks(self) -> None:
        """Every change once, and the scenario as it is before, between and after them.

        So what slows the machine down meanwhile shows in the spread of the latter, when time limits the solves.
        """
        tried = [change for change in self.solved if change is not None]
        half = (len(tried) + 1) // 2
        for seed, part in zip(self.seeds, (tried[:half], tried[half:], []), strict=True):
            self._solve(None, seed)
            for change in part:
                self._solve(change, self.seeds[0])

    def _solve(self, change: Change | None, seed: int) -> None:
        """Solve once more; nothing is kept of a solve that was broken off."""
        self.cut_short = self.cut_short or self.stop.should_stop()
        if self.cut_short:
            return
        zh, en = ("现状", "as it is") if change is None else said(self.scenario, change)
        if self.on_progress is not None:
            self.on_progress(AdviceProgress(self.done, max(self.total, self.done + 1), zh, en))
        scenario = self.scenario if change is None else changed(self.scenario, change)
        from .solve import plan  # here: only who plans pays for loading numba

        made = plan(scenario, self.each, seed)
        self.cut_short = self.stop.should_stop()
        if self.cut_short:
            return
        verdict = judge(scenario, made.trips)
        if verdict.violations:
            raise RefusedError(f"{en}: {verdict.violations[0]}")
        self.solved[change].append(_Solved(verdict.figures, made.claims.utility_bound))
        self.done += 1

    def _most_promising(self) -> Change | None:
        """Of the changes looked at once, the one that looked best, if that was more than the planner's error."""
        rows = [
            (solved[0].measure("utility"), change)
            for change, solved in self.solved.items()
            if change is not None and self._promising(change)
        ]
        return max(rows, key=lambda row: row[0], default=(0.0, None))[1]

    def _promising(self, change: Change) -> bool:
        """Whether a first look showed more than the tolerance, and no second one has been taken."""
        solved = self.solved[change]
        least = max(row.measure("utility") for row in self.solved[None])
        return len(solved) == 1 and solved[0].measure("utility") > least + self._noise("utility")

    def _time_left(self) -> bool:
        """Whether the next change can have all its solves in the time that there is."""
        limit, each = self.stop.time_limit_s, self.each.time_limit_s
        if limit is None or each is None:
            return True
        return time.monotonic() - self.begun + (SEEDS - 1) * each <= limit * 1.02

    def _noise(self, name: str) -> float:
        """The error that the solves have shown so far; people of both tiers have one, as they are traded."""
        names = PEOPLE if name in PEOPLE else (name,)
        return max((self._shown(one) for one in names if self.solved[None]), default=0.0)

    def _shown(self, name: str) -> float:
        reached = {
            change: [row.measure(name) for row in solved] for change, solved in self.solved.items() if solved
        }
        base = fmean(reached[None])
        falls = [base - figure for figures in reached.values() for figure in figures]
        spreads = [max(figures) - min(figures) for figures in reached.values()]
        return max(0.0, *falls, *spreads)

    def _advice(self, change: Change) -> Advice:
        solved = self.solved[change]
        gains = {name: self._gain(name, solved) for name in MEASURES}
        if not gains["utility"].proved:  # more people of one tier for fewer of another is no gain
            gains = {name: replace(gain, proved=False) for name, gain in gains.items()}
        best = max(row.measure("utility") for row in self.solved[None])
        at_most = max(0.0, min(row.bound for row in solved) - best)
        with_it = figures(changed(self.scenario, change), self.scene.trips)
        kept = {name: getattr(with_it, name) - getattr(self.scene.figures, name) for name in PEOPLE}
        points = self._who(solved, gains)
        zh, en = said(self.scenario, change)
        if gains["utility"].proved:
            told = proved_in_words(gains, points)
        else:
            told = unproved_in_words(gains, kept, at_most, self._promising(change))
        words = f"{zh}：{told[0]}", f"{en}: {told[1]}"
        seeds = self.seeds[: len(solved)]
        return Advice(change, *words, seeds, gains, kept, round(at_most, 6), points)

    def _gain(self, name: str, solved: list[_Solved]) -> Gain:
        more = [row.measure(name) for row in solved]
        base = [row.measure(name) for row in self.solved[None]]
        value = fmean(more) - fmean(base)
        aside = max(value - (min(more) - max(base)), max(more) - min(base) - value)
        tolerance = max(self._noise(name), aside)
        value = min(value, self._missing(name))
        if name in PEOPLE:
            value, tolerance = float(round(value)), float(ceil(tolerance - 1e-9))
        least = 1.0 if name in PEOPLE else 1e-6
        all_solved = len(solved) == len(base) == SEEDS
        return Gain(value, tolerance, all_solved and value >= least and value > tolerance)

    def _missing(self, name: str) -> float:
        """How much of a measure the plan explained leaves to gain: more is promised by no change."""
        plan = self.scene.figures
        return (plan.people if name in PEOPLE else 1.0) - float(getattr(plan, name))

    def _who(self, solved: list[_Solved], gains: dict[str, Gain]) -> dict[str, int]:
        """The points whose people gained most, of those who did in every solve."""
        lack = {(row.point, "supported"): row.not_supported for row in self.scene.unmet}
        lack |= {(row.point, "settled"): row.not_settled for row in self.scene.unmet}
        for name in PEOPLE:
            if gains[name].proved:
                base, more = self.solved[None], {}
                for point in base[0].figures.points:
                    now = [getattr(row.figures.points[point], name) for row in solved]
                    before = [getattr(row.figures.points[point], name) for row in base]
                    if min(now) > max(before):
                        more[point] = min(round(fmean(now) - fmean(before)), lack.get((point, name), 0))
                most = sorted(more.items(), key=lambda row: (-row[1], row[0]))[:NAMED]
                return {point: people for point, people in most if people > 0}
        return {}
