"""PURE: a scenario as a variant of a plan request wants it: drawing on some modes only, and with what it assumes.

What only leaves something out can be carried out; what assumes something is a what-if, and is marked so in the
scenario (`assumed`). Nothing but the scenario that is given changes: its copy does.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from copy import deepcopy
from typing import Any

from chubei_shared.contracts import assumptions as a
from chubei_shared.contracts.base import Mode

from chubei_allocation import scenarios
from chubei_allocation.planner.whatif import crews_earlier, more_berths
from chubei_allocation.scenarios import Unplannable

Json = dict[str, Any]


def varied(scenario: Json, modes: Sequence[Mode] | None, assume: Sequence[a.Assumption]) -> Json:
    """A copy of the scenario with this done to it. Raises Unplannable: an assumption names what is not there."""
    if modes is None and not assume:
        return scenario
    made = deepcopy(scenario)
    if modes is not None:
        _draw_on(made, set(modes))
    for row in assume:
        try:
            _EDITS[type(row)](made, row)
        except KeyError as error:
            raise Unplannable(
                f"assume:情景中没有 {error.args[0]}({row.kind}),请改正或去掉 / "
                f"assume: the scenario has no {error.args[0]} ({row.kind}): correct it or leave it out"
            ) from error
    if assume:
        made["assumed"] = [row.model_dump(mode="json") for row in assume]
    return made


def _draw_on(scenario: Json, modes: set[Mode]) -> None:
    """Leave out the goods of other modes, but for what trips that have begun took of them."""
    taken: Counter[tuple[str, str]] = Counter()
    for trip in scenario["committed"]:
        for visit in trip["visits"]:
            taken.update({(visit["node"], item): units for item, units in visit.get("load", {}).items()})
    kept = []
    for row in scenario["supply"]:
        if Mode(row["mode"]) in modes:
            kept.append(row)
            continue
        used = taken[row["source"], row["item"]]
        if used:
            kept.append(row | {"quantity": used})
        scenario["left_out"].append(
            {
                "place": scenarios.place_of(row["source"]),
                "item": row["item"],
                "mode": row["mode"],
                "quantity": row["quantity"] - used,
                "why": "本方案按要求不动用 / not to be drawn on, as was asked",
            }
        )
    scenario["supply"] = kept
    scenario["modes"] = sorted(modes)


def _more_vehicles(scenario: Json, change: a.MoreVehicles) -> None:
    _one(scenario["vehicles"], "type", change.type)["count"] += change.count


def _fewer_vehicles(scenario: Json, change: a.FewerVehicles) -> None:
    """As lost, so that trips that have begun keep theirs: the highest numbers first."""
    kind = _one(scenario["vehicles"], "type", change.type)
    lost = set(kind.get("lost", []))
    there = [number for number in range(kind["count"], 0, -1) if number not in lost]
    kind["lost"] = sorted(lost | set(there[: change.count]))


def _more_goods(scenario: Json, change: a.MoreGoods) -> None:
    """On the stock that is there; else on what there is of it in another mode; else as stock from the start."""
    _one(scenario["sources"], "id", change.place_id)
    _one(scenario["items"], "id", change.item_code)
    rows = [
        row
        for row in scenario["supply"]
        if scenarios.place_of(row["source"]) == change.place_id and row["item"] == change.item_code
    ]
    for row in sorted(rows, key=lambda row: row["mode"] != Mode.PHYSICAL):
        row["quantity"] += change.units
        return
    scenario["supply"].append(
        {
            "source": change.place_id,
            "item": change.item_code,
            "mode": Mode.PHYSICAL.value,
            "quantity": change.units,
            "available_min": 0,
            "rate_per_hour": None,
        }
    )


def _goods_earlier(scenario: Json, change: a.GoodsEarlier) -> None:
    _one(scenario["sources"], "id", change.place_id)
    for row in scenario["supply"]:
        if scenarios.place_of(row["source"]) == change.place_id:
            row["available_min"] = max(0, row["available_min"] - change.minutes)


def _more_docks(scenario: Json, change: a.MoreDocks) -> None:
    source = _one(scenario["sources"], "id", change.place_id)
    source["docks"] = _rows(more_berths(_steps(source["docks"]), change.docks))


def _crews_earlier(scenario: Json, change: a.CrewsEarlier) -> None:
    for source in _at(scenario, change.place_id):
        source["docks"] = _rows(crews_earlier(_steps(source["docks"]), change.minutes))


def _lost_site(scenario: Json, change: a.LostSite) -> None:
    for source in _at(scenario, change.place_id):
        source["docks"] = [[0, 0]]


def _more_bays(scenario: Json, change: a.MoreBays) -> None:
    point = _one(scenario["points"], "id", change.shelter_id)
    point["bays"] = _rows(more_berths(_steps(point["bays"]), change.bays))


def _faster(scenario: Json, change: a.FasterHandOut) -> None:
    point = _one(scenario["points"], "id", change.shelter_id)
    if point.get("hand_out_per_hour") is not None:
        point["hand_out_per_hour"] += change.people_per_hour


def _more_people(scenario: Json, change: a.MorePeople) -> None:
    _one(scenario["points"], "id", change.shelter_id)["people"] += change.people


def _way_open(scenario: Json, change: a.WayOpen) -> None:
    ends = {(change.a, change.b), (change.b, change.a)}
    left = [way for way in scenario["closures"] if _places(way) not in ends]
    if len(left) == len(scenario["closures"]):
        raise KeyError(f"{change.a}→{change.b}")
    scenario["closures"] = left


def _way_closed(scenario: Json, change: a.WayClosed) -> None:
    nodes = [node["id"] for node in (*scenario["sources"], *scenario["points"])]
    at = {end: [node for node in nodes if scenarios.place_of(node) == end] for end in (change.a, change.b)}
    if missing := [end for end, found in at.items() if not found]:
        raise KeyError(missing[0])
    ways = [[a, b] for a in at[change.a] for b in at[change.b]]
    new = [way for way in (*ways, *([b, a] for a, b in ways)) if way not in scenario["closures"]]
    scenario["closures"] = [*scenario["closures"], *new]


_EDITS: dict[type[Any], Callable[[Json, Any], None]] = {
    a.MoreVehicles: _more_vehicles,
    a.FewerVehicles: _fewer_vehicles,
    a.MoreGoods: _more_goods,
    a.GoodsEarlier: _goods_earlier,
    a.MoreDocks: _more_docks,
    a.CrewsEarlier: _crews_earlier,
    a.LostSite: _lost_site,
    a.MoreBays: _more_bays,
    a.FasterHandOut: _faster,
    a.MorePeople: _more_people,
    a.WayOpen: _way_open,
    a.WayClosed: _way_closed,
}


def _one(rows: Iterable[Json], key: str, name: str) -> Json:
    for row in rows:
        if row[key] == name:
            return row
    raise KeyError(name)


def _at(scenario: Json, place_id: str) -> list[Json]:
    """All sources that stand for a place."""
    found = [source for source in scenario["sources"] if scenarios.place_of(source["id"]) == place_id]
    if not found:
        raise KeyError(place_id)
    return found


def _places(way: list[str]) -> tuple[str, str]:
    return scenarios.place_of(way[0]), scenarios.place_of(way[1])


def _steps(berths: int | list[list[int]]) -> tuple[tuple[int, int], ...]:
    return ((0, berths),) if isinstance(berths, int) else tuple((begin, n) for begin, n in berths)


def _rows(steps: tuple[tuple[int, int], ...]) -> list[list[int]]:
    return [[begin, number] for begin, number in steps]


# In words


def told(row: a.Assumption) -> tuple[str, str]:
    """An assumption in Chinese and in English."""
    return _WORDS[type(row)](row)


_WORDS: dict[type[Any], Callable[[Any], tuple[str, str]]] = {
    a.MoreVehicles: lambda row: (
        f"{row.type} 增加 {row.count} 辆",
        f"{row.count} more vehicles {row.type}",
    ),
    a.FewerVehicles: lambda row: (
        f"{row.type} 减少 {row.count} 辆",
        f"{row.count} fewer vehicles {row.type}",
    ),
    a.MoreGoods: lambda row: (
        f"{row.place_id} 增加 {row.item_code} {row.units:,} 件",
        f"{row.units:,} more of {row.item_code} at {row.place_id}",
    ),
    a.GoodsEarlier: lambda row: (
        f"{row.place_id} 货物提前 {row.minutes} 分钟",
        f"goods of {row.place_id} {row.minutes} min earlier",
    ),
    a.MoreDocks: lambda row: (
        f"{row.place_id} 增加 {row.docks} 个装车位",
        f"{row.docks} more docks at {row.place_id}",
    ),
    a.CrewsEarlier: lambda row: (
        f"{row.place_id} 班组提前 {row.minutes} 分钟",
        f"crews of {row.place_id} {row.minutes} min earlier",
    ),
    a.LostSite: lambda row: (
        f"{row.place_id} 不能装货",
        f"nothing can be loaded at {row.place_id}",
    ),
    a.MoreBays: lambda row: (
        f"{row.shelter_id} 增加 {row.bays} 个卸车位",
        f"{row.bays} more bays at {row.shelter_id}",
    ),
    a.FasterHandOut: lambda row: (
        f"{row.shelter_id} 每小时多发 {row.people_per_hour:,} 人",
        f"{row.people_per_hour:,} more people an hour handed out to at {row.shelter_id}",
    ),
    a.MorePeople: lambda row: (
        f"{row.shelter_id} 增加 {row.people:,} 人",
        f"{row.people:,} more people at {row.shelter_id}",
    ),
    a.WayOpen: lambda row: (
        f"{row.a} 与 {row.b} 之间恢复通行",
        f"the way between {row.a} and {row.b} is open",
    ),
    a.WayClosed: lambda row: (
        f"{row.a} 与 {row.b} 之间断路",
        f"the way between {row.a} and {row.b} is closed",
    ),
}
