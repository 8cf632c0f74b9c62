"""Where a vehicle may go next: the sources around each node and the points near each source."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .arrays import Arrays, Bits, Ints
from .model import FAR, Model

SOURCES_AROUND = 10
HOLDERS_AROUND = 2  # of every item
POINTS_NEAR = 40
HOLDERS_NEAR = 5, 4, 3, 2  # of every item that a point needs: it is near these, however far they are
MANY_NEAR = 40_000  # pairs; beyond it fewer holders count
POINTS_BESIDE = 40
RELEASES = 6


class Ways(NamedTuple):
    """Candidates, nearest first, rows padded with −1."""

    around: Ints  # [n, …] sources
    near: Ints  # [s, …] nodes of points
    beside: Ints  # [n, …] nodes of points
    releases: Ints  # [s, …] minutes at which goods come in there, padded with 0


def build_ways(model: Model, a: Arrays) -> Ways:
    """The candidates of a model."""
    minutes = a.ways.min(axis=0)
    holds = np.diff(a.first_holding) > 0
    to_source = np.where(holds[None, :], minutes[:, : a.sources], FAR)
    asks = np.diff(a.first_need) > 0
    to_point = np.where(asks[None, :], minutes[: a.sources, a.sources :], FAR)
    near = _near(a, to_point)
    beside = _nearest(np.where(asks[None, :], minutes[:, a.sources :], FAR), POINTS_BESIDE)
    releases = np.zeros((a.sources, RELEASES), dtype=np.int64)
    for s, source in enumerate(model.scenario.sources):
        times = sorted({row.available_min for row in model.scenario.supply if row.source == source.id})
        releases[s, : len(times)] = times[:RELEASES]
    return Ways(
        _around(a, to_source),
        np.where(near >= 0, near + a.sources, -1),
        np.where(beside >= 0, beside + a.sources, -1),
        releases,
    )


def nearest(ways: Ways, sources: int, points: int) -> Ways:
    """The nearest of the candidates: so many sources around each node, and points near each source."""
    around, near = ways.around[:, :sources].copy(), ways.near[:, :points].copy()
    return ways._replace(around=around, near=near)


def _near(a: Arrays, to_point: Ints) -> Ints:
    """The nearest points of each source, and those that it is one of the nearest to of all that hold what they need."""
    for holders in HOLDERS_NEAR:
        listed = _listed(a, to_point, holders)
        if listed.sum() <= MANY_NEAR:
            break
    return _nearest(np.where(listed, to_point, FAR), int(listed.sum(axis=1).max(initial=1)))


def _listed(a: Arrays, to_point: Ints, most: int) -> Bits:
    """Whether a point is near a source, [s, p]; most: how many holders of an item a point is near at least."""
    listed = np.zeros(to_point.shape, dtype=bool)
    rows = np.arange(len(to_point))[:, None]
    listed[rows, np.maximum(_nearest(to_point, POINTS_NEAR), 0)] = True
    point = np.repeat(np.arange(to_point.shape[1]), np.diff(a.first_need))
    for i in range(len(a.kg)):
        holders, asking = np.flatnonzero(a.holding_of[:, i] >= 0), np.unique(point[a.need_item == i])
        if len(holders) and len(asking):
            closest = _nearest(to_point[np.ix_(holders, asking)].T, most)
            listed[holders[np.maximum(closest, 0)], asking[:, None]] = True
    return listed


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
