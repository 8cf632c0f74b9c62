"""Travel times and berths as the generator and the greedy need them; no code in common with the planner."""

from __future__ import annotations

import numpy as np
from chubei_allocation.planner import Scenario
from chubei_allocation.planner.scenario import Point, Source
from numpy.typing import NDArray

FAR = 10**6  # minutes; stands for: no way
EARTH_KM = 6371.0088
Minutes = NDArray[np.int64]


def great_circle_km(lon: NDArray[np.float64], lat: NDArray[np.float64]) -> NDArray[np.float64]:
    """Kilometres between all pairs of places given in degrees, shape (places, places)."""
    lon, lat = np.radians(lon), np.radians(lat)
    h = np.sin((lat[None, :] - lat[:, None]) / 2) ** 2
    h += np.cos(lat)[:, None] * np.cos(lat)[None, :] * np.sin((lon[None, :] - lon[:, None]) / 2) ** 2
    km: NDArray[np.float64] = 2 * EARTH_KM * np.arcsin(np.sqrt(np.clip(h, 0.0, 1.0)))
    return km


def ways(scenario: Scenario, speed_factor: float = 1.0) -> Minutes:
    """Whole minutes from node to node (sources, then points) at a speed, FAR where there is no way."""
    places: list[Source | Point] = [*scenario.sources, *scenario.points]
    travel = scenario.travel
    if travel.minutes is not None:
        base = np.array([[FAR if cell is None else cell for cell in row] for row in travel.minutes])
    else:
        lon, lat = (np.array([getattr(place, axis) for place in places]) for axis in ("lon", "lat"))
        base = great_circle_km(lon, lat) * travel.circuity / travel.speed_kmh * 60
    # a hair less is taken off than by the rules (1e-9), so that rounding never makes a leg too short
    whole = np.maximum(1, np.ceil(base / speed_factor - 0.99e-9)).astype(np.int64)
    node = {place.id: n for n, place in enumerate(places)}
    for here, there in scenario.closures:
        whole[node[here], node[there]] = FAR
    np.fill_diagonal(whole, 0)
    return np.minimum(whole, FAR)


class Berths:
    """Docks or bays minute by minute up to a horizon; those that have begun may overfill them."""

    def __init__(self, steps: tuple[tuple[int, int], ...], horizon_min: int) -> None:
        self._free = [0] * horizon_min
        for begin, number in steps:
            for minute in range(begin, horizon_min):
                self._free[minute] = number
        self._open = sum(1 << minute for minute, free in enumerate(self._free) if free > 0)

    def earliest(self, minute: int, length_min: int) -> int | None:
        """The first start at `minute` or later with a berth free for so many minutes."""
        run, width = self._open >> minute, 1
        while width < length_min and run:
            step = min(width, length_min - width)
            run &= run >> step
            width += step
        return minute + (run & -run).bit_length() - 1 if run else None

    def take(self, start: int, end: int) -> None:
        for minute in range(start, min(end, len(self._free))):
            self._free[minute] -= 1
            if self._free[minute] <= 0:
                self._open &= ~(1 << minute)
