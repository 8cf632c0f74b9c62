"""What counts come to: tables for the cases that people argue about, laws for all others."""

from datetime import UTC, datetime, timedelta
from random import Random
from uuid import uuid4

import pytest
from chubei_inventory.stocktake.rules import MOVES, OPEN, Counted, accuracy, judge, passes
from chubei_shared.contracts.base import Certainty, Provenance
from chubei_shared.contracts.stocktakes import LineStatus, Threshold
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

T0 = datetime(2026, 11, 21, 9, tzinfo=UTC)
INVENTED = Provenance(certainty=Certainty.INVENTED)


def threshold(**given_: int) -> Threshold:
    return Threshold(provenance=INVENTED, **given_)


def count(person: str, units: int, book: int, minute: int = 0, stale: bool = False) -> Counted:
    return Counted(uuid4(), person, T0 + timedelta(minutes=minute), units, book, stale)


@pytest.mark.parametrize(
    ("rule", "difference", "book", "price_fen", "asked"),
    [
        ({"units": 5}, 5, 100, None, False),
        ({"units": 5}, -6, 100, None, True),
        ({"pct": 2}, -2, 100, None, False),
        ({"pct": 2}, -3, 100, None, True),
        ({"pct": 2}, 1, 0, None, True),  # found where the books have nothing
        ({"pct": 2}, 1, -4, None, True),  # or less
        ({"pct": 2}, 0, 0, None, False),
        ({"value_fen": 10_000}, 5, 5, 2_000, False),
        ({"value_fen": 10_000}, 5, 5, 2_001, True),
        ({"value_fen": 10_000}, 5, 5, None, False),  # without a price no value
        ({"units": 50, "pct": 2}, 3, 100, None, True),  # whichever is passed first
        ({"units": 0}, 1, 10**6, None, True),
    ],
)
def test_from_which_difference_on_somebody_else_counts(rule, difference, book, price_fen, asked):
    assert passes(threshold(**rule), difference, book, price_fen) == asked


def test_a_threshold_says_something():
    with pytest.raises(ValidationError, match="at least one"):
        threshold()


@pytest.mark.parametrize(
    ("counts", "books_now", "status", "difference"),
    [
        ([], 10, LineStatus.TO_COUNT, None),
        ([], 0, LineStatus.GONE, None),
        ([count("a", 100, 100)], 100, LineStatus.COUNTED, 0),
        ([count("a", 98, 100)], 100, LineStatus.COUNTED, -2),  # small
        ([count("a", 90, 100)], 100, LineStatus.TO_RECOUNT, None),
        ([count("a", 90, 100), count("a", 90, 100, 1)], 100, LineStatus.TO_RECOUNT, None),  # not by oneself
        ([count("a", 90, 100), count("b", 90, 100, 1)], 100, LineStatus.COUNTED, -10),
        # ten went out between the counts: both found ten too few
        ([count("a", 90, 100), count("b", 80, 90, 1)], 90, LineStatus.COUNTED, -10),
        ([count("a", 90, 100), count("b", 100, 100, 1)], 100, LineStatus.COUNTED, 0),
        ([count("a", 90, 100), count("b", 80, 100, 1)], 100, LineStatus.TO_RECOUNT, None),
        ([count("a", 90, 100), count("b", 80, 100, 1), count("c", 90, 100, 2)], 100, LineStatus.COUNTED, -10),
        # the books were adjusted after it: it says nothing any more
        ([count("a", 90, 100, stale=True)], 90, LineStatus.TO_COUNT, None),
        ([count("a", 90, 100, stale=True), count("a", 90, 90, 1)], 90, LineStatus.COUNTED, 0),
        ([count("a", 0, 0, stale=True)], 0, LineStatus.GONE, None),
    ],
)
def test_what_counts_come_to(counts, books_now, status, difference):
    verdict = judge(counts, threshold(pct=2), None, books_now)
    assert (verdict.status, verdict.difference) == (status, difference)


COUNTS = st.lists(
    st.builds(
        count,
        st.sampled_from("abc"),
        st.integers(0, 30),
        st.integers(0, 30),
        st.integers(0, 5),
        st.booleans(),
    ),
    max_size=6,
)


@given(COUNTS, st.randoms(use_true_random=False))
def test_the_order_in_which_counts_come_in_does_not_matter(counts, random: Random):
    shuffled = random.sample(counts, len(counts))
    rule = threshold(units=2)
    assert judge(counts, rule, None, 7) == judge(shuffled, rule, None, 7)


@given(COUNTS)
def test_a_large_difference_stands_only_if_two_people_found_it(counts):
    verdict = judge(counts, threshold(units=2), None, 7)
    if verdict.by is not None and abs(verdict.by.difference) > 2:
        same = {one.person for one in counts if not one.stale and one.difference == verdict.difference}
        assert len(same) > 1
    if verdict.by is not None:
        assert not verdict.by.stale


@given(st.integers(0, 50), st.integers(0, 50), st.lists(st.integers(-20, 20), max_size=5), st.integers(1, 5))
def test_what_moves_between_two_counts_changes_no_difference(shelf, book, moved, units):
    """The law that counting while stock moves rests on."""
    first = count("a", shelf, book)
    later = count("b", shelf + sum(moved), book + sum(moved), 1)
    assert first.difference == later.difference
    assert judge([first, later], threshold(units=units), None, 1).difference == first.difference


def test_accuracy_is_lines_right_of_lines_counted():
    rule = threshold(units=100)
    made = [[count("a", 5, 5)], [count("a", 4, 5)], [count("a", 0, 0)], []]
    assert accuracy(judge(counts, rule, None, 1) for counts in made) == (3, 2)


def test_what_is_closed_stays_closed():
    assert {state for state in MOVES if not MOVES[state]} == set(MOVES) - OPEN
    assert all(following <= set(MOVES) for following in MOVES.values())
