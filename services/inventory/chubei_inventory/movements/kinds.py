"""What each kind of movement moves: from which account to which, and of which lots."""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping
from datetime import date
from uuid import UUID

from chubei_shared.contracts.base import Mode
from chubei_shared.contracts.movements import (
    Adjust,
    Arrive,
    GiveBack,
    Issue,
    Movement,
    MoveModule,
    Pack,
    Receive,
    ReceiveLine,
    Release,
    Reverse,
    Scrap,
    Seal,
    SendOff,
    SendToTest,
    ShortPick,
    Tested,
    Transfer,
    Unpack,
)
from chubei_shared.errors import Conflict, Forbidden, Invalid, Shortage
from sqlalchemy import select
from sqlalchemy.orm import Session

from chubei_inventory import tables
from chubei_inventory.holds import holds, repicks
from chubei_inventory.ledger import facts, laws
from chubei_inventory.ledger.fefo import Want, pick
from chubei_inventory.ledger.laws import Goods, Leg
from chubei_inventory.stock import accounts, lots
from chubei_inventory.stock.pool import Row, lock, shelves, sql

_BY_EXPIRY = (Issue, Transfer, SendOff, Pack)
"""Where no lot is named, these take what expires first, and nothing that is unfit."""
_NAMED = (Seal, Release, SendToTest, Tested, GiveBack, Scrap, ShortPick)
"""These are about certain lots."""


def legs_of(session: Session, movement: Movement) -> list[Leg]:
    """The balanced legs of a movement, its lots locked. Raises Conflict, Shortage, Invalid."""
    match movement:
        case Receive():
            return _receive(session, movement)
        case Adjust():
            return _adjust(session, movement)
        case Reverse():
            return _reverse(session, movement)
        case Issue() if movement.hold_id is not None:
            return _draw(session, movement, movement.hold_id)
        case ShortPick():
            return _short_pick(session, movement)
        case Arrive():
            return _arrive(session, movement)
        case Unpack() | MoveModule() if not movement.lines:
            return _whole_module(session, movement)
        case _:
            return _flow(session, movement)


def returned(session: Session, codes: Collection[str]) -> set[str]:
    """Those of the items that are to come back once they were issued."""
    return set(session.scalars(_RETURNABLE, {"codes": list(codes)}))


_RETURNABLE = sql("SELECT code FROM item WHERE code = ANY(:codes) AND returnable", codes="text")


def _receive(session: Session, movement: Receive) -> list[Leg]:
    parts: Counter[Goods] = Counter()
    for line, lot_id in zip(movement.lines, lots.of_receipt(session, movement.lines), strict=True):
        parts[Goods(line.item_code, lot_id)] += line.units
    lock(session, lots=[goods.lot_id for goods in parts])
    return laws.move(parts, laws.RECEIVED, movement.place_id)


def _draw(session: Session, movement: Issue, hold_id: UUID) -> list[Leg]:
    back = _back(session, movement)
    legs = []
    for mode, parts in holds.draw(session, movement, hold_id).items():
        source = movement.place_id if mode is Mode.PHYSICAL else laws.reserve_account(mode)
        for goods, units in parts.items():
            target = facts.route(movement, goods.item_code in back)[1]  # type: ignore[index]
            legs += laws.move({goods: units}, source, target)
    return legs


def _back(session: Session, movement: Movement) -> set[str]:
    if not isinstance(movement, Issue) or movement.order_id is not None:
        return set()
    return returned(session, {line.item_code for line in movement.lines})


