"""Stocktakes over HTTP: blind, recounted by others, approved by somebody else, while stock moves."""

import json
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from chubei_inventory.stocktake import watch
from chubei_shared.contracts.movements import MOVEMENT
from chubei_shared.contracts.stocktakes import StocktakeState
from chubei_shared.tokens import Role
from sqlalchemy import text
from starlette.testclient import TestClient

S = StocktakeState


def test_from_opening_to_the_adjustment(taking, yard):
    assert taking.open().status_code == 201
    assert [row["status"] for row in taking.sheet()] == ["to_count"]
    assert taking.count(taking.zhang, 90).status_code == 201
    assert [(r["status"], r["counted_by_me"]) for r in taking.sheet()] == [("to_recount", True)]
    refused = taking.step(taking.zhang, "review")
    assert (refused.status_code, refused.json()["lines"][0]["status"]) == (409, "to_recount")
    assert taking.count(taking.zhang, 90).status_code == 409, "a recount is another person's"
    assert taking.count(taking.wang, 90).status_code == 201
    assert taking.step(taking.wang, "review").status_code == 201
    [row], etag = taking.differences()
    assert (row["difference"], row["status"], [c["book"] for c in row["counts"]]) == (
        -10,
        "counted",
        [100, 100],
    )
    assert taking.step(taking.chief, "posted").status_code == 428
    done = taking.step(taking.chief, "posted", etag)
    assert done.status_code == 201, done.text
    assert (done.json()["lines_counted"], done.json()["lines_right"], done.json()["closed_by"]) == (
        1,
        0,
        "chief",
    )
    movement = yard.admin.movement(UUID(done.json()["movement_id"]))
    assert (movement.kind, movement.recorded_by, movement.approved_by) == ("adjust", "zhang", "chief")
    assert (movement.voucher, movement.reason, movement.place_id) == ("PD-1", "月末盘点", yard.store)
    assert yard.stock()[0] == 90
    assert yard.books_balance()


def test_who_opened_counted_or_handed_in_does_not_approve(taking, yard, person):
    for involved in ("zhang", "wang", "li"):
        taking.open()
        assert taking.count(taking.wang, 100).status_code == 201
        assert taking.step(person("li", Role.CLERK, yard.store), "review").status_code == 201
        two_hats = person(involved, Role.APPROVER)
        etag = taking.differences()[1]
        refused = taking.step(two_hats, "posted", etag)
        assert (refused.status_code, taking.view()["state"]) == (403, "review")
        assert taking.step(taking.chief, "posted", etag).status_code == 201


def test_the_counters_see_no_figure_of_the_books(taking, yard):
    odd = 7_654_321
    taking.lot = yard.receive(odd)
    taking.open(items=[yard.item])
    seen = [taking.count(taking.zhang, 5), taking.step(taking.zhang, "review")]
    base = f"/v1/stocktakes/{taking.id}"
    seen += [
        taking.zhang.get(path) for path in ("/v1/stocktakes", base, f"{base}/sheet", "/v1/stock-accuracy")
    ]
    for answer in seen:
        assert str(odd) not in answer.text
        assert str(odd - 5) not in answer.text
        assert not {"book", "difference", "held", "on_hand"} & set(_keys(answer.json()))
    for path in ("differences", "hindered-counts"):
        assert taking.zhang.get(f"{base}/{path}").status_code == 403
    events = taking.zhang.get("/v1/inventory/events", params={"limit": 1000}).json()
    about = [e for e in events if e["body"].get("stocktake_id") == taking.id]
    assert str(odd) not in json.dumps(about)
    assert taking.chief.get(f"{base}/differences").status_code == 200


def _keys(told: Any) -> Any:
    if isinstance(told, dict):
        yield from told
        for value in told.values():
            yield from _keys(value)
    if isinstance(told, list):
        for value in told:
            yield from _keys(value)


def test_who_has_counted_sees_the_differences_when_it_is_closed(taking, person):
    taking.open()
    taking.count(taking.wang, 100)
    was_clerk = person("wang", Role.APPROVER)
    assert was_clerk.get(f"/v1/stocktakes/{taking.id}/differences").status_code == 403
    taking.step(taking.zhang, "review")
    assert taking.post().status_code == 201
    for reader in (was_clerk, taking.zhang):
        assert taking.differences(reader)[0][0]["posted"] == 0


