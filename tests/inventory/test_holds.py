"""Holds over HTTP: all lines or none, by lot, issued, released, replaced, expired."""

from datetime import date, timedelta
from uuid import uuid4

import pytest
from chubei_shared.china import day
from chubei_shared.contracts.batches import MovementBatch
from chubei_shared.contracts.catalogue import PlaceKind
from chubei_shared.contracts.holds import HoldReplace, HoldStatus, Why
from chubei_shared.contracts.movements import Receive, Seal
from chubei_shared.errors import Conflict, Invalid, NotFound, Shortage
from sqlalchemy import text


def test_a_hold_keeps_lots_by_expiry_at_the_time_of_need(yard):
    needed = yard.now() + timedelta(hours=12)
    gone_by_then = yard.receive(10, (yard.now() - timedelta(hours=24)).date(), lot_no="old")
    late, early = yard.receive(10, date(2032, 1, 1)), yard.receive(10, date(2031, 1, 1))
    view = yard.service.hold(yard.request(yard.line(12, needed_at=needed)))
    assert {line.lot_id: line.quantity for line in view.lines} == {early: 10, late: 2}
    assert [(p.lot_id, p.lot_no) for p in view.passed_over] == [(gone_by_then, "old")]
    assert yard.stock() == (30, 12, 18)
    assert view.status is HoldStatus.OPEN


def test_what_expires_before_it_is_needed_is_not_held_though_it_is_good_today(yard):
    yard.receive(10, (yard.now() + timedelta(days=2)).date())
    yard.service.hold(yard.request(yard.line(4)))
    with pytest.raises(Shortage):
        yard.service.hold(yard.request(yard.line(4, needed_at=yard.now() + timedelta(days=5))))


def test_a_refusal_names_every_short_line_at_once_and_holds_nothing(yard):
    yard.receive(10)
    other, bare = yard.new_item(), yard.place(PlaceKind.STORE)
    request = yard.request(
        yard.line(5),
        yard.line(3, item_code=other),
        yard.line(11),
        yard.line(2, place_id=bare),
        yard.line(1, mode="contract"),
    )
    with pytest.raises(Shortage) as refused:
        yard.service.hold(request)
    short = {
        (s["place_id"], s["item_code"], s["mode"]): (s["asked"], s["available"])
        for s in refused.value.more["shortages"]
    }
    assert short == {
        (yard.store, yard.item, "physical"): (16, 10),
        (yard.store, other, "physical"): (3, 0),
        (bare, yard.item, "physical"): (2, 0),
        (yard.store, yard.item, "contract"): (1, 0),
    }
    assert yard.stock() == (10, 0, 10)
    with pytest.raises(NotFound):
        yard.service.get_hold(request.id)


def test_a_line_named_twice_counts_once_summed(yard):
    lot_id = yard.receive(10)
    view = yard.service.hold(yard.request(yard.line(4), yard.line(5)))
    assert [(line.lot_id, line.quantity) for line in view.lines] == [(lot_id, 9)]
    with pytest.raises(Shortage):
        yard.service.hold(yard.request(yard.line(1), yard.line(1)))


def test_a_lot_named_twice_in_a_request_counts_once_medusa_i16502(yard):
    lot_id, other = yard.receive(10, date(2032, 1, 1)), yard.receive(10, date(2031, 1, 1))
    named = {"lot_id": lot_id}
    view = yard.service.hold(yard.request(yard.line(4, **named), yard.line(5, **named), yard.line(1)))
    assert {line.lot_id: line.quantity for line in view.lines} == {lot_id: 9, other: 1}
    with pytest.raises(Shortage) as refused:
        yard.service.hold(yard.request(yard.line(1, **named), yard.line(1, **named), yard.line(3)))
    (short,) = refused.value.more["shortages"]
    assert (short["lot_id"], short["asked"], short["available"]) == (str(lot_id), 2, 1)
    assert yard.stock() == (20, 10, 10)


def test_a_lot_of_another_item_is_refused_by_its_line(yard):
    yard.receive(5)
    mine = yard.item
    yard.item = yard.new_item()
    other = yard.receive(5)
    with pytest.raises(Invalid, match=r"lines\.1\.lot_id"):
        yard.service.hold(
            yard.request(yard.line(1, item_code=mine), yard.line(1, item_code=mine, lot_id=other))
        )
    with pytest.raises(ValueError, match="on a shelf"):
        yard.line(1, mode="contract", lot_id=other)


