"""What is parked: looked at, booked as it is or as corrected, or rejected, by another person."""

from uuid import UUID, uuid4

import pytest
from chubei_shared.tokens import Role
from offline_cases import Phone, box


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
    asked = {"reason": "补批号", "movement": corrected}
    assert [boss.post(path, json=asked).json()["status"] for _ in range(2)] == ["accepted"] * 2
    other = corrected | {"voucher": "另一张单"}
    assert boss.post(path, json=asked | {"movement": other}).status_code == 409
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
