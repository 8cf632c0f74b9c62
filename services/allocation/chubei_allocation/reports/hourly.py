"""The hourly report by itself: a draft for each incident that goes on, once in every hour since it was declared."""

from datetime import datetime, timedelta
from uuid import UUID, uuid5

from chubei_shared.contracts.amendments import IncidentStatus
from chubei_shared.contracts.reports import ReportKind, ReportRequest
from chubei_shared.db import Transactions
from chubei_shared.tokens import Caller
from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from chubei_allocation import tables
from chubei_allocation.incidents import incidents
from chubei_allocation.inventory_gate import InventoryGate
from chubei_allocation.reports import reports
from chubei_allocation.reports.tables import Report

SYSTEM = "system"
_HOURLY = UUID("5d0e2a7c-64b1-4c3b-9d7e-2f6a9c1b8e03")
_HOUR = timedelta(hours=1)
_FOR = timedelta(hours=24)
_AT_ONCE = 20


def draft_due(tx: Transactions, inventory: InventoryGate, now: datetime) -> int:
    """Draft what is due now, for people to edit and sign; how many. Twice in an hour is once. Missed hours stay missed:
    nobody can say any more what the books were then.
    """
    due = tx(_due, now)
    for incident_id, report_id in due:
        body = ReportRequest(id=report_id, kind=ReportKind.HOURLY)
        reports.draft(tx, inventory, incident_id, body, Caller(SYSTEM, frozenset()))
    return len(due)


def _due(session: Session, now: datetime) -> list[tuple[UUID, UUID]]:
    """Incidents with nobody's hourly report in this hour, and the id that the draft is to have."""
    incident = tables.Incident
    found = session.scalars(
        select(incident)
        .where(~incident.exercise, incident.occurred_at > now - _FOR, incident.declared_at <= now - _HOUR)
        .order_by(incident.declared_at)
        .limit(_AT_ONCE)
    )
    due = []
    for row in found:
        hour = int((now - row.declared_at) / _HOUR)
        there = exists().where(
            Report.incident_id == row.id,
            Report.kind == ReportKind.HOURLY,
            Report.drafted_at >= row.declared_at + hour * _HOUR,
        )
        report_id = uuid5(_HOURLY, f"{row.id}:{hour}")
        if session.scalar(select(there)) or session.get(Report, report_id):
            continue
        if incidents.view(session, row).status is not IncidentStatus.ENDED:
            due.append((row.id, report_id))
    return due
