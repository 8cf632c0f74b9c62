"""Oral orders as they are read."""

from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

from chubei_shared.contracts.oral_orders import AccountView, OralOrderPage, OralOrderView, OralState
from sqlalchemy import select
from sqlalchemy.orm import Session

from chubei_allocation import pages
from chubei_allocation import tables as base
from chubei_allocation.oral_orders import rules, tables


def listed(
    session: Session,
    incident_id: UUID | None,
    still_open: bool,
    overdue: bool,
    cursor: str | None,
    limit: int,
) -> OralOrderPage:
    """The latest first; `still_open`: whose papers or accounts are missing; `overdue`: whose papers are."""
    row = tables.OralOrder
    query = select(row)
    if incident_id:
        query = query.where(row.incident_id == incident_id)
    if still_open:
        query = query.where(row.closed_at.is_(None))
    if overdue:
        query = query.where(row.papers_at.is_(None), row.papers_due_at < datetime.now(UTC))
    found, following = pages.latest(session, query, row.recorded_at, row.id, cursor, limit)
    return OralOrderPage(rows=of(session, found), next_cursor=following)


def state(session: Session, row: tables.OralOrder) -> OralState:
    return rules.state(row.papers_at is not None, row.break_glass, len(_accounts(session, [row.id])[row.id]))


def of(session: Session, rows: Sequence[tables.OralOrder]) -> list[OralOrderView]:
    accounts = _accounts(session, [row.id for row in rows])
    plans = {
        plan.id: (plan.status, plan.exercise)
        for plan in session.execute(
            select(base.Plan.id, base.Plan.status, base.Incident.exercise)
            .join(base.Incident, base.Incident.id == base.Plan.incident_id)
            .where(base.Plan.id.in_([row.plan_id for row in rows]))
        )
    }
    now = datetime.now(UTC)
    return [_view(row, *plans[row.plan_id], accounts[row.id], now) for row in rows]


def _accounts(session: Session, order_ids: Sequence[UUID]) -> dict[UUID, list[AccountView]]:
    row = tables.OralOrderAccount
    query = select(row).where(row.oral_order_id.in_(order_ids)).order_by(row.accounted_at, row.person)
    found: dict[UUID, list[AccountView]] = {order_id: [] for order_id in order_ids}
    for one in session.scalars(query):
        found[one.oral_order_id].append(
            AccountView(person=one.person, finding=one.finding, accounted_at=one.accounted_at)
        )
    return found


def _view(
    row: tables.OralOrder, status: str, exercise: bool, accounts: list[AccountView], now: datetime
) -> OralOrderView:
    there = row.papers_at is not None
    return OralOrderView(
        id=row.id,
        plan_id=row.plan_id,
        plan_status=status,
        incident_id=row.incident_id,
        exercise=exercise,
        given_by=row.given_by,
        post_id=row.post_id,
        tier=row.tier,
        how=row.how,
        given_at=row.given_at,
        witness=row.witness,
        note=row.note,
        break_glass=row.break_glass,
        reason=row.reason,
        recorded_by=row.recorded_by,
        recorded_at=row.recorded_at,
        state=rules.state(there, row.break_glass, len(accounts)),
        papers_due_at=row.papers_due_at,
        minutes_left=rules.minutes_left(there, row.papers_due_at, now),
        overdue=rules.overdue(there, row.papers_due_at, now),
        document_no=row.document_no,
        papers_by=row.papers_by,
        papers_at=row.papers_at,
        papers_note=row.papers_note,
        accounts=accounts,
        accounts_needed=max(0, rules.ACCOUNTS - len(accounts)) if row.break_glass else 0,
        closed_at=row.closed_at,
    )
