"""The order of an order's steps: every kind of step, tried in every state."""

from itertools import product

import pytest
from chubei_allocation.dispatch.moves import due, following
from chubei_shared.contracts.orders import StepKind, Stop

A, P, L, D, R = StepKind.ARRIVED, StepKind.PICKED, StepKind.LOADED, StepKind.DEPARTED, StepKind.RECEIVED
T = StepKind.TAKEN_OVER


def stop(number: int, load: bool) -> Stop:
    goods = {"1020101": 5}
    return Stop(
        stop=number,
        place_id=f"place-{number}",
        kind="warehouse" if load else "point",
        name_zh="示例",
        name_en="example",
        arrive_min=0,
        start_min=0,
        end_min=1,
        load=goods if load else {},
        modes={"1020101": "physical"} if load else {},
        deliver={} if load else goods,
    )


STOPS = [stop(0, load=True), stop(1, load=True), stop(2, load=False), stop(3, load=False)]
WAY = [(0, P), (0, L), (0, T), (0, D), (1, A), (1, P), (1, L), (1, D), (2, A), (2, R), (2, D), (3, A), (3, R)]
NEXT = [
    (0, {A, P}),
    (0, {L}),
    (0, {T, D}),
    (0, {D}),
    (1, {A, P}),
    (1, {P}),
    (1, {L}),
    (1, {T, D}),
    (2, {A}),
    (2, {R}),
    (2, {D}),
    (3, {A}),
    (3, {R}),
    (3, set()),
]


@pytest.mark.parametrize("done", range(len(WAY) + 1))
def test_the_table_allows_these_and_no_others(done):
    assert following(STOPS, WAY[:done]) == (NEXT[done][0], frozenset(NEXT[done][1]))


def test_no_walk_over_the_table_skips_or_repeats_a_receipt():
    """All walks of the allowed steps end done, having loaded and received once at every stop."""
    walks, ended = [[]], []
    while walks:
        walk = walks.pop()
        at, allowed = following(STOPS, walk)
        if not allowed:
            ended.append(walk)
        walks += [[*walk, (at, kind)] for kind in allowed]
    assert len(ended) == 16  # the arrival and the take-over at each of two loading stops may be left out
    for walk, (number, kind) in product(ended, [(0, L), (1, L), (2, R), (3, R)]):
        assert walk.count((number, kind)) == 1


@pytest.mark.parametrize(
    ("loaded", "told"),
    [
        ({}, [5, 5]),
        ({0: {"1020101": 5}, 1: {"1020101": 3}}, [5, 3]),
        ({0: {"1020101": 0}, 1: {"1020101": 4}}, [4, 0]),
        ({0: {"1020101": 1}}, [5, 1]),
    ],
)
def test_the_first_stops_get_theirs_while_what_was_loaded_lasts(loaded, told):
    assert [goods["1020101"] for goods in due(STOPS, loaded) if goods] == told
