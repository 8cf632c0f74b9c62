"""Lists go out as they came in: into an empty house they bring the same lists; no cell of them runs as a formula."""

import csv
import io
import json
from collections.abc import Iterable
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any
from uuid import uuid4
from zipfile import ZipFile

import pytest
from chubei_inventory.exchange import records
from chubei_inventory.exchange.lists import LISTS
from chubei_inventory.exchange.writing import harmless
from chubei_inventory.tables import Base
from chubei_shared.tokens import Role
from exchange_cases import Exchange, sheet_rows, text_file, workbook
from openpyxl import load_workbook

TOLD = ["已核实", "协议 2026-17"]
SPOKEN = "=cmd|' /C calc'!A0"
WHOLE_HOUSE: dict[str, list[list[Any]]] = {
    "items": [
        ["code", "name_zh", "name_en", "family", "unit_zh", "pack", "weight_g", "volume_cm3", "shelf_life_months",
         "reserve_modes", "managing_body", "dispatch_authority", "ref_price_cny", "returnable", "certainty", "source"],
        ["1020101", "饮用水", "Water", "relief", "瓶", 24, 550, 700, 12, "实物;协议;产能;资金", "局", "局", 2, "否",
         *TOLD],
        ["1010101", "帐篷", SPOKEN, "防汛物资", "顶", 1, 78000, 250000, None, "physical", "局", "-1+1", None, "是",
         *TOLD],
    ],
    "kits": [
        ["id", "name_zh", "name_en", "setting", "season", "item_code", "per_person", "tier", "group", "certainty"],
        ["indoor", "室内", "Indoors", "室内", "冬季", "1020101", "0.75", 1, None, "估计"],
        ["indoor", "室内", "Indoors", "室内", "冬季", "1010101", "0.25", 2, "infant", "估计"],
        ["any", "不限", "Any", "不限", "不限", "1020101", "3", 1, None, "估计"],
    ],
    "norms": [["item_code", "units_per_1000", "least_physical_pct", "certainty"], ["1020101", 750, 50, "估计"]],
    "places": [
        ["id", "kind", "name_zh", "name_en", "zone", "lon", "lat", "certainty", "source"],
        ["STORE-N", "区级库", "北库", "North", "north", "116.3613", "39.9402", *TOLD],
        ["SUP", "供应商", "甲公司,\n\"乙\" 分部", "\t=tab", None, None, None, *TOLD],
        ["MAKER", "生产厂家", "''=厂", "@maker", None, None, None, *TOLD],
    ],
    "bins": [
        ["place_id", "code", "aisle", "walk_order", "item_code", "closed"],
        ["STORE-N", "A-03-2", "A", 10, "1020101", "否"],
        ["STORE-N", "A-01-1", "A", 20, None, "是"],
        ["SUP", "A-03-2", None, 10, None, None],
    ],
    "agreements": [
        ["id", "place_id", "item_code", "party", "contacts", "quantity", "lead_min", "floor_stock", "price_rule",
         "unit_price_yuan", "valid_from", "valid_until", "last_verified_on", "certainty"],
        ["AGR", "SUP", "1020101", "甲", "张/010-888/值班; 李", 100, 60, 5, "最高限价", "28.05", "2026-01-01",
         "2030-01-01", None, "虚构"],
        ["AG2", "STORE-N", "1020101", "乙", '[{"name": "a/b;c", "phone": "+86 10", "post": ""}]', 9, 1, None, None,
         "0", "2026-01-01", "2030-01-01", "2026-03-01", "虚构"],
    ],
    "commitments": [
        ["id", "place_id", "item_code", "party", "quantity", "conversion_min", "ramp_min", "rate_per_hour",
         "unit_price_yuan", "valid_from", "valid_until", "certainty"],
        ["CAP", "MAKER", "1020101", "丙", 4000, 840, 120, 55, "1320", "2026-01-01", "2030-01-01", "虚构"],
    ],
    "funds": [["id", "name_zh", "name_en", "budget_yuan", "certainty"], ["F", "款", "Fund", "960,000.00", "虚构"]],
    "fund-purchases": [
        ["id", "place_id", "item_code", "party", "account_id", "budget_yuan", "approval_min", "delivery_min",
         "unit_price_yuan", "valid_from", "valid_until", "certainty"],
        ["F:W", "STORE-N", "1020101", "丁", "F", "1000", 240, 1440, "3.5", "2026-01-01", "2030-01-01", "虚构"],
    ],
    "declarations": [
        ["id", "sphere", "item_code", "quantity", "area", "party", "households", "declared_on", "valid_until",
         "withdrawn", "note", "certainty"],
        ["D1", "家庭储备", "1020101", 5200, "110102001", "街道", 2600, "2026-09-01", "2027-08-31", "否", "+1", "估计"],
    ],
    "return-rules": [["item_code", "within_months", "source"], ["1010101", 6, "甘肃办法"]],
    "stock": [
        ["place_id", "item_code", "quantity", "unit", "lot_no", "maker", "made_on", "expires_on", "owner", "state",
         "module_id"],
        ["STORE-N", "1020101", "20箱", None, "=A1", "甲厂", "2026-01-01", "2027-01-01", None, None, None],
        ["STORE-N", "1020101", 5, "瓶", "=A1", "甲厂", "2026-01-01", "2027-01-01", "捐赠", "封存", None],
        ["STORE-N", "1010101", 3, None, "T\x0b1", "乙厂", None, None, "上级调拨", "方舱", "FC-1"],
        ["STORE-N", "1010101", 2, None, "T2", "_x000B_", None, None, None, "送检", None],
    ],
}  # fmt: skip


