"""Verbs of exporting: each list, the ledger, or everything at one moment, written to a file that is then sent.

The file is written whole, from one snapshot of the database, before its first byte goes out: a failure is an
answer, not half a file, and a slow reader keeps no snapshot open. It lies on the disk, not in memory.
"""

import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from hashlib import sha256
from itertools import chain
from typing import IO, BinaryIO, Final, Literal
from zipfile import ZIP_DEFLATED, ZipFile

from chubei_shared.contracts.exchange import ColumnView, ListView
from chubei_shared.errors import Forbidden
from chubei_shared.tokens import Caller, Role, roles_zh
from openpyxl.utils import get_column_letter
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from chubei_inventory.exchange import opening, records
from chubei_inventory.exchange.cells import CONTACTS, NO_PHONES, Raw, Said, plain
from chubei_inventory.exchange.columns import PROBLEMS, Column, Table
from chubei_inventory.exchange.importing import File, columns_of
from chubei_inventory.exchange.lists import LISTS
from chubei_inventory.exchange.writing import Format, Marked, Value, write_csv, write_xlsx
from chubei_inventory.reserves import contacts
from chubei_inventory.stock.queries import ONE_VIEW

Language = Literal["zh", "en"]
KEEPERS: Final = (Role.ADMIN, Role.AUDITOR, Role.COMMANDER)
_NOTES: Final = "说明 Notes"


def lists() -> list[ListView]:
    """Every list that goes out, in the order in which those that come in are imported."""
    found = [_view(key, spec.name, spec.columns) for key, spec in LISTS.items()]
    found.append(_view(opening.KEY, opening.NAME, opening.COLUMNS))
    for key, name in records.names().items():
        plain = [
            ColumnView(
                key=column, name_zh=column, name_en=column, required=False, allowed_zh="", allowed_en=""
            )
            for column in records.columns(key)
        ]
        found.append(ListView(key=key, name_zh=name.zh, name_en=name.en, importable=False, columns=plain))
    return found


def _view(key: str, name: Said, columns: Sequence[Column]) -> ListView:
    views = [
        ColumnView(
            key=column.key, name_zh=column.zh, name_en=column.key, required=column.required,
            allowed_zh=column.kind.allowed.zh, allowed_en=column.kind.allowed.en,
        )
        for column in columns
    ]  # fmt: skip
    return ListView(key=key, name_zh=name.zh, name_en=name.en, importable=True, columns=views)


def template(list_key: str, form: Format, language: Language, target: BinaryIO) -> None:
    """An empty list to fill in: headers, and in a workbook a sheet that says what each column takes."""
    columns = columns_of(list_key)
    if form == "csv":
        write_csv([_header(columns, language)], target)
    else:
        write_xlsx([(name_of(list_key).zh, 2, _headers(columns)), _notes(columns)], target)


def refuse_stranger(list_key: str, caller: Caller) -> None:
    """The books as tables, the audit among them, are for those who keep or check them. Raises Forbidden."""
    if list_key.startswith(records.PREFIX) and not caller.roles & set(KEEPERS):
        names = ", ".join(KEEPERS)
        raise Forbidden(
            f"导出 {list_key} 需要角色:{roles_zh(KEEPERS)}",
            f"Exporting {list_key} takes one of the roles {names}",
        )


def export(
    session: Session, list_key: str, form: Format, language: Language, target: BinaryIO, caller: Caller
) -> None:
    """Write a list or a table of the ledger. Raises NotFound, Conflict for too many rows for a workbook."""
    if list_key not in (*LISTS, opening.KEY):
        records.table_of(list_key)
    session.execute(ONE_VIEW)
    phones = contacts.may_call(caller)
    if form == "csv":
        write_csv(_with_header(session, list_key, language, phones), target)
    elif list_key.startswith(records.PREFIX):
        write_xlsx([(name_of(list_key).zh, 1, _with_header(session, list_key, language, phones))], target)
    else:
        columns = columns_of(list_key)
        rows = chain(_headers(columns), _values(session, list_key, phones))
        write_xlsx([(name_of(list_key).zh, 2, rows), _notes(columns)], target)


