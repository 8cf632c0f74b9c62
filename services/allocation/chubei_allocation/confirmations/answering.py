"""Verbs on one confirmation: answered by a supplier's link or by command, changed, released; told once when overdue."""

from datetime import UTC, datetime
from uuid import UUID

from chubei_shared import outbox
from chubei_shared.contracts.confirmations import (
    ConfirmationAnswer,
    ConfirmationState,
    ConfirmationView,
)
from chubei_shared.errors import Conflict, Invalid
from chubei_shared.state_words import zh
from chubei_shared.tokens import Caller
from sqlalchemy import select
from sqlalchemy.orm import Session

from chubei_allocation import locks
from chubei_allocation.confirmations import confirmations, rules, tables
from chubei_allocation.incidents import incidents

_AT_ONCE = 100


def answer(
    session: Session, confirmation_id: UUID, body: ConfirmationAnswer, caller: Caller
) -> ConfirmationView:
    """Write an answer down; it takes the place of the one before. Raises NotFound, Invalid, Conflict."""
    locks.one_at_a_time(session, body.id)
    row = _locked(session, confirmation_id)
    told = body.model_dump(mode="json")
    if known := session.get(tables.Answer, body.id):
        if (known.confirmation_id, known.body) != (confirmation_id, told):
            raise Conflict(
                f"编号 {body.id} 已用于另一答复,请换新编号",
                f"Id {body.id} is another answer's: mint a new one",
            )
        return confirmations.view(session, row)
    _move(row, body.answer)
    if body.answer == "confirmed":
        _check_lines(row, body)
    row.lines, row.ready_min = told["lines"], body.ready_min
    session.add(
        tables.Answer(id=body.id, confirmation_id=row.id, body=told, at=datetime.now(UTC), by=caller.person)
    )
    session.flush()
    _tell(session, row, "confirmation.answered")
    return confirmations.view(session, row)


def release(session: Session, confirmation_id: UUID) -> ConfirmationView:
    """Wait for it no more: what inventory says counts again. Releasing again changes nothing. Raises NotFound."""
    row = _locked(session, confirmation_id)
    if row.state != ConfirmationState.RELEASED:
        _move(row, "release")
        session.flush()
        _tell(session, row, "confirmation.released")
    return confirmations.view(session, row)


def tell_overdue(session: Session) -> list[tables.Confirmation]:
    """Tell of those that were not answered in time, each once; some of them at a time, none when all are told."""
    row, now = tables.Confirmation, datetime.now(UTC)
    late = (
        select(row)
        .where(row.state == ConfirmationState.ASKED, row.overdue_told_at.is_(None), row.due_at <= now)
        .order_by(row.due_at)
        .limit(_AT_ONCE)
        .with_for_update(skip_locked=True)
    )
    found = list(session.scalars(late))
    for one in found:
        one.overdue_told_at = now
        _tell(session, one, "confirmation.overdue")
    session.flush()
    return found


def _locked(session: Session, confirmation_id: UUID) -> tables.Confirmation:
    row = confirmations.get(session, confirmation_id)
    session.refresh(row, with_for_update=True)
    return row


def _move(row: tables.Confirmation, move: rules.Move) -> None:
    state = rules.after(ConfirmationState(row.state), move)
    if state is None:
        raise Conflict(
            f"询问{zh(ConfirmationState, row.state)},不能再答复;请联系指挥部",
            f"It is {row.state}: it can not be answered any more, ask command",
            state=row.state,
        )
    row.state = state


def _check_lines(row: tables.Confirmation, body: ConfirmationAnswer) -> None:
    asked = confirmations.items_of(row)
    if wrong := rules.not_as_asked(asked, body.lines):
        names = ", ".join(wrong)
        raise Invalid(
            f"lines:须逐项答复所问物资,不多不少(没有就填 0),请核对 {names}",
            f"lines: answer each item that was asked and no other (0 for none): correct {names}",
            errors=[{"field": "lines", "problem": names, "remedy": "GET /v1/confirmations/{id}"}],
        )
    if over := rules.over(asked, body.lines):
        zh = ";".join(f"{item.name_zh}填了 {units:,},约定的是 {item.quantity:,}" for item, units in over)
        en = "; ".join(f"{item.name_en}: {units:,}, but {item.quantity:,} are agreed" for item, units in over)
        raise Invalid(
            f"lines:{zh}。最多填约定的数量,能多供的写在“还有什么要说”里",
            f"lines: {en}. Confirm at most what is agreed, and say in the note what more there is",
            errors=[
                {
                    "field": "lines",
                    "problem": f"{item.item_code}/{item.mode}: {units}",
                    "remedy": f"最多 / at most {item.quantity}",
                }
                for item, units in over
            ],
        )


def _tell(session: Session, row: tables.Confirmation, topic: str) -> None:
    outbox.enqueue(
        session,
        topic,
        {
            "incident_id": str(row.incident_id),
            "confirmation_id": str(row.id),
            "place_id": row.place_id,
            "state": row.state,
            "exercise": incidents.get(session, row.incident_id).exercise,
        },
    )
