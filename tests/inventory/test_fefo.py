"""First expired, first out: the choice of lots, without a database."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import permutations
from uuid import UUID

from chubei_inventory.ledger.fefo import Shelf, Want, barred, pick
from chubei_shared.china import day
from chubei_shared.contracts.holds import Why
from hypothesis import given
from hypothesis import strategies as st

TODAY = date(2026, 11, 21)


def shelf(number: int, available: int, expires_in: int | None = None, quality: str = "ok") -> Shelf:
    expires_on = None if expires_in is None else TODAY + timedelta(days=expires_in)
    return Shelf(UUID(int=number), f"lot-{number}", None, expires_on, quality, available)


DAYS = st.integers(-2, 4)
SHELVES = st.lists(
    st.tuples(st.integers(0, 9), st.none() | DAYS, st.sampled_from(["ok", "ok", "ok", "sealed"])), max_size=5
).map(lambda rows: [shelf(n, *row) for n, row in enumerate(rows)])
WANTS = st.lists(
    st.builds(Want, st.integers(1, 12), DAYS.map(lambda d: TODAY + timedelta(days=d))), min_size=1, max_size=4
)


@given(SHELVES, WANTS)
def test_nothing_unusable_nothing_twice_nothing_lost(shelves, wants):
    found = pick(shelves, wants)
    known = {s.lot_id: s for s in shelves}
    for lot_id, units in found.parts.items():
        assert 0 < units <= known[lot_id].available
        assert known[lot_id].unusable(min(w.on for w in wants)) is None
    assert found.got.total() + found.short == found.asked.total() == sum(w.units for w in wants)


@given(SHELVES, WANTS)
def test_no_order_of_serving_finds_more(shelves, wants):
    """Against every order of wants, each served from the lots that expire last: none does better."""

    def naive(order):
        free = {s.lot_id: s.available for s in shelves}
        total = 0
        for want in order:
            left = want.units
            for s in sorted(shelves, key=lambda s: s.expires_on or date.max, reverse=True):
                if s.unusable(want.on) is None:
                    taken = min(left, free[s.lot_id])
                    free[s.lot_id] -= taken
                    left -= taken
                    total += taken
        return total

    assert pick(shelves, wants).got.total() >= max(naive(order) for order in permutations(wants))


@given(SHELVES, st.integers(1, 20))
def test_what_expires_first_is_emptied_first(shelves, units):
    found = pick(shelves, [Want(units, TODAY)])
    usable = sorted(
        (s for s in shelves if s.available and not s.unusable(TODAY)),
        key=lambda s: (s.expires_on or date.max, s.lot_no),
    )
    taken = [found.parts[s.lot_id] for s in usable]
    emptied = [t == s.available for t, s in zip(taken, usable, strict=True)]
    assert all(emptied[i] or taken[i + 1] == 0 for i in range(len(usable) - 1))


def test_lots_that_were_passed_over_are_named_with_the_reason():
    expired, sealed, good = shelf(1, 5, -1), shelf(2, 5, 1, "sealed"), shelf(3, 5, 2)
    found = pick([good, sealed, expired], [Want(3, TODAY)])
    assert found.parts == {good.lot_id: 3}
    assert {s.lot_no: why.en for s, why in found.passed.values()} == {
        "lot-1": "expires 2026-11-20, before 2026-11-21",
        "lot-2": "sealed off",
    }


def test_a_lot_that_would_not_have_been_reached_is_not_passed_over():
    assert pick([shelf(1, 5, 1), shelf(2, 5, 9, "sealed")], [Want(5, TODAY)]).passed == {}


def test_a_lot_is_good_on_its_last_day_and_not_on_the_next():
    assert pick([shelf(1, 1, 0)], [Want(1, TODAY)]).got == {None: 1}
    assert pick([shelf(1, 1, 0)], [Want(1, TODAY + timedelta(days=1))]).short == 1


def test_an_early_want_leaves_the_long_lasting_lots_to_a_late_one():
    short_lived, lasting = shelf(1, 5, 1), shelf(2, 5, 30)
    late, early = Want(5, TODAY + timedelta(days=10)), Want(5, TODAY)
    assert pick([lasting, short_lived], [late, early]).short == 0


def test_a_named_lot_is_taken_before_the_rest_is_shared_out():
    first, second = shelf(1, 5, 1), shelf(2, 5, 9)
    found = pick([first, second], [Want(5, TODAY), Want(4, TODAY, first.lot_id)])
    assert found.parts == {first.lot_id: 5, second.lot_id: 4}


def test_the_day_is_that_of_beijing():
    assert day(datetime(2026, 11, 21, 15, 59, tzinfo=UTC)) == date(2026, 11, 21)
    assert day(datetime(2026, 11, 21, 16, 0, tzinfo=UTC)) == date(2026, 11, 22)


def test_given_goods_are_passed_over_and_go_by_name_only():
    given, own = replace(shelf(1, 5, 1), given=True), shelf(2, 5, 9)
    found = pick([given, own], [Want(5, TODAY)])
    assert found.parts == {own.lot_id: 5}
    assert [why.en for _, why in found.passed.values()] == ["given goods: they go by name only"]
    assert pick([given, own], [Want(3, TODAY, given.lot_id)]).parts == {given.lot_id: 3}


def test_given_goods_are_held_with_their_owners_consent_only():
    given = replace(shelf(1, 5, 1), given=True)
    silent = pick([given], [Want(3, TODAY, given.lot_id, consent="")])
    assert (silent.short, [why.why for _, why in silent.passed.values()]) == (3, [Why.GIVEN])
    assert pick([given], [Want(3, TODAY, given.lot_id, consent="厂方来电同意")]).parts == {given.lot_id: 3}
    assert pick([given], [Want(3, TODAY, consent="厂方来电同意")]).short == 3


def test_of_one_lot_what_is_free_is_taken_and_what_others_hold_is_named():
    free = shelf(1, 4, 1)
    held = replace(free, available=6, bar=barred(Why.HELD, "plan:x"))
    late = shelf(2, 9, 9)
    found = pick([late, held, free], [Want(5, TODAY)])
    assert found.parts == {free.lot_id: 4, late.lot_id: 1}
    assert [(s.available, why.en) for s, why in found.passed.values()] == [(6, "held for plan:x")]
    assert pick([late, held, free], [Want(4, TODAY)]).passed == {}
    assert pick([held], [Want(1, None, held.lot_id, usable=False)]).short == 1


def test_a_lot_named_twice_is_counted_once():
    one, other = shelf(1, 8, 1), shelf(2, 8, 2)
    found = pick([one, other], [Want(5, TODAY, one.lot_id), Want(5, TODAY, one.lot_id), Want(2, TODAY)])
    assert (found.parts, found.got) == ({one.lot_id: 8, other.lot_id: 2}, {one.lot_id: 8, None: 2})
    assert found.asked - found.got == {one.lot_id: 2}


def test_each_lot_remembers_the_last_day_it_is_for():
    later = TODAY + timedelta(days=3)
    found = pick([shelf(1, 5, 9), shelf(2, 5, 9)], [Want(3, TODAY), Want(4, later)])
    assert found.last_on == {UUID(int=1): later, UUID(int=2): later}