def export_all(session: Session, target: BinaryIO, caller: Caller) -> None:
    """Every list and the whole ledger as CSV files in a zip, with a manifest of counts and hashes."""
    session.execute(ONE_VIEW)
    as_of = session.scalar(select(func.transaction_timestamp()))
    phones, files = contacts.may_call(caller), []
    with ZipFile(target, "w", ZIP_DEFLATED) as archive:
        for key in [*LISTS, opening.KEY, *records.names()]:
            with archive.open(f"{key}.csv", "w", force_zip64=True) as entry:
                hashing = _Hashing(entry)
                count = write_csv(_with_header(session, key, "en", phones), hashing)  # type: ignore[arg-type]
            files.append({"file": f"{key}.csv", "rows": count - 1, "sha256": hashing.hash.hexdigest()})
        manifest = {"service": "inventory", "as_of": as_of.isoformat() if as_of else None, "files": files}
        archive.writestr("manifest.json", json.dumps(manifest, ensure_ascii=False, indent=1))


class _Hashing:
    """A file to write to, that hashes what passes."""

    def __init__(self, target: IO[bytes]) -> None:
        self._target, self.hash, self.closed = target, sha256(), False

    def writable(self) -> bool:
        return True

    def readable(self) -> bool:
        return False

    seekable = readable

    def write(self, data: bytes) -> int:
        self.hash.update(data)
        return self._target.write(data)

    def flush(self) -> None:
        self._target.flush()


def mark(file: File, table: Table, target: BinaryIO) -> None:
    """The uploaded rows as a workbook whose bad cells are red, each with what is wrong and the remedy.

    It can be corrected and sent again as it is: its last column, the problems in words, is not read.
    """
    write_xlsx([(name_of(file.list_key).zh, 0, _marked(file, table)), _notes(table.columns)], target)


def _marked(file: File, table: Table) -> Iterator[list[Value | Marked]]:
    header = file.rows[0].number
    said: dict[int, dict[str | None, list[str]]] = defaultdict(lambda: defaultdict(list))
    for fault in table.faults:
        words = f"{fault.problem};{fault.remedy}。{fault.problem_en}; {fault.remedy_en}."
        said[fault.row or header][fault.column].append(words)
    width = max(len(row.cells) for row in file.rows)
    for row in file.rows:
        here = said.get(row.number, {})
        cells: list[Value | Marked] = []
        for index in range(width):
            raw = row.cells[index] if index < len(row.cells) else None
            value = raw if isinstance(raw, int) and not isinstance(raw, bool) else _shown(raw)
            wrong = here.get(get_column_letter(index + 1))
            cells.append(Marked(value, "\n".join(wrong)) if wrong else value)
        told = " ".join(text for texts in here.values() for text in texts)
        cells.append(told or (PROBLEMS if row.number == header else ""))
        yield cells


def name_of(list_key: str) -> Said:
    if list_key.startswith(records.PREFIX):
        return records.names()[list_key]
    return opening.NAME if list_key == opening.KEY else LISTS[list_key].name


def _header(columns: Sequence[Column], language: Language) -> list[Value]:
    return [column.zh if language == "zh" else column.key for column in columns]


def _headers(columns: Sequence[Column]) -> list[list[Value]]:
    return [[f"{c.zh}*" if c.required else c.zh for c in columns], [c.key for c in columns]]


def _notes(columns: Sequence[Column]) -> tuple[str, int, list[list[Value]]]:
    head: list[Value] = ["列", "column", "必填 required", "可填内容", "what it takes"]
    rows: list[list[Value]] = [
        [c.zh, c.key, "是 yes" if c.required else "", c.kind.allowed.zh, c.kind.allowed.en] for c in columns
    ]
    return _NOTES, 1, [head, *rows]


def _with_header(
    session: Session, list_key: str, language: Language, phones: bool
) -> Iterator[Sequence[Value]]:
    if list_key.startswith(records.PREFIX):
        yield records.columns(list_key)
        yield from records.rows(session, list_key, phones)
    else:
        yield _header(columns_of(list_key), language)
        yield from _values(session, list_key, phones)


def _values(session: Session, list_key: str, phones: bool) -> Iterator[list[Value]]:
    columns = columns_of(list_key)
    if list_key == opening.KEY:
        found = opening.rows(session)
    else:
        spec = LISTS[list_key]
        found = (row for content in spec.everything(session) for row in spec.rows(content))
    kinds = [(c.key, NO_PHONES if c.kind is CONTACTS and not phones else c.kind) for c in columns]
    for row in found:
        values = ((kind, row.get(key)) for key, kind in kinds)
        yield ["" if value is None or value == [] else kind.write(value) for kind, value in values]


def _shown(raw: Raw) -> str:
    """A cell as it was; a formula as the text of one."""
    return "" if raw is None else raw if isinstance(raw, str) else plain(raw)
