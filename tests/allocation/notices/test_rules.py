"""When something is tried again, is late, or is too much: also where the clock jumped."""

from datetime import UTC, datetime, timedelta

from chubei_allocation.notices import rules
from hypothesis import given
from hypothesis import strategies as st

NOW = datetime(2026, 11, 22, 3, tzinfo=UTC)
minutes = st.integers(-10_000, 10_000).map(lambda n: timedelta(minutes=n))


@given(st.integers(1, 10_000))
def test_waits_grow_and_stay_below_the_longest(attempts):
    assert rules.wait(1) <= rules.wait(attempts) <= rules.wait(attempts + 1) <= rules.LONGEST_WAIT


def test_a_day_of_tries_is_not_a_storm():
    spent, tries = timedelta(0), 0
    while spent < rules.GIVE_UP_AFTER:
        tries += 1
        spent += rules.wait(tries)
    assert 50 < tries < 70


@given(minutes, st.integers(1, 600))
def test_it_is_late_once_its_time_has_passed_or_its_stamp_can_not_be_true(age, within_min):
    late = rules.over(NOW - age, timedelta(minutes=within_min), NOW)
    assert late == (age >= timedelta(minutes=within_min) or -age > rules.SKEW)


def test_a_clock_set_back_by_a_day_silences_nobody():
    yesterday = NOW - timedelta(days=1)
    assert rules.over(NOW, timedelta(minutes=15), yesterday)
    assert rules.digest_due(NOW, None, yesterday)
    assert rules.digest_due(yesterday - rules.DIGEST_AFTER, NOW, yesterday)


def test_a_digest_waits_for_others_and_goes_out_once_an_hour():
    a_minute = timedelta(minutes=1)
    assert not rules.digest_due(NOW - rules.DIGEST_AFTER + a_minute, None, NOW)
    assert rules.digest_due(NOW - rules.DIGEST_AFTER, None, NOW)
    assert not rules.digest_due(NOW - rules.DIGEST_AFTER, NOW - rules.WINDOW + a_minute, NOW)
    assert rules.digest_due(NOW - rules.DIGEST_AFTER, NOW - rules.WINDOW, NOW)


def test_minutes_left_end_at_nought():
    assert rules.minutes_left(NOW, 15, NOW) == 15
    assert rules.minutes_left(NOW, 15, NOW + timedelta(seconds=61)) == 13
    assert rules.minutes_left(NOW, 15, NOW + timedelta(hours=9)) == 0
