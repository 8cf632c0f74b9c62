"""What a list is: its columns, what a row means, and how its records are found and put."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from chubei_shared.contracts.base import Dto
from chubei_shared.errors import AppError
from chubei_shared.tokens import Caller, Role
from sqlalchemy.orm import Session

from chubei_inventory.exchange.cells import Said
from chubei_inventory.exchange.columns import Column, Line

WRITERS: Final = frozenset({Role.ADMIN, Role.COMMANDER})


@dataclass(frozen=True)
class Record:
    """One thing that a file has: the rows that it stands on, what it is called, and its content."""

    lines: Sequence[Line]
    key: str
    content: Any


@dataclass(frozen=True)
class List:
    """A list of master data."""

    key: str
    name: Said
    columns: tuple[Column, ...]
    model: type[Dto]
    id_field: str
    present: Callable[[Session, Collection[str]], Mapping[str, Dto]]
    """What is there of these keys."""
    put: Callable[[Session, Sequence[tuple[Any, str | None]], Caller], Sequence[AppError | None]]
    """The verb: records with their If-Match; of each, why it was refused."""
    everything: Callable[[Session], Iterator[Dto]]
    """All records in the order of their keys."""
    constants: tuple[tuple[str, Any], ...] = ()
    roles: frozenset[Role] = WRITERS
    PER_LINE: ClassVar[tuple[str, ...]] = ()
    """Columns that lines of one record have each of their own."""

    def body(self, lines: Sequence[Line]) -> dict[str, Any]:
        """What one record's lines say, as the contract's members."""
        values = self._members(lines[0])
        if "certainty" in values:
            values["provenance"] = {"certainty": values.pop("certainty"), "source": values.pop("source", "")}
        return {**dict(self.constants), **values}

    def _members(self, line: Line) -> dict[str, Any]:
        return {c.member: line.values[c.key] for c in self.columns if c.key in line.values}

    def group(self, lines: Sequence[Line]) -> Iterator[tuple[str, list[Line]]]:
        """The lines of each record; here one each."""
        for line in lines:
            yield str(line.values[self.id_field]), [line]

    def clashes(self, lines: Sequence[Line]) -> Iterator[tuple[Line, str]]:
        """Where a later line of a record says something else than its first; and in which column."""
        for line in lines[1:]:
            for key in (column.key for column in self.columns if column.key not in self.PER_LINE):
                if line.values.get(key) != lines[0].values.get(key):
                    yield line, key

    def rows(self, content: Dto) -> Iterator[dict[str, Any]]:
        """A record as it is written: the value of each column by key, where it has one."""
        yield self._flat(content)

    def _flat(self, content: Dto) -> dict[str, Any]:
        values = content.model_dump()
        told = values.pop("provenance", None) or {}
        return {c.key: (values | told)[c.member] for c in self.columns if c.member in values | told}


class Kits(List):
    """A kit stands on as many rows as it has needs; its own columns are those of its first row."""

    PER_LINE: ClassVar = ("item_code", "per_person", "tier", "group")

    def body(self, lines: Sequence[Line]) -> dict[str, Any]:
        own = {key: value for key, value in super().body(lines).items() if key not in self.PER_LINE}
        needs = [{key: line.values[key] for key in self.PER_LINE if key in line.values} for line in lines]
        return {**own, "needs": needs}

    def group(self, lines: Sequence[Line]) -> Iterator[tuple[str, list[Line]]]:
        by_kit: dict[str, list[Line]] = defaultdict(list)
        for line in lines:
            by_kit[str(line.values["id"])].append(line)
        yield from by_kit.items()

    def rows(self, content: Dto) -> Iterator[dict[str, Any]]:
        values = self._flat(content)
        for need in content.model_dump()["needs"]:
            yield {**values, **need}


class Bins(List):
    """A bin is named by its place and its own code."""

    def group(self, lines: Sequence[Line]) -> Iterator[tuple[str, list[Line]]]:
        for line in lines:
            yield f"{line.values['place_id']}/{line.values['code']}", [line]
