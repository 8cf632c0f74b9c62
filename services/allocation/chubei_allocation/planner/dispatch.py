"""Sending vehicles: whenever one is free, the trip that brings most for its time.

A trip is judged by worth per minute from where the vehicle stands until it is empty and back at a
source; it is lengthened by further drops and further sources while that makes the rate better.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import numpy as np

from .agenda import Agenda
from .loads import Loads, Taste
from .model import FAR, FloatArray, IntArray
from .state import Gap, Run, State, schedule

AROUND_SOURCES = 30  # the nearest sources, among which those that can load soonest are tried
NEAR_STARTS = 10
NEAR_SOURCES = 6
NEAR_WANTS = 36
MOST_DROPS = 6
LEAST_GAP_MIN = 30  # a shorter gap in a day holds no trip
WAIT_MIN = 120  # how long it may pay to wait at a source for goods to come in


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


class Dispatcher:
    """Builds trips for the vehicles of a state, by one taste."""

    def __init__(self, state: State, taste: Taste, rng: np.random.Generator) -> None:
        self.state = state
        self.model = state.model
        self.loads = Loads(state, taste)
        self.agenda = Agenda(state.model, self.loads)
        self.rng = rng
        self._prepared: dict[float, tuple[IntArray, FloatArray, list[IntArray], list[list[int]]]] = {}

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
                legs = minutes[s, self.loads.node]
                order = np.argsort(legs, kind="stable")
                near.append(order[legs[order] < FAR])
            sources = [[int(s) for s in row if legs[s] < FAR] for row, legs in _sorted_rows(to_source)]
            self._prepared[speed] = (minutes, back, near, sources)
        return self._prepared[speed]

    def dispatch(self, gaps: Iterable[Gap], stop: Callable[[], bool]) -> list[Run]:
        """Fill the gaps with trips until none brings anything, the earliest first; the trips that were added."""
        self.agenda.restart()
        queue = [(gap.free, gap.vehicle, gap) for gap in gaps if gap.until - gap.free > LEAST_GAP_MIN]
        heapq.heapify(queue)
        added: list[Run] = []
        while queue and not stop():
            _, v, gap = heapq.heappop(queue)
            self.agenda.open_enough(v)
            run = self.best_run(gap)
            while run is None and self.agenda.open_more(v):
                run = self.best_run(gap)
            if run is not None:
                self.state.add(run)
                added.append(run)
                rest = replace(gap, node=run.stops[-1].node, free=run.end)
                if rest.until - rest.free > LEAST_GAP_MIN:
                    heapq.heappush(queue, (rest.free, v, rest))
        return added

    def best_run(self, gap: Gap) -> Run | None:
        """The best trip found for a gap, or None if nothing is worth a trip."""
        here, free = gap.node, gap.free
        minutes, _, _, sources = self._ways(self.model.vehicles[gap.vehicle].speed_factor)
        for first in range(0, len(sources[here]), AROUND_SOURCES):
            around = sources[here][first : first + AROUND_SOURCES]
            starts = sorted(
                (start, s) for s in around for start in self._starts(s, free + int(minutes[here, s]))
            )
            run = self._best_of(gap, starts)
            if run is not None:
                return run
        return None

    def _best_of(self, gap: Gap, starts: list[tuple[int, int]]) -> Run | None:
        """The best trip that begins with one of the (start, source) given; the soonest are looked at first."""
        for first in range(0, len(starts), NEAR_STARTS):
            found: list[tuple[float, int, int, int]] = []
            for start, s in starts[first : first + NEAR_STARTS]:
                found += self._openings(gap, s, start)
            found.sort(key=lambda row: (-row[0], row[1:]))
            best: tuple[float, Run] | None = None
            for _, s, start, r in found[:2]:
                timed = self._timed(gap, s, start, r)
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
        step = next((step for step in stock.steps if step > first), None)
        if step is not None and step <= first + WAIT_MIN:
            later = berths.earliest(step, place.fixed_min + 5)
            if later is not None and later < self.model.deadline_min:
                starts.append(later)
        return starts

    def _openings(self, gap: Gap, s: int, start: int) -> list[tuple[float, int, int, int]]:
        """The best first drops for a load at source s: (rate, s, start, want)."""
        vehicle, place = self.model.vehicles[gap.vehicle], self.model.nodes[s]
        minutes, back, near, _ = self._ways(vehicle.speed_factor)
        units = self.state.stock[s].at(start, self.model.pack)
        if not units.any():
            return []
        wants = self._open(near[s], vehicle.size, s)
        if not len(wants):
            return []
        legs = minutes[s, self.loads.node[wants]]
        per_kg = self.loads.per_kg[wants] + 1 / place.kg_per_min
        begin = np.maximum(start + place.fixed_min + legs, self.loads.opens[wants]) + self.loads.fixed[wants]
        latest = self._in_time(gap, wants)
        most_kg = np.minimum(vehicle.payload_kg, (latest - begin) / per_kg)
        offers = self.loads.offers(wants, units, most_kg, vehicle.volume_m3, begin)
        end = begin + offers.kg * per_kg
        free = gap.free
        queue = self.loads.taste.dock * (place.fixed_min + offers.kg / place.kg_per_min)
        drive = legs + back[self.loads.node[wants]] + minutes[gap.node, s]
        rate = offers.worth / (
            end + back[self.loads.node[wants]] - free + queue + self.loads.taste.drive * drive
        )
        if self.loads.taste.noise:
            rate = rate * (1 + self.loads.taste.noise * self.rng.standard_normal(len(rate)))
        best = np.argsort(-rate, kind="stable")[:2]
        return [(float(rate[k]), s, start, int(wants[k])) for k in best if rate[k] > 1e-9]

    def _open(self, wants: IntArray, size: float, s: int) -> IntArray:
        """Wants that lack something held at s and let such a vehicle through, at most NEAR_WANTS."""
        lacking = (self.state.stage < self.loads.limit) & (self.loads.size >= size)
        wants = wants[lacking[wants]][: 2 * NEAR_WANTS]
        of_use: IntArray = wants[self.state.short[wants, -1] @ self.loads.holds[s] > 0]
        return of_use[:NEAR_WANTS]

    def _in_time(self, gap: Gap, wants: IntArray) -> FloatArray:
        """When unloading at each want must have ended: by its deadline, and with time left to go on."""
        if gap.next_node < 0:
            return self.loads.latest[wants]
        minutes = self._ways(self.model.vehicles[gap.vehicle].speed_factor)[0]
        on: FloatArray = np.minimum(
            self.loads.latest[wants],
            gap.until - minutes[self.loads.node[wants], gap.next_node].astype(np.float64),
        )
        return on

    def _timed(self, gap: Gap, s: int, start: int, r: int) -> tuple[float, Run] | None:
        """A whole trip that begins with a load at s for want r: (rate, trip as timed)."""
        draft = self._draft(gap, s, start, r)
        if draft is None:
            return None
        long = self._with_drops(gap, draft, start)
        long = self._with_source(gap, long, start)
        for candidate in (long, draft) if long is not draft else (draft,):
            not_before = start if candidate.loads[0][0] == s else 0
            run = schedule(self.state, gap, list(candidate.loads), list(candidate.drops), not_before)
            if run is None:
                continue
            late = any(stop.end > self.model.wants[w].latest_min for stop in run.stops for w, _ in stop.wants)
            if late:
                continue
            back = self._ways(self.model.vehicles[gap.vehicle].speed_factor)[1]
            free = gap.free
            queue = self.loads.taste.dock * sum(
                stop.end - stop.start for stop in run.stops if stop.node < self.model.source_count
            )
            handling = sum(stop.end - stop.start for stop in run.stops)
            total = run.end + back[run.stops[-1].node] - free
            return candidate.worth / (total + queue + self.loads.taste.drive * (total - handling)), run
        return None

    def _draft(self, gap: Gap, s: int, start: int, r: int) -> Draft | None:
        vehicle, place, node = self.model.vehicles[gap.vehicle], self.model.nodes[s], int(self.loads.node[r])
        minutes, back, _, _ = self._ways(vehicle.speed_factor)
        units = self.state.stock[s].at(start, self.model.pack)
        begin = (
            max(start + place.fixed_min + int(minutes[s, node]), self.loads.opens[r]) + self.loads.fixed[r]
        )
        per_kg = self.loads.per_kg[r] + 1 / place.kg_per_min
        latest = float(self._in_time(gap, np.array([r]))[0])
        most_kg = min(vehicle.payload_kg, (latest - begin - 2) / per_kg)
        goods = self.loads.fill(r, units, self.state.had[r], most_kg, vehicle.volume_m3, begin)
        if not goods.any():
            return None
        offer = self.loads.offers(
            np.array([r]), goods, np.array([vehicle.payload_kg]), vehicle.volume_m3, begin
        )
        kg, m3 = float(goods @ self.model.kg), float(goods @ self.model.m3)
        free = gap.free
        total = begin + kg * per_kg + back[node] - free
        return Draft(((s, goods),), ((r, goods),), kg, m3, float(offer.worth[0]), float(total))

    def _with_drops(self, gap: Gap, draft: Draft, start: int) -> Draft:
        """Add drops at further points from the same source while the rate gets better."""
        vehicle = self.model.vehicles[gap.vehicle]
        minutes, back, near, _ = self._ways(vehicle.speed_factor)
        s, loaded = draft.loads[0]
        place = self.model.nodes[s]
        units = self.state.stock[s].at(start, self.model.pack) - loaded
        while len(draft.drops) < MOST_DROPS:
            kg_room, m3_room = vehicle.payload_kg - draft.kg, vehicle.volume_m3 - draft.m3
            if min(kg_room / vehicle.payload_kg, m3_room / vehicle.volume_m3) < 0.02:
                break
            last = int(self.loads.node[draft.drops[-1][0]])
            wants = self._open(near[s], vehicle.size, s)
            wants = wants[~np.isin(wants, [r for r, _ in draft.drops])]
            legs = minutes[last, self.loads.node[wants]]
            wants, legs = wants[legs < FAR], legs[legs < FAR]
            if not len(wants):
                break
            same = self.loads.node[wants] == last
            free = gap.free
            begin = np.maximum(free + draft.minutes - back[last] + legs, self.loads.opens[wants])
            wait = begin - (free + draft.minutes - back[last] + legs)
            per_kg = self.loads.per_kg[wants] + 1 / place.kg_per_min
            fixed = np.where(same, 0.0, self.loads.fixed[wants])
            most_kg = np.minimum(kg_room, (self._in_time(gap, wants) - begin - fixed) / per_kg)
            offers = self.loads.offers(wants, units, most_kg, m3_room, begin + fixed)
            extra = legs + wait + fixed + offers.kg * per_kg + back[self.loads.node[wants]] - back[last]
            rate = offers.worth / np.maximum(extra, 0.5)
            k = int(np.argmax(rate))
            if rate[k] <= draft.rate:
                break
            r = int(wants[k])
            goods = self.loads.fill(r, units, self.state.had[r], float(most_kg[k]), m3_room, float(begin[k]))
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

    def _with_source(self, gap: Gap, draft: Draft, start: int) -> Draft:
        """Load at a second source on the way what still completes the first drop, if the rate gets better."""
        vehicle = self.model.vehicles[gap.vehicle]
        minutes, _, _, sources = self._ways(vehicle.speed_factor)
        kg_room, m3_room = vehicle.payload_kg - draft.kg, vehicle.volume_m3 - draft.m3
        if min(kg_room / vehicle.payload_kg, m3_room / vehicle.volume_m3) < 0.1:
            return draft
        s, loaded = draft.loads[0]
        r, first = draft.drops[0]
        node = int(self.loads.node[r])
        leaves = start + self.model.nodes[s].fixed_min + draft.kg / self.model.nodes[s].kg_per_min
        want, payload = np.array([r]), np.array([vehicle.payload_kg])
        lacking = np.maximum(self.state.short[r, self.loads.limit[r]] - first, 0)
        alone = self.loads.offers(
            want, first, payload, vehicle.volume_m3, np.array([leaves + minutes[s, node]])
        ).worth[0]
        best = draft
        for s2 in sources[s][: NEAR_SOURCES + 1]:
            place = self.model.nodes[s2]
            if s2 == s or not self.loads.holds[s2] @ lacking:
                continue
            after, before = minutes[s, s2] + minutes[s2, node], minutes[gap.node, s2] + minutes[s2, s]
            detour = int(min(after - minutes[s, node], before - minutes[gap.node, s]))
            if detour >= FAR // 2:
                continue
            first_s2 = before - minutes[gap.node, s] < after - minutes[s, node]
            arrive = int(gap.free + minutes[gap.node, s2] if first_s2 else leaves + minutes[s, s2]) + 1
            begin = self.state.berths[s2].earliest(arrive, place.fixed_min + 5)
            if begin is None or begin >= self.model.deadline_min:
                continue
            units = self.state.stock[s2].at(begin, self.model.pack)
            goods = self.loads.fill(r, units, self.state.had[r] + first, kg_room, m3_room, float(begin))
            if not goods.any():
                continue
            kg = float(goods @ self.model.kg)
            extra = (
                detour + begin - arrive + place.fixed_min + kg * (1 / place.kg_per_min + self.loads.per_kg[r])
            )
            begin_drop = np.array([leaves + minutes[s, node] + extra])
            full = self.loads.offers(want, first + goods, payload, vehicle.volume_m3, begin_drop).worth[0]
            longer = replace(
                draft,
                loads=((s2, goods), (s, loaded)) if first_s2 else ((s, loaded), (s2, goods)),
                drops=((r, first + goods), *draft.drops[1:]),
                kg=draft.kg + kg,
                m3=draft.m3 + float(goods @ self.model.m3),
                worth=draft.worth + float(full - alone),
                minutes=draft.minutes + extra,
            )
            if longer.rate > best.rate:
                best = longer
        return best


def _sorted_rows(matrix: IntArray) -> list[tuple[IntArray, IntArray]]:
    return [(np.argsort(row, kind="stable"), row) for row in matrix]