def filled(new_house: Any, files_of: dict[str, bytes]) -> Exchange:
    house = new_house()
    for key in [*LISTS, "stock"]:
        assert house.load(key, files_of[key]).status_code == 201, key
    return house


def lists_of(house: Exchange, form: str = "csv", language: str = "zh") -> dict[str, bytes]:
    return {key: house.export(key, form, language) for key in [*LISTS, "stock"]}


@pytest.fixture
def house(new_house: Any) -> Exchange:
    return filled(new_house, {key: text_file(*rows) for key, rows in WHOLE_HOUSE.items()})


def test_what_goes_out_comes_in_again_as_it_was(house, new_house):
    first = lists_of(house)
    second = lists_of(filled(new_house, first))
    assert second == first
    in_excel = lists_of(house, "xlsx")
    third = filled(new_house, in_excel)
    assert lists_of(third) == first
    assert [sheet_rows(data) for data in lists_of(third, "xlsx").values()] == [
        sheet_rows(data) for data in in_excel.values()
    ]
    assert lists_of(filled(new_house, lists_of(house, "csv", "en"))) == first
    for path in ("items", "kits", "places", "reserves", "funds", "declarations"):
        assert third.http.get(f"/v1/{path}").json() == house.http.get(f"/v1/{path}").json()
    assert [house.rehearse(key, data)["same"] for key, data in first.items() if key != "stock"] == [
        2, 2, 1, 3, 3, 2, 1, 1, 1, 1, 1,
    ]  # fmt: skip


def cells_of(data: bytes) -> Iterable[str]:
    for row in csv.reader(io.StringIO(data.decode("utf-8-sig"), newline="")):
        yield from row


def test_no_cell_runs_as_a_formula(house):
    text = [cell for data in lists_of(house).values() for cell in cells_of(data)]
    assert f"'{SPOKEN}" in text
    assert "''=厂" in text
    risky = [cell for cell in text if cell[:1] in set("=+-@\t\r")]
    assert risky == []
    for data in lists_of(house, "xlsx").values():
        for sheet in load_workbook(io.BytesIO(data)).worksheets:
            assert {cell.data_type for row in sheet.iter_rows() for cell in row} <= {"s", "n"}
    assert harmless(-3) == -3


