"""Verbs on reports: drafted by the system, edited and signed by people; then they stand as they are."""

import json
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any
from uuid import UUID, uuid5

from chubei_shared import outbox
from chubei_shared.china import day
from chubei_shared.contracts.reports import (
    Facts,
    ReportEdit,
    ReportKind,
    ReportRequest,
    ReportStatus,
    ReportView,
    Told,
)
from chubei_shared.contracts.reserves import Snapshot
from chubei_shared.db import Transactions
from chubei_shared.errors import Conflict, Forbidden, Invalid, NotFound
from chubei_shared.state_words import zh
from chubei_shared.tokens import Caller
from pydantic import BaseModel
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from chubei_allocation import locks
from chubei_allocation.inventory_gate import InventoryGate
from chubei_allocation.reports import rules, views, words
from chubei_allocation.reports.facts import facts, read_stock
from chubei_allocation.reports.tables import Report

_NUMBERS = UUID("0b6a0f4e-3f0c-4b1e-8d0d-9a54e3f4c611")


def draft(
    tx: Transactions, inventory: InventoryGate, incident_id: UUID, body: ReportRequest, caller: Caller
) -> ReportView:
    """Make a draft of what the books say now. The same again is the same draft. Raises Conflict, NotFound."""
    if not tx(_known, incident_id, body):
        tx(_store, incident_id, body, read_stock(tx, inventory, incident_id, caller.person), caller)
    return tx(views.show, body.id)


def _known(session: Session, incident_id: UUID, body: ReportRequest) -> bool:
    known = session.get(Report, body.id)
    if known and (known.incident_id, known.kind, known.replaces) != (incident_id, body.kind, body.replaces):
        raise Conflict(
            f"编号 {body.id} 已用于另一报告,请换新编号",
            f"Id {body.id} is another report's: mint a new one",
        )
    return known is not None


def _store(
    session: Session, incident_id: UUID, body: ReportRequest, stock: Snapshot | None, caller: Caller
) -> None:
    locks.one_at_a_time(session, incident_id)
    if _known(session, incident_id, body):
        return
    before = _replaced(session, incident_id, body) if body.replaces else None
    found, ask = facts(session, incident_id, stock)
    told = words.told(body.kind, found, ask)
    if before and before.told.get("request"):  # what was asked stands until somebody asks for something else
        told = told.model_copy(update={"request": Told.model_validate(before.told).request})
    number = before.number if before else _number(session, found, body.kind)
    version = before.version + 1 if before else 1
    session.add(
        Report(
            id=body.id,
            incident_id=incident_id,
            exercise=found.exercise,
            kind=body.kind,
            number=number,
            version=version,
            replaces=body.replaces,
            status=ReportStatus.DRAFT,
            revision=0,
            facts=found.model_dump(mode="json"),
            facts_hash=digest(found),
            told=told.model_dump(mode="json"),
            hash=_hash(number, version, found, told),
            data_at=found.data_at,
            drafted_at=datetime.now(UTC),
            drafted_by=caller.person,
            hands=[caller.person],
            discard_reason="",
        )
    )
    session.flush()


def _replaced(session: Session, incident_id: UUID, body: ReportRequest) -> Report:
    """The signed report of which a new version is wanted; one at a time."""
    before = get(session, body.replaces, lock=True) if body.replaces else None
    if before is None or before.incident_id != incident_id or before.kind != body.kind:
        raise Invalid(
            "replaces:须是本事件同类的报告", "replaces: must be a report of this incident, of the same kind"
        )
    if before.status != ReportStatus.SIGNED:
        raise Conflict(
            f"报告 {before.number} 第 {before.version} 版是{zh(ReportStatus, before.status)},只有已签发的才能出新版",
            f"Report {before.number} version {before.version} is {before.status}: only a signed one has a next version",
        )
    following = session.scalar(
        select(Report.id).where(Report.replaces == before.id, Report.status != ReportStatus.DISCARDED)
    )
    if following:
        raise Conflict(
            f"报告 {before.number} 已有新版草稿 {following}",
            f"Report {before.number} has a draft of its next version already: {following}",
        )
    return before


def _number(session: Session, found: Facts, kind: ReportKind) -> str:
    """Counted by the day of the incident in Beijing, over all incidents of that day."""
    start = f"{day(found.occurred_at):%Y%m%d}-{rules.LETTERS[kind]}"
    locks.one_at_a_time(session, uuid5(_NUMBERS, start))
    used = session.scalar(
        select(func.count(func.distinct(Report.number))).where(Report.number.startswith(start))
    )
    return f"{start}{(used or 0) + 1:02d}"


def get(session: Session, report_id: UUID, lock: bool = False) -> Report:
    """Raises NotFound."""
    report = session.get(Report, report_id, with_for_update=lock or None)
    if report is None:
        raise NotFound(f"没有报告 {report_id}", f"There is no report {report_id}")
    return report


