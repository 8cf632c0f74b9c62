"""The plans that a search begins from: trip after trip chosen for whichever vehicle is free first, by several tastes.

A large fleet has many vehicles for each dock, so that there docks are what binds: by three ways. Every point is at
first to get no more than the part of its people that is worth most, lest goods go where the rest of the kit never
arrives. Where few sources hold an item that everybody needs (rare goods), these are to load little else, and large
trucks, full, before all others. And small vehicles, which keep a dock for little, stay where they are until the search
finds them something to do. Before that, so that there is a plan in seconds, one is made by way of the nearest places
only.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import numpy as np

from .anneal import Aim, clean, copy_days, merit
from .arrays import GIVEN, LOAD_STARTS, Arrays, Base, Bits, Floats, Ints
from .bound import Bound
from .choose import Taste
from .days import Days
from .filling import CAP
from .neighbours import nearest
from .search import LARGE_FLEET, Chain, Search
from .wants import Target

AIM = Aim(wait=0.004, hope=0.1)


class Begin(NamedTuple):
    """A way to a first plan."""

    basic_first: bool  # everyone is supported before anyone is settled
    taste: Taste


SMALL = (
    Begin(True, Taste(dock=1.0)),
    Begin(False, Taste(dock=1.0)),
    Begin(False, Taste(dock=3.0)),
    Begin(False, Taste(dock=0.0)),
    Begin(True, Taste(dock=0.0)),
    Begin(True, Taste(dock=3.0, noise=0.1)),
    Begin(False, Taste(dock=1.0, noise=0.1)),
    Begin(False, Taste(dock=0.0, noise=0.1)),
)
LARGE = (  # many vehicles for each dock
    Begin(True, Taste(share=0.7, further=0.5, dock=6.0, plan=1.0)),
    Begin(True, Taste(share=0.9, further=0.7, dock=3.0, plan=1.0)),
)
QUICK = 6, 20  # sources near a node and points near a source, for a first plan in seconds
FULL = Taste(share=0.7, further=0.01, dock=0.0, plan=1.0)
SMALL_LOAD, LARGE_LOAD = 0.3, 2.0  # of the average vehicle's payload
BUSY, FEW, MOST = 0.5, 0.25, 0.5  # shares of dock-minutes, see rare_goods
HANDLED_MIN = 60  # so long before the deadline loads end to be of use


def construct(search: Search, bound: Bound, over: Callable[[], bool]) -> None:
    """Make the best of several plans that of a search; when over() cuts in, of what was made until then."""
    if len(search.vehicles) > LARGE_FLEET:
        _construct_large(search, over)
        return
    chain = search.chains[0]
    top = -1.0
    for targets in (None, bound.targets) if bound.targets else (None,):
        for begin in SMALL:
            if over() and top >= 0.0:
                return
            _aim(search, chain.now, begin, 1.0, targets)
            top = _make(search, chain, begin.taste, search.given, top)
            search.moves += 1


def _construct_large(search: Search, over: Callable[[], bool]) -> None:
    """One quick plan, then one by each chain at the same time; the best is taken."""
    a, chains, ways = search.arrays, search.chains, search.ways
    worth = [0.0] * len(chains)
    top = 0.0
    rare, left = rare_goods(a, search.given)
    mean_kg = a.payload.mean()
    large, largest = (search.vehicles[a.payload >= part * mean_kg] for part in (SMALL_LOAD, LARGE_LOAD))

    def make(k: int) -> None:
        chain, begin = chains[k], LARGE[k % len(LARGE)]
        _aim(search, chain.now, begin, a.half, None)
        chain.base.left[:] = search.given.left
        chain.base.left[left | ~rare] = 0
        _simulate(search, chain, FULL, chain.base, largest)
        rows = chain.now.rows
        rows[largest, :, GIVEN] = 1 + rows[largest, :, LOAD_STARTS]  # their docks are booked
        chain.base.left[~rare] = search.given.left[~rare]
        worth[k] = _simulate(search, chain, begin.taste, chain.base, large)
        rows[:, :, GIVEN] = 0

    for ways_now, count in ((nearest(ways, *QUICK), 1), (ways, len(chains))):
        search.ways = ways_now
        search.run([partial(make, k) for k in range(count)], over)
        search.moves += count
        best = max(range(count), key=worth.__getitem__)
        if worth[best] > top:
            top = worth[best]
            _take(search, chains[best])
    search.best.days.aims[:, CAP + 1 : CAP + 3] = a.people[:, None]


def _aim(search: Search, days: Days, begin: Begin, part: float, targets: tuple[Target, ...] | None) -> None:
    """Empty days, that aim at a part of the people of all points, or at the targets of the bound."""
    days.trips[:] = 0
    days.aims[:, 0] = begin.basic_first
    days.aims[:, CAP + 1] = days.aims[:, CAP + 2] = np.ceil(search.arrays.people * part)
    for r, want in enumerate(search.model.wants):
        if targets and want.people:
            p = want.node - search.arrays.sources
            days.aims[p, CAP + 1 : CAP + 3] = targets[r].supported, targets[r].settled


def _simulate(search: Search, chain: Chain, taste: Taste, base: Base, vehicles: Ints | None = None) -> float:
    """Choose trips for the days of a chain, of some vehicles or of all; what they come to."""
    chain.work.liking[:] = 1.0
    search.simulate(chain, chain.now, taste, base, vehicles)
    clean(chain.work, chain.now, search.vehicles)
    return float(merit(search.arrays, chain.work, search.nodes, AIM))


def _make(search: Search, chain: Chain, taste: Taste, base: Base, least: float) -> float:
    """The same, or `least` if they come to no more; else they are now the plan of the search."""
    worth = _simulate(search, chain, taste, base)
    if worth > least:
        _take(search, chain)
    return max(worth, least)


def _take(search: Search, chain: Chain) -> None:
    copy_days(chain.now, search.best.days, search.vehicles, search.nodes, search.arrays.sources)
    search.replay(search.chains[0], search.best)


def rare_goods(a: Arrays, base: Base) -> tuple[Bits, Bits]:
    """Holdings of sources that have rare goods, and those that they leave to others, [h] both.

    They leave to others items of which others have most of the docks.

    Rare is what few docks have, and would keep these busy for long if average vehicles loaded all that is needed.
    """
    source = np.repeat(np.arange(a.sources), np.diff(a.first_holding))
    manned = np.maximum(a.manned[: a.sources].astype(np.int64) - base.booked[: a.sources], 0)
    minutes = np.zeros(len(source))  # of the docks of a holding's source, since its goods are there
    until = max(0, a.deadline - HANDLED_MIN)
    there = base.left[:, -1] > 0
    for h in np.flatnonzero(there):
        minutes[h] = manned[source[h], int(a.step_begin[np.argmax(base.left[h] > 0)]) : until].sum()

    def by_item(of: Floats, some: Bits) -> Floats:
        total = np.bincount(a.holding_item[some], weights=of[some], minlength=len(a.kg))
        return total.astype(np.float64, copy=False)  # bincount of nothing counts in integers

    docks = by_item(minutes, there)
    per_kg = a.fixed[source] * (1 / a.payload).mean() + 1 / a.kg_per_min[source]
    per_kg = by_item(per_kg, there) / np.maximum(by_item(np.ones(len(source)), there), 1)
    kg = np.bincount(a.need_item, weights=a.need_units * a.kg[a.need_item], minlength=len(a.kg))
    rare = (kg * per_kg > BUSY * docks) & (docks < FEW * docks.max(initial=0.0))
    special = np.zeros(a.sources, dtype=bool)
    special[source[there & rare[a.holding_item]]] = True
    common = by_item(minutes, there & ~special[source]) > MOST * docks
    theirs: Bits = special[source]
    return theirs, theirs & common[a.holding_item]
