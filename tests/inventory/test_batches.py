"""Work done offline: every report is answered, none is lost or counted twice, and people settle what is doubtful."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from chubei_shared.contracts.base import Certainty, Provenance
from chubei_shared.contracts.catalogue import Lot, Place, PlaceKind, lot_id
from chubei_shared.tokens import Role
from sqlalchemy import Connection, text
from starlette.testclient import TestClient


class Phone:
    """A clerk's device: what it reports, and what it is told."""

    def __init__(self, yard: Any, http: TestClient) -> None:
        self.yard, self.http = yard, http
        self.hour = 0

    def report(self, kind: str, *lines: dict[str, Any], **fields: Any) -> dict[str, Any]:
        """A movement that is not sent yet; each happens a minute after the one before."""
        self.hour += 1
        at = self.yard.now() - timedelta(days=1) + timedelta(minutes=self.hour)
        body = {"kind": kind, "id": str(uuid4()), "occurred_at": at.isoformat(), "place_id": self.yard.store}
        if kind != "reverse":
            fields["lines"] = [{"item_code": self.yard.item, **line} for line in lines]
        return {name: value for name, value in (body | fields).items() if value is not None}

    def receive(self, quantity: int, lot_no: str = "A1", **fields: Any) -> dict[str, Any]:
        return self.report("receive", {"quantity": quantity, "lot": box(lot_no)}, **fields)

    def issue(self, quantity: int, lot_no: str = "A1", **fields: Any) -> dict[str, Any]:
        return self.report("issue", {"quantity": quantity, "lot": box(lot_no)}, **fields)

    def reverse(self, body: dict[str, Any]) -> dict[str, Any]:
        return self.report("reverse", place_id=None, reverses_id=body["id"])

    def send(self, *bodies: dict[str, Any]) -> list[dict[str, Any]]:
        answer = self.http.post("/v1/movements:batch", json={"movements": list(bodies)})
        assert answer.status_code == 200, answer.text
        return answer.json()["rows"]

    def outcomes(self, *bodies: dict[str, Any]) -> list[tuple[str, str | None]]:
        return [(row["outcome"], row["reason"]) for row in self.send(*bodies)]

    def parked(self, **query: Any) -> list[dict[str, Any]]:
        query = {"place_id": self.yard.store} | query
        return self.http.get("/v1/parked-movements", params=query).json()["rows"]

    def disputes(self) -> list[dict[str, Any]]:
        return self.http.get("/v1/disputes", params={"item_code": self.yard.item}).json()["rows"]

    def row(self, place: str | None = None) -> tuple[int, int, int]:
        """On hand, available and in dispute of the item at a place."""
        rows = self.yard.admin.stock(place_id=place or self.yard.store, item_code=self.yard.item).rows
        return (
            sum(r.on_hand for r in rows),
            sum(r.available for r in rows),
            sum(r.disputed for r in rows),
        )


def box(lot_no: str, **changes: Any) -> dict[str, Any]:
    return {"lot_no": lot_no, "maker": "厂", "expires_on": "2031-01-01"} | changes


def id_of(yard: Any, lot_no: str) -> UUID:
    return lot_id(yard.item, Lot(lot_no=lot_no, maker="厂", expires_on=date(2031, 1, 1)))


@pytest.fixture
def phone(yard: Any, sign_in: Callable[..., TestClient]) -> Phone:
    return Phone(yard, sign_in(Role.CLERK, yard.store))


@pytest.fixture
def boss(sign_in: Callable[..., TestClient]) -> TestClient:
    return sign_in(Role.APPROVER)


# Each is answered apart


def test_each_is_answered_apart_and_one_that_is_broken_hinders_no_other(phone):
    good, known = phone.receive(10), phone.receive(5)
    phone.send(known)
    broken = phone.receive(1) | {"place_id": 7}
    answers = phone.outcomes(good, known, broken, {"nonsense": "\x00"}, good)
    assert answers == [
        ("accepted", None), ("known", None), ("parked", "malformed"), ("parked", "malformed"), ("known", None),
    ]  # fmt: skip
    assert phone.row() == (15, 15, 0)


