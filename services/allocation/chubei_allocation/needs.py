"""PURE: what an incident needs, for a planning scenario: the kit of each shelter, and demands in fixed numbers."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from chubei_shared.contracts.catalogue import Item, Kit, Place, PlaceKind, Season, Setting
from chubei_shared.contracts.demands import DemandView, GrantedView
from chubei_shared.contracts.incidents import IncidentView
from chubei_shared.contracts.network import Shelter

Json = dict[str, Any]


def kits_of(
    incident: IncidentView, shelters: Mapping[str, Shelter], known: Mapping[str, Kit], left_out: list[Json]
) -> dict[str, str]:
    """The kit of each point by its id: the catalogue's for setting and season, else the shelter's own (and a note)."""
    chosen: dict[str, str] = {}
    unmatched: dict[tuple[str, Setting], list[str]] = {}
    for point in incident.points:
        own = known.get(point.kit_id)
        if own is None:  # a fault of the district's data, which is told as such
            chosen[point.shelter_id] = point.kit_id
            continue
        setting = _setting(incident, shelters[point.shelter_id], own)
        kit = choose(known.values(), setting, incident.season, point.kit_id)
        if kit is None:
            unmatched.setdefault((point.kit_id, setting), []).append(point.shelter_id)
        chosen[point.shelter_id] = kit.id if kit else point.kit_id
    for (kit_id, setting), places in unmatched.items():
        left_out.append(
            {
                "kit": kit_id,
                "points": places,
                "setting": setting,
                "season": incident.season,
                "why": "目录中没有此环境、季节的标准,用安置点自己的 / "
                "the catalogue has no kit for this setting and season: the shelter's own is used",
            }
        )
    return chosen


def choose(kits: Iterable[Kit], setting: Setting, season: Season, own: str) -> Kit | None:
    """The kit that fits: one for just this season rather than for any, then the shelter's own, then one for just this
    setting, then by id. A kit for any setting or season fits all; None where none does.
    """
    fitting = [
        kit for kit in kits if kit.setting in (setting, Setting.ANY) and kit.season in (season, Season.ANY)
    ]
    return min(
        fitting,
        key=lambda kit: (kit.season is not season, kit.id != own, kit.setting is not setting, kit.id),
        default=None,
    )


def _setting(incident: IncidentView, shelter: Shelter, own: Kit) -> Setting:
    """Where its people are: as the incident says, else as the shelter is, else as its own kit is meant."""
    if incident.setting is not Setting.ANY:
        return incident.setting
    if shelter.indoor is not None:
        return Setting.INDOOR if shelter.indoor else Setting.OUTDOOR
    return own.setting


def usable_demands(
    incident: IncidentView,
    kit_at: Mapping[str, str],
    kits: Mapping[str, Kit],
    items: Iterable[Item],
    left_out: list[Json],
) -> list[DemandView]:
    """The demands that a plan can serve; the others are named under `left_out`, with the reason."""
    codes = {item.code for item in items}
    found = []
    for demand in with_granted(incident, kit_at, kits):
        kit = kits.get(kit_at.get(demand.place_id, ""))
        if demand.item_code not in codes:
            why = "目录中没有此物资 / inventory has no such item"
        elif kit and any(need.item_code == demand.item_code for need in kit.needs):
            why = f"已在该点救助标准 {kit.id} 中,请改人数 / is in the point's kit {kit.id}: change its people instead"
        else:
            found.append(demand)
            continue
        left_out.append(
            {
                "demand": demand.id,
                "place": demand.place_id,
                "item": demand.item_code,
                "quantity": demand.units,
                "why": why,
            }
        )
    return found


def with_granted(
    incident: IncidentView, kit_at: Mapping[str, str], kits: Mapping[str, Kit]
) -> list[DemandView]:
    """The demands, with what shelters were granted that is in no kit of theirs: in fixed numbers, by the deadline."""
    found = {(demand.place_id, demand.item_code): demand for demand in incident.demands}
    deadline_min = int((incident.deadline_at - incident.occurred_at).total_seconds() // 60)
    for more in incident.granted:
        key = more.shelter_id, more.item_code
        kit = kits.get(kit_at.get(more.shelter_id, ""))
        if kit and any(need.item_code == more.item_code for need in kit.needs):
            continue
        if same := found.get(key):
            found[key] = same.model_copy(update={"units": same.units + more.units})
        else:
            found[key] = DemandView(
                id=f"more-{more.item_code}",
                shelter_id=more.shelter_id,
                item_code=more.item_code,
                units=more.units,
                by_min=deadline_min,
                worth=more.worth,
                place_id=more.shelter_id,
            )
    return list(found.values())


def raise_kits(
    kits: Iterable[Json], points: Iterable[Json], granted: Iterable[GrantedView]
) -> tuple[list[Json], list[Json]]:
    """The kits and points of a scenario, with a kit of its own for each point that was granted more of what is in its
    kit: its people have all they need just when the kits and what was granted are there. Again is the same as once.
    """
    more: dict[str, dict[str, int]] = defaultdict(dict)
    for row in granted:
        more[row.shelter_id][row.item_code] = row.units
    plain = {kit["id"]: kit for kit in kits if "raised_from" not in kit}
    raised, placed = [], []
    for told in points:
        kit_id = told.get("raised_from") or told.get("kit")
        point = {key: value for key, value in told.items() if key != "raised_from"}
        point |= {"kit": kit_id} if kit_id else {}
        wanted = more.get(point["id"], {})
        if kit_id and point["people"] and any(need["item"] in wanted for need in plain[kit_id]["needs"]):
            own = _raised(plain[kit_id], point, wanted)
            raised.append(own)
            point |= {"kit": own["id"], "raised_from": kit_id}
        placed.append(point)
    return [*plain.values(), *raised], placed


def _raised(kit: Json, point: Json, wanted: Mapping[str, int]) -> Json:
    return {
        **kit,
        "id": f"{kit['id']}+{point['id']}",
        "raised_from": kit["id"],
        "needs": [_more(need, point, wanted.get(need["item"], 0)) for need in kit["needs"]],
    }


def _more(need: Json, point: Json, units: int) -> Json:
    """A need of a group that has nobody there becomes one of all: somebody asked for it."""
    if not units:
        return need
    members = point["groups"].get(need["group"], 0) if "group" in need else point["people"]
    if members:
        return {**need, "per_person": need["per_person"] + units / members}
    return {key: value for key, value in need.items() if key != "group"} | {
        "per_person": units / point["people"]
    }


def demand_rows(demands: Iterable[DemandView]) -> list[Json]:
    return [
        {
            "point": demand.place_id,
            "item": demand.item_code,
            "units": demand.units,
            "by_min": demand.by_min,
            "worth": demand.worth,
        }
        for demand in demands
    ]


def site_points(demands: Iterable[DemandView], on_hand: Mapping[str, dict[str, int]]) -> list[Json]:
    """A point for each site of the incident's own: nobody to feed there, but goods to bring."""
    sites = {demand.place_id: demand.site for demand in demands if demand.site}
    return [
        {
            "id": place_id,
            "name_zh": site.name_zh,
            "name_en": site.name_en,
            "lon": site.lon,
            "lat": site.lat,
            "people": 0,
            "bays": site.bays,
            "unload_fixed_min": site.unload_fixed_min,
            "unload_kg_per_min": site.unload_kg_per_min,
            "max_size": site.max_size,
            "on_hand": on_hand.get(place_id, {}),
        }
        for place_id, site in sites.items()
    ]


def places_to_open(incident: IncidentView, known: Iterable[Place]) -> list[Place]:
    """The incident's sites that inventory has no place for yet, under which it is to count what is brought there."""
    there = {place.id for place in known}
    sites = {demand.place_id: demand.site for demand in incident.demands if demand.site}
    return [
        Place.model_validate(
            {
                "id": place_id,
                "kind": PlaceKind.POINT,
                "name_zh": site.name_zh,
                "name_en": site.name_en,
                "lon": site.lon,
                "lat": site.lat,
                "provenance": {"certainty": "estimated", "source": f"事件 / incident {incident.id}"},
            }
        )
        for place_id, site in sites.items()
        if place_id not in there
    ]