def test_what_is_passed_over_is_named_with_the_reason(yard, engine):
    """Held for others, sealed off at the place, recalled, in dispute, a donor's: whatever expires earlier."""
    early = {name: date(2031, 1, n) for n, name in enumerate(["held", "sealed", "recalled", "donor"], 1)}
    lots = {name: yard.receive(10, day, lot_no=name) for name, day in early.items() if name != "donor"}
    box = {"lot_no": "donor", "maker": "厂", "expires_on": early["donor"], "owner": "donor"}
    given = {"kind": "receive", "id": uuid4(), "occurred_at": yard.now(), "place_id": yard.store}
    given["lines"] = [{"item_code": yard.item, "quantity": 10, "lot": box}]
    lots["donor"] = yard.admin.record(Receive.model_validate(given)).entries[0].lot_id
    yard.hold(10)  # the first lot
    off = {"kind": "seal", "id": uuid4(), "occurred_at": yard.now(), "place_id": yard.store, "reason": "受潮"}
    off["lines"] = [{"item_code": yard.item, "lot_id": lots["sealed"], "quantity": 10}]
    yard.admin.record(Seal.model_validate(off))
    with engine.begin() as connection:
        gone = text(
            "INSERT INTO lot_change (lot_id, quality, reason, recorded_by) VALUES (:id, 'recalled', 'x', 'x')"
        )
        connection.execute(gone, {"id": lots["recalled"]})
    good = yard.receive(10, date(2032, 1, 1), lot_no="good")
    view = yard.service.hold(yard.request(yard.line(10)))
    assert [line.lot_id for line in view.lines] == [good]
    assert [(p.lot_no, p.reason, p.units) for p in view.passed_over] == [
        ("held", Why.HELD, 10), ("sealed", Why.SEALED, 10), ("recalled", Why.RECALLED, 10),
        ("donor", Why.GIVEN, 10),
    ]  # fmt: skip
    assert view.passed_over[0].why_en == "held for plan:test"
    with pytest.raises(Shortage) as refused:
        yard.service.hold(yard.request(yard.line(1)))
    (short,) = refused.value.more["shortages"]
    assert [p["lot_no"] for p in short["passed_over"]] == ["held", "sealed", "recalled", "donor", "good"]


def test_what_is_in_dispute_is_named_where_it_is_missed(yard):
    lot_id = yard.receive(10, date(2031, 1, 1), lot_no="A")
    other = yard.place(PlaceKind.STORE)
    line = {"item_code": yard.item, "lot_id": lot_id, "quantity": 4}
    gone = yard.issue(4, place_id=other, line=line)
    yard.admin.record_batch(MovementBatch(movements=[gone.model_dump(mode="json")]))
    with pytest.raises(Shortage) as refused:
        yard.service.hold(yard.request(yard.line(7)))
    (short,) = refused.value.more["shortages"]
    assert (short["available"], short["passed_over"][0]["reason"]) == (6, "disputed")
    assert short["passed_over"][0]["units"] == 4


def test_given_goods_are_held_by_name_and_with_their_owners_consent(yard):
    box = {"lot_no": "D", "maker": "厂", "expires_on": yard.soon, "owner": "social"}
    body = {"kind": "receive", "id": uuid4(), "occurred_at": yard.now(), "place_id": yard.store}
    body["lines"] = [{"item_code": yard.item, "quantity": 10, "lot": box}]
    given = yard.admin.record(Receive.model_validate(body)).entries[0].lot_id
    for silent in ({}, {"lot_id": given}):
        with pytest.raises(Shortage) as refused:
            yard.service.hold(yard.request(yard.line(4, **silent)))
        assert refused.value.more["shortages"][0]["passed_over"][0]["reason"] == "given"
    consent = "某公司李经理 11-21 电话同意"
    view = yard.service.hold(yard.request(yard.line(4, lot_id=given, consent=consent)))
    assert [(line.lot_id, line.consent) for line in view.lines] == [(given, consent)]
    own = yard.receive(5)
    view = yard.service.hold(yard.request(yard.line(1, lot_id=own, consent=consent)))
    assert view.lines[0].consent == ""  # the state's own needs none


