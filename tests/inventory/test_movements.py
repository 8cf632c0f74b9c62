"""Each kind of movement over HTTP, and what is refused."""

from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import pytest
from chubei_shared.contracts.catalogue import PlaceKind
from chubei_shared.contracts.stock import Deliver, Receive, Transfer
from chubei_shared.errors import Conflict, Invalid, NotFound, Shortage
from sqlalchemy import text


def deliver(yard: Any, order_id: Any, point: str, received: int, damaged: int = 0, short: int = 0) -> Deliver:
    line = {"item_code": yard.item, "received": received, "damaged": damaged, "short": short}
    return Deliver.model_validate(
        {"kind": "deliver", "id": uuid4(), "occurred_at": yard.now(), "order_id": order_id,
         "place_id": point, "lines": [line]}
    )  # fmt: skip


def transfer(yard: Any, target: str, quantity: int, **line: Any) -> Transfer:
    return Transfer.model_validate(
        {"kind": "transfer", "id": uuid4(), "occurred_at": yard.now(), "from_place_id": yard.store,
         "to_place_id": target, "lines": [{"item_code": yard.item, "quantity": quantity} | line]}
    )  # fmt: skip


# Receive


def test_a_receipt_has_two_legs_and_says_who_and_when(yard):
    yard.receive(100, lot_no="A1")
    view = yard.admin.movements(place_id=yard.store).rows[0]
    assert [(e.place_id, e.quantity) for e in view.entries] == [("outside:received", -100), (yard.store, 100)]
    assert view.recorded_by == "a-admin"
    assert view.recorded_at - view.occurred_at < timedelta(minutes=1)
    assert view.kind == "receive"
    assert view.place_id == yard.store


def test_the_same_lot_twice_is_one_lot_and_lines_of_one_lot_add_up(yard):
    first = yard.receive(10, lot_no="A1")
    assert yard.receive(5, lot_no="A1") == first
    lot = {"lot_no": "A1", "maker": "厂", "expires_on": yard.soon}
    line = {"item_code": yard.item, "quantity": 2, "lot": lot}
    body = {"kind": "receive", "id": uuid4(), "occurred_at": yard.now(), "place_id": yard.store}
    yard.admin.record(Receive.model_validate(body | {"lines": [line, line]}))
    rows = yard.admin.stock(place_id=yard.store).rows
    assert [(r.lot_id, r.on_hand) for r in rows] == [(first, 19)]


def test_a_lot_number_with_other_dates_is_refused_and_named(yard):
    yard.receive(10, lot_no="A1")
    with pytest.raises(Conflict, match="A1") as refused:
        yard.receive(10, lot_no="A1", expires_on=date(2031, 1, 1))
    assert refused.value.more["expires_on"] == str(yard.soon)


def test_a_wrong_date_is_corrected_by_reversing_the_receipt(yard):
    yard.receive(10, lot_no="A1", expires_on=date(2031, 1, 1))
    wrong = yard.admin.movements(place_id=yard.store).rows[0]
    yard.admin.record(yard.reversal(wrong.id))
    yard.receive(10, lot_no="A1", expires_on=date(2030, 1, 1))
    assert [r.expires_on for r in yard.admin.stock(place_id=yard.store).rows] == [date(2030, 1, 1)]


def test_an_unknown_item_or_place_is_named(yard):
    with pytest.raises(Invalid, match="nowhere") as refused:
        yard.receive(1, place="nowhere")
    assert refused.value.more["errors"][0]["field"] == "place_id"
    yard.item = "9999999"
    with pytest.raises(Invalid, match="9999999"):
        yard.receive(1)


def test_the_books_own_accounts_are_not_for_people(yard):
    for place_id in ("outside:received", f"transit:{uuid4()}"):
        with pytest.raises(Invalid, match=place_id):
            yard.receive(1, place=place_id)


def test_a_clock_a_day_ahead_is_refused(yard):
    body = yard.issue(1, occurred_at=yard.now() + timedelta(hours=25))
    with pytest.raises(Invalid, match="clock"):
        yard.admin.record(body)


# Issue


def test_first_expired_goes_first_and_expired_stays(yard):
    late, early = yard.receive(10, date(2032, 1, 1)), yard.receive(10, date(2031, 1, 1))
    yard.receive(10, date(2020, 1, 1))
    view = yard.admin.record(yard.issue(15))
    taken = {e.lot_id: -e.quantity for e in view.entries if e.place_id == yard.store}
    assert taken == {early: 10, late: 5}
    with pytest.raises(Shortage) as refused:
        yard.admin.record(yard.issue(6))
    (short,) = refused.value.more["shortages"]
    told = {"place_id": yard.store, "item_code": yard.item, "mode": "physical", "asked": 6, "available": 5}
    assert short | told == short
    assert [(passed["reason"], passed["units"]) for passed in short["passed_over"]] == [("expired", 10)]


