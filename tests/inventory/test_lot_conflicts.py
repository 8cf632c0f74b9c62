"""A lot number with two pairs of dates: booked as it stands on the box, told, and listed until it is settled."""

from typing import Any
from uuid import UUID, uuid4

from chubei_shared.contracts.batches import LotConflictPage, MovementBatch
from chubei_shared.tokens import Role
from sqlalchemy import text


def test_it_is_told_once_and_listed_until_the_wrong_receipt_is_reversed(yard, sign_in, engine):
    number, http = f"L{uuid4().hex[:8]}", sign_in(Role.CLERK, yard.store)

    def receipt(expires_on: str, **lot: str) -> dict[str, Any]:
        box = {"lot_no": number, "maker": "厂", "expires_on": expires_on} | lot
        line = {"item_code": yard.item, "quantity": 5, "lot": box}
        head = {"kind": "receive", "id": str(uuid4()), "occurred_at": yard.now().isoformat()}
        return head | {"place_id": yard.store, "lines": [line]}

    def page(cursor: str | None, limit: int) -> LotConflictPage:
        asked = {"limit": limit} | ({"cursor": cursor} if cursor else {})
        return LotConflictPage.model_validate_json(http.get("/v1/lot-conflicts", params=asked).content)

    def listed() -> list[Any]:
        return [row.lots for row in yard.pages(page, limit=1) if row.lot_no == number]

    def report(*bodies: dict[str, Any]) -> list[str]:
        return [row.outcome for row in yard.admin.record_batch(MovementBatch(movements=list(bodies))).rows]

    wrong = receipt("2013-01-01")
    assert report(receipt("2031-01-01"), receipt("2031-01-01", owner="donor")) == ["accepted"] * 2
    assert listed() == [], "another owner's lot with the same dates is none"
    assert report(wrong, wrong) == ["accepted", "known"]
    (dated,) = listed()
    assert [(lot.expires_on.year, lot.units) for lot in dated] == [(2013, 5), (2031, 5), (2031, 5)]
    told = text("SELECT body FROM outbox WHERE topic = 'stock.lot_conflict' AND body->>'lot_no' = :n")
    with engine.connect() as connection:
        bodies = connection.scalars(told, {"n": number}).all()
    assert bodies == [{"item_code": yard.item, "maker": "厂", "lot_no": number}]
    yard.admin.record(yard.reversal(UUID(wrong["id"])))
    assert listed() == []


def test_two_in_one_batch_are_told_too(yard, engine):
    number = f"L{uuid4().hex[:8]}"
    lines = [
        {"item_code": yard.item, "quantity": 1, "lot": {"lot_no": number, "maker": "厂", "expires_on": day}}
        for day in ("2031-01-01", "2032-01-01")
    ]
    head = {"kind": "receive", "id": str(uuid4()), "occurred_at": yard.now().isoformat()}
    yard.admin.record_batch(MovementBatch(movements=[head | {"place_id": yard.store, "lines": lines}]))
    with engine.connect() as connection:
        told = text("SELECT count(*) FROM outbox WHERE topic = 'stock.lot_conflict' AND body->>'lot_no' = :n")
        assert connection.scalar(told, {"n": number}) == 1