def test_stock_moves_while_it_is_counted(taking, yard):
    """Three are missing; ten go out before the count and twenty after it, one of them told late."""
    taking.open()
    opened = datetime.fromisoformat(taking.view()["opened_at"])
    second = timedelta(seconds=1)
    taking.issue(10, opened + second)
    assert taking.count(taking.wang, 100 - 3 - 10 - 5, opened + 3 * second).status_code == 201
    taking.issue(20, opened + 4 * second)
    [row], early = taking.differences()
    assert (row["counts"][0]["difference"], row["status"]) == (-8, "to_recount"), "five are not told yet"
    taking.issue(5, opened + 2 * second)
    [row], late = taking.differences()
    assert (row["counts"][0]["difference"], row["counts"][0]["book"], row["status"]) == (-3, 85, "to_recount")
    assert early != late
    assert taking.count(taking.zhang, 100 - 3 - 35, opened + 5 * second).status_code == 201
    assert taking.step(taking.wang, "review").status_code == 201
    assert taking.post().status_code == 201
    assert yard.stock()[0] == 100 - 35 - 3
    assert taking.view()["doubts"] == 0


def test_a_late_report_turns_an_approval_back(taking):
    taking.open()
    opened = datetime.fromisoformat(taking.view()["opened_at"])
    for clerk in (taking.zhang, taking.wang):
        taking.count(clerk, 90, opened + timedelta(seconds=2))
    taking.step(taking.wang, "review")
    etag = taking.differences()[1]
    taking.issue(10, opened + timedelta(seconds=1))
    assert taking.step(taking.chief, "posted", etag).status_code == 412
    [row], etag = taking.differences()
    assert row["difference"] == 0
    assert taking.step(taking.chief, "posted", etag).json()["movement_id"] is None
    assert taking.yard.stock()[0] == 90


def test_a_late_report_asks_for_a_recount(taking):
    taking.open()
    opened = datetime.fromisoformat(taking.view()["opened_at"])
    taking.count(taking.wang, 100, opened + timedelta(seconds=2))
    taking.step(taking.wang, "review")
    taking.issue(10, opened + timedelta(seconds=1))
    assert taking.post().status_code == 409
    assert taking.sheet()[0]["status"] == "to_recount"
    assert taking.step(taking.chief, "counting", note="复盘").status_code == 201
    assert taking.count(taking.zhang, 90, opened + timedelta(seconds=3)).status_code == 201
    assert taking.step(taking.zhang, "review").status_code == 201


def test_a_report_later_than_the_closing_is_a_doubt_and_changes_nothing(taking, engine):
    taking.open()
    opened = datetime.fromisoformat(taking.view()["opened_at"])
    for clerk in (taking.zhang, taking.wang):
        taking.count(clerk, 90, opened + timedelta(seconds=2))
    taking.step(taking.wang, "review")
    assert taking.post().status_code == 201
    taking.tx(watch.look)
    taking.issue(5, opened + timedelta(seconds=3))
    assert taking.tx(watch.look) == 0, "after the count"
    taking.issue(10, opened + timedelta(seconds=1))
    assert taking.tx(watch.look) == 1
    assert taking.tx(watch.look) == 0
    [row], _ = taking.differences()
    assert (row["posted"], row["difference"]) == (-10, 0)
    view = taking.view()
    assert (view["state"], view["doubts"], view["lines_right"]) == ("posted", 1, 0)
    with engine.connect() as sql:
        told = text(
            "SELECT body FROM outbox WHERE topic = 'stocktake.doubted' AND body->>'stocktake_id' = :id"
        )
        assert [body["lines"] for body in sql.scalars(told, {"id": taking.id})] == [1]


def test_an_adjustment_by_hand_makes_earlier_counts_stale(taking, yard):
    taking.open()
    for clerk in (taking.zhang, taking.wang):
        taking.count(clerk, 90)
    yard.admin.record(yard.adjustment(taking.lot, -10))
    assert [row["status"] for row in taking.sheet()] == ["to_count"]
    assert taking.step(taking.zhang, "review").status_code == 409
    assert taking.count(taking.zhang, 90).status_code == 201, "one's own count says nothing any more"
    taking.step(taking.zhang, "review")
    assert taking.post().json()["movement_id"] is None
    assert yard.stock()[0] == 90


def test_a_slip_of_the_pen_that_is_reversed_after_the_count_is_not_taken_off_twice(taking, yard):
    """A hundred were written for ten. The count found it, the receipt is put right, and then the count is approved."""
    lot = str(yard.receive(100, lot_no="slip"))
    [slip] = [
        one for one in yard.admin.movements(place_id=yard.store).rows if str(one.entries[0].lot_id) == lot
    ]
    taking.open()
    for clerk in (taking.zhang, taking.wang):
        taking.count(clerk, 100)
        taking.count(clerk, 10, lot_id=lot)
    taking.step(taking.wang, "review")
    yard.admin.record(yard.reversal(slip.id))
    yard.receive(10, lot_no="slip")
    assert taking.post().status_code == 409, "the goods may as well have left since: somebody looks again"
    assert taking.step(taking.chief, "counting", note="复盘").status_code == 201
    assert taking.count(taking.wang, 10, lot_id=lot).status_code == 201
    taking.step(taking.wang, "review")
    assert taking.post().json()["movement_id"] is None
    assert sorted((row.on_hand, row.disputed) for row in yard.admin.stock(place_id=yard.store).rows) == [
        (10, 0), (100, 0),
    ]  # fmt: skip


