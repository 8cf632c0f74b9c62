"""From JSON to Scenario: everything that PLANNING.md forbids is refused here, by name and place.

Keys that the format does not know are tolerated: a product hangs its provenance on them.
"""

from __future__ import annotations

from typing import Any

from .fields import Field, unique
from .parse_trips import Known, goods_of, trip_of
from .policies import FAIR, POLICIES
from .scenario import (
    SCENARIO_FORMAT,
    Demand,
    Item,
    Kit,
    Need,
    Point,
    Scenario,
    Source,
    Steps,
    Supply,
    Travel,
    Trip,
    VehicleType,
)


def parse_scenario(data: Any) -> Scenario:
    """The scenario that a decoded JSON value describes.

    Raises ScenarioError: its place is a path such as `points[3].people`.
    """
    root = Field(data, "")
    if not isinstance(data, dict):
        root = Field(data, "scenario")
    root["format"].one_of(SCENARIO_FORMAT)
    items = _items(root["items"].rows())
    item_ids = {item.id for item in items}
    kits = _kits(root["kits"].rows(), item_ids)
    sources = _sources(root["sources"].rows())
    points = _points(root["points"].rows(), {kit.id for kit in kits}, item_ids)
    unique(
        root["sources"].rows() + root["points"].rows(),
        [source.id for source in sources] + [point.id for point in points],
    )
    vehicles = _vehicles(root["vehicles"].rows(), {source.id for source in sources})
    now = root.maybe("now_min")
    policy = root.maybe("policy")
    scenario = Scenario(
        name=root["name"].text(),
        deadline_min=root["deadline_min"].minute(low=1),
        now_min=now.minute() if now else 0,
        policy=policy.one_of(*POLICIES) if policy else FAIR.name,
        items=items,
        kits=kits,
        sources=sources,
        supply=_supply(root["supply"].rows(), {source.id for source in sources}, item_ids),
        points=points,
        demands=_demands(optional_rows(root, "demands"), points, kits, item_ids),
        vehicles=vehicles,
        travel=_travel(root["travel"], len(sources) + len(points)),
        closures=_closures(root, {source.id for source in sources} | {point.id for point in points}),
        committed=(),
    )
    committed = _committed(optional_rows(root, "committed"), scenario)
    return Scenario(**{**vars(scenario), "committed": committed})


def optional_rows(root: Field, key: str) -> list[Field]:
    found = root.maybe(key)
    return found.rows() if found else []


def _name(row: Field, key: str) -> str:
    found = row.maybe(key)
    return found.text() if found else row["id"].text()


def _items(rows: list[Field]) -> tuple[Item, ...]:
    unique(rows, [row["id"].text() for row in rows])
    return tuple(
        Item(
            id=row["id"].text(),
            name_zh=_name(row, "name_zh"),
            name_en=_name(row, "name_en"),
            pack=row["pack"].whole(low=1),
            weight_kg=row["weight_kg"].positive(),
            volume_m3=row["volume_m3"].positive(),
        )
        for row in rows
    )


def _kits(rows: list[Field], items: set[str]) -> tuple[Kit, ...]:
    unique(rows, [row["id"].text() for row in rows])
    kits = []
    for row in rows:
        needs = row["needs"].rows()
        unique(needs, [need["item"].known(items, "items") for need in needs])
        kits.append(
            Kit(
                id=row["id"].text(),
                name_zh=_name(row, "name_zh"),
                name_en=_name(row, "name_en"),
                needs=tuple(_need(need) for need in needs),
            )
        )
    return tuple(kits)


def _need(row: Field) -> Need:
    group = row.maybe("group")
    return Need(
        item=row["item"].text(),
        per_person=row["per_person"].positive(),
        tier=row["tier"].whole(1, 2),
        group=group.text() if group and group.value is not None else None,
    )


