"""Sending vehicles: whenever one is free, the trip that brings most for its time.

The worth of a load has two parts. `share` counts every unit by the share of its stage that it makes up, so
that water goes out although the meals come later. `gain` counts only the kits that are whole when the load is
there. A trip is judged by worth per minute from where the vehicle stands until it is empty and back at a
source; it is lengthened by further drops and further sources while that makes the rate better.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import numpy as np

from .model import FAR, FloatArray, IntArray
from .state import Run, State, schedule
from .wants import STAGES, truck_share

NEAR_SOURCES = 8
NEAR_WANTS = 48
MOST_DROPS = 6
WAIT_MIN = 120  # how long it may pay to wait at a source for goods to come in


@dataclass(frozen=True)
class Taste:
    """What the dispatcher prefers; improvement varies it."""

    share: float = 0.5  # weight of `share` against `gain`
    scarce: float = 0.3  # preference for points that few vehicles reach
    noise: float = 0.0  # relative, on the rate of every trip
    fade_min: float = 150.0  # from so long before the deadline on, goods that make no kit whole lose worth


@dataclass(frozen=True)
class Draft:
    """A trip before it is timed."""

    loads: tuple[tuple[int, IntArray], ...]
    drops: tuple[tuple[int, IntArray], ...]
    kg: float
    m3: float
    worth: float
    minutes: float

    @property
    def rate(self) -> float:
        return self.worth / self.minutes


@dataclass(frozen=True)
class Offers:
    """What each of some wants would take of the goods at hand; arrays of shape (wants,)."""

    worth: FloatArray
    kg: FloatArray


class Dispatcher:
    """Builds trips for the vehicles of a state, by one taste."""

    def __init__(self, state: State, taste: Taste, rng: np.random.Generator) -> None:
        self.state = state
        self.model = state.model
        self.taste = taste
        self.rng = rng
        model = self.model
        self._measures = np.stack([model.kg, model.m3, truck_share(model)], axis=1)
        self._node = np.array([want.node for want in model.wants], dtype=np.int64)
        self._latest = np.array([want.latest_min for want in model.wants], dtype=np.float64)
        self._size = np.array([want.point.max_size for want in model.wants], dtype=np.float64)
        places = [model.nodes[n] for n in self._node]
        self._opens = np.array([place.opens_min for place in places], dtype=np.float64)
        self._fixed = np.array([place.fixed_min for place in places], dtype=np.float64)
        self._per_kg = np.array([1 / place.kg_per_min for place in places], dtype=np.float64)
        desks = [want.point.hand_out_per_hour for want in model.wants]
        self._desk = np.array(
            [
                np.inf if desk is None or want.item >= 0 else desk / 60 * want.worth / max(1, want.people)
                for desk, want in zip(desks, model.wants, strict=True)
            ]
        )
        self._scarce = self._scarcity()
        self._prepared: dict[float, tuple[IntArray, FloatArray, list[IntArray], list[list[int]]]] = {}
        self.climbed()

    def _scarcity(self) -> FloatArray:
        """How much of the fleet's payload cannot reach each want: 1 for all can, more for few."""
        size = np.array([vehicle.size for vehicle in self.model.vehicles], dtype=np.float64)
        payload = np.array([vehicle.payload_kg for vehicle in self.model.vehicles], dtype=np.float64)
        reach = np.array([payload[size <= most].sum() for most in self._size])
        factor: FloatArray = (payload.sum() / np.maximum(reach, 1e-9)) ** self.taste.scarce
        return factor

    def climbed(self) -> None:
        """Take over the state's ladder: worth of a truck-share of each stage, shape (wants, STAGES - 1)."""
        ladder = self.state.ladder
        share = np.diff(ladder.need, axis=1) @ self._measures[:, 2]
        more = np.diff(ladder.worth, axis=1)
        self._density = np.where(share > 0, more / np.maximum(share, 1e-12), 0.0)

    def _ways(self, speed: float) -> tuple[IntArray, FloatArray, list[IntArray], list[list[int]]]:
        """(minutes, minutes back to the nearest source, wants by source, sources by node) at a speed."""
        if speed not in self._prepared:
            model = self.model
            minutes = model.minutes(speed)
            to_source = minutes[:, : model.source_count]
            back = to_source.min(axis=1, initial=FAR).astype(np.float64)
            back[back >= FAR] = 0.0
            near = []
            for s in range(model.source_count):
                legs = minutes[s, self._node]
                order = np.argsort(legs, kind="stable")
                near.append(order[legs[order] < FAR])
            sources = [[int(s) for s in row if legs[s] < FAR] for row, legs in _sorted_rows(to_source)]
            self._prepared[speed] = (minutes, back, near, sources)
        return self._prepared[speed]

    def dispatch(self, vehicles: Iterable[int], stop: Callable[[], bool]) -> None:
        """Give each vehicle trips until none of them brings anything; the earliest free goes first."""
        queue = [(self.state.vehicle_at(v)[1], v) for v in vehicles]
        heapq.heapify(queue)
        while queue and not stop():
            _, v = heapq.heappop(queue)
            run = self.best_run(v)
            if run is not None:
                self.state.add(run)
                heapq.heappush(queue, (run.end, v))

    def best_run(self, v: int) -> Run | None:
        """The best trip found for vehicle v from where it stands, or None if nothing is worth a trip."""
        here, free = self.state.vehicle_at(v)
        minutes, _, _, sources = self._ways(self.model.vehicles[v].speed_factor)
        order = sources[here]
        for first in range(0, len(order), NEAR_SOURCES):
            found: list[tuple[float, int, int, int]] = []
            for s in order[first : first + NEAR_SOURCES]:
                for start in self._starts(s, free + int(minutes[here, s])):
                    found += self._openings(v, s, start)
            found.sort(key=lambda row: (-row[0], row[1:]))
            best: tuple[float, Run] | None = None
            for _, s, start, r in found[:3]:
                timed = self._timed(v, s, start, r)
                if timed is not None and (best is None or timed[0] > best[0]):
                    best = timed
            if best is not None:
                return best[1]
        return None

    def _starts(self, s: int, arrive: int) -> list[int]:
        """When a load at source s may start: on arrival, or when goods come in soon after."""
        berths, stock = self.state.berths[s], self.state.stock[s]
        place = self.model.nodes[s]
        first = berths.earliest(arrive, place.fixed_min + 5)
        if first is None or first >= self.model.deadline_min:
            return []
        starts = [first]
        for step in stock.steps:
            if first < step <= first + WAIT_MIN:
                later = berths.earliest(step, place.fixed_min + 5)
                if later is not None and later < self.model.deadline_min:
                    starts.append(later)
        return starts

    def _openings(self, v: int, s: int, start: int) -> list[tuple[float, int, int, int]]:
        """The best first drops for a load at source s: (rate, s, start, want)."""
        vehicle, place = self.model.vehicles[v], self.model.nodes[s]
        minutes, back, near, _ = self._ways(vehicle.speed_factor)
        units = self.state.stock[s].at(start, self.model.pack)
        if not units.any():
            return []
        wants = self._open(near[s], vehicle.size)
        if not len(wants):
            return []
        legs = minutes[s, self._node[wants]]
        per_kg = self._per_kg[wants] + 1 / place.kg_per_min
        begin = np.maximum(start + place.fixed_min + legs, self._opens[wants]) + self._fixed[wants]
        most_kg = np.minimum(vehicle.payload_kg, (self._latest[wants] - begin) / per_kg)
        offers = self.offers(wants, units, most_kg, vehicle.volume_m3, begin)
        end = begin + offers.kg * per_kg
        free = self.state.vehicle_at(v)[1]
        rate = offers.worth / (end + back[self._node[wants]] - free)
        if self.taste.noise:
            rate = rate * (1 + self.taste.noise * self.rng.standard_normal(len(rate)))
        best = np.argsort(-rate, kind="stable")[:2]
        return [(float(rate[k]), s, start, int(wants[k])) for k in best if rate[k] > 1e-9]

    def _open(self, wants: IntArray, size: float) -> IntArray:
        """Those of the wants that still lack something and let such a vehicle through, at most NEAR_WANTS."""
        lacking = self.state.stage[wants] < STAGES - 1
        return wants[lacking & (self._size[wants] >= size)][:NEAR_WANTS]

    def offers(
        self, wants: IntArray, units: IntArray, most_kg: FloatArray, most_m3: float, begin: FloatArray
    ) -> Offers:
        """What each want alone would take of `units` (items,) into the room left, filled stage by stage.

        begin: about when the unloading starts, shape (wants,); goods that come late are worth less.
        """
        short = self.state.short[wants]
        taken = np.minimum(short, units)
        measure = taken @ self._measures
        kg, m3, share = measure[..., 0], measure[..., 1], measure[..., 2]
        rows = np.arange(len(wants))
        whole = ((kg <= most_kg[:, None] + 1e-7) & (m3 <= most_m3 + 1e-7)).sum(axis=1) - 1
        fit = np.maximum(whole, 0)
        after = np.minimum(fit + 1, STAGES - 1)
        d_kg, d_m3 = kg[rows, after] - kg[rows, fit], m3[rows, after] - m3[rows, fit]
        part = np.minimum(
            np.maximum(most_kg - kg[rows, fit], 0) / np.maximum(d_kg, 1e-9),
            max(most_m3, 0) / np.maximum(d_m3, 1e-9) - m3[rows, fit] / np.maximum(d_m3, 1e-9),
        ).clip(0, 1)
        part[(whole < 0) | (after == fit)] = 0.0
        by_share = np.zeros_like(share)
        np.cumsum(np.diff(share, axis=1) * self._density[wants], axis=1, out=by_share[:, 1:])
        shares = by_share[rows, fit] + part * (by_share[rows, after] - by_share[rows, fit])
        complete = (short <= units).all(axis=2).cumprod(axis=1).sum(axis=1) - 1
        worth = self.state.ladder.worth[wants]
        reached = np.maximum(np.minimum(fit, complete), self.state.stage[wants])
        gain = worth[rows, reached] - worth[rows, self.state.stage[wants]]
        gain += np.where(complete > fit, part * (worth[rows, after] - worth[rows, fit]), 0.0)
        left = self._latest[wants] - begin
        late = (left / self.taste.fade_min).clip(0, 1)
        value = self.taste.share * late * shares + (1 - self.taste.share) * gain
        value = np.minimum(value, np.maximum(left, 1e-9) * self._desk[wants]) * self._scarce[wants]
        value[whole < 0] = 0.0
        return Offers(value, kg[rows, fit] + part * d_kg)

    def fill(self, r: int, units: IntArray, had: IntArray, most_kg: float, most_m3: float) -> IntArray:
        """Goods for want r out of `units`: whole stages, then the largest part of the next that fits."""
        need = self.state.ladder.need[r].astype(np.float64)
        pack = self.model.pack

        def part(q: int, fraction: float) -> IntArray:
            level = need[q] if fraction == 0 else np.ceil(need[q] + fraction * (need[q + 1] - need[q]) - 1e-9)
            lacking = np.maximum(level.astype(np.int64) - had, 0)
            return np.minimum(-(-lacking // pack) * pack, units)

        def room(goods: IntArray) -> bool:
            fitting = goods @ self._measures[:, :2]
            return bool(fitting[0] <= most_kg + 1e-7 and fitting[1] <= most_m3 + 1e-7)

        stages = [part(q, 0) for q in range(STAGES)]
        fit = max((q for q in range(STAGES) if room(stages[q])), default=-1)
        if fit < 0:
            return np.zeros_like(units)
        best, low, high = stages[fit], 0.0, 1.0
        if fit < STAGES - 1:
            for _ in range(7):
                middle = (low + high) / 2
                goods = part(fit, middle)
                if room(goods):
                    best, low = goods, middle
                else:
                    high = middle
        return best

    def _timed(self, v: int, s: int, start: int, r: int) -> tuple[float, Run] | None:
        """A whole trip that begins with a load at s for want r: (rate, trip as timed)."""
        draft = self._draft(v, s, start, r)
        if draft is None:
            return None
        long = self._with_drops(v, draft, start)
        long = self._with_source(v, long, start)
        for candidate in (long, draft) if long is not draft else (draft,):
            run = schedule(self.state, v, list(candidate.loads), list(candidate.drops), start)
            if run is None:
                continue
            late = any(stop.end > self.model.wants[w].latest_min for stop in run.stops for w, _ in stop.wants)
            if late:
                continue
            back = self._ways(self.model.vehicles[v].speed_factor)[1]
            free = self.state.vehicle_at(v)[1]
            return candidate.worth / (run.end + back[run.stops[-1].node] - free), run
        return None

    def _draft(self, v: int, s: int, start: int, r: int) -> Draft | None:
        vehicle, place, node = self.model.vehicles[v], self.model.nodes[s], int(self._node[r])
        minutes, back, _, _ = self._ways(vehicle.speed_factor)
        units = self.state.stock[s].at(start, self.model.pack)
        begin = max(start + place.fixed_min + int(minutes[s, node]), self._opens[r]) + self._fixed[r]
        per_kg = self._per_kg[r] + 1 / place.kg_per_min
        most_kg = min(vehicle.payload_kg, (self._latest[r] - begin - 2) / per_kg)
        goods = self.fill(r, units, self.state.had[r], most_kg, vehicle.volume_m3)
        if not goods.any():
            return None
        offer = self.offers(np.array([r]), goods, np.array([vehicle.payload_kg]), vehicle.volume_m3, begin)
        kg, m3 = float(goods @ self.model.kg), float(goods @ self.model.m3)
        free = self.state.vehicle_at(v)[1]
        total = begin + kg * per_kg + back[node] - free
        return Draft(((s, goods),), ((r, goods),), kg, m3, float(offer.worth[0]), float(total))

    def _with_drops(self, v: int, draft: Draft, start: int) -> Draft:
        """Add drops at further points from the same source while the rate gets better."""
        vehicle = self.model.vehicles[v]
        minutes, back, near, _ = self._ways(vehicle.speed_factor)
        s, loaded = draft.loads[0]
        place = self.model.nodes[s]
        units = self.state.stock[s].at(start, self.model.pack) - loaded
        while len(draft.drops) < MOST_DROPS:
            kg_room, m3_room = vehicle.payload_kg - draft.kg, vehicle.volume_m3 - draft.m3
            if min(kg_room / vehicle.payload_kg, m3_room / vehicle.volume_m3) < 0.02:
                break
            last = int(self._node[draft.drops[-1][0]])
            wants = self._open(near[s], vehicle.size)
            wants = wants[~np.isin(wants, [r for r, _ in draft.drops])]
            legs = minutes[last, self._node[wants]]
            wants, legs = wants[legs < FAR], legs[legs < FAR]
            if not len(wants):
                break
            same = self._node[wants] == last
            free = self.state.vehicle_at(v)[1]
            begin = np.maximum(free + draft.minutes - back[last] + legs, self._opens[wants])
            wait = begin - (free + draft.minutes - back[last] + legs)
            per_kg = self._per_kg[wants] + 1 / place.kg_per_min
            fixed = np.where(same, 0.0, self._fixed[wants])
            most_kg = np.minimum(kg_room, (self._latest[wants] - begin - fixed) / per_kg)
            offers = self.offers(wants, units, most_kg, m3_room, begin + fixed)
            extra = legs + wait + fixed + offers.kg * per_kg + back[self._node[wants]] - back[last]
            rate = offers.worth / np.maximum(extra, 0.5)
            k = int(np.argmax(rate))
            if rate[k] <= draft.rate:
                break
            r = int(wants[k])
            goods = self.fill(r, units, self.state.had[r], float(most_kg[k]), m3_room)
            if not goods.any():
                break
            units = units - goods
            loaded = loaded + goods
            kg = float(goods @ self.model.kg)
            draft = Draft(
                loads=((s, loaded),),
                drops=(*draft.drops, (r, goods)),
                kg=draft.kg + kg,
                m3=draft.m3 + float(goods @ self.model.m3),
                worth=draft.worth + float(offers.worth[k]),
                minutes=draft.minutes + float(extra[k]),
            )
        return draft

    def _with_source(self, v: int, draft: Draft, start: int) -> Draft:
        """Load at a second source on the way what still completes the first drop, if the rate gets better."""
        vehicle = self.model.vehicles[v]
        minutes, _, _, sources = self._ways(vehicle.speed_factor)
        kg_room, m3_room = vehicle.payload_kg - draft.kg, vehicle.volume_m3 - draft.m3
        if min(kg_room / vehicle.payload_kg, m3_room / vehicle.volume_m3) < 0.1:
            return draft
        s, loaded = draft.loads[0]
        r, first = draft.drops[0]
        node = int(self._node[r])
        leaves = start + self.model.nodes[s].fixed_min + draft.kg / self.model.nodes[s].kg_per_min
        best = draft
        for s2 in sources[node][:NEAR_SOURCES]:
            place = self.model.nodes[s2]
            if s2 == s or minutes[s, s2] >= FAR or minutes[s2, node] >= FAR:
                continue
            arrive = int(leaves + minutes[s, s2]) + 1
            begin = self.state.berths[s2].earliest(arrive, place.fixed_min + 5)
            if begin is None or begin >= self.model.deadline_min:
                continue
            units = self.state.stock[s2].at(begin, self.model.pack)
            goods = self.fill(r, units, self.state.had[r] + first, kg_room, m3_room)
            if not goods.any():
                continue
            kg = float(goods @ self.model.kg)
            detour = int(minutes[s, s2] + minutes[s2, node] - minutes[s, node]) + begin - arrive
            extra = detour + place.fixed_min + kg * (1 / place.kg_per_min + self._per_kg[r])
            full = self.offers(
                np.array([r]),
                first + goods,
                np.array([vehicle.payload_kg]),
                vehicle.volume_m3,
                np.array([leaves + minutes[s, node] + extra]),
            )
            alone = self.offers(
                np.array([r]),
                first,
                np.array([vehicle.payload_kg]),
                vehicle.volume_m3,
                np.array([leaves + minutes[s, node]]),
            )
            longer = replace(
                draft,
                loads=((s, loaded), (s2, goods)),
                drops=((r, first + goods), *draft.drops[1:]),
                kg=draft.kg + kg,
                m3=draft.m3 + float(goods @ self.model.m3),
                worth=draft.worth + float(full.worth[0] - alone.worth[0]),
                minutes=draft.minutes + extra,
            )
            if longer.rate > best.rate:
                best = longer
        return best


def _sorted_rows(matrix: IntArray) -> list[tuple[IntArray, IntArray]]:
    return [(np.argsort(row, kind="stable"), row) for row in matrix]
