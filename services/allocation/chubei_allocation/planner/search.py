"""The search for a plan: construct days for all vehicles, then anneal them, whole or region by region.

A district is annealed as a whole, by two chains that begin anew from the better one now and then. In a city or a
province regions of some vehicles are annealed, two at a time that have no node in common (large neighbourhood
search, Shaw 1998). The search counts its work in moves; with a limit on these the outcome does not depend on time.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from .anneal import CLOSED, Aim, anneal, clean, copy_days, merit
from .arrays import Arrays, Base, Ints, build_arrays, build_base
from .bound import Bound
from .choose import Taste
from .days import Days, make_days
from .filling import CAP
from .model import FAR, Model
from .neighbours import build_ways
from .regions import NODE, Visits, make_visits, others, write_down
from .simulate import simulate
from .workspace import Work, make_work, most_arrivals

CHAINS = 2
LARGE_FLEET = 300  # vehicles; then one plan to begin with must do
WHOLE_TRIPS = 450  # so many trips are annealed as a whole
REGION_VEHICLES = 10
NEAR_POINTS = 20  # that a region may serve besides those it serves already
REGION_MOVES = 1500  # in one visit of a region
CHUNK_MOVES = 200  # between two looks at the clock
HOT, COLD = 0.08, 0.004  # temperatures, in what an average trip is worth
TASTES = (
    (1, Taste(dock=1.0)),
    (0, Taste(dock=1.0)),
    (0, Taste(dock=3.0)),
    (0, Taste(dock=0.0)),
    (1, Taste(dock=0.0)),
    (1, Taste(dock=3.0, noise=0.1)),
    (0, Taste(dock=1.0, noise=0.1)),
    (0, Taste(dock=0.0, noise=0.1)),
)
"""(whether everyone is supported before anyone is settled, taste) of the plans to begin with."""


class Chain:
    """Room for one line of search."""

    def __init__(self, a: Arrays, base: Base, most_trips: int, seed: int) -> None:
        self.work: Work = make_work(a, base, most_trips, seed)
        self.now, self.trial, self.best = (make_days(a, most_trips) for _ in range(3))
        self.base = Base(*(array.copy() for array in base))


class Search:
    """The best days found so far for a model, and ways to better them."""

    def __init__(self, model: Model, seed: int) -> None:
        self.model = model
        self.arrays = a = build_arrays(model)
        self.ways = build_ways(model, a)
        most_trips = int(np.clip(a.deadline // 30, 8, 48))
        self.given = build_base(model, a, most_arrivals(a, most_trips), len(a.start_node) * most_trips * 4)
        self.vehicles = np.arange(len(a.start_node), dtype=np.int64)
        self.nodes = np.arange(len(a.fixed), dtype=np.int64)
        self.days: Days = make_days(a, most_trips)
        self.visits: Visits = make_visits(a, most_trips * 4)
        self.chains = [Chain(a, self.given, most_trips, seed * CHAINS + k) for k in range(CHAINS)]
        self.calls = np.zeros((len(self.vehicles), len(self.nodes)), dtype=bool)
        self.rng = np.random.default_rng(seed)
        self.pool = ThreadPoolExecutor(CHAINS)
        self.score = np.zeros((len(a.people), 4))
        self.utility_now = 0.0
        self.moves = 0
        self._take_over(self.days)

    # -- the days as a whole

    def _take_over(self, days: Days) -> None:
        """Make `days` the plan, and write down what comes of it."""
        work = self.chains[0].work
        copy_days(days, self.days, self.vehicles, self.nodes, self.arrays.sources)
        self._simulate(self.chains[0], self.days, CLOSED)
        write_down(work, self.visits, self.vehicles)
        self._mark_calls(self.vehicles)
        self.score[:] = work.score
        self._reckon()

    def _simulate(self, chain: Chain, days: Days, taste: Taste) -> None:
        simulate(
            self.arrays,
            self.given,
            chain.work,
            days.rows,
            days.trips,
            days.aims,
            self.vehicles,
            self.nodes,
            self.ways,
            taste,
        )

    def _reckon(self) -> None:
        total = self.model.total_worth
        self.utility_now = float(self.score[:, 0].sum()) / total if total else 1.0

    @property
    def utility(self) -> float:
        return self.utility_now

    @property
    def supported(self) -> int:
        return int(self.score[:, 2].sum())

    @property
    def mean_wait_min(self) -> float:
        weight = float((self.arrays.weight * self.arrays.people).sum())
        return float(self.score[:, 1].sum()) / weight if weight else 0.0

    @property
    def trip_worth(self) -> float:
        """Weighted people that an average trip is worth."""
        return float(self.score[:, 0].sum()) / max(1, int(self.days.trips.sum()))

    # -- construction

    def construct(self, bound: Bound, over: Callable[[], bool]) -> None:
        """Plans by several tastes, towards everything and towards the targets of the bound; keep the best."""
        aim = Aim(wait=0.004, hope=0.1)
        work, days = self.chains[0].work, self.chains[0].now
        top = -1.0
        large = len(self.vehicles) > LARGE_FLEET
        for targets in (None, bound.targets) if bound.targets and not large else (None,):
            for order, taste in TASTES[:1] if large else TASTES:
                if over() and top >= 0.0:
                    return
                days.trips[:] = 0
                days.aims[:, 0] = order
                days.aims[:, CAP + 1] = days.aims[:, CAP + 2] = self.arrays.people
                for r, want in enumerate(self.model.wants):
                    if targets and want.people:
                        p = want.node - self.arrays.sources
                        days.aims[p, CAP + 1 : CAP + 3] = targets[r].supported, targets[r].settled
                work.liking[:] = 1.0
                self._simulate(self.chains[0], days, taste)
                clean(work, days, self.vehicles)
                worth = merit(self.arrays, work, self.nodes, aim)
                self.moves += 1
                if worth > top:
                    top = worth
                    self._take_over(days)

    # -- annealing

    def improve(self, progress: Callable[[], float], over: Callable[[], bool]) -> None:
        """Anneal until over(); progress tells the share of the time or work that has passed, 0 to 1."""
        if not len(self.vehicles) or not len(self.arrays.need_item):
            return
        if int(self.days.trips.sum()) <= WHOLE_TRIPS:
            self._improve_whole(progress, over)
        else:
            self._improve_regions(progress, over)

    def _heat(self, part: float) -> tuple[float, Aim]:
        """Temperature in weighted people, and aim, when a share of the time has passed."""
        temperature = self.trip_worth * HOT * (COLD / HOT) ** part
        return temperature, Aim(0.004, 0.2) if part < 0.8 else Aim(0.01, 0.05)

    def _improve_whole(self, progress: Callable[[], float], over: Callable[[], bool]) -> None:
        for chain in self.chains:
            copy_days(self.days, chain.now, self.vehicles, self.nodes, self.arrays.sources)
            copy_days(self.days, chain.best, self.vehicles, self.nodes, self.arrays.sources)
        round_ = 0
        while not over():
            temperature, aim = self._heat(progress())

            def run(chain: Chain, temperature: float = temperature, aim: Aim = aim) -> tuple[float, float]:
                return self._anneal(
                    chain, self.given, self.vehicles, self.nodes, aim, CHUNK_MOVES, temperature
                )

            values = list(self.pool.map(run, self.chains))
            self.moves += CHAINS * CHUNK_MOVES
            round_ += 1
            better = max(range(CHAINS), key=lambda k: values[k][0])
            if round_ % 10 == 0:
                for chain in self.chains:
                    if chain is not self.chains[better]:
                        self._copy(self.chains[better].now, chain.now)
            self._keep(max(range(CHAINS), key=lambda k: values[k][1]))

    def _copy(self, a: Days, b: Days) -> None:
        copy_days(a, b, self.vehicles, self.nodes, self.arrays.sources)

    def _keep(self, k: int) -> None:
        """Make the best of chain k the plan, if it is better."""
        aim = Aim(0.01, 0.0)
        chain = self.chains[k]
        self._simulate(chain, chain.best, CLOSED)
        value = merit(self.arrays, chain.work, self.nodes, aim)
        if value > self._value(aim):
            self._take_over(chain.best)

    def _value(self, aim: Aim, points: Ints | None = None) -> float:
        """What is written down comes to, at some points or all, hopes left aside."""
        score = self.score if points is None else self.score[points]
        return float(score[:, 0].sum() - aim.wait * score[:, 1].sum() / self.arrays.deadline)

    def _mark_calls(self, vehicles: Ints) -> None:
        """Note which nodes these vehicles visit."""
        self.calls[vehicles] = False
        rows = self.visits.rows[:, :, NODE]
        for v in vehicles:
            self.calls[v, rows[v, : self.visits.vehicle_visits[v]]] = True

    def _anneal(
        self, chain: Chain, base: Base, vehicles: Ints, nodes: Ints, aim: Aim, moves: int, temperature: float
    ) -> tuple[float, float]:
        return anneal(
            self.arrays,
            base,
            chain.work,
            chain.now,
            chain.trial,
            chain.best,
            vehicles,
            nodes,
            self.ways,
            aim,
            moves,
            temperature,
        )

    # -- regions

    def _improve_regions(self, progress: Callable[[], float], over: Callable[[], bool]) -> None:
        while not over():
            temperature, aim = self._heat(
                0.45 + 0.55 * progress()
            )  # a region has less time to recover from heat
            regions = self._pick_regions()

            def run(job: tuple[Chain, Ints, Ints], temperature: float = temperature, aim: Aim = aim) -> None:
                self._visit(*job, temperature, aim, over)

            list(
                self.pool.map(
                    run, [(chain, *region) for chain, region in zip(self.chains, regions, strict=False)]
                )
            )
            self.moves += REGION_MOVES * len(regions)
            self._reckon()

    def _visit(
        self,
        chain: Chain,
        vehicles: Ints,
        nodes: Ints,
        temperature: float,
        aim: Aim,
        over: Callable[[], bool],
    ) -> None:
        """Anneal a region, and take over what comes of it."""
        a, work = self.arrays, chain.work
        mine = np.zeros(len(self.vehicles), dtype=np.int8)
        mine[vehicles] = 1
        work.inside[:] = 0
        work.inside[nodes] = 1
        others(a, self.given, self.visits, mine, work.inside, chain.base)
        in_order = chain.base.pending_rows[: chain.base.pending[0]]
        in_order[:] = in_order[np.lexsort((in_order[:, 1], in_order[:, 0]))]
        for days in (chain.now, chain.best):
            copy_days(self.days, days, vehicles, nodes, a.sources)
        done = 0
        while done < REGION_MOVES and not over():
            heat = temperature * 0.2 ** (done / REGION_MOVES)
            self._anneal(chain, chain.base, vehicles, nodes, aim, CHUNK_MOVES, heat)
            done += CHUNK_MOVES
        points = nodes[nodes >= a.sources] - a.sources
        before = self._value(aim, points)
        if (
            self._merit_of(chain, chain.best, vehicles, nodes, aim) > before
        ):  # else all goes on as it is written down
            copy_days(chain.best, self.days, vehicles, nodes, a.sources)
            write_down(work, self.visits, vehicles)
            self._mark_calls(vehicles)
            self.score[points] = work.score[points]

    def _merit_of(self, chain: Chain, days: Days, vehicles: Ints, nodes: Ints, aim: Aim) -> float:
        """What days of a region come to, hopes left aside; chain.work holds what comes of them."""
        simulate(
            self.arrays,
            chain.base,
            chain.work,
            days.rows,
            days.trips,
            days.aims,
            vehicles,
            nodes,
            self.ways,
            CLOSED,
        )
        value: float = merit(self.arrays, chain.work, nodes, Aim(aim.wait, 0.0))
        return value

    def _pick_regions(self) -> list[tuple[Ints, Ints]]:
        """Up to CHAINS regions (vehicles, nodes) without a common node."""
        regions: list[tuple[Ints, Ints]] = []
        taken = np.zeros(len(self.nodes), dtype=bool)
        for _ in range(8):
            vehicles, nodes = self._region()
            if len(vehicles) and not taken[nodes].any():
                regions.append((vehicles, nodes))
                taken[nodes] = True
                if len(regions) == CHAINS:
                    break
        return regions

    def _region(self) -> tuple[Ints, Ints]:
        """Vehicles that bring goods around a random point, and the nodes they may use."""
        a, visits = self.arrays, self.visits
        asking = np.flatnonzero(np.diff(a.first_need) > 0) + a.sources
        lacking = a.people * a.weight - self.score[:, 0]
        chance = np.maximum(lacking[asking - a.sources], 0.0)
        chance = chance + 0.1 * (a.people * a.weight)[asking - a.sources] + 1e-9
        centre = int(self.rng.choice(asking, p=chance / chance.sum()))
        minutes = a.ways[0, centre]
        by_way = asking[np.argsort(minutes[asking], kind="stable")]
        chosen = np.zeros(len(self.vehicles), dtype=bool)
        for n in by_way:
            chosen |= self.calls[:, n]
            if chosen.sum() >= REGION_VEHICLES:
                break
        if chosen.sum() > 1.5 * REGION_VEHICLES:
            chosen[self.rng.permutation(np.flatnonzero(chosen))[REGION_VEHICLES:]] = False
        idle = np.flatnonzero(visits.vehicle_visits == 0)
        close = idle[np.argsort(minutes[a.start_node[idle]], kind="stable")][: REGION_VEHICLES // 4]
        chosen[close[minutes[a.start_node[close]] < FAR]] = True
        vehicles = np.flatnonzero(chosen)
        inside = np.zeros(len(self.nodes), dtype=bool)
        inside |= self.calls[vehicles].any(axis=0)
        inside[by_way[:NEAR_POINTS]] = True
        for n in by_way[:8]:
            inside[[s for s in self.ways.around[n][:4] if s >= 0]] = True
        return vehicles, np.flatnonzero(inside).astype(np.int64)
