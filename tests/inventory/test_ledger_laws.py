"""The laws of the pure ledger, for any goods and quantities."""

from collections import Counter
from uuid import UUID

import pytest
from chubei_inventory.ledger import laws
from chubei_inventory.ledger.laws import Account, Goods, Leg, Unlawful
from hypothesis import given
from hypothesis import strategies as st

GOODS = st.builds(
    Goods, st.sampled_from(["1010101", "1020202"]), st.integers(1, 4).map(lambda n: UUID(int=n))
)
PARTS = st.dictionaries(GOODS, st.integers(1, 10**9), min_size=1)
PLACES = st.permutations(["north", "south", laws.RECEIVED, laws.ISSUED]).map(lambda p: (p[0], p[1]))


@given(PARTS, PLACES)
def test_a_move_is_lawful_and_takes_from_one_what_it_gives_the_other(parts, places):
    legs = laws.move(parts, *places)
    laws.check(legs)
    changes = laws.changes(legs)
    for goods, units in parts.items():
        assert changes[Account(places[0], goods)] == -units
        assert changes[Account(places[1], goods)] == units
    assert len(changes) == 2 * len(parts)


@given(PARTS, PLACES)
def test_a_mirror_undoes_and_is_undone(parts, places):
    legs = laws.move(parts, *places)
    mirror = laws.mirror(legs)
    laws.check(mirror)
    assert laws.changes(legs + mirror) == {}
    assert laws.mirror(mirror) == legs


@given(st.dictionaries(GOODS, st.integers(-(10**9), 10**9)))
def test_an_adjustment_changes_the_place_by_what_was_counted(found):
    legs = laws.adjust(found, "north")
    at_place = {a.goods: c for a, c in laws.changes(legs).items() if a.place_id == "north"}
    assert at_place == {goods: change for goods, change in found.items() if change}
    assert sum(leg.quantity for leg in legs) == 0


@given(PARTS, st.lists(st.integers(0, 50), min_size=1, max_size=4))
def test_dealing_gives_each_hand_its_units_and_loses_none(parts, shares):
    total = sum(parts.values())
    hands = [(f"hand-{n}", share * total // (sum(shares) or 1)) for n, share in enumerate(shares)]
    dealt = laws.deal(parts, hands)
    assert {name: sum(hand.values()) for name, hand in dealt.items()} == dict(hands)
    out: Counter[Goods] = Counter()
    for hand in dealt.values():
        out.update(hand)
    assert all(0 < units <= parts[goods] for goods, units in out.items())


@given(PARTS, st.integers(0, 3), st.integers(1, 10**6))
def test_what_goes_out_without_coming_in_is_unlawful(parts, index, more):
    legs = laws.move(parts, "north", laws.ISSUED)
    broken = legs[index % len(legs)]
    legs[index % len(legs)] = Leg(broken.account, broken.quantity + more)
    with pytest.raises(Unlawful):
        laws.check(legs)


def test_nothing_is_no_movement():
    goods = Goods("1010101", UUID(int=1))
    with pytest.raises(Unlawful):
        laws.check([])
    with pytest.raises(Unlawful):
        laws.move({goods: 0}, "north", "south")
    with pytest.raises(Unlawful):
        laws.check([Leg(Account("north", goods), 0), Leg(Account("south", goods), 0)])
