"""Sealing off, testing, lending, sending, modules, packs: each kind of movement over HTTP."""

from datetime import date
from typing import Any
from uuid import UUID, uuid4

import pytest
from chubei_shared.contracts.catalogue import PlaceKind
from chubei_shared.contracts.movements import MOVEMENT
from chubei_shared.contracts.stock import MovementView
from chubei_shared.errors import Conflict, Forbidden, Invalid, Shortage


def record(yard: Any, kind: str, *lines: dict[str, Any], **fields: Any) -> MovementView:
    body = {"kind": kind, "id": uuid4(), "occurred_at": yard.now(), "place_id": yard.store, **fields}
    body = {name: value for name, value in body.items() if value is not None}
    told = [{"item_code": yard.item, **line} for line in lines]
    return yard.admin.record(MOVEMENT.validate_python(body | {"lines": told}))


def at(yard: Any, account: str) -> int:
    return sum(row.on_hand for row in yard.admin.stock(place_id=account, item_code=yard.item).rows)


def of(lot_id: UUID, quantity: int) -> dict[str, Any]:
    return {"lot_id": lot_id, "quantity": quantity}


# Seal off and release


def test_what_is_sealed_off_counts_as_stock_and_is_neither_issued_nor_held(yard):
    lot_id = yard.receive(10)
    record(yard, "seal", of(lot_id, 7), reason="受潮")
    assert (at(yard, yard.store), at(yard, f"sealed:{yard.store}")) == (3, 7)
    with pytest.raises(Shortage):
        yard.admin.record(yard.issue(4))
    with pytest.raises(Shortage):
        yard.service.hold(yard.request(yard.line(4)))
    record(yard, "release", of(lot_id, 2))
    assert yard.stock() == (5, 0, 5)
    with pytest.raises(Shortage):
        record(yard, "release", of(lot_id, 6))


def test_what_is_held_for_a_plan_is_not_sealed_off_by_hand(yard):
    lot_id = yard.receive(10)
    yard.hold(8)
    with pytest.raises(Shortage):
        record(yard, "seal", of(lot_id, 3), reason="受潮")


@pytest.mark.parametrize("kind", ["seal", "release", "test"])
def test_these_name_their_lots(yard, kind):
    yard.receive(10)
    with pytest.raises(Invalid, match="Name the lot"):
        record(yard, kind, {"quantity": 1}, reason="抽检")


def test_a_lot_is_named_by_its_id_or_by_what_stands_on_the_box(yard):
    lot_id = yard.receive(10, lot_no="A1")
    box = {"lot_no": "A1", "maker": "厂", "expires_on": yard.soon}
    record(yard, "seal", {"lot": box, "quantity": 4}, reason="受潮")
    assert at(yard, f"sealed:{yard.store}") == 4
    with pytest.raises(Invalid, match="A2"):
        record(yard, "seal", {"lot": box | {"lot_no": "A2"}, "quantity": 4}, reason="受潮")
    with pytest.raises(ValueError, match="give one of them"):
        record(yard, "seal", {"lot": box, "lot_id": lot_id, "quantity": 4}, reason="受潮")


# Test


def test_samples_go_to_a_test_and_what_it_used_up_is_gone(yard):
    lot_id = yard.receive(100)
    record(yard, "test", of(lot_id, 5))
    assert (at(yard, yard.store), at(yard, f"testing:{yard.store}")) == (95, 5)
    record(yard, "tested", {"lot_id": lot_id, "returned": 2, "destroyed": 3}, passed=True)
    assert (at(yard, yard.store), at(yard, f"testing:{yard.store}")) == (97, 0)
    assert yard.stock() == (97, 0, 97)


def test_a_lot_that_failed_its_test_is_used_nowhere(yard):
    lot_id, other = yard.receive(100), yard.place(PlaceKind.STORE)
    record(yard, "transfer", of(lot_id, 50), place_id=None, from_place_id=yard.store, to_place_id=other)
    record(yard, "test", of(lot_id, 5))
    record(yard, "tested", {"lot_id": lot_id, "returned": 0, "destroyed": 5}, passed=False)
    for place_id in (yard.store, other):
        with pytest.raises(Shortage):
            yard.admin.record(yard.issue(1, place_id=place_id))


# Lend and return


def test_what_is_to_come_back_stands_in_a_ledger_of_its_own_until_it_does(yard):
    yard.item = yard.new_item(returnable=True)
    lot_id = yard.receive(10)
    issued = yard.admin.record(yard.issue(8, recipient="月坛街道"))
    assert at(yard, f"lent:{yard.store}") == 8
    line = {"lot_id": lot_id, "good": 5, "repair": 2, "lost": 1}
    record(yard, "return", line, issued_from=yard.store)
    assert (at(yard, yard.store), at(yard, f"sealed:{yard.store}"), at(yard, f"lent:{yard.store}")) == (
        7,
        2,
        0,
    )
    with pytest.raises(Shortage):
        record(yard, "return", {"lot_id": lot_id, "good": 1}, issued_from=yard.store)
    with pytest.raises(Conflict):  # what has come back has come back
        yard.admin.record(yard.reversal(issued.id))


