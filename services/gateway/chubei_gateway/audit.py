"""Verbs over the audit: who did what, when, with which outcome.

A row is written with its act, in the same transaction, and sealed afterwards (chubei_shared.seals).
"""

from chubei_shared import audit
from chubei_shared.contracts.identity import AuditPage, AuditRow
from chubei_shared.db import Transactions
from chubei_shared.telemetry import log
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from chubei_gateway.tables import audit_table

SOURCES = (audit.SOURCE,)
"""What is sealed here."""


def record(session: Session, subject: str, act: str, target: str, outcome: int = 200) -> None:
    """Add one act of this request; `outcome` is an HTTP status."""
    audit.record(session, audit.Act(subject, act, target), outcome)


def attempt(tx: Transactions, subject: str, act: str, target: str, outcome: int) -> bool:
    """Record it; an audit that is away does not undo what was done: it is logged then, and the answer is False."""
    target = target.replace("\0", "%00")  # which the database does not take
    try:
        tx(record, subject, act, target, outcome)
    except SQLAlchemyError:
        log.exception(
            "audit away", extra={"subject": subject, "act": act, "target": target, "outcome": outcome}
        )
        return False
    return True


def page(
    session: Session, subject: str | None, act: str | None, before_id: int | None, limit: int
) -> AuditPage:
    """The newest acts first, of one subject and one kind where given, with ids below `before_id`."""
    of = audit_table.c
    query = select(of.id, of.at, of.subject, of.act, of.target, of.outcome, of.request_id, of.reason)
    query = query.order_by(of.id.desc()).limit(limit + 1)
    if subject is not None:
        query = query.where(of.subject == subject)
    if act is not None:
        query = query.where(of.act == act)
    if before_id is not None:
        query = query.where(of.id < before_id)
    found = session.execute(query).all()
    rows = [AuditRow(**row._mapping) for row in found[:limit]]
    return AuditPage(rows=rows, next_cursor=str(rows[-1].id) if len(found) > limit else None)
