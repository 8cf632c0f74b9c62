"""Read a CSV table that a person edits in a spreadsheet, and find every fault in it.

A fault names the file, the row as the spreadsheet numbers it (the header is row 1), the column, what is
wrong and the remedy. Nothing stops at the first fault.
"""

import csv
import io
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from functools import cache
from pathlib import Path
from typing import Any, get_type_hints

import yaml

from chubei_cli.cells import BadCell, Cell, Text, refuse_formula


@dataclass(frozen=True)
class Fault:
    """One thing wrong in a district folder. `row` None: the whole file; `column` None: the whole row."""

    file: str
    row: int | None
    column: str | None
    problem: Text
    remedy: Text

    def __str__(self) -> str:
        place = ":".join(str(part) for part in (self.file, self.row, self.column) if part is not None)
        return f"{place}: {self.problem} → {self.remedy}"


@dataclass(frozen=True)
class Row:
    """A row as written (`cells`), what of it is sound (`values`, both by column), and `value`: the row as its
    row type, None if a cell is faulty or missing."""

    number: int
    cells: dict[str, str]
    values: dict[str, Any]
    value: Any


@dataclass
class Sheet:
    """What was read of one file. `readable` is False when there was nothing to read the rows from."""

    file: str
    rows: list[Row] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    readable: bool = True

    def fault(self, row: int | None, column: str | None, problem: Text, remedy: Text) -> None:
        self.faults.append(Fault(self.file, row, column, problem, remedy))


@cache
def cells_of(row_type: type) -> dict[str, Cell]:
    """The columns of a row type: name → the parser that its field is annotated with."""
    hints = get_type_hints(row_type, include_extras=True)
    return {f.name: hints[f.name].__metadata__[0] for f in fields(row_type)}


def read_sheet(folder: Path, file: str, row_type: type) -> Sheet:
    """Read `file` as rows of `row_type` (a dataclass whose fields are annotated with cell parsers)."""
    sheet = Sheet(file)
    records = _records(folder / file, sheet)
    if not records or not _header_fits(sheet, records[0], row_type):
        sheet.readable = False
        return sheet
    header = [name.strip() for name in records[0]]
    for number, record in enumerate(records[1:], start=2):
        if any(cell.strip() for cell in record):
            _read_row(sheet, number, header, record, row_type)
    return sheet


