"""The days of all vehicles: what the search varies, and what a plan file tells of in full."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .arrays import TRIP_WIDTH, Arrays, Ints, Table


class Days(NamedTuple):
    """What the search varies."""

    rows: Table  # [v, trip, TRIP_WIDTH]
    trips: Ints  # [v]
    aims: Table  # [p, 3] order of stages (1: everyone supported before anyone is settled), people to serve by tier


def make_days(a: Arrays, most_trips: int) -> Days:
    """Empty days."""
    vehicles, points = len(a.start_node), len(a.people)
    return Days(
        np.zeros((vehicles, most_trips, TRIP_WIDTH), dtype=np.int32),
        np.zeros(vehicles, dtype=np.int64),
        np.stack([np.zeros(points, dtype=np.int64), a.people, a.people], axis=1),
    )
