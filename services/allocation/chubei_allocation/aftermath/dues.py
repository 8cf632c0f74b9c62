"""What inventory knows of what is owed: issues by lot and reserve, prices, loans. Asked outside of transactions."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from chubei_shared.contracts.aftermath import Compensation, ReturnsDue
from chubei_shared.contracts.cards import LoanRow
from chubei_shared.contracts.catalogue import Item
from chubei_shared.contracts.holds import HeldLine
from chubei_shared.contracts.reserves import ReserveView
from chubei_shared.db import Transactions
from chubei_shared.errors import Unavailable
from sqlalchemy import select
from sqlalchemy.orm import Session

from chubei_allocation import tables
from chubei_allocation.aftermath import account, rules
from chubei_allocation.aftermath.account import Names, Trip
from chubei_allocation.exercise_books import books
from chubei_allocation.inventory_gate import InventoryGate

_PAGE = 500


@dataclass(frozen=True)
class Books:
    """What inventory answered."""

    held: list[HeldLine]
    reserves: list[ReserveView]
    items: list[Item]
    loans: list[LoanRow]


def holds_of(session: Session, incident_id: UUID) -> list[UUID]:
    """The holds of every plan that was in force."""
    found = select(tables.Plan.hold_id).where(
        tables.Plan.incident_id == incident_id, tables.Plan.status.in_(["approved", "superseded"])
    )
    return [hold_id for hold_id in session.scalars(found) if hold_id]


def read(
    tx: Transactions, inventory: InventoryGate, incident_id: UUID, person: str, holds: Sequence[UUID]
) -> Books | None:
    """None while inventory is away. An exercise's issues are in its own books, prices are the real ones."""
    try:
        with books.of(tx, inventory, incident_id, person) as own:
            held = [line for hold_id in holds for line in own.get_hold(hold_id).lines]
        with inventory.client(person) as client:
            return Books(
                held=held,
                reserves=list(_pages(client.reserves)),
                items=list(_pages(client.items)),
                loans=list(_pages(client.loans)),
            )
    except Unavailable:
        return None


def _pages(read_page: Callable[[str | None, int], Any]) -> Iterator[Any]:
    cursor: str | None = None
    while True:
        page = read_page(cursor, _PAGE)
        yield from page.rows
        if (cursor := page.next_cursor) is None:
            return


def loans(told: Books, found: Sequence[Trip], since: datetime) -> list[LoanRow]:
    """Loans under the orders' numbers, and those at the points that got their goods, since it happened."""
    numbers, places = {trip.order.number for trip in found}, account.due_back(found)
    return [
        row
        for row in told.loans
        if row.voucher in numbers or (row.place_id in places and row.occurred_at >= since)
    ]


def returns(told: Books, lent: Sequence[LoanRow], found: Sequence[Trip]) -> list[ReturnsDue]:
    """Of the items that are to come back."""
    came = account.brought(found)
    return [
        ReturnsDue(
            item_code=item.code,
            name_zh=item.name_zh,
            name_en=item.name_en,
            brought=came[item.code],
            lent_open=sum(row.outstanding for row in lent if row.item_code == item.code),
        )
        for item in sorted(told.items, key=lambda item: item.code)
        if item.returnable and came[item.code]
    ]


def compensation(told: Books, named: Names) -> list[Compensation]:
    return rules.owed(told.held, told.reserves, named)
