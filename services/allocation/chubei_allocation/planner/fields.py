"""Reading untrusted JSON with the place of every value at hand, so that an error can name it."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from .scenario import ScenarioError

MOST = 10**12
"""No figure of relief is larger; beyond it exact arithmetic in floats ends."""
LATEST_MIN = 10**5
"""Minutes: about ten weeks."""


def shown(value: object) -> str:
    """A value as JSON writes it, on one short printable line; of an array or object only that it is one."""
    if isinstance(value, tuple):
        text = ", ".join(shown(part) for part in value)
    elif isinstance(value, list | dict):
        text = ("[…]" if isinstance(value, list) else "{…}") if value else repr(value)
    else:
        text = json.dumps(value, ensure_ascii=False, default=str)
    short = text if len(text) <= 40 else text[:40] + "…"
    return "".join(sign if sign.isprintable() else ascii(sign)[1:-1] for sign in short)


@dataclass(frozen=True)
class Field:
    """A JSON value and where it stands, as `points[3].people`."""

    value: Any
    place: str

    def wrong(self, problem: str, remedy: str) -> ScenarioError:
        return ScenarioError(self.place, problem, remedy)

    def _kind(self, kind: type, zh: str, en: str) -> None:
        if not isinstance(self.value, kind):
            raise self.wrong(f"{shown(self.value)} 类型不对 / is of the wrong type", f"应为{zh} / give {en}")

    def __getitem__(self, key: str) -> Field:
        found = self.maybe(key)
        if found is None:
            place = f"{self.place}.{key}" if self.place else key
            raise ScenarioError(place, "缺少此项 / is missing", f"请补上 {key} / add the key {key}")
        return found

    def maybe(self, key: str) -> Field | None:
        """The value under `key`; None when the key is absent."""
        self._kind(dict, "对象", "an object {…}")
        if key not in self.value:
            return None
        return Field(self.value[key], f"{self.place}.{key}" if self.place else key)

    def rows(self) -> list[Field]:
        self._kind(list, "数组", "an array […]")
        return [Field(row, f"{self.place}[{n}]") for n, row in enumerate(self.value)]

    def pairs(self) -> Iterator[tuple[str, Field]]:
        self._kind(dict, "对象", "an object {…}")
        for key, value in self.value.items():
            Field(key, f"{self.place}.{shown(key)}").text()
            yield key, Field(value, f"{self.place}.{key}")

    def text(self) -> str:
        self._kind(str, "文字", "a text")
        if not self.value or not self.value.isprintable():
            raise self.wrong(
                f"{shown(self.value)} 为空或含不可见字符 / is empty or holds unprintable characters",
                "请填可见文字 / give printable text",
            )
        return str(self.value)

    def one_of(self, *allowed: str) -> str:
        if not isinstance(self.value, str) or self.value not in allowed:
            choice = ", ".join(allowed)
            raise self.wrong(f"{shown(self.value)} 不可用 / is not allowed", f"可选 / give one of: {choice}")
        return self.value

    def known(self, ids: set[str], kind: str) -> str:
        """A reference to something declared elsewhere in the file."""
        if not isinstance(self.value, str) or self.value not in ids:
            raise self.wrong(
                f"没有编号为 {shown(self.value)} 的 {kind} / no {kind} has this id",
                f"改用 {kind} 中已有的编号，或先加上它 / use an id listed under {kind}, or add it there",
            )
        return self.value

    def whole(self, low: int = 0, high: int = MOST) -> int:
        if type(self.value) is not int:
            raise self.wrong(
                f"{shown(self.value)} 不是整数 / is not a whole number", "请填整数 / give a whole number"
            )
        if not low <= self.value <= high:
            raise self.wrong(
                f"{shown(self.value)} 超出范围 / is out of range",
                f"请填 {low} 到 {high} 的整数 / give a whole number from {low} to {high}",
            )
        return self.value

    def minute(self, low: int = 0) -> int:
        return self.whole(low, LATEST_MIN)

    def number(self, low: float = 0.0, high: float = MOST) -> float:
        finite = type(self.value) is int or (type(self.value) is float and math.isfinite(self.value))
        if not finite:
            raise self.wrong(
                f"{shown(self.value)} 不是数 / is not a number", "请填数值 / give a finite number"
            )
        if not low <= self.value <= high:
            raise self.wrong(
                f"{shown(self.value)} 超出范围 / is out of range",
                f"请填 {low:g} 到 {high:g} / give a number from {low:g} to {high:g}",
            )
        return float(self.value)

    def positive(self) -> float:
        value = self.number()
        if value < 1e-9:
            raise self.wrong(
                f"{value:g} 不大于 0 / is not above 0", "请填大于 0 的数 / give a number above 0"
            )
        return value


def unique(fields: list[Field], keys: list[Any]) -> None:
    """Refuse the second of two rows with the same key."""
    seen: dict[Any, str] = {}
    for row, key in zip(fields, keys, strict=True):
        if key in seen:
            raise row.wrong(
                f"{shown(key)} 与 {seen[key]} 重复 / stands already at {seen[key]}",
                "删去一行或改编号 / remove one of them or give it another id",
            )
        seen[key] = row.place


def load_json(data: bytes, place: str) -> Any:
    """Parse UTF-8 JSON strictly: no NaN, no Infinity, no key twice in an object.

    Raises ScenarioError naming `place` and, for a syntax error, the line and column.
    """

    def constant(name: str) -> Any:
        tokens = re.finditer(r'"(?:[^"\\]|\\.)*"|' + name, text)
        first = next(token for token in tokens if token[0] == name)
        line = text.count("\n", 0, first.start()) + 1
        raise ScenarioError(
            f"{place} line {line}",
            f"{name} 不是数 / {name} is no number",
            "请填有限的数 / give finite numbers",
        )

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        made = dict(pairs)
        if len(made) < len(pairs):
            keys = [key for key, _ in pairs]
            twice = next(key for key in keys if keys.count(key) > 1)
            where = [
                f" {{{shown(key)}: {shown(value)}, …}}" for key, value in pairs if isinstance(value, str)
            ]
            raise ScenarioError(
                place + "".join(where[:1]),
                f"键 {shown(twice)} 出现两次 / the key stands twice in one object",
                "删去一个 / remove one",
            )
        return made

    try:
        text = data.decode("utf-8-sig")
        return json.loads(text, parse_constant=constant, object_pairs_hook=once)
    except ScenarioError:
        raise
    except json.JSONDecodeError as error:
        at = f"{place} line {error.lineno} column {error.colno}"
        raise ScenarioError(
            at, f"不是 JSON / is not JSON: {error.msg}", "请改正此处 / mend it there"
        ) from None
    except UnicodeDecodeError as error:
        raise ScenarioError(
            f"{place} byte {error.start}", "不是 UTF-8 / is not UTF-8", "请存为 UTF-8 / save it as UTF-8"
        ) from None
    except (RecursionError, ValueError):
        raise ScenarioError(
            place,
            "嵌套过深或数字过长 / is nested too deep or holds a number too long",
            "请检查文件 / check the file",
        ) from None