def test_an_expired_lot_goes_only_by_name_and_with_a_reason(yard):
    lot_id = yard.receive(10, date(2020, 1, 1))
    with pytest.raises(Conflict, match="needs a reason"):
        yard.admin.record(yard.issue(1, line={"lot_id": lot_id}))
    yard.admin.record(yard.issue(1, line={"lot_id": lot_id}, reason="送检"))
    assert yard.stock()[0] == 9


def test_what_is_sealed_off_is_not_issued_even_by_name(yard, engine):
    lot_id = yard.receive(10)
    with engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO lot_change (lot_id, quality, reason, recorded_by) VALUES (:id, 'sealed', 'x', 'x')"
            ),
            {"id": lot_id},
        )
    with pytest.raises(Shortage):
        yard.admin.record(yard.issue(1))
    with pytest.raises(Conflict, match="sealed off"):
        yard.admin.record(yard.issue(1, line={"lot_id": lot_id}, reason="急用"))


def test_every_short_line_is_named_and_nothing_is_issued(yard):
    yard.receive(10)
    other = yard.new_item()
    lines = [
        {"item_code": yard.item, "quantity": 4},
        {"item_code": yard.item, "quantity": 7},
        {"item_code": other, "quantity": 1},
    ]
    with pytest.raises(Shortage) as refused:
        yard.admin.record(yard.issue(1, lines=lines))
    short = {s["item_code"]: (s["asked"], s["available"]) for s in refused.value.more["shortages"]}
    assert short == {yard.item: (11, 10), other: (1, 0)}
    assert yard.stock() == (10, 0, 10)


def test_what_is_held_is_not_issued_without_the_hold(yard):
    yard.receive(10)
    yard.hold(8)
    with pytest.raises(Shortage):
        yard.admin.record(yard.issue(3))
    yard.admin.record(yard.issue(2))
    assert yard.stock() == (8, 8, 0)


def test_other_modes_need_a_hold(yard):
    with pytest.raises(Invalid, match="hold_id"):
        yard.admin.record(yard.issue(1, line={"mode": "contract"}))


# Orders: aboard, and delivered


def test_goods_for_an_order_are_aboard_until_they_are_delivered(yard):
    yard.receive(10, date(2031, 1, 1))
    yard.receive(10, date(2032, 1, 1))
    order_id, point = uuid4(), yard.place(PlaceKind.POINT)
    yard.service.record(yard.issue(15, order_id=order_id))
    assert yard.stock(f"transit:{order_id}") == (15, 0, 0)
    view = yard.service.record(deliver(yard, order_id, point, 11, damaged=3, short=1))
    came: dict[str, int] = {}
    for entry in view.entries:
        came[entry.place_id] = came.get(entry.place_id, 0) + entry.quantity
    assert came == {f"transit:{order_id}": -15, point: 11, "outside:damaged": 3, "outside:lost": 1}
    assert yard.stock(f"transit:{order_id}") == (0, 0, 0)
    assert len(yard.admin.movements(order_id=order_id).rows) == 2


def test_a_second_partial_receipt_adds_to_the_first(yard):
    yard.receive(10)
    order_id, point = uuid4(), yard.place(PlaceKind.POINT)
    yard.service.record(yard.issue(10, order_id=order_id))
    yard.service.record(deliver(yard, order_id, point, 4))
    yard.service.record(deliver(yard, order_id, point, 6))
    assert yard.stock(point)[0] == 10


def test_more_than_is_aboard_can_not_be_delivered(yard):
    yard.receive(10)
    order_id, point = uuid4(), yard.place(PlaceKind.POINT)
    yard.service.record(yard.issue(10, order_id=order_id))
    with pytest.raises(Shortage) as refused:
        yard.service.record(deliver(yard, order_id, point, 10, short=1))
    assert refused.value.more["shortages"][0]["place_id"] == f"transit:{order_id}"


def test_an_empty_delivery_is_refused(yard):
    with pytest.raises(Invalid, match="moves nothing"):
        yard.service.record(deliver(yard, uuid4(), yard.place(PlaceKind.POINT), 0))


def test_a_point_opens_with_its_first_delivery(yard):
    yard.receive(10)
    order_id, point = uuid4(), f"point-{uuid4().hex[:8]}"
    yard.service.record(yard.issue(10, order_id=order_id))
    yard.service.record(deliver(yard, order_id, point, 10))
    opened = next(p for p in yard.all_places() if p.id == point)
    assert opened.kind is PlaceKind.POINT


# Transfer


def test_a_transfer_moves_what_expires_first(yard):
    late, early = yard.receive(10, date(2032, 1, 1)), yard.receive(10, date(2031, 1, 1))
    other = yard.place(PlaceKind.STORE)
    yard.admin.record(transfer(yard, other, 12))
    assert {r.lot_id: r.on_hand for r in yard.admin.stock(place_id=other).rows} == {early: 10, late: 2}
    assert yard.stock() == (8, 0, 8)


