"""Verbs on the call-out sheet of an incident: opened by command, read by all, and what it makes of plans."""

from datetime import UTC, datetime
from uuid import UUID, uuid5

from chubei_shared import outbox
from chubei_shared.contracts.call_out import (
    CallDuty,
    CallOutOpening,
    CallOutView,
    CallState,
    OpenCallOut,
)
from chubei_shared.errors import Conflict, Invalid
from chubei_shared.tokens import Caller
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from chubei_allocation import locks
from chubei_allocation.call_out import calls, rules, tables
from chubei_allocation.incidents import incidents
from chubei_allocation.network import network
from chubei_allocation.turnout import Sheet, There


def open_sheet(session: Session, incident_id: UUID, body: OpenCallOut, caller: Caller) -> CallOutView:
    """Put those on the sheet who are not on it yet. Raises NotFound, Invalid, Conflict."""
    incident = incidents.get(session, incident_id)
    locks.one_at_a_time(session, body.id)
    asked = body.model_dump(mode="json")
    if known := session.get(tables.CallOut, body.id):
        if known.incident_id != incident_id or known.body != asked:
            raise Conflict(
                f"编号 {body.id} 已用于另一次点名,请换新编号",
                f"Id {body.id} is another call-out's: mint a new one",
            )
        return show(session, incident_id, caller)
    incidents.check_not_ended(session, incident)
    crew, drivers = _called(session, body)
    opened = tables.CallOut(
        id=body.id,
        incident_id=incident_id,
        body=asked,
        places=sorted({one.place_id for one in crew}),
        vehicle_types=sorted({one.vehicle_type_id for one in drivers if one.vehicle_type_id}),
        opened_at=datetime.now(UTC),
        opened_by=caller.person,
    )
    session.add(opened)
    session.flush()
    new = insert(tables.Call).values([_row(one, opened, body) for one in (*crew, *drivers)])
    session.execute(new.on_conflict_do_nothing(index_elements=["incident_id", "person_id"]))
    told = {"incident_id": str(incident_id), "call_out_id": str(body.id), "exercise": incident.exercise}
    outbox.enqueue(session, "call_out.changed", told)
    return show(session, incident_id, caller)


def _called(session: Session, body: OpenCallOut) -> tuple[list[tables.Person], list[tables.Person]]:
    """Keepers and loaders, and drivers, whom a call-out is for. Raises Invalid where it names who has nobody."""
    person = tables.Person
    called = person.active & (person.duty != CallDuty.SHELTER)
    people = session.scalars(select(person).where(called).order_by(person.id))
    crew, drivers = [], []
    for one in people:
        if one.duty != CallDuty.DRIVER and (body.places is None or one.place_id in body.places):
            crew.append(one)
        if one.vehicle_type_id and (body.vehicle_types is None or one.vehicle_type_id in body.vehicle_types):
            drivers.append(one)
    _check_somebody("places", body.places, {one.place_id for one in crew})
    _check_somebody("vehicle_types", body.vehicle_types, {one.vehicle_type_id for one in drivers})
    if not crew and not drivers:
        raise Invalid(
            "点名册上没有可点名的人,请先录入:PUT /v1/call-register",
            "Nobody on the register can be called: put people first, PUT /v1/call-register",
        )
    return crew, drivers


def _check_somebody(field: str, named: list[str] | None, found: set[str | None] | set[str]) -> None:
    if missing := sorted(set(named or ()) - found):
        names = ", ".join(missing)
        raise Invalid(
            f"{field}:点名册上没有 {names} 的在岗人员,请先录入,或去掉",
            f"{field}: nobody active is registered for {names}: put people first, or leave it out",
            errors=[{"field": field, "problem": f"nobody: {names}", "remedy": "PUT /v1/call-register"}],
        )


def _row(person: tables.Person, opened: tables.CallOut, body: OpenCallOut) -> dict[str, object]:
    return {
        "id": uuid5(opened.incident_id, person.id),
        "incident_id": opened.incident_id,
        "call_out_id": opened.id,
        "person_id": person.id,
        "name": person.name,
        "duty": person.duty,
        "place_id": person.place_id,
        "vehicle_type_id": person.vehicle_type_id,
        "arrive_min": person.arrive_min,
        "answer_within_min": body.answer_within_min,
        "state": CallState.TO_CALL,
        "state_at": opened.opened_at,
        "state_by": opened.opened_by,
    }


def show(session: Session, incident_id: UUID, caller: Caller) -> CallOutView:
    """The sheet as it stands. Raises NotFound."""
    incident = incidents.get(session, incident_id)
    rows = calls.of_incident(session, incident, caller)
    states = [row.state for row in rows]
    return CallOutView(
        incident_id=incident_id,
        exercise=incident.exercise,
        minutes_left=incidents.minutes_left(incident),
        openings=[_opening(row) for row in _openings(session, incident_id)],
        counts={state: states.count(state) for state in CallState},
        overdue=sum(row.overdue for row in rows),
        teams=rules.teams(
            network.read_network(session),
            [rules.OnSheet(r.place_id, r.duty, r.vehicle_type_id, r.state, r.expected_min) for r in rows],
        ),
        rows=rows,
    )


def _openings(session: Session, incident_id: UUID) -> list[tables.CallOut]:
    row = tables.CallOut
    return list(
        session.scalars(select(row).where(row.incident_id == incident_id).order_by(row.opened_at, row.id))
    )


def _opening(row: tables.CallOut) -> CallOutOpening:
    return CallOutOpening(
        id=row.id,
        places=row.places,
        vehicle_types=row.vehicle_types,
        answer_within_min=row.body["answer_within_min"],
        opened_at=row.opened_at,
        opened_by=row.opened_by,
    )


def turned_out(session: Session, incident_id: UUID) -> Sheet | None:
    """Who is there or coming, for a plan; None where nobody was called out."""
    openings = _openings(session, incident_id)
    if not openings:
        return None
    row = tables.Call
    counted = session.scalars(select(row).where(row.incident_id == incident_id, row.state.in_(rules.COUNT)))
    return Sheet(
        places=frozenset(place for opened in openings for place in opened.places),
        vehicle_types=frozenset(kind for opened in openings for kind in opened.vehicle_types),
        there=tuple(_there(one) for one in counted),
    )


def _there(row: tables.Call) -> There:
    duty, state = CallDuty(row.duty), CallState(row.state)
    on_sheet = rules.OnSheet(row.place_id, duty, row.vehicle_type_id, state, row.expected_min)
    return There(
        duty, row.place_id, row.vehicle_type_id, on_sheet.from_min, present=state is CallState.PRESENT
    )
