"""An incident that has ended holds nothing without an owner.

    approved --the incident ends--> orders not begun are withdrawn --the last trip is over--> the hold is given back

Trips under way go on, and what they have yet to load stays held. The sweeper asks: before, in and after each of the
two steps a crash leads to the same end, and an approval that came through just then is closed like any other.
Exercises with books of their own hold nothing that anybody else could want.
"""

from datetime import UTC, datetime
from uuid import UUID

from chubei_shared import outbox
from chubei_shared.contracts.amendments import IncidentStatus
from chubei_shared.contracts.orders import OrderStatus, StepKind, StepState
from chubei_shared.contracts.plans import PlanStatus
from chubei_shared.db import Transactions
from sqlalchemy import select
from sqlalchemy.orm import Session

from chubei_allocation import tables
from chubei_allocation.dispatch import moves, orders, under_way
from chubei_allocation.exercise_books.tables import Book
from chubei_allocation.incidents import incidents
from chubei_allocation.incidents.tables import Amendment
from chubei_allocation.inventory_gate import InventoryGate
from chubei_allocation.plans import plans

_AT_ONCE = 20


def candidates(session: Session) -> list[UUID]:
    """Plans in force of incidents that have ended, for which something may still be held."""
    ended = select(Amendment.id).where(
        Amendment.incident_id == tables.Plan.incident_id, Amendment.kind == "ended"
    )
    apart = select(Book.incident_id).where(Book.incident_id == tables.Plan.incident_id)
    found = session.scalars(
        select(tables.Plan)
        .where(
            tables.Plan.status == PlanStatus.APPROVED,
            tables.Plan.closed_at.is_(None),
            ended.exists(),
            ~apart.exists(),
        )
        .order_by(tables.Plan.decided_at)
        .limit(_AT_ONCE)
    )
    return [plan.id for plan in found if _has_ended(session, plan.incident_id)]


def close(tx: Transactions, inventory: InventoryGate, plan_id: UUID) -> None:
    """Withdraw what has not begun; when no trip is under way, release the hold. Raises as inventory does."""
    held = tx(_withdraw, plan_id)
    if held is None:
        return
    person, hold_id = held
    with inventory.client(person) as client:
        client.release(hold_id)
    tx(_close, plan_id)


def _has_ended(session: Session, incident_id: UUID) -> bool:
    return incidents.standing_now(session, incidents.get(session, incident_id)).status is IncidentStatus.ENDED


def _withdraw(session: Session, plan_id: UUID) -> tuple[str, UUID] | None:
    """Who approved, and the hold that nothing needs any more; None while a trip goes on, or a person has changed it."""
    plan = plans.get(session, plan_id)
    session.get(tables.Incident, plan.incident_id, with_for_update=True)  # no approval meanwhile
    session.refresh(plan)
    if plan.status != PlanStatus.APPROVED or plan.closed_at or not _has_ended(session, plan.incident_id):
        return None
    left = 0
    for order in under_way.of_incident(session, plan.incident_id):
        session.refresh(order, with_for_update=True)
        if order.status == OrderStatus.DONE:
            continue
        steps = orders.steps_of(session, order.id)
        if moves.may_change(
            (step.stop, StepKind(step.step)) for step in steps if step.state != StepState.REFUSED
        ):
            orders.withdraw(session, order)
        else:
            left += 1
    if left or plan.decided_by is None or plan.hold_id is None or _being_replaced(session, plan_id):
        return None
    return plan.decided_by, plan.hold_id


def _being_replaced(session: Session, plan_id: UUID) -> bool:
    """A replan that is being approved takes over what is held."""
    asked = select(tables.Plan.id).where(
        tables.Plan.replaces == plan_id, tables.Plan.status == PlanStatus.APPROVING
    )
    return session.scalar(asked) is not None


def _close(session: Session, plan_id: UUID) -> None:
    plan = plans.get(session, plan_id)
    session.refresh(plan, with_for_update=True)
    if plan.closed_at is None:
        plan.closed_at = datetime.now(UTC)
        outbox.enqueue(
            session, "plan.closed", {"plan_id": str(plan_id), "incident_id": str(plan.incident_id)}
        )
