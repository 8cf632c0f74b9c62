"""Lists come in as files: every bad cell is named, all or nothing is written, and the same file counts once."""

import io
from datetime import date, datetime, time
from uuid import uuid4

import pytest
from chubei_shared.tokens import Role
from exchange_cases import ITEM_HEADER, Exchange, item_row, sheet_rows, text_file, workbook
from openpyxl import load_workbook

PEOPLE = "张三/010-88880000/值班; 李四"


def test_items_come_in_by_excel_and_by_csv(yard, files, unknown):
    first, second = unknown(), unknown()
    answer = files.load("items", workbook(ITEM_HEADER, item_row(first)))
    assert answer.status_code == 201, answer.text
    assert (answer.json()["new"], answer.json()["rows"]) == (1, 1)
    files.load("items", text_file(ITEM_HEADER, item_row(second), encoding="gb18030", delimiter="\t"))
    found = {item.code: item for item in yard.pages(yard.admin.items, limit=200)}
    assert found[first].reserve_modes == ["physical", "contract"]
    assert found[first] == found[second].model_copy(update={"code": first})


def test_every_bad_cell_is_named_at_once_with_its_remedy(files, unknown):
    rows = [
        item_row(unknown(), 每箱件数="很多", 物资类别="食品"),
        item_row("12", 中文名称=None),
        item_row(unknown(), 每箱件数=0),
        item_row(unknown(), **{"单件重量(克)": date(2026, 3, 5)}),
    ]
    report = files.rehearse("items", workbook(ITEM_HEADER, *rows))
    named = {(fault["row"], fault["column"]) for fault in report["faults"]}
    assert named == {(2, "F"), (2, "D"), (3, "B"), (4, "F"), (5, "G")}
    assert all(fault["remedy"] and fault["remedy_en"] and fault["problem_en"] for fault in report["faults"])
    family = next(fault for fault in report["faults"] if fault["column"] == "D")
    assert "救灾物资" in family["remedy"]
    assert family["value"] == "食品"


def test_with_one_bad_cell_nothing_is_written(yard, files, unknown):
    good = unknown()
    file = workbook(ITEM_HEADER, item_row(good), item_row("12"))
    sha256 = files.rehearse("items", file)["file_sha256"]
    answer = files.send("items", file, dry_run=False, id=str(uuid4()), file_sha256=sha256)
    assert answer.status_code == 422
    problem = answer.json()
    assert problem["fault_count"] == 1
    assert problem["errors"][0]["field"] == "A3"
    assert good not in {item.code for item in yard.pages(yard.admin.items, limit=200)}


def test_a_dry_run_writes_nothing(yard, files, unknown):
    code = unknown()
    version = yard.admin.catalogue_versions(limit=1).rows[0].number
    assert files.rehearse("items", workbook(ITEM_HEADER, item_row(code)))["new"] == 1
    assert yard.admin.catalogue_versions(limit=1).rows[0].number == version
    assert code not in {item.code for item in yard.pages(yard.admin.items, limit=200)}


def test_the_same_import_again_is_the_same_answer(files, unknown):
    file, import_id = workbook(ITEM_HEADER, item_row(unknown())), uuid4()
    first = files.load("items", file, import_id)
    asked = {"dry_run": False, "id": str(import_id)}
    again = files.send("items", file, file_sha256=first.json()["file_sha256"], **asked)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json() == files.http.get(f"/v1/imports/{import_id}").json()
    other = workbook(ITEM_HEADER, item_row(unknown()))
    sha256 = files.rehearse("items", other)["file_sha256"]
    assert files.send("items", other, file_sha256=sha256, **asked).status_code == 409


def test_a_real_run_is_of_the_file_that_was_looked_at(files, unknown):
    seen = files.rehearse("items", workbook(ITEM_HEADER, item_row(unknown())))
    other = workbook(ITEM_HEADER, item_row(unknown()))
    asked = {"dry_run": False, "id": str(uuid4()), "file_sha256": seen["file_sha256"]}
    answer = files.send("items", other, **asked)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "file_sha256"
    assert files.send("items", other, dry_run=False).json()["errors"][0]["field"] == "id"


