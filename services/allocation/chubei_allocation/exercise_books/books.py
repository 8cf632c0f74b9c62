"""Which books an incident's goods are in. This is the one way from an incident to stock: `of`.

An exercise has books of its own, frozen from a copy when first asked for; no call of it reaches inventory but the
reading of that copy. On a throw-away system (`Settings.exercise_books` is house) they may move the house's own stock.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol, TypeVar
from uuid import UUID

from chubei_shared.contracts.base import Dto, Utc
from chubei_shared.contracts.catalogue import Place
from chubei_shared.contracts.holds import HoldReplace, HoldRequest, HoldView, short_in_words
from chubei_shared.contracts.holds import Shortage as ShortLine
from chubei_shared.contracts.reserves import Snapshot
from chubei_shared.contracts.stock import Movement
from chubei_shared.db import Transactions
from chubei_shared.errors import Conflict, NotFound, Shortage
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from chubei_allocation import locks, tables
from chubei_allocation.exercise_books import rules
from chubei_allocation.exercise_books.rules import Done
from chubei_allocation.exercise_books.tables import Book, Entry
from chubei_allocation.inventory_gate import InventoryGate

T = TypeVar("T")


class Books(Protocol):
    """What an incident asks of stock: inventory's client has it, and an exercise's own books."""

    def snapshot(self, needed_by: Utc | None = None, release_holds: Iterable[UUID] = ()) -> Snapshot: ...

    def hold(self, request: HoldRequest) -> HoldView: ...

    def hold_replace(self, request: HoldReplace) -> HoldView: ...

    def get_hold(self, hold_id: UUID) -> HoldView: ...

    def record(self, movement: Movement) -> Any: ...

    def put_place(self, place: Place) -> Place: ...

    def lent(self, place_id: str, item_code: str) -> list[tuple[UUID, int]]: ...


@contextmanager
def of(tx: Transactions, inventory: InventoryGate, incident_id: UUID, person: str) -> Iterator[Books]:
    """The books of an incident, for `person`. Never inside a transaction. Raises Unavailable as inventory does."""
    if tx(apart, incident_id, inventory.exercises_apart):
        freeze(tx, inventory, incident_id, person)
        yield OwnBooks(tx, incident_id, person)
    else:
        with inventory.client(person) as client:
            yield client


def apart(session: Session, incident_id: UUID, exercises_apart: bool) -> bool:
    """Whether it is an exercise with books of its own. One that has them keeps them."""
    incident = session.get(tables.Incident, incident_id)
    if incident is None or not incident.exercise:
        return False
    return exercises_apart or frozen(session, incident_id) is not None


def frozen(session: Session, incident_id: UUID) -> datetime | None:
    """Since when the exercise has books of its own."""
    return session.scalar(select(Book.frozen_at).where(Book.incident_id == incident_id))


def freeze(tx: Transactions, inventory: InventoryGate, incident_id: UUID, person: str) -> None:
    """Copy today's stock for an exercise, unless it has books already."""
    if tx(frozen, incident_id) is None:
        stock = read_stock(tx, inventory, incident_id, person)
        tx(keep, incident_id, stock, "stock", "")


def read_stock(tx: Transactions, inventory: InventoryGate, incident_id: UUID, person: str) -> Snapshot:
    """What inventory has, of lots that last until the incident's deadline."""
    incident = tx(lambda session: session.get_one(tables.Incident, incident_id))
    with inventory.client(person) as client:
        return client.snapshot(needed_by=incident.occurred_at + timedelta(minutes=incident.deadline_min))


def keep(session: Session, incident_id: UUID, stock: Snapshot, source: str, name: str) -> None:
    """Whoever comes second changes nothing."""
    session.execute(
        insert(Book)
        .values(
            incident_id=incident_id,
            source=source,
            name=name,
            frozen_at=datetime.now(UTC),
            snapshot=stock.model_dump(mode="json"),
        )
        .on_conflict_do_nothing()
    )