def test_a_thousand_at_once(phone):
    bodies = [phone.receive(1) for _ in range(1000)]
    assert {row["outcome"] for row in phone.send(*bodies)} == {"accepted"}
    assert phone.row()[0] == 1000
    assert {row["outcome"] for row in phone.send(*bodies)} == {"known"}
    assert phone.row()[0] == 1000
    too_many = phone.http.post("/v1/movements:batch", json={"movements": [*bodies, phone.receive(1)]})
    assert too_many.status_code == 422


def test_ids_are_remembered_for_good_whatever_became_of_them(phone, boss):
    bodies = [phone.receive(3), phone.report("issue", {"quantity": 1}), phone.issue(4)]
    phone.send(*bodies)
    parked = phone.parked()[0]
    boss.post(f"/v1/parked-movements/{parked['key']}:reject", json={"reason": "重复"})
    for _ in range(2):
        assert [outcome for outcome, _ in phone.outcomes(*bodies)] == ["known"] * 3
    assert phone.row() == (0, 0, 1)
    assert phone.parked() == []


def test_a_report_that_no_text_can_carry_is_kept_all_the_same(phone):
    lone = b'{"movements": [{"id": "\\ud800", "place_id": "\\ud800", "kind": "issue", "more": 1e999}]}'
    answer = phone.http.post(
        "/v1/movements:batch", content=lone, headers={"Content-Type": "application/json"}
    )
    assert [row["reason"] for row in answer.json()["rows"]] == ["malformed"]


def test_the_same_batch_many_times_at_once_counts_once(phone, sign_in):
    bodies = [phone.receive(10), phone.issue(3), phone.report("issue", {"quantity": 1}), phone.issue(20, "B")]

    def send(_: int) -> int:
        http = sign_in(Role.CLERK, phone.yard.store)
        return http.post("/v1/movements:batch", json={"movements": bodies}).status_code

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(send, range(8))) == {200}
    assert phone.row() == (7, 7, 20)
    assert len(phone.parked()) == 1
    assert phone.yard.books_balance()


# What is not there yet


def test_what_goes_out_before_it_came_in_is_in_dispute_until_it_does(phone):
    issue, receipt = phone.issue(6), phone.receive(10)
    assert phone.outcomes(issue) == [("parked", "short")]
    assert phone.row() == (0, 0, 6)
    assert [(d["units"], d["movements"]) for d in phone.disputes()] == [(6, [issue["id"]])]
    assert phone.outcomes(receipt) == [("accepted", None)]
    assert phone.row() == (4, 4, 0)
    assert phone.disputes() == []


def test_goods_of_a_lot_in_dispute_are_not_promised_elsewhere(phone):
    """Six thousand instead of six: what is said to have come from nowhere is no stock to plan with."""
    other = phone.yard.place(PlaceKind.STORE)
    line = {"quantity": 6000, "lot": box("A1")}
    transfer = phone.report(
        "transfer", line, place_id=None, from_place_id=phone.yard.store, to_place_id=other
    )
    phone.send(phone.receive(10), transfer)
    assert phone.row(other) == (6000, 10, 0)
    request = phone.yard.request(phone.yard.line(11, place_id=other))
    with pytest.raises(Exception, match="available 10"):
        phone.yard.service.hold(request)


def test_what_is_held_for_a_plan_stays_and_what_a_clerk_gave_out_of_it_is_in_dispute(phone):
    phone.send(phone.receive(10))
    hold_id = phone.yard.hold(8)
    assert phone.outcomes(phone.issue(6)) == [("parked", "short")]
    assert phone.yard.stock()[:2] == (8, 8)
    assert phone.row() == (8, 0, 4)
    phone.yard.service.release(hold_id)
    assert phone.row() == (4, 4, 0)


