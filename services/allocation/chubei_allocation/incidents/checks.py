"""PURE: whether an amendment makes sense of the incident as it stands. What is refused says what to do instead."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from chubei_shared.contracts import amendments as change
from chubei_shared.contracts.amendments import IncidentStatus
from chubei_shared.contracts.demands import AbsoluteDemand
from chubei_shared.contracts.incidents import CrowdedRow
from chubei_shared.errors import Conflict, Invalid

from chubei_allocation.incidents import standing as fold
from chubei_allocation.incidents.standing import Known, Standing

_MANY_TIMES = 3
"""A house's choice: a shelter may be crammed, but hardly like that."""


@dataclass(frozen=True)
class Ground:
    """What an amendment may name: the district, its sub-districts, and the places that vehicles load at."""

    known: Known
    subdistricts: Collection[str]
    sites: Collection[str]


def check(standing: Standing, told: change.Change, ground: Ground) -> None:
    """Raises Invalid or Conflict when `told` can not be said of an incident that stands so."""
    _status(standing, told.kind)
    if rule := _RULES.get(type(told)):
        rule(standing, told, ground)


def _status(standing: Standing, kind: str) -> None:
    ended = standing.status is IncidentStatus.ENDED
    if kind in ("ended", "reopened"):
        if kind not in fold.MOVES[standing.status]:
            raise Conflict(
                "事件已结束" if ended else "事件未结束,无需重新启动",
                "The incident is ended already" if ended else "The incident is not ended: nothing to reopen",
            )
    elif ended:
        refuse_ended()


def refuse_ended() -> None:
    raise Conflict(
        "事件已结束,如需继续请先重新启动(变更 reopened)",
        "The incident is ended: to go on, reopen it first (an amendment of kind reopened)",
    )


def crowding(standing: Standing, known: Known) -> Iterator[CrowdedRow]:
    """The sub-districts with more people than places in open shelters."""
    for subdistrict_id in sorted({ground.subdistrict_id for ground in known.shelters.values()}):
        inside = known.of(subdistrict_id)
        number = sum(standing.people.get(one, 0) for one in inside)
        room = sum(known.shelters[one].capacity for one in inside if one in standing.opened)
        if number > room:
            yield CrowdedRow(
                subdistrict_id=subdistrict_id,
                people=number,
                capacity=room,
                candidates=candidates(standing, subdistrict_id, known),
            )


def candidates(standing: Standing, subdistrict_id: str, known: Known) -> list[str]:
    """Which candidates could be opened there, the largest first."""
    inside = [
        one
        for one in known.of(subdistrict_id)
        if known.shelters[one].candidate and one not in standing.opened
    ]
    return sorted(inside, key=lambda one: (-known.shelters[one].capacity, one))


def check_room(
    standing: Standing,
    wanted: Mapping[str, int],
    known: Known,
    crowded: bool,
    field: str,
    never: Collection[str] = (),
) -> None:
    """Raises Invalid where a sub-district is to hold more people than it has places, and others than `never` could
    be opened."""
    for subdistrict_id, number in wanted.items():
        inside = [one for one in known.of(subdistrict_id) if one in standing.opened]
        room = sum(known.shelters[one].capacity for one in inside)
        others = [one for one in candidates(standing, subdistrict_id, known) if one not in never]
        if number and not room:
            names = ", ".join(others)
            raise Invalid(
                f"{field}:街道 {subdistrict_id} 有 {number} 人待安置,却没有安置点容量,"
                + (f"可启用备选 {names}" if others else "请先增设安置点"),
                f"{field}: Sub-district {subdistrict_id} has {number} people but no shelter with capacity: "
                + (f"open candidates: {names}" if others else "add one"),
                candidates=others,
            )
        if number > room and others and not crowded:
            names = ", ".join(f"{one} ({known.shelters[one].capacity})" for one in others)
            raise Invalid(
                f"{field}:街道 {subdistrict_id} 有 {number} 人,已启用安置点只能容 {room} 人,可启用备选 {names};"
                "确要挤住请确认“拥挤也照此办理”",
                f"{field}: Sub-district {subdistrict_id} has {number} people and places for {room} in open shelters: "
                f"open candidates {names}, or confirm that it goes ahead though crowded",
                candidates=others,
                confirm="crowded",
            )
        check_believable(field, subdistrict_id, number, room, crowded, "crowded")


