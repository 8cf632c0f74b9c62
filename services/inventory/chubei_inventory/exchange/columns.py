"""The columns of a list, and a file's rows read as its lines: every bad cell is found, none stops the reading. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any, Final

from chubei_shared.contracts.exchange import CellFault
from openpyxl.utils import get_column_letter

from chubei_inventory.exchange.cells import NOTE, BadCell, Kind, Raw, Said, is_empty, plain, shown
from chubei_inventory.exchange.reading import Row

PROBLEMS: Final = "问题 problems"
"""The header of the last column of a marked copy; not read when that is sent again."""


@dataclass(frozen=True)
class Column:
    key: str
    """Its header in English files."""
    zh: str
    kind: Kind
    required: bool = False
    refers_to: str = ""
    """The list that the value must stand in: items or places."""
    of: str = ""
    """The contract's member, where it has another name than the column."""

    @property
    def member(self) -> str:
        return self.of or self.key

    @property
    def headers(self) -> tuple[str, str]:
        return self.zh, self.key


@dataclass(frozen=True)
class Line:
    """One row: `values` by key, without empty cells."""

    number: int
    values: dict[str, Any]
    typed: dict[str, Raw]
    """The same cells as they were written, for messages."""


@dataclass
class Table:
    """A file read as a list: what is sound of it, and every fault."""

    columns: Sequence[Column]
    places: dict[str, int] = field(default_factory=dict)
    """Key → position of its column in the file, from 0."""
    rows: list[Row] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    """Of rows whose cells are all sound."""
    faults: list[CellFault] = field(default_factory=list)

    def fault(self, row: int | None, key: str | None, value: Raw, problem: Said, remedy: Said) -> None:
        """`key` None, or that of no column of the file: the whole row."""
        position = self.places.get(key or "")
        column = next((column for column in self.columns if column.key == key), None)
        self.faults.append(
            CellFault(
                row=row,
                column=None if position is None else get_column_letter(position + 1),
                header=column and f"{column.zh} {column.key}",
                value=shown(value),
                problem=problem.zh,
                problem_en=problem.en,
                remedy=remedy.zh,
                remedy_en=remedy.en,
            )
        )


def read_table(rows: Sequence[Row], columns: Sequence[Column]) -> Table:
    """The rows of a file as lines of a list; its first row, or first two, are headers in either language."""
    by_header = {_norm(header): column for column in columns for header in column.headers}
    table = Table(columns)
    _place(table, rows[0], by_header)
    second = [_norm(cell) for cell in rows[1].cells if not is_empty(cell)] if len(rows) > 1 else []
    table.rows = list(rows[2 if second and all(cell in by_header for cell in second) else 1 :])
    for row in table.rows:
        if (line := _line(table, row)) is not None:
            table.lines.append(line)
    return table


def _norm(header: Raw) -> str:
    """A header without what people add to it: spaces, stars, units in brackets."""
    return plain(str(header)[:100]).partition("(")[0].replace("*", "").replace(" ", "").casefold()


def _place(table: Table, header: Row, by_header: dict[str, Column]) -> None:
    """Find where each column stands. A header of both languages, one beside the other, is known too."""
    both = {_norm(f"{column.zh}{column.key}"): column for column in table.columns}
    known = {**by_header, **both}
    for position, cell in enumerate(header.cells):
        if is_empty(cell) or _norm(cell) == _norm(PROBLEMS):
            continue
        column = known.get(_norm(cell))
        if column is None:
            near = get_close_matches(_norm(cell), list(by_header), n=1)
            meant = by_header[near[0]] if near else None
            zh, en = meant.headers if meant else ("模板中的列名", "a header of the template")
            table.fault(
                header.number, None, cell, Said("没有这一列", "there is no such column"),
                Said(f"改为“{zh}”,或删去此列", f"make it {en}, or delete the column"),
            )  # fmt: skip
            _at(table, position)
        elif column.key in table.places:
            table.fault(
                header.number, column.key, cell, Said("此列出现两次", "the column stands twice"),
                Said("删去一列", "delete one of them"),
            )  # fmt: skip
            _at(table, position)
        else:
            table.places[column.key] = position
    for column in table.columns:
        if column.required and column.key not in table.places:
            table.fault(
                header.number, column.key, None, Said("缺少此列", "the column is missing"),
                Said(f"补上“{column.zh}”一列", f"add the column {column.key}"),
            )  # fmt: skip


def _at(table: Table, position: int) -> None:
    """The last fault is in this column of the file."""
    table.faults[-1] = table.faults[-1].model_copy(update={"column": get_column_letter(position + 1)})


def _line(table: Table, row: Row) -> Line | None:
    """The values of a row; None where one of its cells is wrong."""
    values: dict[str, Any] = {}
    typed: dict[str, Raw] = {}
    sound = True
    for column in table.columns:
        position = table.places.get(column.key)
        if position is None or column.kind is NOTE:
            continue
        raw = row.cells[position] if position < len(row.cells) else None
        if is_empty(raw):
            if column.required:
                sound = False
                table.fault(
                    row.number, column.key, None, Said("不能为空", "it is empty"),
                    Said(f"请填:{column.kind.allowed.zh}", f"write {column.kind.allowed.en}"),
                )  # fmt: skip
            continue
        try:
            values[column.key], typed[column.key] = column.kind.read(raw), raw
        except BadCell as bad:
            sound = False
            table.fault(row.number, column.key, raw, bad.problem, bad.remedy)
    complete = all(not column.required or column.key in table.places for column in table.columns)
    return Line(row.number, values, typed) if sound and complete else None
