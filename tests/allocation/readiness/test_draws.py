"""Draws are repeatable, stay within what their distributions say, and their share has an honest interval."""

import pytest
from chubei_allocation.planner import parse_scenario
from chubei_allocation.readiness.draws import draw, standing_of, wilson
from hypothesis import given
from hypothesis import strategies as st
from pieces import scenario, settings

SEEDS = st.integers(0, 2**31 - 1)
NUMBERS = st.integers(0, 99_999)


@given(SEEDS, NUMBERS)
def test_a_draw_follows_from_seed_and_number_alone_and_can_be_planned(seed, number):
    first = draw(scenario(), settings(), seed, number)
    assert first == draw(scenario(), settings(), seed, number)
    parse_scenario(first)
    for before, after in zip(scenario()["points"], first["points"], strict=True):
        assert 0.72 * before["people"] - 1 <= after["people"] <= 1.32 * before["people"] + 1
        assert sum(after["groups"].values()) <= after["people"]
    assert 0.67 * 12 <= first["travel"]["speed_kmh"] <= 1.25 * 12
    assert [row["quantity"] for row in first["supply"] if row["mode"] == "physical"] == [150, 50, 20, 400]


def test_other_numbers_and_seeds_are_other_draws():
    told = {str(draw(scenario(), settings(), seed, number)) for seed in (0, 1) for number in range(20)}
    assert len(told) == 40


def test_shares_come_out_as_they_were_put_in():
    draws = [draw(scenario(), settings(), 0, number) for number in range(2000)]
    absent = sum(all(row["source"] != "SUP" for row in one["supply"]) for one in draws)
    lost = sum(len(kind["lost"]) for one in draws for kind in one["vehicles"])
    assert 150 < absent < 250  # a tenth, by more than three standard deviations
    assert 0.04 < lost / (8 * 2000) < 0.06


def test_hours_and_seasons_have_their_turns():
    assert [standing_of(settings(), n).id for n in range(5)] == [
        "day-winter",
        "night-winter",
        "day-summer",
        "night-summer",
        "day-winter",
    ]


@pytest.mark.parametrize(
    ("hits", "draws", "low", "high"),
    [(0, 10, 0.0, 0.2775), (10, 10, 0.7225, 1.0), (5, 10, 0.2366, 0.7634), (900, 1000, 0.8798, 0.9171)],
)
def test_wilsons_interval_is_as_in_the_books(hits, draws, low, high):
    """E. B. Wilson's score interval, without correction for continuity."""
    found = wilson(hits, draws)
    assert (round(found.low, 4), round(found.high, 4)) == (low, high)


def test_no_draw_is_no_chance():
    with pytest.raises(ValueError, match="no share"):
        wilson(0, 0)
