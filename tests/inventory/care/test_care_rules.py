"""When care is due: tables for the days that calendars are tricky about, laws for all others."""

from datetime import date, timedelta

import pytest
from chubei_inventory.care import rules
from chubei_inventory.care.rules import Norm, Offer, below_floor, below_norm, cover, due_on, latest_start
from chubei_shared.contracts.care import CareKind
from hypothesis import given
from hypothesis import strategies as st

DAYS = st.dates(date(1999, 1, 1), date(2201, 12, 31))
MONTHS = st.integers(0, 600)
CLOCKS = st.sampled_from(
    [CareKind.TEST, CareKind.RESTACK, CareKind.CHECK, CareKind.ROTATION, CareKind.EXPIRY]
)


@pytest.mark.parametrize(
    ("kind", "start", "months", "due"),
    [
        (CareKind.TEST, date(2023, 11, 21), 36, date(2026, 11, 21)),  # three years from production
        (CareKind.TEST, date(2024, 2, 29), 36, date(2027, 2, 28)),
        (CareKind.RESTACK, date(2025, 12, 31), 12, date(2026, 12, 31)),
        (CareKind.CHECK, date(2026, 1, 31), 1, date(2026, 2, 28)),
        (CareKind.CHECK, date(2026, 12, 15), 1, date(2027, 1, 15)),
        (CareKind.EXPIRY, date(2026, 12, 15), 0, date(2026, 12, 15)),
        (CareKind.ROTATION, date(2027, 5, 31), 6, date(2026, 11, 30)),  # before the expiry
        (CareKind.ROTATION, date(1, 2, 1), 6, date.min),
        (CareKind.TEST, date(9999, 2, 1), 36, date.max),
    ],
)
def test_due_dates(kind, start, months, due):
    assert due_on(kind, start, months) == due


@given(CLOCKS, DAYS, DAYS, MONTHS)
def test_what_is_due_by_a_day_is_what_started_by_its_latest_start(kind, start, due_by, months):
    assert (due_on(kind, start, months) <= due_by) == (start <= latest_start(kind, due_by, months))


@given(CLOCKS, DAYS, MONTHS)
def test_the_latest_start_is_tight(kind, due_by, months):
    latest = latest_start(kind, due_by, months)
    assert due_on(kind, latest, months) <= due_by < due_on(kind, latest + timedelta(days=1), months)


@given(CLOCKS, DAYS, DAYS, MONTHS)
def test_who_started_later_is_not_due_earlier(kind, one, other, months):
    first, second = sorted([one, other])
    assert due_on(kind, first, months) <= due_on(kind, second, months)


OFFERS = st.lists(
    st.builds(Offer, st.sampled_from(rules.PREFERENCE), st.uuids().map(str), st.integers(1, 500)), max_size=8
)


@given(st.integers(0, 2000), OFFERS)
def test_a_lot_is_replaced_as_far_as_there_are_offers_agreements_first(units, offers):
    taken, left = cover(units, offers)
    assert sum(offer.units for offer in taken) + left == units
    assert left == max(0, units - sum(offer.units for offer in offers))
    offered = {offer.reserve_id: offer.units for offer in offers}
    assert all(offer.units <= offered[offer.reserve_id] for offer in taken)
    order = [rules.PREFERENCE.index(offer.mode) for offer in taken]
    assert order == sorted(order)
    spent = [offer for offer in taken[:-1] if offer.units < offered[offer.reserve_id]]
    assert spent == [], "only the last one is not used up"


@pytest.mark.parametrize(
    ("norm", "physical", "agreed", "short"),
    [
        (Norm(750, 50), 8298, 0, None),  # 750 for each 1,000 of 11,063 people: 8,297.25, rounded up
        (Norm(750, 50), 8297, 0, 1),
        (Norm(750, 50), 4149, 4149, None),  # half of it in stores
        (Norm(750, 50), 4148, 9000, 1),  # agreed in plenty, but not in stores
        (Norm(750, 50), 0, 0, 8298),
        (Norm(750, 0), 0, 8298, None),
    ],
)
def test_a_norm_asks_for_so_much_in_all_and_so_much_in_stores(norm, physical, agreed, short):
    found = below_norm(norm, 11_063, physical, agreed)
    assert (found and found.short) == short


@given(
    st.integers(1, 2000),
    st.integers(0, 100),
    st.integers(1, 20_000),
    st.integers(0, 10**6),
    st.integers(0, 10**6),
)
def test_what_is_short_is_just_what_is_missing(per_1000, pct, people, physical, agreed):
    norm = Norm(per_1000, pct)
    found = below_norm(norm, people, physical, agreed)
    if found is not None:
        assert below_norm(norm, people, physical + found.short, agreed) is None
        assert below_norm(norm, people, physical + found.short - 1, agreed) is not None


def test_a_floor_stock_is_kept_or_not():
    assert below_floor(800, 800) is None
    found = below_floor(800, 650)
    assert found is not None
    assert (found.wanted, found.have, found.short) == (800, 650, 150)


@pytest.mark.parametrize("kind", CareKind)
def test_nothing_is_done_without_evidence(kind):
    assert rules.evidence_missing(kind, "  ", None)
    assert not rules.evidence_missing(kind, "", "tested")
    assert rules.evidence_missing(kind, "已处理", None) == (kind is CareKind.TEST)
