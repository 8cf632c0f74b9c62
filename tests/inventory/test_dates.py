"""What is said to have happened years ago is a wrong date, never booked unseen; opening stock is dated as counted."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from chubei_inventory.app import create_app
from chubei_shared.settings import Settings
from chubei_shared.tokens import Role
from starlette.testclient import TestClient

LONG_AGO = "2001-05-06T08:00:00+08:00"


@pytest.fixture(scope="module")
def as_shipped(settings: Settings, database: Any, sign_in: Any) -> Callable[..., TestClient]:
    """Clients of an inventory whose horizon is the one that it ships with."""
    days = Settings.model_fields["oldest_report_days"].default
    app = create_app(settings.model_copy(update={"oldest_report_days": days}))
    return lambda role, *places: TestClient(app, headers=sign_in(role, *places).headers)


def receipt(yard: Any, **changes: Any) -> dict[str, Any]:
    line = {"item_code": yard.item, "quantity": 7, "lot": {"lot_no": "A1", "maker": "厂"}}
    body = {
        "kind": "receive",
        "id": str(uuid4()),
        "place_id": yard.store,
        "occurred_at": LONG_AGO,
        "lines": [line],
    }
    return body | changes


def test_online_it_is_refused_with_the_remedy(yard, as_shipped):
    clerk = as_shipped(Role.CLERK, yard.store)
    answer = clerk.post("/v1/movements", json=receipt(yard))
    assert answer.status_code == 422
    (error,) = answer.json()["errors"]
    assert error["field"] == "occurred_at"
    assert "opening stock" in error["remedy"]
    assert yard.stock() == (0, 0, 0)
    for days, status in ((401, 422), (399, 201)):
        when = (yard.now() - timedelta(days=days)).isoformat()
        assert clerk.post("/v1/movements", json=receipt(yard, occurred_at=when)).status_code == status


def test_what_was_recorded_in_time_is_known_for_good(yard, as_shipped):
    body = receipt(yard)
    assert yard.admin._http.post("/v1/movements", json=body).status_code == 201, "by a house that allows it"
    assert as_shipped(Role.CLERK, yard.store).post("/v1/movements", json=body).status_code == 200


def test_offline_it_is_parked_until_a_supervisor_stands_for_the_date(yard, as_shipped):
    clerk, boss = as_shipped(Role.CLERK, yard.store), as_shipped(Role.APPROVER)
    answer = clerk.post("/v1/movements:batch", json={"movements": [receipt(yard)]}).json()["rows"][0]
    assert (answer["outcome"], answer["reason"]) == ("parked", "too_old")
    assert "clock" in answer["detail_en"]
    assert yard.stock() == (0, 0, 0)
    (parked,) = clerk.get("/v1/parked-movements", params={"place_id": yard.store}).json()["rows"]
    accepted = boss.post(f"/v1/parked-movements/{parked['key']}:accept", json={"reason": "旧账补录"})
    assert accepted.json()["status"] == "accepted"
    assert yard.stock() == (7, 0, 7)


def test_nor_is_scrapping_or_settling_dated_so(yard, as_shipped):
    lot_id = str(yard.receive(5))
    line = {"item_code": yard.item, "lot_id": lot_id, "quantity": 1}
    scrap = receipt(yard, kind="scrap", from_state="shelf", reason="破损", lines=[line])
    found = {
        "how": "found", "id": str(uuid4()), "occurred_at": LONG_AGO, "place_id": yard.store, "lot_id": lot_id,
        "units": 1, "reason": "清点",
    }  # fmt: skip
    admin = as_shipped(Role.ADMIN)
    for path, body in (("scraps", scrap), ("disputes:settle", found)):
        answer = admin.post(f"/v1/{path}", json=body)
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "occurred_at")


def test_opening_stock_may_have_been_counted_long_ago(yard, as_shipped):
    admin = as_shipped(Role.ADMIN)
    header = "place_id,item_code,quantity,lot_no,maker,counted_on"
    file = f"{header}\n{yard.store},{yard.item},9,A1,厂,2021-03-01\n".encode()
    seen = admin.post("/v1/lists/stock/imports", content=file).json()
    assert seen["faults"] == []
    asked = {"dry_run": False, "id": str(uuid4()), "file_sha256": seen["file_sha256"]}
    done = admin.post("/v1/lists/stock/imports", content=file, params=asked)
    assert done.status_code == 201, done.text
    assert yard.stock() == (9, 0, 9)
    movement = admin.get(f"/v1/movements/{done.json()['movement_ids'][0]}").json()
    assert movement["occurred_at"].startswith("2021-03-01")
