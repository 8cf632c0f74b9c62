"""The rules by which a reserve counts, as laws: what was measured lowers it, and nothing raises it."""

from datetime import date, timedelta

import pytest
from chubei_inventory.firmness.basis import standing
from chubei_inventory.firmness.rules import LAST, VERIFIED_FOR, Evidence, Observation, judge, ready_by
from chubei_shared.contracts.reserves import Rule
from hypothesis import given
from hypothesis import strategies as st

TODAY = date(2026, 11, 22)
UNITS = st.integers(1, 10**9)
observations = st.lists(
    st.builds(Observation, promised=UNITS, measured=st.integers(0, 10**9), delay_min=st.integers(-600, 600)),
    max_size=6,
)
verified = st.none() | st.dates(TODAY - timedelta(days=800), TODAY)


@given(UNITS, verified, observations)
def test_firm_is_at_most_likely_and_likely_at_most_agreed(agreed, verified_on, seen):
    found = judge(agreed, Evidence(verified_on, seen), TODAY)
    assert 0 <= found.firm <= found.likely <= agreed
    assert found.delay_min >= 0


@given(UNITS, observations, UNITS)
def test_a_perfect_measurement_never_lowers_and_a_failure_leaves_nothing_firm(agreed, seen, promised):
    before = judge(agreed, Evidence(TODAY, seen), TODAY)
    good = judge(agreed, Evidence(TODAY, [Observation(promised, promised), *seen]), TODAY)
    bad = judge(agreed, Evidence(TODAY, [Observation(promised, 0), *seen]), TODAY)
    assert good.firm >= before.firm
    assert bad.firm == 0
    assert bad.likely <= good.likely


@given(UNITS, observations)
def test_three_good_measurements_win_trust_back(agreed, seen):
    good = [Observation(7, 7)] * LAST
    assert judge(agreed, Evidence(TODAY, good + seen), TODAY).firm == agreed


@given(UNITS, observations, st.integers(1, 2000))
def test_what_was_not_verified_within_a_year_is_not_firm(agreed, seen, days):
    stale = Evidence(TODAY - VERIFIED_FOR - timedelta(days=days), seen)
    assert judge(agreed, stale, TODAY).firm == 0
    assert judge(agreed, stale, TODAY).rule is Rule.UNVERIFIED
    assert judge(agreed, Evidence(None, []), TODAY).likely == 0


def test_the_rule_by_numbers():
    seen = [Observation(500, 460, 20), Observation(100, 100, -5), Observation(400, 300)]
    found = judge(1800, Evidence(TODAY, seen), TODAY)
    assert (found.rule, found.firm, found.delay_min) == (Rule.MEASURED, 1350, 20)
    assert found.likely == 1800 * 860 // 1000


@given(
    UNITS, st.integers(0, 10**9), st.integers(0, 10**9), st.integers(0, 10**9), observations,
    st.none() | st.integers(1, 10**5),
)  # fmt: skip
def test_what_stands_is_never_negative_and_is_told_in_both_languages(quantity, held, used, lost, seen, rate):
    found = standing(quantity, 60, rate, held, used, Evidence(TODAY, seen, lost), TODAY)
    assert 0 <= found.firm <= found.likely <= quantity
    assert found.firm == max(0, found.basis.firm - held - used - lost)
    assert found.ready_min == 60 + found.basis.delay_min
    assert (found.rate_per_hour is None) == (rate is None)
    assert rate is None or 1 <= found.rate_per_hour <= rate
    assert str(quantity) in found.basis.zh
    assert str(quantity) in found.basis.en


@given(st.integers(1, 10**6), st.integers(0, 2000), st.none() | st.integers(1, 10**5), st.integers(0, 5000))
def test_a_reserve_never_shrinks_with_time_nor_passes_its_quantity(quantity, ready_min, rate, minute):
    now, later = (ready_by(m, quantity, ready_min, rate) for m in (minute, minute + 60))
    assert 0 <= now <= later <= quantity
    assert now == 0 or minute >= ready_min
    assert rate is None or later - now <= rate + 1


@pytest.mark.parametrize("verified_on", [date.min, date.max])
def test_no_day_is_too_far_away_to_be_compared(verified_on):
    rule = Rule.VERIFIED if verified_on > TODAY else Rule.UNVERIFIED
    assert judge(100, Evidence(verified_on), TODAY).rule is rule
