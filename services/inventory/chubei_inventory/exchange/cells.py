"""What one cell may hold: how each kind of value is read, however people write it, and how it is written. Pure.

A kind reads what a spreadsheet or a text file has in a cell and gives a value, or raises BadCell with the remedy.
What a kind writes, it reads back as the same value.
"""

import json
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple


class Formula(str):
    """A cell that holds a formula, or the error that one came to."""

    __slots__ = ()


Raw = str | int | float | bool | date | datetime | None
"""What a reader finds in a cell; None: nothing."""


class Said(NamedTuple):
    """A phrase for people, in both languages."""

    zh: str
    en: str


class BadCell(Exception):
    """A cell does not hold what its column needs: what is wrong, and what to write instead."""

    def __init__(self, problem: Said, remedy: Said) -> None:
        super().__init__(problem.en)
        self.problem, self.remedy = problem, remedy


@dataclass(frozen=True)
class Kind:
    read: Callable[[Raw], Any]
    """Never called with an empty cell."""
    write: Callable[[Any], str | int]
    allowed: Said


_FORMULA_LIKE = re.compile(r"=|[@+]|-(?![0-9.])")
_GROUPED = re.compile(r"-?[0-9]{1,3}(,[0-9]{3})+(\.[0-9]+)?")
_NUMBER = re.compile(r"-?[0-9]{1,18}(\.[0-9]{1,12})?")
_DATES = (
    re.compile(r"([0-9]{4})[-/.]([0-9]{1,2})[-/.]([0-9]{1,2})"),
    re.compile(r"([0-9]{4})年([0-9]{1,2})月([0-9]{1,2})[日号]?"),
    re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})"),
)
_MIDNIGHT = re.compile(r"[T ]0{1,2}:00(:00(\.0+)?)?$")
_SERIAL_START, _SERIALS = date(1899, 12, 30), range(36526, 109575)
"""Excel counts days; 2000 to 2199."""
_MOST_EXACT = 10**15
"""Excel keeps 15 digits of a number."""


def is_empty(raw: Raw) -> bool:
    return raw is None or (isinstance(raw, str) and not raw.strip())


def shown(raw: Raw) -> str:
    """A cell's content for a message."""
    return "" if raw is None else str(raw)[:200]


def _refuse_formula(raw: Raw) -> None:
    if isinstance(raw, Formula):
        raise BadCell(
            Said("是公式,或公式的错误值", "it is a formula, or the error that one came to"),
            Said("选择性粘贴为数值后再传", "paste special, values only, and send it again"),
        )


def plain(raw: Raw) -> str:
    """A cell's text in half-width characters, without the spaces around it: for codes, numbers, words, dates."""
    _refuse_formula(raw)
    if isinstance(raw, bool):
        return "是" if raw else "否"
    if isinstance(raw, float):
        return str(int(raw)) if raw.is_integer() and abs(raw) < _MOST_EXACT else repr(raw)
    if isinstance(raw, datetime):
        return raw.date().isoformat() if raw.time() == datetime.min.time() else raw.isoformat(" ")
    return unicodedata.normalize("NFKC", str(raw)).strip()


def _as_text(raw: Raw) -> str:
    _refuse_formula(raw)
    if isinstance(raw, date):
        raise BadCell(
            Said("Excel 把它变成了日期", "the spreadsheet has made a date of it"),
            Said("把单元格格式设为文本后重新填写", "format the cell as text and write it again"),
        )
    if isinstance(raw, int | float) and not isinstance(raw, bool) and abs(raw) >= _MOST_EXACT:
        raise BadCell(
            Said(
                "超过 15 位,Excel 已改变末尾数字", "over 15 digits: the spreadsheet has changed the last ones"
            ),
            Said("把单元格格式设为文本后重新填写", "format the cell as text and write it again"),
        )
    return raw.strip() if isinstance(raw, str) else plain(raw)


def _formula_like(text: str) -> None:
    if _FORMULA_LIKE.match(text):
        raise BadCell(
            Said("像公式", "it looks like a formula"),
            Said("去掉开头的 = + - @", "take the leading = + - @ away"),
        )


def _to_id(raw: Raw) -> str:
    _as_text(raw)  # a date or a number too long is no id
    text = plain(raw)
    _formula_like(text)
    return text


TEXT = Kind(_as_text, str, Said("文字", "text"))
ID = Kind(_to_id, str, Said("字母、数字和 : . _ # -", "letters, digits and : . _ # -"))
NOTE = Kind(lambda _: None, str, Said("仅供阅读,导入时不读", "for reading only: not read when imported"))


def _number(raw: Raw) -> Decimal:
    if isinstance(raw, date):
        raise BadCell(
            Said("是日期,这里要数字", "it is a date where a number is needed"),
            Said("把单元格格式设为常规后重新填写", "format the cell as general and write the number again"),
        )
    text = plain(raw).replace(" ", "")
    if _GROUPED.fullmatch(text):
        text = text.replace(",", "")
    if not _NUMBER.fullmatch(text):
        raise BadCell(
            Said("不是数字", "it is not a number"),
            Said("只写数字,如 1200", "write digits only, such as 1200"),
        )
    return Decimal(text)


