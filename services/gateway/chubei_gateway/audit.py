"""Verbs over the audit: who did what, when, with which outcome.

A row is written with its act, in the same transaction. Rows do not form a chain by themselves, so that
writers do not wait for each other; batches of committed rows can be sealed afterwards in a table of their own.
"""

from chubei_shared.contracts.identity import AuditPage, AuditRow
from chubei_shared.telemetry import request_id
from sqlalchemy import select
from sqlalchemy.orm import Session

from chubei_gateway.tables import AuditEntry


def record(session: Session, subject: str, act: str, target: str, outcome: int = 200) -> None:
    """Add one act of this request; `outcome` is an HTTP status."""
    session.add(
        AuditEntry(
            subject=subject, act=act, target=target, outcome=outcome, request_id=request_id.get() or "-"
        )
    )


def page(
    session: Session, subject: str | None, act: str | None, before_id: int | None, limit: int
) -> AuditPage:
    """The newest acts first, of one subject and one kind where given, with ids below `before_id`."""
    query = select(AuditEntry).order_by(AuditEntry.id.desc()).limit(limit + 1)
    if subject is not None:
        query = query.where(AuditEntry.subject == subject)
    if act is not None:
        query = query.where(AuditEntry.act == act)
    if before_id is not None:
        query = query.where(AuditEntry.id < before_id)
    found = session.scalars(query).all()
    rows = [
        AuditRow(
            id=e.id,
            at=e.at,
            subject=e.subject,
            act=e.act,
            target=e.target,
            outcome=e.outcome,
            request_id=e.request_id,
        )
        for e in found[:limit]
    ]
    return AuditPage(rows=rows, next_cursor=str(rows[-1].id) if len(found) > limit else None)
