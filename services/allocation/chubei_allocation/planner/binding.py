"""What holds a plan up, kind by kind: each binding resource, how much of it is used, and whom it concerns.

To bind is to be used up while somebody goes without. It does not yet say that one more of it would help: that
is only known by solving again (advice.py).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from .model import FAR
from .scenario import Item, Source, Supply
from .scene import Berths, Scene, most_first

FULL = 0.8  # hardly any dock, vehicle or stock can be used to the last minute or unit
NAMED = 3  # items of a source that are named, the first to be there
CALLED_LATE_MIN = 10  # a load that begins so soon after crews or goods came has waited for them


@dataclass(frozen=True)
class Binding:
    """A resource of a plan: kind, id, item, other as in whatif.Change; `share` of it that is used (0 to 1).

    `points` are {point: people there who lack something and could be served by more of it}, the most first.
    """

    kind: str
    id: str
    share: float
    binds: bool
    zh: str
    en: str
    points: dict[str, int] = field(default_factory=dict)
    item: str = ""
    other: str = ""

    @property
    def people(self) -> int:
        return sum(self.points.values())

    def as_json(self) -> dict[str, Any]:
        kept = {key: value for key, value in vars(self).items() if value != ""}
        return {**kept, "share": round(self.share, 4), "people": self.people}


def bindings(scene: Scene) -> list[Binding]:
    """All resources that concern somebody who goes without, whether they bind or not."""
    if not scene.missing:
        return []
    rows = [
        *_items(scene),
        *_lead(scene),
        *_docks_and_crews(scene),
        *_vehicles(scene),
        *_bays(scene),
        *_desks(scene),
        *_lanes(scene),
        *_ways(scene),
    ]
    return [row for row in rows if row.people]


def _items(scene: Scene) -> Iterator[Binding]:
    """Items that somebody lacks, against what could be loaded of them in time."""
    for item in scene.scenario.items:
        if not scene.short.get(item.id):
            continue
        rows = [row for row in scene.scenario.supply if row.item == item.id]
        there = sum(scene.in_time(row) for row in rows)
        taken = sum(scene.taken[row.source, item.id] for row in rows)
        whole = any(scene.in_time(row) >= item.pack for row in rows)
        left = max(0, there - taken)
        share = min(1.0, taken / there) if there else 1.0
        zh, en = _use_of_stock(item, there, taken, whole)
        yield Binding(
            "items",
            item.id,
            share,
            share >= FULL or left < item.pack,
            f"{item.name_zh}：{zh}，还缺 {scene.short[item.id]:,}",
            f"{item.name_en}: {en}, {scene.short[item.id]:,} short",
            most_first(scene.blocked[item.id]),
            item=item.id,
        )


def _use_of_stock(item: Item, there: int, taken: int, whole: bool) -> tuple[str, str]:
    if not there:
        return "没有及时可取的", "none to be had in time"
    zh, en = f"及时可取 {there:,}", f"{there:,} to be had in time"
    if not whole:
        return f"{zh}，凑不成一整包（{item.pack:,}）", f"{en}, nowhere a whole pack of {item.pack:,}"
    return f"{zh}，已用 {taken:,}", f"{en}, {taken:,} used"


def _lead(scene: Scene) -> Iterator[Binding]:
    """Sources whose goods come late, of an item that somebody lacks."""
    items = {item.id: item for item in scene.scenario.items}
    now = scene.scenario.now_min
    for source in scene.scenario.sources:
        late = [
            row
            for row in scene.scenario.supply
            if row.source == source.id and row.available_min > now and scene.short.get(row.item)
        ]
        if late:
            yield _lead_of(scene, source, late, items)


def _lead_of(scene: Scene, source: Source, late: list[Supply], items: dict[str, Item]) -> Binding:
    first = {row.item: _first_load(scene, source.id, row.item) for row in late}
    waited = [
        row
        for row in late
        if first[row.item] <= row.available_min + CALLED_LATE_MIN or scene.in_time(row) < row.quantity
    ]
    held = waited or late
    points: dict[str, int] = {}
    for row in held:
        for point, people in scene.blocked[row.item].items():
            points[point] = max(points.get(point, 0), people)
    since = min(row.available_min for row in held)
    zh, en = _when(held, items)
    return Binding(
        "lead",
        source.id,
        min(1.0, since / scene.scenario.deadline_min),
        bool(waited),
        f"{source.id} 的响应时间：{zh}",
        f"lead time of {source.id}: {en}",
        most_first(points),
    )


def _when(held: list[Supply], items: dict[str, Item]) -> tuple[str, str]:
    """From which minute on there is what, of those that come first; each in words of its own."""
    by_minute: dict[int, list[Item]] = defaultdict(list)
    for row in sorted(held, key=lambda row: row.available_min)[:NAMED]:
        by_minute[row.available_min].append(items[row.item])
    zh = [f"第 {since} 分钟起才有{'、'.join(i.name_zh for i in row)}" for since, row in by_minute.items()]
    en = [f"{', '.join(i.name_en for i in row)} from minute {since} on" for since, row in by_minute.items()]
    if (more := len(held) - NAMED) > 0:
        zh.append(f"另有 {more} 种")
        en.append(f"{more} more")
    return "，".join(zh), "; ".join(en)


def _first_load(scene: Scene, source: str, item: str) -> int:
    return min(
        (v.start for t in scene.trips for v in t.visits if v.node == source and v.goods.get(item)),
        default=FAR,
    )


def _docks_and_crews(scene: Scene) -> Iterator[Binding]:
    for source in scene.scenario.sources:
        begin, end = scene.windows[source.id]
        if end <= begin:
            continue
        berths = Berths(scene, source.id, source.docks, begin, end)
        points = scene.goes_without(scene.served_from(source.id) or scene.missing)
        yield _docks(source, berths, points, scene.goods_left(source))
        rises = [since for since, number in source.docks if since > begin and number]
        if rises:
            yield _crews(source, berths, points, begin, rises)


def _docks(source: Source, berths: Berths, points: dict[str, int], goods_left: bool) -> Binding:
    share = _share(berths)
    zh, en = _use_of(berths)
    return Binding(
        "docks",
        source.id,
        share,
        share >= FULL and goods_left,
        f"{source.id} 装车位：{zh}",
        f"docks of {source.id}: {en}",
        points,
    )


def _share(berths: Berths) -> float:
    return berths.used_min / berths.manned_min if berths.manned_min else 1.0


def _use_of(berths: Berths) -> tuple[str, str]:
    """How much docks or bays are in use, in words."""
    used, manned, queued = berths.used_min, berths.manned_min, berths.queued_min
    if not manned:
        return "来得及用的时候没有人值守", "none is manned while it would be of use"
    zh = f"有人值守的 {manned:,} 车位分钟用了 {used:,}"
    en = f"{used:,} of {manned:,} manned berth-minutes used"
    if not queued:
        return zh, en
    return f"{zh}，车辆排队共 {queued:,} 分钟", f"{en}, vehicles queued {queued:,} min in all"


def _crews(source: Source, berths: Berths, points: dict[str, int], begin: int, rises: list[int]) -> Binding:
    """Before the last crew comes on: docks full, or somebody at the first dock as soon as it is manned."""
    share = berths.share(begin, rises[-1])
    at_once = berths.visits > 0 and berths.first_start <= rises[0] + CALLED_LATE_MIN
    return Binding(
        "crews",
        source.id,
        share,
        share >= FULL or at_once,
        f"{source.id} 装车班组：第 {rises[-1]} 分钟才到齐",
        f"loading crews of {source.id}: all there only from minute {rises[-1]} on",
        points,
    )


def _vehicles(scene: Scene) -> Iterator[Binding]:
    """Types of vehicle; used up are those that have no time for a further trip, or no way back for one."""
    stuck = scene.stuck()
    for kind in scene.scenario.vehicles:
        count, spent = kind.count - len(kind.lost), scene.spent(kind)
        share = spent / count if count else 0.0
        no_way = min(spent, sum(name.startswith(f"{kind.type}#") for name in stuck))
        zh, en = _use_of_vehicles(count, spent - no_way, no_way)
        reached = [p.id for p in scene.scenario.points if kind.size <= p.max_size]
        yield Binding(
            "vehicles",
            kind.type,
            share,
            share >= FULL,
            f"车辆 {kind.type}：{zh}",
            f"vehicles {kind.type}: {en}",
            scene.goes_without(reached),
        )


def _use_of_vehicles(count: int, no_time: int, no_way: int) -> tuple[str, str]:
    if not count:
        return "没有可用的", "none to drive"
    zh, en = f"{count} 辆", f"{count}"
    if no_time:
        zh, en = f"{zh}，其中 {no_time} 辆排不下下一趟", f"{en}, {no_time} without time for a further trip"
    if no_way:
        zh, en = (
            f"{zh}，其中 {no_way} 辆没有路回出货地",
            f"{en}, {no_way} without an open way back to a source",
        )
    return zh, en


def _bays(scene: Scene) -> Iterator[Binding]:
    for point in scene.scenario.points:
        if point.id not in scene.missing:
            continue
        begin, end = scene.unloads_within(point)
        if end <= begin:
            continue
        berths = Berths(scene, point.id, point.bays, begin, end)
        share = _share(berths)
        zh, en = _use_of(berths)
        yield Binding(
            "bays",
            point.id,
            share,
            share >= FULL,
            f"{point.id} 卸车位：{zh}",
            f"bays of {point.id}: {en}",
            scene.goes_without([point.id]),
        )


def _desks(scene: Scene) -> Iterator[Binding]:
    """Points where goods are there for more people than the desks have served."""
    for point, waiting in scene.waiting_at_desks().items():
        rate = next(p.hand_out_per_hour for p in scene.scenario.points if p.id == point)
        yield Binding(
            "desks",
            point,
            1.0,
            True,
            f"{point} 发放台：每小时 {rate:g} 人，到截止时 {waiting:,} 人物资已到却没轮到",
            f"desks of {point}: {rate:g} people an hour; at the deadline {waiting:,} have goods there "
            "but have not had their turn",
            {point: waiting},
        )


def _lanes(scene: Scene) -> Iterator[Binding]:
    """Points that lack something and that part of the fleet cannot enter; binding if the rest is busy."""
    spent = {kind.type: scene.spent(kind) for kind in scene.scenario.vehicles}
    fleet = sum((k.count - len(k.lost)) * k.payload_kg for k in scene.scenario.vehicles)
    for point in scene.scenario.points:
        barred = [k for k in scene.scenario.vehicles if k.size > point.max_size and k.count > len(k.lost)]
        if point.id in scene.missing and barred and fleet:
            kg = sum((k.count - len(k.lost)) * k.payload_kg for k in barred)
            number = sum(k.count - len(k.lost) for k in barred)
            fit = [k for k in scene.scenario.vehicles if k.size <= point.max_size]
            yield Binding(
                "lanes",
                point.id,
                kg / fleet,
                all(spent[k.type] >= FULL * (k.count - len(k.lost)) for k in fit),
                f"{point.id} 的路窄：{number} 辆车进不去（车队载重的 {kg / fleet:.0%}）",
                f"lanes to {point.id}: {number} vehicles do not get in ({kg / fleet:.0%} of the fleet's payload)",
                scene.goes_without([point.id]),
            )


def _ways(scene: Scene) -> Iterator[Binding]:
    """Closed ways to points that lack something; binding where no source in reach has an open way there.

    One from a point that no source has an open way to is not told: nothing could come along it.
    """
    back = list(_ways_back(scene))
    yield from back
    seen = {pair for row in back for pair in ((row.id, row.other), (row.other, row.id))}
    sources = [source.id for source in scene.scenario.sources]
    in_reach = scene.sources_in_reach()
    for way in sorted(scene.scenario.closures):
        here, there = way if way[1] in scene.missing else (way[1], way[0])
        if here == there or there not in scene.missing or (here, there) in seen:
            continue
        seen.add((here, there))
        if here not in sources and all(scene.minutes(source, here) >= FAR for source in sources):
            continue
        cut_off = all(scene.minutes(source, there) >= FAR for source in in_reach)
        yield Binding(
            "ways",
            here,
            1.0 if cut_off else 0.0,
            cut_off,
            f"{here} 与 {there} 之间的路不通" + ("，车能到的出货地都不能直达" if cut_off else ""),
            f"the way between {here} and {there} is closed"
            + (": no source in reach of vehicles has an open way" if cut_off else ""),
            scene.goes_without([there]),
            other=there,
        )


def _ways_back(scene: Scene) -> Iterator[Binding]:
    """Closed ways to a source from where vehicles stand that have no other way to any."""
    sources = {source.id for source in scene.scenario.sources}
    stand = set(scene.stuck().values())
    for here, there in sorted(scene.scenario.closures):
        if here in stand and there in sources:
            yield Binding(
                "ways",
                here,
                1.0,
                True,
                f"{here} 回 {there} 的路不通，送完货的车回不到任何出货地",
                f"the way back from {here} to {there} is closed: vehicles there have none to any source",
                scene.goes_without(scene.missing),
                other=there,
            )
