"""The scenario as arrays: what the construction of plans computes with.

Sets and indices
    i  items                     kg[i], m3[i], pack[i]
    n  nodes, sources then points    minutes[v][n, n'] whole minutes for the speed of vehicle v, FAR if no way
    r  wants: who asks for goods. One for each point with people (its kit), one for each absolute demand
    v  vehicles that can still drive, one by one
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .scenario import Need, Point, Scenario, Source, Steps, Trip

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]

FAR = 10**7
EARTH_KM = 6371.0088
MOST_NODES = 1000  # of a travel table, for all its shortest paths


@dataclass(frozen=True)
class Want:
    """Who asks for goods at a point: its people (a kit), or one absolute demand."""

    node: int
    point: Point
    people: int
    latest_min: int
    worth: float  # of serving it whole, in people, by weight
    needs: tuple[Need, ...]
    item: int = -1  # of an absolute demand
    units: int = 0


@dataclass(frozen=True)
class Vehicle:
    """A vehicle, from where and when it is free: after its committed trips when replanning."""

    name: str
    node: int
    free_min: int
    payload_kg: float
    volume_m3: float
    speed_factor: float
    size: float


@dataclass(frozen=True)
class Node:
    """A place with berths: docks of a source or bays of a point."""

    id: str
    berths: Steps
    fixed_min: int
    kg_per_min: float
    opens_min: int
    max_size: float


class Model:
    """Arrays over items, nodes, wants and vehicles of one scenario; never changed after it is made."""

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self.deadline_min = scenario.deadline_min
        self.item_index = {item.id: i for i, item in enumerate(scenario.items)}
        self.kg = np.array([item.weight_kg for item in scenario.items], dtype=np.float64)
        self.m3 = np.array([item.volume_m3 for item in scenario.items], dtype=np.float64)
        self.pack = np.array([item.pack for item in scenario.items], dtype=np.int64)
        self.nodes = _nodes(scenario)
        self.node_index = {node.id: n for n, node in enumerate(self.nodes)}
        self.source_count = len(scenario.sources)
        self._open_minutes = _base_minutes(scenario)
        self._minutes = self._open_minutes.copy()
        for here, there in scenario.closures:
            self._minutes[self.node_index[here], self.node_index[there]] = np.inf
        self._by_speed: dict[float, IntArray] = {}
        self._shortest: dict[float, IntArray] = {}
        self.wants = self._wants()
        self.total_worth = sum(want.worth for want in self.wants)
        self.vehicles = self._vehicles()

    def minutes(self, speed_factor: float) -> IntArray:
        """Whole minutes from node to node at this speed, shape (nodes, nodes); FAR where there is no way."""
        if speed_factor not in self._by_speed:
            # verify and the checker round up less 1e-9; a hair more here never makes a leg too short
            whole = np.maximum(1, np.ceil(self._minutes / speed_factor - 1e-9 + 1e-11))
            np.fill_diagonal(whole, 0)
            self._by_speed[speed_factor] = np.where(np.isfinite(whole), np.minimum(whole, FAR), FAR).astype(
                np.int64
            )
        return self._by_speed[speed_factor]

    def shortest(self, speed_factor: float) -> IntArray:
        """Minutes that no way from node to node, by whatever stops, can undercut, shape (nodes, nodes).

        On the globe the direct way, on a table or where ways are closed the shortest path (for very large networks
        the longer of the least way out and the least way in).
        """
        if speed_factor not in self._shortest:
            base = self._open_minutes / speed_factor
            np.fill_diagonal(base, 0.0)
            table = self.scenario.travel.minutes is not None
            if table or self.scenario.closures:
                paths = _all_shortest(np.maximum(1.0, np.ceil(self._minutes / speed_factor - 1e-9)))
                base = paths if table else np.maximum(base, paths)
            whole = np.maximum(1, np.ceil(base - 1e-7))
            np.fill_diagonal(whole, 0)
            self._shortest[speed_factor] = np.where(np.isfinite(whole), np.minimum(whole, FAR), FAR).astype(
                np.int64
            )
        return self._shortest[speed_factor]

    def goods(self, units: dict[str, int]) -> IntArray:
        """A vector over items, shape (items,)."""
        vector = np.zeros(len(self.kg), dtype=np.int64)
        for item, count in units.items():
            vector[self.item_index[item]] = count
        return vector

    def _wants(self) -> tuple[Want, ...]:
        kits = {kit.id: kit.needs for kit in self.scenario.kits}
        wants = [
            Want(
                node=self.node_index[point.id],
                point=point,
                people=point.people,
                latest_min=self.deadline_min,
                worth=point.weight * point.people,
                needs=kits[point.kit],
            )
            for point in self.scenario.points
            if point.people and point.kit
        ]
        by_id = {point.id: point for point in self.scenario.points}
        wants += [
            Want(
                node=self.node_index[demand.point],
                point=by_id[demand.point],
                people=0,
                latest_min=min(self.deadline_min, demand.by_min),
                worth=demand.worth,
                needs=(),
                item=self.item_index[demand.item],
                units=demand.units,
            )
            for demand in self.scenario.demands
        ]
        return tuple(wants)

    def _vehicles(self) -> tuple[Vehicle, ...]:
        last: dict[str, Trip] = {}
        busy: dict[str, int] = {}
        for trip in sorted(self.scenario.committed, key=lambda trip: trip.visits[0].start):
            last[trip.vehicle] = trip
            busy[trip.vehicle] = max(busy.get(trip.vehicle, 0), trip.visits[-1].end)
        fleet = []
        for kind in self.scenario.vehicles:
            for number in range(1, kind.count + 1):
                name = f"{kind.type}#{number}"
                if number in kind.lost:
                    continue
                begun = last.get(name)
                free = busy[name] if begun else kind.from_min(number)
                fleet.append(
                    Vehicle(
                        name=name,
                        node=self.node_index[begun.visits[-1].node if begun else kind.start],
                        free_min=max(free, self.scenario.now_min),
                        payload_kg=kind.payload_kg,
                        volume_m3=kind.volume_m3,
                        speed_factor=kind.speed_factor,
                        size=kind.size,
                    )
                )
        return tuple(fleet)


def _nodes(scenario: Scenario) -> tuple[Node, ...]:
    sources = [
        Node(s.id, s.docks, s.load_fixed_min, s.load_kg_per_min, 0, float("inf")) for s in scenario.sources
    ]
    points = [
        Node(p.id, p.bays, p.unload_fixed_min, p.unload_kg_per_min, p.opens_min, p.max_size)
        for p in scenario.points
    ]
    return (*sources, *points)


def _base_minutes(scenario: Scenario) -> FloatArray:
    """Minutes from node to node at speed 1 without closures, infinite where there is no way."""
    places: list[Source | Point] = [*scenario.sources, *scenario.points]
    travel = scenario.travel
    if travel.minutes is not None:
        rows = [[np.inf if cell is None else cell for cell in row] for row in travel.minutes]
        return np.array(rows, dtype=np.float64).reshape(len(places), len(places))
    lon = np.radians(np.array([place.lon for place in places], dtype=np.float64))
    lat = np.radians(np.array([place.lat for place in places], dtype=np.float64))
    h = np.sin((lat[None, :] - lat[:, None]) / 2) ** 2
    h += np.cos(lat)[:, None] * np.cos(lat)[None, :] * np.sin((lon[None, :] - lon[:, None]) / 2) ** 2
    km = 2 * EARTH_KM * np.arcsin(np.sqrt(np.clip(h, 0.0, 1.0)))
    minutes: FloatArray = km * travel.circuity / travel.speed_kmh * 60
    return minutes


def _all_shortest(minutes: FloatArray) -> FloatArray:
    """Shortest paths between all nodes (Floyd-Warshall), or for very many nodes a lower bound on them."""
    best = minutes.copy()
    if len(best) > MOST_NODES:
        np.fill_diagonal(best, np.inf)
        least: FloatArray = np.maximum(best.min(axis=1)[:, None], best.min(axis=0)[None, :])
        return least
    np.fill_diagonal(best, 0.0)
    for middle in range(len(best)):
        np.minimum(best, best[:, middle, None] + best[None, middle, :], out=best)
    return best