def test_what_is_there_is_changed_only_as_it_was_seen(yard, files, unknown):
    code = unknown()
    files.load("items", workbook(ITEM_HEADER, item_row(code)))
    file = workbook(ITEM_HEADER, item_row(code, 每箱件数=12))
    seen = files.rehearse("items", file)
    assert seen["changes"] == [{"row": 2, "key": code, "fields": ["pack"]}]
    asked = {"dry_run": False, "id": str(uuid4()), "file_sha256": seen["file_sha256"]}
    assert files.send("items", file, **asked).status_code == 428
    item = next(i for i in yard.pages(yard.admin.items, limit=200) if i.code == code)
    yard.admin.put_item(item.model_copy(update={"weight_g": 9}), "*")
    assert files.send("items", file, seen["etag"], **asked).status_code == 412
    seen = files.rehearse("items", file)
    assert seen["changes"][0]["fields"] == ["pack", "weight_g"]
    assert files.send("items", file, seen["etag"], **asked).status_code == 201


def test_both_headers_any_order_unknown_and_missing_columns(files, unknown):
    english = ["name_en", "code", "name_zh", "family", "unit_zh", "pack", "weight_g", "volume_cm3",
               "reserve_modes", "managing_body", "dispatch_authority", "certainty"]  # fmt: skip
    row = [
        "Quilt",
        unknown(),
        "棉被",
        "relief",
        "床",
        "10",
        "3,500",
        "30 000",
        "physical",
        "局",
        "局",
        "estimated",
    ]
    assert files.rehearse("items", text_file(english, row, delimiter=";"))["faults"] == []
    assert files.rehearse("items", text_file(ITEM_HEADER, english, item_row(unknown())))["rows"] == 1
    wrong = files.rehearse("items", text_file(["中文名", *english[1:]], row))["faults"]
    assert [(fault["row"], fault["column"]) for fault in wrong] == [(1, None), (1, "A")]
    assert "name_en" in {fault["header"].split()[-1] for fault in wrong if fault["header"]}
    assert "中文名称" in wrong[1]["remedy"]


def test_the_marked_copy_says_what_is_wrong_where_it_is_and_can_be_sent_again(files, unknown):
    file = workbook(ITEM_HEADER, item_row(unknown(), 每箱件数="=1+1"), item_row(unknown()))
    marked = files.mark("items", file)
    sheet = load_workbook(io.BytesIO(marked)).worksheets[0]
    bad, good = sheet["F2"], sheet["F3"]
    assert bad.fill.fgColor.rgb == "FFFFC7CE"
    assert "公式" in bad.comment.text
    assert "formula" in bad.comment.text
    assert (bad.data_type, good.comment) == ("s", None)
    rows = sheet_rows(marked)
    rows[1][5] = 10
    assert files.rehearse("items", workbook(*rows))["faults"] == []


@pytest.mark.parametrize(
    "written",
    ["2026-11-21", "2026/11/21", "2026.11.21", "20261121", "2026年11月21日", "２０２６/11/21",
     "2026-11-21 00:00:00", 46347,
     "46347",     date(2026, 11, 21), datetime.combine(date(2026, 11, 21), time())],
)  # fmt: skip
def test_a_day_is_read_however_it_is_written(yard, files, written):
    header = [
        "编号",
        "储备主体",
        "物资编码",
        "数量",
        "所在区域编号",
        "单位名称",
        "申报日期",
        "有效期止",
        "数据可靠性",
    ]
    key = f"D-{uuid4().hex[:8]}"
    row = [key, "社会储备", yard.item, "1,200", "110102001", "某超市", written, "2030-01-01", "虚构"]
    make = workbook if not isinstance(written, str) else text_file
    assert files.load("declarations", make(header, row)).status_code == 201
    found = files.http.get(f"/v1/declarations/{key}").json()
    assert (found["declared_on"], found["quantity"]) == ("2026-11-21", 1200)