def to_whole(raw: Raw) -> int:
    """A whole number: half- or full-width digits, with or without thousands separators. Raises BadCell."""
    number = _number(raw)
    if number != number.to_integral_value():
        raise BadCell(
            Said("不是整数", "it is not a whole number"),
            Said(
                "写整数;整箱以外的零头按件填写", "write a whole number; give odd units as units, not as packs"
            ),
        )
    return int(number)


WHOLE = Kind(to_whole, int, Said("整数", "a whole number"))
DECIMAL = Kind(_number, str, Said("数字", "a number"))
FLOAT = Kind(lambda raw: float(_number(raw)), repr, Said("数字", "a number"))


def _to_fen(raw: Raw) -> int:
    fen = _number(str(plain(raw)).lstrip("¥").removesuffix("元")) * 100
    if fen != fen.to_integral_value():
        raise BadCell(
            Said("比分还小", "it is finer than a fen"), Said("最多两位小数", "give two decimals at most")
        )
    return int(fen)


YUAN = Kind(
    _to_fen, lambda fen: f"{Decimal(fen) / 100:.2f}", Said("元,最多两位小数", "yuan, two decimals at most")
)


def _to_date(raw: Raw) -> date:
    if isinstance(raw, datetime):
        return raw.date()
    if isinstance(raw, date):
        return raw
    text = _MIDNIGHT.sub("", plain(raw))
    found = next((shape.fullmatch(text) for shape in _DATES if shape.fullmatch(text)), None)
    try:
        if found:
            return date(*(int(part) for part in found.groups()))
    except ValueError:
        raise BadCell(Said("没有这一天", "there is no such day"), _AS_DATE) from None
    if text.isdecimal() and int(text) in _SERIALS:
        return _SERIAL_START + timedelta(days=int(text))
    raise BadCell(Said("看不出是哪一天", "it can not be told which day it is"), _AS_DATE)


_AS_DATE = Said("年月日写全,如 2026-11-21", "write year, month and day, such as 2026-11-21")
DATE = Kind(_to_date, date.isoformat, _AS_DATE)


def choice(words: Mapping[str, str]) -> Kind:
    """One of some words; `words` are their Chinese names by the value in the contract."""
    by_word = {word.casefold(): value for value, zh in words.items() for word in (value, zh)}
    allowed = Said(" | ".join(words.values()), " | ".join(words))

    def read(raw: Raw) -> str:
        if (value := by_word.get(plain(raw).casefold())) is None:
            raise BadCell(
                Said("没有这个选项", "there is no such choice"),
                Said(f"请填:{allowed.zh}", f"write one of: {allowed.en}"),
            )
        return value

    return Kind(read, lambda value: words[str(value)], allowed)


def choices(words: Mapping[str, str]) -> Kind:
    """Several of some words."""
    one = choice(words)

    def read(raw: Raw) -> list[str]:
        return [str(one.read(part)) for part in re.split(r"[;,、|\n]", plain(raw)) if part.strip()]

    def write(values: Sequence[str]) -> str:
        return ";".join(str(one.write(value)) for value in values)

    zh, en = one.allowed
    return Kind(read, write, Said(f"{zh};可多项,以分号隔开", f"{en}; several with semicolons between them"))


_YES = {"是", "有", "y", "yes", "true", "1", "√", "✓"}
_NO = {"否", "无", "n", "no", "false", "0", "×"}


def _to_bool(raw: Raw) -> bool:
    word = plain(raw).casefold()
    if word not in _YES | _NO:
        raise BadCell(Said("须为是或否", "it is neither yes nor no"), Said("请填:是 | 否", "write yes or no"))
    return word in _YES


YES_NO = Kind(_to_bool, lambda value: "是" if value else "否", Said("是 | 否", "yes | no"))
_CONTACT = ("name", "phone", "post")


def _to_contacts(raw: Raw) -> list[dict[str, Any]]:
    text = _as_text(raw)
    if text.startswith("["):
        try:
            return list(json.loads(text))
        except (ValueError, TypeError, RecursionError):
            raise BadCell(Said("不是联系人", "these are no contacts"), CONTACTS.allowed) from None
    people = [part for part in re.split("[;\uff1b\n]", text) if part.strip()]
    parts = [[part.strip() for part in re.split("[/\uff0f]", person)] for person in people]
    if any(len(person) > len(_CONTACT) for person in parts):
        raise BadCell(Said("一位联系人有三项以上", "a contact has more than three parts"), CONTACTS.allowed)
    return [
        {key: value for key, value in zip(_CONTACT, person, strict=False) if value or key == "name"}
        for person in parts
    ]


def _from_contacts(people: Sequence[Mapping[str, Any]]) -> str:
    parts = [[str(person.get(key) or "") for key in _CONTACT] for person in people]
    text = "; ".join("/".join(person).rstrip("/") for person in parts)
    wanted = [[part.strip() for part in person] for person in parts]
    read = _to_contacts(text) if text else []
    if [[str(person.get(key) or "") for key in _CONTACT] for person in read] == wanted == parts:
        return text
    return json.dumps(list(people), ensure_ascii=False)  # who has a slash in the name


CONTACTS = Kind(
    _to_contacts,
    _from_contacts,
    Said("姓名/电话/岗位;多人以分号隔开", "name/phone/post; several with semicolons between them"),
)
NO_PHONES = Kind(
    _to_contacts,
    lambda people: _from_contacts([{**person, "phone": None} for person in people]),
    CONTACTS.allowed,
)
"""As it is written for those who do not call."""
