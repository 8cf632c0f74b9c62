"""Docks and bays, minute by minute."""

from __future__ import annotations

from .arrays import Ints
from .compiled import compiled


@compiled
def earliest(manned: Ints, booked: Ints, minute: int, duration: int) -> int:
    """The first start at `minute` or later with a berth free for the whole duration; past the end if none."""
    run, end = 0, len(manned)
    for m in range(minute, end):
        if booked[m] < manned[m]:
            run += 1
            if run >= duration:
                return m - duration + 1
        else:
            run = 0
    return end


@compiled
def book(booked: Ints, start: int, end: int, vehicles: int) -> None:
    """Take a berth for [start, end), or give it back with vehicles=-1."""
    for m in range(start, min(end, len(booked))):
        booked[m] += vehicles
