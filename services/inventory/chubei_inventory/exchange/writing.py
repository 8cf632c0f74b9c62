"""Rows as files: .xlsx and CSV, written row by row. No cell of them is ever run as a formula.

Everything but whole numbers is written as text, so that codes keep their digits and dates their shape. In CSV,
text that a spreadsheet would take for a formula gets an apostrophe before it; reading.py takes it away again.
"""

import csv
import io
import re
from collections.abc import Iterable, Sequence
from typing import Any, BinaryIO, Final, Literal

from chubei_shared.errors import Conflict
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.comments import Comment
from openpyxl.styles import Font, PatternFill
from openpyxl.utils import get_column_letter

Format = Literal["xlsx", "csv"]
MEDIA: Final = {
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "csv": "text/csv; charset=utf-8",
}
Value = str | int
MAX_SHEET_ROWS: Final = 200_000
"""Of a workbook; longer lists go out as CSV."""
_RISKY: Final = re.compile(r"'*[=+\-@\t\r]")
_CONTROLS: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0d\x0e-\x1f\ufffe\uffff]|_(?=x[0-9A-Fa-f]{4}_)")
_LONGEST: Final = 32_767
_RED, _GREY = PatternFill("solid", fgColor="FFFFC7CE"), PatternFill("solid", fgColor="FFE7E6E6")
_BOLD = Font(bold=True)


def harmless(value: Value) -> Value:
    """A value for CSV: text that begins like a formula gets an apostrophe before it."""
    return f"'{value}" if isinstance(value, str) and _RISKY.match(value) else value


def write_csv(rows: Iterable[Sequence[Value]], target: BinaryIO) -> int:
    """UTF-8 with a mark, as spreadsheets want it. Returns the number of rows."""
    text = io.TextIOWrapper(target, "utf-8-sig", newline="", write_through=True)
    writer, count = csv.writer(text), 0
    for count, row in enumerate(rows, start=1):  # noqa: B007 (the last one is the answer)
        writer.writerow([harmless(value) for value in row])
    text.flush()
    text.detach()
    return count


def write_xlsx(
    sheets: Iterable[tuple[str, int, Iterable[Sequence[Any]]]], target: BinaryIO
) -> dict[str, int]:
    """Sheets of (name, header rows, rows), whose values are text, whole numbers or `marked` cells.

    Returns the number of rows by sheet. Raises Conflict for more rows than a workbook should have.
    """
    book, counts = Workbook(write_only=True), {}
    for name, headers, rows in sheets:
        sheet: Any = book.create_sheet(name[:31])
        sheet.freeze_panes = f"A{headers + 1}"
        for index in range(1, 41):
            sheet.column_dimensions[get_column_letter(index)].width = 18
        for number, row in enumerate(rows, start=1):
            if number > MAX_SHEET_ROWS:
                raise Conflict(
                    f"超过 {MAX_SHEET_ROWS} 行,请导出为 CSV(format=csv)",
                    f"There are over {MAX_SHEET_ROWS} rows: export them as CSV, format=csv",
                )
            sheet.append([_sheet_cell(sheet, value, number <= headers) for value in row])
            counts[name] = number
    book.save(target)
    return counts


class Marked:
    """A value in a cell that is wrong, with what is wrong and the remedy."""

    def __init__(self, value: Value, said: str) -> None:
        self.value, self.said = value, said


def _sheet_cell(sheet: Any, value: Value | Marked, header: bool) -> Any:
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**15:
        return value
    bare = value.value if isinstance(value, Marked) else value
    cell: Any = WriteOnlyCell(sheet)
    if bare != "":
        cell._value = escaped(str(bare))  # the setter would take what begins with = for a formula
        cell.data_type = "s"
    if isinstance(value, Marked):
        cell.fill, cell.comment = _RED, Comment(value.said, "Chubei", height=120, width=320)
    elif header:
        cell.fill, cell.font = _GREY, _BOLD
    return cell


def escaped(text: str) -> str:
    """Characters that XML can not hold, as Excel itself writes them: _x000B_."""
    return _CONTROLS.sub(lambda found: f"_x{ord(found[0]):04X}_", text)[:_LONGEST]
