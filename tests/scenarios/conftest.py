"""The sample district, and the planning scenario that its figures make when the duty falls due."""

from collections import defaultdict
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from chubei_cli.district import District, group_members, load_district, people_of

SAMPLE = Path(__file__).parents[2] / "deploy" / "scenarios" / "xicheng"


@pytest.fixture(scope="session")
def sample() -> Path:
    return SAMPLE


@pytest.fixture(scope="session")
def district() -> District:
    return load_district(SAMPLE)


@pytest.fixture(scope="session")
def build_scenario() -> Callable[..., dict[str, Any]]:
    return scenario_of


def scenario_of(district: District, share: Decimal | None = None) -> dict[str, Any]:
    """The planning-scenario/1 of the whole district, ordered in minute 0, when `share` needs relief."""
    about = district.about
    people = people_of(district, share)
    members = group_members(district, people)
    on_hand: defaultdict[str, dict[str, int]] = defaultdict(dict)
    for stock in district.street_stock:
        on_hand[stock.shelter][stock.item] = stock.quantity
    return {
        "format": "planning-scenario/1",
        "name": about.id,
        "deadline_min": about.deadline_min,
        "policy": "fair",
        "items": [
            {
                "id": item.code,
                "name_zh": item.name_zh,
                "name_en": item.name_en,
                "pack": item.pack,
                "weight_kg": item.weight_g / 1000,
                "volume_m3": item.volume_cm3 / 1_000_000,
            }
            for item in district.catalogue
        ],
        "kits": [_kit(district, kit.code) for kit in district.kits],
        "sources": _sources(district),
        "supply": _supply(district),
        "points": [
            {
                "id": shelter.id,
                "lon": float(shelter.lon),
                "lat": float(shelter.lat),
                "people": people[shelter.id],
                "kit": shelter.kit,
                "groups": {code: by_shelter[shelter.id] for code, by_shelter in members.items()},
                "weight": float(shelter.weight),
                "bays": shelter.bays,
                "unload_fixed_min": shelter.unload_fixed_min,
                "unload_kg_per_min": shelter.unload_kg_per_min,
                "opens_min": shelter.opens_min,
                "hand_out_per_hour": shelter.hand_out_per_hour,
                "max_size": shelter.max_size,
                "on_hand": on_hand[shelter.id],
            }
            for shelter in district.shelters
            if people[shelter.id]
        ],
        "demands": [],
        "vehicles": [
            {
                "type": vehicle.type,
                "count": vehicle.count,
                "start": vehicle.start,
                "available_min": vehicle.available_min,
                "payload_kg": vehicle.payload_kg,
                "volume_m3": vehicle.volume_litres / 1000,
                "speed_factor": float(vehicle.speed_factor),
                "size": vehicle.size,
            }
            for vehicle in district.fleet
        ],
        "travel": {
            "kind": "geodesic",
            "circuity": float(about.travel_circuity),
            "speed_kmh": float(about.travel_speed_kmh),
        },
        "closures": [],
        "now_min": 0,
        "committed": [],
    }


def _kit(district: District, code: str) -> dict[str, Any]:
    kit = next(kit for kit in district.kits if kit.code == code)
    needs = []
    for need in district.kit_needs:
        if need.kit == code:
            group = {} if need.group is None else {"group": need.group}
            needs.append({"item": need.item, "per_person": float(need.per_person), "tier": need.tier} | group)
    return {"id": code, "name_zh": kit.name_zh, "name_en": kit.name_en, "needs": needs}


def _sources(district: District) -> list[dict[str, Any]]:
    kinds = (("warehouse", district.stores), ("supplier", district.suppliers), ("producer", district.makers))
    return [
        {
            "id": site.id,
            "kind": kind,
            "lon": float(site.lon),
            "lat": float(site.lat),
            "docks": [list(step) for step in site.docks],
            "load_fixed_min": site.load_fixed_min,
            "load_kg_per_min": site.load_kg_per_min,
        }
        for kind, sites in kinds
        for site in sites
    ]


def _supply(district: District) -> list[dict[str, Any]]:
    def row(source: str, item: str, mode: str, quantity: int, available_min: int) -> dict[str, Any]:
        return {
            "source": source,
            "item": item,
            "mode": mode,
            "quantity": quantity,
            "available_min": available_min,
        }

    on_shelf: defaultdict[tuple[str, str], int] = defaultdict(int)
    for lot in district.lots:
        on_shelf[lot.store, lot.item] += lot.quantity
    rows = [row(store, item, "physical", quantity, 0) for (store, item), quantity in on_shelf.items()]
    rows += [row(a.supplier, a.item, "contract", a.quantity, a.lead_min) for a in district.agreements]
    rows += [
        row(c.maker, c.item, "capacity", c.limit_units, c.conversion_min) | {"rate_per_hour": c.rate_per_hour}
        for c in district.commitments
    ]
    ready_min = {fund.id: fund.approval_min + fund.delivery_min for fund in district.funds}
    rows += [
        row(b.delivered_to, b.item, "fund", b.limit_units, ready_min[b.fund])
        for b in district.fund_purchases
        if ready_min[b.fund] < district.about.deadline_min
    ]
    return rows