def test_what_is_not_to_come_back_is_not_lent(yard):
    lot_id = yard.receive(10)
    yard.admin.record(yard.issue(8))
    assert at(yard, f"lent:{yard.store}") == 0
    with pytest.raises(Shortage):
        record(yard, "return", {"lot_id": lot_id, "good": 1}, issued_from=yard.store)


def test_goods_may_come_back_to_another_place(yard):
    yard.item = yard.new_item(returnable=True)
    lot_id, other = yard.receive(10), yard.place(PlaceKind.STORE)
    yard.admin.record(yard.issue(8))
    record(yard, "return", {"lot_id": lot_id, "good": 8}, place_id=other, issued_from=yard.store)
    assert (at(yard, other), at(yard, f"lent:{yard.store}")) == (8, 0)


# Send and arrive


def test_what_was_sent_is_aboard_between_the_legs(yard):
    yard.receive(10, date(2031, 1, 1))
    yard.receive(10, date(2032, 1, 1))
    other = yard.place(PlaceKind.STORE)
    sent = record(yard, "send", {"quantity": 15}, place_id=None, from_place_id=yard.store, to_place_id=other)
    assert (at(yard, yard.store), at(yard, f"transit:{sent.id}"), at(yard, other)) == (5, 15, 0)
    line = {"received": 12, "damaged": 2, "short": 1}
    record(yard, "arrive", line, place_id=other, sent_id=sent.id)
    assert (at(yard, f"transit:{sent.id}"), at(yard, other)) == (0, 12)
    with pytest.raises(Shortage):
        record(yard, "arrive", {"received": 1}, place_id=other, sent_id=sent.id)


def test_what_nobody_sent_does_not_arrive(yard):
    lot_id = yard.receive(10)
    line = {"lot_id": lot_id, "received": 1}
    other = record(yard, "seal", of(lot_id, 1), reason="受潮").id
    for sent_id in (uuid4(), other):
        with pytest.raises(Invalid, match="sent_id: nothing was sent off"):
            record(yard, "arrive", line, sent_id=sent_id)


def test_what_was_sent_comes_in_where_it_was_sent_to_or_somebody_says_why_not(yard):
    yard.receive(10)
    other, elsewhere = yard.place(PlaceKind.STORE), yard.place(PlaceKind.STORE)
    sent = record(yard, "send", {"quantity": 10}, place_id=None, from_place_id=yard.store, to_place_id=other)
    for reason in ("", "  "):
        with pytest.raises(Invalid, match=f"place_id: the goods were sent to {other}") as refused:
            record(yard, "arrive", {"received": 4}, place_id=elsewhere, sent_id=sent.id, reason=reason)
    assert "reason" in refused.value.more["errors"][0]["remedy"]
    assert (at(yard, f"transit:{sent.id}"), at(yard, elsewhere)) == (10, 0)
    told = record(
        yard, "arrive", {"received": 4}, place_id=elsewhere, sent_id=sent.id, reason="道路中断,改送"
    )
    assert yard.admin.movement(told.id).reason == "道路中断,改送"
    record(yard, "arrive", {"received": 6}, place_id=other, sent_id=sent.id)
    assert (at(yard, elsewhere), at(yard, other)) == (4, 6)


def test_a_lot_of_another_item_is_named(yard):
    lot_id = yard.receive(10)
    other = yard.new_item()
    for wrong in (of(uuid4(), 1), of(lot_id, 1) | {"item_code": other}):
        with pytest.raises(Invalid, match="is no lot of"):
            record(yard, "issue", wrong)
    with pytest.raises(Shortage):
        record(yard, "issue", of(lot_id, 11))


def test_what_a_scanner_adds_to_a_lot_number_makes_no_other_lot(yard):
    for lot_no, maker in (("L-1", "甲厂"), ("L-1\r\n", "甲厂"), ("\tL-1 ", " 甲厂")):
        record(yard, "receive", {"quantity": 1, "lot": {"lot_no": lot_no, "maker": maker}})
    assert [(row.lot_no, row.on_hand) for row in yard.admin.stock(place_id=yard.store).rows] == [("L-1", 3)]


