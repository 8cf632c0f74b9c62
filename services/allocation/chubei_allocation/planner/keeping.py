"""What of a previous plan still holds: trips that fit as they are, and others mended to fit between them.

A repair of the schedule instead of a new one (Vieira, Herrmann and Lin 2003, "Rescheduling manufacturing systems"):
first all trips that still obey the rules are entered as they were; then those that do not, each in the time that its
vehicle has between the others: later (right shift), from another source if theirs has nothing left, or with less
aboard. Whatever is entered stands in a ledger of berths and stock, so that all together obey the rules.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from math import ceil

import numpy as np

from .model import IntArray, Model, Vehicle
from .scenario import Supply, Trip, Visit

SHARES = (1.0, 0.85, 0.7, 0.55, 0.4)
"""Of its goods, that a mended trip may bring, the most first. Less is not worth the way."""

OTHER_SOURCES = 4
"""Nearest sources from which a trip is tried, if its own do not do."""


@dataclass(frozen=True)
class Kept:
    """Trips of a previous plan, not yet begun: `same` as they were, and `mended`. All can be driven together."""

    same: tuple[Trip, ...]
    mended: tuple[Trip, ...]


def keepable(model: Model, previous: Iterable[Trip], over: Callable[[], bool]) -> Kept:
    """The trips of a previous plan that a new one can hold on to. What has begun is not among them.

    Once it is over(), no more are looked at.
    """
    scenario = model.scenario
    begun = {trip.key() for trip in scenario.committed}
    old = [t for t in previous if t.visits[0].start >= scenario.now_min and t.key() not in begun]
    ledger = Ledger(model)
    fallen, same, mended = [], [], []
    for trip in sorted(old, key=_order):
        if over():
            break
        if ledger.knows(trip):
            if ledger.fits(trip):
                ledger.enter(trip)
                same.append(trip)
            else:
                fallen.append(trip)
    for trip in fallen:
        if over():
            break
        if (better := ledger.mend(trip)) is not None:
            ledger.enter(better)
            mended.append(better)
    return Kept(tuple(same), tuple(mended))


def _order(trip: Trip) -> tuple[int, str]:
    return trip.visits[0].start, trip.vehicle


class Ledger:
    """Berths, stock and vehicles as far as the trips entered leave them. Arrays go by minute, to the deadline."""

    def __init__(self, model: Model) -> None:
        self.model, self.scenario = model, model.scenario
        self.minutes = self.scenario.deadline_min + 1
        self.items = {item.id: item for item in self.scenario.items}
        self.vehicles = {vehicle.name: vehicle for vehicle in model.vehicles}
        self.berths = np.stack([self._manned(n) for n in range(len(model.nodes))])
        self.left = {(row.source, row.item): self._comes_in(row) for row in self.scenario.supply}
        self.days: dict[str, list[Trip]] = defaultdict(list)  # of each vehicle, without what has begun
        for trip in self.scenario.committed:
            for visit in trip.visits:
                self._enter_visit(visit)

    def _manned(self, n: int) -> IntArray:
        manned = np.zeros(self.minutes, dtype=np.int64)
        for begin, number in self.model.nodes[n].berths:
            manned[begin:] = number
        return manned

    def _comes_in(self, row: Supply) -> IntArray:
        """Units that have come in by each minute."""
        since = np.arange(self.minutes) - row.available_min
        if row.rate_per_hour is None:
            return np.where(since >= 0, row.quantity, 0)
        made = np.floor(row.rate_per_hour * since / 60 + 1e-9).astype(np.int64)
        return np.where(since >= 0, np.minimum(made, row.quantity), 0)

    # -- entering

    def enter(self, trip: Trip) -> None:
        """Book what a trip that fits takes."""
        self.days[trip.vehicle].append(trip)
        for visit in trip.visits:
            self._enter_visit(visit)

    def _enter_visit(self, visit: Visit) -> None:
        self.berths[self.model.node_index[visit.node], visit.start : visit.end] -= 1
        for item, units in visit.goods.items() if visit.loads else ():
            if (visit.node, item) in self.left:
                self.left[visit.node, item][visit.start :] -= units

    # -- what fits

    def knows(self, trip: Trip) -> bool:
        """Whether its vehicle can drive, and its places and goods exist."""
        return trip.vehicle in self.vehicles and all(
            visit.node in self.model.node_index and visit.goods.keys() <= self.items.keys()
            for visit in trip.visits
        )

    def fits(self, trip: Trip) -> bool:
        """Whether a trip obeys every rule beside what is entered, exactly as it is."""
        vehicle = self.vehicles[trip.vehicle]
        here, free, after = self._gap(vehicle, trip.visits[0].start)
        if not self._bears(vehicle, trip):
            return False
        for visit in trip.visits:
            n = self.model.node_index[visit.node]
            least = free + self._leg(vehicle, here, n)
            timely = least <= visit.arrive <= visit.start and visit.end >= visit.start + self._service(
                n, visit.goods
            )
            if not (timely and self._has_room(n, visit)):
                return False
            here, free = n, visit.end
        return self._reaches(vehicle, here, free, after)

    def _gap(self, vehicle: Vehicle, minute: int) -> tuple[int, int, Trip | None]:
        """Where and from when on the vehicle is free before that minute, and its next trip after."""
        day = sorted(self.days[vehicle.name], key=_order)
        before = [trip for trip in day if trip.visits[0].start <= minute]
        after = next((trip for trip in day if trip.visits[0].start > minute), None)
        if not before:
            return vehicle.node, vehicle.free_min, after
        last = before[-1].visits[-1]
        return self.model.node_index[last.node], last.end, after

    def _leg(self, vehicle: Vehicle, here: int, there: int) -> int:
        return int(self.model.minutes(vehicle.speed_factor)[here, there])

    def _reaches(self, vehicle: Vehicle, here: int, free: int, after: Trip | None) -> bool:
        """Whether it can be at its next trip in time."""
        if after is None:
            return True
        first = after.visits[0]
        return free + self._leg(vehicle, here, self.model.node_index[first.node]) <= first.arrive

    def _bears(self, vehicle: Vehicle, trip: Trip) -> bool:
        """Whether its goods fit in the vehicle and the vehicle in the lanes, in whole packs."""
        aboard: Counter[str] = Counter()
        for visit in trip.visits:
            if vehicle.size > self.model.nodes[self.model.node_index[visit.node]].max_size:
                return False
            for item, units in visit.goods.items():
                if units % self.items[item].pack:
                    return False
                aboard[item] += units if visit.loads else -units
            if min(aboard.values()) < 0:
                return False
            if self._kg(aboard) > vehicle.payload_kg + 1e-6 or self._m3(aboard) > vehicle.volume_m3 + 1e-6:
                return False
        return not any(aboard.values()) and trip.visits[0].loads

    def _has_room(self, n: int, visit: Visit) -> bool:
        """Whether there is a berth, the place is open, and the goods are there."""
        if visit.end >= self.minutes or visit.start < self.model.nodes[n].opens_min:
            return False
        if self.berths[n, visit.start : visit.end].min(initial=1) < 1:
            return False
        return not visit.loads or all(
            units <= self._spare(visit.node, item, visit.start) for item, units in visit.goods.items()
        )

    def _spare(self, source: str, item: str, minute: int) -> int:
        """Units that a load may take at a minute and leave all later ones theirs."""
        left = self.left.get((source, item))
        return 0 if left is None else max(0, int(left[minute:].min()))

    def _service(self, n: int, goods: Mapping[str, int]) -> int:
        node = self.model.nodes[n]
        return node.fixed_min + ceil(self._kg(goods) / node.kg_per_min - 1e-9)

    def _kg(self, goods: Mapping[str, int]) -> float:
        return sum(self.items[item].weight_kg * units for item, units in goods.items())

    def _m3(self, goods: Mapping[str, int]) -> float:
        return sum(self.items[item].volume_m3 * units for item, units in goods.items())

    # -- mending

    def mend(self, trip: Trip) -> Trip | None:
        """The trip in the time that its vehicle has: later, with less aboard, or from another source."""
        sources = [visit.node for visit in trip.visits if visit.loads]
        drops = [visit for visit in trip.visits if not visit.loads]
        routes = [sources, *([other] for other in self._others(sources, drops))]
        for route in routes:
            for share in SHARES:
                made = self._timed(trip, route, drops, share)
                if made is not None and self._brought(made) >= SHARES[-1] * self._brought(trip):
                    return made
        return None

    def _others(self, sources: list[str], drops: list[Visit]) -> list[str]:
        """The nearest other sources that hold something of these goods."""
        goods = {item for drop in drops for item in drop.goods}
        holders = {s for (s, item), left in self.left.items() if item in goods and left[-1] > 0} - set(
            sources
        )
        to_first = self.model.minutes(1.0)[:, self.model.node_index[drops[0].node]]
        return sorted(holders, key=lambda s: (int(to_first[self.model.node_index[s]]), s))[:OTHER_SOURCES]

    def _brought(self, trip: Trip) -> float:
        return sum(self._kg(visit.goods) for visit in trip.visits if not visit.loads)

    def _timed(self, trip: Trip, sources: list[str], drops: list[Visit], share: float) -> Trip | None:
        """A trip as early as can be that brings a share of these drops' goods, as far as the sources have them."""
        vehicle = self.vehicles[trip.vehicle]
        here, free, after = self._gap(vehicle, trip.visits[0].start)
        wanted = [
            Counter({item: self._packs(item, units * share) for item, units in drop.goods.items()})
            for drop in drops
        ]
        lacking, aboard, visits = sum(wanted, Counter[str]()), Counter[str](), []
        for source in sources:
            visit = self._load(
                self.model.node_index[source], free + self._way(vehicle, here, source), lacking
            )
            if visit is not None:
                visits.append(visit)
                aboard += Counter(visit.goods)
                lacking -= Counter(visit.goods)
                here, free = self.model.node_index[source], visit.end
        for drop, most in zip(drops, wanted, strict=True):
            goods = dict(most & aboard)
            if goods:
                n = self.model.node_index[drop.node]
                visit = self._visit(n, free + self._way(vehicle, here, drop.node), goods, loads=False)
                if visit is None:
                    return None
                visits.append(visit)
                aboard -= Counter(goods)
                here, free = n, visit.end
        made = Trip(vehicle.name, tuple(visits))
        fine = bool(visits) and self._bears(vehicle, made) and self._reaches(vehicle, here, free, after)
        return made if fine else None

    def _way(self, vehicle: Vehicle, here: int, there: str) -> int:
        return self._leg(vehicle, here, self.model.node_index[there])

    def _load(self, n: int, arrive: int, lacking: Mapping[str, int]) -> Visit | None:
        """A load at node n of what is lacking and there, as early as can be; None if there is nothing."""
        source, begin = self.model.nodes[n], self._berth_from(n, arrive, self.model.nodes[n].fixed_min + 1)
        if begin is None:
            return None
        spare = {item: min(units, self._spare(source.id, item, begin)) for item, units in lacking.items()}
        goods = {item: whole for item, units in spare.items() if (whole := self._packs(item, units)) > 0}
        return self._visit(n, arrive, goods, loads=True) if goods else None

    def _visit(self, n: int, arrive: int, goods: dict[str, int], loads: bool) -> Visit | None:
        """A visit at node n as early as can be; None if not before the deadline."""
        node, minutes = self.model.nodes[n], max(1, self._service(n, goods))
        start = self._berth_from(n, max(arrive, node.opens_min), minutes)
        return None if start is None else Visit(node.id, arrive, start, start + minutes, loads, goods)

    def _berth_from(self, n: int, least: int, minutes: int) -> int | None:
        """The first minute from `least` on when a berth is free for so long."""
        start = least
        while start + minutes < self.minutes:
            full = np.flatnonzero(self.berths[n, start : start + minutes] < 1)
            if not len(full):
                return start
            start += int(full[-1]) + 1
        return None

    def _packs(self, item: str, units: float) -> int:
        """Whole packs of at most so many units."""
        return int(units // self.items[item].pack) * self.items[item].pack
