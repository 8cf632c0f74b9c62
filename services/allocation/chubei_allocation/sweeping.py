"""The sweeper: finds what a crash or an outage left lying, and sets it going again. Running it twice is harmless."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from chubei_shared import jobs
from chubei_shared.contracts.orders import StepState
from chubei_shared.contracts.plans import PlanStatus
from chubei_shared.db import Transactions
from chubei_shared.errors import AppError, Unavailable
from chubei_shared.telemetry import log
from chubei_shared.tokens import Caller
from sqlalchemy import select
from sqlalchemy.orm import Session

from chubei_allocation import reminders, tables
from chubei_allocation.approval import approval, closing
from chubei_allocation.dispatch import steps
from chubei_allocation.exercises import exercises
from chubei_allocation.inventory_gate import InventoryGate
from chubei_allocation.oral_orders import oral_orders
from chubei_allocation.plans import plan_requests
from chubei_allocation.readiness import runs
from chubei_allocation.replanning import proposals
from chubei_allocation.reports import hourly
from chubei_allocation.response import opening
from chubei_allocation.response import steps as task_steps
from chubei_allocation.shelters import records

STALE = timedelta(seconds=5)
_QUEUED_FOR = timedelta(seconds=10)
_AT_ONCE = 20


def propose(tx: Transactions, default_limit_s: int) -> None:
    """Ask for a replan where what happened calls for one (replanning/proposals.py). A person approves it, or not."""
    for incident_id in tx(proposals.candidates):
        try:
            tx(proposals.propose, incident_id, default_limit_s)
        except AppError as error:
            log.info("no replan proposed", extra={"id": str(incident_id), "error": error.detail_en})
        except Exception:
            log.exception("can not look whether to replan", extra={"id": str(incident_id)})


def sweep(tx: Transactions, inventory: InventoryGate) -> None:
    """Wake workers for stranded requests; raise what is overdue; bring stuck approvals and steps to their outcome;
    give back what ended incidents hold.

    One that can not be brought there does not keep the others waiting.
    """
    tx(wake_stranded)
    give_out_tasks(tx)
    play_scripts(tx)
    draft_reports(tx, inventory)
    raise_overdue(tx)
    for advance, stuck in (
        (approval.advance, tx(stuck_approvals)),
        (closing.close, tx(closing.candidates)),
        (steps.advance, tx(stuck_steps)),
        (records.advance, tx(records.stuck)),
    ):
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


def draft_reports(tx: Transactions, inventory: InventoryGate) -> None:
    """The hourly report of incidents that go on, as a draft."""
    try:
        hourly.draft_due(tx, inventory, datetime.now(UTC))
    except AppError as error:
        log.info("no hourly report drafted", extra={"error": error.detail_en})
    except Exception:
        log.exception("sweep can not draft reports")


def play_scripts(tx: Transactions) -> None:
    """Injects of exercises on the wall's clock, when their minute has come."""
    for incident_id, minute, leader in tx(exercises.by_the_wall):
        try:
            exercises.advance(tx, incident_id, minute, Caller(leader, frozenset()))
        except AppError as error:
            log.info("script not played", extra={"id": str(incident_id), "error": error.detail_en})
        except Exception:
            log.exception("can not play the script", extra={"id": str(incident_id)})


def give_out_tasks(tx: Transactions) -> None:
    """Tasks of incidents that have none at their level; those that nobody acknowledged go to the post above."""
    for incident_id in tx(opening.candidates):
        try:
            tx(opening.open_for, incident_id)
        except Exception:
            log.exception("sweep can not give out tasks", extra={"id": str(incident_id)})
    while tx(task_steps.escalate):
        pass


def raise_overdue(tx: Transactions) -> None:
    """Papers of oral orders and confirmations that are overdue: told once each."""
    for verb in (oral_orders.raise_overdue, reminders.of_confirmations):
        try:
            while tx(verb):
                pass
        except Exception:
            log.exception("sweep can not raise what is overdue")


def remind(tx: Transactions) -> None:
    """Tell of late headcounts, and of replans that wait for a decision. It reads every incident: a minute will do."""
    for incident_id in tx(reminders.under_way):
        try:
            tx(reminders.remind, incident_id)
        except Exception:
            log.exception("can not remind", extra={"id": str(incident_id)})


def wake_stranded(session: Session) -> None:
    for request_id in jobs.stranded(session, tables.PlanRequest, _QUEUED_FOR):
        plan_requests.wake(session, request_id)
    runs.ask_for_night(session, datetime.now(UTC))
    for run_id in runs.stranded(session, _QUEUED_FOR):
        runs.wake(session, run_id)


def stuck_approvals(session: Session) -> list[UUID]:
    return list(
        session.scalars(
            select(tables.Plan.id)
            .where(
                tables.Plan.status == PlanStatus.APPROVING,
                jobs.long_ago(tables.Plan.decided_at, STALE, datetime.now(UTC)),
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
                jobs.long_ago(tables.OrderStep.recorded_at, STALE, datetime.now(UTC)),
            )
            .order_by(tables.OrderStep.recorded_at)
            .limit(_AT_ONCE)
        )
    )
