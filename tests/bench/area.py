"""An area after a disaster, drawn at random: stores, suppliers, producers, points, stocks and a fleet."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass

from . import trade
from .trade import Json

CENTRE = (116.37, 39.91)
KM_PER_DEGREE = 111.2
DEADLINE_MIN = 720
KINDS = ("warehouse", "supplier", "producer")


@dataclass(frozen=True)
class Shape:
    """How large an area is. `micro`, `light`, `heavy` are vehicles of each warehouse."""

    warehouses: int
    suppliers: int
    producers: int
    points: int
    people: int
    micro: int
    light: int
    heavy: int
    half_width_km: float
    speed_kmh: float


DISTRICT = Shape(3, 6, 2, 34, 11_000, 2, 7, 1, 4.0, 18)
CITY = Shape(30, 60, 20, 350, 218_000, 4, 16, 4, 40.0, 28)
PROVINCE = Shape(100, 200, 60, 3_000, 1_900_000, 9, 36, 9, 170.0, 45)


def seeded(name: str) -> random.Random:
    """Draws that are the same wherever and whenever the name is the same."""
    return random.Random(name)  # noqa: S311


def area(name: str, shape: Shape, rng: random.Random) -> Json:
    """A planning-scenario/1 of this shape with ample stock: 1.2 to 1.7 times what all people need."""
    scenario: Json = {
        "format": "planning-scenario/1",
        "name": name,
        "deadline_min": DEADLINE_MIN,
        "now_min": 0,
        "policy": "fair",
        "items": trade.items(),
        "kits": trade.kits(),
        "sources": _sources(shape, rng),
        "points": _points(shape, rng),
        "vehicles": _vehicles(shape),
        "travel": {"kind": "geodesic", "circuity": 1.35, "speed_kmh": shape.speed_kmh},
        "closures": [],
        "committed": [],
    }
    scenario["supply"] = _supply(scenario, shape, rng)
    scenario["demands"] = _demands(scenario, shape, rng)
    return scenario


def somewhere(shape: Shape, rng: random.Random) -> Json:
    """A place in the square, as `lon` and `lat`."""
    east, north = (rng.uniform(-shape.half_width_km, shape.half_width_km) for _ in range(2))
    lon = CENTRE[0] + east / (KM_PER_DEGREE * math.cos(math.radians(CENTRE[1])))
    return {"lon": round(lon, 5), "lat": round(CENTRE[1] + north / KM_PER_DEGREE, 5)}


def _sources(shape: Shape, rng: random.Random) -> list[Json]:
    rows: list[Json] = []
    for n in range(1, shape.warehouses + 1):
        crews = [[0, 0], [40, 1], [rng.choice([70, 90]), rng.choice([2, 3])]]
        row = {"id": f"W{n}", "kind": "warehouse", "docks": crews, "load_fixed_min": 12}
        rows.append(row | {"load_kg_per_min": rng.choice([75, 90, 110])})
    for n in range(1, shape.suppliers + 1):
        row = {"id": f"S{n}", "kind": "supplier", "docks": rng.choice([1, 2, 3]), "load_fixed_min": 15}
        rows.append(row | {"load_kg_per_min": rng.choice([80, 100, 120])})
    for n in range(1, shape.producers + 1):
        row = {"id": f"F{n}", "kind": "producer", "docks": rng.choice([1, 2]), "load_fixed_min": 15}
        rows.append(row | {"load_kg_per_min": rng.choice([100, 150])})
    return [row | somewhere(shape, rng) for row in rows]


def split(total: int, weights: list[float]) -> list[int]:
    """Whole numbers in proportion to the weights that add up to the total."""
    scale, parts, given = total / sum(weights), [], 0
    running = 0.0
    for weight in weights:
        running += weight * scale
        parts.append(round(running) - given)
        given = round(running)
    return parts


def _points(shape: Shape, rng: random.Random) -> list[Json]:
    people = split(shape.people, [0.2 + rng.lognormvariate(0.0, 0.6) for _ in range(shape.points)])
    return [_point(n, count, shape, rng) for n, count in enumerate(people, start=1)]


def _point(n: int, people: int, shape: Shape, rng: random.Random) -> Json:
    return somewhere(shape, rng) | {
        "id": f"P{n}",
        "people": people,
        "kit": "outdoor" if rng.random() < 0.4 else "indoor",
        "groups": {
            "infant": max(1, round(people * rng.uniform(0.01, 0.03))),
            "frail": max(1, round(people * rng.uniform(0.01, 0.035))),
        },
        "weight": 1.5 if rng.random() < 0.22 else 1.0,
        "bays": 2 if people > 420 else 1,
        "unload_fixed_min": 8,
        "unload_kg_per_min": rng.choice([50, 60, 80]),
        "opens_min": rng.choice([0, 30, 60, 90]),
        "hand_out_per_hour": 75 * max(1, math.ceil(people / 150)),
        "max_size": rng.choices([0, 1, 2], [0.02, 0.66, 0.32])[0],
        "on_hand": {"water": round(people * rng.choice([0.0, 0.0, 0.04]))},
    }


def _vehicles(shape: Shape) -> list[Json]:
    """Three types at every warehouse: micro vans, light lorries, heavy lorries."""
    rows = []
    for n in range(1, shape.warehouses + 1):
        for name, count, free_min, kg, m3, speed, size in (
            ("micro", shape.micro, 30, 550, 2.8, 1.0, 0),
            ("light", shape.light, 45, 1600, 14.5, 1.0, 1),
            ("heavy", shape.heavy, 75, 8500, 36.0, 0.85, 2),
        ):
            row = {"type": f"{name}-W{n}", "count": count, "start": f"W{n}", "available_min": free_min}
            rows.append(row | {"payload_kg": kg, "volume_m3": m3, "speed_factor": speed, "size": size})
    return rows


def _supply(scenario: Json, shape: Shape, rng: random.Random) -> list[Json]:
    """For each item: uneven shares in the stores, a few contracts, and lines that producers can turn to."""
    places = {kind: [s["id"] for s in scenario["sources"] if s["kind"] == kind] for kind in KINDS}
    spare = {item: shape.people * share for item, share in trade.SPARE.items()}
    rows: list[Json] = []
    for item, units in (trade.needed(scenario) | spare).items():
        if item not in trade.NOT_IN_STORES:
            total = 0.85 if item not in trade.SPARE else 1.0
            shares = _shares(units * total * rng.uniform(0.95, 1.1), places["warehouse"], rng)
            rows += [_row(source, item, "physical", count, 20) for source, count in shares]
        if item not in trade.SPARE:
            few = rng.sample(places["supplier"], max(2, shape.suppliers // 6))
            total = 1.25 if item in trade.NOT_IN_STORES else 0.4
            for source, count in _shares(units * total * rng.uniform(0.95, 1.1), few, rng):
                rows.append(_row(source, item, "contract", count, rng.choice([90, 120, 180, 240])))
        if item in trade.LINES:
            few = rng.sample(places["producer"], max(1, shape.producers // 4))
            for source, count in _shares(units * 0.3, few, rng):
                row = _row(source, item, "capacity", count, rng.choice([480, 600]))
                rows.append(row | {"rate_per_hour": max(1, count // 6)})
    return rows


def _shares(units: float, places: list[str], rng: random.Random) -> list[tuple[str, int]]:
    parts = split(math.ceil(units), [rng.uniform(0.5, 1.5) for _ in places])
    return list(zip(places, parts, strict=True))


def _row(source: str, item: str, mode: str, units: int, free_min: int) -> Json:
    return {"source": source, "item": item, "mode": mode, "quantity": units, "available_min": free_min}


def _demands(scenario: Json, shape: Shape, rng: random.Random) -> list[Json]:
    """Pumps and barriers at some points, each worth as much as sixty people."""
    rows = []
    for point in rng.sample(scenario["points"], max(2, shape.points // 16)):
        item, units = rng.choice([("pump", rng.randint(1, 4)), ("barrier", rng.randint(8, 30))])
        by_min = rng.choice([180, 240, 360])
        rows.append({"point": point["id"], "item": item, "units": units, "by_min": by_min, "worth": 60})
    return rows
