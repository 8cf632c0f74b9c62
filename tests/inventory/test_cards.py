"""The books over time: stock as of a moment, bin cards, loans; recalls."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from chubei_inventory.recalls import recalls
from chubei_shared.contracts.batches import MovementBatch
from chubei_shared.contracts.catalogue import PlaceKind
from chubei_shared.contracts.movements import MOVEMENT
from chubei_shared.contracts.recalls import Recall
from chubei_shared.db import Transactions
from chubei_shared.tokens import Caller, Role
from sqlalchemy import text

NOON = datetime(2026, 11, 21, 4, 0, tzinfo=UTC)


def at(hours: float) -> datetime:
    return NOON + timedelta(hours=hours)


@pytest.fixture
def http(sign_in: Any) -> Any:
    return sign_in(Role.ADMIN)


def move(yard: Any, kind: str, hours: float, line: dict[str, Any], **fields: Any) -> Any:
    body = {"kind": kind, "id": uuid4(), "occurred_at": at(hours), "place_id": yard.store} | fields
    return yard.admin.record(MOVEMENT.validate_python(body | {"lines": [{"item_code": yard.item} | line]}))


def past(http: Any, yard: Any, hours: float, **query: Any) -> dict[str, int]:
    asked = {"at": at(hours).isoformat(), "item_code": yard.item} | query
    return {
        row["place_id"]: row["on_hand"] for row in http.get("/v1/past-stock", params=asked).json()["rows"]
    }


def test_stock_as_of_any_moment_is_that_of_what_had_happened_by_then(yard, http):
    move(yard, "receive", 0, {"quantity": 10, "lot": {"lot_no": "A", "maker": "厂"}})
    recorded = datetime.now(UTC)
    move(yard, "issue", 2, {"quantity": 4})
    move(yard, "receive", 1, {"quantity": 5, "lot": {"lot_no": "B", "maker": "厂"}})  # told late
    assert past(http, yard, -1) == {}
    assert past(http, yard, 0) == {yard.store: 10}
    rows = http.get("/v1/past-stock", params={"at": at(1.5).isoformat(), "place_id": yard.store}).json()[
        "rows"
    ]
    assert sorted(row["on_hand"] for row in rows) == [5, 10]
    assert past(http, yard, 9, known_at=recorded.isoformat()) == {yard.store: 10}


def test_what_was_given_out_before_it_came_in_was_in_dispute_then(yard, http):
    move(yard, "receive", 5, {"quantity": 10, "lot": {"lot_no": "A", "maker": "厂"}})
    move(yard, "issue", 3, {"quantity": 4})
    asked = {"at": at(4).isoformat(), "item_code": yard.item}
    rows = http.get("/v1/past-stock", params=asked).json()["rows"]
    assert [(row["on_hand"], row["disputed"]) for row in rows] == [(0, 4)]


def report(yard: Any, hours: float, quantity: int, lot: dict[str, Any]) -> None:
    """What a device says went out."""
    line = {"item_code": yard.item, "quantity": quantity, "lot": lot}
    body = {"kind": "issue", "id": str(uuid4()), "occurred_at": at(hours).isoformat(), "place_id": yard.store}
    yard.admin.record_batch(MovementBatch(movements=[body | {"lines": [line]}]))


def split(http: Any, yard: Any, hours: float) -> list[tuple[int, int]]:
    """On hand and in dispute of each lot at the store, by the books over time."""
    asked = {"at": at(hours).isoformat(), "place_id": yard.store}
    return [(r["on_hand"], r["disputed"]) for r in http.get("/v1/past-stock", params=asked).json()["rows"]]


def test_stock_as_of_now_is_the_stock_of_what_is_held_and_in_dispute_too(yard, http):
    """What is held for a plan stays on hand, and what a clerk gave out of it is in dispute: now, and looking back."""
    lot = {"lot_no": "A", "maker": "厂"}
    move(yard, "receive", -48, {"quantity": 10, "lot": lot})
    hold_id = yard.hold(3)
    held_at = (datetime.now(UTC) - NOON) / timedelta(hours=1)
    report(yard, -2, 87, lot)
    now = held_at + 1
    rows = http.get("/v1/stock", params={"place_id": yard.store}).json()["rows"]
    assert [(row["on_hand"], row["disputed"]) for row in rows] == [(3, 80)]
    assert split(http, yard, now) == [(3, 80)]
    assert split(http, yard, -24) == [(10, 0)], "before the report"
    assert split(http, yard, -1) == [(0, 77)], "before the hold"
    loaded = yard.issue(2, hold_id=hold_id, occurred_at=at(now + 2))
    yard.service.record(loaded)
    rows = http.get("/v1/stock", params={"place_id": yard.store}).json()["rows"]
    assert split(http, yard, now + 3) == [(row["on_hand"], row["disputed"]) for row in rows]
    assert split(http, yard, now + 1) == [(3, 80)], "held then, and issued since"


def test_past_stock_needs_a_place_or_an_item(http):
    answer = http.get("/v1/past-stock", params={"at": NOON.isoformat()})
    assert answer.json()["errors"][0]["field"] == "place_id"


def test_pages_of_past_stock_and_of_a_bin_card_join_and_the_card_agrees_with_the_stock(yard, http):
    for number in range(5):
        move(yard, "receive", number, {"quantity": 10, "lot": {"lot_no": f"L{number}", "maker": "厂"}})
        move(yard, "issue", number + 0.5, {"quantity": 3})
    for path, query in (
        ("past-stock", {"at": at(9).isoformat(), "item_code": yard.item}),
        ("bin-cards", {"place_id": yard.store, "item_code": yard.item}),
    ):
        whole = http.get(f"/v1/{path}", params=query | {"limit": 500}).json()["rows"]
        rows, cursor = [], None
        while True:
            page = http.get(
                f"/v1/{path}", params=query | {"limit": 2} | ({"cursor": cursor} if cursor else {})
            ).json()
            rows += page["rows"]
            if (cursor := page["next_cursor"]) is None:
                break
        assert rows == whole
    assert [(row["came_in"], row["went_out"], row["balance"]) for row in whole[:3]] == [
        (10, 0, 10), (0, 3, 7), (10, 0, 17),
    ]  # fmt: skip
    assert whole[-1]["balance"] == yard.stock()[0]


# Loans


def test_the_ledger_of_loans_says_what_is_to_come_back_and_until_when(yard, http):
    yard.item = yard.new_item(returnable=True)
    rule = {"item_code": yard.item, "within_months": 6, "source": "甘肃救灾物资管理办法"}
    assert http.put(f"/v1/return-rules/{yard.item}", json=rule).json() == rule
    assert rule in http.get("/v1/return-rules").json()
    changed = rule | {"within_months": 12}
    assert http.put(f"/v1/return-rules/{yard.item}", json=changed).status_code == 428
    read = http.get(f"/v1/return-rules/{yard.item}").headers["ETag"]
    for body in (changed, rule):
        read = http.put(f"/v1/return-rules/{yard.item}", json=body, headers={"If-Match": read}).headers[
            "ETag"
        ]
    lot = {"lot_no": "A", "maker": "厂"}
    move(yard, "receive", -24 * 400, {"quantity": 30, "lot": lot})
    move(yard, "issue", -24 * 300, {"quantity": 10}, recipient="月坛街道", voucher="CK-1")
    move(yard, "issue", -24, {"quantity": 8}, recipient="展览路街道", voucher="CK-2")

    def loans(**query: Any) -> list[tuple[str, int, str]]:
        rows = http.get("/v1/loans", params={"place_id": yard.store} | query).json()["rows"]
        return [(row["recipient"], row["outstanding"], row["status"]) for row in rows]

    assert loans() == [("月坛街道", 10, "lapsed"), ("展览路街道", 8, "due")]
    move(yard, "return", 0, {"lot": lot, "good": 10, "repair": 1}, issued_from=yard.store)
    assert loans() == [("展览路街道", 7, "due")]
    assert loans(only_open=False)[0] == ("月坛街道", 0, "returned")


def test_a_loan_or_a_return_that_is_reversed_never_was(yard, http):
    yard.item = yard.new_item(returnable=True)
    lot = {"lot_no": "A", "maker": "厂"}
    move(yard, "receive", 0, {"quantity": 30, "lot": lot})
    move(yard, "issue", 1, {"quantity": 10}, recipient="月坛街道")
    slip = move(yard, "issue", 2, {"quantity": 8}, recipient="展览路街道")
    back = move(yard, "return", 3, {"lot": lot, "good": 4}, issued_from=yard.store)
    for one in (slip, back):
        yard.admin.record(yard.reversal(one.id))
    rows = http.get("/v1/loans", params={"place_id": yard.store, "only_open": False}).json()["rows"]
    assert [(row["recipient"], row["outstanding"]) for row in rows] == [("月坛街道", 10)]


def test_what_has_no_rule_always_comes_back(yard, http):
    yard.item = yard.new_item(returnable=True)
    move(yard, "receive", -24 * 4000, {"quantity": 3, "lot": {"lot_no": "A", "maker": "厂"}})
    move(yard, "issue", -24 * 3999, {"quantity": 3})
    row = http.get("/v1/loans", params={"place_id": yard.store}).json()["rows"][0]
    assert (row["status"], row["return_until"]) == ("due", None)


# Recalls


def recall(maker: str, **fields: Any) -> dict[str, Any]:
    return {
        "id": str(uuid4()),
        "maker": maker,
        "occurred_at": NOON.isoformat(),
        "reason": "抽检不合格",
    } | fields


def test_a_recalled_lot_is_used_nowhere_and_free_again_when_the_recall_is_lifted(yard, http):
    maker, other = f"厂{uuid4().hex[:6]}", yard.place(PlaceKind.STORE)
    for place in (yard.store, other):
        move(yard, "receive", 0, {"quantity": 10, "lot": {"lot_no": "A", "maker": maker}}, place_id=place)
    move(yard, "receive", 0, {"quantity": 1, "lot": {"lot_no": "B", "maker": maker}})
    held = yard.service.hold(yard.request(yard.line(4, place_id=other)))
    body = recall(maker, lot_no="A")
    later = http.post("/v1/recalls", json=body | {"occurred_at": "2199-01-01T00:00:00Z"})
    assert (later.status_code, later.json()["errors"][0]["field"]) == (422, "occurred_at")
    assert [http.post("/v1/recalls", json=body).status_code for _ in range(2)] == [201, 200]
    assert http.post("/v1/recalls", json=body | {"reason": "x"}).status_code == 409
    view = http.get(f"/v1/recalls/{body['id']}").json()
    assert {row["place_id"]: (row["on_hand"], row["held"]) for row in view["stock"]} == {
        yard.store: (10, 0), other: (10, 0),
    }  # fmt: skip
    (gave_up,) = yard.service.get_hold(held.id).repicked
    assert (gave_up.reason, gave_up.units, gave_up.short) == ("recalled", 4, 4)
    for place, units in ((yard.store, 2), (other, 1)):
        refused = http.post("/v1/movements", json=yard.issue(units, place_id=place).model_dump(mode="json"))
        assert refused.status_code == 409
    lift = f"/v1/recalls/{body['id']}:lift"
    assert [http.post(lift, json={"reason": "复检合格"}).status_code for _ in range(2)] == [200, 200]
    assert http.post(lift, json={"reason": "another"}).status_code == 409
    yard.admin.record(yard.issue(11))


def test_what_is_aboard_or_recalled_is_not_shown_as_available(yard, http, sign_in):
    lot_id = str(yard.receive(10))
    load = yard.issue(4, order_id=uuid4()).model_dump(mode="json")
    assert sign_in(Role.SERVICE).post("/v1/movements", json=load).status_code == 201

    def available() -> dict[str, int]:
        rows = http.get("/v1/stock", params={"lot_id": lot_id}).json()["rows"]
        return {row["state"]: row["available"] for row in rows}

    assert available() == {"shelf": 6, "transit": 0}
    lot_no = yard.admin.stock(place_id=yard.store).rows[0].lot_no
    http.post("/v1/recalls", json=recall("厂", lot_no=lot_no))
    assert available() == {"shelf": 0, "transit": 0}


def test_a_lot_is_good_again_when_the_test_that_it_failed_is_reversed(yard, http):
    lot_id = yard.receive(10)
    move(yard, "test", 0, {"quantity": 2, "lot_id": lot_id})

    def fail() -> Any:
        line = {"item_code": yard.item, "lot_id": lot_id, "returned": 2}
        return move(yard, "tested", 1, line, passed=False)

    def qualities() -> set[str]:
        return {row.quality for row in yard.admin.stock(lot_id=lot_id).rows}

    slip = fail()
    assert qualities() == {"sealed"}
    yard.admin.record(yard.reversal(slip.id))
    assert qualities() == {"ok"}
    slip = fail()
    called = recall("厂", lot_no=yard.admin.stock(lot_id=lot_id).rows[0].lot_no)
    http.post("/v1/recalls", json=called)
    yard.admin.record(yard.reversal(slip.id))
    assert qualities() == {"recalled"}, "what has changed since stays"
    assert yard.books_balance()


def test_a_lot_that_comes_in_during_a_recall_is_recalled(yard, http):
    maker = f"厂{uuid4().hex[:6]}"
    wide, narrow = recall(maker), recall(maker, item_code=yard.item)
    for body in (wide, narrow):
        http.post("/v1/recalls", json=body)
    move(yard, "receive", 0, {"quantity": 10, "lot": {"lot_no": "A", "maker": maker}})
    row = yard.admin.stock(place_id=yard.store).rows[0]
    assert (row.quality, row.on_hand) == ("recalled", 10)
    http.post(f"/v1/recalls/{wide['id']}:lift", json={"reason": "x"})
    assert yard.admin.stock(place_id=yard.store).rows[0].quality == "recalled"  # the other still stands
    http.post(f"/v1/recalls/{narrow['id']}:lift", json={"reason": "x"})
    assert yard.admin.stock(place_id=yard.store).rows[0].quality == "ok"


def test_a_recall_reads_maker_and_lot_as_people_do(yard, http):
    """Full or half width, capitals and spaces: who types them does not know how they were typed before."""
    maker = f"某某(集团)公司 HB{uuid4().hex[:6]}"
    move(yard, "receive", 0, {"quantity": 10, "lot": {"lot_no": "HB-1", "maker": maker}})
    written = maker.replace("(", "（").replace(")", "）").replace(" ", "").lower()
    called = recall(written, lot_no="hb－1")
    assert [row["on_hand"] for row in http.post("/v1/recalls", json=called).json()["stock"]] == [10]
    move(yard, "receive", 0, {"quantity": 5, "lot": {"lot_no": "ＨＢ-1", "maker": maker}})
    move(yard, "receive", 0, {"quantity": 7, "lot": {"lot_no": "HB-2", "maker": maker}})
    found = {row.lot_no: row.quality for row in yard.admin.stock(place_id=yard.store).rows}
    assert found == {"HB-1": "recalled", "ＨＢ-1": "recalled", "HB-2": "ok"}
    assert yard.books_balance()
    http.post(f"/v1/recalls/{called['id']}:lift", json={"reason": "x"})
    assert {row.quality for row in yard.admin.stock(place_id=yard.store).rows} == {"ok"}


def test_a_lot_that_is_made_while_a_recall_is_written_does_not_slip_through(yard, engine):
    """The lot is there, but not committed, when the recall looks: the recall waits for it."""
    maker = f"厂{uuid4().hex[:6]}"
    lot_id = uuid4()
    with engine.connect() as clerk:
        clerk.execute(
            text("INSERT INTO lot (id, item_code, maker, lot_no) VALUES (:id, :item, :maker, 'A')"),
            {"id": lot_id, "item": yard.item, "maker": maker},
        )
        waits = "SELECT NOT pg_try_advisory_xact_lock(7201121)"
        with engine.connect() as other:
            assert other.scalar(text(waits))
        clerk.commit()
    body = Recall.model_validate(recall(maker))
    Transactions(engine)(recalls.call_back, body, Caller("boss", frozenset({Role.ADMIN})))
    with engine.connect() as sql:
        assert sql.scalar(text("SELECT quality FROM lot WHERE id = :id"), {"id": lot_id}) == "recalled"


@pytest.mark.parametrize("role", [Role.CLERK, Role.AUDITOR, Role.APPROVER])
def test_recalls_are_for_command_and_administrators(sign_in, yard, role):
    assert sign_in(role, yard.store).post("/v1/recalls", json=recall("x")).status_code == 403