def _flow(session: Session, movement: facts.Reported) -> list[Leg]:
    """Take what the lines ask for from their one source, and deal it out to where they say it went."""
    if facts.off_the_shelf(movement):
        raise Invalid(
            "协议、产能、资金储备须先预留再出库,请给 hold_id",
            "What is called off from an agreement, a maker or a fund is held first: give hold_id",
            errors=[{"field": "hold_id", "problem": "missing", "remedy": "POST /v1/holds"}],
        )
    back, lot_ids = _back(session, movement), named(session, movement)
    hands: dict[tuple[str, UUID | None], Counter[str]] = defaultdict(Counter)
    wants: dict[str, list[Want]] = defaultdict(list)
    source, on = "", facts.used_on(movement)
    for line, lot_id in zip(facts.lines_of(movement), lot_ids, strict=True):
        code = str(line.item_code)  # only an adjustment may leave it out
        for flow in facts.flows(movement, line, code in back):
            source = flow.source
            hands[code, lot_id][flow.target] += flow.units
    for (code, lot_id), hand in hands.items():
        wants[code].append(_want(movement, hand.total(), lot_id, on))
    if not wants:
        return []
    return _deal(source, _take(session, source, wants), hands)


def _want(movement: Movement, units: int, lot_id: UUID | None, on: date) -> Want:
    if isinstance(movement, Issue):
        return Want(units, None if lot_id is not None and movement.reason else on, lot_id)
    if isinstance(movement, _BY_EXPIRY):  # a named lot moves in whatever state it is
        return Want(units, on, lot_id, usable=lot_id is None)
    return Want(units, None, lot_id, usable=False)


def sent_to(session: Session, arrivals: Collection[Arrive]) -> dict[UUID, str]:
    """Where goods were sent that arrived elsewhere, and nobody says why, by the arrival; of what was sent so far."""
    sent = {row.id: row.place_id for row in session.execute(_SENT_TO, {"ids": [a.sent_id for a in arrivals]})}
    places = ((a, sent.get(a.sent_id, a.place_id)) for a in arrivals if not a.reason.strip())
    return {arrival.id: place_id for arrival, place_id in places if place_id != arrival.place_id}


_SENT_TO = sql(
    "SELECT id, details->>'to_place_id' AS place_id FROM movement WHERE id = ANY(:ids) AND kind = 'send'",
    ids="uuid",
)


def _refuse_elsewhere(session: Session, movement: Arrive) -> None:
    if place_id := sent_to(session, [movement]).get(movement.id):
        raise Invalid(
            f"place_id:该批物资发往 {place_id},不是 {movement.place_id};确已改送的,在 reason 中写明原因",
            f"place_id: the goods were sent to {place_id}, not to {movement.place_id}: where they were diverted, say "
            "why in reason",
            errors=[
                {"field": "place_id", "problem": f"发往 {place_id} / sent to {place_id}",
                 "remedy": f"{place_id};改送须写 reason / {place_id}, or say in reason why"}
            ],
        )  # fmt: skip


def _arrive(session: Session, movement: Arrive) -> list[Leg]:
    _refuse_elsewhere(session, movement)
    try:
        return _flow(session, movement)
    except Shortage:
        sent = select(tables.Movement.id).where(tables.Movement.id == movement.sent_id)
        if session.scalar(sent.where(tables.Movement.kind == "send")) is None:
            raise Invalid(
                f"sent_id:没有移库发出 {movement.sent_id},请核对;发出方尚未联网的,"
                "用 POST /v1/movements:batch 报,到时自动入账",
                f"sent_id: nothing was sent off by {movement.sent_id}: check it; where the sender is still offline, "
                "report by POST /v1/movements:batch, and it is booked when that comes in",
                errors=[{"field": "sent_id", "problem": "没有 / not known", "remedy": "核对 / check it"}],
            ) from None
        raise


def _short_pick(session: Session, movement: ShortPick) -> list[Leg]:
    missing: Counter[Goods] = Counter()
    for line, lot_id in zip(movement.lines, named(session, movement), strict=True):
        assert lot_id is not None  # noqa: S101 (named has seen to it)
        missing[Goods(line.item_code, lot_id)] += line.units
    repicks.short_pick(session, movement, missing)
    return laws.move(missing, *facts.route(movement))  # type: ignore[misc]


