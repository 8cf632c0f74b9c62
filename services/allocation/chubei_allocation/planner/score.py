"""The scoring rules of PLANNING.md, as the construction uses them: one want at a time, exactly.

The checker (check.py) states the same rules anew and shares nothing with this file.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from .model import Model, Want
from .policies import POLICIES
from .scenario import TIER_WORTH

Arrivals = Sequence[tuple[int, Sequence[tuple[int, int]]]]
"""(minute, ((item, units), …)) in order of time."""


@dataclass(frozen=True)
class Served:
    """What one want gets by its deadline. `worth` is in weighted people, `waited` in weighted minutes."""

    worth: float
    waited: float
    supported: int = 0
    settled: int = 0


def worth_at(want: Want, policy: str, supported: float, settled: float) -> float:
    """Weighted people that supporting and settling so many of a point's people is worth."""
    utility = POLICIES[policy].utility
    tier_1 = TIER_WORTH[1] * utility(supported / want.people)
    return want.worth * (tier_1 + TIER_WORTH[2] * utility(settled / want.people))


class Scorer:
    """Scores the wants of one model. Made once: it keeps the needs of every want as index lists."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self.policy = model.scenario.policy
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

    def served(self, r: int, arrivals: Arrivals) -> Served:
        """What want r gets from what stands there at minute 0 and these arrivals."""
        want = self.model.wants[r]
        units = [0] * len(self.model.kg)
        for item, count in want.point.on_hand.items():
            units[self.model.item_index[item]] = count
        if want.item >= 0:
            had = units[want.item] + sum(
                count
                for minute, goods in arrivals
                for i, count in goods
                if i == want.item and minute <= want.latest_min
            )
            return Served(worth=want.worth * min(1.0, had / want.units), waited=0.0)
        levels = [[(0, self.supportable(r, tier, units))] for tier in TIER_WORTH]
        for minute, goods in arrivals:
            if minute > want.latest_min:
                break
            for i, count in goods:
                units[i] += count
            for tier in TIER_WORTH:
                levels[tier - 1].append((minute, self.supportable(r, tier, units)))
        supported, waited = self._hand_out(want, levels[0])
        settled, _ = self._hand_out(want, levels[1])
        worth = worth_at(want, self.policy, supported, settled)
        return Served(worth, want.point.weight * waited, supported, settled)

    def _hand_out(self, want: Want, levels: list[tuple[int, int]]) -> tuple[int, float]:
        """(people served by the deadline, person-minutes waited) as support grows by `levels`."""
        deadline, opens, rate = self.model.deadline_min, want.point.opens_min, want.point.hand_out_per_hour
        if opens > deadline:
            return 0, float(want.people * deadline)
        if rate is None:
            return self._at_once(want, levels)
        served, waited = 0.0, float(want.people * opens)
        for n, (minute, level) in enumerate(levels):
            begin = max(opens, minute)
            finish = levels[n + 1][0] if n + 1 < len(levels) else deadline
            span = min(finish, deadline) - begin
            if span <= 0:
                continue
            ramp = min(span, max(0.0, level - served) / rate * 60)
            grown = served + ramp * rate / 60
            waited += (want.people - (served + grown) / 2) * ramp + (want.people - grown) * (span - ramp)
            served = grown
        return math.floor(served + 1e-6), waited

    def _at_once(self, want: Want, levels: list[tuple[int, int]]) -> tuple[int, float]:
        """Without a limit at the desks all who can be supported are served when the goods are there."""
        deadline, opens = self.model.deadline_min, want.point.opens_min
        served, waited, t = 0, 0.0, 0
        for minute, level in levels:
            if level > served:
                at = max(minute, opens)
                waited += (want.people - served) * (at - t)
                served, t = level, at
        return served, waited + (want.people - served) * (deadline - t)