def test_lines_of_one_row_for_several_days_each_get_what_keeps_long_enough(yard):
    today = yard.now()
    short_lived = yard.receive(5, today.date() + timedelta(days=2))
    lasting = yard.receive(5, today.date() + timedelta(days=9))
    lines = [yard.line(5, needed_at=today + timedelta(days=5)), yard.line(5, needed_at=today)]
    view = yard.service.hold(yard.request(*lines))
    kept = {line.lot_id: (line.quantity, line.needed_on) for line in view.lines}
    assert kept == {
        short_lived: (5, day(today)), lasting: (5, day(today + timedelta(days=5))),
    }  # fmt: skip


def test_a_hold_of_the_past_is_refused(yard):
    yard.receive(10)
    request = yard.request(yard.line(1)).model_copy(update={"expires_at": yard.now()})
    with pytest.raises(Invalid, match="expires_at"):
        yard.service.hold(request)


# Issued


def test_a_hold_is_issued_in_parts_and_closes_with_the_last(yard):
    yard.receive(10, date(2031, 1, 1))
    yard.receive(10, date(2032, 1, 1))
    hold_id, order_id = yard.hold(15), uuid4()
    yard.service.record(yard.issue(9, hold_id=hold_id, order_id=order_id))
    view = yard.service.get_hold(hold_id)
    assert (view.status, sum(line.issued for line in view.lines)) == (HoldStatus.OPEN, 9)
    assert yard.stock() == (11, 6, 5)
    yard.service.record(yard.issue(6, hold_id=hold_id, order_id=order_id))
    assert yard.service.get_hold(hold_id).status is HoldStatus.ISSUED
    assert yard.stock() == (5, 0, 5)
    assert yard.stock(f"transit:{order_id}")[0] == 15
    with pytest.raises(Conflict, match="issued in full"):
        yard.service.record(yard.issue(1, hold_id=hold_id))


def test_a_hold_gives_no_more_than_it_keeps(yard):
    yard.receive(20)
    hold_id = yard.hold(5)
    with pytest.raises(Shortage) as refused:
        yard.service.record(yard.issue(6, hold_id=hold_id))
    assert refused.value.more["shortages"][0]["available"] == 5
    assert yard.stock() == (20, 5, 15)


def test_a_lot_sealed_off_after_it_was_held_stays(yard, engine):
    lot_id = yard.receive(10)
    hold_id = yard.hold(5)
    with engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO lot_change (lot_id, quality, reason, recorded_by) VALUES (:id, 'recalled', 'x', 'x')"
            ),
            {"id": lot_id},
        )
    with pytest.raises(Shortage):
        yard.service.record(yard.issue(1, hold_id=hold_id))


def test_reversing_an_issue_from_a_hold_gives_stock_back_not_the_hold(yard):
    yard.receive(10)
    hold_id = yard.hold(6)
    issued = yard.service.record(yard.issue(6, hold_id=hold_id))
    yard.admin.record(yard.reversal(issued.id))
    assert yard.service.get_hold(hold_id).status is HoldStatus.ISSUED
    assert yard.stock() == (10, 0, 10)


def test_an_unknown_hold_is_named(yard):
    hold_id = uuid4()
    with pytest.raises(NotFound, match=str(hold_id)):
        yard.service.record(yard.issue(1, hold_id=hold_id))
    for ask in (yard.service.get_hold, yard.service.release):
        with pytest.raises(NotFound):
            ask(hold_id)


def test_what_expires_before_it_arrives_is_not_loaded(yard):
    today = yard.now()
    short_lived = yard.receive(5, today.date() + timedelta(days=2))
    lasting = yard.receive(5, today.date() + timedelta(days=9))
    far = today + timedelta(days=5)
    hold_id = yard.service.hold(yard.request(yard.line(5), yard.line(5, needed_at=far))).id
    loaded = yard.service.record(yard.issue(5, hold_id=hold_id, arrives_at=far))
    assert {entry.lot_id for entry in loaded.entries} == {lasting}
    with pytest.raises(Shortage) as refused:
        yard.service.record(yard.issue(1, hold_id=hold_id, arrives_at=far))
    assert refused.value.more["shortages"][0]["passed_over"][0]["reason"] == "expired"
    named = yard.issue(1, hold_id=hold_id, arrives_at=far, reason="当日拌料用", line={"lot_id": short_lived})
    yard.service.record(named)
    yard.service.record(yard.issue(4, hold_id=hold_id))
    assert yard.service.get_hold(hold_id).status is HoldStatus.ISSUED