def test_lots_that_the_books_do_not_know_and_lots_that_are_not_there(taking, yard):
    missing = yard.receive(30, lot_no="gone")
    taking.open()
    box = {"lot_no": uuid4().hex[:8], "maker": "厂", "expires_on": "2031-01-01"}
    for clerk in (taking.zhang, taking.wang):
        assert taking.count(clerk, 100).status_code == 201
        assert taking.count(clerk, 24, lot=box, item_code=yard.item).status_code == 201
        assert taking.count(clerk, 0, lot_id=str(missing)).status_code == 201
    taking.step(taking.wang, "review")
    rows, _ = taking.differences()
    assert sorted((row["added"], row["difference"]) for row in rows) == [(False, -30), (False, 0), (True, 24)]
    done = taking.post().json()
    assert (done["lines_counted"], done["lines_right"]) == (3, 1)
    stock = {row.lot_no: row.on_hand for row in yard.admin.stock(place_id=yard.store).rows}
    assert (stock[box["lot_no"]], "gone" in stock) == (24, False)
    assert yard.books_balance()


def test_what_somebody_else_approved_is_not_undone_by_a_clerk(taking, yard, person):
    taking.open()
    for clerk in (taking.zhang, taking.wang):
        taking.count(clerk, 90)
    taking.step(taking.wang, "review")
    undo = yard.reversal(UUID(taking.post().json()["movement_id"])).model_dump(mode="json")
    assert taking.zhang.post("/v1/movements", json=undo).status_code == 409
    [answer] = taking.zhang.post("/v1/movements:batch", json={"movements": [undo]}).json()["rows"]
    assert (answer["outcome"], answer["reason"]) == ("parked", "not_reversible")
    assert yard.stock()[0] == 90


def test_what_is_not_counted_holds_it_up_unless_it_has_gone(taking, yard):
    taking.open()
    refused = taking.step(taking.zhang, "review")
    assert (refused.status_code, refused.json()["lines"][0]["lot_id"]) == (409, str(taking.lot))
    taking.issue(100, yard.now())
    assert taking.sheet()[0]["status"] == "gone"
    assert taking.step(taking.zhang, "review").status_code == 201
    assert taking.post().json()["lines_counted"] == 0


def test_held_stock_is_never_taken_silently(taking, yard):
    hold_id = yard.hold(80)
    taking.open()
    for clerk in (taking.zhang, taking.wang):
        taking.count(clerk, 30)
    taking.step(taking.wang, "review")
    [row], _ = taking.differences()
    assert (row["difference"], row["held"]) == (-70, 80)
    assert taking.post().json()["in_dispute"] is True
    [stock] = yard.admin.stock(place_id=yard.store).rows
    assert (stock.on_hand, stock.held, stock.disputed, stock.available) == (80, 80, 50, 0)
    assert yard.admin.get_hold(hold_id).status == "open"
    assert yard.books_balance()


def test_sealed_stock_and_modules_are_counted_where_they_are(taking, yard):
    def put(kind: str, **more: Any) -> None:
        body = {"kind": kind, "id": uuid4(), "occurred_at": yard.now(), "place_id": yard.store}
        line = {"item_code": yard.item, "quantity": 20, "lot_id": taking.lot}
        yard.admin.record(MOVEMENT.validate_python(body | {"lines": [line]} | more))

    put("seal", reason="包装破损")
    put("pack", module_id="M-1")
    taking.open()
    sealed, module = f"sealed:{yard.store}", f"module:M-1@{yard.store}"
    assert {row["account"]: row["state"] for row in taking.sheet()} == {
        yard.store: "shelf", sealed: "sealed", module: "module"
    }  # fmt: skip
    for clerk in (taking.zhang, taking.wang):
        for account, units in ((yard.store, 60), (sealed, 20), (module, 15)):
            assert taking.count(clerk, units, account=account).status_code == 201
    taking.step(taking.wang, "review")
    movement = yard.admin.movement(UUID(taking.post().json()["movement_id"]))
    assert {e.place_id: e.quantity for e in movement.entries} == {module: -5, "outside:adjusted": 5}
    assert yard.books_balance()


