"""An uploaded file as rows of cells: .xlsx, or text with commas, tabs or semicolons in any usual encoding."""

import csv
import io
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from operator import attrgetter
from typing import Any, Final
from zipfile import BadZipFile, ZipFile

from chubei_shared.errors import Invalid
from openpyxl import load_workbook
from openpyxl.workbook import Workbook
from openpyxl.xml import DEFUSEDXML

from chubei_inventory.exchange import guard
from chubei_inventory.exchange.cells import Formula, Raw, is_empty

MAX_ROWS: Final = 5_000
"""With anything in them; more goes in several files."""
_MAX_COLUMNS: Final = 100
_LAST_ROW: Final = 1_048_576
_MAX_SHEETS: Final = 50
_OLD_OFFICE: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_VALUE: Final = attrgetter("value")
_ZIP: Final = (b"PK\x03\x04", b"PK\x05\x06")
_ESCAPED: Final = re.compile("_x(00(?!00)[01][0-9A-Fa-f]|005[Ff]|[Ff]{3}[EeFf])_")
"""A control character in a cell, or a plain _ before what would look like one; never NUL, nor half a character."""
_GUARDED: Final = re.compile(r"'+[=+\-@\t\r]")
"""Text that our own export has put an apostrophe before, so that no spreadsheet runs it (see writing.py)."""


@dataclass(frozen=True)
class Row:
    """`number` as the spreadsheet counts, from 1."""

    number: int
    cells: tuple[Raw, ...]


def read(data: bytes) -> list[Row]:
    """The rows with anything in them. Raises Invalid for a file that can not, or must not, be read."""
    if data.startswith(_OLD_OFFICE):
        raise guard.refusal("是旧式 .xls,或有密码", "is an old .xls, or has a password")
    rows = list(_limited(_from_workbook(data) if data.startswith(_ZIP) else _from_text(data)))
    if not rows:
        raise guard.refusal(
            "是空的", "is empty", "填写后再传,模板见 template", "fill it in, see its template"
        )
    return rows


def _limited(rows: Iterable[tuple[int, tuple[Raw, ...]]]) -> Iterator[Row]:
    count = 0
    for number, cells in rows:
        if all(map(is_empty, cells)):
            continue
        count += 1
        if count > MAX_ROWS + 2:  # two lines of headers
            raise guard.refusal(
                f"超过 {MAX_ROWS} 行", f"has over {MAX_ROWS} rows", "分成几个文件", "send it in several files"
            )
        yield Row(number, cells)


def _from_workbook(data: bytes) -> Iterator[tuple[int, tuple[Raw, ...]]]:
    assert DEFUSEDXML  # noqa: S101 (the second line of defence; guard.py is the first)
    try:
        with ZipFile(io.BytesIO(data)) as archive:
            guard.check(archive)
    except (BadZipFile, NotImplementedError, EOFError, OSError) as error:  # as in guard.py
        raise guard.damaged() from error
    try:
        book = load_workbook(io.BytesIO(data), read_only=True, keep_links=False)
        yield from _sheet_rows(book)
        book.close()
    except Invalid:
        raise
    except Exception as error:  # a library for files from anywhere raises anything
        raise guard.damaged() from error


def _sheet_rows(book: Workbook) -> Iterator[tuple[int, tuple[Raw, ...]]]:
    """Of the first visible sheet."""
    sheets = [sheet for sheet in book.worksheets if sheet.sheet_state == "visible"]
    if not sheets or len(book.worksheets) > _MAX_SHEETS:
        raise guard.refusal("没有可读的工作表", "has no sheet that can be read")
    sheet: Any = sheets[0]
    sheet.reset_dimensions()  # what a file says of its size is not believed
    rows = sheet.iter_rows(max_col=_MAX_COLUMNS, max_row=_LAST_ROW)
    for number, cells in enumerate(rows, start=1):
        if list(map(_VALUE, cells)).count(None) < len(cells):  # a million empty rows are soon passed
            yield number, tuple(_cell(cell.value, cell.data_type) for cell in cells)


def _cell(value: Any, data_type: str) -> Raw:
    if value is None:
        return None
    if data_type in ("f", "e"):
        return Formula(str(value) if isinstance(value, str) else "=")
    if isinstance(value, str):
        return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), value)
    return value if isinstance(value, int | float | date) else str(value)


def _from_text(data: bytes) -> Iterator[tuple[int, tuple[Raw, ...]]]:
    text = _decoded(data)
    if text.startswith("sep="):  # Excel's own first line
        text = text.partition("\n")[2]
    try:
        records = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), strict=True)
        for number, cells in enumerate(records, start=1):
            if len(cells) > _MAX_COLUMNS and any(cell.strip() for cell in cells[_MAX_COLUMNS:]):
                raise guard.refusal(
                    f"超过 {_MAX_COLUMNS} 列",
                    f"has over {_MAX_COLUMNS} columns",
                    "核对分隔符",
                    "check the commas",
                )
            yield number, tuple(cell[1:] if _GUARDED.match(cell) else cell for cell in cells)
    except csv.Error as error:
        raise guard.refusal(
            "的引号或换行有误", f"has its quotes wrong ({error})",
            "在 Excel 中另存为 CSV UTF-8", "save it as CSV UTF-8 in a spreadsheet",
        ) from error  # fmt: skip


def _decoded(data: bytes) -> str:
    """UTF-8 with or without a mark, UTF-16 with one, or GB 18030 (GBK). Raises Invalid."""
    marked = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
    said = next((name for mark, name in marked.items() if data.startswith(mark)), None)
    for encoding in [said] if said else ["utf-8", "gb18030"]:
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text
    raise guard.refusal(
        "不是文本,也不是 UTF-8 或 GBK 编码", "is no text in UTF-8 or GBK, and no workbook",
        "另存为 .xlsx 或 CSV UTF-8 后再传", "save it as .xlsx or CSV UTF-8",
    )  # fmt: skip


def _delimiter(text: str) -> str:
    """What stands most often in the first line."""
    first = text.lstrip().partition("\n")[0]
    return max(",\t;", key=first.count)