def test_unknown_items_and_places_are_waited_for(phone, boss):
    code, place = str(phone.yard.new_item()), f"later-{uuid4().hex[:6]}"
    away = phone.report(
        "transfer", {"quantity": 2, "lot": box("A1"), "item_code": code}, place_id=None,
        from_place_id=phone.yard.store, to_place_id=place,
    )  # fmt: skip
    came = phone.report("receive", {"quantity": 5, "lot": box("A1"), "item_code": code})
    assert phone.outcomes(away, came) == [("parked", "waits"), ("accepted", None)]
    assert phone.parked()[0]["waits_for"] == [f"place:{place}"]
    phone.yard.item = code
    rows = phone.yard.admin.stock(place_id=phone.yard.store, item_code=code).rows
    assert [(r.on_hand, r.parked) for r in rows] == [(5, -2)]
    phone.yard.admin.put_place(named(place))
    phone.send(phone.receive(1, "other"))
    assert phone.parked() == []
    assert phone.yard.stock(place)[0] == 2


def named(place_id: str) -> Place:
    told = Provenance(certainty=Certainty.INVENTED, source="test")
    return Place(id=place_id, kind=PlaceKind.STORE, name_zh=place_id, name_en=place_id, provenance=told)


def test_a_reversal_waits_for_what_it_reverses(phone):
    phone.send(phone.receive(10))
    issue = phone.issue(4)
    undo = phone.reverse(issue)
    assert phone.outcomes(undo) == [("parked", "waits")]
    assert phone.outcomes(issue) == [("accepted", None)]
    assert phone.row() == (10, 10, 0)
    assert phone.outcomes(phone.reverse(issue)) == [("parked", "reversed_already")]


def test_a_lot_may_be_named_by_the_id_that_its_box_determines(phone):
    by_id = phone.report("issue", {"quantity": 4, "lot_id": str(id_of(phone.yard, "A1"))})
    assert phone.outcomes(by_id) == [("parked", "waits")]
    phone.send(phone.receive(10))
    assert phone.row() == (6, 6, 0)


# What a device may not decide


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
            "'2020-01-01', '2040-01-01', '{}', 1, 60, 0, 100)"
        ),
        {"id": reserve, "place": yard.store, "item": yard.item},
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


# What a supervisor settles


def test_accepted_as_it_is_by_another_person_only(phone, boss, sign_in):
    phone.send(phone.report("scrap", {"quantity": 4, "lot": box("A1")}, reason="过期", from_state="shelf"))
    phone.send(phone.receive(10))
    parked = phone.parked()[0]
    assert phone.yard.admin.stock(place_id=phone.yard.store, item_code=phone.yard.item).rows[0].parked == -4
    path = f"/v1/parked-movements/{parked['key']}:accept"
    assert phone.http.post(path, json={"reason": "自批"}).status_code == 403
    own = Phone(phone.yard, sign_in(Role.ADMIN))
    own.send(own.report("scrap", {"quantity": 1, "lot": box("A1")}, reason="过期", from_state="shelf"))
    mine = next(p for p in own.parked() if p["sent_by"] == "a-admin")
    refused = own.http.post(f"/v1/parked-movements/{mine['key']}:accept", json={"reason": "自批"})
    assert refused.status_code == 403
    for _ in range(2):
        answer = boss.post(path, json={"reason": "五位专家鉴定"}).json()
        assert (answer["status"], answer["settled_by"]) == ("accepted", "a-approver")
    view = phone.yard.admin.movement(UUID(parked["id"]))
    assert (view.recorded_by, view.approved_by) == ("a-clerk", "a-approver")
    assert phone.row() == (6, 6, 0)


def test_accepted_as_corrected(phone, boss):
    body = phone.report("issue", {"quantity": 4})
    phone.send(phone.receive(10), body)
    path = f"/v1/parked-movements/{phone.parked()[0]['key']}:accept"
    assert boss.post(path, json={"reason": "补批号"}).status_code == 409
    corrected = body | {"lines": [{"item_code": phone.yard.item, "quantity": 3, "lot": box("A1")}]}
    wrong = boss.post(path, json={"reason": "补批号", "movement": corrected | {"id": str(uuid4())}})
    assert wrong.json()["errors"][0]["field"] == "movement.id"
    assert boss.post(path, json={"reason": "补批号", "movement": corrected}).json()["status"] == "accepted"
    assert phone.row() == (7, 7, 0)
    assert phone.outcomes(body) == [("known", None)]


