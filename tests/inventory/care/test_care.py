"""Care of stock: each subject is a list, a task that is opened once, and an event."""

from datetime import date, datetime, timedelta
from typing import Any
from uuid import uuid4

from chubei_shared.china import CHINA, day
from chubei_shared.contracts.base import Mode
from chubei_shared.contracts.catalogue import Norm, PlaceKind
from chubei_shared.contracts.catalogue_versions import Draft
from chubei_shared.contracts.reserves import Agreement, Fund, Verification
from chubei_shared.tokens import Role

NOON = datetime.now(CHINA).replace(hour=12, minute=0)
TODAY = day(NOON)


def months_ago(months: int, days: int = 0) -> date:
    year, month = divmod(TODAY.year * 12 + TODAY.month - 1 - months, 12)
    return date(year, month + 1, min(TODAY.day, 28)) + timedelta(days=days)


def test_what_expires_is_listed_by_horizon_and_gets_one_task_and_event(keeper, told):
    soon = keeper.receive(expires=TODAY + timedelta(days=20))
    later = keeper.receive(expires=TODAY + timedelta(days=80))
    keeper.receive(expires=TODAY + timedelta(days=300))
    keeper.receive(expires=None)
    assert [row["lot_id"] for row in keeper.due("expiry")] == [str(soon), str(later)]
    in_30 = keeper.due("expiry", due_by=TODAY + timedelta(days=30))
    assert [(row["lot_id"], row["due_on"], row["units"]) for row in in_30] == [
        (str(soon), str(TODAY + timedelta(days=20)), 100)
    ]
    for _ in range(3):
        keeper.run()
    tasks = keeper.tasks("expiry")
    assert [(t["lot_id"], t["state"], t["role"]) for t in tasks] == [
        (str(soon), "open", "clerk"), (str(later), "open", "clerk")
    ]  # fmt: skip
    assert [row["task_id"] for row in keeper.due("expiry")] == [t["id"] for t in tasks]
    opened = [body for body in told("care.opened", keeper.yard.store) if body["kind"] == "expiry"]
    assert [(body["count"], sorted(body["tasks"])) for body in opened] == [
        (2, sorted(t["id"] for t in tasks))
    ]


def test_a_task_is_done_with_evidence_and_asked_again_while_it_is_still_so(keeper):
    keeper.receive(expires=TODAY + timedelta(days=10))
    keeper.run()
    [task] = keeper.tasks("expiry")
    assert keeper.step(task, "done").status_code == 422
    assert keeper.step(task, "done", note="列入下月演练使用").json()["state"] == "done"
    keeper.run(days=7)
    assert [t["state"] for t in keeper.tasks("expiry")] == ["done"]
    keeper.run(days=31)
    assert sorted(t["state"] for t in keeper.tasks("expiry")) == ["done", "open"]


def test_a_task_lapses_when_the_lot_has_gone(keeper, told):
    lot_id = keeper.receive(expires=TODAY + timedelta(days=10))
    keeper.run()
    issue = {"item_code": keeper.yard.item, "quantity": 100, "lot_id": lot_id}
    keeper.book("issue", lines=[issue], occurred_at=NOON - timedelta(hours=12), reason="用于演练")
    assert keeper.due("expiry") == []
    keeper.run()
    [task] = keeper.tasks("expiry")
    assert (task["state"], [s["state"] for s in task["steps"]], task["may_become"]) == (
        "lapsed",
        ["lapsed"],
        [],
    )
    assert told("care.lapsed", keeper.yard.store)[0]["tasks"] == [task["id"]]


def test_rotation_names_what_replaces_a_lot_and_by_which_mode(keeper):
    yard = keeper.yard
    supplier = yard.place(PlaceKind.SUPPLIER)
    common = {
        "place_id": supplier, "item_code": yard.item, "party": "甲", "valid_from": TODAY - timedelta(days=1),
        "valid_until": TODAY + timedelta(days=300), "provenance": yard.invented,
    }  # fmt: skip
    agreement = Agreement(
        id=f"a-{uuid4().hex[:6]}", mode="contract", quantity=60, lead_min=60, unit_price_fen=1, **common
    )
    fund = Fund(
        id=f"f-{uuid4().hex[:6]}", mode="fund", budget_fen=3000, unit_price_fen=100, approval_min=1, delivery_min=1,
        **common,
    )  # fmt: skip
    yard.admin.put_reserve(agreement)
    yard.admin.put_reserve(fund)
    keeper.receive(100, expires=TODAY + timedelta(days=100))
    keeper.receive(100, expires=TODAY + timedelta(days=400))
    keeper.receive(100, expires=TODAY + timedelta(days=100), owner="donor")
    [row] = keeper.due("rotation")
    assert row["replaced_by"] == [
        {"mode": Mode.CONTRACT, "reserve_id": agreement.id, "units": 60},
        {"mode": Mode.FUND, "reserve_id": fund.id, "units": 30},
    ]
    assert row["not_replaced"] == 10