class OwnBooks:
    """An exercise's books: what inventory would answer, from a frozen copy. It has no way to inventory."""

    def __init__(self, tx: Transactions, incident_id: UUID, person: str) -> None:
        self._tx, self._incident_id, self._person = tx, incident_id, person

    def snapshot(self, needed_by: Utc | None = None, release_holds: Iterable[UUID] = ()) -> Snapshot:  # noqa: ARG002
        """Of what was frozen, which lasts until the deadline."""
        return self._read().snapshot(release_holds)

    def get_hold(self, hold_id: UUID) -> HoldView:
        """Raises NotFound."""
        return _found(self._read().view(hold_id), hold_id)

    def hold(self, request: HoldRequest) -> HoldView:
        """Raises Shortage, Conflict."""
        return self.hold_replace(HoldReplace(release=[], hold=request))

    def hold_replace(self, request: HoldReplace) -> HoldView:
        """Raises Shortage, Conflict."""

        def check(books: rules.Books) -> None:
            _refuse_short(books.short(request.hold, request.release))

        self._add(str(request.hold.id), "hold", request, check)
        return self.get_hold(request.hold.id)

    def record(self, movement: Movement) -> None:
        """Loading, receipt, handing out, what comes back or is sent back unused. Raises Shortage, Conflict."""
        if not isinstance(movement, rules.Played):
            raise Conflict(
                f"演练中不推演这种流水({movement.kind}),真实库存不受影响",
                f"A movement of kind {movement.kind} is not played in an exercise: the real books are left alone",
            )
        self._add(str(movement.id), "move", movement, lambda books: _refuse_short(books.lacking(movement)))

    def put_place(self, place: Place) -> Place:
        self._add(f"{self._incident_id}:{place.id}", "place", place, lambda _: None)
        return place

    def lent(self, place_id: str, item_code: str) -> list[tuple[UUID, int]]:
        """As one lot: these books know none."""
        units = self._read().lent[place_id, item_code]
        return [(rules.lot_of(item_code), units)] if units > 0 else []

    def _read(self) -> rules.Books:
        return self._tx(_books, self._incident_id)

    def _add(self, key: str, kind: str, body: Dto, check: Callable[[rules.Books], None]) -> None:
        self._tx(_add, self._incident_id, key, kind, body.model_dump(mode="json"), self._person, check)


def _books(session: Session, incident_id: UUID) -> rules.Books:
    book = session.get_one(Book, incident_id)
    done = session.scalars(select(Entry).where(Entry.incident_id == incident_id).order_by(Entry.serial))
    return rules.fold(Snapshot.model_validate(book.snapshot), [Done(row.kind, row.body) for row in done])


def _add(
    session: Session,
    incident_id: UUID,
    key: str,
    kind: str,
    body: dict[str, Any],
    person: str,
    check: Callable[[rules.Books], None],
) -> None:
    """Once: the same again changes nothing, another body under the same id is refused."""
    locks.one_at_a_time(session, incident_id)
    if known := session.get(Entry, key):
        if (known.incident_id, known.body) != (incident_id, body):
            raise Conflict(f"编号 {key} 已被使用,请换新编号", f"Id {key} is taken: mint a new one")
        return
    check(_books(session, incident_id))
    session.add(
        Entry(
            id=key,
            incident_id=incident_id,
            kind=kind,
            body=body,
            recorded_at=datetime.now(UTC),
            recorded_by=person,
        )
    )
    session.flush()


def _refuse_short(short: list[ShortLine]) -> None:
    if short:
        zh, en = short_in_words(short)
        raise Shortage(
            f"演练库存:{zh}",
            f"In the exercise's stock {en}",
            shortages=[row.model_dump(mode="json") for row in short],
        )


def _found(view: HoldView | None, hold_id: UUID) -> HoldView:
    if view is None:
        raise NotFound(f"没有预留 {hold_id}", f"There is no hold {hold_id}")
    return view
