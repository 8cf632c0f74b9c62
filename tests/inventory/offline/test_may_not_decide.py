"""What a device may not decide by its word alone: it is parked, with the reason."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from chubei_shared.contracts.catalogue import PlaceKind
from chubei_shared.tokens import Role
from offline_cases import Phone, box
from sqlalchemy import Connection, text


def test_reasons_to_park(phone, sign_in):
    yard = phone.yard
    yard.receive(10)
    ahead = (yard.now() + timedelta(days=3)).isoformat()
    other_item = {"quantity": 1, "lot_id": str(yard.receive(1)), "item_code": yard.new_item()}
    cases = {
        "not_yours": phone.receive(1, place_id=yard.place(PlaceKind.STORE)),
        "by_an_order": phone.issue(1, order_id=str(uuid4())),
        "in_future": phone.receive(1, occurred_at=ahead),
        "no_lot": phone.report("issue", {"quantity": 1}),
        "other_item": phone.report("issue", other_item),
        "moves_nothing": phone.report(
            "return", {"lot": box("A1"), "good": 0}, issued_from=yard.store
        ),
        "needs_approval": phone.report("scrap", {"quantity": 1, "lot": box("A1")}, reason="过期"),
    }  # fmt: skip
    answers = phone.send(*cases.values())
    assert [a["reason"] for a in answers] == list(cases)
    for answer in answers:
        assert answer["detail"]
        assert answer["detail_en"].isascii()
    used = cases["no_lot"] | {"voucher": "other"}
    assert phone.outcomes(used) == [("parked", "id_reused")]
    assert yard.books_balance()


@pytest.mark.parametrize("account", ["outside:lost", "sealed:store", "disputed:store", "transit:x"])
def test_the_books_own_accounts_are_not_for_devices(phone, sign_in, account):
    line = {"quantity": 1, "lot": box("A1")}
    ends = {"place_id": None, "from_place_id": phone.yard.store, "to_place_id": account}
    assert phone.outcomes(phone.report("transfer", line, **ends)) == [("parked", "malformed")]
    admin = Phone(phone.yard, sign_in(Role.ADMIN))
    assert admin.outcomes(admin.receive(1, place_id=account)) == [("parked", "malformed")]


def test_the_lot_of_a_reserve_is_not_moved_by_a_device(phone, engine):
    """Nor is it waited for in a circle."""
    with engine.begin() as sql:
        found = text("SELECT id FROM lot WHERE reserve_id IS NOT NULL LIMIT 1")
        lot = sql.scalar(found) or reserve_lot(sql, phone.yard)
    assert phone.outcomes(phone.report("issue", {"quantity": 1, "lot_id": str(lot)})) == [("parked", "waits")]
    phone.send(phone.receive(1))
    assert len(phone.parked()) == 1


def reserve_lot(sql: Connection, yard: Any) -> UUID:
    reserve, lot = f"agreement-{uuid4().hex[:8]}", uuid4()
    sql.execute(
        text(
            "INSERT INTO reserve (id, place_id, mode, item_code, party, valid_from, valid_until, provenance, "
            "unit_price_fen, lead_min, floor_stock, quantity) VALUES (:id, :place, 'contract', :item, 'x', "
            "'2020-01-01', '2040-01-01', CAST(:told AS jsonb), 1, 60, 0, 100)"
        ),
        {"id": reserve, "place": yard.store, "item": yard.item, "told": yard.invented.model_dump_json()},
    )
    sql.execute(
        text("INSERT INTO lot (id, item_code, maker, lot_no, reserve_id) VALUES (:id, :item, 'x', :r, :r)"),
        {"id": lot, "item": yard.item, "r": reserve},
    )
    return lot


def test_a_reversal_elsewhere_is_not_the_clerks(phone, sign_in):
    receipt = phone.receive(10)
    phone.send(receipt)
    stranger = Phone(phone.yard, sign_in(Role.CLERK, "another-store"))
    assert stranger.outcomes(phone.reverse(receipt)) == [("parked", "not_yours")]
    early = phone.receive(1)
    waits = stranger.reverse(early)
    assert stranger.outcomes(waits) == [("parked", "waits")]
    phone.send(early)
    assert phone.row()[0] == 11
