"""Verbs of importing: a file's records by the existing verbs, all of them or none, and the same file once.

A dry run does all that the real one does and takes it back, so it finds what the real one would meet.
"""

import json
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from hashlib import sha256
from uuid import UUID, uuid4

from chubei_shared.contracts.base import Dto
from chubei_shared.contracts.exchange import CellFault, Changing, ImportPage, ImportReport
from chubei_shared.cursors import cursor_of, key_of
from chubei_shared.editions import etag_of
from chubei_shared.errors import (
    AppError,
    Forbidden,
    Invalid,
    NotFound,
    PreconditionFailed,
    PreconditionRequired,
)
from chubei_shared.outbox import enqueue
from chubei_shared.tokens import Caller, roles_zh
from sqlalchemy import func, select, text, tuple_
from sqlalchemy.orm import Session

from chubei_inventory.catalogue import catalogue
from chubei_inventory.exchange import opening
from chubei_inventory.exchange.cells import Said
from chubei_inventory.exchange.checking import check_references, opening_rows, records, value_of
from chubei_inventory.exchange.columns import Column, Line, Table, read_table
from chubei_inventory.exchange.list_types import List, Record
from chubei_inventory.exchange.lists import CATALOGUE, LISTS, attempt
from chubei_inventory.exchange.reading import Row, read
from chubei_inventory.exchange.tables import ImportRun
from chubei_inventory.fingerprint import other_content

_AS_SAID = Said("按所述改正", "correct it as said")
_LOCK = 7_201_122  # advisory lock: real imports run one after the other
MOST_FAULTS, _MOST_CHANGES = 1_000, 500


@dataclass(frozen=True)
class File:
    """An uploaded file as a list's table, before any database is asked."""

    list_key: str
    sha256: str
    rows: list[Row]
    table: Table


@dataclass(frozen=True)
class Asked:
    """What is to be done with a file. A real run names its id, and the hash that the dry run told."""

    id: UUID | None = None
    dry_run: bool = True
    file_sha256: str | None = None
    if_match: str | None = None


@dataclass
class Outcome:
    """What a file's records are to what is there."""

    new: int = 0
    changed: list[Changing] = field(default_factory=list)
    same: int = 0
    editions: list[tuple[str, str | None]] = field(default_factory=list)
    movement_ids: list[UUID] = field(default_factory=list)


def columns_of(list_key: str) -> tuple[Column, ...]:
    """Raises NotFound."""
    if list_key == opening.KEY:
        return opening.COLUMNS
    if list_key not in LISTS:
        known = ", ".join([*LISTS, opening.KEY])
        raise NotFound(
            f"没有可导入的表 {list_key};可用:{known}",
            f"There is no list {list_key} to import: use one of {known}",
        )
    return LISTS[list_key].columns


def open_file(list_key: str, data: bytes) -> File:
    """Read an upload. Raises NotFound, and Invalid for a file that can not be read."""
    columns = columns_of(list_key)
    rows = read(data)
    return File(list_key, sha256(data).hexdigest(), rows, read_table(rows, columns))


class Rehearsed(Exception):
    """The end of a dry run: what it found. Raised, so that the whole transaction is taken back."""

    def __init__(self, report: ImportReport, etag: str, table: Table) -> None:
        self.report, self.etag, self.table = report, etag, table


def run(session: Session, file: File, asked: Asked, caller: Caller) -> tuple[ImportReport, bool]:
    """Import a file; the flag says whether it is new. A dry run raises Rehearsed.

    Raises Forbidden; in a real run Invalid with every fault, PreconditionRequired or PreconditionFailed where it
    changes records and `if_match` is not the dry run's ETag, Conflict for an id that is another import's.
    """
    refuse_stranger(file.list_key, caller)
    if not asked.dry_run:
        session.execute(select(func.pg_advisory_xact_lock(_LOCK)))
        if known := _known(session, file, asked):
            return known, False
    table = replace(file.table, faults=list(file.table.faults))
    import_id = asked.id or uuid4()
    outcome = _attempted(session, file, table, import_id, caller)
    if not table.faults:
        session.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))  # what would fail at the commit fails here
    etag, report = _etag(file, outcome), _report(file, table, outcome, asked)
    if asked.dry_run:
        raise Rehearsed(report, etag, table)
    if table.faults:
        raise _refused(report)
    _refuse_unseen(outcome, etag, asked.if_match)
    report = report.model_copy(
        update={"id": import_id, "recorded_at": datetime.now(UTC), "recorded_by": caller.person}
    )
    session.add(
        ImportRun(
            id=import_id, list_key=file.list_key, file_sha256=file.sha256, report=report.model_dump(mode="json"),
            recorded_at=report.recorded_at, recorded_by=caller.person,
        )
    )  # fmt: skip
    news = {"import_id": str(import_id), "list": file.list_key, "rows": report.rows}
    enqueue(session, "list.imported", news)
    return report, True