def edit(session: Session, report_id: UUID, body: ReportEdit, caller: Caller) -> ReportView:
    """Write what is told anew, as long as it is a draft. The same text again changes nothing. Raises Conflict."""
    report = get(session, report_id, lock=True)
    told = body.told.model_dump(mode="json")
    if told == report.told:
        return views.show(session, report_id)
    _check_draft(report)
    if body.revision != report.revision:
        by = report.edited_by or report.drafted_by
        raise Conflict(
            f"revision:此稿现为第 {report.revision} 次修改({by}),请重新读取后再改",
            f"revision: this draft is at {report.revision}, by {by}: read it again, then edit",
        )
    _check_request(report, body.told)
    report.told, report.revision = told, report.revision + 1
    report.edited_at, report.edited_by = datetime.now(UTC), caller.person
    report.hands = sorted({*report.hands, caller.person})
    report.hash = _hash(report.number, report.version, Facts.model_validate(report.facts), body.told)
    session.flush()
    return views.show(session, report_id)


def _check_draft(report: Report) -> None:
    if report.status != ReportStatus.DRAFT:
        raise Conflict(
            f"报告 {report.number} 第 {report.version} 版是{zh(ReportStatus, report.status)},不能再改;请出新版",
            f"Report {report.number} version {report.version} is {report.status}: make a new version of it",
        )


def _check_request(report: Report, told: Told) -> None:
    if (told.request is not None) != (report.kind == ReportKind.CITY_REQUEST):
        raise Invalid(
            "told.request:只有向市里的请求(city_request)才填,且必填",
            "told.request: belongs to a city_request, and is needed there",
        )
    codes = [line.item_code for line in told.request.lines] if told.request else []
    if twice := sorted({code for code in codes if codes.count(code) > 1}):
        raise Invalid(
            f"told.request.lines:{', '.join(twice)} 重复,请并为一行",
            f"told.request.lines: {', '.join(twice)} stands twice: put it on one line",
        )


def sign(session: Session, report_id: UUID, seen: str, caller: Caller) -> ReportView:
    """draft → signed, by somebody who did not write it; the version before is superseded.

    Repeating it changes nothing. Raises Conflict, Forbidden, Invalid, NotFound.
    """
    report = get(session, report_id, lock=True)
    if report.status == ReportStatus.SIGNED and (report.signed_by, report.hash) == (caller.person, seen):
        return views.show(session, report_id)
    _check_draft(report)
    if caller.person in report.hands:
        raise Forbidden(
            "起草或修改过报告的人不能签发,请由另一位审批人签发",
            "Who drafted or edited a report does not sign it: let another approver",
        )
    if seen != report.hash:
        raise Conflict(
            "seen:报告已被修改,请重新读取后再签发",
            "seen: the report is another by now: read it again, then sign",
        )
    _check_whole(Told.model_validate(report.told))
    if report.replaces:
        become(get(session, report.replaces, lock=True), ReportStatus.SUPERSEDED)
        session.flush()
    report.signed_at, report.signed_by = datetime.now(UTC), caller.person
    become(report, ReportStatus.SIGNED)
    session.flush()
    outbox.enqueue(
        session,
        "report.signed",
        {
            "report_id": str(report.id),
            "incident_id": str(report.incident_id),
            "number": report.number,
            "version": report.version,
            "exercise": report.exercise,
        },
    )
    return views.show(session, report_id)


def _check_whole(told: Told) -> None:
    """A request that is sent says what is asked, and who takes it over where (rules.md B4)."""
    asked = told.request
    if asked is None:
        return
    missing = [
        field
        for field, there in (
            ("lines", asked.lines),
            ("reason", asked.reason.strip()),
            ("receiver.place", asked.receiver.place.strip()),
            ("receiver.name", asked.receiver.name.strip()),
            ("receiver.phone", asked.receiver.phone.strip()),
        )
        if not there
    ]
    if missing:
        fields = ", ".join(f"told.request.{field}" for field in missing)
        raise Invalid(f"{fields}:签发前须填写", f"{fields}: fill in before it is signed")


def discard(session: Session, report_id: UUID, reason: str) -> ReportView:
    """draft → discarded. Repeating it changes nothing. Raises Conflict, NotFound."""
    report = get(session, report_id, lock=True)
    if report.status != ReportStatus.DISCARDED:
        _check_draft(report)
        become(report, ReportStatus.DISCARDED)
        report.discard_reason = reason
        session.flush()
    return views.show(session, report_id)


def become(report: Report, to: ReportStatus) -> None:
    """Bring a locked report on. Raises Conflict where rules.MOVES does not allow it."""
    if to not in rules.MOVES[ReportStatus(report.status)]:
        raise Conflict(
            f"报告{zh(ReportStatus, report.status)},不能变为{zh(ReportStatus, to)}",
            f"A report that is {report.status} can not become {to}",
        )
    report.status = to


def digest(body: BaseModel) -> str:
    return _sha256(body.model_dump(mode="json"))


def _hash(number: str, version: int, found: Facts, told: Told) -> str:
    return _sha256(
        {
            "number": number,
            "version": version,
            "facts": found.model_dump(mode="json"),
            "told": told.model_dump(mode="json"),
        }
    )


def _sha256(value: dict[str, Any]) -> str:
    """Over canonical JSON: sorted keys, no spaces, UTF-8."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return sha256(text.encode()).hexdigest()