def _steps(field: Field) -> Steps:
    """`docks` or `bays`: a number, or [[from_min, number], …] in order of time."""
    if not isinstance(field.value, list):
        return ((0, field.whole(high=10**6)),)
    steps: list[tuple[int, int]] = []
    for row in field.rows():
        pair = row.rows()
        if len(pair) != 2:
            raise row.wrong("不是一对数 / is no pair", "应为 [起始分钟, 数量] / give [from_min, number]")
        steps.append((pair[0].minute(), pair[1].whole(high=10**6)))
        if len(steps) > 1 and steps[-1][0] <= steps[-2][0]:
            raise row.wrong(
                "时间未递增 / is not later than the step before", "按时间排序 / order the steps by time"
            )
    return tuple(steps) or ((0, 0),)


def _sources(rows: list[Field]) -> tuple[Source, ...]:
    return tuple(
        Source(
            id=row["id"].text(),
            kind=row["kind"].one_of("warehouse", "supplier", "producer"),
            lon=row["lon"].number(-180, 180),
            lat=row["lat"].number(-90, 90),
            docks=_steps(row["docks"]),
            load_fixed_min=row["load_fixed_min"].minute(),
            load_kg_per_min=row["load_kg_per_min"].positive(),
        )
        for row in rows
    )


def _supply(rows: list[Field], sources: set[str], items: set[str]) -> tuple[Supply, ...]:
    supply = []
    for row in rows:
        rate = row.maybe("rate_per_hour")
        supply.append(
            Supply(
                source=row["source"].known(sources, "sources"),
                item=row["item"].known(items, "items"),
                mode=row["mode"].one_of("physical", "contract", "capacity", "fund"),
                quantity=row["quantity"].whole(),
                available_min=row["available_min"].minute(),
                rate_per_hour=rate.positive() if rate and rate.value is not None else None,
            )
        )
    unique(rows, [(entry.source, entry.item) for entry in supply])
    return tuple(supply)


def _points(rows: list[Field], kits: set[str], items: set[str]) -> tuple[Point, ...]:
    return tuple(_point(row, kits, items) for row in rows)


def _point(row: Field, kits: set[str], items: set[str]) -> Point:
    people = row["people"].whole(high=10**9)
    kit = row.maybe("kit")
    if people and kit is None:
        row["kit"]  # raises: people without a kit
    groups, weight, opens, rate, size, on_hand = (
        row.maybe(key)
        for key in ("groups", "weight", "opens_min", "hand_out_per_hour", "max_size", "on_hand")
    )
    members = {key: field.whole() for key, field in groups.pairs()} if groups else {}
    if groups and sum(members.values()) > people:
        raise groups.wrong(
            f"人数合计 {sum(members.values())} 超过 people {people} / have more members than the point has people",
            "减少成员或增加 people / lower the members or raise people",
        )
    return Point(
        id=row["id"].text(),
        lon=row["lon"].number(-180, 180),
        lat=row["lat"].number(-90, 90),
        people=people,
        kit=kit.known(kits, "kits") if kit and (people or kit.value is not None) else None,
        groups=members,
        weight=weight.positive() if weight else 1.0,
        bays=_steps(row["bays"]),
        unload_fixed_min=row["unload_fixed_min"].minute(),
        unload_kg_per_min=row["unload_kg_per_min"].positive(),
        opens_min=opens.minute() if opens else 0,
        hand_out_per_hour=rate.positive() if rate and rate.value is not None else None,
        max_size=size.number() if size else 99,
        on_hand=goods_of(on_hand, items, least=0) if on_hand else {},
    )


def _demands(
    rows: list[Field], points: tuple[Point, ...], kits: tuple[Kit, ...], items: set[str]
) -> tuple[Demand, ...]:
    in_kit = {kit.id: {need.item for need in kit.needs} for kit in kits}
    by_id = {point.id: point for point in points}
    demands = []
    for row in rows:
        demand = Demand(
            point=row["point"].known(set(by_id), "points"),
            item=row["item"].known(items, "items"),
            units=row["units"].whole(low=1),
            by_min=row["by_min"].minute(),
            worth=row["worth"].positive(),
        )
        point = by_id[demand.point]
        if point.people and point.kit and demand.item in in_kit[point.kit]:
            raise row["item"].wrong(
                f"已在 {point.id} 的救助标准中 / is in the kit of {point.id}",
                "从 demands 或标准中去掉 / take it out of demands or of the kit",
            )
        demands.append(demand)
    unique(rows, [(demand.point, demand.item) for demand in demands])
    return tuple(demands)