def _deal(
    source: str, taken: Mapping[Goods, int], hands: Mapping[tuple[str, UUID | None], Counter[str]]
) -> list[Leg]:
    """Deal what was taken: to each line that names a lot its own, then to the others what is left."""
    left, legs = Counter(taken), []
    for (code, lot_id), hand in sorted(hands.items(), key=lambda row: row[0][1] is None):
        parts = {
            goods: min(units, hand.total()) if lot_id else units
            for goods, units in left.items()
            if units and goods.item_code == code and lot_id in (None, goods.lot_id)
        }
        for account, dealt in laws.deal(parts, hand.items()).items():
            if dealt:
                legs += laws.move(dealt, source, account)
                left.subtract(dealt)
    return legs


def named(session: Session, movement: facts.Reported) -> list[UUID | None]:
    """The lot of each line, None where it names none. Raises Invalid for one that is not known, or must be named."""
    if isinstance(movement, _NAMED):
        for number, line in enumerate(movement.lines):
            if line.lot_id is None and line.lot is None:
                raise _no_lot(f"lines.{number}.lot_id", "缺少 / missing")
    lines = [line for line in facts.lines_of(movement) if not isinstance(line, ReceiveLine)]
    boxes = [(str(line.item_code), line.lot) for line in lines if line.lot]
    known = lots.ids(session, boxes, make=False)
    found: list[UUID | None] = []
    for line in lines:
        if line.lot is None:
            found.append(line.lot_id)
            continue
        lot_id = known.get(lots.identity(str(line.item_code), line.lot))
        if lot_id is None:
            raise _no_lot("lines.lot", f"{line.lot.lot_no} 未登记 / not known")
        found.append(lot_id)
    return found


def _no_lot(field: str, problem: str) -> Invalid:
    zh, _, en = problem.partition(" / ")
    return Invalid(
        f"{field} {zh},请写明批次(GET /v1/stock)",
        f"{field}: {en}. Name the lot: see GET /v1/stock",
        errors=[{"field": field, "problem": problem, "remedy": "GET /v1/stock"}],
    )


def _whole_module(session: Session, movement: Unpack | MoveModule) -> list[Leg]:
    """All that is in a module. Raises Conflict for one that is empty, or is not there."""
    way = facts.route(movement)
    assert way is not None  # noqa: S101
    known = select(tables.Balance.item_code).where(tables.Balance.place_id == way[0])
    rows = [Row(way[0], code) for code in session.scalars(known.distinct())]
    lock(session, rows)
    inside = select(tables.Balance.item_code, tables.Balance.lot_id, tables.Balance.on_hand).where(
        tables.Balance.place_id == way[0], tables.Balance.on_hand > 0
    )
    parts = {Goods(code, lot_id): units for code, lot_id, units in session.execute(inside)}
    if not parts:
        place_id = facts.place_of(movement)
        raise Conflict(
            f"{place_id} 没有方舱 {movement.module_id},或舱内已空,请核对编号和地点",
            f"There is no module {movement.module_id} with anything in it at {place_id}: check its id and the place",
        )
    return laws.move(parts, *way)


def _take(session: Session, place_id: str, wants: dict[str, list[Want]]) -> Counter[Goods]:
    """Lots for what is wanted of each item on an account, in the order taken. Raises Shortage, Conflict."""
    free = shelves(session, [Row(place_id, code) for code in wants])
    picks = {code: pick(free[Row(place_id, code)], wanted) for code, wanted in wants.items()}
    for code, found in picks.items():
        named = {want.lot_id for want in wants[code]}
        for shelf, why in found.passed.values():
            if shelf.lot_id in named:
                raise Conflict(
                    f"批次 {shelf.lot_no}({code}){why.zh},不能出库;到期批次须写明原因(reason)",
                    f"Lot {shelf.lot_no} ({code}) {why.en}: it is not issued; an expired one needs a reason",
                    lot_id=str(shelf.lot_id),
                )
    if any(found.short for found in picks.values()):
        _refuse_other_items(session, wants)
    holds.refuse_short({Row(place_id, code): found for code, found in picks.items()})
    return Counter(
        {Goods(code, lot_id): units for code, found in picks.items() for lot_id, units in found.parts.items()}
    )


