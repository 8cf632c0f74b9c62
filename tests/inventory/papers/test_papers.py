"""Papers say what the books say; they are numbered, and whatever is printed again says so."""

import html
import re
from typing import Any
from uuid import uuid4

import pytest
from chubei_inventory.papers.pages import qr
from chubei_shared.contracts.catalogue import PlaceKind
from chubei_shared.contracts.movements import MOVEMENT
from chubei_shared.tokens import Role
from starlette.testclient import TestClient


@pytest.fixture
def http(sign_in: Any) -> TestClient:
    made: TestClient = sign_in(Role.ADMIN)
    return made


def printed(
    http: TestClient, movement_id: object, form: str | None = None, paper_id: object = None
) -> dict[str, Any]:
    body = {"id": str(paper_id or uuid4()), "movement_id": str(movement_id), "form": form}
    answer = http.post("/v1/papers", json=body)
    assert answer.status_code in (200, 201), answer.text
    page = http.get(f"/v1/papers/{answer.json()['id']}/page")
    assert page.status_code == 200, page.text
    return answer.json() | {"page": page.text, "headers": page.headers, "status": answer.status_code}


def rows_of(page: str) -> list[list[str]]:
    """The cells of the table's rows, without what is written small."""
    rows = re.findall(r"<tr>(.*?)</tr>", page, re.S)
    cells = [re.findall(r"<td[^>]*>(.*?)</td>", row, re.S) for row in rows]
    plain = [
        [html.unescape(re.sub(r"<small>.*?</small>|<[^>]+>", "", cell)) for cell in row] for row in cells
    ]
    return [row for row in plain if row]


def moved(yard: Any, kind: str, quantity: int | None = None, **fields: Any) -> Any:
    line = {"item_code": yard.item, "quantity": quantity}
    body = {"kind": kind, "id": str(uuid4()), "occurred_at": yard.now().isoformat(), "lines": [line]}
    return yard.admin.record(MOVEMENT.validate_python(body | fields))


def received(yard: Any, *quantities: int, **lot: Any) -> Any:
    lines = [
        {"item_code": yard.item, "quantity": quantity,
         "lot": {"lot_no": f"批{n}", "maker": "甲厂", "made_on": "2026-01-01", "expires_on": f"2030-01-{n + 1:02d}"}
         | lot}
        for n, quantity in enumerate(quantities)
    ]  # fmt: skip
    return moved(yard, "receive", place_id=yard.store, lines=lines, voucher="送货单 88")


def test_goods_received(yard, http):
    paper = printed(http, received(yard, 480, 50).id)
    assert re.fullmatch(r"RK\d{8}-\d{4}", paper["number"])
    first, second, total = rows_of(paper["page"])
    assert first[1:] == [
        yard.item,
        "水",
        "批0",
        "2026-01-01",
        "2030-01-01",
        "瓶",
        "480",
        "20",
        "264.0",
        "0.34",
    ]
    assert second[7:9] == ["50", "2 + 2"]
    assert (total[1], total[-2:]) == ("合计 Total", ["291.5", "0.37"])
    for said in (
        "入库单",
        "送货单 88",
        yard.store,
        "验收人",
        "封签",
        "第 1 页 共 1 页",
        "a-admin",
        paper["number"],
    ):
        assert said in paper["page"], said


def test_goods_issued_and_their_load_list(yard, http, sign_in):
    received(yard, 100, 100)
    order, loads = uuid4(), []
    service = sign_in(Role.SERVICE)
    for quantity in (120, 5):
        body = yard.issue(quantity, order_id=order, voucher="20261121-007").model_dump(mode="json")
        loads.append(service.post("/v1/movements", json=body).json()["id"])
    issue = printed(http, loads[0])
    assert (issue["form"], [row[7] for row in rows_of(issue["page"])]) == ("issue", ["100", "20", ""])
    assert [row[7] for row in rows_of(printed(http, loads[0], "load")["page"])] == ["100", "20", ""]
    whole = printed(http, loads[1], "load")
    assert [row[7] for row in rows_of(whole["page"])] == ["100", "25", ""]
    for said in ("随车清单", "20261121-007", "车牌号", "驾驶员、电话", "封签号"):
        assert said in whole["page"], said
    assert whole["number"].startswith("SC")


def test_what_arrived_with_damage_and_shortage(yard, http, sign_in):
    received(yard, 100)
    order, point = uuid4(), yard.place(PlaceKind.POINT)
    service = sign_in(Role.SERVICE)
    service.post("/v1/movements", json=yard.issue(100, order_id=order).model_dump(mode="json"))
    line = {"item_code": yard.item, "received": 92, "damaged": 5, "short": 3}
    body = {"kind": "deliver", "id": str(uuid4()), "occurred_at": yard.now().isoformat(), "order_id": str(order),
            "place_id": point, "lines": [line]}  # fmt: skip
    assert service.post("/v1/movements", json=body).status_code == 201
    paper = printed(http, body["id"])
    assert paper["number"].startswith("JS")
    assert rows_of(paper["page"])[0][6:] == ["100", "92", "5", "3"]
    assert "接收单" in paper["page"]


def test_the_total_of_what_came_back_is_that_of_its_lines(yard, http):
    yard.item = yard.new_item(returnable=True)
    lot_id = received(yard, 100).entries[0].lot_id
    moved(yard, "issue", 10, place_id=yard.store)
    line = {"item_code": yard.item, "lot_id": str(lot_id), "good": 4, "repair": 1, "lost": 5}
    back = moved(yard, "return", place_id=yard.store, issued_from=yard.store, lines=[line])
    *lines, total = rows_of(printed(http, back.id)["page"])
    assert sorted(line[7] for line in lines) == ["1", "4"]
    assert float(total[-2]) == pytest.approx(sum(float(line[-2]) for line in lines))