def _vehicles(rows: list[Field], sources: set[str]) -> tuple[VehicleType, ...]:
    vehicles = []
    for row in rows:
        name = row["type"].text()
        if "#" in name:
            raise row["type"].wrong("含 # / holds #", "车型名不可含 # / leave # out of the type's name")
        count = row["count"].whole(high=10**6)
        speed, size, lost, available, later = (
            row.maybe(key) for key in ("speed_factor", "size", "lost", "available_min", "later")
        )
        from_min = available.minute() if available else 0
        vehicles.append(
            VehicleType(
                type=name,
                count=count,
                start=row["start"].known(sources, "sources"),
                available_min=from_min,
                payload_kg=row["payload_kg"].positive(),
                volume_m3=row["volume_m3"].positive(),
                speed_factor=speed.positive() if speed else 1.0,
                size=size.number() if size else 1,
                lost=frozenset(n.whole(1, max(1, count)) for n in lost.rows()) if lost else frozenset(),
                later=_later(later, count, from_min) if later else {},
            )
        )
    unique(rows, [vehicle.type for vehicle in vehicles])
    return tuple(vehicles)


def _later(field: Field, count: int, from_min: int) -> dict[int, int]:
    """`later`: [[number, minute], …]."""
    rows = [row.rows() for row in field.rows()]
    for row, pair in zip(field.rows(), rows, strict=True):
        if len(pair) != 2:
            raise row.wrong("不是 [序号, 分钟] / not [number, minute]", "写成 [3, 60] / write [3, 60]")
    numbers = [pair[0].whole(1, max(1, count)) for pair in rows]
    unique(field.rows(), numbers)
    return {number: pair[1].minute(from_min) for number, pair in zip(numbers, rows, strict=True)}


def _travel(field: Field, nodes: int) -> Travel:
    if field["kind"].one_of("matrix", "geodesic") == "geodesic":
        return Travel(None, field["circuity"].positive(), field["speed_kmh"].positive())
    rows = field["minutes"].rows()
    if len(rows) != nodes:
        raise field["minutes"].wrong(
            f"有 {len(rows)} 行 / has {len(rows)} rows",
            f"应有 {nodes} 行，先 sources 后 points / give {nodes}, sources then points",
        )
    minutes = []
    for row in rows:
        cells = row.rows()
        if len(cells) != nodes:
            raise row.wrong(
                f"有 {len(cells)} 列 / has {len(cells)} columns", f"应有 {nodes} 列 / give {nodes}"
            )
        minutes.append(tuple(None if cell.value is None else cell.number() for cell in cells))
    return Travel(tuple(minutes))


def _closures(root: Field, nodes: set[str]) -> frozenset[tuple[str, str]]:
    closed = []
    for row in optional_rows(root, "closures"):
        pair = row.rows()
        if len(pair) != 2:
            raise row.wrong("不是一对编号 / is no pair", "应为 [起点, 终点] / give [from, to]")
        closed.append((pair[0].known(nodes, "sources/points"), pair[1].known(nodes, "sources/points")))
    return frozenset(closed)


def _committed(rows: list[Field], scenario: Scenario) -> tuple[Trip, ...]:
    known = Known(scenario)
    trips = tuple(trip_of(row, known) for row in rows)
    unique(rows, [trip.key() for trip in trips])
    for row, trip in zip(rows, trips, strict=True):
        if trip.visits[0].start >= scenario.now_min:
            raise (
                row["visits"]
                .rows()[0]["start"]
                .wrong(
                    f"不早于 now_min {scenario.now_min} / is not before now_min",
                    "只列已开始的车次 / list only trips that have begun",
                )
            )
    return trips
