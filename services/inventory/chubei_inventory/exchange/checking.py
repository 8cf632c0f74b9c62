"""What is sound of a table, and what is wrong with the rest: each fault at its cell, with the remedy."""

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from chubei_shared.contracts.movements import ReceiveLine
from chubei_shared.problems import validation_problem
from pydantic import ValidationError
from sqlalchemy import select
from sqlalchemy.orm import Session

from chubei_inventory import tables
from chubei_inventory.catalogue.tables import Entry
from chubei_inventory.exchange import opening
from chubei_inventory.exchange.cells import BadCell, Said, plain
from chubei_inventory.exchange.columns import Column, Line, Table
from chubei_inventory.exchange.list_types import List, Record
from chubei_inventory.exchange.lists import CATALOGUE


def records(spec: List, table: Table) -> Iterator[Record]:
    """The sound records of a table; what is wrong with the others goes to its faults."""
    seen: dict[str, int] = {}
    for key, lines in spec.group(table.lines):
        if key in seen:
            _twice(table, lines[0], spec.columns, spec.id_field, seen[key])
            continue
        seen[key] = lines[0].number
        for line, column in spec.clashes(lines):
            table.fault(
                line.number, column, value_of(line, column),
                Said(f"与第 {lines[0].number} 行不同", f"it differs from row {lines[0].number}"),
                Said("同一编号各行填写一致", "write the same on all rows of one id"),
            )  # fmt: skip
        try:
            content = spec.model.model_validate(spec.body(lines))
        except ValidationError as error:
            _invalid(table, lines, error.errors())
        else:
            yield Record(lines, key, content)


def _twice(table: Table, line: Line, columns: Iterable[Column], member: str, first: int) -> None:
    key = next(column.key for column in columns if column.member == member)
    table.fault(
        line.number, key, value_of(line, key), Said(f"与第 {first} 行重复", f"it stands on row {first} already"),
        Said("并为一行,或改编号", "put it on one row, or give another id"),
    )  # fmt: skip


def value_of(line: Line, key: str) -> str | None:
    """A cell as it was written."""
    raw = line.typed.get(key)
    return raw if raw is None or isinstance(raw, str) else plain(raw)


def _invalid(table: Table, lines: Sequence[Line], errors: Sequence[Any]) -> None:
    """What the contract says against a record, each at its cell."""
    told = validation_problem([{**error, "loc": ("body", *error["loc"])} for error in errors]).more["errors"]
    for error, row in zip(errors, told, strict=True):
        loc = error["loc"]
        indexed = len(loc) > 1 and isinstance(loc[1], int) and loc[0] == "needs"
        line = lines[loc[1]] if indexed else lines[0]
        names = {str(part) for part in loc}
        column = next((column for column in table.columns if column.member in names), None)
        problem, remedy = (Said(*(f"{row[part]}".split(" / ", 1) * 2)[:2]) for part in ("problem", "remedy"))
        key = column.key if column else None
        if remedy.zh.startswith("按接口文档"):
            remedy = (
                Said("按“说明”改正", "correct it as the notes say") if column is None else column.kind.allowed
            )
        table.fault(line.number, key, value_of(line, key or ""), problem, remedy)


def check_references(session: Session, list_key: str, table: Table) -> None:
    """Find items and places that are named and are not there. Lines that name them are taken out."""
    missing: set[int] = set()
    for column in table.columns:
        if not column.refers_to:
            continue
        named = {line.values[column.key] for line in table.lines if column.key in line.values}
        unknown = named - _registered(session, column.refers_to, list_key, named)
        for line in table.lines:
            if line.values.get(column.key) in unknown:
                missing.add(line.number)
                table.fault(
                    line.number, column.key, value_of(line, column.key), Said("未登记", "it is not registered"),
                    Said(f"核对编号,或先导入 {column.refers_to}", f"check it, or import {column.refers_to} first"),
                )  # fmt: skip
    table.lines = [line for line in table.lines if line.number not in missing]


def _registered(session: Session, what: str, list_key: str, named: set[str]) -> set[str]:
    if what == "places":
        own = ("transit", "outside", "state")
        place = select(tables.Place.id).where(tables.Place.id.in_(named), tables.Place.kind.not_in(own))
        return set(session.scalars(place))
    if list_key in CATALOGUE:  # a kit names what is in force; the books, what ever was
        entry = select(Entry.key).where(Entry.kind == "item", Entry.until.is_(None), Entry.key.in_(named))
        return set(session.scalars(entry))
    return set(session.scalars(select(tables.Item.code).where(tables.Item.code.in_(named))))


def opening_rows(session: Session, table: Table) -> list[tuple[Line, opening.Goods]]:
    """The sound lines of opening stock, and what each brings in."""
    known = opening.items(session, {line.values["item_code"] for line in table.lines})
    rows: list[tuple[Line, opening.Goods]] = []
    seen: dict[tuple[Any, ...], int] = {}
    for line in table.lines:
        goods = _goods(table, line, known)
        if goods is None:
            continue
        stack = (
            goods.place_id,
            goods.state,
            goods.module_id,
            json.dumps(goods.line["lot"], default=str),
            goods.line["item_code"],
        )
        if stack in seen:
            _twice(table, line, opening.COLUMNS, "lot_no", seen[stack])
            continue
        seen[stack] = line.number
        rows.append((line, goods))
    opened = opening.opened(session, sorted({(g.place_id, g.line["item_code"]) for _, g in rows}))
    for line, goods in rows:
        if (goods.place_id, goods.line["item_code"]) in opened:
            table.fault(
                line.number, "item_code", value_of(line, "item_code"),
                Said("该地点已有此物资的账", "the place has this item in its books already"),
                Said("差异用盘点调整;期初有误先冲正", "adjust by a count; if the opening is wrong, reverse it first"),
            )  # fmt: skip
    return rows


def _goods(table: Table, line: Line, known: dict[str, tuple[str, int]]) -> opening.Goods | None:
    """A line of opening stock, or None and its faults."""
    if wrong := opening.refuse_state(line):
        table.fault(line.number, wrong.key, value_of(line, wrong.key or ""), wrong.problem, wrong.remedy)
        return None
    try:
        goods = opening.goods(line, *known[line.values["item_code"]])
        ReceiveLine.model_validate(goods.line)
    except BadCell as bad:
        key = "quantity" if line.values["quantity"].unit else "unit"
        table.fault(line.number, key, value_of(line, key), bad.problem, bad.remedy)
        return None
    except ValidationError as error:
        _invalid(table, [line], error.errors())
        return None
    return goods
