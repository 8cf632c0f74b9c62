"""The register of bins: who keeps it, what labels and slips take from it, and how it comes in as a list."""

import re
from typing import Any
from uuid import uuid4

import pytest
from chubei_shared.tokens import Role
from starlette.testclient import TestClient


@pytest.fixture
def http(sign_in: Any) -> TestClient:
    made: TestClient = sign_in(Role.ADMIN)
    return made


def bin_of(yard: Any, code: str, walk_order: int, **changes: Any) -> dict[str, Any]:
    body = {"place_id": yard.store, "code": code, "aisle": "A", "walk_order": walk_order, "item_code": None}
    return body | {"closed": False} | changes


def put(http: TestClient, body: dict[str, Any], **headers: str) -> Any:
    return http.put(f"/v1/places/{body['place_id']}/bins/{body['code']}", json=body, headers=headers)


def test_bins_stand_in_walking_order_page_by_page(yard, http):
    bodies = [bin_of(yard, code, order) for code, order in (("B-1", 20), ("A-2", 10), ("A-1", 20), ("C", 5))]
    for body in bodies:
        assert [put(http, body).status_code for _ in range(2)] == [200, 200]
    rows, cursor = [], None
    while True:
        asked = {"limit": 3} | ({"cursor": cursor} if cursor else {})
        page = http.get(f"/v1/places/{yard.store}/bins", params=asked).json()
        rows += page["rows"]
        if (cursor := page["next_cursor"]) is None:
            break
    assert [row["code"] for row in rows] == ["C", "A-2", "A-1", "B-1"]


def test_a_bin_is_changed_as_it_was_read(yard, http):
    body = bin_of(yard, "A-1", 1)
    put(http, body)
    read = http.get(f"/v1/places/{yard.store}/bins/A-1")
    changed = body | {"walk_order": 9}
    assert put(http, changed).status_code == 428
    assert put(http, changed, **{"If-Match": '"other"'}).status_code == 412
    assert put(http, changed, **{"If-Match": read.headers["ETag"]}).json() == changed
    assert http.get(f"/v1/places/{yard.store}/bins/A-2").status_code == 404


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"place_id": "nowhere"}, "place_id"),
        ({"item_code": "9999999"}, "item_code"),
        ({"walk_order": -1}, "walk_order"),
    ],
)
def test_what_is_wrong_with_a_bin_is_named(yard, http, changes, field):
    answer = put(http, bin_of(yard, "A-1", 1) | changes)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field)


def test_the_register_is_master_data(yard, sign_in):
    body = bin_of(yard, "A-1", 1)
    assert put(sign_in(Role.CLERK, yard.store), body).status_code == 403
    assert put(sign_in(Role.COMMANDER), body).status_code == 200
    assert sign_in(Role.CLERK, yard.store).get(f"/v1/places/{yard.store}/bins").status_code == 200


def labelled(http: TestClient, yard: Any, code: str = "") -> Any:
    label = {"kind": "bin", "place_id": yard.store, "item_code": yard.item, "bin": code}
    return http.post("/v1/labels", json={"labels": [label]})


def test_a_label_names_a_registered_bin_where_there_is_a_register(yard, http):
    assert "anywhere" in labelled(http, yard, "anywhere").text, "no register: as people call it"
    put(http, bin_of(yard, "A-2", 20, item_code=yard.item))
    put(http, bin_of(yard, "A-1", 10, item_code=yard.item, closed=True))
    refused = labelled(http, yard, "anywhere")
    assert refused.status_code == 422
    (error,) = refused.json()["errors"]
    assert (error["field"], error["remedy"]) == ("labels.0.bin", f"GET /v1/places/{yard.store}/bins")
    assert labelled(http, yard, "A-1").status_code == 422, "closed"
    assert "<b>A-2</b>" in labelled(http, yard, "A-2").text
    assert "<b>A-2</b>" in labelled(http, yard).text, "the item's own"


def test_a_slip_lists_goods_as_the_picker_walks(yard, http):
    items = sorted(yard.new_item() for _ in range(3))
    for yard.item in items:
        yard.receive(5)
    put(http, bin_of(yard, "B-9", 20, item_code=items[0]))
    put(http, bin_of(yard, "A-1", 10, item_code=items[2]))
    issued = yard.admin.record(yard.issue(1, lines=[{"item_code": code, "quantity": 1} for code in items]))
    paper = http.post("/v1/papers", json={"id": str(uuid4()), "movement_id": str(issued.id)}).json()
    page = http.get(f"/v1/papers/{paper['id']}/page").text
    found = re.findall("|".join(items), page)
    assert [code for n, code in enumerate(found) if code not in found[:n]] == [items[2], items[0], items[1]]
    assert page.index("货位 A-1") < page.index("货位 B-9")