def test_a_transfer_leaves_what_is_held(yard):
    yard.receive(10)
    yard.hold(6)
    with pytest.raises(Shortage):
        yard.admin.record(transfer(yard, yard.place(PlaceKind.STORE), 5))


def test_an_expired_lot_moves_by_name(yard):
    lot_id, other = yard.receive(10, date(2020, 1, 1)), yard.place(PlaceKind.STORE)
    yard.admin.record(transfer(yard, other, 10, lot_id=lot_id))
    assert yard.stock(other)[0] == 10


# Adjust


def test_the_books_follow_a_count_up_and_down(yard):
    lot_id = yard.receive(10)
    yard.admin.record(yard.adjustment(lot_id, -3))
    assert yard.stock()[0] == 7
    yard.admin.record(yard.adjustment(lot_id, 2, 3))
    assert yard.stock()[0] == 12


def test_a_count_below_what_is_held_is_refused_and_names_the_hold(yard):
    lot_id = yard.receive(10)
    hold_id = yard.hold(8)
    with pytest.raises(Conflict) as refused:
        yard.admin.record(yard.adjustment(lot_id, -3))
    shortfall = refused.value.more["shortfalls"][0]
    assert (shortfall["short"], shortfall["held_by"]) == (1, [str(hold_id)])
    assert str(hold_id) in refused.value.detail_en
    assert yard.stock() == (10, 8, 2)


def test_a_count_below_zero_or_of_no_lot_is_refused(yard):
    lot_id = yard.receive(10)
    with pytest.raises(Conflict):
        yard.admin.record(yard.adjustment(lot_id, -11))
    with pytest.raises(Invalid, match="There is no lot"):
        yard.admin.record(yard.adjustment(uuid4(), 1))


# Reverse


def test_a_reversal_mirrors_and_is_final(yard):
    yard.receive(10)
    issued = yard.admin.record(yard.issue(4))
    undone = yard.admin.record(yard.reversal(issued.id))
    assert yard.stock() == (10, 0, 10)
    assert [(e.place_id, e.quantity) for e in undone.entries] == [
        (e.place_id, -e.quantity) for e in issued.entries
    ]
    with pytest.raises(Conflict) as refused:
        yard.admin.record(yard.reversal(issued.id))
    assert refused.value.more["reversed_by"] == str(undone.id)
    with pytest.raises(Conflict, match="A reversal is not reversed"):
        yard.admin.record(yard.reversal(undone.id))


def test_a_receipt_whose_goods_are_gone_is_not_reversed(yard):
    lot_id = yard.receive(10, lot_no="A1")
    receipt = yard.admin.movements(place_id=yard.store).rows[0]
    yard.admin.record(yard.issue(4))
    with pytest.raises(Conflict, match="A1") as refused:
        yard.admin.record(yard.reversal(receipt.id))
    assert refused.value.more["shortfalls"] == [
        {"place_id": yard.store, "item_code": yard.item, "lot_id": str(lot_id), "lot_no": "A1",
         "asked": 10, "short": 4, "held_by": []}
    ]  # fmt: skip


def test_what_moved_by_an_order_is_not_reversed(yard):
    yard.receive(10)
    loaded = yard.service.record(yard.issue(4, order_id=uuid4()))
    with pytest.raises(Conflict, match="by the order's next step"):
        yard.admin.record(yard.reversal(loaded.id))
    assert yard.stock() == (6, 0, 6)


def test_what_is_not_there_is_not_reversed(yard):
    with pytest.raises(NotFound):
        yard.admin.record(yard.reversal(uuid4()))


# Bin cards and pages


def test_the_bin_card_is_in_the_order_of_recording_and_pages_join(yard):
    for quantity in (5, 6, 7):
        yard.receive(quantity)
    yard.admin.record(yard.issue(4))
    card = yard.admin.movements(place_id=yard.store, item_code=yard.item).rows
    assert [sum(e.quantity for e in m.entries if e.place_id == yard.store) for m in card] == [5, 6, 7, -4]
    assert [m.id for m in card] == [m.id for m in yard.pages(yard.admin.movements, place_id=yard.store)]
    assert [m.id for m in card] == [m.id for m in yard.admin.movements(item_code=yard.item).rows]
    rows = yard.admin.stock(item_code=yard.item).rows
    assert rows == yard.pages(yard.admin.stock, item_code=yard.item)


@pytest.mark.parametrize("cursor", ["x", "W10=", "WyJhIl0=", "bnVsbA==", "WyIxIiwiMiIsIlx1MDAwMCJd"])
def test_a_made_up_cursor_is_refused(yard, cursor):
    for ask in (yard.admin.stock, yard.admin.movements):
        with pytest.raises(Invalid, match="cursor"):
            ask(cursor=cursor)