def test_a_test_is_due_three_years_after_production_or_the_last_test(keeper):
    old = keeper.receive(made=months_ago(36, days=-5))
    new = keeper.receive(made=months_ago(20))
    assert [row["lot_id"] for row in keeper.due("test")] == [str(old)]
    keeper.run()
    [task] = keeper.tasks("test")
    assert keeper.step(task, "done", note="已检").status_code == 422, "a note is no test result"
    sample = {"item_code": keeper.yard.item, "lot_id": old}
    keeper.book("test", lines=[sample | {"quantity": 2}])
    other = keeper.book("issue", lines=[{"item_code": keeper.yard.item, "quantity": 1, "lot_id": new}])
    result = keeper.book("tested", passed=True, lines=[sample | {"returned": 1, "destroyed": 1}])
    assert keeper.step(task, "done", movement_id=str(other.id)).status_code == 422, "of another lot"
    done = keeper.step(task, "done", movement_id=str(result.id))
    assert (done.status_code, done.json()["steps"][-1]["movement_id"]) == (201, str(result.id))
    assert keeper.due("test") == []
    keeper.run(days=1)
    assert [t["lot_id"] for t in keeper.tasks("test", state="open")] == []
    keeper.run(days=36 * 31)
    assert {t["lot_id"] for t in keeper.tasks("test", state="open")} == {str(old), str(new)}


def test_a_lot_that_failed_its_test_is_not_tested_again(keeper):
    lot_id = keeper.receive(made=months_ago(40))
    sample = {"item_code": keeper.yard.item, "lot_id": lot_id}
    keeper.book("test", lines=[sample | {"quantity": 2}])
    keeper.book("tested", passed=False, lines=[sample | {"returned": 1, "destroyed": 1}])
    assert keeper.due("test", due_by=TODAY + timedelta(days=3000)) == []


def test_stacks_are_turned_a_year_after_they_came_or_were_turned(keeper):
    keeper.receive(days_ago=370)
    keeper.receive(days_ago=30)
    keeper.run()
    [row] = keeper.due("restack", due_by=TODAY)
    [task] = keeper.tasks("restack")
    assert (row["task_id"], row["start_on"]) == (task["id"], str(TODAY - timedelta(days=370)))
    assert keeper.step(task, "done", note="翻垛、除尘").status_code == 201
    assert keeper.due("restack", due_by=TODAY) == []
    keeper.run(days=300)
    assert [t["state"] for t in keeper.tasks("restack", item_code=keeper.yard.item)].count("open") == 0
    keeper.run(days=366)
    assert [t["state"] for t in keeper.tasks("restack")].count("open") == 2


def test_a_report_that_comes_late_turns_the_clock_back(keeper):
    keeper.receive(days_ago=5, lot_no="L", expires=None)
    keeper.run()
    assert keeper.due("restack", due_by=TODAY) == []
    keeper.receive(days_ago=400, lot_no="L", expires=None)
    keeper.run()
    assert [row["start_on"] for row in keeper.due("restack", due_by=TODAY)] == [
        str(TODAY - timedelta(days=400))
    ]


def test_a_place_with_stock_is_checked_every_month(keeper):
    keeper.receive(days_ago=40)
    keeper.run()
    [task] = keeper.tasks("check")
    assert task["place_id"] == keeper.yard.store
    assert keeper.step(task, "acknowledged").json()["state"] == "acknowledged"
    assert keeper.step(task, "done", note="消防器材、货垛、门窗正常").json()["may_become"] == []
    keeper.run(days=10)
    assert keeper.tasks("check", state="open") == []
    keeper.run(days=25)
    assert len(keeper.tasks("check", state="open")) == 1
    assert keeper.due("check") == []