def test_what_expired_since_it_was_held_is_not_issued_unseen_msupply_i10065(yard):
    yard.receive(5, yard.today() + timedelta(days=2))
    hold_id = yard.hold(5)
    late = yard.issue(1, hold_id=hold_id, arrives_at=yard.now() + timedelta(days=4))
    with pytest.raises(Shortage):
        yard.service.record(late)


# Released, replaced


def test_release_gives_back_what_was_not_issued_once(yard):
    yard.receive(10)
    hold_id = yard.hold(8)
    yard.service.record(yard.issue(3, hold_id=hold_id))
    first = yard.service.release(hold_id)
    assert yard.service.release(hold_id) == first
    assert first.status is HoldStatus.RELEASED
    assert [(line.quantity, line.issued) for line in first.lines] == [(8, 3)]
    assert yard.stock() == (7, 0, 7)
    with pytest.raises(Conflict, match="has been released"):
        yard.service.record(yard.issue(1, hold_id=hold_id))


def test_replace_takes_what_the_old_holds_kept(yard):
    yard.receive(10)
    old = [yard.hold(5), yard.hold(5)]
    fresh = yard.request(yard.line(9))
    view = yard.service.hold_replace(HoldReplace(release=old, hold=fresh))
    assert view.status is HoldStatus.OPEN
    assert [yard.service.get_hold(h).status for h in old] == [HoldStatus.RELEASED] * 2
    assert yard.stock() == (10, 9, 1)
    assert yard.service.hold_replace(HoldReplace(release=old, hold=fresh)) == view


def test_a_refused_replacement_leaves_all_as_it_was(yard):
    yard.receive(10)
    old = yard.hold(5)
    with pytest.raises(Shortage):
        yard.service.hold_replace(HoldReplace(release=[old], hold=yard.request(yard.line(11))))
    with pytest.raises(NotFound):
        yard.service.hold_replace(HoldReplace(release=[old, uuid4()], hold=yard.request(yard.line(1))))
    assert yard.service.get_hold(old).status is HoldStatus.OPEN
    assert yard.stock() == (10, 5, 5)


# Expired


def test_an_expired_hold_counts_no_more_before_anybody_notices(yard, expire, engine):
    yard.receive(10)
    hold_id = yard.hold(8)
    expire(hold_id)
    assert yard.stock() == (10, 0, 10)
    assert yard.service.get_hold(hold_id).status is HoldStatus.EXPIRED
    with engine.connect() as connection:
        noticed = connection.scalar(text("SELECT status FROM hold WHERE id = :id"), {"id": hold_id})
    assert noticed == "open"
    with pytest.raises(Conflict, match="has expired"):
        yard.service.record(yard.issue(1, hold_id=hold_id))


@pytest.mark.parametrize("need", ["hold", "issue", "adjust"])
def test_whoever_needs_the_stock_closes_the_expired_hold(yard, expire, need):
    lot_id = yard.receive(10)
    hold_id = yard.hold(8)
    expire(hold_id)
    if need == "hold":
        yard.service.hold(yard.request(yard.line(10)))
    elif need == "issue":
        yard.admin.record(yard.issue(10))
    else:
        yard.admin.record(yard.adjustment(lot_id, -10))
    assert yard.service.release(hold_id).status is HoldStatus.EXPIRED
    assert yard.books_balance()


def test_closing_an_expired_hold_gives_back_its_other_rows_too(yard, expire):
    yard.receive(10)
    other = yard.place(PlaceKind.STORE)
    yard.receive(10, place=other)
    view = yard.service.hold(yard.request(yard.line(8), yard.line(8, place_id=other)))
    expire(view.id)
    yard.admin.record(yard.issue(10))
    assert yard.stock(other) == (10, 0, 10)
    assert yard.books_balance()