def _refuse_other_items(session: Session, wants: Mapping[str, Collection[Want]]) -> None:
    """Raises Invalid for a lot that there is not, or that is of another item."""
    named = {want.lot_id: code for code, wanted in wants.items() for want in wanted if want.lot_id}
    lots_of = select(tables.Lot.id, tables.Lot.item_code).where(tables.Lot.id.in_(named))
    known = dict(session.execute(lots_of).tuples().all()) if named else {}
    for lot_id, code in named.items():
        if known.get(lot_id) != code:
            raise _no_lot("lines.lot_id", f"{lot_id} 不是 {code} 的批次 / {lot_id} is no lot of {code}")


def _adjust(session: Session, movement: Adjust) -> list[Leg]:
    changes: Counter[UUID] = Counter()
    for line, lot_id in zip(movement.lines, named(session, movement), strict=True):
        assert lot_id is not None  # noqa: S101 (the contract asks for it)
        changes[lot_id] += line.change
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
    legs = laws.adjust({goods[lot_id]: change for lot_id, change in changes.items()}, movement.place_id)
    _lock_for(session, legs)
    return legs


def _reverse(session: Session, movement: Reverse) -> list[Leg]:
    original = session.scalars(
        select(tables.Movement).where(tables.Movement.id == movement.reverses_id)
    ).one()
    refuse_reversal(original)
    if original.kind == "scrap":
        raise Forbidden(*ONLY_BY_TWO)
    legs = laws.mirror(laws.fold(booked(session, [original.seq])[original.seq]))
    _lock_for(session, legs)
    return legs


ONLY_BY_TWO = (
    "报废经他人批准入账,冲正也须经他人批准:请用 POST /v1/movements:batch 报,由批准人在待核流水中采纳",
    "A scrapping was approved by another person, and so is its reversal: report it by POST /v1/movements:batch; an "
    "approver accepts it among what is parked",
)


def refuse_reversal(original: tables.Movement) -> None:
    """Raises Conflict for what is not undone by a mirror image."""
    if original.reverses_id is not None:
        raise Conflict(
            "冲正流水不能再冲正,请按实际情况重新记账",
            "A reversal is not reversed: record what really happened anew",
        )
    if "stocktake_id" in original.details:
        raise Conflict(
            "盘点差异经他人批准入账,不能冲正,请另开盘点",
            "A stocktake's differences were approved by another person and are not reversed: open another stocktake",
            stocktake_id=original.details["stocktake_id"],
        )
    if original.order_id is not None:
        raise Conflict(
            "调拨单的出库、接收不能冲正,请在该单的下一步骤如实登记",
            "What moved by a dispatch order is not reversed: report what really happened by the order's next step",
            order_id=str(original.order_id),
        )


def booked(session: Session, seqs: Collection[int]) -> dict[int, list[Leg]]:
    """The legs of movements, as they were booked."""
    legs: dict[int, list[Leg]] = defaultdict(list)
    entries = select(tables.Entry).where(tables.Entry.movement_seq.in_(seqs))
    for e in session.scalars(entries.order_by(tables.Entry.movement_seq, tables.Entry.line_no)):
        account = laws.Account(e.place_id, Goods(e.item_code, e.lot_id))
        legs[e.movement_seq].append(Leg(account, e.quantity))
    return legs


def _lock_for(session: Session, legs: Collection[Leg]) -> None:
    """Lock what `legs` touch. Raises Conflict where they would take what is not there, or is held."""
    changes = laws.changes(legs)
    rows = {Row(account.place_id, account.goods.item_code) for account in changes}
    lock(session, rows, lots=[account.goods.lot_id for account in changes])
    accounts.refuse_below(session, changes)
