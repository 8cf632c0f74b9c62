"""How many people goods can support, want by want, as the bound asks it (serving.py: the same, compiled)."""

from __future__ import annotations

import math
from collections.abc import Sequence

from .model import Model, Want
from .scenario import TIER_WORTH


class Scorer:
    """What goods can support at the wants of one model. Made once: it keeps the needs of every want as index lists."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self._general: list[list[list[tuple[int, float]]]] = []
        self._groups: list[list[list[tuple[int, list[tuple[int, float]]]]]] = []
        for want in model.wants:
            self._general.append([self._needs(want, tier, None) for tier in TIER_WORTH])
            self._groups.append(
                [
                    [(size, self._needs(want, tier, name)) for name, size in want.point.groups.items()]
                    for tier in TIER_WORTH
                ]
            )

    def _needs(self, want: Want, tier: int, group: str | None) -> list[tuple[int, float]]:
        return [
            (self.model.item_index[need.item], need.per_person)
            for need in want.needs
            if need.group == group and need.tier <= tier
        ]

    def supportable(self, r: int, tier: int, units: Sequence[float]) -> int:
        """S_τ: people of want r whose whole kit up to the tier these units (by item) make up."""
        people = self.model.wants[r].people
        whole = people
        for i, per_person in self._general[r][tier - 1]:
            whole = min(whole, math.floor(units[i] / per_person + 1e-9))
        missing = 0
        for size, needs in self._groups[r][tier - 1]:
            served = size
            for i, per_person in needs:
                served = min(served, math.floor(units[i] / per_person + 1e-9))
            missing += size - served
        return max(0, min(whole, people - missing))
