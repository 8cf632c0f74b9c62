"""Trips dealt out anew: the least empty way of all, by trying every order, and no trip changed."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import numpy as np
from chubei_allocation.planner import parse_scenario
from chubei_allocation.planner.bound import Bound
from chubei_allocation.planner.construct import construct
from chubei_allocation.planner.linking import cheapest, link
from chubei_allocation.planner.model import Model
from chubei_allocation.planner.search import Search
from chubei_allocation.planner.visits import stops_of
from hypothesis import given
from hypothesis import strategies as st

from tests.bench.generate import make


@st.composite
def dealt(draw: st.DrawFn) -> tuple[Any, Any, Any]:
    """Ways and whether they are in time, [end, trip], and an order in which all trips are made."""
    trips = draw(st.integers(1, 4))
    ends = trips + draw(st.integers(1, 2))
    way = np.array(draw(st.lists(st.integers(1, 9), min_size=ends * trips, max_size=ends * trips)))
    in_time = np.array(draw(st.lists(st.booleans(), min_size=ends * trips, max_size=ends * trips)))
    way, in_time = way.reshape(ends, trips), in_time.reshape(ends, trips)
    now = np.full(ends, -1)
    now[draw(st.permutations(range(ends)))[:trips]] = np.arange(trips)
    in_time[now >= 0, now[now >= 0]] = True
    return way.astype(np.int64), in_time, now


@given(dealt())
def test_there_is_no_shorter_empty_way(case: tuple[Any, Any, Any]) -> None:
    way, in_time, now = case
    ends, trips = way.shape
    best = min(
        sum(int(way[end, trip]) for trip, end in enumerate(order))
        for order in permutations(range(ends), trips)
        if all(in_time[end, trip] for trip, end in enumerate(order))
    )
    follows = cheapest(way, in_time, now)
    goes_on = np.flatnonzero(follows >= 0)
    assert sorted(follows[goes_on]) == list(range(trips))
    assert in_time[goes_on, follows[goes_on]].all()
    assert way[goes_on, follows[goes_on]].sum() == best


def empty_min(search: Search) -> int:
    """Minutes that vehicles drive empty."""
    a, stops = search.arrays, stops_of(search.visits)
    first = np.diff(stops.vehicle * 1000 + stops.trip, prepend=-1) != 0
    before = np.where(
        np.diff(stops.vehicle, prepend=-1) != 0, a.start_node[stops.vehicle], np.roll(stops.node, 1)
    )
    return int(a.ways[a.speed[stops.vehicle], before, stops.node][first].sum())


def test_trips_stay_as_they_are_and_vehicles_drive_less() -> None:
    search = Search(Model(parse_scenario(make("district", 3))), seed=0)
    construct(search, Bound(1.0, None), lambda: False)
    search.replay(search.chains[0], search.best)
    before, score = stops_of(search.visits), search.score.copy()
    empty = empty_min(search)
    for vehicles in search.alike:
        link(search.arrays, search.best.days, before, vehicles)
    search.replay(search.chains[0], search.best)
    after = stops_of(search.visits)
    for one, other in zip(
        sorted(zip(before.node, before.start, before.end, strict=True)),
        sorted(zip(after.node, after.start, after.end, strict=True)),
        strict=True,
    ):
        assert one == other
    assert (search.score == score).all()
    assert empty_min(search) < empty
