"""What each kind of movement moves: from which account to which, and of which lots."""

from collections import Counter, defaultdict
from collections.abc import Collection
from typing import assert_never
from uuid import UUID

from chubei_shared.contracts.base import Mode
from chubei_shared.contracts.stock import Adjust, Deliver, Issue, Movement, Receive, Reverse, Transfer
from chubei_shared.errors import Conflict, Invalid
from sqlalchemy import select
from sqlalchemy.orm import Session

from chubei_inventory import accounts, holds, ledger, lots, tables
from chubei_inventory.fefo import Want, day, pick
from chubei_inventory.ledger import Goods, Leg, transit
from chubei_inventory.pool import Row, lock, shelves


def legs_of(session: Session, movement: Movement) -> list[Leg]:
    """The balanced legs of a movement, its lots locked. Raises Conflict, Shortage, Invalid."""
    match movement:
        case Receive():
            return _receive(session, movement)
        case Issue():
            return _issue(session, movement)
        case Deliver():
            return _deliver(session, movement)
        case Transfer():
            return _transfer(session, movement)
        case Adjust():
            return _adjust(session, movement)
        case Reverse():
            return _reverse(session, movement)
        case _:
            assert_never(movement)


def _receive(session: Session, movement: Receive) -> list[Leg]:
    parts: Counter[Goods] = Counter()
    for line, lot_id in zip(movement.lines, lots.of_receipt(session, movement.lines), strict=True):
        parts[Goods(line.item_code, lot_id)] += line.quantity
    lock(session, lots=[goods.lot_id for goods in parts])
    return ledger.move(parts, ledger.RECEIVED, movement.place_id)


def _issue(session: Session, movement: Issue) -> list[Leg]:
    target = ledger.ISSUED if movement.order_id is None else transit(movement.order_id)
    if movement.hold_id is not None:
        drawn = holds.draw(session, movement, movement.hold_id)
        return [
            leg
            for mode, parts in drawn.items()
            for leg in ledger.move(parts, _source(movement.place_id, mode), target)
        ]
    if any(line.mode is not Mode.PHYSICAL for line in movement.lines):
        raise Invalid(
            "协议、产能、资金储备须先预留再出库,请给 hold_id",
            "What is called off from an agreement, a maker or a fund is held first: give hold_id",
            errors=[{"field": "hold_id", "problem": "missing", "remedy": "POST /v1/holds"}],
        )
    on = day(movement.occurred_at)
    wants: dict[str, list[Want]] = defaultdict(list)
    for line in movement.lines:
        overruled = line.lot_id is not None and movement.reason
        wants[line.item_code].append(Want(line.quantity, None if overruled else on, line.lot_id))
    return ledger.move(_take(session, movement.place_id, wants), movement.place_id, target)


def _source(place_id: str, mode: Mode) -> str:
    return place_id if mode is Mode.PHYSICAL else ledger.reserve_account(mode)


def _deliver(session: Session, movement: Deliver) -> list[Leg]:
    aboard = transit(movement.order_id)
    hands: dict[str, Counter[str]] = defaultdict(Counter)
    for line in movement.lines:
        hands[line.item_code][movement.place_id] += line.received
        hands[line.item_code][ledger.DAMAGED] += line.damaged
        hands[line.item_code][ledger.LOST] += line.short
    wants = {code: [Want(hand.total(), None, usable=False)] for code, hand in hands.items() if hand.total()}
    parts = _take(session, aboard, wants)
    legs = []
    for code in wants:
        of_item = {goods: units for goods, units in parts.items() if goods.item_code == code}
        for account, dealt in ledger.deal(of_item, hands[code].items()).items():
            legs += ledger.move(dealt, aboard, account)
    return legs


def _transfer(session: Session, movement: Transfer) -> list[Leg]:
    on = day(movement.occurred_at)
    wants: dict[str, list[Want]] = defaultdict(list)
    for line in movement.lines:  # a named lot moves in whatever state it is
        wants[line.item_code].append(Want(line.quantity, on, line.lot_id, usable=line.lot_id is None))
    parts = _take(session, movement.from_place_id, wants)
    return ledger.move(parts, movement.from_place_id, movement.to_place_id)


def _take(session: Session, place_id: str, wants: dict[str, list[Want]]) -> Counter[Goods]:
    """Lots for what is wanted of each item at a place, in the order taken. Raises Shortage, Conflict."""
    free = shelves(session, [Row(place_id, code) for code in wants])
    picks = {code: pick(free[Row(place_id, code)], wanted) for code, wanted in wants.items()}
    for code, found in picks.items():
        named = {want.lot_id for want in wants[code]}
        for shelf, (zh, en) in found.passed.values():
            if shelf.lot_id in named:
                raise Conflict(
                    f"批次 {shelf.lot_no}({code}){zh},不能出库;到期批次须写明原因(reason)",
                    f"Lot {shelf.lot_no} ({code}) {en}: it is not issued; an expired one needs a reason",
                    lot_id=str(shelf.lot_id),
                )
    holds.refuse_short({Row(place_id, code): found for code, found in picks.items()})
    return Counter(
        {Goods(code, lot_id): units for code, found in picks.items() for lot_id, units in found.parts.items()}
    )


def _adjust(session: Session, movement: Adjust) -> list[Leg]:
    changes: Counter[UUID] = Counter()
    for line in movement.lines:
        changes[line.lot_id] += line.change
    known = select(tables.Lot.id, tables.Lot.item_code).where(tables.Lot.id.in_(changes))
    goods = {
        lot_id: Goods(code, lot_id)
        for lot_id, code in session.execute(known.where(tables.Lot.reserve_id.is_(None)))
    }
    if unknown := sorted(str(lot_id) for lot_id in changes.keys() - goods.keys()):
        raise Invalid(
            f"没有批次 {', '.join(unknown)}",
            f"There is no lot {', '.join(unknown)}: see GET /v1/stock",
            errors=[{"field": "lines.lot_id", "problem": unknown[0], "remedy": "GET /v1/stock"}],
        )
    legs = ledger.adjust({goods[lot_id]: change for lot_id, change in changes.items()}, movement.place_id)
    _lock_for(session, legs)
    return legs


def _reverse(session: Session, movement: Reverse) -> list[Leg]:
    original = session.scalars(
        select(tables.Movement).where(tables.Movement.id == movement.reverses_id)
    ).one()
    if original.reverses_id is not None:
        raise Conflict(
            "冲正流水不能再冲正,请按实际情况重新记账",
            "A reversal is not reversed: record what really happened anew",
        )
    if original.order_id is not None:
        raise Conflict(
            "调拨单的出库、接收不能冲正,请在该单的下一步骤如实登记",
            "What moved by a dispatch order is not reversed: report what really happened by the order's next step",
            order_id=str(original.order_id),
        )
    entries = session.scalars(
        select(tables.Entry).where(tables.Entry.movement_seq == original.seq).order_by(tables.Entry.line_no)
    )
    legs = ledger.mirror(
        Leg(ledger.Account(e.place_id, Goods(e.item_code, e.lot_id)), e.quantity) for e in entries
    )
    _lock_for(session, legs)
    return legs


def _lock_for(session: Session, legs: Collection[Leg]) -> None:
    """Lock what `legs` touch. Raises Conflict where they would take what is not there, or is held."""
    changes = ledger.changes(legs)
    rows = {Row(account.place_id, account.goods.item_code) for account in changes}
    lock(session, rows, lots=[account.goods.lot_id for account in changes])
    accounts.refuse_below(session, changes)
