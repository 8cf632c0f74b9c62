"""The search for a plan: construct days for all vehicles, then better them part by part, and their loads all at once.

Three ways take turns. Regions of some vehicles are annealed, all others going on as planned (large neighbourhood
search, Shaw 1998): who goes where in which order. Vehicles that are alike exchange their trips, for the least empty
way (linking.py). And a linear program decides anew what all trips take along (loads.py). A district is searched by
two chains, which begin anew from the better one now and then; in a city or a province two regions that have no node
in common are annealed at a time. The search counts its work in moves; with a limit on these the outcome does not
depend on time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from functools import partial
from typing import NamedTuple

import numpy as np

from .anneal import KEEP, Aim, anneal, clean, copy_days, count_given, merit
from .arrays import Arrays, Base, Bits, Floats, Ints, build_arrays, build_base
from .choose import Taste
from .days import Days, given_trips, make_days
from .linking import alike, link
from .loads import best_loads, write_wishes
from .model import Model
from .neighbours import build_ways
from .program import Watch
from .regions import draw_region, others, settle
from .schedule import start_early
from .simulate import simulate
from .state import State
from .stopping import THREADS
from .visits import Stops, mark_calls, spread, stops_of, write_down
from .workspace import Work, make_work, most_arrivals

CHAINS = 2
LARGE_FLEET = 300  # vehicles; then one plan is bettered by all chains
ROUND_VISITS = 20  # of regions, by each chain, until they are compared
ROUNDS_APART = 6  # until the worse chain begins anew from the better one
LOADS_AFTER = 70  # moves for each trip, until loads are planned anew
WAIT = 0.01  # what waiting counts: so much utility for all people and the whole time
NO_MORE = 0.0005  # so near to its bound utility has no room: from then on only waits are shortened,
WAIT_ONLY = 0.3  # which count so much,
QUIET = (0.003, 0.0002)  # at these temperatures: higher ones lose utility, lower ones find little
WORST = -1e300


class Pace(NamedTuple):
    """How regions are annealed."""

    vehicles: int  # of a region
    moves: int  # in a visit
    near_points: int  # that a region may serve besides those it serves already
    hot: float  # temperatures at first and in the end, in what an average trip is worth
    cold: float


DISTRICT = Pace(vehicles=4, moves=100, near_points=1000, hot=0.03, cold=0.0005)
CITY = Pace(vehicles=5, moves=150, near_points=12, hot=0.05, cold=0.0005)


class Chain:
    """Room for one line of search."""

    def __init__(self, a: Arrays, base: Base, most_trips: int, seed: int) -> None:
        self.work: Work = make_work(a, base, most_trips, seed)
        self.now, self.trial, self.best = (make_days(a, most_trips) for _ in range(3))
        self.base = Base(*(array.copy() for array in base))
        self.rng = np.random.default_rng(seed)
        self.best_state = State(a, most_trips)
        self.best_value = WORST

    def keep_best(self, search: Search, state: State) -> None:
        """Remember a state if it is the best of this chain."""
        value = search.value(state)
        if value > self.best_value:
            self.best_value = value
            self.best_state.become(state)


class Search:
    """The best days found so far for a model, and ways to better them."""

    def __init__(self, model: Model, seed: int, threads: int = THREADS) -> None:
        self.model = model
        self.arrays = a = build_arrays(model)
        self.ways = build_ways(model, a)
        most_trips = int(np.clip(a.deadline // 30, 8, 48))
        self.given = build_base(model, a, most_arrivals(a, most_trips))
        self.vehicles = np.arange(len(a.start_node), dtype=np.int64)
        self.nodes = np.arange(len(a.fixed), dtype=np.int64)
        self.alike = alike(a)
        self.best = State(a, most_trips)
        self.most_trips = most_trips
        self.chains = [Chain(a, self.given, most_trips, seed * CHAINS + k) for k in range(CHAINS)]
        self.pool = ThreadPoolExecutor(threads)
        self.moves = 0
        self.ended = False
        self.given_worth = 0.0  # weighted people that a trip left as it was given is worth
        self.only_wait, self.wait = False, WAIT
        self.floor = 0.0  # a plan of less utility is no better one
        self.bound: Callable[[], float] = lambda: 1.0  # what utility can be at most
        self.watch = Watch()
        self.visits = self.best.visits
        self.replay(self.chains[0], self.best)

    # -- plans as a whole

    def simulate(
        self,
        chain: Chain,
        days: Days,
        taste: Taste,
        base: Base | None = None,
        vehicles: Ints | None = None,
    ) -> None:
        """Let days take place at all places; base: what there is, if not what is given; vehicles: if not all."""
        chain.work.inside[:] = 1
        simulate(
            self.arrays,
            base or self.given,
            chain.work,
            days.rows,
            days.trips,
            days.aims,
            self.vehicles if vehicles is None else vehicles,
            self.nodes,
            self.ways,
            taste,
            True,
        )

    def replay(self, chain: Chain, state: State) -> None:
        """Let the days of a state take place, and write down what comes of them."""
        self.simulate(chain, state.days, KEEP)
        clean(chain.work, state.days, self.vehicles)
        write_down(chain.work, state.visits, self.vehicles)
        state.score[:] = chain.work.score
        mark_calls(state.days, self.vehicles, state.calls)

    def leave_out(self, names: set[str]) -> None:
        """Let vehicles make none of their trips."""
        for v, vehicle in enumerate(self.model.vehicles):
            if vehicle.name in names:
                self.best.days.trips[v] = 0
        self.replay(self.chains[0], self.best)

    def value(self, state: State) -> float:
        """What a plan comes to in the end, in weighted people."""
        value = state.value(self.arrays, Aim(self.wait, 0.0, self.given_worth))
        return value if self.utility_of(state) >= self.floor else value - self.model.total_worth

    @property
    def utility(self) -> float:
        return self.utility_of(self.best)

    def utility_of(self, state: State) -> float:
        total = self.model.total_worth
        return float(state.score[:, 0].sum()) / total if total else 1.0

    @property
    def score(self) -> Floats:
        return self.best.score

    @property
    def supported(self) -> int:
        return int(self.best.score[:, 2].sum())

    @property
    def mean_wait_min(self) -> float:
        weight = float((self.arrays.weight * self.arrays.people).sum())
        return float(self.best.score[:, 1].sum()) / weight if weight else 0.0

    def _trip_worth(self, state: State) -> float:
        """Weighted people that an average trip is worth."""
        return max(1e-6, float(state.score[:, 0].sum()) / max(1, int(state.days.trips.sum())))

    # -- improvement

    def improve(
        self,
        progress: Callable[[], float],
        over: Callable[[], bool],
        enough: Callable[[], bool] = lambda: False,
    ) -> None:
        """Better the plan until over(), or enough() between two rounds.

        progress tells the share of the time or work that has passed, 0 to 1.
        """
        if not len(self.vehicles) or not len(self.arrays.need_item):
            return
        if len(self.vehicles) <= LARGE_FLEET:
            self._improve_apart(progress, over, enough)
        else:
            self._improve_together(progress, over, enough)

    def run(self, jobs: Sequence[Callable[[], object]], over: Callable[[], bool]) -> None:
        """Do jobs in parallel, and look at over() meanwhile."""
        futures = [self.pool.submit(job) for job in jobs]
        while wait(futures, timeout=0.1).not_done:
            if over():
                self.ended = True
                self.watch.stop()
                for chain in self.chains:
                    chain.work.halt[0] = 1
        for chain in self.chains:
            chain.work.halt[0] = 0
        for future in futures:
            future.result()

    def _heat(self, pace: Pace, part: float) -> tuple[float, Aim]:
        """Temperature, in what an average trip is worth, and aim, when a share of the time has passed."""
        if not self.only_wait and not self.given_worth and self.utility >= self.bound() - NO_MORE:
            self._shorten_waits()
        hot, cold = QUIET if self.only_wait else (pace.hot, pace.cold)
        hope = 0.1 * (1 - part) if part < 0.8 and not self.only_wait else 0.0
        return hot * (cold / hot) ** part, Aim(self.wait, hope, self.given_worth)

    def _shorten_waits(self) -> None:
        """From now on shorten how long people wait, at no cost of utility."""
        self.only_wait, self.wait, self.floor = True, WAIT_ONLY, self.utility - 1e-9
        for chain in self.chains:
            chain.best_value = WORST  # by another measure; the best of all is kept

    def _improve_apart(
        self, progress: Callable[[], float], over: Callable[[], bool], enough: Callable[[], bool]
    ) -> None:
        """By chains, each with a plan of its own."""
        if over() or enough():
            return
        states = [State(self.arrays, self.most_trips) for _ in self.chains]
        states[0].become(self.best)
        self.run([partial(self._plan_loads, self.chains[0], states[0])], over)
        for state in states[1:]:  # all begin alike: one program is for all of them
            state.become(states[0])
        moves_since = round_ = 0
        while not over() and not enough():
            heat, aim = self._heat(DISTRICT, progress())
            plan_loads = moves_since >= LOADS_AFTER * int(states[0].days.trips.sum())

            def run(
                chain: Chain, state: State, heat: float = heat, aim: Aim = aim, loads: bool = plan_loads
            ) -> None:
                if loads:
                    self._plan_loads(chain, state)
                for _ in range(ROUND_VISITS):
                    if self.ended:
                        return
                    vehicles, nodes = self._draw(chain, state, DISTRICT)
                    self._visit(chain, state, vehicles, nodes, heat, aim, DISTRICT.moves, False)
                    chain.keep_best(self, state)
                self._link(chain, state)

            self.run([partial(run, *pair) for pair in zip(self.chains, states, strict=True)], over)
            round_ += 1
            moves_since = DISTRICT.moves * ROUND_VISITS + (0 if plan_loads else moves_since)
            self.moves += CHAINS * DISTRICT.moves * ROUND_VISITS
            chain = max(self.chains, key=lambda chain: chain.best_value)
            if chain.best_value > self.value(self.best):
                self.best.become(chain.best_state)
            values = [self.value(state) for state in states]
            if round_ % ROUNDS_APART == 0:
                better = max(range(CHAINS), key=values.__getitem__)
                for state in states:
                    if state is not states[better]:
                        state.become(states[better])

    def _improve_together(
        self, progress: Callable[[], float], over: Callable[[], bool], enough: Callable[[], bool]
    ) -> None:
        """By chains at work on parts of one plan."""
        state, moves_since = self.best, -1
        while not over() and not enough():
            heat, aim = self._heat(CITY, progress())
            if moves_since < 0 or moves_since >= LOADS_AFTER * int(state.days.trips.sum()):
                before = self.chains[0].best_state
                for anew in (self._link, self._plan_loads):
                    if over():
                        return
                    before.become(state)
                    self.run([partial(anew, self.chains[0], state)], over)
                    if self.value(state) < self.value(before):  # rounding took more than was found
                        state.become(before)
                moves_since = 0
            regions: list[tuple[Ints, Ints]] = []
            taken = np.zeros(len(self.nodes), dtype=bool)
            busy = np.zeros(len(self.vehicles), dtype=bool)  # idle ones are near more than one region
            for chain in self.chains * 4:
                vehicles, nodes = self._draw(chain, state, CITY)
                apart = not taken[nodes].any() and not busy[vehicles].any()
                if len(regions) < CHAINS and len(vehicles) and apart:
                    regions.append((vehicles, nodes))
                    taken[nodes] = busy[vehicles] = True
            self.run(
                [
                    partial(self._visit, chain, state, *region, heat, aim, CITY.moves, True)
                    for chain, region in zip(self.chains, regions, strict=False)
                ],
                over,
            )
            moves_since += CITY.moves * len(regions)
            self.moves += CITY.moves * len(regions)

    # -- the whole plan at once

    def _link(self, chain: Chain, state: State) -> None:
        """Deal trips out anew among vehicles that are alike, and let all start as early as they can."""
        a = self.arrays
        given: Bits = np.any(given_trips(state.days), axis=1)
        stops = stops_of(state.visits)
        for vehicles in self.alike:
            link(a, state.days, stops, vehicles[~given[vehicles]])
        self.replay(chain, state)
        if not given.any():
            stops, at = stops_of(state.visits), spread(state.visits.vehicle_visits)
            start_early(a, self.given, chain.work, state.days.rows, stops, state.visits.goods[at] @ a.kg)
            self.replay(chain, state)

    def _plan_loads(self, chain: Chain, state: State) -> None:
        """Decide anew what all trips take along, but those that are as they were given."""
        stops, base = stops_of(state.visits), self.given
        beside = given_trips(state.days)
        if beside.any():
            base = chain.base
            settle(self.arrays, self.given, state.visits, beside, base)
            stops = Stops(*(column[~beside[stops.vehicle, stops.trip]] for column in stops))
        loads = best_loads(self.arrays, base, stops, self.wait, self.watch)
        if loads is None:
            return
        write_wishes(self.arrays, base, chain.work, state.days, stops, loads, beside)
        self.replay(chain, state)

    # -- regions

    def _draw(self, chain: Chain, state: State, pace: Pace) -> tuple[Ints, Ints]:
        return draw_region(self.arrays, self.ways, state, chain.rng, pace.vehicles, pace.near_points)

    def _visit(
        self,
        chain: Chain,
        state: State,
        vehicles: Ints,
        nodes: Ints,
        heat: float,
        aim: Aim,
        moves: int,
        greedy: bool,
    ) -> None:
        """Anneal a region, and take over what comes of it."""
        if not len(vehicles):
            return
        a, work = self.arrays, chain.work
        mine = np.zeros(len(self.vehicles), dtype=np.int8)
        mine[vehicles] = 1
        work.inside[:] = 0
        work.inside[nodes] = 1
        others(a, self.given, state.visits, mine, work.inside, chain.base)
        for days in (chain.now, chain.best):
            copy_days(state.days, days, vehicles, nodes, a.sources)
        points = nodes[nodes >= a.sources] - a.sources
        anneal(
            a,
            chain.base,
            work,
            chain.now,
            chain.trial,
            chain.best,
            vehicles,
            nodes,
            self.ways,
            aim,
            moves,
            heat * self._trip_worth(state),
        )
        days = chain.best if greedy else chain.now
        simulate(
            a, chain.base, work, days.rows, days.trips, days.aims, vehicles, nodes, self.ways, KEEP, True
        )
        if greedy:
            value = merit(a, work, nodes, Aim(aim.wait, 0.0)) + aim.given * count_given(days, vehicles)
            less = self.only_wait and work.score[points, 0].sum() < state.score[points, 0].sum()
            if less or value <= state.value(a, aim, points, vehicles):
                return
        clean(work, days, vehicles)
        copy_days(days, state.days, vehicles, nodes, a.sources)
        write_down(work, state.visits, vehicles)
        mark_calls(state.days, vehicles, state.calls)
        state.score[points] = work.score[points]
