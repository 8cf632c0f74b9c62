"""What a vehicle could bring: how much of the goods at a source each want would take, and what that is worth.

The worth of a load has two parts. `share` counts every unit by the share of its stage that it makes up, so
that water goes out although the meals come later. `gain` counts only the kits that are whole when the load is
there.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from .model import FloatArray, IntArray
from .state import State
from .wants import STAGES, truck_share

ENDLESS = 1e9  # people a minute, at desks without a limit


@dataclass(frozen=True)
class Taste:
    """What the dispatcher prefers; improvement varies it."""

    share: float = 0.9  # weight of `share` against `gain`
    rank: float = 1.0  # how strictly worthier stages go first; 0: all goods count alike
    scarce: float = 0.3  # preference for points that few vehicles reach
    drive: float = 2.0  # how much more a minute on the road counts than one of handling
    dock: float = 0.0  # minutes of a vehicle that a minute at a dock costs the others who wait for it
    focus: float = math.inf  # loads to be open at a time, per vehicle; few: points are finished one by one
    noise: float = 0.0  # relative, on the rate of every trip
    fade_min: float = 150.0  # from so long before the deadline on, goods that make no kit whole lose worth


@dataclass(frozen=True)
class Offers:
    """What each of some wants would take of the goods at hand; arrays of shape (wants,)."""

    worth: FloatArray
    kg: FloatArray


class Loads:
    """Offers of goods to the wants of a state, by one taste. Arrays are over wants unless said otherwise."""

    def __init__(self, state: State, taste: Taste) -> None:
        self.state = state
        self.model = model = state.model
        self.measures = np.stack([model.kg, model.m3, truck_share(model)], axis=1)
        self.node = np.array([want.node for want in model.wants], dtype=np.int64)
        self.latest = np.array([want.latest_min for want in model.wants], dtype=np.float64)
        self.size = np.array([want.point.max_size for want in model.wants], dtype=np.float64)
        places = [model.nodes[n] for n in self.node]
        self.opens = np.array([place.opens_min for place in places], dtype=np.float64)
        self.fixed = np.array([place.fixed_min for place in places], dtype=np.float64)
        self.per_kg = np.array([1 / place.kg_per_min for place in places], dtype=np.float64)
        desks = [want.point.hand_out_per_hour for want in model.wants]
        self.desk = np.array(
            [
                ENDLESS if desk is None or want.item >= 0 else desk / 60 * want.worth / max(1, want.people)
                for desk, want in zip(desks, model.wants, strict=True)
            ]
        )
        self.holds = np.zeros((model.source_count, len(model.kg)))
        for s in range(model.source_count):
            self.holds[s, state.stock[s].items] = 1.0
        self.limit = np.full(len(model.wants), STAGES - 1)
        self.pace = np.array(
            [
                ENDLESS if desk is None or want.item >= 0 else desk / 60
                for desk, want in zip(desks, model.wants, strict=True)
            ]
        )
        self.prefer(taste)

    def prefer(self, taste: Taste) -> None:
        """Judge by this taste from now on, along the ladder that the state has now."""
        self.taste = taste
        self.scarce = self._scarcity()
        ladder = self.state.ladder
        share = np.diff(ladder.need, axis=1) @ self.measures[:, 2]
        more = np.diff(ladder.worth, axis=1)
        density = np.where(share > 0, more / np.maximum(share, 1e-12), 0.0)
        mean = float(density[density > 0].mean()) if (density > 0).any() else 1.0
        # the worth of a truck-share of each stage, shape (wants, STAGES - 1)
        self.density = mean * (density / mean) ** self.taste.rank

    def _scarcity(self) -> FloatArray:
        """How much of the fleet's payload cannot reach each want: 1 for all can, more for few."""
        size = np.array([vehicle.size for vehicle in self.model.vehicles], dtype=np.float64)
        payload = np.array([vehicle.payload_kg for vehicle in self.model.vehicles], dtype=np.float64)
        reach = np.array([payload[size <= most].sum() for most in self.size])
        factor: FloatArray = (payload.sum() / np.maximum(reach, 1e-9)) ** self.taste.scarce
        return factor

    def offers(
        self, wants: IntArray, units: IntArray, most_kg: FloatArray, most_m3: float, begin: FloatArray
    ) -> Offers:
        """What each want alone would take of `units` (items,) into the room left, filled stage by stage.

        begin: about when the unloading starts, shape (wants,); goods that come late are worth less.
        """
        measure = np.minimum(self.state.short[wants], units.astype(np.float64)) @ self.measures
        kg, m3, share = measure[..., 0], measure[..., 1], measure[..., 2]
        rows = np.arange(len(wants))
        whole = ((kg <= most_kg[:, None] + 1e-7) & (m3 <= most_m3 + 1e-7)).sum(axis=1) - 1
        whole = np.minimum(whole, self.servable(wants, begin))
        fit = np.maximum(whole, 0)
        after = np.minimum(fit + 1, STAGES - 1)
        kg_fit, m3_fit = kg[rows, fit], m3[rows, fit]
        d_kg, d_m3 = kg[rows, after] - kg_fit, m3[rows, after] - m3_fit
        part = np.minimum((most_kg - kg_fit) / (d_kg + 1e-9), (most_m3 - m3_fit) / (d_m3 + 1e-9))
        part = np.minimum(np.maximum(part, 0.0), 1.0)
        part[(whole < 0) | (after == fit)] = 0.0
        by_share = np.zeros_like(share)
        np.cumsum((share[:, 1:] - share[:, :-1]) * self.density[wants], axis=1, out=by_share[:, 1:])
        shares = by_share[rows, fit] + part * (by_share[rows, after] - by_share[rows, fit])
        complete = (share >= self.state.lack[wants] - 1e-9).sum(axis=1) - 1
        worth = self.state.ladder.worth[wants]
        reached = np.maximum(np.minimum(fit, complete), self.state.stage[wants])
        gain = worth[rows, reached] - worth[rows, self.state.stage[wants]]
        gain += np.where(complete > fit, part * (worth[rows, after] - worth[rows, fit]), 0.0)
        left = self.latest[wants] - begin
        late = np.minimum(np.maximum(left / self.taste.fade_min, 0.0), 1.0)
        value = self.taste.share * late * shares + (1 - self.taste.share) * gain
        value = np.minimum(value, np.maximum(left, 1e-9) * self.desk[wants]) * self.scarce[wants]
        value[whole < 0] = 0.0
        return Offers(value, kg_fit + part * d_kg)

    def servable(self, wants: IntArray, begin: FloatArray) -> IntArray:
        """The last stage of each want that the desks can still hand out whole if goods are there at `begin`."""
        people = self.state.ladder.people[wants]
        now = people[np.arange(len(wants)), self.state.stage[wants]]
        more = np.maximum(self.latest[wants] - begin, 0) * self.pace[wants]
        within = (people <= (now + more[:, None])[:, None, :] + 1e-9).all(axis=2)
        last: IntArray = within.sum(axis=1) - 1
        return last

    def fill(
        self, r: int, units: IntArray, had: IntArray, most_kg: float, most_m3: float, begin: float
    ) -> IntArray:
        """Goods for want r out of `units`: whole stages, then the largest part of the next that fits."""
        need = self.state.ladder.need[r]
        pack = self.model.pack
        stages = np.minimum(-(-np.maximum(need - had, 0) // pack) * pack, units)
        room = stages @ self.measures[:, :2]
        fit = int(((room[:, 0] <= most_kg + 1e-7) & (room[:, 1] <= most_m3 + 1e-7)).sum()) - 1
        fit = min(fit, int(self.servable(np.array([r]), np.array([begin]))[0]) + 1)
        if fit < 0:
            return np.zeros_like(units)
        best: IntArray = stages[fit]
        low, high = 0.0, 1.0
        for _ in range(6 if fit < STAGES - 1 else 0):
            middle = (low + high) / 2
            level = np.ceil(need[fit] + middle * (need[fit + 1] - need[fit]) - 1e-9).astype(np.int64)
            goods = np.minimum(-(-np.maximum(level - had, 0) // pack) * pack, units)
            kg, m3 = goods @ self.measures[:, :2]
            if kg <= most_kg + 1e-7 and m3 <= most_m3 + 1e-7:
                best, low = goods, middle
            else:
                high = middle
        return best