def check_believable(field: str, where: str, number: int, places: int, sure: bool, how: str) -> None:
    """Raises Invalid on so many people that a digit too many is likelier, unless told to be sure.

    `how`: the field by which one says so; the problem's `confirm` names it, since its words are read by people.
    """
    if number > _MANY_TIMES * places and not sure:
        raise Invalid(
            f"{field}:{where} 只能容 {places} 人,{number} 人超过其 {_MANY_TIMES} 倍,请再核对;"
            "确有这么多人请确认",
            f"{field}: {where} has places for {places}, and {number} people are more than {_MANY_TIMES} times that: "
            "check the number, or confirm it if it is so",
            confirm=how,
            errors=[
                {
                    "field": field,
                    "problem": f"超过容量 {places} 的 {_MANY_TIMES} 倍 / "
                    f"more than {_MANY_TIMES} times its {places} places",
                    "remedy": "核对人数,属实请确认 / check the number, or confirm it",
                }
            ],
        )


def refuse_unknown(
    field: str, what_zh: str, what_en: str, named: Iterable[str], known: Collection[str]
) -> None:
    """Raises Invalid that names all that `known` does not have."""
    if missing := sorted(set(named) - set(known)):
        names = ", ".join(missing)
        raise Invalid(
            f"{field}:没有{what_zh} {names},请核对编号",
            f"{field}: there is no {what_en} {names}: correct the id",
        )


def check_members(field: str, groups: Mapping[str, int], number: int, known: Known) -> None:
    """Raises Invalid on a group that the district does not have, or more members than people."""
    if missing := sorted(set(groups) - set(known.group_shares)):
        names, have = ", ".join(missing), ", ".join(sorted(known.group_shares)) or "-"
        raise Invalid(
            f"{field}:没有人群 {names};本区的人群是 {have}",
            f"{field}: there is no group {names}: the district's are {have}",
        )
    if sum(groups.values()) > number:
        raise Invalid(
            f"{field}:各人群合计 {sum(groups.values())} 人,超过总人数 {number},每人只计入一类",
            f"{field}: the groups have {sum(groups.values())} members, more than the {number} people: count each once",
        )


def check_ways(field: str, ways: Iterable[tuple[str, str]], ground: Ground) -> None:
    nodes = {*ground.known.shelters, *ground.sites}
    refuse_unknown(field, "地点", "shelter or loading site", (node for way in ways for node in way), nodes)


def check_demand(field: str, demand: AbsoluteDemand, others: Iterable[AbsoluteDemand], known: Known) -> None:
    """Raises Invalid where a demand's place is unknown, or clashes with another demand of the incident."""
    if demand.shelter_id:
        refuse_unknown(field, "安置点", "shelter", [demand.shelter_id], known.shelters)
    for other in others:
        if other.id == demand.id:
            raise Invalid(
                f"{field}:需求编号 {demand.id} 已用,请换编号",
                f"{field}: demand {demand.id} is there already: give it another id",
            )
        same_site = demand.site and other.site and demand.site.id == other.site.id
        if same_site and demand.site != other.site:
            raise Invalid(
                f"{field}:地点 {other.site and other.site.id} 已有另一名称或坐标,请换编号",
                f"{field}: site {other.site and other.site.id} has another name or place already: give it another id",
            )
        if (same_site or (demand.shelter_id and demand.shelter_id == other.shelter_id)) and (
            demand.item_code == other.item_code
        ):
            raise Invalid(
                f"{field}:该处已有 {demand.item_code} 的需求 {other.id},请先撤销它",
                f"{field}: {demand.item_code} is wanted there already (demand {other.id}): remove that first",
            )


def _people(standing: Standing, told: change.PeopleChange, ground: Ground) -> None:
    refuse_unknown("change.by_subdistrict", "街道", "sub-district", told.by_subdistrict, ground.subdistricts)
    refuse_unknown("change.by_shelter", "安置点", "shelter", told.by_shelter, ground.known.shelters)
    if closed := sorted(one for one, n in told.by_shelter.items() if n and one not in standing.opened):
        names = ", ".join(closed)
        raise Invalid(
            f"change.by_shelter:安置点 {names} 未启用,请先启用(变更 shelters_opened)",
            f"change.by_shelter: shelter {names} is not open: open it first (shelters_opened)",
        )
    for one, number in told.by_shelter.items():
        places = ground.known.shelters[one].capacity
        check_believable("change.by_shelter", one, number, places, told.crowded, "crowded")
    check_room(standing, told.by_subdistrict, ground.known, told.crowded, "change.by_subdistrict")


