"""PURE: what a replan does with each trip of the plan in force that has not begun, in words, and which it adds."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any
from uuid import UUID

from chubei_shared.contracts.plans import TripChange, TripFate

Json = dict[str, Any]


def differences(scenario: Json, plan: Json) -> list[TripChange]:
    """Trip by trip of a replan: kept and changed ones, new ones, then those that are dropped.

    A trip is the same with the same vehicle, places, times and goods; it is changed where at least its vehicle and
    its first loading place are the same.
    """
    previous = scenario["previous"]
    old = dict(enumerate(previous["trips"]))
    new = {number: trip for number, trip in enumerate(plan["trips"]) if number >= len(scenario["committed"])}
    same = _pair(old, new, _whole)
    alike = _pair(_without(old, {a for a, _ in same}), _without(new, {b for _, b in same}), _first)
    tell = _Words(scenario)
    rows = []
    for a, b in sorted([*same, *alike], key=lambda pair: pair[1]):
        fate = TripFate.KEPT if (a, b) in same and not old[a]["late_min"] else TripFate.CHANGED
        zh, en = tell.kept(new[b]) if fate is TripFate.KEPT else tell.changed(old[a], new[b])
        rows.append(_row(fate, old[a], b, zh, en))
    for b in sorted(new.keys() - {b for _, b in (*same, *alike)}):
        zh, en = tell.new(new[b])
        rows.append(
            TripChange(
                fate=TripFate.NEW, order_id=None, number=None, vehicle=new[b]["vehicle"], trip=b, zh=zh, en=en
            )
        )
    for a in sorted(old.keys() - {a for a, _ in (*same, *alike)}):
        zh, en = tell.dropped(old[a]["vehicle"], [visit["node"] for visit in old[a]["visits"]])
        rows.append(_row(TripFate.DROPPED, old[a], None, zh, en))
    for trip in previous["without"]:
        zh, en = tell.dropped(trip["vehicle"], trip["places"])
        rows.append(_row(TripFate.DROPPED, trip, None, zh, en))
    return rows


def _row(fate: TripFate, old: Json, trip: int | None, zh: str, en: str) -> TripChange:
    return TripChange(
        fate=fate,
        order_id=UUID(old["order"]),
        number=old["number"],
        vehicle=old["vehicle"],
        trip=trip,
        zh=f"{old['number']} {zh}",
        en=f"{old['number']} {en}",
    )


def _pair(old: dict[int, Json], new: dict[int, Json], key: Callable[[Json], Any]) -> list[tuple[int, int]]:
    """Pairs of one key, in their order; each trip once."""
    waiting: dict[Any, list[int]] = {}
    for b in sorted(new, key=lambda b: new[b]["visits"][0]["start"]):
        waiting.setdefault(key(new[b]), []).append(b)
    pairs = []
    for a in sorted(old, key=lambda a: old[a]["visits"][0]["start"]):
        if found := waiting.get(key(old[a])):
            pairs.append((a, found.pop(0)))
    return pairs


def _without(trips: dict[int, Json], numbers: set[int]) -> dict[int, Json]:
    return {number: trip for number, trip in trips.items() if number not in numbers}


def _whole(trip: Json) -> tuple[Any, ...]:
    """All but the first arrival: the planner lets a vehicle that has not begun set out from where it last stood, and
    so has one that waits at its dock already come there anew."""
    first, *others = ((v["node"], v["arrive"], v["start"], v["end"], _goods(v)) for v in trip["visits"])
    return trip["vehicle"], first[0], *first[2:], *others


def _first(trip: Json) -> tuple[str, str]:
    return trip["vehicle"], trip["visits"][0]["node"]


def _goods(visit: Json) -> tuple[tuple[str, int], ...]:
    return tuple(sorted((visit.get("load") or visit.get("deliver") or {}).items()))


class _Words:
    """The words, with the names of a scenario."""

    def __init__(self, scenario: Json) -> None:
        nodes = (*scenario["sources"], *scenario["points"])
        self._zh = {node["id"]: node["name_zh"] for node in nodes}
        self._en = {node["id"]: node["name_en"] for node in nodes}

    def kept(self, trip: Json) -> tuple[str, str]:
        zh, en = self._way(trip["vehicle"], self._nodes(trip))
        return f"{zh}:不变", f"{en}: as it was"

    def new(self, trip: Json) -> tuple[str, str]:
        zh, en = self._way(trip["vehicle"], self._nodes(trip))
        start = trip["visits"][0]["start"]
        return f"{zh}:新增,第 {start} 分钟装车", f"{en}: new, loads at minute {start}"

    def dropped(self, vehicle: str, nodes: Sequence[str]) -> tuple[str, str]:
        zh, en = self._way(vehicle, nodes)
        return f"{zh}:取消", f"{en}: dropped"

    def changed(self, old: Json, new: Json) -> tuple[str, str]:
        """Where it goes, when it loads, what it carries: each where it is another than before."""
        zh, en = self._way(new["vehicle"], self._nodes(new))
        told = list(self._changes(old, new))
        return f"{zh}:{';'.join(t for t, _ in told)}", f"{en}: {'; '.join(t for _, t in told)}"

    def _changes(self, old: Json, new: Json) -> Iterator[tuple[str, str]]:
        if self._nodes(old) != self._nodes(new):
            zh, en = self._way("", self._nodes(old))
            yield f"原为{zh}", f"was{en}"
        before, now = old["visits"][0]["start"] - old["late_min"], new["visits"][0]["start"]
        if before != now:
            yield f"第 {now} 分钟装车(原 {before})", f"loads at minute {now} (was {before})"
        if [_goods(v) for v in old["visits"]] != [_goods(v) for v in new["visits"]]:
            yield "货物有变", "other goods"
        ends = old["visits"][-1]["end"] - old["late_min"], new["visits"][-1]["end"]
        if ends[0] != ends[1]:
            yield f"第 {ends[1]} 分钟卸完(原 {ends[0]})", f"is through at minute {ends[1]} (was {ends[0]})"
        elif before == now and self._nodes(old) == self._nodes(new):
            yield "中途时刻有变", "other times on the way"

    def _nodes(self, trip: Json) -> list[str]:
        return [visit["node"] for visit in trip["visits"]]

    def _way(self, vehicle: str, nodes: Sequence[str]) -> tuple[str, str]:
        zh = "→".join(self._zh.get(node, node) for node in nodes)
        en = " → ".join(self._en.get(node, node) for node in nodes)
        return f"{vehicle} {zh}", f"{vehicle} {en}"
