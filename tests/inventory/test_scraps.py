"""Scrapping: asked for, then approved by another person, or not booked at all."""

from typing import Any
from uuid import UUID, uuid4

import pytest
from chubei_shared.tokens import Role


def seal(yard: Any, lot_id: UUID, units: int) -> dict[str, Any]:
    line = {"item_code": yard.item, "lot_id": str(lot_id), "quantity": units}
    head = {
        "id": str(uuid4()),
        "occurred_at": yard.now().isoformat(),
        "place_id": yard.store,
        "reason": "过期",
    }
    return head | {"kind": "seal", "lines": [line]}


def key_of_parked(http: Any, movement_id: str) -> str:
    """A reversal names no place: it stands among all that waits, page by page."""
    query: dict[str, Any] = {"limit": 500}
    while True:
        page = http.get("/v1/parked-movements", params=query).json()
        if found := [row["key"] for row in page["rows"] if row["id"] == movement_id]:
            return str(found[0])
        query["cursor"] = page["next_cursor"]


@pytest.fixture
def people(yard, sign_in):
    return sign_in(Role.CLERK, yard.store), sign_in(Role.APPROVER)


@pytest.fixture
def asked(yard, people) -> dict[str, Any]:
    """Five of ten units are sealed off, and three of those are to be scrapped."""
    clerk, _ = people
    lot_id = yard.receive(10)
    clerk.post("/v1/movements", json=seal(yard, lot_id, 5))
    return seal(yard, lot_id, 3) | {"kind": "scrap", "id": str(uuid4())}


def test_it_is_booked_when_another_person_approves_it(yard, people, asked):
    clerk, boss = people
    first = clerk.post("/v1/scraps", json=asked)
    assert (first.status_code, first.json()["status"]) == (201, "open")
    assert clerk.post("/v1/scraps", json=asked).status_code == 200
    assert yard.stock(f"sealed:{yard.store}")[0] == 5
    url = f"/v1/scraps/{asked['id']}"
    assert clerk.post(f"{url}:approve", json={"reason": "x"}).status_code == 403
    done = [boss.post(f"{url}:approve", json={"reason": "鉴定意见"}) for _ in range(2)]
    assert [(one.status_code, one.json()["status"]) for one in done] == [(200, "accepted")] * 2
    booked = yard.admin.movement(UUID(asked["id"]))
    assert (booked.recorded_by, booked.approved_by) == ("a-clerk", "a-approver")
    assert {e.place_id: e.quantity for e in booked.entries} == {
        f"sealed:{yard.store}": -3, "outside:scrapped": 3,
    }  # fmt: skip
    assert clerk.get(url).json()["settled_by"] == "a-approver"
    assert clerk.post("/v1/scraps", json=asked).json()["status"] == "accepted"


def test_what_two_scrapped_one_alone_does_not_bring_back(yard, people, asked):
    clerk, boss = people
    clerk.post("/v1/scraps", json=asked)
    boss.post(f"/v1/scraps/{asked['id']}:approve", json={"reason": "鉴定意见"})
    undo = yard.reversal(UUID(asked["id"])).model_dump(mode="json")
    assert clerk.post("/v1/movements", json=undo).status_code == 403
    [answer] = clerk.post("/v1/movements:batch", json={"movements": [undo]}).json()["rows"]
    assert (answer["outcome"], answer["reason"]) == ("parked", "needs_approval")
    assert yard.stock(f"sealed:{yard.store}")[0] == 2
    key = key_of_parked(boss, undo["id"])
    done = boss.post(f"/v1/parked-movements/{key}:accept", json={"reason": "批错了"})
    assert (done.status_code, yard.stock(f"sealed:{yard.store}")[0]) == (200, 5)


def test_nobody_approves_the_own_request(yard, sign_in, asked):
    admin = sign_in(Role.ADMIN)
    assert admin.post("/v1/scraps", json=asked).status_code == 201
    answer = admin.post(f"/v1/scraps/{asked['id']}:approve", json={"reason": "x"})
    assert (answer.status_code, yard.stock(f"sealed:{yard.store}")[0]) == (403, 5)


def test_what_is_refused_is_not_booked(yard, people, asked):
    clerk, boss = people
    clerk.post("/v1/scraps", json=asked)
    answer = boss.post(f"/v1/scraps/{asked['id']}:reject", json={"reason": "还能用"})
    assert (answer.json()["status"], answer.json()["settled_reason"]) == ("rejected", "还能用")
    assert boss.post(f"/v1/scraps/{asked['id']}:approve", json={"reason": "x"}).status_code == 409
    assert yard.stock(f"sealed:{yard.store}")[0] == 5


def test_what_can_not_be_scrapped_is_said_at_once(yard, people, sign_in, asked):
    clerk, boss = people
    lines = asked["lines"]
    many = asked | {"id": str(uuid4()), "lines": [lines[0] | {"quantity": 3}] * 2}
    assert clerk.post("/v1/scraps", json=many).json()["free"] == 5
    shelf = asked | {"id": str(uuid4()), "from_state": "shelf", "lines": [lines[0] | {"quantity": 5}]}
    yard.hold(1)
    assert clerk.post("/v1/scraps", json=shelf).json()["free"] == 4
    nameless = [{"item_code": yard.item, "quantity": 1}]
    assert clerk.post("/v1/scraps", json=asked | {"lines": nameless}).status_code == 422
    stranger = sign_in(Role.CLERK, "another-store")
    assert stranger.post("/v1/scraps", json=asked).status_code == 403
    assert clerk.post("/v1/scraps", json=asked).status_code == 201
    assert clerk.post("/v1/scraps", json=asked | {"reason": "x"}).status_code == 409
    assert boss.post(f"/v1/scraps/{uuid4()}:approve", json={"reason": "x"}).status_code == 404
    assert (
        clerk.get("/v1/stock", params={"place_id": f"sealed:{yard.store}"}).json()["rows"][0]["parked"] == -3
    )
