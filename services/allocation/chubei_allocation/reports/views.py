"""Reports as they are read."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

from chubei_shared.contracts import reports as contract
from chubei_shared.contracts.reports import (
    ArrivalView,
    Facts,
    ReportKind,
    ReportPage,
    ReportStatus,
    ReportSummary,
    ReportView,
    RequestAccount,
    Told,
)
from chubei_shared.errors import NotFound
from sqlalchemy import select
from sqlalchemy.orm import Session

from chubei_allocation import pages
from chubei_allocation.incidents import incidents
from chubei_allocation.reports.tables import Arrival, Report


def show(session: Session, report_id: UUID) -> ReportView:
    """Raises NotFound."""
    report = session.get(Report, report_id)
    if report is None:
        raise NotFound(f"没有报告 {report_id}", f"There is no report {report_id}")
    told, found = Told.model_validate(report.told), Facts.model_validate(report.facts)
    came = arrivals(session, report.number) if told.request else []
    return ReportView(
        **dict(_summary(report)), facts=found, told=told, account=_account(told, found, came), arrivals=came
    )


def listed(
    session: Session, incident_id: UUID, kind: ReportKind | None, cursor: str | None, limit: int
) -> ReportPage:
    """Of an incident, the latest first. Raises NotFound."""
    incidents.get(session, incident_id)
    query = select(Report).where(Report.incident_id == incident_id)
    if kind:
        query = query.where(Report.kind == kind)
    found, following = pages.latest(session, query, Report.drafted_at, Report.id, cursor, limit)
    return ReportPage(rows=[_summary(report) for report in found], next_cursor=following)


def arrivals(session: Session, number: str) -> list[ArrivalView]:
    """What came on a request, whichever of its versions it was booked against, as it was recorded."""
    found = session.scalars(
        select(Arrival)
        .join(Report, Report.id == Arrival.report_id)
        .where(Report.number == number)
        .order_by(Arrival.serial)
    )
    return [
        ArrivalView(
            **contract.Arrival.model_validate(row.body).model_dump(),
            report_id=row.report_id,
            recorded_at=row.recorded_at,
            recorded_by=row.recorded_by,
        )
        for row in found
    ]


def _account(told: Told, found: Facts, came: Sequence[ArrivalView]) -> list[RequestAccount]:
    """What was asked and what came of it; also what came though this version does not ask for it any more."""
    asked = {line.item_code: line.quantity for line in told.request.lines} if told.request else {}
    there: Counter[str] = Counter()
    for row in came:
        there[row.item_code] += row.quantity
    names = found.names()
    return [
        RequestAccount(
            item_code=code,
            name_zh=names.get(code, (code, code))[0],
            name_en=names.get(code, (code, code))[1],
            asked=asked.get(code, 0),
            arrived=there[code],
            open=max(0, asked.get(code, 0) - there[code]),
        )
        for code in sorted({*asked, *there})
    ]


def _summary(report: Report) -> ReportSummary:
    until = report.signed_at or datetime.now(UTC)
    return ReportSummary(
        id=report.id,
        incident_id=report.incident_id,
        exercise=report.exercise,
        kind=ReportKind(report.kind),
        number=report.number,
        version=report.version,
        replaces=report.replaces,
        status=ReportStatus(report.status),
        revision=report.revision,
        title=report.told["title"],
        drafted_at=report.drafted_at,
        drafted_by=report.drafted_by,
        edited_at=report.edited_at,
        edited_by=report.edited_by,
        signed_at=report.signed_at,
        signed_by=report.signed_by,
        data_at=report.data_at,
        data_age_min=max(0, int((until - report.data_at).total_seconds() // 60)),
        facts_hash=report.facts_hash,
        hash=report.hash,
    )
