"""The goods of the trade with figures of our own: packs, weights and volumes of the usual order; and two kits."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]

# id, Chinese, English, units in a pack, kg and m3 of a unit
ITEMS = [
    ("water", "瓶装水 12x1.5L", "bottled water, case of 12", 1, 18.6, 0.031),
    ("biscuit", "压缩饼干 8kg", "biscuits, 8 kg", 1, 8.6, 0.015),
    ("meals", "自热米饭 10份", "self-heating meals, 10", 1, 5.8, 0.030),
    ("quilt", "棉被", "quilt", 6, 2.8, 0.018),
    ("torch", "手电筒", "torch", 12, 0.35, 0.0014),
    ("aid", "急救包", "first-aid set", 1, 3.6, 0.016),
    ("formula", "婴儿奶粉", "infant formula", 6, 0.9, 0.0020),
    ("nappies", "纸尿裤", "nappies", 4, 1.5, 0.013),
    ("pads", "护理垫", "care pads", 10, 1.1, 0.009),
    ("bed", "行军床", "camp bed", 1, 10.2, 0.055),
    ("mat", "地垫", "ground mat", 25, 0.45, 0.011),
    ("tent", "帐篷", "tent", 1, 74.0, 0.24),
    ("toilet", "便携厕所", "portable toilet", 1, 13.0, 0.085),
    ("hygiene", "卫生包", "hygiene kit", 24, 0.8, 0.0045),
    ("blanket", "毛毯", "blanket", 10, 1.9, 0.011),
    ("generator", "发电机", "generator", 1, 88.0, 0.30),
    ("pump", "水泵", "pump", 1, 58.0, 0.24),
    ("barrier", "挡水板", "flood barrier, per metre", 1, 11.0, 0.055),
]
EVERYONE = [
    ("water", 0.5, 1, None),
    ("biscuit", 0.08, 1, None),
    ("meals", 0.6, 1, None),
    ("quilt", 1.0, 1, None),
    ("torch", 0.25, 1, None),
    ("aid", 0.02, 1, None),
    ("formula", 1.0, 1, "infant"),
    ("bed", 1.0, 2, None),
    ("hygiene", 1.0, 2, None),
    ("toilet", 0.02, 2, None),
    ("nappies", 2.0, 2, "infant"),
    ("pads", 3.0, 2, "frail"),
]
OUTDOORS = [("tent", 0.25, 2, None), ("mat", 1.0, 2, None)]
SPARE = {"blanket": 0.25, "generator": 0.002, "pump": 0.0006, "barrier": 0.002}
"""Held by the stores though no kit needs it: units for each person of the area."""

NOT_IN_STORES = ("meals", "formula", "nappies", "pads")
"""What keeps badly: suppliers only have it."""

LINES = ("water", "meals", "quilt")
"""What producers can turn their lines to."""


def items() -> list[Json]:
    keys = ("id", "name_zh", "name_en", "pack", "weight_kg", "volume_m3")
    return [dict(zip(keys, row, strict=True)) for row in ITEMS]


def kits() -> list[Json]:
    return [
        kit("indoor", "室内安置", "indoors", EVERYONE),
        kit("outdoor", "室外安置", "outdoors", [*EVERYONE, *OUTDOORS]),
    ]


def kit(name: str, zh: str, en: str, needs: list[tuple[str, float, int, str | None]]) -> Json:
    rows = []
    for item, per_person, tier, group in needs:
        row: Json = {"item": item, "per_person": per_person, "tier": tier}
        rows.append({**row, "group": group} if group else row)
    return {"id": name, "name_zh": zh, "name_en": en, "needs": rows}


def needed(scenario: Json) -> dict[str, float]:
    """Units of each item that all people of a scenario need for their whole kits."""
    needs_of = {row["id"]: row["needs"] for row in scenario["kits"]}
    total: dict[str, float] = {}
    for point in scenario["points"]:
        for need in needs_of[point["kit"]]:
            group = need.get("group")
            members = point["groups"].get(group, 0) if group else point["people"]
            total[need["item"]] = total.get(need["item"], 0.0) + members * need["per_person"]
    return total