def refuse_stranger(list_key: str, caller: Caller) -> None:
    """Raises Forbidden for who may not write what the list holds."""
    roles = opening.ROLES if list_key == opening.KEY else LISTS[list_key].roles
    if not caller.roles & roles:
        names = ", ".join(sorted(roles))
        raise Forbidden(
            f"导入 {list_key} 需要角色:{roles_zh(roles)};请由其导入",
            f"Importing {list_key} takes one of the roles {names}",
        )


def _known(session: Session, file: File, asked: Asked) -> ImportReport | None:
    """The answer of an import that was done before. Raises Invalid for a request that is not whole, Conflict."""
    if asked.id is None or asked.file_sha256 is None:
        missing = "id" if asked.id is None else "file_sha256"
        raise Invalid(
            f"{missing}:正式导入必填;请先试导入(dry_run=true),再带其 file_sha256",
            f"{missing}: needed to import for real; do a dry run first, and send its file_sha256",
            errors=[{"field": missing, "problem": "missing", "remedy": "dry_run=true"}],
        )
    if asked.file_sha256 != file.sha256:
        raise Invalid(
            "file_sha256:与文件不符,请对此文件重新试导入",
            "file_sha256: this is another file than that of the dry run: do a dry run of this one",
            errors=[{"field": "file_sha256", "problem": asked.file_sha256, "remedy": file.sha256}],
        )
    found = session.get(ImportRun, asked.id)
    if found is None:
        return None
    if (found.list_key, found.file_sha256) != (file.list_key, file.sha256):
        raise other_content(asked.id)
    return ImportReport.model_validate(found.report)


def _attempted(session: Session, file: File, table: Table, import_id: UUID, caller: Caller) -> Outcome:
    """Write what is sound of a table; what is wrong goes to its faults."""
    if file.list_key == opening.KEY:
        return _open_stock(session, table, import_id, caller)
    return _put_records(session, LISTS[file.list_key], table, caller)


def _put_records(session: Session, spec: List, table: Table, caller: Caller) -> Outcome:
    check_references(session, spec.key, table)
    found = list(records(spec, table))
    present = spec.present(session, [record.key for record in found])
    outcome, fresh = Outcome(), []
    for record in sorted(found, key=lambda record: record.key):
        before = present.get(record.key)
        outcome.editions.append((record.key, None if before is None else etag_of(before)))
        if before == record.content:
            outcome.same += 1
            continue
        fresh.append((record, "*" if before else None))
        if before is None:
            outcome.new += 1
        else:
            fields = _differing(spec, before, record.content)
            outcome.changed.append(Changing(row=record.lines[0].number, key=record.key, fields=fields))
    if spec.key in CATALOGUE:
        _publish(session, spec, table, [record for record, _ in fresh], caller)
        return outcome
    refusals = spec.put(session, [(record.content, if_match) for record, if_match in fresh], caller)
    for (record, _), refused in zip(fresh, refusals, strict=True):
        if refused:
            _blame(table, record.lines[0], refused)
    return outcome


def _publish(session: Session, spec: List, table: Table, fresh: list[Record], caller: Caller) -> None:
    """Bring items, kits or norms into force, as one version."""
    changing: catalogue.Changing = {(CATALOGUE[spec.key], record.key): record.content for record in fresh}
    called = f"导入 {spec.name.zh} {datetime.now(UTC):%Y-%m-%d %H:%M}Z"
    refused = attempt(session, partial(catalogue.publish, session, changing, called, "", caller))
    if refused and not table.faults:
        table.fault(None, None, None, Said(refused.detail, refused.detail_en), _AS_SAID)


def _blame(table: Table, line: Line, refused: AppError) -> None:
    """Write a verb's refusal to the row, and to the cell where it names one."""
    errors: list[dict[str, str]] = [
        *refused.more.get("errors", ()),
        {"field": str(refused.more.get("field"))},
    ]
    named = {error["field"]: error.get("remedy") for error in errors}
    column = next((column for column in table.columns if column.member in named), None)
    remedy = named[column.member] if column else None
    key = column.key if column else None
    said = Said(refused.detail, refused.detail_en)
    value = value_of(line, key or "")
    zh, _, en = (remedy or "").partition(" / ")
    table.fault(line.number, key, value, said, Said(zh, en or zh) if remedy else _AS_SAID)