def read_settings(folder: Path, file: str, settings_type: type) -> Sheet:
    """Read a YAML file of settings as one row; nested keys are joined by `_`, rows are the file's lines."""
    sheet = Sheet(file)
    source = _text(folder / file, sheet)
    if source is None:
        sheet.readable = False
        return sheet
    try:
        root = yaml.compose(source, Loader=yaml.SafeLoader)
    except (yaml.YAMLError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        sheet.fault(
            mark.line + 1 if mark else None,
            None,
            Text(f"不是合格的 YAML:{_reason(error)}。", f"This is not YAML: {_reason(error)}."),
            Text("检查缩进、冒号和引号。", "Look at the indentation, colons and quotes."),
        )
        return sheet
    written = dict(_scalars(sheet, root))
    columns = cells_of(settings_type)
    for name in columns.keys() - written.keys():
        sheet.fault(None, name, *_missing(Text("键", "key")))
    for name, (line, _) in written.items():
        if name not in columns:
            sheet.fault(line, name, *_unknown(Text("键", "key"), name, columns))
    values: dict[str, Any] = {}
    for name in columns.keys() & written.keys():
        line, raw = written[name]
        _parse(sheet, line, name, raw.strip(), columns[name], values)
    complete = settings_type(**values) if values.keys() == columns.keys() else None
    sheet.rows.append(Row(1, {name: raw for name, (_, raw) in written.items()}, values, complete))
    return sheet


def _reason(error: Exception) -> str:
    return str(getattr(error, "problem", None) or getattr(error, "reason", None) or "too deep")


def _text(path: Path, sheet: Sheet) -> str | None:
    """The file's text, or None and the fault that says why not."""
    try:
        data = path.read_bytes()
    except OSError as error:
        why = "没有这个文件" if isinstance(error, FileNotFoundError) else "打不开"
        sheet.fault(
            None,
            None,
            Text(f"{why}。", f"It cannot be read: {error.strerror}."),
            Text("按 README 补上该文件。", "Put the file there; the README lists its columns."),
        )
        return None
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        sheet.fault(
            None,
            None,
            Text(f"不是 UTF-8 编码({_encoding(data).zh})。", f"It is not UTF-8 ({_encoding(data).en})."),
            Text("请存为 UTF-8;Excel 中选“CSV UTF-8”。", "Save it as UTF-8; in Excel as “CSV UTF-8”."),
        )
        return None


def _encoding(data: bytes) -> Text:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return Text("像是 UTF-16", "it looks like UTF-16")
    try:
        data.decode("gb18030")
    except UnicodeDecodeError:
        return Text("无法识别", "its encoding is not known")
    return Text("像是 Excel 存成的 GBK", "it looks like GBK, as Excel saves it")


def _records(path: Path, sheet: Sheet) -> list[list[str]]:
    """The file's records, empty ones included so that row numbers stay the spreadsheet's."""
    source = _text(path, sheet)
    if source is None:
        return []
    first = source.partition("\n")[0]
    for mark, zh, en in ((";", "分号", "semicolons"), ("\t", "制表符", "tabs")):
        if first.count(mark) > first.count(","):
            sheet.fault(
                1,
                None,
                Text(f"列之间用的是{zh}。", f"The columns are separated by {en}."),
                Text("请另存为逗号分隔的 CSV。", "Save it as CSV with commas."),
            )
            return []
    try:
        records = list(csv.reader(io.StringIO(source, newline=""), strict=True))
    except csv.Error as error:
        sheet.fault(
            None,
            None,
            Text(f"不是合格的 CSV:{error}。", f"This is not CSV: {error}."),
            Text(
                "检查未配对的引号,或重新另存为 CSV UTF-8。",
                "Look for an unpaired quote, or save it as CSV UTF-8 again.",
            ),
        )
        return []
    if not records or not any(cell.strip() for cell in records[0]):
        sheet.fault(
            1,
            None,
            Text("没有表头。", "There is no header."),
            Text(
                "第一行写列名,见 README。",
                "Write the column names into the first row; the README lists them.",
            ),
        )
        return []
    return records


def _header_fits(sheet: Sheet, header: list[str], row_type: type) -> bool:
    """All columns are there once; says which are not. Unknown ones are a fault, but rows can be read."""
    names = [name.strip() for name in header]
    columns = cells_of(row_type)
    for name, count in Counter(name for name in names if name).items():
        if name not in columns:
            sheet.fault(1, name, *_unknown(Text("列", "column"), name, columns))
        elif count > 1:
            sheet.fault(
                1,
                name,
                Text("该列出现两次。", "The column stands twice."),
                Text("删去一列。", "Delete one of them."),
            )
    for name in columns:
        if name not in names:
            sheet.fault(1, name, *_missing(Text("列", "column")))
    return all(names.count(name) == 1 for name in columns)


def _read_row(sheet: Sheet, number: int, header: list[str], record: list[str], row_type: type) -> None:
    if any(cell.strip() for cell in record[len(header) :]) or len(record) < len(header):
        sheet.fault(
            number,
            None,
            Text(
                f"有 {len(record)} 格,表头有 {len(header)} 列。",
                f"{len(record)} cells under {len(header)} columns.",
            ),
            Text("含逗号的文字要加引号。", "Put text that holds a comma into quotes, and close every cell."),
        )
    cells = dict(zip(header, (cell.strip() for cell in record), strict=False))
    values: dict[str, Any] = {}
    for name, cell in cells_of(row_type).items():
        if name in cells:
            _parse(sheet, number, name, cells[name], cell, values)
    complete = row_type(**values) if values.keys() == cells_of(row_type).keys() else None
    sheet.rows.append(Row(number, cells, values, complete))


def _parse(sheet: Sheet, number: int, column: str, raw: str, cell: Cell, values: dict[str, Any]) -> None:
    """Put the cell's value under its column into `values`, or its fault into the sheet."""
    try:
        refuse_formula(raw)
        values[column] = cell(raw)
    except BadCell as bad:
        sheet.fault(number, column, bad.problem, bad.remedy)


def _scalars(sheet: Sheet, node: yaml.Node | None, prefix: str = "") -> Iterable[tuple[str, tuple[int, str]]]:
    """The YAML file's values as (joined key, (line, text)), one level of nesting deep; other shapes and doubled
    keys are faults."""
    if not isinstance(node, yaml.MappingNode):
        sheet.fault(node.start_mark.line + 1 if node else 1, None, *_NOT_SETTINGS)
        return
    seen: set[str] = set()
    for key, value in node.value:
        name = f"{prefix}{key.value if isinstance(key, yaml.ScalarNode) else '?'}"
        line = key.start_mark.line + 1
        if name in seen:
            sheet.fault(
                line, name, Text("该键出现两次。", "The key stands twice."), Text("删去一个。", "Delete one.")
            )
        seen.add(name)
        if isinstance(value, yaml.ScalarNode):
            yield name, (line, value.value)
        elif isinstance(value, yaml.MappingNode) and not prefix:
            yield from _scalars(sheet, value, f"{name}_")
        else:
            sheet.fault(line, name, *_NOT_SETTINGS)


_NOT_SETTINGS = (
    Text("这里要写成“键: 值”。", "A “key: value” line is needed here."),
    Text("见 README。", "The README shows them."),
)


def _missing(kind: Text) -> tuple[Text, Text]:
    return Text(f"缺少这一{kind.zh}。", f"The {kind.en} is missing."), Text("请补上。", f"Add the {kind.en}.")


def _unknown(kind: Text, name: str, known: dict[str, Cell]) -> tuple[Text, Text]:
    listed = ", ".join(known)
    return (
        Text(f"没有 {name!r} 这一{kind.zh}。", f"{name!r} is not a {kind.en} of this file."),
        Text(f"改名或删去;可用:{listed}。", f"Rename or delete it; known: {listed}."),
    )
