"""What one cell of a district's spreadsheets may hold.

Each function here returns a parser: text of the cell in, value out, `BadCell` where it does not fit. The
row types of `district.py` name a parser per column, so a column's type, limits and wording stand in one place.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from typing import Any

PROVENANCES = ("verified", "estimated", "invented")

_FORMULA_STARTS = ("=", "+", "@")
_SPREADSHEET_ERROR = re.compile(r"#(REF|NAME|VALUE|N/A|DIV/0|NUM|NULL|SPILL|CALC)[!?]?")
_DATE = re.compile(r"\d{4}[-/.年]\d{1,2}([-/.月]\d{1,2}日?)?|\d{1,2}/\d{1,2}/\d{2,4}")
_WHOLE = re.compile(r"-?[0-9]{1,15}")
_DECIMAL = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,9})?")


@dataclass(frozen=True)
class Text:
    """A sentence for people, in both languages."""

    zh: str
    en: str

    def __str__(self) -> str:
        return f"{self.zh} {self.en}"


class BadCell(Exception):
    """A cell does not hold what its column needs: what is wrong, and what to write instead."""

    def __init__(self, problem: Text, remedy: Text) -> None:
        super().__init__(str(problem))
        self.problem = problem
        self.remedy = remedy


Cell = Callable[[str], Any]


def refuse_formula(cell: str) -> None:
    """Spreadsheets export formulas and their errors as text; neither is ever meant here."""
    if cell.startswith(_FORMULA_STARTS) or (cell.startswith("-") and not _DECIMAL.fullmatch(cell)):
        raise BadCell(
            Text(f"像公式:{cell!r}。", f"This looks like a formula: {cell!r}."),
            Text(
                "请改为数值或文字(选择性粘贴为数值)。", "Write the value itself (paste special, values only)."
            ),
        )
    if _SPREADSHEET_ERROR.fullmatch(cell):
        raise BadCell(
            Text(f"表格公式出错:{cell}。", f"The spreadsheet's formula failed: {cell}."),
            Text("请填写数值本身。", "Write the value itself."),
        )


def text(optional: bool = False) -> Cell:
    """Any text; empty only where `optional`."""

    def parse(cell: str) -> str:
        if not cell and not optional:
            raise BadCell(Text("不能为空。", "It is empty."), Text("请填写。", "Fill it in."))
        return cell

    return parse


def shaped(pattern: str, zh: str, en: str) -> Cell:
    """Text of a given shape; `zh` and `en` say the shape."""
    shape = re.compile(pattern, re.ASCII)

    def parse(cell: str) -> str:
        if not shape.fullmatch(cell):
            raise BadCell(
                Text(f"{cell!r} 不符合格式。", f"{cell!r} does not have the right shape."),
                Text(f"请写成:{zh}。", f"Write {en}."),
            )
        return cell

    return parse


def whole(minimum: int = 0, maximum: int = 10**12) -> Cell:
    """A whole number between the limits."""

    def parse(cell: str) -> int:
        if _DATE.fullmatch(cell):
            raise _date_in_number(cell)
        if not _WHOLE.fullmatch(cell):
            raise _not_a_number(cell, Text("整数", "a whole number"))
        return int(_within(Decimal(cell), cell, Decimal(minimum), Decimal(maximum)))

    return parse


def decimal(minimum: str, maximum: str, above: bool = False) -> Cell:
    """A decimal number between the limits; `above`: the lower limit itself is not allowed."""

    def parse(cell: str) -> Decimal:
        if _DATE.fullmatch(cell) and not _DECIMAL.fullmatch(cell):
            raise _date_in_number(cell)
        if not _DECIMAL.fullmatch(cell):
            raise _not_a_number(cell, Text("数字", "a number"))
        number = _within(Decimal(cell), cell, Decimal(minimum), Decimal(maximum))
        if above and number == Decimal(minimum):
            raise BadCell(
                Text(f"{cell} 太小。", f"{cell} is too small."),
                Text(f"须大于 {minimum}。", f"It must be above {minimum}."),
            )
        return number

    return parse


def choice(*words: str) -> Cell:
    """One of a few words."""
    listed = " | ".join(words)

    def parse(cell: str) -> str:
        if not cell:
            raise BadCell(
                Text("不能为空。", "It is empty."), Text(f"请填:{listed}。", f"Write one of: {listed}.")
            )
        if cell not in words:
            raise BadCell(
                Text(f"没有 {cell!r} 这个选项。", f"{cell!r} is not a word of this column."),
                Text(f"请填:{listed}。", f"Write one of: {listed}."),
            )
        return cell

    return parse


def choices(*words: str) -> Cell:
    """One or more words, with semicolons between them; each once."""
    one = choice(*words)

    def parse(cell: str) -> tuple[str, ...]:
        found = tuple(one(part.strip()) for part in cell.split(";"))
        if len(set(found)) != len(found):
            raise BadCell(
                Text(f"{cell!r} 中有重复。", f"{cell!r} says a word twice."),
                Text("每项只写一次。", "Write each word once."),
            )
        return found

    return parse


def yes_no() -> Cell:
    """`yes` or `no`."""
    word = choice("yes", "no")

    def parse(cell: str) -> bool:
        return bool(word(cell) == "yes")

    return parse


def steps() -> Cell:
    """A number of docks that changes over time: `2`, or `0:0;40:1;90:2` (from minute 40 one, from 90 two)."""

    def parse(cell: str) -> tuple[tuple[int, int], ...]:
        parts = [part.split(":") for part in (cell if ":" in cell else f"0:{cell}").split(";")]
        if not all(
            len(part) == 2 and all(re.fullmatch(r"[0-9]{1,5}", p.strip()) for p in part) for part in parts
        ):
            raise _bad_steps(cell)
        found = tuple((int(minute), int(number)) for minute, number in parts)
        minutes = [minute for minute, _ in found]
        if minutes[0] != 0 or any(a >= b for a, b in pairwise(minutes)):
            raise _bad_steps(cell)
        return found

    return parse


def optional(cell: Cell) -> Cell:
    """The cell may stay empty: None."""
    return Optional(cell)


@dataclass(frozen=True)
class Optional:
    """A parser that takes an empty cell for None."""

    cell: Cell

    def __call__(self, cell: str) -> Any:
        return self.cell(cell) if cell else None


@dataclass(frozen=True)
class Reference:
    """The key of a row in one of `files`; that the row exists is checked when all tables are read."""

    files: tuple[str, ...]

    def __call__(self, cell: str) -> str:
        if not cell:
            where = " / ".join(self.files)
            raise BadCell(
                Text("不能为空。", "It is empty."),
                Text(f"请填 {where} 中的编号。", f"Write an id that stands in {where}."),
            )
        return cell


def refers_to(*files: str) -> Reference:
    """The key of a row in one of `files`."""
    return Reference(files)


def _within(number: Decimal, cell: str, minimum: Decimal, maximum: Decimal) -> Decimal:
    if number < 0 <= minimum:
        raise BadCell(
            Text(f"{cell} 是负数。", f"{cell} is negative."),
            Text(f"须在 {minimum} 与 {maximum} 之间。", f"Write a number from {minimum} to {maximum}."),
        )
    if not minimum <= number <= maximum:
        raise BadCell(
            Text(f"{cell} 超出范围。", f"{cell} is out of range."),
            Text(f"须在 {minimum} 与 {maximum} 之间。", f"Write a number from {minimum} to {maximum}."),
        )
    return number


def _not_a_number(cell: str, kind: Text) -> BadCell:
    if not cell:
        return BadCell(Text("不能为空。", "It is empty."), Text(f"请填{kind.zh}。", f"Write {kind.en}."))
    if _DECIMAL.fullmatch(cell):
        hint = Text("不要小数点,例如 12。", "Leave out the decimal point, as in 12.")
    elif re.fullmatch(r"-?[0-9]{1,3}(,[0-9]{3})+(\.[0-9]+)?", cell):
        hint = Text("去掉千位逗号,例如 1234。", "Take the thousands commas out, as in 1234.")
    elif re.fullmatch(r"-?[0-9.]+[eE][+-]?[0-9]+", cell):
        hint = Text("把单元格格式改为数值后再保存。", "Format the cell as a plain number and save again.")
    else:
        hint = Text("只用半角数字,不带单位。", "Use plain digits without a unit.")
    return BadCell(Text(f"{cell!r} 不是{kind.zh}。", f"{cell!r} is not {kind.en}."), hint)


def _date_in_number(cell: str) -> BadCell:
    return BadCell(
        Text(f"{cell!r} 是日期,这里要数字。", f"{cell!r} is a date where a number is needed."),
        Text("请写相对导入当天的天数,例如 90。", "Write days relative to the day of seeding, as in 90."),
    )


def _bad_steps(cell: str) -> BadCell:
    return BadCell(
        Text(f"{cell!r} 不是月台数。", f"{cell!r} is no number of docks."),
        Text(
            "写一个数,或 0:0;40:1;90:2(从第 0 分钟起,分钟递增)。",
            "Write a number, or 0:0;40:1;90:2 (from minute 0 on, minutes rising).",
        ),
    )
