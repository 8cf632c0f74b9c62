"""Plain causes for which no plan whatever could bring more: no vehicle, no way, too late, too small.

They are facts of the scenario: no stock, dock or crew is to be blamed for what they cause.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from .model import FAR, IntArray, Model
from .scene import Scene

SLACK = 1e-6
NAMED = 3


@dataclass(frozen=True)
class Cause:
    """A cause and what to do, in words; `points`: {point: people there who lack something for it}.

    item: where it is one item alone that cannot be brought.
    """

    zh: str
    en: str
    points: dict[str, int]
    item: str = ""


def causes(scene: Scene) -> list[Cause]:
    """What by itself keeps goods from those who go without. Where it holds for all of them, that alone."""
    if not scene.missing:
        return []
    if words := _for_all(scene):
        return [Cause(*words, scene.goes_without(scene.missing))]
    return [*_too_late(scene), *_too_small(scene)]


def _for_all(scene: Scene) -> tuple[str, str] | None:
    now, deadline = scene.scenario.now_min, scene.scenario.deadline_min
    if now >= deadline:
        return (
            f"现在（第 {now} 分钟）已到时限（第 {deadline} 分钟）：不能再派车，请推后时限",
            f"it is minute {now} and the deadline was minute {deadline}: no trip can begin; set a later deadline",
        )
    if not scene.scenario.sources:
        return "没有出货地：请加上仓库或供应商", "there is no source: add a store or a supplier"
    if not scene.fleet:
        return "没有可用的车：请调车来", "there is no vehicle to drive: bring some"
    free = min(vehicle.free_min for vehicle in scene.fleet)
    if free >= deadline:
        return (
            f"最早的车第 {free} 分钟才可用，时限是第 {deadline} 分钟：请早些调车，或推后时限",
            f"the first vehicle is available at minute {free}, the deadline is minute {deadline}: "
            "bring vehicles earlier or set a later deadline",
        )
    if all(scene.way_to_sources(vehicle.node) >= FAR for vehicle in scene.fleet):
        return (
            "没有一辆车有路开到出货地：请打通道路，或核对行车时间",
            "no vehicle has an open way to a source: open one, or check the travel times",
        )
    return None


def _too_late(scene: Scene) -> Iterator[Cause]:
    """Points that open too late, that no way leads to, or that are too far to be reached in time."""
    deadline = scene.scenario.deadline_min
    ends = {point: end for point, end in _soonest_ends(scene).items() if end > deadline}
    opens = {
        point.id: point.opens_min
        for point in scene.scenario.points
        if point.id in scene.missing and point.opens_min + point.unload_fixed_min > deadline
        if point.id not in ends
    }
    far = {point: end for point, end in ends.items() if end < FAR}
    cut_off = set(ends) - set(far)
    if opens:
        zh, en = _named(scene, set(opens))
        first = min(opens.values())
        yield Cause(
            f"{zh} 最早第 {first} 分钟开放，赶不上在时限（第 {deadline} 分钟）前卸货：请早些开放，或推后时限",
            f"{en}: open from minute {first} at the earliest, too late to unload by the deadline "
            f"(minute {deadline}); open earlier or set a later deadline",
            scene.goes_without(opens),
        )
    if cut_off:
        zh, en = _named(scene, cut_off)
        yield Cause(
            f"没有路能把货送到 {zh}：请核对行车时间，或另找路",
            f"no way leads from any source to {en}: check the travel times or find another way",
            scene.goes_without(cut_off),
        )
    if far:
        zh, en = _named(scene, set(far))
        first = min(far.values())
        yield Cause(
            f"{zh} 最快第 {first} 分钟才能送到，时限是第 {deadline} 分钟：请推后时限，或在近处备车备货",
            f"{en}: the soonest delivery ends at minute {first}, the deadline is minute {deadline}; "
            "set a later deadline, or keep vehicles and goods nearer",
            scene.goes_without(far),
        )


def _named(scene: Scene, points: set[str]) -> tuple[str, str]:
    names = list(scene.goes_without(points))
    more = len(names) - NAMED
    zh, en = "、".join(names[:NAMED]), ", ".join(names[:NAMED])
    return (f"{zh} 等 {len(names)} 处", f"{en} and {more} more") if more > 0 else (zh, en)


def _soonest_ends(scene: Scene) -> dict[str, int]:
    """By point, when no delivery can end earlier, were all closed ways open; none where no vehicle gets in."""
    model = Model(replace(scene.scenario, closures=frozenset()))
    speed = max(vehicle.speed_factor for vehicle in scene.fleet)
    ends = _ends(scene, model, model.minutes(speed))
    if any(end > scene.scenario.deadline_min for end in ends.values()):
        ends = _ends(scene, model, model.shortest(speed))  # by whatever stops: slow on large tables
    return ends


def _ends(scene: Scene, model: Model, minutes: IntArray) -> dict[str, int]:
    sources = scene.scenario.sources
    loaded: dict[float, list[int]] = {}  # by size of vehicle: when the first one is loaded at each source
    for node, free, size in {(v.node, v.free_min, v.size) for v in scene.fleet}:
        at = [free + int(minutes[node, s]) + source.load_fixed_min for s, source in enumerate(sources)]
        loaded[size] = [min(pair) for pair in zip(at, loaded.get(size, at), strict=True)]
    ends = {}
    for point in scene.scenario.points:
        fit = [at for size, at in loaded.items() if size <= point.max_size]
        if point.id in scene.missing and fit:
            to = minutes[: len(sources), model.node_index[point.id]]
            soonest = min(when + int(way) for at in fit for when, way in zip(at, to, strict=True))
            ends[point.id] = soonest + point.unload_fixed_min
    return ends


def _too_small(scene: Scene) -> Iterator[Cause]:
    """Items of which no vehicle holds a single pack."""
    for item in scene.scenario.items:
        whole = any(row.item == item.id and row.quantity >= item.pack for row in scene.scenario.supply)
        kg, m3 = item.pack * item.weight_kg, item.pack * item.volume_m3
        fits = any(v.payload_kg >= kg - SLACK and v.volume_m3 >= m3 - SLACK for v in scene.fleet)
        if scene.short.get(item.id) and whole and not fits:
            yield Cause(
                f"没有一辆车装得下一包{item.name_zh}（{kg:,g} 公斤、{m3:,g} 立方米）："
                "请派更大的车，或拆成小包",
                f"no vehicle holds one pack of {item.name_en} ({kg:,g} kg, {m3:,g} m3): "
                "send larger vehicles or smaller packs",
                scene.goes_without(scene.blocked[item.id]),
                item=item.id,
            )