def test_a_second_partial_arrival_adds_to_the_first_openboxes_p586(yard):
    yard.receive(10)
    other = yard.place(PlaceKind.STORE)
    sent = record(yard, "send", {"quantity": 10}, place_id=None, from_place_id=yard.store, to_place_id=other)
    for part in (4, 6):
        record(yard, "arrive", {"received": part}, place_id=other, sent_id=sent.id)
    assert at(yard, other) == 10


def test_lots_that_arrive_by_name_are_not_mixed_with_the_others(yard):
    early, late = yard.receive(10, date(2031, 1, 1)), yard.receive(10, date(2032, 1, 1))
    other = yard.place(PlaceKind.STORE)
    sent = record(yard, "send", {"quantity": 20}, place_id=None, from_place_id=yard.store, to_place_id=other)
    lines = ({"lot_id": late, "received": 3, "damaged": 7}, {"received": 9, "short": 1})
    record(yard, "arrive", *lines, place_id=other, sent_id=sent.id)
    assert {r.lot_id: r.on_hand for r in yard.admin.stock(place_id=other).rows} == {early: 9, late: 3}


# Modules


def test_a_module_moves_as_one_and_is_out_of_reach_until_it_is_unpacked(yard):
    lot_id, other, module = yard.receive(20), yard.place(PlaceKind.STORE), f"M-{uuid4().hex[:6]}"
    record(yard, "pack", {"quantity": 12}, module_id=module)
    assert yard.stock() == (8, 0, 8)
    with pytest.raises(Shortage):
        yard.admin.record(yard.issue(9))
    ends = {"place_id": None, "from_place_id": yard.store, "to_place_id": other}
    record(yard, "move_module", module_id=module, **ends)
    assert (at(yard, f"module:{module}@{yard.store}"), at(yard, f"module:{module}@{other}")) == (0, 12)
    with pytest.raises(Conflict, match="no module"):
        record(yard, "move_module", module_id=module, **ends)
    record(yard, "unpack", of(lot_id, 5), module_id=module, place_id=other)
    record(yard, "unpack", module_id=module, place_id=other)
    assert at(yard, other) == 12


# Packs and units


def test_packs_are_whole_units_whatever_their_size_odoo_i2854(yard):
    lot_id = yard.receive(1)
    line = {"lot_id": lot_id, "quantity": 7, "units_per_pack": 24}
    record(yard, "receive", {"quantity": 10, "units_per_pack": 24, "lot": {"lot_no": "P", "maker": "厂"}})
    with pytest.raises(Shortage):
        record(yard, "seal", line, reason="受潮")
    view = record(yard, "issue", {"quantity": 3, "units_per_pack": 24}, {"quantity": 5})
    assert sum(e.quantity for e in view.entries if e.place_id == yard.store) == -77
    assert at(yard, yard.store) == 241 - 77


def test_too_many_packs_are_refused(yard):
    with pytest.raises(ValueError, match=r"more than 1,000,000,000"):
        record(yard, "issue", {"quantity": 10**8, "units_per_pack": 11})


# Kinds of place, owners


@pytest.mark.parametrize("kind", ["special", "street", "donation"])
def test_special_stores_street_stocks_and_donations_are_places_with_stock(yard, kind):
    place_id = yard.place(PlaceKind(kind))
    yard.receive(10, place=place_id)
    assert at(yard, place_id) == 10
    assert place_id in {p.id for p in yard.all_places()}


def test_given_goods_are_never_mixed_with_the_states(yard):
    box = {"lot_no": "A1", "maker": "厂", "expires_on": yard.soon}
    for owner in ("district", "donor"):
        record(yard, "receive", {"quantity": 10, "lot": box | {"owner": owner}})
    rows = yard.admin.stock(place_id=yard.store, item_code=yard.item).rows
    assert {row.owner: row.on_hand for row in rows} == {"district": 10, "donor": 10}
    given = next(row.lot_id for row in rows if row.owner == "donor")
    with pytest.raises(Shortage):
        yard.admin.record(yard.issue(11))
    view = yard.service.hold(yard.request(yard.line(10)))
    assert given not in [line.lot_id for line in view.lines]
    yard.admin.record(yard.issue(4, line={"lot_id": given}))  # by name
    assert at(yard, yard.store) == 16


def test_nobody_scraps_alone(yard):
    lot_id = yard.receive(10)
    with pytest.raises(Forbidden, match="approval"):
        record(yard, "scrap", of(lot_id, 1), reason="过期", from_state="shelf")
    assert at(yard, yard.store) == 10


def test_the_states_of_a_place_are_no_places_of_their_own(yard):
    lot_id = yard.receive(10)
    record(yard, "seal", of(lot_id, 7), reason="受潮")
    assert not [p for p in yard.all_places() if p.id.startswith("sealed:")]
    with pytest.raises(Invalid, match="books' own"):
        yard.admin.record(yard.issue(1, place_id=f"sealed:{yard.store}"))