def test_a_transfer_names_both_places(yard, http):
    received(yard, 10)
    target = yard.place(PlaceKind.STORE)
    sent = moved(yard, "transfer", 4, from_place_id=yard.store, to_place_id=target)
    page = printed(http, sent.id)["page"]
    assert yard.store in page
    assert target in page
    assert [row[7] for row in rows_of(page)] == ["4", ""]


def test_what_is_printed_again_is_marked_a_copy(yard, http):
    movement, paper_id = received(yard, 10), uuid4()
    first = printed(http, movement.id, paper_id=paper_id)
    again = printed(http, movement.id, paper_id=paper_id)
    assert (first["status"], again["status"], again["copy_no"]) == (201, 200, 0)
    assert "副本" not in again["page"]
    copies = [printed(http, movement.id) for _ in range(2)]
    assert [copy["copy_no"] for copy in copies] == [1, 2]
    assert {copy["number"] for copy in copies} == {first["number"]}
    assert "副本 COPY 2" in copies[1]["page"]
    listed = http.get("/v1/papers", params={"movement_id": str(movement.id), "limit": 2}).json()
    assert [row["copy_no"] for row in listed["rows"]] == [2, 1]
    rest = http.get("/v1/papers", params={"number": first["number"], "cursor": listed["next_cursor"]}).json()
    assert [row["copy_no"] for row in rest["rows"]] == [0]
    other = http.post("/v1/papers", json={"id": str(paper_id), "movement_id": str(received(yard, 1).id)})
    assert other.status_code == 409


def test_what_was_reversed_says_so(yard, http):
    movement = received(yard, 10)
    assert "已冲正" not in printed(http, movement.id)["page"]
    yard.admin.record(yard.reversal(movement.id))
    assert "已冲正" in printed(http, movement.id)["page"]


def test_a_long_paper_goes_over_pages(yard, http):
    page = printed(http, received(yard, *[1] * 25).id)["page"]
    assert [f"第 {n} 页 共 3 页" in page for n in (1, 2, 3)] == [True] * 3
    assert [row[0] for row in rows_of(page)[:-1]] == [str(n) for n in range(1, 26)]
    assert page.count("合计 Total") == 1


def test_names_can_not_break_out_of_the_page(yard, http):
    hurting = "</td><script>alert(1)</script>"
    movement = received(yard, 1, lot_no=hurting, maker='"><img src=x onerror=y>')
    paper = printed(http, movement.id)
    assert "<script" not in paper["page"]
    assert "<img" not in paper["page"]
    assert rows_of(paper["page"])[0][3] == hurting
    assert "src=" not in paper["page"].replace(html.escape("src=x onerror=y"), "")


def test_the_policy_lets_just_the_own_style_in(yard, http):
    from base64 import b64encode
    from hashlib import sha256

    paper = printed(http, received(yard, 1).id)
    style = re.search(r"<style>(.*?)</style>", paper["page"], re.S)[1]
    told = b64encode(sha256(style.encode()).digest()).decode()
    policy = paper["headers"]["content-security-policy"]
    assert policy.startswith(f"default-src 'none'; style-src 'sha256-{told}'")
    assert " style=" not in paper["page"]
    assert "http://" not in paper["page"].replace("http://www.w3.org/2000/svg", "")
    assert paper["headers"]["content-type"] == "text/html; charset=utf-8"


@pytest.mark.parametrize(
    ("kind", "form", "field", "remedy"),
    [("adjust", None, "movement_id", "receive, arrive"), ("receive", "load", "form", "receipt"),
     ("seal", "issue", "movement_id", "receive, arrive")],
)  # fmt: skip
def test_a_paper_that_a_movement_does_not_have_is_refused(yard, http, kind, form, field, remedy):
    first = received(yard, 5)
    if kind == "adjust":
        movement_id = yard.admin.record(yard.adjustment(first.entries[0].lot_id, -1)).id
    elif kind == "seal":
        line = {"item_code": yard.item, "quantity": 1, "lot_id": str(first.entries[0].lot_id)}
        movement_id = moved(yard, "seal", place_id=yard.store, reason="查", lines=[line]).id
    else:
        movement_id = first.id
    answer = http.post("/v1/papers", json={"id": str(uuid4()), "movement_id": str(movement_id), "form": form})
    assert answer.status_code == 422
    (error,) = answer.json()["errors"]
    assert error["field"] == field
    assert error["remedy"].startswith(remedy)
    assert f"of the kind {kind}" in answer.json()["detail_en"]
    assert ("可打印的单据为入库单" in answer.json()["detail"]) == (field == "form")


def test_who_prints(yard, sign_in):
    movement = received(yard, 1)
    body = {"id": str(uuid4()), "movement_id": str(movement.id)}
    assert sign_in(Role.AUDITOR).post("/v1/papers", json=body).status_code == 403
    assert sign_in(Role.CLERK, yard.store).post("/v1/papers", json=body).status_code == 201
    assert sign_in(Role.AUDITOR).get(f"/v1/papers/{body['id']}/page").status_code == 200
    assert sign_in(Role.ADMIN).get(f"/v1/papers/{uuid4()}/page").status_code == 404


def test_numbers_of_a_day_are_given_once(yard, http):
    """By several at a time, each paper another number, without gaps."""
    from concurrent.futures import ThreadPoolExecutor

    movements = [received(yard, 1).id for _ in range(8)]
    with ThreadPoolExecutor(4) as pool:
        numbers = sorted(int(p["number"][-4:]) for p in pool.map(lambda one: printed(http, one), movements))
    assert numbers == list(range(numbers[0], numbers[0] + 8))
    assert "<svg" in qr("chubei:paper:RK20261121-0001")
