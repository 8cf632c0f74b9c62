"""Scenarios (planning-scenario/1) of every kind the bench knows, the same for the same seed.

python -m tests.bench.generate KIND [--seed N] --out FILE
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from chubei_allocation.planner import Trip, parse_scenario

from .area import CITY, DISTRICT, PROVINCE, Shape, area, seeded, split
from .greedy import greedy_plan
from .planted import planted
from .timetable import great_circle_km
from .trade import Json

REPLAN_MIN = 180
SCARCE = {"bed": 0.5, "quilt": 0.6, "tent": 0.55, "meals": 0.8, "toilet": 0.6}
"""What is left of the supply of these items in the kind `supply`."""


def make(kind: str, seed: int = 0) -> Json:
    """The scenario of a kind and a seed. Raises KeyError for a kind that does not exist."""
    return KINDS[kind](seed)


def _plain(kind: str, shape: Shape) -> Callable[[int], Json]:
    return lambda seed: area(f"{kind}-{seed}", shape, seeded(f"{kind}-{seed}"))


def fleet(seed: int) -> Json:
    """A district with half of the vehicles."""
    scenario = area(f"fleet-{seed}", DISTRICT, seeded(f"fleet-{seed}"))
    for store in range(3):
        kinds = scenario["vehicles"][3 * store : 3 * store + 3]
        for vehicle, count in zip(kinds, split(5, [row["count"] for row in kinds]), strict=True):
            vehicle["count"] = count
    return scenario


def supply(seed: int) -> Json:
    """A district short of beds, quilts, tents, meals and toilets."""
    scenario = area(f"supply-{seed}", DISTRICT, seeded(f"supply-{seed}"))
    for row in scenario["supply"]:
        share = SCARCE.get(row["item"], 1.0)
        row["quantity"] = int(row["quantity"] * share)
        if "rate_per_hour" in row:
            row["rate_per_hour"] = max(1, int(row["rate_per_hour"] * share))
    return scenario


def docks(seed: int) -> Json:
    """A district whose stores have one or two docks, with crews that come late."""
    rng = seeded(f"docks-{seed}")
    scenario = area(f"docks-{seed}", DISTRICT, rng)
    for source in scenario["sources"]:
        if source["kind"] == "warehouse":
            late = [[0, 0], [rng.choice([40, 60]), 1]]
            source["docks"] = late if rng.random() < 0.6 else [*late, [rng.choice([150, 180]), 2]]
    return scenario


def matrix(seed: int) -> Json:
    """A district on a travel table that differs by direction, with missing ways and closures; policy total."""
    rng = seeded(f"matrix-{seed}")
    scenario = area(f"matrix-{seed}", DISTRICT, rng)
    places = scenario["sources"] + scenario["points"]
    lon, lat = (np.array([place[axis] for place in places]) for axis in ("lon", "lat"))
    km = great_circle_km(lon, lat) * scenario["travel"]["circuity"]
    base: list[list[float]] = (km / scenario["travel"]["speed_kmh"] * 60).tolist()
    minutes = [
        [None if rng.random() < 0.025 else round(cell * rng.uniform(0.8, 1.35), 1) for cell in row]
        for row in base
    ]
    for n, row in enumerate(minutes):
        row[n] = 0
    sources = len(scenario["sources"])
    scenario["travel"] = {"kind": "matrix", "minutes": minutes}
    scenario["closures"] = [
        [places[rng.randrange(sources)]["id"], point["id"]] for point in rng.sample(scenario["points"], 6)
    ]
    scenario["policy"] = "total"
    return scenario


def replan(seed: int) -> Json:
    """A district three hours in, with the greedy's trips under way.

    A store is lost, a loaded vehicle has broken down, ways are closed, suppliers are an hour later, and there
    are more people at some points.
    """
    rng = seeded(f"replan-{seed}")
    scenario = area(f"replan-{seed}", DISTRICT, rng)
    begun = [
        trip for trip in greedy_plan(parse_scenario(scenario)).trips if trip.visits[0].start < REPLAN_MIN
    ]
    scenario["now_min"] = REPLAN_MIN
    scenario["committed"] = _broken_down(scenario, begun)
    _lose_store(scenario, begun, "W2")
    for row in scenario["supply"]:
        if row["mode"] == "contract" and row["available_min"] > REPLAN_MIN:
            row["available_min"] += 60
    for point in rng.sample(scenario["points"], 5):
        point["people"] = point["people"] * 6 // 5
    scenario["closures"] = [["W1", point["id"]] for point in rng.sample(scenario["points"], 4)]
    return scenario


def _broken_down(scenario: Json, begun: list[Trip]) -> list[Json]:
    """The trips begun, of which the last to reach its point never does: that vehicle is lost, with its load."""
    last = max(begun, key=lambda trip: (trip.visits[-1].start, trip.vehicle))
    name, _, number = last.vehicle.partition("#")
    for vehicle in scenario["vehicles"]:
        if vehicle["type"] == name:
            vehicle["lost"] = [int(number)]
    stuck = replace(last, visits=last.visits[:1])
    return [(stuck if trip is last else trip).as_json() for trip in begun]


def _lose_store(scenario: Json, begun: list[Trip], store: str) -> None:
    """Nothing but what has been taken was ever there to take."""
    for row in scenario["supply"]:
        if row["source"] == store:
            loads = [
                visit.goods for trip in begun for visit in trip.visits if visit.loads and visit.node == store
            ]
            row["quantity"] = sum(goods.get(row["item"], 0) for goods in loads)


KINDS: dict[str, Callable[[int], Json]] = {
    "district": _plain("district", DISTRICT),
    "fleet": fleet,
    "supply": supply,
    "docks": docks,
    "matrix": matrix,
    "planted": lambda seed: planted(seed)[0],
    "replan": replan,
    "city": _plain("city", CITY),
    "province": _plain("province", PROVINCE),
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.generate", description=__doc__)
    parser.add_argument("kind", choices=list(KINDS))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, required=True)
    given: Any = parser.parse_args()
    given.out.write_text(json.dumps(make(given.kind, given.seed), ensure_ascii=False) + "\n", "utf-8")


if __name__ == "__main__":
    main()
