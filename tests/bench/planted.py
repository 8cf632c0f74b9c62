"""A scenario whose optimum is known, because a plan that serves everyone in time was there before it."""

from __future__ import annotations

import math
import random

from chubei_allocation.planner import Trip, Visit, parse_scenario

from . import trade
from .area import DEADLINE_MIN, DISTRICT, seeded, somewhere
from .timetable import Berths, Minutes, ways
from .trade import Json

BLOCK = 40  # people whose whole kits fill a van
VAN_KG = 1850
STORES, POINTS = 3, 19
VANS, LORRIES = 4, 2  # of each store; a lorry takes three blocks
LAST_MIN = 640  # no trip of the plan that was there first ends later
NEEDS: list[tuple[str, float, int, str | None]] = [
    ("tent", 0.25, 2, None),
    ("bed", 1.0, 2, None),
    ("quilt", 1.0, 1, None),
    ("water", 0.5, 1, None),
    ("meals", 0.6, 1, None),
    ("hygiene", 1.0, 2, None),
]


def planted(seed: int) -> tuple[Json, tuple[Trip, ...]]:
    """A planning-scenario/1 and trips that reach utility 1.0 on it.

    Vehicles drive whole blocks from stores to points drawn at random, as docks and bays allow. Then everyone
    who got a kit is said to live there, and each store is given three per cent more than was taken from it.
    """
    rng = seeded(f"planted-{seed}")
    scenario = _empty(rng)
    trips = _drive(scenario, rng)
    taken: dict[tuple[str, str], int] = {}
    for trip in trips:
        load, drop = trip.visits
        point = scenario["points"][int(drop.node[1:]) - 1]
        point["people"] += load.goods["bed"]
        for item, units in load.goods.items():
            taken[load.node, item] = taken.get((load.node, item), 0) + units
    scenario["points"] = [point for point in scenario["points"] if point["people"]]
    scenario["supply"] = [
        {"source": source, "item": item, "mode": "physical", "available_min": 0}
        | {"quantity": math.ceil(units * 1.03)}
        for (source, item), units in sorted(taken.items())
    ]
    scenario["name"] = f"planted-{seed}"
    return scenario, trips


def _empty(rng: random.Random) -> Json:
    """Places and vehicles, nobody there yet."""
    used = {row[0] for row in NEEDS}
    packs = {"quilt": 4, "hygiene": 4}  # a block is whole packs of everything
    items = [row | {"pack": packs.get(row["id"], 1)} for row in trade.items() if row["id"] in used]
    sources = [
        {"id": f"W{n}", "kind": "warehouse", "docks": 3, "load_fixed_min": 6, "load_kg_per_min": 150}
        for n in range(1, STORES + 1)
    ]
    point = {"people": 0, "kit": "one", "groups": {}, "weight": 1.0, "bays": 2, "unload_fixed_min": 5}
    point |= {"unload_kg_per_min": 100, "opens_min": 0, "hand_out_per_hour": None, "max_size": 3}
    vehicles = []
    for source in sources:
        for name, count, blocks, m3, speed, size in (
            ("van", VANS, 1, 14.0, 1.0, 1),
            ("lorry", LORRIES, 3, 28.0, 0.95, 2),
        ):
            row = {"type": f"{name}-{source['id']}", "count": count, "start": source["id"]}
            row |= {"available_min": 30, "payload_kg": VAN_KG * blocks, "volume_m3": m3}
            vehicles.append(row | {"speed_factor": speed, "size": size})
    return {
        "format": "planning-scenario/1",
        "name": "planted",
        "deadline_min": DEADLINE_MIN,
        "policy": "fair",
        "items": items,
        "kits": [trade.kit("one", "通用", "general", NEEDS)],
        "sources": [row | somewhere(DISTRICT, rng) for row in sources],
        "supply": [],
        "points": [
            point | {"id": f"P{n}", "on_hand": {}} | somewhere(DISTRICT, rng) for n in range(1, POINTS + 1)
        ],
        "vehicles": vehicles,
        "travel": {"kind": "geodesic", "circuity": 1.4, "speed_kmh": 18},
    }


def _drive(data: Json, rng: random.Random) -> tuple[Trip, ...]:
    """Every vehicle goes to and fro between its store and points drawn at random, until LAST_MIN."""
    scenario = parse_scenario(data)
    docks = [Berths(source.docks, DEADLINE_MIN) for source in scenario.sources]
    bays = [Berths(point.bays, DEADLINE_MIN) for point in scenario.points]
    by_speed = {kind.speed_factor: ways(scenario, kind.speed_factor) for kind in scenario.vehicles}
    kg = {item.id: item.weight_kg for item in scenario.items}
    trips: list[Trip] = []
    for kind in scenario.vehicles:
        way, home = by_speed[kind.speed_factor], int(kind.start[1:]) - 1
        goods = _blocks(int(kind.payload_kg // VAN_KG))
        weight = sum(kg[item] * units for item, units in goods.items())
        for number in range(1, kind.count + 1):
            here, free = home, kind.available_min
            while True:
                p = rng.randrange(len(bays))
                made = _visits(way, (here, home, p), free, docks[home], bays[p], weight)
                if made is None:
                    break
                (arrive, start, end), (there, drop, done) = made
                trips.append(
                    Trip(
                        f"{kind.type}#{number}",
                        (
                            Visit(kind.start, arrive, start, end, True, goods),
                            Visit(f"P{p + 1}", there, drop, done, False, goods),
                        ),
                    )
                )
                here, free = len(docks) + p, done
    return tuple(trips)


Span = tuple[int, int, int]  # arrive, start, end


def _visits(
    way: Minutes, route: tuple[int, int, int], free: int, docks: Berths, bays: Berths, kg: float
) -> tuple[Span, Span] | None:
    """Times of a load at the store and a delivery at the point, booked; None if it would be too late."""
    here, home, p = route
    there = way.shape[0] - POINTS + p
    arrive, loading, unloading = free + int(way[here, home]), 6 + math.ceil(kg / 150), 5 + math.ceil(kg / 100)
    start = docks.earliest(arrive, loading)
    if start is None:
        return None
    at_point = start + loading + int(way[home, there])
    drop = bays.earliest(at_point, unloading) if at_point < LAST_MIN else None
    if drop is None or drop + unloading > LAST_MIN:
        return None
    docks.take(start, start + loading)
    bays.take(drop, drop + unloading)
    return (arrive, start, start + loading), (at_point, drop, drop + unloading)


def _blocks(number: int) -> dict[str, int]:
    return {item: math.ceil(BLOCK * number * each) for item, each, _, _ in NEEDS}
