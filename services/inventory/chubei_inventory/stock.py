"""Movements: the only way a quantity changes. `record` takes one; each kind says which legs it has."""

from collections import Counter, defaultdict
from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from typing import assert_never
from uuid import UUID

from chubei_shared.contracts.base import Mode
from chubei_shared.contracts.stock import (
    Adjust,
    Deliver,
    Issue,
    Movement,
    MovementView,
    Receive,
    Reverse,
    Transfer,
)
from chubei_shared.errors import Conflict, Forbidden, Invalid, NotFound
from chubei_shared.outbox import enqueue
from chubei_shared.tokens import Caller
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from chubei_inventory import accounts, holds, ledger, lots, queries, tables
from chubei_inventory.fefo import Want, day, pick
from chubei_inventory.fingerprint import fingerprint, other_content
from chubei_inventory.ledger import Goods, Leg, transit
from chubei_inventory.pool import Row, lock, shelves, sql

CLOCK_TOLERANCE = timedelta(hours=24)
"""How far a phone's clock may be ahead of the server's."""

_POST = sql(
    """
    INSERT INTO entry (movement_seq, line_no, place_id, item_code, lot_id, quantity)
    SELECT :seq, line_no, place_id, item_code, lot_id, quantity
    FROM unnest(:places, :items, :lots, :quantities) WITH ORDINALITY
        AS leg (place_id, item_code, lot_id, quantity, line_no)
    """,
    places="text", items="text", lots="uuid", quantities="int",
)  # fmt: skip


def record(session: Session, movement: Movement, caller: Caller) -> tuple[MovementView, bool]:
    """Record a movement, in one piece; the flag says whether it is new.

    Raises Forbidden at a place that is not the caller's, Conflict, Shortage, Invalid, NotFound.
    """
    place_id = _place_of(session, movement)
    if not caller.works_at(place_id):
        raise Forbidden(
            f"您不在 {place_id} 任职,不能在此记账",
            f"You do not work at {place_id}: its own clerk or an administrator records this",
            place_id=place_id,
        )
    if movement.occurred_at > datetime.now(UTC) + CLOCK_TOLERANCE:
        raise Invalid(
            "occurred_at 晚于现在 24 小时以上,请校准设备时钟",
            "occurred_at is more than 24 hours ahead: set the device's clock",
            errors=[{"field": "occurred_at", "problem": "in the future", "remedy": "set the clock"}],
        )
    accounts.prepare(session, movement)
    seq = _begin(session, movement, place_id, caller)
    if seq is None:
        return _known(session, movement), False
    legs = _legs(session, movement)
    _post(session, seq, legs)
    enqueue(session, "stock.moved", _news(movement, legs))
    return queries.movement(session, movement.id), True


def _place_of(session: Session, movement: Movement) -> str:
    """Where a movement is done."""
    match movement:
        case Transfer():
            return movement.from_place_id
        case Reverse():
            of = select(tables.Movement.place_id).where(tables.Movement.id == movement.reverses_id)
            place_id = session.scalar(of)
            if place_id is None:
                text = movement.reverses_id
                raise NotFound(f"没有可冲正的流水 {text}", f"There is no movement {text} to reverse")
            return place_id
        case _:
            return movement.place_id


def _begin(session: Session, movement: Movement, place_id: str, caller: Caller) -> int | None:
    """Insert the movement itself; None where its id, or a reversal of the same, is there already."""
    return session.scalar(
        insert(tables.Movement)
        .values(
            id=movement.id,
            kind=movement.kind,
            place_id=place_id,
            body_hash=fingerprint(movement),
            occurred_at=movement.occurred_at,
            recorded_by=caller.person,
            voucher=movement.voucher,
            reason=movement.reason,
            order_id=getattr(movement, "order_id", None),
            hold_id=getattr(movement, "hold_id", None),
            reverses_id=getattr(movement, "reverses_id", None),
        )
        .on_conflict_do_nothing()
        .returning(tables.Movement.seq)
    )


def _known(session: Session, movement: Movement) -> MovementView:
    """The answer to a repeated request. Raises Conflict where it is not the same request."""
    known = select(tables.Movement.body_hash).where(tables.Movement.id == movement.id)
    body_hash = session.scalar(known)
    if body_hash == fingerprint(movement):
        return queries.movement(session, movement.id)
    if body_hash is None and isinstance(movement, Reverse):
        first = select(tables.Movement.id).where(tables.Movement.reverses_id == movement.reverses_id)
        by = session.scalars(first).one()
        raise Conflict(
            f"流水 {movement.reverses_id} 已由 {by} 冲正",
            f"The movement {movement.reverses_id} has been reversed already, by {by}",
            reversed_by=str(by),
        )
    raise other_content(movement.id)


def _post(session: Session, seq: int, legs: list[Leg]) -> None:
    if not legs:
        raise Invalid(
            "该流水没有移动任何物资,请填数量", "The movement moves nothing: give quantities",
            errors=[{"field": "lines", "problem": "nothing moves", "remedy": "give quantities"}],
        )  # fmt: skip
    ledger.check(legs)
    session.execute(
        _POST,
        {
            "seq": seq,
            "places": [leg.account.place_id for leg in legs],
            "items": [leg.account.goods.item_code for leg in legs],
            "lots": [leg.account.goods.lot_id for leg in legs],
            "quantities": [leg.quantity for leg in legs],
        },
    )


def _news(movement: Movement, legs: list[Leg]) -> dict[str, object]:
    return {
        "movement_id": str(movement.id),
        "kind": movement.kind,
        "places": sorted({leg.account.place_id for leg in legs} - accounts.OUTSIDE),
        "items": sorted({leg.account.goods.item_code for leg in legs}),
    }


def _legs(session: Session, movement: Movement) -> list[Leg]:
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