def test_a_place_without_stock_is_not_checked(keeper):
    keeper.run()
    assert keeper.due("check", due_by=TODAY + timedelta(days=400)) == []


def test_what_is_below_its_norm_is_for_the_command_to_replenish(keeper, yard, sign_in):
    norm = Norm(item_code=yard.item, units_per_1000=10, least_physical_pct=50, provenance=yard.invented)
    draft = yard.admin.put_draft(Draft(id=uuid4(), name="定额", norms=[norm]))
    http = sign_in(Role.ADMIN)
    etag = http.get(f"/v1/catalogue/drafts/{draft.draft.id}").headers["ETag"]
    yard.admin.publish_draft(draft.draft.id, etag)

    def below() -> list[dict[str, Any]]:
        return http.get("/v1/care/due/replenish", params={"item_code": yard.item}).json()["rows"]

    yard.receive(20)
    [row] = below()
    wanted = {"by": "norm", "wanted": 111, "have": 20, "physical_wanted": 56, "physical": 20, "short": 91}
    assert (row["floor"], row["place_id"], row["units"]) == (wanted, None, 91)
    keeper.run()
    [task] = http.get("/v1/care/tasks", params={"kind": "replenish", "item_code": yard.item}).json()["rows"]
    assert (task["role"], task["subject"]) == ("commander", f"norm|{yard.item}")
    assert keeper.step(task, "done", note="已采购").status_code == 403, "a clerk does not buy"
    assert keeper.step(task, "acknowledged", by=sign_in(Role.COMMANDER)).status_code == 201
    yard.receive(91)
    assert below() == []
    keeper.run()
    assert http.get(f"/v1/care/tasks/{task['id']}").json()["state"] == "lapsed"


def test_a_supplier_below_its_floor_stock_is_told(keeper, yard):
    supplier = yard.place(PlaceKind.SUPPLIER)
    agreement = Agreement(
        id=f"a-{uuid4().hex[:6]}", mode="contract", place_id=supplier, item_code=yard.item, party="甲", quantity=100,
        lead_min=60, floor_stock=80, unit_price_fen=1, valid_from=TODAY - timedelta(days=9),
        valid_until=TODAY + timedelta(days=99), provenance=yard.invented,
    )  # fmt: skip
    yard.admin.put_reserve(agreement)

    def visit(measured: int) -> None:
        body = {
            "id": uuid4(),
            "kind": "visit",
            "happened_at": yard.now(),
            "promised_units": 100,
            "measured_units": measured,
        }
        yard.admin.verify(agreement.id, Verification.model_validate(body))

    def below() -> list[tuple[str, int]]:
        found = keeper.clerk.get("/v1/care/due/replenish", params={"place_id": supplier}).json()["rows"]
        return [(row["reserve_id"], row["floor"]["short"]) for row in found]

    assert below() == []
    visit(65)
    assert below() == [(agreement.id, 15)]
    visit(90)
    assert below() == []


def test_recalled_lots_on_hand_are_listed_until_the_recall_is_lifted(keeper, yard):
    maker = f"厂-{uuid4().hex[:6]}"
    bad = keeper.receive(maker=maker, lot_no="B1")
    keeper.receive(maker=maker, lot_no="B2")
    recall = {
        "id": str(uuid4()), "maker": maker, "lot_no": "B1", "voucher": "召1",
        "occurred_at": (NOON - timedelta(days=1)).isoformat(),
        "reason": "抽检不合格",
    }  # fmt: skip
    assert keeper.admin.post("/v1/recalls", json=recall).status_code == 201
    [row] = keeper.due("recall")
    assert (row["lot_id"], row["recall_id"], row["units"]) == (str(bad), recall["id"], 100)
    seal = {"item_code": yard.item, "quantity": 100, "lot_id": bad}
    keeper.book("seal", lines=[seal], reason="召回封存", occurred_at=NOON)
    [row] = keeper.due("recall")
    assert row["account"] == f"sealed:{yard.store}", "sealed off, it is still on hand"
    keeper.run()
    assert len(keeper.tasks("recall", state="open")) == 1
    keeper.admin.post(f"/v1/recalls/{recall['id']}:lift", json={"reason": "复检合格"})
    keeper.run()
    assert [t["state"] for t in keeper.tasks("recall")] == ["lapsed"]
