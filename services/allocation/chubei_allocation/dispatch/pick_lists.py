"""Pick lists of dispatch orders: what inventory holds for them, by bin in walking order."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from chubei_shared.contracts.bins import Bin
from chubei_shared.contracts.holds import HeldLine
from chubei_shared.contracts.inventory_client import InventoryClient
from chubei_shared.contracts.orders import OrderView, Stop
from chubei_shared.contracts.picks import PickLine, PickList, PickStop
from chubei_shared.contracts.stock import StockRow
from chubei_shared.db import Transactions
from sqlalchemy import select
from sqlalchemy.orm import Session

from chubei_allocation import tables
from chubei_allocation.dispatch import orders, picking
from chubei_allocation.dispatch.picking import Take, Takes
from chubei_allocation.exercise_books import books
from chubei_allocation.inventory_gate import InventoryGate
from chubei_allocation.plans import plans

PERSON = "allocation"
"""In whose name lists are read."""
Items = Mapping[str, dict[str, Any]]
"""Items as a scenario has them, by code."""
_PAGE = 200


@dataclass(frozen=True)
class Shelves:
    """What inventory says: lines of holds, bins by item at each place, lots."""

    held: Mapping[UUID, Sequence[HeldLine]] = field(default_factory=dict)
    bins: Mapping[str, Mapping[str, Bin]] = field(default_factory=dict)
    lots: Mapping[UUID, StockRow] = field(default_factory=dict)


def show(tx: Transactions, inventory: InventoryGate, order_id: UUID) -> PickList:
    """Raises NotFound; Unavailable while inventory is away."""
    order = tx(orders.show, order_id)
    beside = tx(of_hold, order.hold_id)
    shelves = read(tx, inventory, beside)
    items = tx(items_of, order.plan_id)
    return pick_list(order, picking.takes(beside, shelves.held), shelves, items)


def of_hold(session: Session, hold_id: UUID) -> list[OrderView]:
    """The orders that draw on one hold, by number: what those before take is not there for those after."""
    found = select(tables.DispatchOrder.id).where(
        tables.DispatchOrder.hold_id == hold_id,
        tables.DispatchOrder.status.in_(["planned", "under_way"]),
    )
    shown = [orders.show(session, order_id) for order_id in session.scalars(found)]
    return sorted(shown, key=lambda order: order.number)


def items_of(session: Session, plan_id: UUID) -> Items:
    scenario = plans.scenario(session, plans.get(session, plan_id))
    return {item["id"]: item for item in scenario["items"]}


def read(tx: Transactions, inventory: InventoryGate, found: Iterable[OrderView]) -> Shelves:
    """What inventory says of these orders' goods; an exercise's hold is in its own books. Raises Unavailable."""
    loading = [(order, stop) for order in found for stop in order.stops if stop.kind == "warehouse"]
    places = sorted({stop.place_id for _, stop in loading if stop.load})
    holds = {}
    for hold_id, incident_id in {order.hold_id: order.incident_id for order, _ in loading}.items():
        with books.of(tx, inventory, incident_id, PERSON) as own:
            holds[hold_id] = own.get_hold(hold_id)
    with inventory.client(PERSON) as client:
        bins = {place: picking.first_bins(_bins(client, place)) for place in places}
        lots = {row.lot_id: row for place in places for row in _stock(client, place)}
    return Shelves({hold_id: hold.lines for hold_id, hold in holds.items()}, bins, lots)


def _bins(client: InventoryClient, place_id: str) -> list[Bin]:
    return _all(lambda cursor: client.bins(place_id, cursor, _PAGE))


def _stock(client: InventoryClient, place_id: str) -> list[StockRow]:
    return _all(lambda cursor: client.stock(place_id=place_id, cursor=cursor, limit=_PAGE))


def _all(page: Callable[[str | None], Any]) -> list[Any]:
    rows, cursor = [], None
    while True:
        found = page(cursor)
        rows += found.rows
        cursor = found.next_cursor
        if cursor is None:
            return rows


def pick_list(
    order: OrderView, takes: Mapping[tuple[UUID, int], Takes], shelves: Shelves, items: Items
) -> PickList:
    """PURE."""
    return PickList(
        order_id=order.id,
        number=order.number,
        vehicle=order.vehicle,
        exercise=order.exercise,
        revision=order.revision,
        minutes_left=order.minutes_left,
        stops=[
            _stop(stop, takes.get((order.id, stop.stop)), shelves, items) for stop in order.stops if stop.load
        ],
    )


def _stop(stop: Stop, takes: Takes | None, shelves: Shelves, items: Items) -> PickStop:
    bins = shelves.bins.get(stop.place_id, {})
    return PickStop(
        stop=stop.stop,
        place_id=stop.place_id,
        name_zh=stop.name_zh,
        name_en=stop.name_en,
        loaded=takes is None,
        lines=[_line(take, bins, shelves, items) for take in picking.walked(takes.lines, bins)]
        if takes
        else [],
        short=dict(takes.short) if takes else {},
    )


def _line(take: Take, bins: Mapping[str, Bin], shelves: Shelves, items: Items) -> PickLine:
    item, at = items.get(take.item_code, {}), bins.get(take.item_code)
    lot = shelves.lots.get(take.lot_id) if take.lot_id else None
    packs, odd = divmod(take.units, item.get("pack", 1))
    return PickLine(
        item_code=take.item_code,
        name_zh=item.get("name_zh", take.item_code),
        name_en=item.get("name_en", take.item_code),
        mode=take.mode,
        bin=at.code if at else None,
        aisle=at.aisle if at else "",
        walk_order=at.walk_order if at else None,
        lot_id=take.lot_id,
        lot_no=lot.lot_no if lot else "",
        expires_on=lot.expires_on if lot else None,
        units=take.units,
        packs=packs,
        odd=odd,
    )
