"""PURE: from an incident, the district and a snapshot of inventory to a planning-scenario/1, and back.

The format has one row for an item at a source. Where a place offers an item in several modes (stock and a
line, say), the later mode becomes a second source in the same place, with the id `<place>~<mode>`; no
place's own id can hold a ~, so `place_of` leads back. The place's docks are shared out between them, never
counted twice.
"""

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from chubei_shared.contracts.base import Mode
from chubei_shared.contracts.catalogue import Item, Kit, Place, PlaceKind
from chubei_shared.contracts.demands import DemandView
from chubei_shared.contracts.incidents import DemandPoint, IncidentView
from chubei_shared.contracts.network import CrewStep, LoadingSite, Network, Shelter, VehicleType
from chubei_shared.contracts.reserves import Snapshot, SupplyRow

from chubei_allocation import given, needs, turnout
from chubei_allocation.given import Conditions, InForce

Json = dict[str, Any]

_KINDS = {
    PlaceKind.STORE: "warehouse",
    PlaceKind.SPECIAL: "warehouse",
    PlaceKind.STREET: "warehouse",
    PlaceKind.SUPPLIER: "supplier",
    PlaceKind.MAKER: "producer",
}
_MODES = list(Mode)  # the order in which the trade draws on them


class Unplannable(ValueError):
    """No scenario can be made of this, or no plan; the text is for people, in Chinese and English."""