def _groups(standing: Standing, told: change.GroupsChange, ground: Ground) -> None:
    refuse_unknown("change.by_subdistrict", "街道", "sub-district", told.by_subdistrict, ground.subdistricts)
    refuse_unknown("change.by_shelter", "安置点", "shelter", told.by_shelter, ground.known.shelters)
    for subdistrict_id, groups in told.by_subdistrict.items():
        number = sum(standing.people.get(one, 0) for one in ground.known.of(subdistrict_id))
        check_members(f"change.by_subdistrict.{subdistrict_id}", groups, number, ground.known)
    for shelter_id, groups in told.by_shelter.items():
        number = standing.people.get(shelter_id, 0)
        check_members(f"change.by_shelter.{shelter_id}", groups, number, ground.known)


def _opened(standing: Standing, told: change.SheltersOpened, ground: Ground) -> None:
    refuse_unknown("change.shelter_ids", "安置点", "shelter", told.shelter_ids, ground.known.shelters)
    if already := sorted(set(told.shelter_ids) & standing.opened):
        names = ", ".join(already)
        raise Invalid(
            f"change.shelter_ids:{names} 已启用", f"change.shelter_ids: {names} is open already: leave it out"
        )


def _closed(standing: Standing, told: change.SheltersClosed, ground: Ground) -> None:
    refuse_unknown("change.shelter_ids", "安置点", "shelter", told.shelter_ids, ground.known.shelters)
    if already := sorted(set(told.shelter_ids) - standing.opened):
        names = ", ".join(already)
        raise Invalid(
            f"change.shelter_ids:{names} 未启用", f"change.shelter_ids: {names} is not open: leave it out"
        )
    gone = set(told.shelter_ids)
    left = replace(standing, opened=standing.opened - gone)
    touched = sorted({ground.known.shelters[one].subdistrict_id for one in told.shelter_ids})
    numbers = {s: sum(standing.people.get(one, 0) for one in ground.known.of(s)) for s in touched}
    check_room(left, numbers, ground.known, told.crowded, "change.shelter_ids", gone)


def _delayed(_: Standing, told: change.ShelterDelayed, ground: Ground) -> None:
    refuse_unknown("change.shelter_id", "安置点", "shelter", [told.shelter_id], ground.known.shelters)


def _closures(standing: Standing, told: change.ClosuresChange, ground: Ground) -> None:
    check_ways("change.closed", told.closed, ground)
    if strange := sorted(set(told.passable) - set(standing.closures)):
        names = "; ".join(" → ".join(way) for way in strange)
        raise Invalid(
            f"change.passable:{names} 并未封闭", f"change.passable: {names} is not closed: leave it out"
        )


def _demanded(standing: Standing, told: change.DemandAdded, ground: Ground) -> None:
    check_demand("change.demand", told.demand, standing.demands, ground.known)


def _removed(standing: Standing, told: change.DemandRemoved, _: Ground) -> None:
    refuse_unknown(
        "change.demand_id", "需求", "demand", [told.demand_id], {one.id for one in standing.demands}
    )


def _granted(standing: Standing, told: change.MoreGranted, ground: Ground) -> None:
    refuse_unknown("change.shelter_id", "安置点", "shelter", [told.shelter_id], ground.known.shelters)
    if told.shelter_id not in standing.opened and not standing.people.get(told.shelter_id):
        raise Invalid(
            f"change.shelter_id:安置点 {told.shelter_id} 未启用,也没有人,请先启用(变更 shelters_opened)",
            f"change.shelter_id: shelter {told.shelter_id} is not open and nobody is there: "
            "open it first (shelters_opened)",
        )
    for item, units in told.units.items():
        had = standing.granted.get((told.shelter_id, item))
        if not units or units + (had.units if had else 0) < 0:
            raise Invalid(
                f"change.units:{item} 不能为 0,收回不能多于已增补的 {had.units if had else 0}",
                f"change.units: of {item} give some; no more can be taken back than the "
                f"{had.units if had else 0} that were granted",
            )


_RULES: Mapping[type[Any], Callable[[Standing, Any, Ground], None]] = {
    change.PeopleChange: _people,
    change.GroupsChange: _groups,
    change.SheltersOpened: _opened,
    change.SheltersClosed: _closed,
    change.ShelterDelayed: _delayed,
    change.ClosuresChange: _closures,
    change.DemandAdded: _demanded,
    change.DemandRemoved: _removed,
    change.MoreGranted: _granted,
}
