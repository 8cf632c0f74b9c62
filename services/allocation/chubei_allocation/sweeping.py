"""The sweeper: finds what a crash or an outage left lying, and sets it going again. Running it twice is harmless."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from chubei_shared import jobs
from chubei_shared.contracts.orders import StepState
from chubei_shared.contracts.plans import PlanStatus
from chubei_shared.db import Transactions
from chubei_shared.errors import AppError, Unavailable
from chubei_shared.telemetry import log
from sqlalchemy import select
from sqlalchemy.orm import Session

from chubei_allocation import approval, plan_requests, steps, tables
from chubei_allocation.inventory_gate import InventoryGate

STALE = timedelta(seconds=5)
_QUEUED_FOR = timedelta(seconds=10)
_AT_ONCE = 20


def sweep(tx: Transactions, inventory: InventoryGate) -> None:
    """Wake workers for stranded requests; bring stuck approvals and steps to their outcome.

    One that can not be brought there does not keep the others waiting.
    """
    tx(wake_stranded)
    for advance, stuck in ((approval.advance, tx(stuck_approvals)), (steps.advance, tx(stuck_steps))):
        for row_id in stuck:
            try:
                advance(tx, inventory, row_id)
            except Unavailable as error:
                log.warning("sweep waits for inventory", extra={"id": str(row_id), "error": error.detail_en})
                if isinstance(error.__cause__, Unavailable):
                    return  # it is away for all of them, not failing at this one
            except AppError as error:  # an outcome too: refused
                log.info("resumed and refused", extra={"id": str(row_id), "error": error.detail_en})
            except Exception:
                log.exception("sweep can not resume", extra={"id": str(row_id)})


def wake_stranded(session: Session) -> None:
    for request_id in jobs.stranded(session, tables.PlanRequest, _QUEUED_FOR):
        plan_requests.wake(session, request_id)


def stuck_approvals(session: Session) -> list[UUID]:
    return list(
        session.scalars(
            select(tables.Plan.id)
            .where(
                tables.Plan.status == PlanStatus.APPROVING,
                tables.Plan.decided_at < datetime.now(UTC) - STALE,
            )
            .order_by(tables.Plan.decided_at)
            .limit(_AT_ONCE)
        )
    )


def stuck_steps(session: Session) -> list[UUID]:
    return list(
        session.scalars(
            select(tables.OrderStep.id)
            .where(
                tables.OrderStep.state == StepState.PENDING,
                tables.OrderStep.recorded_at < datetime.now(UTC) - STALE,
            )
            .order_by(tables.OrderStep.recorded_at)
            .limit(_AT_ONCE)
        )
    )
