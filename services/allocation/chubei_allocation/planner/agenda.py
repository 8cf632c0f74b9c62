"""Which wants are open to the vehicles just now, and how far up their ladder.

A fleet that works for all points at once spreads itself over half-filled halls. So wants are opened bundle by
bundle (a bundle is some stages of one want), the worthiest for its way first, and only so many that the
vehicles of a region have enough to carry. A region is what lies nearest to one of the places where vehicles start.
"""

from __future__ import annotations

import math

import numpy as np

from .loads import Loads
from .model import IntArray, Model
from .wants import STAGES


class Agenda:
    """Opens bundles by raising `loads.limit`, the last stage that vehicles may work towards."""

    def __init__(self, model: Model, loads: Loads) -> None:
        self.model = model
        self.loads = loads
        starts = np.array(sorted({model.node_index[kind.start] for kind in model.scenario.vehicles}))
        minutes = model.minutes(1.0)
        self._way = minutes[np.ix_(starts, loads.node)].min(axis=0) if len(starts) else np.zeros(0)
        nearest = minutes[np.ix_(starts, loads.node)].argmin(axis=0) if len(starts) else np.zeros(0)
        self._region_of_want: IntArray = np.asarray(nearest, dtype=np.int64)
        kinds = {kind.type: model.node_index[kind.start] for kind in model.scenario.vehicles}
        self._region_of_vehicle: IntArray = np.array(
            [int(np.searchsorted(starts, kinds[v.name.partition("#")[0]])) for v in model.vehicles],
            dtype=np.int64,
        )
        self._vehicles = np.bincount(self._region_of_vehicle, minlength=len(starts))
        self._wants = [np.flatnonzero(self._region_of_want == region) for region in range(len(starts))]
        self._bundles: list[list[tuple[float, int, int]]] = [[] for _ in starts]

    def restart(self) -> None:
        """Close all wants but the absolute demands, and line up the bundles of each region."""
        ladder, loads = self.loads.state.ladder, self.loads
        if math.isinf(loads.taste.focus):
            loads.limit[:] = STAGES - 1
            self._bundles = [[] for _ in self._wants]
            return
        share = ladder.need @ loads.measures[:, 2]
        for region, wants in enumerate(self._wants):
            bundles = []
            for r in wants.tolist():
                loads.limit[r] = STAGES - 1 if self.model.wants[r].item >= 0 else 0
                for first, last in zip((0, *ladder.ends), ladder.ends, strict=False):
                    worth = ladder.worth[r, last] - ladder.worth[r, first]
                    cost = (share[r, last] - share[r, first]) * (60 + 2 * min(600.0, float(self._way[r])))
                    if cost > 0:
                        bundles.append((worth / cost, r, last))
            self._bundles[region] = sorted(bundles)

    def open_enough(self, v: int) -> None:
        """Open bundles until the vehicles of v's region have enough to carry between them."""
        region = int(self._region_of_vehicle[v])
        wants, loads = self._wants[region], self.loads
        while self._bundles[region]:
            lack = float(loads.state.lack[wants, loads.limit[wants]].sum())
            if lack >= loads.taste.focus * self._vehicles[region]:
                return
            self.open_more(v)

    def open_more(self, v: int) -> bool:
        """Open the next bundle of v's region; False if all are open."""
        bundles = self._bundles[self._region_of_vehicle[v]]
        if not bundles:
            return False
        _, r, last = bundles.pop()
        self.loads.limit[r] = max(self.loads.limit[r], last)
        return True
