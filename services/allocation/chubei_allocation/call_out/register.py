"""Verbs on the register of people to call. What is put again unchanged changes nothing."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from uuid import UUID

from chubei_shared import outbox
from chubei_shared.contracts.call_out import CallDuty, CallRegister, PersonPage, PersonView
from chubei_shared.cursors import cursor_of, key_of, name
from chubei_shared.errors import Invalid, NotFound
from chubei_shared.tokens import Caller, Role
from sqlalchemy import select, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from chubei_allocation import locks
from chubei_allocation.call_out import tables
from chubei_allocation.tables import LoadingSite, Shelter, VehicleType

_REGISTER = UUID("0f6f9a0c-6f0e-4a0b-8f57-9b7d2f8e4d21")
CALLERS = frozenset({Role.ADMIN, Role.COMMANDER, Role.CLERK})
"""Who needs the phones: who keeps the register, and who calls."""


def put(session: Session, register: CallRegister) -> int:
    """Create or replace all who are named, or nobody; how many are now other than before. Raises Invalid."""
    locks.one_at_a_time(session, _REGISTER)  # two that bring the same new person see each other
    people = register.people
    keepers = {one.place_id for one in people if one.duty is CallDuty.SHELTER}
    others = {one.place_id for one in people if one.duty is not CallDuty.SHELTER}
    _check_known(session, "place_id", others, LoadingSite.place_id)
    _check_known(session, "place_id", keepers, Shelter.id)
    driven = {one.vehicle_type_id for one in people if one.vehicle_type_id is not None}
    _check_known(session, "vehicle_type_id", driven, VehicleType.id)
    ids = [one.id for one in people]
    found = session.scalars(select(tables.Person).where(tables.Person.id.in_(ids)))
    known = {row.id: row for row in found}
    changed = 0
    for person in people:
        row = known.get(person.id)
        told = person.model_dump(mode="json")
        if row is not None and all(getattr(row, column) == value for column, value in told.items()):
            continue
        if row is None:
            session.add(row := tables.Person(id=person.id))
        for column, value in told.items():
            setattr(row, column, value)
        row.left_at = None if person.active else row.left_at or datetime.now(UTC)
        changed += 1
    session.flush()
    if changed:
        outbox.enqueue(session, "call_register.changed", {"rows": changed})
    return changed


def _check_known(session: Session, field: str, named: Iterable[str], key: InstrumentedAttribute[str]) -> None:
    wanted = set(named)
    unknown = sorted(wanted - set(session.scalars(select(key).where(key.in_(wanted)))))
    if unknown:
        names = ", ".join(unknown)
        raise Invalid(
            f"{field}:没有 {names},请核对编号,或先录入装车点、安置点与车型",
            f"{field}: there is no {names}: correct the id, or put the loading site, shelter or vehicle type first",
            errors=[{"field": field, "problem": f"unknown: {names}", "remedy": "GET /v1/network"}],
        )


def show(session: Session, person_id: str, caller: Caller) -> PersonView:
    """Raises NotFound."""
    row = session.get(tables.Person, person_id)
    if row is None:
        raise NotFound(f"点名册中没有 {person_id}", f"Nobody on the register is {person_id}")
    return view(row, caller)


def listed(
    session: Session,
    caller: Caller,
    place_id: str | None,
    duty: CallDuty | None,
    active: bool | None,
    cursor: str | None,
    limit: int,
) -> PersonPage:
    """The register by id."""
    row = tables.Person
    query = select(row).order_by(row.id)
    for column, wanted in ((row.place_id, place_id), (row.duty, duty), (row.active, active)):
        if wanted is not None:
            query = query.where(column == wanted)
    if after := key_of(cursor, name):
        query = query.where(row.id > after[0])
    found = session.scalars(query.limit(limit + 1)).all()
    following = cursor_of(found[limit - 1].id) if len(found) > limit else None
    return PersonPage(rows=[view(one, caller) for one in found[:limit]], next_cursor=following)


def view(row: tables.Person, caller: Caller) -> PersonView:
    shown = PersonView.model_validate(row, from_attributes=True)
    return shown.model_copy(update={"phone": phone(row.phone, caller)})


def forget(session: Session, keep: timedelta) -> int:
    """Forget the phones of those who left the register longer ago; how many. Sheets go on naming whom they called."""
    row = tables.Person
    over = update(row).where(row.left_at <= datetime.now(UTC) - keep, row.phone != "").values(phone="")
    return len(session.scalars(over.returning(row.id)).all())


def phone(number: str, caller: Caller) -> str:
    """In full for those who call; its first and last digits for the others."""
    if not number or caller.roles & CALLERS:
        return number
    return f"{number[:3]}****{number[-4:]}" if len(number) > 9 else "****"
