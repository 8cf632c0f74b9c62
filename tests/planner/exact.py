"""The best plan of a small scenario, by a model written from the rules alone and solved exactly (CP-SAT).

A day of a vehicle is a row of visits; each is at one node, takes its time at a berth and loads or delivers. As a trip
may go on to load again before it is empty, a day is one trip, and only what is aboard at the end must be nothing.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any

from ortools.sat.python import cp_model

DEADLINE_MIN = 100
VISITS = 7  # a visit takes 10 minutes and a way to another node 5, at least: no more fit in
HANDLING_MIN, WAY_MIN = 9, 5
MOST_UNITS = 1000


def small(seed: int, late: bool = True) -> dict[str, Any]:
    """One or two vehicles and sources, up to three points; what is scarce is so by the dice, as are `late` goods."""
    data = _drawn(seed)
    for row in data["supply"]:
        row["available_min"] *= late
    return with_infants(data) if seed % 2 else data


def _drawn(seed: int) -> dict[str, Any]:
    dice = random.Random(seed)  # noqa: S311 (a test's dice)
    sources = [f"S{n}" for n in range(dice.randint(1, 2))]
    points = [f"P{n}" for n in range(dice.randint(1, 3))]
    items = {
        name: (dice.choice([1, 4, 10]), dice.choice([1, 1, 6])) for name in ("water", "milk", "bed", "pump")
    }
    needs = [{"item": "water", "per_person": dice.choice([0.5, 1, 3]), "tier": 1}]
    needs += [{"item": "milk", "per_person": 2, "tier": 1, "group": "infant"}] * dice.randint(0, 1)
    needs += [{"item": "bed", "per_person": 1, "tier": 2}] * dice.randint(0, 1)
    nodes = len(sources) + len(points)
    return {
        "format": "planning-scenario/1",
        "name": f"small-{seed}",
        "deadline_min": DEADLINE_MIN,
        "policy": dice.choice(["fair", "total"]),
        "items": [
            {"id": name, "name_zh": name, "name_en": name, "pack": pack, "weight_kg": kg, "volume_m3": 0.01}
            for name, (kg, pack) in items.items()
        ],
        "kits": [{"id": "kit", "needs": needs}],
        "sources": [
            {
                "id": name,
                "kind": "warehouse",
                "lon": 116.3,
                "lat": 39.9,
                "docks": dice.choice([1, 1, 2]),
                "load_fixed_min": HANDLING_MIN,
                "load_kg_per_min": dice.choice([40, 500]),
            }
            for name in sources
        ],
        "supply": [
            {
                "source": name,
                "item": item,
                "mode": "physical",
                "quantity": dice.choice([0, 30, 80, 300]),
                "available_min": dice.choice([0, 0, 0, 25]),
            }
            for name in sources
            for item in items
        ],
        "points": [
            {
                "id": name,
                "lon": 116.3,
                "lat": 39.9,
                "people": dice.choice([0, 7, 20, 64]),
                "kit": "kit",
                "groups": {},
                "weight": dice.choice([1, 2]),
                "bays": 1,
                "unload_fixed_min": HANDLING_MIN,
                "unload_kg_per_min": dice.choice([40, 500]),
                "opens_min": dice.choice([0, 0, 40]),
                "hand_out_per_hour": None,
                "max_size": dice.choice([1, 2]),
                "on_hand": {"water": dice.choice([0, 3])},
            }
            for name in points
        ],
        "demands": [
            {"point": name, "item": "pump", "units": 5, "by_min": DEADLINE_MIN, "worth": 5}
            for name in points
            if dice.random() < 0.3
        ],
        "vehicles": [
            {
                "type": f"T{n}",
                "count": 1,
                "start": sources[-1],
                "available_min": dice.choice([0, 10]),
                "payload_kg": dice.choice([60, 150, 600]),
                "volume_m3": 100,
                "speed_factor": 1,
                "size": dice.choice([1, 1, 2]),
            }
            for n in range(dice.randint(1, 2))
        ],
        "travel": {"kind": "matrix", "minutes": _metric(dice, nodes)},
    }


def with_infants(data: dict[str, Any]) -> dict[str, Any]:
    """A fifth of each point's people are infants, and in a place of seven everybody is."""
    for point in data["points"]:
        people = point["people"]
        point["groups"] = {"infant": people if people == 7 else people // 5}
    return data


def _metric(dice: random.Random, nodes: int) -> list[list[int]]:
    """Ways without detours that pay: leaving out a stop never makes a vehicle later."""
    ways = [[0 if a == b else dice.choice([WAY_MIN, 12, 30]) for b in range(nodes)] for a in range(nodes)]
    for k in range(nodes):
        for a in range(nodes):
            for b in range(nodes):
                ways[a][b] = min(ways[a][b], ways[a][k] + ways[k][b])
    return ways


@dataclass
class Exact:
    """The model of one scenario. Worth is counted in twentieths of a weighted person."""

    data: dict[str, Any]
    model: cp_model.CpModel = field(default_factory=cp_model.CpModel)
    taken: dict[tuple[int, str], list[Any]] = field(default_factory=dict)
    brought: dict[tuple[int, str], list[Any]] = field(default_factory=dict)
    spans: dict[int, list[Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.nodes = [*self.data["sources"], *self.data["points"]]
        self.sources = len(self.data["sources"])
        self.items = {item["id"]: item for item in self.data["items"]}
        for vehicle in self.data["vehicles"]:
            self._day(vehicle)
        for n, spans in self.spans.items():
            berths = self.nodes[n]["docks" if n < self.sources else "bays"]
            self.model.add_cumulative(spans, [1] * len(spans), berths)
        for row in self.data["supply"]:
            n = [node["id"] for node in self.nodes].index(row["source"])
            self.model.add(sum(self.taken.get((n, row["item"]), [])) <= row["quantity"])
        worth, self.total = self._worth()
        self.model.maximize(sum(worth))

    def solve(self, limit_s: float) -> tuple[float, float]:
        """(utility of the best plan found, bound on the utility of any): the same when solved in time."""
        solver = cp_model.CpSolver()
        solver.parameters.num_workers = 1
        solver.parameters.max_time_in_seconds = limit_s
        solver.solve(self.model)
        if not self.total:
            return 1.0, 1.0
        return solver.objective_value / self.total, solver.best_objective_bound / self.total

    def _day(self, vehicle: dict[str, Any]) -> None:
        model, ways = self.model, self.data["travel"]["minutes"]
        begin = [node["id"] for node in self.nodes].index(vehicle["start"])
        aboard: dict[str, Any] = dict.fromkeys(self.items, 0)
        before: list[tuple[int, Any]] = [(begin, True)]
        free: Any = vehicle["available_min"]
        used: Any = True
        for k in range(VISITS):
            at = [model.new_bool_var(f"at{k},{n}") for n in range(len(self.nodes))]
            goes = model.new_bool_var(f"goes{k}")
            model.add(sum(at) == goes)
            model.add(goes <= used)
            start, minutes, end = (
                model.new_int_var(0, DEADLINE_MIN, f"{name}{k}") for name in ("s", "m", "e")
            )
            model.add(start + minutes == end)
            for a, was in before:
                for b, here in enumerate(at):
                    model.add(start >= free + ways[a][b]).only_enforce_if(was, here)
            for n, here in enumerate(at):
                self._visit(vehicle, n, here, start, minutes, end, aboard)
            kg = sum(units * self.items[item]["weight_kg"] for item, units in aboard.items())
            model.add(kg <= vehicle["payload_kg"])
            for units in aboard.values():
                model.add(units >= 0)
            before, free, used = list(enumerate(at)), end, goes
        for units in aboard.values():
            model.add(units == 0)

    def _visit(
        self,
        vehicle: dict[str, Any],
        n: int,
        here: Any,
        start: Any,
        minutes: Any,
        end: Any,
        aboard: dict[str, Any],
    ) -> None:
        """What a vehicle does at node n if it is `here`; counts it into `aboard`."""
        model, node, loading = self.model, self.nodes[n], n < self.sources
        goods = {}
        for item, row in self.items.items():
            packs = model.new_int_var(0, MOST_UNITS // row["pack"], "")
            model.add(packs == 0).only_enforce_if(~here)
            goods[item] = packs * row["pack"]
            aboard[item] += goods[item] if loading else -goods[item]
            (self.taken if loading else self.brought).setdefault((n, item), []).append(goods[item])
        kg = sum(units * self.items[item]["weight_kg"] for item, units in goods.items())
        fixed, rate = (
            node[f"{'load' if loading else 'unload'}_{what}"] for what in ("fixed_min", "kg_per_min")
        )
        model.add((minutes - fixed) * rate >= kg).only_enforce_if(here)
        model.add(minutes > fixed).only_enforce_if(here)
        self.spans.setdefault(n, []).append(model.new_optional_interval_var(start, minutes, end, here, ""))
        if loading:
            for row in self.data["supply"]:
                if row["source"] == node["id"] and row["available_min"]:
                    early = model.new_bool_var("")
                    model.add(start >= row["available_min"]).only_enforce_if(here, ~early)
                    model.add(goods[row["item"]] == 0).only_enforce_if(early)
        elif vehicle["size"] > node["max_size"]:
            model.add(here == 0)
        else:
            model.add(start >= node["opens_min"]).only_enforce_if(here)

    def _worth(self) -> tuple[list[Any], int]:
        """The terms of the objective, and their greatest sum."""
        terms: list[Any] = []
        total = 0
        for n, point in enumerate(self.data["points"], start=self.sources):
            people = point["people"]
            total += 20 * point["weight"] * people
            served = {tier: self.model.new_int_var(0, people, "") for tier in (1, 2)}
            for need in self.data["kits"][0]["needs"]:
                units = sum(self.brought.get((n, need["item"]), [])) + point["on_hand"].get(need["item"], 0)
                members = point["groups"].get(need["group"], 0) if "group" in need else people
                for tier in range(need["tier"], 3):
                    enough = self.model.new_int_var(0, members, "")
                    self.model.add(enough * int(2 * need["per_person"]) <= 2 * units)
                    self.model.add(served[tier] <= people - members + enough)
            for tier, tenths in ((1, 7), (2, 3)):
                twice = self.model.new_int_var(0, 2 * people, "")  # people times u
                if self.data["policy"] == "total":
                    self.model.add(twice <= 2 * served[tier])
                else:
                    self.model.add(twice <= 3 * served[tier])
                    self.model.add(twice <= people + served[tier])
                terms.append(point["weight"] * tenths * twice)
        for demand in self.data["demands"]:
            n = [node["id"] for node in self.nodes].index(demand["point"])
            had = self.model.new_int_var(0, demand["units"], "")
            self.model.add(had <= sum(self.brought.get((n, demand["item"]), [])))
            terms.append(20 * had)
            total += 20 * demand["units"]
        return terms, total