def test_some_accounts_or_some_items_are_counted_alone(taking, yard):
    item = yard.item
    yard.item = yard.new_item()
    yard.receive(7)
    assert taking.open(items=[item]).status_code == 201
    assert [row["item_code"] for row in taking.sheet()] == [item]
    other = yard.admin.stock(place_id=yard.store, item_code=yard.item).rows[0].lot_id
    assert taking.count(taking.zhang, 7, lot_id=str(other)).status_code == 422, "not within this one"
    first = taking.id
    assert taking.open(items=[yard.item]).status_code == 201, "what another one does not count"
    refused = taking.open()
    assert (refused.status_code, set(refused.json()["stocktakes"])) == (409, {first, taking.id})
    assert taking.open(accounts=["sealed:elsewhere"]).status_code == 422
    assert taking.open(items=["9999999"]).status_code == 422
    assert taking.open(place_id="nowhere", by=taking.boss).status_code == 404


def test_two_stocktakes_do_not_count_a_lot_that_both_find(taking, yard):
    item, box = yard.item, {"lot_no": "found", "maker": "厂"}
    taking.open(items=[item], accounts=[yard.store])
    assert taking.count(taking.zhang, 5, lot=box, item_code=item).status_code == 201
    first = taking.id
    assert taking.open(accounts=[f"sealed:{yard.store}"]).status_code == 201
    taking.id = first
    assert taking.step(taking.chief, "cancelled").status_code == 201
    assert taking.open().status_code == 201, "a cancelled one counts nothing"


def test_counts_come_in_with_a_devices_batch(taking, yard, person):
    taking.open()
    now = yard.now()

    def entry(units: int, **more: Any) -> dict[str, Any]:
        body = {
            "kind": "count", "id": str(uuid4()), "stocktake_id": taking.id, "account": yard.store, "units": units,
            "lot_id": str(taking.lot), "counted_at": now.isoformat(),
        }  # fmt: skip
        return body | more

    issue = yard.issue(10, occurred_at=now - timedelta(seconds=30), line={"lot_id": taking.lot}).model_dump(
        mode="json"
    )
    batch = [
        entry(90), issue, entry(1), entry(5, counted_at=(now - timedelta(days=1)).isoformat()),
        entry(5, stocktake_id=str(uuid4())), entry(-1), entry(3, account="elsewhere"),
    ]  # fmt: skip

    def send(by: TestClient) -> list[tuple[str, str | None]]:
        answer = by.post("/v1/movements:batch", json={"movements": batch})
        assert answer.status_code == 200, answer.text
        return [(row["outcome"], row["reason"]) for row in answer.json()["rows"]]

    assert send(taking.zhang) == [
        ("accepted", None), ("accepted", None), ("parked", "counted_already"), ("parked", "in_future"),
        ("parked", "malformed"), ("parked", "malformed"), ("parked", "not_in_scope"),
    ]  # fmt: skip
    [wrong] = taking.zhang.post("/v1/movements:batch", json={"movements": [entry(-2)]}).json()["rows"]
    assert wrong["detail_en"].startswith("units: ")
    again = send(taking.zhang)
    assert [outcome for outcome, _ in again] == ["known"] * 7
    [row], _ = taking.differences()
    assert [(c["units"], c["book"]) for c in row["counts"]] == [(90, 90)]
    kept = taking.chief.get(f"/v1/stocktakes/{taking.id}/hindered-counts").json()
    assert sorted(one["units"] for one in kept) == [1, 3, 5]
    taking.step(taking.zhang, "review")
    assert taking.post().status_code == 201
    batch = [entry(89)]
    assert send(taking.wang) == [("parked", "closed")], "kept, and not judged"
    assert send(person("stranger", Role.CLERK, "another-store")) == [("known", None)]
    batch = [entry(88)]
    assert send(person("stranger", Role.CLERK, "another-store")) == [("parked", "not_yours")]


def test_the_same_again_is_the_same_and_other_content_is_refused(taking):
    body = {"id": str(uuid4()), "place_id": taking.yard.store, "reason": "月末盘点"}
    first, again = (taking.zhang.post("/v1/stocktakes", json=body) for _ in range(2))
    assert (first.status_code, again.status_code, first.json()) == (201, 200, again.json())
    assert taking.zhang.post("/v1/stocktakes", json=body | {"reason": "x"}).status_code == 409
    taking.id = body["id"]
    same: dict[str, Any] = {"id": str(uuid4()), "at": taking.yard.now()}
    assert [taking.count(taking.zhang, 100, **same).status_code for _ in range(2)] == [201, 200]
    assert taking.count(taking.zhang, 99, **same).status_code == 409
    step = {"id": str(uuid4())}
    assert [taking.step(taking.zhang, "review", **step).status_code for _ in range(2)] == [201, 200]
    assert taking.step(taking.boss, "cancelled", **step).status_code == 409
    posted, etag = {"id": str(uuid4())}, taking.differences()[1]
    assert [taking.step(taking.chief, "posted", etag, **posted).status_code for _ in range(2)] == [201, 200]
