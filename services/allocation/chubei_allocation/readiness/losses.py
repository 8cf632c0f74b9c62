"""PURE: what happens to a scenario when something of it is lost. A loss only ever takes away.

Vehicles that are lost keep their numbers (`lost`), so that the trips of an earlier plan still name the others.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from math import ceil, cos, hypot, radians

from chubei_shared.contracts.base import Certainty, Provenance
from chubei_shared.contracts.readiness_settings import Loss, NamedLoss, ReadinessSettings, Road

from chubei_allocation.incidents.people import share_out
from chubei_allocation.scenarios import Json, place_of

_M_PER_DEGREE = 111_195  # of latitude, on a sphere of 6371.0088 km
_HERE = Provenance(certainty=Certainty.ESTIMATED, source="one thing at a time, by rule")


def lose(scenario: Json, loss: Loss, roads: Mapping[str, Road]) -> Json:
    """The scenario without what is lost: goods and docks of places, ways, vehicles, crews of stores."""
    gone = set(loss.places)
    sources = [
        {**row, "docks": [[0, 0]]}
        if place_of(row["id"]) in gone
        else _without_crews(row, loss.crews_until_min)
        for row in scenario["sources"]
    ]
    supply = [row for row in scenario["supply"] if place_of(row["source"]) not in gone]
    closures = {(a, b) for a, b in scenario["closures"]}
    closures |= closed(scenario, (roads[name] for name in loss.roads if name in roads), loss.ways)
    return {
        **scenario,
        "sources": sources,
        "supply": supply,
        "closures": [list(way) for way in sorted(closures)],
        "vehicles": _without_vehicles(scenario["vehicles"], loss.fleet_share),
    }


def all_losses(scenario: Json, settings: ReadinessSettings) -> list[NamedLoss]:
    """Each store, each supplier group, each named road, the fleet's share, a night shift, and the joint ones."""
    return [
        *_stores(scenario),
        *_suppliers(scenario, settings),
        *(
            _single(f"road:{road.id}", road.name_zh, road.name_en, Loss(roads=[road.id]))
            for road in settings.roads
        ),
        *_fleet(settings),
        *_crews(settings),
        *settings.joint,
    ]


def _single(name: str, zh: str, en: str, loss: Loss) -> NamedLoss:
    return NamedLoss(id=name, name_zh=zh, name_en=en, loss=loss, joint=False, provenance=_HERE)


def _stores(scenario: Json) -> Iterator[NamedLoss]:
    for row in scenario["sources"]:
        if row["kind"] == "warehouse" and "~" not in row["id"]:
            yield _single(f"store:{row['id']}", row["name_zh"], row["name_en"], Loss(places=[row["id"]]))


def _suppliers(scenario: Json, settings: ReadinessSettings) -> Iterator[NamedLoss]:
    if settings.supplier_groups:
        for group in settings.supplier_groups:
            loss = Loss(places=group.places)
            yield _single(f"suppliers:{group.id}", group.name_zh, group.name_en, loss)
        return
    kinds = {row["id"]: row["kind"] for row in scenario["sources"]}
    of_item: dict[str, set[str]] = defaultdict(set)
    for row in scenario["supply"]:
        if kinds[row["source"]] != "warehouse":
            of_item[row["item"]].add(place_of(row["source"]))
    items = {item["id"]: item for item in scenario["items"]}
    told: set[frozenset[str]] = set()
    for code, places in sorted(of_item.items()):
        if frozenset(places) not in told:  # the same suppliers are one group, whatever else they sell
            told.add(frozenset(places))
            zh, en = f"全部{items[code]['name_zh']}供应商", f"all suppliers of {items[code]['name_en']}"
            yield _single(f"suppliers:{code}", zh, en, Loss(places=sorted(places)))


def _fleet(settings: ReadinessSettings) -> Iterator[NamedLoss]:
    if settings.fleet_share:
        told = f"{settings.fleet_share:.0%}"
        yield _single(
            "fleet", f"{told} 的车辆", f"{told} of the vehicles", Loss(fleet_share=settings.fleet_share)
        )


def _crews(settings: ReadinessSettings) -> Iterator[NamedLoss]:
    if until := settings.crews_until_min:
        yield _single(
            "crews",
            f"夜班装卸班组(第 {until} 分钟前无人)",
            f"the night shift's crews (nobody before minute {until})",
            Loss(crews_until_min=until),
        )


def _without_crews(source: Json, until_min: int) -> Json:
    """A store whose docks nobody mans before a minute; then who would have been there is."""
    if not until_min or source["kind"] != "warehouse":
        return source
    steps = [[0, source["docks"]]] if isinstance(source["docks"], int) else source["docks"]
    there = next((number for begin, number in reversed(steps) if begin <= until_min), 0)
    later = [[begin, number] for begin, number in steps if begin > until_min]
    return {**source, "docks": [[0, 0], [until_min, there], *later]}


def _without_vehicles(fleet: list[Json], share: float) -> list[Json]:
    if not share:
        return fleet
    left = [kind["count"] - len(kind.get("lost", [])) for kind in fleet]
    if not sum(left):
        return fleet
    gone = share_out(ceil(sum(left) * Decimal(str(share))), left)
    return [{**kind, "lost": _lost(kind, number)} for kind, number in zip(fleet, gone, strict=True)]


def _lost(kind: Json, number: int) -> list[int]:
    """The numbers that drive no more: the last of those that still do."""
    before = set(kind.get("lost", []))
    driving = [n for n in range(1, kind["count"] + 1) if n not in before]
    return sorted(before | set(driving[len(driving) - number :]))


def closed(
    scenario: Json, roads: Iterable[Road], ways: Iterable[tuple[str, str]] = ()
) -> set[tuple[str, str]]:
    """The ways, both directions, between places whose straight line passes a road, and those named by place."""
    lost = list(roads)
    nodes = [*scenario["sources"], *scenario["points"]]
    found = {
        (a["id"], b["id"])
        for a in nodes
        for b in nodes
        if a is not b and place_of(a["id"]) != place_of(b["id"]) and any(passes(a, b, road) for road in lost)
    }
    at_place: dict[str, list[str]] = defaultdict(list)
    for node in nodes:
        at_place[place_of(node["id"])].append(node["id"])
    for start, end in ways:
        for a in at_place[start]:
            for b in at_place[end]:
                found |= {(a, b), (b, a)}
    return found


def passes(a: Json, b: Json, road: Road) -> bool:
    """Whether the straight line from a to b comes within `within_m` of the road's place (flat, over a district)."""
    east = cos(radians(road.lat)) * _M_PER_DEGREE
    ax, ay = (a["lon"] - road.lon) * east, (a["lat"] - road.lat) * _M_PER_DEGREE
    bx, by = (b["lon"] - road.lon) * east, (b["lat"] - road.lat) * _M_PER_DEGREE
    length = (bx - ax) ** 2 + (by - ay) ** 2
    along = 0.0 if not length else max(0.0, min(1.0, -(ax * (bx - ax) + ay * (by - ay)) / length))
    return hypot(ax + along * (bx - ax), ay + along * (by - ay)) <= road.within_m