def test_everything_goes_out_at_once_with_a_manifest(house):
    before = datetime.now(UTC)
    answer = house.http.get("/v1/export")
    assert answer.headers["content-type"] == "application/zip"
    with ZipFile(io.BytesIO(answer.content)) as archive:
        manifest = json.loads(archive.read("manifest.json"))
        assert {one["file"] for one in manifest["files"]} | {"manifest.json"} == set(archive.namelist())
        for one in manifest["files"]:
            data = archive.read(one["file"])
            assert sha256(data).hexdigest() == one["sha256"]
            assert len(list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline="")))) == one["rows"] + 1
        entries = list(csv.DictReader(io.StringIO(archive.read("table-entry.csv").decode("utf-8-sig"))))
        balances = list(csv.DictReader(io.StringIO(archive.read("table-balance.csv").decode("utf-8-sig"))))
    assert before <= datetime.fromisoformat(manifest["as_of"]) <= datetime.now(UTC)
    assert sum(int(entry["quantity"]) for entry in entries) == 0
    assert sum(int(row["on_hand"]) for row in balances) == 0
    assert {row["place_id"] for row in balances} == {
        "STORE-N", "outside:received", "sealed:STORE-N", "testing:STORE-N", "module:FC-1@STORE-N",
    }  # fmt: skip


def test_every_table_goes_out(files):
    """But the outbox, which is a queue."""
    keys = [one["key"] for one in files.http.get("/v1/lists").json() if not one["importable"]]
    assert {records.table_of(key).name for key in keys} == set(Base.metadata.tables) - {"outbox"}
    for key in keys:
        assert files.export(key, "csv").startswith(b"\xef\xbb\xbf")
        assert sheet_rows(files.export(key, "xlsx"))[0] == records.columns(key)


def test_a_template_has_both_headers_and_says_what_each_column_takes(files):
    for key in [*LISTS, "stock"]:
        book = files.http.get(f"/v1/lists/{key}/template").content
        zh, en = sheet_rows(book)
        notes = load_workbook(io.BytesIO(book)).worksheets[1]
        assert [row[1].value for row in notes.iter_rows(min_row=2)] == en
        assert [header.rstrip("*") for header in zh] == [row[0].value for row in notes.iter_rows(min_row=2)]
        report = files.send(key, book).json()
        assert (report["rows"], report["faults"]) == (0, [])
    view = {one["key"]: one for one in files.http.get("/v1/lists").json()}
    assert view["items"]["columns"][3]["allowed_zh"].startswith("救灾物资 | ")
    assert not view["table-movement"]["importable"]


def test_an_unknown_list_is_not_found(files):
    for path in ("lists/nothing/export", "lists/nothing/template", "lists/table-movement/template"):
        assert files.http.get(f"/v1/{path}").status_code == 404, path
    assert files.send("table-movement", b"a").status_code == 404
    assert files.http.get(f"/v1/imports/{uuid4()}").status_code == 404


def test_a_file_has_a_name_and_a_length(files):
    answer = files.http.get("/v1/lists/items/export")
    assert answer.headers["content-disposition"] == "attachment; filename*=UTF-8''items.xlsx"
    assert int(answer.headers["content-length"]) == len(answer.content)


def test_imports_are_on_record(files, unknown):
    header = ["code", "name_zh", "name_en", "family", "unit_zh", "pack", "weight_g", "volume_cm3", "reserve_modes",
              "managing_body", "dispatch_authority", "certainty"]  # fmt: skip
    made = []
    for _ in range(3):
        row = [unknown(), "水", "Water", "relief", "瓶", 1, 1, 1, "physical", "局", "局", "虚构"]
        made.append(files.load("items", workbook(header, row)).json())
    page = files.http.get("/v1/imports", params={"list": "items", "limit": 2}).json()
    assert page["rows"] == made[:0:-1]
    rest = files.http.get(
        "/v1/imports", params={"list": "items", "limit": 1, "cursor": page["next_cursor"]}
    ).json()
    assert rest["rows"] == made[:1]


def test_who_may_take_everything_out(sign_in):
    assert Exchange(sign_in(Role.CLERK)).http.get("/v1/export").status_code == 403
    assert Exchange(sign_in(Role.AUDITOR)).http.get("/v1/export").status_code == 200
    assert Exchange(sign_in(Role.CLERK)).http.get("/v1/lists/items/export").status_code == 200
    assert Exchange(sign_in(Role.CLERK)).http.get("/v1/lists/table-audit/export").status_code == 403
