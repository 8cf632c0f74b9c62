"""Which changes are worth a try: from what binds in a plan to one more of each, a dozen at most."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from itertools import zip_longest
from math import ceil, inf

from .binding import Binding
from .scenario import Scenario, Source
from .scene import Scene
from .whatif import Change

VEHICLES = 10
EARLIER_MIN = 60
DESK_PER_HOUR = 60  # people that one desk more hands out to
LOT = 100  # units of an item, or units for so many people if that is more


def candidates(
    scene: Scene, rows: Iterable[Binding], prices: Mapping[tuple[str, str], float], most: int
) -> tuple[Change, ...]:
    """At most `most` changes: what binds before what does not, and kinds take turns so that each is tried.

    Within a kind first those that the bound's `prices` (bound.Bound) say most of, then in the order of `rows`.
    """
    by_kind: dict[tuple[bool, str], list[Change]] = defaultdict(list)
    for row in rows:
        if (change := _one_more(scene, row)) is not None:
            by_kind[not row.binds, row.kind].append(change)
    chosen: list[Change] = []
    for loose in (False, True):
        kinds = [found for (is_loose, _), found in by_kind.items() if is_loose is loose]
        for found in kinds:
            found.sort(key=lambda change: -_estimate(scene, change, prices))
            if found[0].kind == "vehicles":
                _unlike_first(scene.scenario, found)
        turns = zip_longest(*kinds)
        chosen += [change for turn in turns for change in turn if change is not None and change not in chosen]
    return tuple(chosen[:most])


def _unlike_first(scenario: Scenario, vehicles: list[Change]) -> None:
    """Types like one that comes before them, but of another store, only after all that are unlike."""
    room = {v.type: (v.payload_kg, v.volume_m3, v.speed_factor, v.size) for v in scenario.vehicles}
    seen: Counter[tuple[float, ...]] = Counter()
    turn = {}
    for change in vehicles:
        turn[change] = seen[room[change.id]]
        seen[room[change.id]] += 1
    vehicles.sort(key=lambda change: turn[change])


def _estimate(scene: Scene, change: Change, prices: Mapping[tuple[str, str], float]) -> float:
    """Utility that the relaxation would gain by a change, as far as its prices tell; 0 where they are silent."""
    scenario, name, n = scene.scenario, change.id, change.amount
    if change.kind == "items":
        return n * prices.get(("supply", f"{name}/{change.item}"), 0)
    if change.kind in ("docks", "bays"):
        return n * scenario.deadline_min * prices.get((change.kind, name), 0)
    if change.kind == "crews":
        return n * prices.get(("docks", name), 0)
    if change.kind == "desks":
        return n * scenario.deadline_min / 60 * prices.get(("desks", name), 0)
    if change.kind == "vehicles":
        kind = next(row for row in scenario.vehicles if row.type == name)
        minutes = scenario.deadline_min - max(kind.available_min, scenario.now_min)
        return n * minutes * prices.get(("time", f"{kind.payload_kg:g} kg / {kind.volume_m3:g} m3"), 0)
    return 0.0


def _one_more(scene: Scene, row: Binding) -> Change | None:
    amounts = {
        "docks": 1,
        "crews": EARLIER_MIN,
        "lead": EARLIER_MIN,
        "vehicles": VEHICLES,
        "bays": 1,
        "desks": DESK_PER_HOUR,
        "lanes": 1,
        "ways": 1,
    }
    if row.kind in amounts:
        return Change(row.kind, row.id, amounts[row.kind], other=row.other)
    store = _store_for(scene, row.item)
    return Change("items", store.id, _lot(scene, row.item), item=row.item) if store else None


def _lot(scene: Scene, item: str) -> int:
    """Whole packs: LOT units or as many as LOT people need, but not more than are short."""
    pack = next(row.pack for row in scene.scenario.items if row.id == item)
    each = max(
        (need.per_person for kit in scene.scenario.kits for need in kit.needs if need.item == item), default=0
    )
    units = min(max(LOT, ceil(LOT * each)), scene.short[item])
    return ceil(units / pack) * pack


def _store_for(scene: Scene, item: str) -> Source | None:
    """Where more of an item would be of most use: the soonest on average at those who lack it for it."""
    blocked = scene.blocked[item]

    def mean_minutes(source: Source) -> float:
        row = next((r for r in scene.scenario.supply if (r.source, r.item) == (source.id, item)), None)
        if row is None and source.kind != "warehouse":
            return inf
        if row is not None and row.rate_per_hour is not None:
            return inf  # what a maker can still make is bounded by its pace
        ways = sum(people * scene.minutes(source.id, point) for point, people in blocked.items())
        return (row.available_min if row else 0) + ways / max(1, sum(blocked.values()))

    manned = [source for source in scene.scenario.sources if any(number for _, number in source.docks)]
    best = min(manned, key=lambda source: (mean_minutes(source), source.id), default=None)
    return best if best is not None and mean_minutes(best) < inf else None


def said(scenario: Scenario, change: Change) -> tuple[str, str]:
    """A change in words, Chinese and English."""
    name, n = change.id, change.amount
    item = next((row for row in scenario.items if row.id == change.item), None)
    zh, en = {
        "docks": (f"{name} 多 {n} 个装车位", f"{n} more dock at {name}"),
        "crews": (f"{name} 的装车班组早到 {n} 分钟", f"loading crews {n} min earlier at {name}"),
        "lead": (f"{name} 早 {n} 分钟供货", f"goods of {name} {n} min earlier"),
        "vehicles": (f"多 {n} 辆 {name}", f"{n} more vehicles {name}"),
        "bays": (f"{name} 多 {n} 个卸车位", f"{n} more bay at {name}"),
        "desks": (
            f"{name} 多一个发放台（每小时多 {n} 人）",
            f"one more desk at {name} ({n} more people an hour)",
        ),
        "lanes": (
            f"{name} 的路放宽到能进大一级的车",
            f"lanes to {name} widened for vehicles one size larger",
        ),
        "ways": (
            f"打通 {name} 与 {change.other} 之间的路",
            f"the way between {name} and {change.other} opened",
        ),
        "items": (
            f"{name} 多 {n:,} 件{item.name_zh if item else ''}",
            f"{n:,} more of {item.name_en if item else ''} at {name}",
        ),
    }[change.kind]
    return zh, en
