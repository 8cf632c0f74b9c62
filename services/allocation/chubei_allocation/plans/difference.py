"""PURE: from one plan of an incident to another, in rows and in one paragraph that a duty officer reads aloud."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from chubei_shared.contracts.alternatives import (
    CallOffDifference,
    ItemDifference,
    PlanDifference,
    PointDifference,
    TripDifference,
)
from chubei_shared.contracts.base import Mode

from chubei_allocation.planner import Figures, changes, parse_scenario, parse_trips
from chubei_allocation.plans import outcomes

Json = dict[str, Any]
_TOLD = 3
"""So many shelters or call-offs are named in the paragraph; all of them stand in the rows."""


@dataclass(frozen=True)
class Side:
    """A plan with the scenario that it answers and what the checker makes of it."""

    id: UUID
    scenario: Json
    plan: Json
    figures: Figures

    @property
    def last_min(self) -> int | None:
        return outcomes.last_delivery_min(self.plan)


def difference(old: Side, new: Side, fates: Sequence[str] | None = None) -> PlanDifference:
    """What the new plan does otherwise than the old one. Quantities in units, times in minutes since the incident.

    `fates`: of a replan of the old one, what becomes of each of its trips that had not begun, as its orders will show.
    """
    points, items, call_offs, trips = (
        _points(old, new),
        _items(old, new),
        _call_offs(old, new),
        _trips(old, new) if fates is None else _by_fate(fates),
    )
    zh, en = _paragraph(old, new, points, call_offs, trips)
    return PlanDifference(
        from_plan=old.id,
        to_plan=new.id,
        zh=zh,
        en=en,
        supported_from=old.figures.supported,
        supported_to=new.figures.supported,
        settled_from=old.figures.settled,
        settled_to=new.figures.settled,
        mean_wait_min_from=old.figures.mean_wait_min,
        mean_wait_min_to=new.figures.mean_wait_min,
        last_delivery_min_from=old.last_min,
        last_delivery_min_to=new.last_min,
        points=points,
        items=items,
        call_offs=call_offs,
        trips=trips,
    )


def _points(old: Side, new: Side) -> list[PointDifference]:
    named = _names(old, new)
    rows = []
    for point in sorted(old.figures.points.keys() | new.figures.points.keys()):
        before, after = old.figures.points.get(point), new.figures.points.get(point)
        row = PointDifference(
            point=point,
            name_zh=named[point][0],
            name_en=named[point][1],
            supported_from=before.supported if before else 0,
            supported_to=after.supported if after else 0,
            settled_from=before.settled if before else 0,
            settled_to=after.settled if after else 0,
        )
        if (row.supported_from, row.settled_from) != (row.supported_to, row.settled_to):
            rows.append(row)
    return sorted(
        rows, key=lambda row: (row.supported_to - row.supported_from, row.settled_to - row.settled_from)
    )


def _items(old: Side, new: Side) -> list[ItemDifference]:
    named = _names(old, new)
    before, after = (_by_item(side) for side in (old, new))
    rows = [
        ItemDifference(
            item_code=item,
            name_zh=named[item][0],
            name_en=named[item][1],
            units_from=before.get(item, 0),
            units_to=after.get(item, 0),
        )
        for item in sorted(before.keys() | after.keys())
        if before.get(item, 0) != after.get(item, 0)
    ]
    return sorted(rows, key=lambda row: row.units_to - row.units_from)


def _by_item(side: Side) -> dict[str, int]:
    sums: dict[str, int] = {}
    for (_, item, _), units in outcomes.loaded(side.scenario, side.plan).items():
        sums[item] = sums.get(item, 0) + units
    return sums


def _call_offs(old: Side, new: Side) -> list[CallOffDifference]:
    named = _names(old, new)
    before, after = (outcomes.called_off(side.scenario, side.plan) for side in (old, new))
    rows = [
        CallOffDifference(
            place_id=row[0],
            name_zh=named[row[0]][0],
            name_en=named[row[0]][1],
            item_code=row[1],
            item_zh=named[row[1]][0],
            item_en=named[row[1]][1],
            mode=row[2],
            units_from=before.get(row, 0),
            units_to=after.get(row, 0),
        )
        for row in sorted(before.keys() | after.keys())
        if before.get(row, 0) != after.get(row, 0)
    ]
    return sorted(rows, key=lambda row: row.units_to - row.units_from)


def _trips(old: Side, new: Side) -> TripDifference:
    old_trips = parse_trips(old.plan, parse_scenario(old.scenario))
    scenario = parse_scenario(new.scenario)
    found = changes(scenario, old_trips, parse_trips(new.plan, scenario))
    return TripDifference(kept=found.kept, changed=found.changed, dropped=found.dropped, new=found.new)


def _by_fate(fates: Sequence[str]) -> TripDifference:
    return TripDifference.model_validate({name: fates.count(name) for name in TripDifference.model_fields})


def _names(old: Side, new: Side) -> dict[str, tuple[str, str]]:
    return outcomes.names(old.scenario) | outcomes.names(new.scenario)


# In words


def _paragraph(
    old: Side,
    new: Side,
    points: list[PointDifference],
    call_offs: list[CallOffDifference],
    trips: TripDifference,
) -> tuple[str, str]:
    told = [
        *_people(old, new, points),
        *_minutes(old, new),
        *_called_off(call_offs),
        (
            f"车次:{trips.kept} 趟不变,{trips.changed} 趟有变,新增 {trips.new} 趟,取消 {trips.dropped} 趟",
            f"trips: {trips.kept} as they were, {trips.changed} changed, {trips.new} new, {trips.dropped} dropped",
        ),
    ]
    zh, en = ";".join(row[0] for row in told), "; ".join(row[1] for row in told)
    return f"与前一方案相比:{zh}。", f"Compared with the plan before: {en}."


def _people(old: Side, new: Side, points: list[PointDifference]) -> list[tuple[str, str]]:
    a, b = old.figures, new.figures
    told = [
        _more(b.supported - a.supported, "救助", "supports", b.supported, b.people),
        _more(b.settled - a.settled, "安置", "settles", b.settled, b.people),
    ]
    fewer = [row for row in points if row.supported_to < row.supported_from]
    more = [row for row in reversed(points) if row.supported_to > row.supported_from]
    for rows, zh, en in ((more, "增加最多的是", "most gained at"), (fewer, "减少最多的是", "most lost at")):
        if rows:
            named_zh = "、".join(_point(row.name_zh, row) for row in rows[:_TOLD])
            named_en = ", ".join(_point(row.name_en, row) for row in rows[:_TOLD])
            told.append((f"{zh}{named_zh}", f"{en} {named_en}"))
    return told


def _point(name: str, row: PointDifference) -> str:
    return f"{name}({row.supported_to - row.supported_from:+,})"


def _more(change: int, zh: str, en: str, now: int, people: int) -> tuple[str, str]:
    if not change:
        return f"{zh}人数不变,为 {now:,}/{people:,}", f"{en} as many people, {now:,} of {people:,}"
    word_zh, word_en = ("多", "more") if change > 0 else ("少", "fewer")
    return (
        f"{word_zh}{zh} {abs(change):,} 人,为 {now:,}/{people:,}",
        f"{en} {abs(change):,} people {word_en}, {now:,} of {people:,}",
    )


def _minutes(old: Side, new: Side) -> list[tuple[str, str]]:
    wait = round(new.figures.mean_wait_min) - round(old.figures.mean_wait_min)
    told = [
        ("平均等待不变", "the mean wait is the same")
        if not wait
        else (
            f"平均等待{'多' if wait > 0 else '少'} {abs(wait)} 分钟",
            f"the mean wait is {abs(wait)} min {'longer' if wait > 0 else 'shorter'}",
        )
    ]
    before, after = old.last_min, new.last_min
    if before is not None and after is not None and before != after:
        late = after > before
        told.append(
            (
                f"最后一车{'晚' if late else '早'} {abs(after - before)} 分钟卸完",
                f"the last load is delivered {abs(after - before)} min {'later' if late else 'earlier'}",
            )
        )
    return told


_MODES = {
    Mode.PHYSICAL: ("实物", "stock"),
    Mode.CONTRACT: ("协议储备", "contract"),
    Mode.CAPACITY: ("产能储备", "capacity"),
    Mode.FUND: ("资金采购", "fund"),
}


def _called_off(rows: list[CallOffDifference]) -> list[tuple[str, str]]:
    if not rows:
        return [("协议、产能、资金的调用不变", "it calls off the same")]
    most = sorted(rows, key=lambda row: -abs(row.units_to - row.units_from))[:_TOLD]
    zh = "、".join(
        f"{row.name_zh}{_MODES[row.mode][0]}{row.item_zh} {row.units_to - row.units_from:+,}" for row in most
    )
    en = ", ".join(
        f"{row.item_en} from {row.name_en} ({_MODES[row.mode][1]}) {row.units_to - row.units_from:+,}"
        for row in most
    )
    rest = len(rows) - len(most)
    return [
        (
            f"调用变化:{zh}{f'等 {len(rows)} 项' if rest else ''}",
            f"call-offs: {en}{f' and {rest} more' if rest else ''}",
        )
    ]
