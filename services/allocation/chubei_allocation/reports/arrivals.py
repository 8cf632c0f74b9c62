"""The verb that books what the city sent against the request for it. The stock itself moves in inventory."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from chubei_shared import outbox
from chubei_shared.contracts import reports as contract
from chubei_shared.contracts.reports import ReportKind, ReportStatus, ReportView, Told
from chubei_shared.errors import Conflict, Invalid
from chubei_shared.state_words import zh
from chubei_shared.tokens import Caller
from sqlalchemy.orm import Session

from chubei_allocation import locks
from chubei_allocation.incidents import incidents
from chubei_allocation.reports import reports, views
from chubei_allocation.reports.tables import Arrival, Report

_CLOCK_SLACK = timedelta(minutes=5)


def book(session: Session, report_id: UUID, body: contract.Arrival, caller: Caller) -> ReportView:
    """The same again is the same arrival. Raises Conflict, Invalid, NotFound."""
    report = reports.get(session, report_id, lock=True)
    locks.one_at_a_time(session, body.id)
    told = body.model_dump(mode="json")
    if known := session.get(Arrival, body.id):
        if (known.report_id, known.body) != (report_id, told):
            raise Conflict(
                f"编号 {body.id} 已用于另一到货,请换新编号",
                f"Id {body.id} is another arrival's: mint a new one",
            )
        return views.show(session, report_id)
    _check(session, report, body)
    session.add(
        Arrival(
            id=body.id,
            report_id=report_id,
            item_code=body.item_code,
            quantity=body.quantity,
            arrived_at=body.arrived_at,
            recorded_at=datetime.now(UTC),
            recorded_by=caller.person,
            body=told,
        )
    )
    session.flush()
    outbox.enqueue(
        session,
        "report.arrival",
        {
            "report_id": str(report_id),
            "incident_id": str(report.incident_id),
            "item_code": body.item_code,
            "quantity": body.quantity,
            "exercise": report.exercise,
        },
    )
    return views.show(session, report_id)


def _check(session: Session, report: Report, body: contract.Arrival) -> None:
    if report.kind != ReportKind.CITY_REQUEST or report.status != ReportStatus.SIGNED:
        raise Conflict(
            "只有已签发的向市里的请求才登记到货;"
            f"此报告是{zh(ReportKind, report.kind)}、{zh(ReportStatus, report.status)}",
            f"Only a signed city_request has arrivals: this is a {report.kind}, {report.status}; "
            "book it against the version in force",
        )
    asked = Told.model_validate(report.told).request
    if asked and body.item_code not in {line.item_code for line in asked.lines}:
        raise Invalid(
            f"item_code:请求中没有 {body.item_code};请核对,或出新版请求",
            f"item_code: {body.item_code} was not asked for: correct it, or make a new version of the request",
        )
    incident = incidents.get(session, report.incident_id)
    if body.arrived_at < incident.occurred_at:
        raise Invalid(
            "arrived_at:早于事件发生,请核对时间", "arrived_at: is before the incident: correct the time"
        )
    if not incident.exercise and body.arrived_at > datetime.now(UTC) + _CLOCK_SLACK:
        raise Invalid("arrived_at:在将来,请核对时间", "arrived_at: lies in the future: correct the time")
