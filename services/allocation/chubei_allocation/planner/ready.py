"""Compiling the search once, so that no plan waits for it.

A tiny scenario is searched by every way there is, so that each compiled function is made for the types it will meet.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from .bound import Bound
from .compiled import alone, is_kept, mark_kept
from .construct import construct
from .model import Model
from .outcome import outcome
from .parse import parse_scenario
from .resume import resume
from .search import Search

COMPILING = "正在编译求解器（只需一次，约三分钟）/ compiling the planner, once, about three minutes"

TINY: dict[str, Any] = {
    "format": "planning-scenario/1",
    "name": "tiny",
    "deadline_min": 240,
    "policy": "fair",
    "items": [
        {"id": "water", "name_zh": "水", "name_en": "water", "pack": 1, "weight_kg": 1, "volume_m3": 0.001}
    ],
    "kits": [{"id": "kit", "needs": [{"item": "water", "per_person": 1, "tier": 1}]}],
    "sources": [
        {
            "id": "S",
            "kind": "warehouse",
            "lon": 116.3,
            "lat": 39.9,
            "docks": 1,
            "load_fixed_min": 5,
            "load_kg_per_min": 100,
        }
    ],
    "supply": [{"source": "S", "item": "water", "mode": "physical", "quantity": 90, "available_min": 0}],
    "points": [
        {
            "id": "P",
            "lon": 116.4,
            "lat": 39.9,
            "people": 100,
            "kit": "kit",
            "bays": 1,
            "unload_fixed_min": 5,
            "unload_kg_per_min": 100,
            "max_size": 1,
        }
    ],
    "vehicles": [{"type": "van", "count": 2, "start": "S", "payload_kg": 40, "volume_m3": 1, "size": 1}],
    "travel": {"kind": "matrix", "minutes": [[0, 10], [10, 0]]},
}


@cache
def make_ready() -> None:
    """Compile whatever plans need, if it is not kept. Of several processes one compiles, the others wait."""
    if is_kept():
        return
    with alone():
        if not is_kept():
            _search_every_way()
            mark_kept()


def _search_every_way() -> None:
    search = Search(Model(parse_scenario(TINY)), seed=0)
    construct(search, Bound(1.0, None), over=lambda: False)
    for improve in (search._improve_apart, search._improve_together):
        done = search.moves
        improve(lambda: 0.5, lambda done=done: search.moves > done, lambda: False)  # type: ignore[misc]
    again = Search(search.model, seed=0)
    resume(again, outcome(search))
    again.improve(lambda: 0.5, lambda: again.moves > 0)
