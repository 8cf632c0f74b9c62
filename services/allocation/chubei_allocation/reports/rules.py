"""PURE: what may become of a report; what is due where; what a draft says first. The tables are the rule."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from math import ceil
from typing import Any, NamedTuple

from chubei_shared.contracts.catalogue import Item, Kit
from chubei_shared.contracts.demands import DemandView, GrantedView
from chubei_shared.contracts.incidents import DemandPoint
from chubei_shared.contracts.reports import ReportKind, ReportStatus

MOVES: dict[ReportStatus, frozenset[ReportStatus]] = {
    ReportStatus.DRAFT: frozenset({ReportStatus.SIGNED, ReportStatus.DISCARDED}),
    ReportStatus.SIGNED: frozenset({ReportStatus.SUPERSEDED}),
    ReportStatus.SUPERSEDED: frozenset(),
    ReportStatus.DISCARDED: frozenset(),
}
"""What a report may become."""
LETTERS = {ReportKind.FIRST: "SB", ReportKind.HOURLY: "ZB", ReportKind.CITY_REQUEST: "QQ"}
"""In its number: 速报, 整点报, 请求."""

Units = dict[str, Counter[str]]
"""Units by place (or street) and item."""


class Need(NamedTuple):
    item_code: str
    per_person: float
    group: str | None


class Norms(NamedTuple):
    """What people get where: each point's needs, and what the items are called."""

    at: Mapping[str, Sequence[Need]]
    names: Mapping[str, tuple[str, str]]


class Moved(NamedTuple):
    """Units by point and item that arrived sound or are on the way, and those that were loaded, by item."""

    arrived: Units
    on_the_way: Units
    loaded: Counter[str]


def norms(kit_at: Mapping[str, str], kits: Iterable[Kit], items: Iterable[Item]) -> Norms:
    needs = {
        kit.id: [Need(need.item_code, float(need.per_person), need.group) for need in kit.needs]
        for kit in kits
    }
    return Norms(
        {point: needs.get(kit_id, []) for point, kit_id in kit_at.items()},
        {item.code: (item.name_zh, item.name_en) for item in items},
    )


def norms_of(scenario: dict[str, Any]) -> Norms:
    """As a plan had them, for when inventory can not be asked."""
    needs = {
        kit["id"]: [Need(row["item"], row["per_person"], row.get("group")) for row in kit["needs"]]
        for kit in scenario["kits"]
    }
    return Norms(
        {
            point["id"]: needs[point.get("raised_from") or point["kit"]]
            for point in scenario["points"]
            if point.get("kit")
        },
        {item["id"]: (item["name_zh"], item["name_en"]) for item in scenario["items"]},
    )


def due(
    points: Iterable[DemandPoint],
    demands: Iterable[DemandView],
    granted: Iterable[GrantedView],
    found: Norms,
) -> Units:
    """What is to be at each point: whole units for the people and the members of groups, the fixed numbers, and what
    was granted beyond."""
    told: Units = defaultdict(Counter)
    for point in points:
        for need in found.at.get(point.shelter_id, ()):
            members = point.people if need.group is None else point.groups.get(need.group, 0)
            told[point.shelter_id][need.item_code] += ceil(members * need.per_person - 1e-9)
    for demand in demands:
        told[demand.place_id][demand.item_code] += demand.units
    for more in granted:
        told[more.shelter_id][more.item_code] += more.units
    return told


def to_ask(due: Counter[str], moved: Moved, own: Mapping[str, int]) -> dict[str, int]:
    """What a request to the city asks first: what is due and has neither come, nor is under way, nor is the district's
    own to give (rules.md B5: one's own first).
    """
    arrived, coming = _sum(moved.arrived), _sum(moved.on_the_way)
    short = {item: units - arrived[item] - coming[item] - own.get(item, 0) for item, units in due.items()}
    return {item: units for item, units in sorted(short.items()) if units > 0}


def total(units: Units) -> Counter[str]:
    return _sum(units)


def _sum(units: Units) -> Counter[str]:
    summed: Counter[str] = Counter()
    for at_one in units.values():
        summed.update(at_one)
    return summed
