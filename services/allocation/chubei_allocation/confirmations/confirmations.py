"""Confirmations read: by people, and by a plan."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

from chubei_shared.contracts.base import Mode
from chubei_shared.contracts.confirmations import (
    AskedItem,
    ConfirmationAnswerView,
    ConfirmationCounts,
    ConfirmationList,
    ConfirmationState,
    ConfirmationView,
)
from chubei_shared.errors import NotFound
from sqlalchemy import select
from sqlalchemy.orm import Session

from chubei_allocation import turnout
from chubei_allocation.confirmations import rules, tables
from chubei_allocation.incidents import incidents
from chubei_allocation.tables import Incident
from chubei_allocation.turnout import Reply


def get(session: Session, confirmation_id: UUID) -> tables.Confirmation:
    """Raises NotFound."""
    row = session.get(tables.Confirmation, confirmation_id)
    if row is None:
        raise NotFound(f"没有询问 {confirmation_id}", f"There is no confirmation {confirmation_id}")
    return row


def show(session: Session, confirmation_id: UUID) -> ConfirmationView:
    return view(session, get(session, confirmation_id))


def view(session: Session, row: tables.Confirmation) -> ConfirmationView:
    return _views(session, incidents.get(session, row.incident_id), [row])[0]


def listed(session: Session, incident_id: UUID) -> ConfirmationList:
    """All of an incident, by place. Raises NotFound."""
    incident = incidents.get(session, incident_id)
    rows = _views(session, incident, _of(session, incident_id))
    states = [(row.state, row.overdue) for row in rows]
    return ConfirmationList(
        incident_id=incident_id,
        exercise=incident.exercise,
        minutes_left=incidents.minutes_left(incident),
        counts=ConfirmationCounts(
            overdue=states.count((ConfirmationState.ASKED, True)),
            **{state.value: states.count((state, False)) for state in ConfirmationState},
        ),
        rows=rows,
    )


def replies(session: Session, incident_id: UUID) -> tuple[turnout.Confirmation, ...]:
    """What a plan is to count, of those that were asked and not released."""
    now = datetime.now(UTC)
    return tuple(
        turnout.Confirmation(
            place_id=row.place_id,
            reply=_reply(row, now),
            units={(item.item_code, Mode(item.mode)): 0 for item in items_of(row)}
            | {(line["item_code"], Mode(line["mode"])): line["quantity"] for line in row.lines},
            ready_min=row.ready_min,
        )
        for row in _of(session, incident_id)
        if row.state != ConfirmationState.RELEASED
    )


def _reply(row: tables.Confirmation, now: datetime) -> Reply:
    state = ConfirmationState(row.state)
    if state is ConfirmationState.ASKED:
        return Reply.OVERDUE if rules.overdue(state, row.due_at, now) else Reply.WAITING
    return Reply(state.value)


def items_of(row: tables.Confirmation) -> list[AskedItem]:
    return [AskedItem.model_validate(item) for item in row.items]


def _of(session: Session, incident_id: UUID) -> list[tables.Confirmation]:
    row = tables.Confirmation
    return list(
        session.scalars(
            select(row).where(row.incident_id == incident_id).order_by(row.place_id, row.asked_at, row.id)
        )
    )


def _views(
    session: Session, incident: Incident, rows: Sequence[tables.Confirmation]
) -> list[ConfirmationView]:
    answer, now = tables.Answer, datetime.now(UTC)
    by_row: dict[UUID, list[tables.Answer]] = defaultdict(list)
    ids = [row.id for row in rows]
    for one in session.scalars(select(answer).where(answer.confirmation_id.in_(ids)).order_by(answer.serial)):
        by_row[one.confirmation_id].append(one)
    return [_view(incident, row, by_row[row.id], now) for row in rows]


def _view(
    incident: Incident, row: tables.Confirmation, answers: list[tables.Answer], now: datetime
) -> ConfirmationView:
    state = ConfirmationState(row.state)
    return ConfirmationView(
        id=row.id,
        incident_id=incident.id,
        incident_name=incident.name,
        exercise=incident.exercise,
        occurred_at=incident.occurred_at,
        place_id=row.place_id,
        name_zh=row.name_zh,
        name_en=row.name_en,
        asked_at=row.asked_at,
        asked_by=row.asked_by,
        due_at=row.due_at,
        minutes_left=max(0, int((row.due_at - now) / timedelta(minutes=1))),
        state=state,
        overdue=rules.overdue(state, row.due_at, now),
        items=items_of(row),
        history=[
            ConfirmationAnswerView.model_validate(one.body | {"at": one.at, "by": one.by}) for one in answers
        ],
    )
