"""Where a vehicle may go next: the sources around each node and the points near each source."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .arrays import Arrays, Ints
from .model import FAR, Model

SOURCES_AROUND = 10
HOLDERS_AROUND = 2  # of every item
POINTS_NEAR = 100
RELEASES = 6


class Ways(NamedTuple):
    """Candidates, nearest first, rows padded with −1."""

    around: Ints  # [n, …] sources
    near: Ints  # [s, …] nodes of points
    releases: Ints  # [s, …] minutes at which goods come in there, padded with 0


def build_ways(model: Model, a: Arrays) -> Ways:
    """The candidates of a model."""
    minutes = a.ways.min(axis=0)
    holds = np.diff(a.first_holding) > 0
    to_source = np.where(holds[None, :], minutes[:, : a.sources], FAR)
    asks = np.diff(a.first_need) > 0
    to_point = np.where(asks[None, :], minutes[: a.sources, a.sources :], FAR)
    near = _nearest(to_point, POINTS_NEAR)
    releases = np.zeros((a.sources, RELEASES), dtype=np.int64)
    for s, source in enumerate(model.scenario.sources):
        times = sorted({row.available_min for row in model.scenario.supply if row.source == source.id})
        releases[s, : len(times)] = times[:RELEASES]
    return Ways(_around(a, to_source), np.where(near >= 0, near + a.sources, -1), releases)


def _around(a: Arrays, to_source: Ints) -> Ints:
    """The nearest sources of each node and, if they are not among these, the nearest holders of every item."""
    listed = np.zeros(to_source.shape, dtype=bool)
    rows = np.arange(len(to_source))[:, None]
    listed[rows, np.maximum(_nearest(to_source, SOURCES_AROUND), 0)] = True
    for i in range(len(a.kg)):
        holders = np.flatnonzero(a.holding_of[:, i] >= 0)
        if len(holders):
            nearest = _nearest(to_source[:, holders], HOLDERS_AROUND)
            listed[rows, holders[np.maximum(nearest, 0)]] = True
    return _nearest(np.where(listed, to_source, FAR), int(listed.sum(axis=1).max(initial=1)))


def _nearest(minutes: Ints, most: int) -> Ints:
    """For each row the columns with the least minutes, ascending; those without a way are −1."""
    order = np.argsort(minutes, axis=1, kind="stable")[:, :most]
    least = np.take_along_axis(minutes, order, axis=1)
    nearest: Ints = np.where(least < FAR, order, -1).astype(np.int64)
    return nearest
