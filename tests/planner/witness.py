"""Scenarios made around a plan: berths, goods and desks are just enough for it (or, by the dice, some of these are
plenty, so that others bind), and vehicles always are. A bound that is too low by little is below such a plan."""

from __future__ import annotations

import math
import random
from collections import defaultdict
from typing import Any

Loads = dict[str, int]
KIT = (("water", 0.75, 1, None), ("quilt", 1.0, 1, None), ("milk", 2.0, 1, "infant"), ("bed", 1.0, 2, None))


def witness(seed: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """(scenario, plan) where the plan's trips obey all rules and, tier 1, serve everybody."""
    scenario, trips = _Witness(random.Random(seed)).made()  # noqa: S311 (a test's dice)
    claims = {"supported": 0, "settled": 0, "utility": 0, "mean_wait_min": 0, "utility_bound": 1}
    return scenario, {
        "format": "planning-plan/1",
        "scenario": "witness",
        "trips": trips,
        "claims": claims,
    }


class _Witness:
    def __init__(self, dice: random.Random) -> None:
        self.dice = dice
        self.plenty = {what for what in ("berths", "goods", "desks") if dice.random() < 0.4}
        self.brisk = (
            dice.random() < 0.4
        )  # full loads from one place to one point: little that could be better
        self.sources = [f"S{n}" for n in range(1 if self.brisk else dice.randint(1, 4))]
        self.points = [f"P{n}" for n in range(dice.randint(1, 2 if self.brisk else 5))]
        self.nodes = [*self.sources, *self.points]
        self.fixed = {node: dice.choice([0, 3, 12]) for node in self.nodes}
        self.rate = {node: dice.choice([15.0, 40.0, 110.0]) for node in self.nodes}
        self.item = {
            name: (dice.choice([0.5, 3.0, 12.0]), dice.choice([0.002, 0.02, 0.09]))
            for name in ("water", "quilt", "milk", "bed", "pump")
        }
        self.minutes = [[dice.choice([1, 4, 9.5, 25]) for _ in self.nodes] for _ in self.nodes]
        self.kits: dict[tuple[str, int], list[tuple[int, int]]] = defaultdict(list)  # (end, people) by tier
        self.infants: dict[str, int] = defaultdict(int)
        self.pumps: dict[str, list[tuple[int, int]]] = defaultdict(list)

    def made(self) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        dice = self.dice
        horizon = dice.choice([60, 200, 500])
        fleet = [self._vehicle(n) for n in range(dice.randint(1, 4))]
        trips = [trip for vehicle in fleet for trip in self._day(vehicle, horizon)]
        deadline = max((trip["visits"][-1]["end"] for trip in trips), default=0) + dice.choice([1, 5, 20])
        now = dice.choice([0, 0, deadline // 3])
        if any(trip["visits"][0]["start"] >= now > trip["leaves"] for trip in trips):
            now = 0  # a vehicle would be on its way to the first load of a trip not yet begun
        for trip in trips:
            del trip["leaves"]
        scenario = {
            "format": "planning-scenario/1",
            "name": "witness",
            "deadline_min": deadline,
            "policy": dice.choice(["fair", "total"]),
            "items": [
                {"id": name, "name_zh": "物", "name_en": name, "pack": 1, "weight_kg": kg, "volume_m3": m3}
                for name, (kg, m3) in self.item.items()
            ],
            "kits": [{"id": "kit", "needs": [self._need(*need) for need in KIT]}],
            "sources": [self._source(s, trips) for s in self.sources],
            "supply": self._supply(trips),
            "points": [self._point(p, trips, deadline) for p in self.points],
            "demands": [
                {
                    "point": p,
                    "item": "pump",
                    "units": sum(n for _, n in rows),
                    "by_min": max(end for end, _ in rows),
                    "worth": 30,
                }
                for p, rows in self.pumps.items()
            ],
            "vehicles": fleet,
            "travel": {"kind": "matrix", "minutes": self.minutes},
            "now_min": now,
            "committed": [trip for trip in trips if trip["visits"][0]["start"] < now],
        }
        return scenario, trips

    def _need(self, item: str, per_person: float, tier: int, group: str | None) -> dict[str, Any]:
        need = {"item": item, "per_person": per_person, "tier": tier}
        return {**need, "group": group} if group else need

    def _vehicle(self, n: int) -> dict[str, Any]:
        return {
            "type": f"v{n % 2}" if n < 2 else f"w{n}",
            "count": 1,
            "start": self.dice.choice(self.sources),
            "available_min": self.dice.choice([0, 10, 30]),
            "payload_kg": self.dice.choice([200.0, 900.0]),
            "volume_m3": self.dice.choice([0.8, 6.0]),
            "speed_factor": self.dice.choice([1.0, 0.8]),
            "size": 1,
        }

    def _way(self, vehicle: dict[str, Any], here: str, there: str) -> int:
        base = self.minutes[self.nodes.index(here)][self.nodes.index(there)]
        return 0 if here == there else max(1, math.ceil(base / vehicle["speed_factor"] - 1e-9))

    def _day(self, vehicle: dict[str, Any], horizon: int) -> list[dict[str, Any]]:
        trips: list[dict[str, Any]] = []
        here, t = vehicle["start"], vehicle["available_min"]
        while True:
            drops = self._drops(vehicle)
            stops = [*self._loads(drops), *((point, goods) for point, goods, _ in drops)]
            visits: list[dict[str, Any]] = []
            leaves = t
            for node, goods in stops:
                arrive = t + self._way(vehicle, here, node)
                kg = sum(units * self.item[item][0] for item, units in goods.items())
                end = arrive + self.fixed[node] + math.ceil(kg / self.rate[node] - 1e-9)
                key = "load" if node in self.sources else "deliver"
                visits.append({"node": node, "arrive": arrive, "start": arrive, "end": end, key: goods})
                here, t = node, end
            if t > horizon and trips:
                return trips
            trips.append({"vehicle": f"{vehicle['type']}#1", "visits": visits, "leaves": leaves})
            ends = [visit["end"] for visit in visits if "deliver" in visit]
            for end, (point, goods, people) in zip(ends, drops, strict=True):
                for tier, count in people.items():
                    self.kits[point, tier].append((end, count))
                self.infants[point] += goods.get("milk", 0) // 2
                if "pump" in goods:
                    self.pumps[point].append((end, goods["pump"]))
            if t > horizon:
                return trips

    def _drops(self, vehicle: dict[str, Any]) -> list[tuple[str, Loads, dict[int, int]]]:
        """Goods for whole people at one to three points, as many as there is room for."""
        count = 1 if self.brisk else self.dice.randint(1, 3)
        kg, m3 = vehicle["payload_kg"] / count, vehicle["volume_m3"] / count
        drops = []
        for point in self.dice.choices(self.points, k=count):
            tiers = (1, 2) if self.brisk else self.dice.choice([(1,), (2,), (1, 2)])
            infants = self.dice.choice([0, 0, 1])
            goods: Loads = {}
            people: dict[int, int] = {}
            for n in range(4, 100_000, 4):  # three quarters of a case each: whole for four
                more: Loads = {}
                if 1 in tiers:
                    more = {"water": n * 3 // 4, "quilt": n}
                    more |= {"milk": 2 * infants} if infants else {}
                if 2 in tiers:
                    more["bed"] = n
                if self.dice.random() < 0.02:
                    more["pump"] = 1
                if self._kg(more) > kg or self._m3(more) > m3:
                    break
                goods, people = more, dict.fromkeys(tiers, n)
            if goods:
                drops.append((point, goods, people))
        return drops or [(self.points[0], {"pump": 1}, {})]

    def _kg(self, goods: Loads) -> float:
        return sum(units * self.item[item][0] for item, units in goods.items())

    def _m3(self, goods: Loads) -> float:
        return sum(units * self.item[item][1] for item, units in goods.items())

    def _loads(self, drops: list[tuple[str, Loads, dict[int, int]]]) -> list[tuple[str, Loads]]:
        """All goods of the drops, from one or two sources."""
        total: Loads = defaultdict(int)
        for _, goods, _ in drops:
            for item, units in goods.items():
                total[item] += units
        loads: dict[str, Loads] = defaultdict(dict)
        choice = self.dice.sample(self.sources, k=min(len(self.sources), self.dice.randint(1, 2)))
        for item, units in total.items():
            loads[self.dice.choice(choice)][item] = units
        return list(loads.items())

    def _crews(self, node: str, trips: list[dict[str, Any]]) -> list[list[int]]:
        if "berths" in self.plenty:
            return [[0, 9]]
        visits = [visit for trip in trips for visit in trip["visits"] if visit["node"] == node]
        marks = sorted({0, *(v["start"] for v in visits), *(v["end"] for v in visits)})
        return [[m, sum(v["start"] <= m < v["end"] for v in visits)] for m in marks]

    def _source(self, node: str, trips: list[dict[str, Any]]) -> dict[str, Any]:
        place = {"id": node, "kind": "warehouse", "lon": 116.0, "lat": 40.0}
        timing = {"load_fixed_min": self.fixed[node], "load_kg_per_min": self.rate[node]}
        return {**place, **timing, "docks": self._crews(node, trips)}

    def _supply(self, trips: list[dict[str, Any]]) -> list[dict[str, Any]]:
        taken: dict[tuple[str, str], list[tuple[int, int]]] = defaultdict(list)
        for visit in (visit for trip in trips for visit in trip["visits"] if "load" in visit):
            for item, units in visit["load"].items():
                taken[visit["node"], item].append((visit["start"], units))
        rows = []
        for (source, item), loads in taken.items():
            loads.sort()
            total = sum(units for _, units in loads)
            row = {"source": source, "item": item, "mode": "physical", "quantity": total}
            if "goods" in self.plenty:
                rows.append({**row, "quantity": 3 * total, "available_min": 0})
                continue
            if self.dice.random() < 0.5:
                rows.append({**row, "available_min": loads[0][0]})
                continue
            since = max(0, loads[0][0] - self.dice.choice([5, 60]))
            pace, used = 1e-3, 0
            for minute, units in loads:
                used += units
                pace = max(pace, used / max(minute - since, 0.5) * 60)
            if loads[0][0] == since:  # nothing has been made in no time
                rows.append({**row, "available_min": since})
            else:
                rows.append({**row, "available_min": since, "rate_per_hour": pace * (1 + 1e-6)})
        return rows

    def _point(self, node: str, trips: list[dict[str, Any]], deadline: int) -> dict[str, Any]:
        first, second = self.kits[node, 1], self.kits[node, 2]
        people = sum(count for _, count in first)
        pace = 1.0
        for rows, goal in ((first, people), (second, min(people, sum(count for _, count in second)))):
            stands = 0
            for end, count in sorted(rows):
                pace = max(pace, (goal - stands) / max(deadline - end, 1) * 60)
                stands += count
        starts = [v["start"] for trip in trips for v in trip["visits"] if v["node"] == node]
        return {
            "id": node,
            "lon": 116.0,
            "lat": 40.0,
            "people": people,
            "kit": "kit",
            "groups": {"infant": min(people, self.infants[node])},
            "weight": self.dice.choice([1.0, 1.5]),
            "bays": self._crews(node, trips),
            "unload_fixed_min": self.fixed[node],
            "unload_kg_per_min": self.rate[node],
            "opens_min": min(starts, default=0),
            "hand_out_per_hour": None if "desks" in self.plenty else pace * (1 + 1e-6),
            "max_size": 1,
            "on_hand": {},
        }
