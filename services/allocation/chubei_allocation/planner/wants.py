"""How far a want is met, as a ladder of stages: each stage is a list of goods that completes some kits.

Goods are carried stage by stage, so that what reaches a point makes up whole kits. The rungs of a kit are
quarters and halves of its two tiers; their order is either basic relief for everyone first, or by worth per
truck-load, where the first half of the settled may come before the second half of the supported.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from .model import FloatArray, IntArray, Model, Want
from .score import worth_at

STAGES = 11  # stage 0 asks for nothing


@dataclass(frozen=True)
class Target:
    """How many people of a want to support and to settle (for a demand: units, 0)."""

    supported: int
    settled: int


@dataclass(frozen=True)
class Ladder:
    """The stages of every want r: need[r, q, i] units in all, and what they are worth, cumulative.

    `people` holds (supported, settled) of each stage; for a demand (units, 0).
    """

    need: IntArray
    worth: FloatArray
    people: IntArray
    ends: tuple[int, ...]


def whole_target(want: Want) -> Target:
    return Target(want.units, 0) if want.item >= 0 else Target(want.people, want.people)


def build_ladder(model: Model, targets: list[Target], basic_first: bool) -> Ladder:
    """The ladder of every want up to its target, shapes (wants, STAGES, …)."""
    count = len(model.wants)
    need = np.zeros((count, STAGES, len(model.kg)), dtype=np.int64)
    worth = np.zeros((count, STAGES), dtype=np.float64)
    people = np.zeros((count, STAGES, 2), dtype=np.int64)
    policy = model.scenario.policy
    for r, want in enumerate(model.wants):
        for q, (supported, settled) in enumerate(_rungs(model, want, targets[r], basic_first)):
            people[r, q] = supported, settled
            need[r, q] = goods_for(model, want, supported, settled)
            if want.item >= 0:
                worth[r, q] = want.worth * supported / want.units
            else:
                worth[r, q] = worth_at(want, policy, supported, settled)
    return Ladder(need, worth, people, (3, 6, 8, 10) if basic_first else (3, 5, 8, 10))


def _rungs(model: Model, want: Want, target: Target, basic_first: bool) -> list[tuple[int, int]]:
    """(supported, settled) of each stage, from (0, 0) to the target."""
    top, top_settled = target.supported, min(target.supported, target.settled)
    if want.item >= 0:
        return [(math.ceil(top * q / (STAGES - 1)), 0) for q in range(STAGES)]
    half = min(top, math.ceil(want.people / 2))
    half_settled = min(top_settled, half)
    first = [(half * k // 3, 0) for k in range(1, 4)]
    if basic_first or not _settled_half_first(model, want):
        second = [(half + (top - half) * k // 3, 0) for k in range(1, 4)]
        third = [(top, half_settled * k // 2) for k in range(1, 3)]
    else:
        second = [(half, half_settled * k // 2) for k in range(1, 3)]
        third = [(half + (top - half) * k // 3, half_settled) for k in range(1, 4)]
    last = [(top, half_settled + (top_settled - half_settled) * k // 2) for k in range(1, 3)]
    return [(0, 0), *first, *second, *third, *last]


def _settled_half_first(model: Model, want: Want) -> bool:
    """Whether settling the first half gives more for a truck than supporting the second half."""
    half = math.ceil(want.people / 2)
    share = truck_share(model)
    policy = model.scenario.policy

    def per_truck(supported: int, settled: int) -> float:
        more = goods_for(model, want, supported, settled) - goods_for(model, want, half, 0)
        gain = worth_at(want, policy, supported, settled) - worth_at(want, policy, half, 0)
        return gain / max(1e-9, float(more @ share))

    return per_truck(half, half) > per_truck(want.people, 0)


def truck_share(model: Model) -> FloatArray:
    """The share of an average vehicle that a unit of each item takes, shape (items,)."""
    if not model.vehicles:
        return model.kg.copy()
    payload = np.mean([vehicle.payload_kg for vehicle in model.vehicles])
    volume = np.mean([vehicle.volume_m3 for vehicle in model.vehicles])
    share: FloatArray = (model.kg / payload + model.m3 / volume) / 2
    return share


def goods_for(model: Model, want: Want, supported: int, settled: int) -> IntArray:
    """The least units by item that support and settle so many (for a demand: `supported` units of it)."""
    units = np.zeros(len(model.kg), dtype=np.int64)
    if want.item >= 0:
        units[want.item] = supported
        return units
    members = [
        _members_needed(model, want, supported, tier=1),
        _members_needed(model, want, settled, tier=2),
    ]
    for need in want.needs:
        if need.group is None:
            count = supported if need.tier == 1 else settled
        elif need.tier == 1:
            count = max(members[0].get(need.group, 0), members[1].get(need.group, 0))
        else:
            count = members[1].get(need.group, 0)
        units[model.item_index[need.item]] = math.ceil(count * need.per_person - 1e-9)
    return units


def _members_needed(model: Model, want: Want, served: int, tier: int) -> dict[str, int]:
    """How many of each group must have their own goods when so many people are to be served.

    Whoever is left out may belong to a group, so the dearest groups (by weight) are left out first.
    """
    kg = dict.fromkeys(want.point.groups, 0.0)
    for need in want.needs:
        if need.group in kg and need.tier <= tier:
            kg[need.group] += need.per_person * float(model.kg[model.item_index[need.item]])
    to_serve = sum(want.point.groups.values()) - (want.people - served)
    members = {}
    for group in sorted(kg, key=lambda name: kg[name]):
        members[group] = max(0, min(want.point.groups[group], to_serve))
        to_serve -= members[group]
    return members
