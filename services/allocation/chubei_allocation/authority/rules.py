"""PURE: which tier may approve a plan, and why not a lower one."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from chubei_shared.contracts.authority import Reason, Tier
from chubei_shared.contracts.base import Mode

from chubei_allocation import scenarios

Json = dict[str, Any]

MODES = {
    Mode.PHYSICAL: ("实物储备", "stock"),
    Mode.CONTRACT: ("协议储备", "contract reserves"),
    Mode.CAPACITY: ("产能储备", "capacity reserves"),
    Mode.FUND: ("资金储备", "fund reserves"),
}


@dataclass(frozen=True)
class Uses:
    """What an approval would dispose of."""

    people: int
    units: Mapping[str, int]
    """By item: what the trips load."""
    stores: frozenset[str]
    modes: frozenset[Mode]
    requisition: bool
    item_names: Mapping[str, tuple[str, str]]


class Ruling(NamedTuple):
    """The least tier that may approve, as its place among the tiers, and why."""

    level: int
    reasons: list[Reason]


def uses(scenario: Json, trips: Sequence[Json], people: int) -> Uses:
    """Of a plan's trips in its scenario (planning-scenario/1); `people`: those that it supports."""
    mode_of = scenarios.modes(scenario)
    kind = {source["id"]: source["kind"] for source in scenario["sources"]}
    units: Counter[str] = Counter()
    nodes: set[tuple[str, str]] = set()
    for trip in trips:
        for visit in trip["visits"]:
            units.update(visit.get("load", {}))
            nodes |= {(visit["node"], item) for item in visit.get("load", {})}
    types = {trip["vehicle"].partition("#")[0] for trip in trips}
    requisitioned = {row["type"] for row in scenario["vehicles"] if row.get("requisitioned")}
    taken = {(row["source"], row["item"]) for row in scenario["supply"] if row.get("requisitioned")}
    return Uses(
        people=people,
        units=dict(units),
        stores=frozenset(scenarios.place_of(node) for node, _ in nodes if kind[node] == "warehouse"),
        modes=frozenset(mode_of[row] for row in nodes),
        requisition=bool(types & requisitioned or nodes & taken),
        item_names={item["id"]: (item["name_zh"], item["name_en"]) for item in scenario["items"]},
    )


def least(tiers: Sequence[Tier], used: Uses) -> Ruling:
    """The lowest tier all of whose limits are kept; the highest has none (contracts.authority.Authority)."""
    found = [(_lowest(tiers, row.allowed), row) for row in _aspects(used)]
    return Ruling(
        max((level for level, _ in found), default=0),
        [row.reason(tiers, level) for level, row in found if level],
    )


def _lowest(tiers: Sequence[Tier], allowed: Callable[[Tier], bool]) -> int:
    return next(level for level, tier in enumerate(tiers) if allowed(tier))


class _Aspect(NamedTuple):
    """One thing about a plan that a tier may or may not allow."""

    allowed: Callable[[Tier], bool]
    told: Callable[[Tier], tuple[str, str]]
    """From the tier below the lowest that allows it to words."""

    def reason(self, tiers: Sequence[Tier], level: int) -> Reason:
        zh, en = self.told(tiers[level - 1])
        tier = tiers[level]
        return Reason(tier=tier.id, zh=f"{zh},需{tier.name_zh}", en=f"{en}: {tier.name_en} has to approve")


def _aspects(used: Uses) -> Iterator[_Aspect]:
    yield _Aspect(
        lambda tier: _within(used.people, tier.max_people),
        lambda below: (
            f"救助 {used.people:,} 人,超过{below.name_zh}的上限 {below.max_people:,} 人",
            f"serves {used.people:,} people, more than the {below.max_people:,} of {below.name_en}",
        ),
    )
    for item, units in sorted(used.units.items()):
        yield _of_item(item, units, used.item_names.get(item, (item, item)))
    yield _Aspect(
        lambda tier: tier.cross_store or len(used.stores) <= 1,
        lambda _: (f"从 {len(used.stores)} 个库调出", f"draws on {len(used.stores)} stores"),
    )
    for mode in sorted(used.modes, key=list(Mode).index):
        yield _of_mode(mode)
    yield _Aspect(
        lambda tier: tier.requisition or not used.requisition,
        lambda _: ("动用征用的车辆或物资", "uses requisitioned vehicles or goods"),
    )


def _of_item(item: str, units: int, name: tuple[str, str]) -> _Aspect:
    return _Aspect(
        lambda tier: _within(units, tier.max_units.get(item)),
        lambda below: (
            f"调用{name[0]} {units:,} 件,超过{below.name_zh}的上限 {below.max_units[item]:,} 件",
            f"takes {units:,} of {name[1]}, more than the {below.max_units[item]:,} of {below.name_en}",
        ),
    )


def _of_mode(mode: Mode) -> _Aspect:
    zh, en = MODES[mode]
    return _Aspect(lambda tier: mode in tier.modes, lambda _: (f"动用{zh}", f"draws on {en}"))


def _within(amount: int, limit: int | None) -> bool:
    return limit is None or amount <= limit