@pytest.mark.parametrize("written", ["11/21/2026", "21.11.26", "2026-13-01", "2026-02-30", "昨天"])
def test_a_day_that_can_not_be_told_is_refused(yard, files, written):
    header = [
        "编号",
        "储备主体",
        "物资编码",
        "数量",
        "所在区域编号",
        "单位名称",
        "申报日期",
        "有效期止",
        "数据可靠性",
    ]
    row = ["D", "社会储备", yard.item, "1", "110102001", "某超市", written, "2030-01-01", "虚构"]
    faults = files.rehearse("declarations", text_file(header, row))["faults"]
    assert [fault["column"] for fault in faults] == ["G"]
    assert "2026-11-21" in faults[0]["remedy"]


def test_kits_stand_on_several_rows(yard, files, unknown):
    header = [
        "编号",
        "中文名称",
        "英文名称",
        "安置方式",
        "物资编码",
        "每人数量",
        "层级",
        "人群",
        "数据可靠性",
    ]
    key, other = f"kit-{uuid4().hex[:8]}", yard.new_item()
    rows = [
        [key, "室内", "indoors", "室内", yard.item, "0.25", 1, None, "虚构"],
        [key, "室内", "indoors", "室内", other, 2, 2, "infant", "虚构"],
    ]
    assert files.load("kits", workbook(header, *rows)).status_code == 201
    kit = next(kit for kit in yard.pages(yard.admin.kits, limit=200) if kit.id == key)
    assert [(need.item_code, str(need.per_person), need.group) for need in kit.needs] == [
        (yard.item, "0.25", None), (other, "2", "infant"),
    ]  # fmt: skip
    rows[1][1], rows[1][5] = "室外", -1
    faults = files.rehearse("kits", workbook(header, *rows))["faults"]
    assert [(fault["row"], fault["column"]) for fault in faults] == [(3, "B"), (3, "F")]
    rows[1] = [key, "室内", "indoors", "室内", unknown(), 2, 2, None, "虚构"]
    faults = files.rehearse("kits", workbook(header, *rows))["faults"]
    assert [(fault["row"], fault["column"], fault["problem"]) for fault in faults] == [(3, "E", "未登记")]


def test_a_refusal_by_the_verb_names_the_row(yard, files):
    header = ["编号", "地点编号", "物资编码", "单位名称", "数量", "调用准备时间(分钟)", "单价(元)", "有效期起",
              "有效期止", "数据可靠性", "联系人"]  # fmt: skip
    keys = [f"AGR-{uuid4().hex[:8]}" for _ in range(2)]
    rows = [
        [key, yard.store, yard.item, "甲公司", 100, 60, "28.50", "2026-01-01", "2030-01-01", "虚构", PEOPLE]
        for key in keys
    ]  # fmt: skip
    assert files.load("agreements", workbook(header, rows[0])).status_code == 201
    found = yard.admin.reserve(keys[0]).reserve
    assert found.unit_price_fen == 2850
    assert [(c.name, c.phone, c.post) for c in found.contacts] == [
        ("张三", "010-88880000", "值班"),
        ("李四", None, ""),
    ]
    faults = files.rehearse("agreements", workbook(header, *rows))["faults"]
    assert [(fault["row"], keys[0] in fault["problem"]) for fault in faults] == [(3, True)]
    header[10], rows[1][10] = "最近核验日期", "2199-01-01"
    rows[1][2] = yard.new_item()
    [fault] = files.rehearse("agreements", workbook(header, rows[1]))["faults"]
    assert (fault["column"], fault["remedy"]) == ("K", "填实际核实的日期")
    assert fault["remedy_en"].startswith("give the day")


def test_who_may_import_what(sign_in, yard, unknown):
    items = workbook(ITEM_HEADER, item_row(unknown()))
    for role, status in ((Role.COMMANDER, 200), (Role.CLERK, 403), (Role.AUDITOR, 403)):
        assert Exchange(sign_in(role, yard.store)).send("items", items).status_code == status
    assert Exchange(sign_in(Role.COMMANDER)).send("stock", items).status_code == 403
