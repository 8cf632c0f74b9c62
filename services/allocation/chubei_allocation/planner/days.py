"""The days of all vehicles: what the search varies, and what a plan file tells of in full."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .arrays import FIRST_WISH, GIVEN, MOST_DROPS, PLANNED, TIMES_PLANNED, Arrays, Bits, Ints, Table
from .compiled import compiled


class Days(NamedTuple):
    """What the search varies."""

    rows: Table  # [v, trip, …], see arrays.py
    trips: Ints  # [v]
    aims: Table  # [p, 3] order of stages (1: everyone supported before anyone is settled), people to serve by tier


def make_days(a: Arrays, most_trips: int) -> Days:
    """Empty days."""
    vehicles, points = len(a.start_node), len(a.people)
    needs = max(1, int(np.diff(a.first_need).max(initial=1)))
    return Days(
        np.zeros((vehicles, most_trips, FIRST_WISH + MOST_DROPS * needs), dtype=np.int32),
        np.zeros(vehicles, dtype=np.int64),
        np.stack([np.zeros(points, dtype=np.int64), a.people, a.people], axis=1),
    )


def given_trips(days: Days) -> Bits:
    """Which trips, [v, trip], are as they were given."""
    rows = days.rows
    there = np.arange(rows.shape[1]) < days.trips[:, None]
    given: Bits = there & (rows[:, :, GIVEN] > 0) & (rows[:, :, PLANNED] == TIMES_PLANNED)
    return given


@compiled
def copy_trip(a: Table, b: Table) -> None:
    """Make row b the same trip as a."""
    for j in range(len(a) if a[PLANNED] else GIVEN):
        b[j] = a[j]


@compiled
def swap_trips(a: Table, b: Table) -> None:
    """Exchange two trips."""
    for j in range(len(a) if a[PLANNED] or b[PLANNED] else GIVEN):
        a[j], b[j] = b[j], a[j]