def assemble(
    incident: IncidentView,
    network: Network,
    snapshot: Snapshot,
    policy: str,
    now_min: int,
    *,
    conditions: Conditions | None = None,
    in_force: InForce | None = None,
    there: turnout.Turnout = turnout.STANDING,
) -> Json:
    """The planning-scenario/1 for a plan that begins at `now_min`. Raises Unplannable.

    What can not take part is named under `left_out`, with the reason. A replan of the plan `in_force` (whose hold the
    snapshot counts as released) has its trips that began as `committed`, the others under `previous`.
    `there`: who was called out and what suppliers confirmed; without it the standing values count.
    """
    conditions = conditions or Conditions()
    deadline_min = int((incident.deadline_at - incident.occurred_at).total_seconds() // 60)
    if now_min >= deadline_min:
        raise Unplannable(
            f"已过第 {deadline_min} 分钟的时限 / the deadline, minute {deadline_min}, has passed"
        )
    if network.district is None:
        raise Unplannable("尚未录入区情 / the district is not known yet: put /v1/district first")
    left_out: list[Json] = []
    if not (incident.points or incident.demands or incident.granted):
        raise Unplannable("没有人,也没有需求 / nobody is anywhere, and nothing is asked for")
    shelters = {shelter.id: shelter for shelter in network.shelters}
    known_kits = {kit.id: kit for kit in snapshot.kits}
    kit_at = needs.kits_of(incident, shelters, known_kits, left_out)
    kits = _kits(kit_at.values(), known_kits)
    demands = needs.usable_demands(incident, kit_at, kits, snapshot.items, left_out)
    items = _items(kits, demands, snapshot.items)
    places = {place.id: place for place in snapshot.places}
    sites = turnout.sites(_usable_sites(network.loading_sites, places, left_out), there, left_out)
    taken = in_force.taken() if in_force else {}
    heard = turnout.supply(snapshot.supply, there, items, now_min, taken, left_out)
    counted = given.supply(_merged(heard), now_min, conditions, in_force)
    rows = _usable_rows(counted, sites, items, now_min, deadline_min, left_out)
    sources, supply = _sources(given.open_sites(sites, conditions), places, rows, now_min, left_out)
    points = _points(incident.points, demands, kit_at, shelters, _on_hand(snapshot, items, in_force))
    kit_rows, points = needs.raise_kits(map(_kit, kits.values()), points, incident.granted)
    nodes = [node["id"] for node in (*sources, *points)]
    fleet = _vehicles(network.vehicle_types, sites, conditions, left_out)
    scenario: Json = {
        "format": "planning-scenario/1",
        "name": incident.name,
        "incident": str(incident.id),
        "exercise": incident.exercise,
        "setting": incident.setting,
        "season": incident.season,
        "occurred_at": incident.occurred_at.isoformat(),
        "snapshot_at": snapshot.taken_at.isoformat(),
        "catalogue_version": snapshot.catalogue_version,
        "attributions": network.district.attributions,
        "deadline_min": deadline_min,
        "now_min": now_min,
        "policy": policy,
        "items": [_item(item) for item in items.values()],
        "kits": kit_rows,
        "sources": sources,
        "supply": supply,
        "points": points,
        "demands": needs.demand_rows(demands),
        "vehicles": turnout.fleet(fleet, there, left_out),
        "travel": {
            "kind": "geodesic",
            "circuity": network.district.circuity,
            "speed_kmh": network.district.speed_kmh,
        },
        "closures": _closures([*incident.closures, *conditions.closures], nodes),
        "late": [[*key, minutes] for key, minutes in sorted(conditions.late_min.items())],
        "committed": [],
        "based_on": there.based_on(),
        "left_out": left_out,
    }
    if in_force:
        scenario["committed"] = given.committed(in_force, scenario, conditions, left_out)
        scenario["at_risk"] = given.at_risk(in_force, conditions)
        scenario["previous"] = given.previous(in_force, scenario)
    return scenario


def digest(scenario: Json) -> str:
    """SHA-256 over the scenario's canonical JSON (sorted keys, no spaces, UTF-8)."""
    text = json.dumps(scenario, sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def place_of(source_id: str) -> str:
    """The place that a source stands for."""
    return source_id.partition("~")[0]


def modes(scenario: Json) -> dict[tuple[str, str], Mode]:
    """The mode of each supply row, by source and item."""
    return {(row["source"], row["item"]): Mode(row["mode"]) for row in scenario["supply"]}


def _kits(chosen: Iterable[str], by_id: Mapping[str, Kit]) -> dict[str, Kit]:
    wanted = sorted(set(chosen))
    if missing := [kit_id for kit_id in wanted if kit_id not in by_id]:
        raise Unplannable(
            f"目录中没有救助标准 {', '.join(missing)} / inventory has no kit {', '.join(missing)}: put it first"
        )
    return {kit_id: by_id[kit_id] for kit_id in wanted}


def _items(kits: Mapping[str, Kit], demands: list[DemandView], known: list[Item]) -> dict[str, Item]:
    """The items that somebody needs: the others have no part in the plan."""
    wanted = {need.item_code for kit in kits.values() for need in kit.needs}
    wanted |= {demand.item_code for demand in demands}
    found = {item.code: item for item in sorted(known, key=lambda item: item.code) if item.code in wanted}
    if missing := sorted(wanted - set(found)):
        raise Unplannable(
            f"目录中没有物资 {', '.join(missing)} / inventory has no item {', '.join(missing)}: put it first"
        )
    return found


def _usable_sites(
    sites: list[LoadingSite], places: Mapping[str, Place], left_out: list[Json]
) -> Iterator[LoadingSite]:
    for site in sites:
        place = places.get(site.place_id)
        if place is None:
            left_out.append(
                {"place": site.place_id, "why": "库存服务中没有此地点 / not a place in inventory"}
            )
        elif place.kind not in _KINDS:
            left_out.append({"place": site.place_id, "why": f"{place.kind}:不是货源 / not a source of goods"})
        elif place.lon is None or place.lat is None:
            left_out.append({"place": site.place_id, "why": "没有坐标 / has no coordinates"})
        else:
            yield site


def _usable_rows(
    supply: Iterable[SupplyRow],
    sites: Mapping[str, LoadingSite],
    items: Mapping[str, Item],
    now_min: int,
    deadline_min: int,
    left_out: list[Json],
) -> list[SupplyRow]:
    rows = []
    for row in supply:
        if row.item_code not in items or not (row.quantity or row.likely):
            continue
        what = {
            "place": row.place_id,
            "item": row.item_code,
            "mode": row.mode.value,
            "quantity": row.quantity,
        }
        if not row.quantity:
            why = f"{row.basis.zh} / {row.basis.en}" if row.basis else "不计入 / none of it is firm"
            left_out.append({**what, "quantity": row.likely, "why": why})
        elif row.place_id not in sites:
            left_out.append({**what, "why": "该地点不能装车 / goods can not be loaded there"})
        elif now_min + row.ready_min > deadline_min:
            ready = now_min + row.ready_min
            left_out.append({**what, "why": f"第 {ready} 分钟才到位 / ready only at minute {ready}"})
        else:
            rows.append(row)
    return rows


def _merged(supply: Iterable[SupplyRow]) -> Iterator[SupplyRow]:
    """One row for an item of one mode at a place. Where there are several agreements, say, they count as one:
    never earlier than the latest of them, never faster than those that come at a rate."""
    alike: dict[tuple[str, str, Mode], list[SupplyRow]] = defaultdict(list)
    for row in supply:
        alike[row.place_id, row.item_code, row.mode].append(row)
    for group in alike.values():
        yield group[0].model_copy(
            update={
                "quantity": sum(row.quantity for row in group),
                "likely": sum(row.likely for row in group),
                "ready_min": max(row.ready_min for row in group),
                "rate_per_hour": sum(row.rate_per_hour or 0 for row in group) or None,
                "from_ids": [source for row in group for source in row.from_ids],
            }
        )


def _sources(
    sites: Mapping[str, LoadingSite],
    places: Mapping[str, Place],
    rows: list[SupplyRow],
    now_min: int,
    left_out: list[Json],
) -> tuple[list[Json], list[Json]]:
    """Every site as a source, with a further one for each mode in which it offers an item once more."""
    at_place: dict[str, dict[str | None, list[SupplyRow]]] = defaultdict(lambda: defaultdict(list))
    for place_id in sites:
        at_place[place_id][None] = []
    for row in sorted(rows, key=lambda row: (row.place_id, row.item_code, _MODES.index(row.mode))):
        there = at_place[row.place_id]
        label = next(
            label
            for label in (None, row.mode.value, f"{row.mode}.later")  # later: of a row in parts (given.py)
            if row.item_code not in {other.item_code for other in there[label]}
        )
        there[label].append(row)
    sources, supply = [], []
    for place_id, by_mode in at_place.items():
        docks = _share_docks(sites[place_id].docks, len(by_mode))
        for (mode, own), steps in zip(by_mode.items(), docks, strict=True):
            source_id = f"{place_id}~{mode}" if mode else place_id
            if mode and not any(step.manned for step in steps):
                left_out.append({"place": place_id, "mode": mode, "why": "没有空余站台 / no dock to spare"})
                continue
            sources.append(_source(source_id, places[place_id], sites[place_id], steps))
            supply += [_supply(source_id, row, now_min) for row in own]
    return sources, supply


def _share_docks(docks: list[CrewStep], count: int) -> list[list[CrewStep]]:
    """The manned docks of a place between `count` sources: the first keeps what the others do not need."""
    shared: list[list[CrewStep]] = [[] for _ in range(count)]
    for step in docks:
        spare = max(0, step.manned - 1)
        others = [1 if n < spare else 0 for n in range(count - 1)]
        for source, manned in zip(shared, [step.manned - sum(others), *others], strict=True):
            source.append(CrewStep(from_min=step.from_min, manned=manned))
    return shared


def _source(source_id: str, place: Place, site: LoadingSite, docks: list[CrewStep]) -> Json:
    return {
        "id": source_id,
        "kind": _KINDS[place.kind],
        "name_zh": place.name_zh,
        "name_en": place.name_en,
        "lon": place.lon,
        "lat": place.lat,
        "docks": [[step.from_min, step.manned] for step in sorted(docks, key=lambda step: step.from_min)],
        "load_fixed_min": site.load_fixed_min,
        "load_kg_per_min": site.load_kg_per_min,
        "provenance": site.provenance.model_dump(mode="json"),
    }


def _supply(source_id: str, row: SupplyRow, now_min: int) -> Json:
    return {
        "source": source_id,
        "item": row.item_code,
        "mode": row.mode.value,
        "quantity": row.quantity,
        "available_min": now_min + row.ready_min,
        "rate_per_hour": row.rate_per_hour,
    }


def _item(item: Item) -> Json:
    return {
        "id": item.code,
        "name_zh": item.name_zh,
        "name_en": item.name_en,
        "pack": item.pack,
        "weight_kg": item.weight_g / 1000,
        "volume_m3": item.volume_cm3 / 1_000_000,
        "returnable": item.returnable,
        "provenance": item.provenance.model_dump(mode="json"),
    }


def _kit(kit: Kit) -> Json:
    needs = [
        {"item": need.item_code, "per_person": float(need.per_person), "tier": need.tier}
        | ({"group": need.group} if need.group else {})
        for need in kit.needs
    ]
    return {"id": kit.id, "name_zh": kit.name_zh, "name_en": kit.name_en, "needs": needs}


def _on_hand(
    snapshot: Snapshot, items: Mapping[str, Item], in_force: InForce | None
) -> dict[str, dict[str, int]]:
    on_hand: dict[str, dict[str, int]] = defaultdict(dict)
    for row in snapshot.at_points:
        if row.item_code in items and row.quantity > 0:
            on_hand[row.place_id][row.item_code] = row.quantity
    if in_force:
        return in_force.all_on_hand(on_hand)
    return on_hand


def _points(
    points: list[DemandPoint],
    demands: list[DemandView],
    kit_at: Mapping[str, str],
    shelters: Mapping[str, Shelter],
    on_hand: Mapping[str, dict[str, int]],
) -> list[Json]:
    """Where people are, and where something else is wanted."""
    settled = {point.shelter_id for point in points}
    rows = [
        _point(shelters[point.shelter_id], on_hand.get(point.shelter_id, {}))
        | {"people": point.people, "groups": point.groups, "kit": kit_at[point.shelter_id]}
        | ({"own_kit": point.kit_id} if kit_at[point.shelter_id] != point.kit_id else {})
        | ({} if point.opens_min is None else {"opens_min": point.opens_min})
        for point in points
    ]
    empty = sorted({demand.shelter_id for demand in demands if demand.shelter_id} - settled)
    rows += [_point(shelters[shelter_id], on_hand.get(shelter_id, {})) for shelter_id in empty]
    return rows + needs.site_points(demands, on_hand)


def _point(shelter: Shelter, on_hand: dict[str, int]) -> Json:
    return {
        "id": shelter.id,
        "name_zh": shelter.name_zh,
        "name_en": shelter.name_en,
        "subdistrict": shelter.subdistrict_id,
        "lon": shelter.lon,
        "lat": shelter.lat,
        "people": 0,
        "weight": shelter.weight,
        "bays": shelter.bays,
        "unload_fixed_min": shelter.unload_fixed_min,
        "unload_kg_per_min": shelter.unload_kg_per_min,
        "opens_min": shelter.opens_min,
        "hand_out_per_hour": shelter.hand_out_per_hour,
        "max_size": shelter.max_size,
        "on_hand": on_hand,
        "provenance": shelter.provenance.model_dump(mode="json"),
    }


def _vehicles(
    fleet: list[VehicleType], sites: Mapping[str, LoadingSite], conditions: Conditions, left_out: list[Json]
) -> Iterator[Json]:
    lost = given.lost_numbers(conditions)
    for kind in fleet:
        if kind.start_place_id not in sites:
            left_out.append({"vehicle": kind.id, "why": "起点不能装车 / starts where nothing can be loaded"})
            continue
        yield {
            "type": kind.id,
            "name_zh": kind.name_zh,
            "name_en": kind.name_en,
            "count": kind.count,
            "start": kind.start_place_id,
            "available_min": kind.available_min,
            "payload_kg": kind.payload_kg,
            "volume_m3": kind.volume_l / 1000,
            "speed_factor": kind.speed_factor,
            "size": kind.size,
            "lost": lost.get(kind.id, []),
            "provenance": kind.provenance.model_dump(mode="json"),
        }


def _closures(closures: Iterable[tuple[str, str]], nodes: list[str]) -> list[list[str]]:
    """The closed ways between all nodes that stand for the two places."""
    at_place: dict[str, list[str]] = defaultdict(list)
    for node in nodes:
        at_place[place_of(node)].append(node)
    return [[a, b] for start, end in closures for a in at_place[start] for b in at_place[end]]