def _open_stock(session: Session, table: Table, import_id: UUID, caller: Caller) -> Outcome:
    check_references(session, opening.KEY, table)
    rows = opening_rows(session, table)
    made, wrong = opening.book(session, import_id, rows, caller)
    for one in wrong:
        table.fault(one.line.number, one.key, value_of(one.line, one.key or ""), one.problem, one.remedy)
    return Outcome(new=len(rows), movement_ids=made)


def _differing(spec: List, before: Dto, after: Dto) -> list[str]:
    """What differs, by the columns' names, or the contract's where several columns make up one member."""
    named = {column.member: column.key for column in spec.columns}
    old, new = before.model_dump(mode="json"), after.model_dump(mode="json")
    return [named.get(member, member) for member in new if old.get(member) != new[member]]


def _etag(file: File, outcome: Outcome) -> str:
    """Of the file, and of what was there of its records."""
    told = json.dumps([file.list_key, file.sha256, outcome.editions])
    return f'"{sha256(told.encode()).hexdigest()[:24]}"'


def _report(file: File, table: Table, outcome: Outcome, asked: Asked) -> ImportReport:
    faults = sorted(
        table.faults, key=lambda fault: (fault.row or 0, len(fault.column or ""), fault.column or "")
    )
    return ImportReport(
        id=asked.id, list_key=file.list_key, dry_run=asked.dry_run, file_sha256=file.sha256, rows=len(table.rows),
        new=outcome.new, changed=len(outcome.changed), same=outcome.same, changes=outcome.changed[:_MOST_CHANGES],
        fault_count=len(faults), faults=faults[:MOST_FAULTS],
        movement_ids=[] if asked.dry_run else outcome.movement_ids,
    )  # fmt: skip


def _refused(report: ImportReport) -> Invalid:
    first = report.faults[0]
    where = _row(first)["field"]
    return Invalid(
        f"有 {report.fault_count} 处错误,未导入任何内容。第一处 {where}:{first.problem};请{first.remedy}",
        f"Nothing was imported; faults: {report.fault_count}. The first, {where}: {first.problem_en}: "
        f"{first.remedy_en}",
        errors=[_row(fault) for fault in report.faults],
        faults=[fault.model_dump() for fault in report.faults],
        fault_count=report.fault_count,
    )


def _row(fault: CellFault) -> dict[str, str]:
    return {
        "field": f"{fault.column or ''}{fault.row or ''}" or "file",
        "problem": f"{fault.problem} / {fault.problem_en}",
        "remedy": f"{fault.remedy} / {fault.remedy_en}",
    }


def _refuse_unseen(outcome: Outcome, etag: str, if_match: str | None) -> None:
    """Records that are there are changed only as the dry run has shown."""
    if not outcome.changed and if_match is None:
        return
    if if_match is None:
        raise PreconditionRequired(
            f"将更改 {len(outcome.changed)} 条已有记录:请把试导入所给的 ETag 填入 If-Match",
            f"{len(outcome.changed)} records that are there would change: send the dry run's ETag as If-Match",
            errors=[{"field": "If-Match", "problem": "missing", "remedy": "dry_run=true"}],
        )
    if etag not in [tag.strip() for tag in if_match.split(",")]:
        raise PreconditionFailed(
            "试导入之后,这些记录已被他人更改,请重新试导入",
            "The records were changed since the dry run: do it again, and look at what would change",
            errors=[{"field": "If-Match", "problem": if_match, "remedy": "dry_run=true"}],
            etag=etag,
        )


def get(session: Session, import_id: UUID) -> ImportReport:
    """Raises NotFound."""
    found = session.get(ImportRun, import_id)
    if found is None:
        raise NotFound(f"没有导入 {import_id}", f"There is no import {import_id}")
    return ImportReport.model_validate(found.report)


def page(session: Session, list_key: str | None, cursor: str | None, limit: int) -> ImportPage:
    """What was imported, the latest first."""
    wanted = select(ImportRun).order_by(ImportRun.recorded_at.desc(), ImportRun.id.desc()).limit(limit + 1)
    if list_key is not None:
        wanted = wanted.where(ImportRun.list_key == list_key)
    if after := key_of(cursor, datetime.fromisoformat, UUID):
        wanted = wanted.where(tuple_(ImportRun.recorded_at, ImportRun.id) < tuple_(*after))
    found = list(session.scalars(wanted))
    last = found[limit - 1] if len(found) > limit else None
    return ImportPage(
        rows=[ImportReport.model_validate(row.report) for row in found[:limit]],
        next_cursor=last and cursor_of(last.recorded_at.isoformat(), last.id),
    )
