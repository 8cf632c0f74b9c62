"""Opening stock comes in as movements, once; packs become units in integers."""

import csv
import io
import re
from typing import Any
from uuid import UUID, uuid4

import pytest
from chubei_inventory.exchange.opening import COLUMNS
from chubei_shared.contracts.catalogue import PlaceKind
from chubei_shared.contracts.movements import ItemLine, Seal, ShortPick
from chubei_shared.contracts.stock import Reverse
from chubei_shared.tokens import Role
from exchange_cases import Exchange, text_file, workbook
from sqlalchemy import text

HEADER = [
    "地点编号", "物资编码", "数量", "单位", "批号", "生产者", "生产日期", "到期日期", "权属", "状态", "方舱编号",
    "盘点日期",
]  # fmt: skip


def row(yard: Any, quantity: Any, lot_no: str, **changes: Any) -> list[Any]:
    values = dict(
        zip(
            HEADER,
            [yard.store, yard.item, quantity, None, lot_no, "甲厂", "2026年1月1日", "2030/1/1"],
            strict=False,
        )
    )
    return [(values | changes).get(header) for header in HEADER]


def test_opening_stock_is_booked_by_movements_with_their_voucher(yard, files):
    rows = [
        row(yard, "20箱", "A"),
        row(yard, 7, "B", 单位="瓶", 权属="捐赠"),
        row(yard, "\uff11,000", "C", 单位="件", 状态="封存"),
        row(yard, 3, "D", 单位="箱", 状态="方舱", 方舱编号="FC-1"),
    ]
    answer = files.load("stock", workbook(HEADER, *rows))
    assert answer.status_code == 201, answer.text
    stock = yard.pages(yard.admin.stock, at_place_id=yard.store)
    assert {(r.lot_no, r.state, r.on_hand, r.owner) for r in stock} == {
        ("A", "shelf", 480, "district"), ("B", "shelf", 7, "donor"), ("C", "sealed", 1000, "district"),
        ("D", "module", 72, "district"),
    }  # fmt: skip
    booked = [yard.admin.movement(UUID(made)) for made in answer.json()["movement_ids"]]
    assert [movement.kind for movement in booked] == ["receive", "seal", "pack"]
    assert all(movement.voucher.startswith("期初") for movement in booked)
    assert yard.books_balance()


def test_stock_is_opened_once(yard, files):
    file = text_file(HEADER, row(yard, 10, "A"))
    made = files.load("stock", file).json()["movement_ids"]
    faults = files.rehearse("stock", file)["faults"]
    assert [(fault["row"], fault["problem"]) for fault in faults] == [(2, "该地点已有此物资的账")]
    assert yard.stock()[0] == 10
    yard.admin.record(Reverse(kind="reverse", id=uuid4(), occurred_at=yard.now(), reverses_id=UUID(made[0])))
    assert files.load("stock", file).status_code == 201
    assert yard.stock()[0] == 10


@pytest.mark.parametrize(
    ("quantity", "changes", "column"),
    [
        ("2.5", {"单位": "箱"}, "C"),
        ("0", {}, "C"),
        ("-3", {}, "C"),
        ("很多", {}, "C"),
        ("5托盘", {}, "C"),
        ("5", {"单位": "托盘"}, "D"),
        ("5箱", {"单位": "瓶"}, "C"),
        ("5", {"地点编号": "无此库"}, "A"),
        ("5", {"地点编号": "nowhere"}, "A"),
        ("5", {"状态": "待回收"}, "J"),
        ("5", {"状态": "待查"}, "J"),
        ("5", {"状态": "方舱"}, "K"),
        ("5", {"状态": "方舱", "方舱编号": "FC 1"}, "K"),
        ("5", {"状态": "方舱", "方舱编号": "F" * 81}, "K"),
        ("5", {"盘点日期": "1999-12-31"}, "L"),
        ("5", {"盘点日期": "2199-01-01"}, "L"),
        ("5", {"生产日期": "2031-01-01"}, None),
    ],
)
def test_what_is_wrong_is_named(yard, files, quantity, changes, column):
    report = files.rehearse(
        "stock", text_file(HEADER, row(yard, quantity, "A", **changes), row(yard, 1, "B"))
    )
    assert [(fault["row"], fault["column"]) for fault in report["faults"]] == [(2, column)]


def test_one_lot_with_two_dates_is_named_by_its_row(yard, files):
    rows = [row(yard, 1, f"L{n}") for n in range(5)] + [row(yard, 1, "L3", 到期日期="2031-01-01")]
    faults = files.rehearse("stock", workbook(HEADER, *rows))["faults"]
    assert [(fault["row"], fault["column"]) for fault in faults] == [(7, "E")]
    twice = files.rehearse("stock", workbook(HEADER, rows[0], rows[0]))["faults"]
    assert [(fault["row"], fault["column"]) for fault in twice] == [(3, "E")]


def test_a_clerk_opens_the_own_store_only(yard, sign_in):
    other = yard.place(PlaceKind.STORE)
    clerk = Exchange(sign_in(Role.CLERK, yard.store))
    file = workbook(HEADER, row(yard, 1, "A"), row(yard, 1, "B", 地点编号=other))
    faults = clerk.rehearse("stock", file)["faults"]
    assert [fault["row"] for fault in faults] == [3]
    assert other in faults[0]["problem"]
    assert clerk.load("stock", workbook(HEADER, row(yard, 1, "A"))).status_code == 201


def test_more_lines_than_a_movement_holds(yard, files):
    rows = [row(yard, 1, f"N{number}") for number in range(1201)]
    made = files.load("stock", text_file(HEADER, *rows)).json()
    assert (made["rows"], len(made["movement_ids"])) == (1201, 3)
    stock = yard.pages(yard.admin.stock, limit=500, place_id=yard.store)
    assert (len(stock), sum(r.on_hand for r in stock)) == (1201, 1201)


def test_stock_goes_out_whatever_state_it_is_in(yard, files, engine):
    lot_id = yard.receive(10)
    line = ItemLine(item_code=yard.item, lot_id=lot_id, quantity=2)
    at = {"occurred_at": yard.now(), "place_id": yard.store, "lines": [line]}
    yard.admin.record(ShortPick(kind="short_pick", id=uuid4(), **at))
    yard.admin.record(Seal(kind="seal", id=uuid4(), reason="受潮", **at))
    rows = csv.DictReader(io.StringIO(files.export("stock", "csv", "zh").decode("utf-8-sig")))
    mine = {row["状态"]: row["数量"] for row in rows if row["地点编号"] == yard.store}
    assert mine == {"在架": "6", "封存": "2", "待查": "2"}
    with engine.connect() as sql:
        allowed = sql.scalar(
            text("SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = 'place_state_check'")
        )
    states = set(re.findall(r"'([a-z]+)'", allowed)) - {"outside", "disputed"}
    assert states == set(COLUMNS[-3].kind.allowed.en.split(" | "))


def test_a_bad_amount_is_shown_as_it_was_written(yard, files):
    [fault] = files.rehearse("stock", text_file(HEADER, row(yard, "-3箱", "A")))["faults"]
    assert fault["value"] == "-3箱"
