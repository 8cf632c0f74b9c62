"""The tables of an aftermath as files: all in a workbook, or one as CSV. No cell is ever run as a formula.

Inventory writes its lists so, too (`exchange/writing.py`): thirty lines, written twice.
"""

import csv
import io
import re
from collections.abc import Sequence
from typing import Any, Final, Literal

from chubei_shared.contracts.aftermath import Aftermath, Phase, TripAccount
from chubei_shared.contracts.base import Dto
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Font

Table = Literal[
    "events", "items", "stores", "trips", "phases", "replenish", "returns", "loans", "compensation"
]
TABLES: Final[tuple[Table, ...]] = (
    "events", "items", "stores", "trips", "phases", "replenish", "returns", "loans", "compensation"
)  # fmt: skip
MEDIA: Final = {
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "csv": "text/csv; charset=utf-8",
}
_RISKY: Final = re.compile(r"'*[=+\-@\t\r]")
_CONTROLS: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0d\x0e-\x1f\ufffe\uffff]")
_LONGEST: Final = 32_767
_BOLD: Final = Font(bold=True)
_MARK: Final = "演练 EXERCISE"


def rows(found: Aftermath, table: Table) -> list[list[str | int]]:
    """The header and the rows of a table; a first column marks an exercise. Money stays in fen."""
    listed: Sequence[Dto] = getattr(found, table) or []
    flat = [_flat(row) for row in listed]
    mark = {"exercise": _MARK} if found.exercise else {}
    told = [mark | row for row in flat]
    return [[*told[0]], *([_cell(value) for value in row.values()] for row in told)] if told else []


def _flat(row: Dto) -> dict[str, Any]:
    """A trip's minutes by phase are columns."""
    told = {field: getattr(row, field) for field in type(row).model_fields}
    if isinstance(row, TripAccount):
        spent = told.pop("minutes")
        told |= {
            f"{phase}_min": spent.get(phase, 0) for phase in list(Phase)[list(Phase).index(Phase.PICKING) :]
        }
    return told


def _cell(value: Any) -> str | int:
    if value is None:
        return ""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def as_csv(found: Aftermath, table: Table) -> bytes:
    """UTF-8 with a mark, as spreadsheets want it."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    for row in rows(found, table):
        writer.writerow([_harmless(value) for value in row])
    return text.getvalue().encode("utf-8-sig")


def _harmless(value: str | int) -> str | int:
    """Text that a spreadsheet would take for a formula gets an apostrophe before it."""
    return f"'{value}" if isinstance(value, str) and _RISKY.match(value) else value


def as_xlsx(found: Aftermath) -> bytes:
    book = Workbook(write_only=True)
    for table in TABLES:
        sheet: Any = book.create_sheet(table)
        for number, row in enumerate(rows(found, table)):
            sheet.append([_sheet_cell(sheet, value, number == 0) for value in row])
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()


def _sheet_cell(sheet: Any, value: str | int, header: bool) -> Any:
    if isinstance(value, int):
        return value
    cell: Any = WriteOnlyCell(sheet)
    cell._value = _CONTROLS.sub("", value)[
        :_LONGEST
    ]  # the setter would take what begins with = for a formula
    cell.data_type = "s"
    if header:
        cell.font = _BOLD
    return cell
