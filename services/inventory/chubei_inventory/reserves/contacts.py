"""People to call about reserves: their telephones for those who call, and forgotten in time."""

from datetime import UTC, datetime, timedelta
from typing import Final, TypeVar

from chubei_shared.china import day
from chubei_shared.contracts.declarations import Declaration
from chubei_shared.contracts.reserves import Reserve
from chubei_shared.tokens import Caller, Role
from sqlalchemy import update
from sqlalchemy.orm import Session

from chubei_inventory import tables
from chubei_inventory.reserves import tables_declarations as declared

R = TypeVar("R", Reserve, Declaration)
CALLERS: Final = frozenset({Role.ADMIN, Role.COMMANDER, Role.CLERK})
"""Who needs the telephones: who keeps the records, and who calls."""


def may_call(caller: Caller) -> bool:
    return bool(caller.roles & CALLERS)


def shown(record: R, caller: Caller) -> R:
    """The record as this caller reads it: who does not call reads whom to call, and no telephone."""
    if may_call(caller):
        return record
    people = [person.model_copy(update={"phone": None}) for person in record.contacts]
    return record.model_copy(update={"contacts": people})


def forget(session: Session, keep: timedelta) -> int:
    """Forget the contacts of what ended longer ago; of how many records."""
    last = day(datetime.now(UTC) - keep)
    gone = 0
    for table in (tables.Reserve, declared.Declaration):
        over = update(table).where(table.valid_until < last, table.contacts != []).values(contacts=[])
        gone += len(session.scalars(over.returning(table.id)).all())
    return gone
