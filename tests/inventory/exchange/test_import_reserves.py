"""Agreements and funds come in all at once: what one row does to the next is seen, and messages show what was typed."""

from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import pytest
from chubei_inventory.exchange import importing
from chubei_shared.contracts.catalogue import PlaceKind
from chubei_shared.db import Transactions
from chubei_shared.tokens import Caller, Role
from exchange_cases import text_file, workbook
from sqlalchemy import Engine, event

AGREEMENT = ["id", "place_id", "item_code", "party", "contacts", "quantity", "lead_min", "unit_price_yuan",
             "valid_from", "valid_until", "certainty"]  # fmt: skip
PURCHASE = ["id", "place_id", "item_code", "party", "account_id", "budget_yuan", "approval_min", "delivery_min",
            "unit_price_yuan", "valid_from", "valid_until", "certainty"]  # fmt: skip
PEOPLE = "张三/010-88880000/值班; 李四"


def agreement(yard: Any, **changes: Any) -> list[Any]:
    row = [f"AG-{uuid4().hex[:8]}", yard.store, yard.item, "甲公司", PEOPLE, 100, 60, "12.5", "2026-01-01",
           "2027-12-31", "虚构"]  # fmt: skip
    return [changes.get(column, value) for column, value in zip(AGREEMENT, row, strict=True)]


def purchase(yard: Any, account: str, **changes: Any) -> list[Any]:
    row = [f"FP-{uuid4().hex[:8]}", yard.store, yard.item, "甲公司", account, "1,000.00", 60, 60, "10", "2026-01-01",
           "2027-12-31", "虚构"]  # fmt: skip
    return [changes.get(column, value) for column, value in zip(PURCHASE, row, strict=True)]


@pytest.fixture
def statements(yard: Any, engine: Engine) -> Iterator[Callable[..., int]]:
    """`statements(list, rows)`: how many a dry run sends."""
    sent: list[str] = []

    def watch(connection: Any, cursor: Any, statement: str, *_: Any) -> None:
        sent.append(statement)

    event.listen(engine, "before_cursor_execute", watch)

    def count(key: str, *rows: list[Any]) -> int:
        file = importing.open_file(key, text_file(*rows))
        sent.clear()
        with pytest.raises(importing.Rehearsed) as done:
            Transactions(engine)(importing.run, file, importing.Asked(), Caller("x", frozenset({Role.ADMIN})))
        assert (done.value.report.new, done.value.report.faults) == (len(rows) - 1, [])
        return len(sent)

    yield count
    event.remove(engine, "before_cursor_execute", watch)


def test_a_hundred_agreements_cost_the_statements_of_one(yard, statements):
    of = [
        agreement(yard, item_code=yard.new_item(), place_id=yard.place(PlaceKind.SUPPLIER))
        for _ in range(100)
    ]
    assert statements("agreements", AGREEMENT, *of) == statements("agreements", AGREEMENT, of[0])


def test_agreements_of_one_file_do_not_cover_one_time_twice(yard, files):
    first, later, same = (
        agreement(yard),
        agreement(yard, valid_from="2028-01-01", valid_until="2028-12-31"),
        None,
    )
    same = agreement(yard, valid_from="2027-06-01")
    rows = sorted((first, later, same), key=lambda row: row[0])
    [fault] = files.rehearse("agreements", text_file(AGREEMENT, *rows))["faults"]
    twice = sorted((first[0], same[0]))
    assert fault["row"] == 2 + [row[0] for row in rows].index(twice[1])
    assert twice[0] in fault["problem"]
    assert files.load("agreements", text_file(AGREEMENT, first, later)).status_code == 201


def test_what_is_changed_and_what_is_new_go_in_together(yard, files):
    first, other = agreement(yard), agreement(yard, item_code=yard.new_item())
    files.load("agreements", text_file(AGREEMENT, first))
    first[3], first[5], first[7] = "乙公司", 50, "13.25"
    seen = files.rehearse("agreements", text_file(AGREEMENT, first, other))
    [change] = seen["changes"]
    assert (change["key"], sorted(change["fields"])) == (first[0], ["party", "quantity", "unit_price_yuan"])
    assert files.load("agreements", text_file(AGREEMENT, first, other)).status_code == 201
    views = [yard.admin.reserve(key) for key in (first[0], other[0])]
    assert [(v.reserve.party, v.quantity, v.reserve.unit_price_fen) for v in views] == [
        ("乙公司", 50, 1325), ("甲公司", 100, 1250),
    ]  # fmt: skip
    same = files.rehearse("agreements", text_file(AGREEMENT, first, other))
    assert (same["same"], same["changed"], same["new"]) == (2, 0, 0)


def test_the_parts_of_a_fund_in_one_file_do_not_exceed_it(yard, files):
    account = f"FD-{uuid4().hex[:8]}"
    fund = [
        ["id", "name_zh", "name_en", "budget_yuan", "certainty"],
        [account, "专款", "Fund", "1500", "虚构"],
    ]
    files.load("funds", text_file(*fund))
    rows = sorted(purchase(yard, account, item_code=yard.new_item()) for _ in range(2))
    [fault] = files.rehearse("fund-purchases", text_file(PURCHASE, *rows))["faults"]
    assert (fault["row"], fault["header"], fault["value"]) == (3, "预算(元) budget_yuan", "1,000.00")
    assert "500.00 元" in fault["problem"]
    assert "50000" not in fault["problem"] + fault["problem_en"]
    rows[1][5] = "500"
    assert files.load("fund-purchases", text_file(PURCHASE, *rows)).status_code == 201
    rows[0][5], rows[1][5] = "500.00", "1000"  # of what one gives up, the other has
    assert files.load("fund-purchases", text_file(PURCHASE, *rows)).status_code == 201
    fund[1][3] = "1200"
    [fault] = files.rehearse("funds", text_file(*fund))["faults"]
    assert "1,500.00 元" in fault["problem"]
    assert "1,200.00 is too few" in fault["problem_en"]


def test_a_fault_shows_what_was_typed(yard, files):
    dear = agreement(yard, unit_price_yuan="¥-3.50", contacts="/010-1; 李四")
    faults = files.rehearse("agreements", workbook(AGREEMENT, dear))["faults"]
    assert {(fault["column"], fault["value"]) for fault in faults} == {("E", "/010-1; 李四"), ("H", "¥-3.50")}
    number = agreement(yard, unit_price_yuan=-12.5)
    [fault] = files.rehearse("agreements", workbook(AGREEMENT, number))["faults"]
    assert (fault["column"], fault["value"]) == ("H", "-12.5")


def test_the_table_of_reserves_goes_out_with_contacts_as_people_write_them(yard, files):
    row = agreement(yard)
    files.load("agreements", text_file(AGREEMENT, row))
    (line,) = [one for one in files.export("table-reserve").decode("utf-8-sig").splitlines() if row[0] in one]
    assert PEOPLE in line
    assert "{" not in line.split(PEOPLE)[0]