def test_rejected_with_a_reason_and_what_waited_for_it_too(phone, boss):
    body = phone.report("issue", {"quantity": 4})
    phone.send(body, phone.reverse(body))
    path = f"/v1/parked-movements/{phone.parked()[0]['key']}:reject"
    assert boss.post(path, json={"reason": " "}).status_code == 422
    assert boss.post(path, json={"reason": "查无此事"}).json()["settled_reason"] == "查无此事"
    assert boss.post(path.replace(":reject", ":accept"), json={"reason": "x"}).status_code == 409
    everywhere = phone.http.get("/v1/parked-movements", params={"limit": 500}).json()["rows"]
    assert not [p for p in everywhere if f"movement:{body['id']}" in p["waits_for"]]


def test_a_dispute_is_settled_by_finding_or_by_undoing(phone, boss):
    issue = phone.issue(6)
    phone.send(phone.receive(2), issue)
    dispute = phone.disputes()[0]
    when = phone.yard.now().isoformat()
    found = {
        "how": "found", "id": str(uuid4()), "occurred_at": when, "place_id": phone.yard.store,
        "lot_id": dispute["lot_id"], "units": 3, "reason": "现场清点",
    }  # fmt: skip
    assert [boss.post("/v1/disputes:settle", json=found).status_code for _ in range(2)] == [201, 200]
    assert phone.row() == (0, 0, 1)
    too_many = boss.post("/v1/disputes:settle", json=found | {"id": str(uuid4()), "units": 2})
    assert too_many.json()["units"] == 1
    undone = {
        "how": "undone",
        "id": str(uuid4()),
        "occurred_at": when,
        "movement_id": issue["id"],
        "reason": "误报",
    }
    assert [boss.post("/v1/disputes:settle", json=undone).status_code for _ in range(2)] == [201, 200]
    assert phone.row() == (5, 5, 0)
    assert boss.post("/v1/disputes:settle", json=undone | {"movement_id": str(uuid4())}).status_code == 409
    assert phone.yard.books_balance()


def test_what_has_changed_since_it_was_read_is_not_settled_unseen(phone, boss):
    phone.send(phone.report("issue", {"quantity": 4}))
    key = phone.parked()[-1]["key"]
    read = boss.get(f"/v1/parked-movements/{key}")
    assert read.json()["key"] == key
    path = f"/v1/parked-movements/{key}:reject"
    stale = boss.post(path, json={"reason": "x"}, headers={"If-Match": '"another"'})
    assert stale.status_code == 412
    seen = boss.post(path, json={"reason": "x"}, headers={"If-Match": read.headers["ETag"]})
    assert seen.json()["status"] == "rejected"
    assert boss.get(f"/v1/parked-movements/{uuid4()}.{'0' * 64}").status_code == 404


@pytest.mark.parametrize("role", [Role.CLERK, Role.COMMANDER, Role.AUDITOR])
def test_settling_is_for_approvers(phone, sign_in, role):
    phone.send(phone.report("issue", {"quantity": 4}))
    path = f"/v1/parked-movements/{phone.parked()[0]['key']}:reject"
    assert sign_in(role, phone.yard.store).post(path, json={"reason": "x"}).status_code == 403


def test_pages_of_what_is_parked_and_in_dispute_join(phone):
    bodies = [phone.report("issue", {"quantity": n}) for n in range(1, 6)]
    phone.send(*bodies, *(phone.issue(1, f"lot-{n}") for n in range(5)))
    for path, key in (("parked-movements", "place_id"), ("disputes", "place_id")):
        rows, cursor = [], None
        while True:
            query = {key: phone.yard.store, "limit": 2} | ({"cursor": cursor} if cursor else {})
            page = phone.http.get(f"/v1/{path}", params=query).json()
            rows += page["rows"]
            if (cursor := page["next_cursor"]) is None:
                break
        assert len(rows) == len({str(row) for row in rows}) == 5
