"""Verbs on one person of a sheet: called, answered, come. Several callers at once see each other's steps."""

from datetime import UTC, datetime
from uuid import UUID

from chubei_shared import outbox
from chubei_shared.contracts.call_out import (
    CallChange,
    CallDuty,
    CallRecord,
    CallState,
    CallStep,
    CallView,
)
from chubei_shared.errors import Conflict, NotFound
from chubei_shared.state_words import zh
from chubei_shared.tokens import Caller
from sqlalchemy import select
from sqlalchemy.orm import Session

from chubei_allocation import locks
from chubei_allocation.call_out import register, rules, tables
from chubei_allocation.incidents import incidents
from chubei_allocation.tables import Incident


def step(session: Session, call_id: UUID, body: CallStep, caller: Caller) -> CallRecord:
    """Write down what was heard or seen; the person as it is afterwards. Raises NotFound, Conflict."""
    locks.one_at_a_time(session, body.id)
    call = _get(session, call_id)
    session.refresh(call, with_for_update=True)
    told = body.model_dump(mode="json")
    if known := session.get(tables.Change, body.id):
        if known.call_id != call_id or known.body != told:
            raise Conflict(
                f"编号 {body.id} 已用于另一步骤,请换新编号",
                f"Id {body.id} is another step's: mint a new one",
            )
        return show(session, call_id, caller)
    state = rules.after(CallState(call.state), body.move)
    if state is None:
        raise Conflict(
            f"{call.name} 已由 {call.state_by} 记为{zh(CallState, call.state)},不能再这样登记",
            f"{call.name} is {call.state} already, by {call.state_by}: can not be moved by {body.move}",
            state=call.state,
            state_by=call.state_by,
        )
    incident, now = incidents.get(session, call.incident_id), datetime.now(UTC)
    expected_min = _expected_min(incident, call, body, now) if state is CallState.ANSWERED else None
    call.state, call.state_at, call.state_by, call.expected_min = state, now, caller.person, expected_min
    session.add(
        tables.Change(
            id=body.id,
            call_id=call_id,
            body=told,
            move=body.move,
            state=state,
            expected_min=expected_min,
            note=body.note,
            at=now,
            by=caller.person,
        )
    )
    session.flush()
    outbox.enqueue(
        session,
        "call_out.changed",
        {
            "incident_id": str(call.incident_id),
            "call_id": str(call_id),
            "state": state,
            "exercise": incident.exercise,
        },
    )
    return show(session, call_id, caller)


def _expected_min(incident: Incident, call: tables.Call, body: CallStep, now: datetime) -> int:
    """As said, or by the usual time from now on."""
    if body.expected_min is not None:
        return body.expected_min
    return max(0, int((now - incident.occurred_at).total_seconds() // 60)) + call.arrive_min


def _get(session: Session, call_id: UUID) -> tables.Call:
    """Raises NotFound."""
    call = session.get(tables.Call, call_id)
    if call is None:
        raise NotFound(f"没有点名记录 {call_id}", f"There is no call {call_id}")
    return call


def show(session: Session, call_id: UUID, caller: Caller) -> CallRecord:
    """One person of a sheet, with all that was heard. Raises NotFound."""
    call = _get(session, call_id)
    incident = incidents.get(session, call.incident_id)
    person = session.get_one(tables.Person, call.person_id)
    row = tables.Change
    history = session.scalars(select(row).where(row.call_id == call_id).order_by(row.serial))
    return CallRecord(
        **_view(call, person, incident, caller, datetime.now(UTC)).model_dump(),
        history=[CallChange.model_validate(_columns(one)) for one in history],
    )


def _columns(row: tables.Change) -> dict[str, object]:
    return {field: getattr(row, field) for field in CallChange.model_fields}


def of_incident(session: Session, incident: Incident, caller: Caller) -> list[CallView]:
    """Everyone on the sheet, by place, duty and name."""
    call, person, now = tables.Call, tables.Person, datetime.now(UTC)
    found = session.execute(
        select(call, person)
        .join(person, person.id == call.person_id)
        .where(call.incident_id == incident.id)
        .order_by(call.place_id, call.duty, call.person_id)
    )
    return [_view(row, who, incident, caller, now) for row, who in found]


def _view(
    call: tables.Call, person: tables.Person, incident: Incident, caller: Caller, now: datetime
) -> CallView:
    state = CallState(call.state)
    return CallView(
        id=call.id,
        incident_id=call.incident_id,
        exercise=incident.exercise,
        person_id=call.person_id,
        name=call.name,
        duty=CallDuty(call.duty),
        place_id=call.place_id,
        vehicle_type_id=call.vehicle_type_id,
        phone=register.phone(person.phone, caller),
        arrive_min=call.arrive_min,
        state=state,
        state_at=call.state_at,
        state_by=call.state_by,
        expected_min=call.expected_min,
        overdue=rules.overdue(state, call.state_at, call.answer_within_min, now),
    )
