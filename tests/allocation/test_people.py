"""Sharing people out: exactly, fairly, the same every time."""

from itertools import pairwise

import pytest
from chubei_allocation.incidents.people import affected, members, share_out
from hypothesis import given
from hypothesis import strategies as st

weights = st.lists(st.integers(0, 10**6), min_size=1, max_size=40).filter(any)


@given(st.integers(0, 10**6), weights)
def test_shares_sum_exactly_and_stay_within_one_of_the_quota(total, weights):
    shares = share_out(total, weights)
    assert sum(shares) == total
    for share, weight in zip(shares, weights, strict=True):
        assert abs(share * sum(weights) - total * weight) < sum(weights)


@given(st.integers(0, 10**6), weights)
def test_who_has_more_weight_never_gets_less(total, weights):
    by_weight = sorted(zip(weights, share_out(total, weights), strict=True))
    for (lighter, less), (heavier, more) in pairwise(by_weight):
        assert lighter == heavier or less <= more


def test_ties_go_to_the_first():
    assert share_out(2, [1, 1, 1]) == [1, 1, 0]


@pytest.mark.parametrize(("total", "weights"), [(-1, [1]), (1, [0, 0]), (1, [2, -1]), (1, [])])
def test_what_cannot_be_shared_is_refused(total, weights):
    with pytest.raises(ValueError, match="share_out"):
        share_out(total, weights)


def test_nothing_is_shared_out_to_anyone():
    assert share_out(0, [0, 0]) == [0, 0]


def test_one_per_cent_of_the_district_is_its_duty():
    assert affected(1_106_214, 0.01) == 11_063
    assert affected(100, 0.07) == 7  # exactly, though 0.07 * 100 is 7.000000000000001


@given(
    st.lists(st.integers(0, 3000), min_size=1, max_size=40),
    st.dictionaries(st.sampled_from("abcd"), st.integers(0, 250).map(lambda n: n / 1000)),
)
def test_groups_agree_with_their_share_and_fit_among_the_people(people, shares):
    at_points = members(people, shares)
    for number, groups in zip(people, at_points, strict=True):
        assert sum(groups.values()) <= number
        assert all(count >= 0 for count in groups.values())
    for group, share in shares.items():
        total = sum(groups[group] for groups in at_points)
        assert abs(total - sum(people) * share) <= 0.5 + 1e-6 or total < sum(people) * share
