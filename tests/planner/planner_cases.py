"""Small odd scenarios for the planner's tests, as a strategy and as one plain example."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st


def plain() -> dict[str, Any]:
    """Two stores, three points with groups and two tiers, a pump, two kinds of vehicle: all can be served."""
    return {
        "format": "planning-scenario/1",
        "name": "plain",
        "deadline_min": 480,
        "policy": "fair",
        "items": [
            {
                "id": "water",
                "name_zh": "水",
                "name_en": "water",
                "pack": 1,
                "weight_kg": 12,
                "volume_m3": 0.02,
            },
            {
                "id": "quilt",
                "name_zh": "被",
                "name_en": "quilt",
                "pack": 5,
                "weight_kg": 3,
                "volume_m3": 0.02,
            },
            {"id": "bed", "name_zh": "床", "name_en": "bed", "pack": 1, "weight_kg": 9, "volume_m3": 0.06},
            {
                "id": "milk",
                "name_zh": "奶粉",
                "name_en": "formula",
                "pack": 6,
                "weight_kg": 1,
                "volume_m3": 0.01,
            },
            {"id": "pump", "name_zh": "泵", "name_en": "pump", "pack": 1, "weight_kg": 60, "volume_m3": 0.2},
        ],
        "kits": [
            {
                "id": "kit",
                "needs": [
                    {"item": "water", "per_person": 0.75, "tier": 1},
                    {"item": "quilt", "per_person": 1, "tier": 1},
                    {"item": "milk", "per_person": 1, "tier": 1, "group": "infant"},
                    {"item": "bed", "per_person": 1, "tier": 2},
                ],
            }
        ],
        "sources": [
            {
                "id": "S1",
                "kind": "warehouse",
                "lon": 116.35,
                "lat": 39.90,
                "docks": [[0, 1], [60, 2]],
                "load_fixed_min": 10,
                "load_kg_per_min": 100,
            },
            {
                "id": "S2",
                "kind": "supplier",
                "lon": 116.38,
                "lat": 39.92,
                "docks": 1,
                "load_fixed_min": 10,
                "load_kg_per_min": 100,
            },
        ],
        "supply": [
            _supply("S1", "water", 200, 0),
            _supply("S1", "quilt", 300, 0),
            _supply("S1", "pump", 3, 0),
            _supply("S2", "bed", 300, 30),
            {**_supply("S2", "milk", 60, 30), "mode": "capacity", "rate_per_hour": 60},
        ],
        "points": [_point(n, 40 + 30 * n) for n in range(3)],
        "demands": [{"point": "P0", "item": "pump", "units": 2, "by_min": 240, "worth": 30}],
        "vehicles": [
            {
                "type": "van",
                "count": 2,
                "start": "S1",
                "available_min": 0,
                "payload_kg": 1500,
                "volume_m3": 12,
                "speed_factor": 1,
                "size": 1,
            },
            {
                "type": "truck",
                "count": 1,
                "start": "S2",
                "available_min": 20,
                "payload_kg": 4000,
                "volume_m3": 24,
                "speed_factor": 0.9,
                "size": 2,
                "lost": [],
            },
        ],
        "travel": {"kind": "geodesic", "circuity": 1.3, "speed_kmh": 20},
        "closures": [["S2", "P1"]],
        "now_min": 0,
        "committed": [],
    }


def _supply(source: str, item: str, quantity: int, available_min: int) -> dict[str, Any]:
    return {
        "source": source,
        "item": item,
        "mode": "physical",
        "quantity": quantity,
        "available_min": available_min,
    }


def _point(n: int, people: int) -> dict[str, Any]:
    return {
        "id": f"P{n}",
        "lon": 116.34 + 0.02 * n,
        "lat": 39.91 - 0.01 * n,
        "people": people,
        "kit": "kit",
        "groups": {"infant": 3},
        "weight": 1 + n / 2,
        "bays": 1,
        "unload_fixed_min": 5,
        "unload_kg_per_min": 60,
        "opens_min": 20 * n,
        "hand_out_per_hour": 90 if n else None,
        "max_size": 2 if n else 1,
        "on_hand": {"water": 2 * n},
    }


@st.composite
def odd(draw: st.DrawFn) -> dict[str, Any]:
    """Few nodes, odd numbers: no stock, no crews, no way, no people, late opening, tiny vehicles, lines."""
    scenario = plain()
    nodes = 5
    scenario["policy"] = draw(st.sampled_from(["fair", "total"]))
    scenario["deadline_min"] = draw(st.sampled_from([1, 45, 240, 720]))
    for item in scenario["items"]:
        item["pack"] = draw(st.sampled_from([1, 2, 7, 40]))
        item["weight_kg"] = draw(st.sampled_from([0.4, 3.0, 80.0]))
    for source in scenario["sources"]:
        source["docks"] = draw(st.sampled_from([0, 1, 3, [[90, 1]], [[0, 2], [30, 0], [100, 1]]]))
        source["load_fixed_min"] = draw(st.sampled_from([0, 12]))
    for row in scenario["supply"]:
        row["quantity"] = draw(st.integers(0, 400))
        row["available_min"] = draw(st.sampled_from([0, 20, 300]))
        row["rate_per_hour"] = draw(st.sampled_from([None, None, 7.5, 400]))
    for point in scenario["points"]:
        point["people"] = draw(st.sampled_from([0, 3, 17, 180]))
        point["groups"] = {"infant": min(point["people"], draw(st.integers(0, 9)))}
        point["bays"] = draw(st.sampled_from([0, 1, 2, [[50, 1]]]))
        point["opens_min"] = draw(st.sampled_from([0, 60, 800]))
        point["hand_out_per_hour"] = draw(st.sampled_from([None, 6, 75.5]))
        point["max_size"] = draw(st.sampled_from([0, 1, 2]))
        point["on_hand"] = {"water": draw(st.integers(0, 30)), "quilt": draw(st.integers(0, 30))}
    for vehicle in scenario["vehicles"]:
        vehicle["count"] = draw(st.integers(0, 2))
        vehicle["payload_kg"] = draw(st.sampled_from([90.0, 700.0, 3000.0]))
        vehicle["volume_m3"] = draw(st.sampled_from([0.3, 4.0, 20.0]))
        vehicle["speed_factor"] = draw(st.sampled_from([0.37, 1.0]))
        vehicle["lost"] = [1] if vehicle["count"] and draw(st.booleans()) else []
    leg = st.one_of(st.none(), st.integers(0, 90), st.floats(0, 40))
    if draw(st.booleans()):
        minutes = [[draw(leg) for _ in range(nodes)] for _ in range(nodes)]
        scenario["travel"] = {"kind": "matrix", "minutes": minutes}
    return scenario


def world() -> dict[str, Any]:
    """A store S, a point P of 600 people, ten vans, a deadline after three hours: all comes in round figures.

    A trip takes 10 minutes to load, 10 to drive and 10 to unload, and brings water for a hundred people, so six
    vans serve everybody by minute 30. Only what a test makes scarce can hold that up.
    """
    return {
        "format": "planning-scenario/1",
        "name": "world",
        "deadline_min": 180,
        "policy": "total",
        "items": [
            {
                "id": "water",
                "name_zh": "饮用水",
                "name_en": "water",
                "pack": 1,
                "weight_kg": 1,
                "volume_m3": 0.001,
            }
        ],
        "kits": [{"id": "kit", "needs": [{"item": "water", "per_person": 1, "tier": 1}]}],
        "sources": [
            {
                "id": "S",
                "kind": "warehouse",
                "lon": 116.35,
                "lat": 39.90,
                "docks": 20,
                "load_fixed_min": 9,
                "load_kg_per_min": 1000,
            }
        ],
        "supply": [_supply("S", "water", 9000, 0)],
        "points": [
            {
                "id": "P",
                "lon": 116.38,
                "lat": 39.92,
                "people": 600,
                "kit": "kit",
                "bays": 20,
                "unload_fixed_min": 9,
                "unload_kg_per_min": 1000,
                "max_size": 1,
            }
        ],
        "vehicles": [
            {"type": "van", "count": 10, "start": "S", "payload_kg": 100, "volume_m3": 12, "size": 1}
        ],
        "travel": {"kind": "matrix", "minutes": [[0, 10], [10, 0]]},
    }
