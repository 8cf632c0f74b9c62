"""A small scenario for the pure parts of readiness, and strategies over it."""

from typing import Any

from chubei_allocation.readiness.settings import defaults
from chubei_shared.contracts.readiness_settings import Loss, ReadinessSettings, Road
from hypothesis import strategies as st

ESTIMATED = {"certainty": "estimated", "source": "test"}
BRIDGE = Road.model_validate(
    {
        "id": "bridge", "name_zh": "桥", "name_en": "bridge", "lon": 116.355, "lat": 39.91, "within_m": 200,
        "provenance": ESTIMATED,
    }
)  # fmt: skip


def settings() -> ReadinessSettings:
    return defaults().model_copy(update={"roads": [BRIDGE]})


def scenario() -> dict[str, Any]:
    """Two stores and a supplier, three points, eight vehicles: water for all comes only with the supplier's."""
    kit = {"id": "kit", "needs": [{"item": "water", "per_person": 1.0, "tier": 1}]}
    kit["needs"].append({"item": "milk", "per_person": 1.0, "tier": 1, "group": "infant"})
    kit["needs"].append({"item": "bed", "per_person": 1.0, "tier": 2})
    return {
        "format": "planning-scenario/1",
        "name": "small",
        "deadline_min": 480,
        "policy": "fair",
        "now_min": 0,
        "items": [
            {"id": i, "name_zh": i, "name_en": i, "pack": 1, "weight_kg": kg, "volume_m3": 0.02}
            for i, kg in (("water", 12.0), ("milk", 1.0), ("bed", 9.0))
        ],
        "kits": [kit],
        "sources": [
            _source("N", "warehouse", 116.34, [[0, 0], [30, 1], [120, 2]]),
            _source("S", "warehouse", 116.37, [[0, 1]]),
            _source("SUP", "supplier", 116.36, 1),
        ],
        "supply": [
            _supply("N", "water", "physical", 150, 0),
            _supply("S", "water", "physical", 50, 0),
            _supply("S", "milk", "physical", 20, 0),
            _supply("N", "bed", "physical", 400, 0),
            _supply("SUP", "water", "contract", 150, 90),
        ],
        "points": [_point(n, people) for n, people in enumerate((150, 100, 50))],
        "demands": [],
        "vehicles": [
            {"type": "van", "count": 5, "start": "N", "payload_kg": 800, "volume_m3": 4, "size": 1},
            {"type": "box", "count": 3, "start": "S", "payload_kg": 1500, "volume_m3": 12, "size": 1},
        ],
        "travel": {"kind": "geodesic", "circuity": 1.4, "speed_kmh": 12.0},
        "closures": [],
        "committed": [],
    }


def _source(name: str, kind: str, lon: float, docks: Any) -> dict[str, Any]:
    return {
        "id": name, "kind": kind, "name_zh": name, "name_en": name, "lon": lon, "lat": 39.91, "docks": docks,
        "load_fixed_min": 10, "load_kg_per_min": 80,
    }  # fmt: skip


def _supply(source: str, item: str, mode: str, quantity: int, at: int) -> dict[str, Any]:
    return {
        "source": source, "item": item, "mode": mode, "quantity": quantity, "available_min": at,
        "rate_per_hour": None,
    }  # fmt: skip


def _point(n: int, people: int) -> dict[str, Any]:
    return {
        "id": f"P{n}", "name_zh": f"点{n}", "name_en": f"point {n}", "lon": 116.35 + 0.01 * n, "lat": 39.915,
        "people": people, "kit": "kit", "groups": {"infant": people // 25}, "weight": 1.0, "bays": 1,
        "unload_fixed_min": 5, "unload_kg_per_min": 60, "opens_min": 30, "hand_out_per_hour": 100,
        "max_size": 1, "on_hand": {},
    }  # fmt: skip


LOSSES = st.builds(
    Loss,
    places=st.lists(st.sampled_from(["N", "S", "SUP"]), unique=True, max_size=2),
    roads=st.sampled_from([[], ["bridge"]]),
    ways=st.lists(st.sampled_from([("N", "P0"), ("S", "P2"), ("SUP", "P1")]), unique=True, max_size=2),
    fleet_share=st.sampled_from([0.0, 0.2, 0.5, 1.0]),
    crews_until_min=st.sampled_from([0, 60, 240, 470]),
)
