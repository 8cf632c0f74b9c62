"""Held lots that can not be had after all: the hold gets others at the place, first expired first, or is told short.

A short pick, a recall, a dispute or an expiry takes a lot away from those who count on it. They give up what is not
there and take what is free, in one transaction: nobody else gets in between. Nothing of it is silent: the hold keeps
what it gave up and why, and an event goes out.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import NamedTuple
from uuid import UUID

from chubei_shared.china import day
from chubei_shared.contracts.holds import HoldView, Repicked, Why
from chubei_shared.contracts.movements import ShortPick
from chubei_shared.errors import Conflict
from chubei_shared.outbox import enqueue
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from chubei_inventory.holds import holds
from chubei_inventory.ledger.fefo import Reason, Shelf, Want, barred, pick
from chubei_inventory.ledger.laws import Account, Goods, Standing
from chubei_inventory.stock import accounts, pool, queries
from chubei_inventory.stock.pool import Row, lock, sql
from chubei_inventory.tables import Hold, HoldLine

_LINES = sql(
    """
    SELECT k.hold_id, k.line_no, k.place_id, k.item_code, k.lot_id, k.outstanding, k.needed_on, h.purpose, h.created_at,
           l.lot_no, l.made_on, l.expires_on, l.quality
    FROM hold_line k JOIN hold h ON h.id = k.hold_id JOIN lot l ON l.id = k.lot_id
    WHERE k.hold_id = ANY(:holds) AND k.outstanding > 0 ORDER BY h.created_at, h.id, k.needed_on, k.line_no
    """,
    holds="uuid",
)
_GIVE_UP = sql(
    """
    UPDATE hold_line SET outstanding = outstanding - given.units
    FROM unnest(:holds, :lines, :units) AS given (hold_id, line_no, units)
    WHERE hold_line.hold_id = given.hold_id AND hold_line.line_no = given.line_no
    """,
    holds="uuid", lines="int", units="int",
)  # fmt: skip
_REMEMBER = text("UPDATE hold SET repicked = repicked || CAST(:rows AS jsonb) WHERE id = :id")


@dataclass(frozen=True, slots=True)
class Kept:
    """What a line of an open, locked hold keeps of a lot."""

    hold_id: UUID
    line_no: int
    row: Row
    shelf: Shelf
    needed_on: date
    purpose: str
    since: datetime


class GivenUp(NamedTuple):
    """Units that a line can not have, and why."""

    kept: Kept
    units: int
    why: Reason


def yielding(of_lot: Sequence[Kept], excess: int, why: Reason, first: UUID | None = None) -> list[GivenUp]:
    """Who gives up `excess` units of a lot: who held it last first, the hold `first` at the very end. Pure."""
    given = []
    others = [kept for kept in of_lot if kept.hold_id != first]
    for kept in [*others[::-1], *(kept for kept in of_lot if kept.hold_id == first)]:
        units = min(excess, kept.shelf.available)
        if units > 0:
            given.append(GivenUp(kept, units, why))
            excess -= units
    return given


def short_pick(session: Session, movement: ShortPick, missing: Mapping[Goods, int]) -> None:
    """Move what is held of units that are missing. Raises Conflict where the books do not have so many there."""
    if movement.picked_for is not None:
        holds.must_exist(session, [movement.picked_for])
    gone = {Account(movement.place_id, goods): units for goods, units in missing.items()}
    held_by = _holding(session, movement.place_id, [goods.lot_id for goods in missing])
    locked = lock(session, {_row(a) for a in gone}, [a.goods.lot_id for a in gone], keeping=held_by)
    now = accounts.standings(session, gone)
    for account, units in gone.items():
        _refuse_more_than_there_is(account, now[account], units)
    given: list[GivenUp] = []
    for account, kept_by in _kept(session, held_by).items():
        if account in gone:
            left = now[account].on_hand + now[account].disputed - gone[account]
            excess = now[account].held - left
            given += yielding(kept_by, excess, barred(Why.MISSING), movement.picked_for)
    _move(session, given, locked, gone, movement)


def _refuse_more_than_there_is(account: Account, now: Standing, missing: int) -> None:
    there = now.on_hand + now.disputed
    if missing > there:
        raise Conflict(
            f"{account.place_id} 的批次 {account.goods.lot_id} 账面只有 {max(0, there)},少于短缺 {missing},请核对"
            "(GET /v1/stock、/v1/disputes)",
            f"The books have {max(0, there)} of lot {account.goods.lot_id} at {account.place_id}, fewer than the "
            f"{missing} missing: see GET /v1/stock and /v1/disputes",
            on_hand=max(0, there),
        )


def repick(session: Session, hold_id: UUID) -> HoldView:
    """Give a hold other lots for those it can not have: recalled, sealed off, expired by arrival, in dispute.

    Raises NotFound. One that is over, or has nothing to move, stays as it is.
    """
    holds.must_exist(session, [hold_id])
    give_others(session, [hold_id], lock_holds(session, [hold_id]))
    return queries.hold(session, hold_id)


def lock_holds(session: Session, hold_ids: Collection[UUID], lots: Iterable[UUID] = ()) -> set[UUID]:
    """Lock holds, then all lots where they keep something, and `lots`."""
    held = select(HoldLine.place_id, HoldLine.item_code, HoldLine.lot_id).where(
        HoldLine.hold_id.in_(hold_ids), HoldLine.outstanding > 0, HoldLine.lot_id.is_not(None)
    )
    found = session.execute(held).all()
    rows = {Row(line.place_id, line.item_code) for line in found}
    return lock(session, rows, {*lots, *(line.lot_id for line in found)}, keeping=hold_ids)


def give_others(session: Session, hold_ids: Collection[UUID], locked: AbstractSet[UUID]) -> None:
    """Move what locked holds keep of lots that can not be had."""
    kept_of = _kept(session, hold_ids)
    now = accounts.standings(session, kept_of)
    given: list[GivenUp] = []
    for account, kept_by in kept_of.items():
        gone = {kept: why for kept in kept_by if (why := kept.shelf.unusable(kept.needed_on))}
        given += [GivenUp(kept, kept.shelf.available, why) for kept, why in gone.items()]
        there = max(0, now[account].on_hand + now[account].disputed)
        excess = now[account].held - there - sum(kept.shelf.available for kept in gone)
        given += yielding([kept for kept in kept_by if kept not in gone], excess, barred(Why.DISPUTED))
    _move(session, given, locked)


def _holding(session: Session, place_id: str, lots: Collection[UUID]) -> set[UUID]:
    """The open holds that keep something of lots at a place."""
    line = HoldLine
    of = select(line.hold_id).join(Hold, Hold.id == line.hold_id).where(Hold.status == "open")
    return set(
        session.scalars(of.where(line.place_id == place_id, line.lot_id.in_(lots), line.outstanding > 0))
    )


def _kept(session: Session, hold_ids: Collection[UUID]) -> dict[Account, list[Kept]]:
    """What locked holds keep, by lot and place, the oldest hold first."""
    today = day(datetime.now(UTC))
    found: dict[Account, list[Kept]] = defaultdict(list)
    for r in session.execute(_LINES, {"holds": list(hold_ids)}):
        shelf = Shelf(r.lot_id, r.lot_no, r.made_on, r.expires_on, r.quality, r.outstanding)
        row, needed_on = Row(r.place_id, r.item_code), r.needed_on or today
        kept = Kept(r.hold_id, r.line_no, row, shelf, needed_on, r.purpose, r.created_at)
        found[Account(r.place_id, Goods(r.item_code, r.lot_id))].append(kept)
    return found


def _row(account: Account) -> Row:
    return Row(account.place_id, account.goods.item_code)


def _move(
    session: Session,
    given: Sequence[GivenUp],
    locked: AbstractSet[UUID],
    missing: Mapping[Account, int] | None = None,
    movement: ShortPick | None = None,
) -> None:
    """Let holds give up units, and take what is free of other lots; what is `missing` is nobody's."""
    if not given:
        return
    session.execute(
        _GIVE_UP,
        {
            "holds": [one.kept.hold_id for one in given],
            "lines": [one.kept.line_no for one in given],
            "units": [one.units for one in given],
        },
    )
    shelves = pool.free(session, {one.kept.row for one in given}, locked)
    left = Counter({(row, s.lot_id): s.available for row, on_row in shelves.items() for s in on_row})
    left.subtract(
        {(_row(account), account.goods.lot_id): units for account, units in (missing or {}).items()}
    )
    told: dict[UUID, list[Repicked]] = defaultdict(list)
    first = movement.picked_for if movement else None
    for kept, wanted, why in sorted(given, key=lambda g: (g.kept.hold_id != first, g.kept.since)):
        there = [replace(shelf, available=left[kept.row, shelf.lot_id]) for shelf in shelves[kept.row]]
        found = pick(there, [Want(wanted, kept.needed_on)])
        left.subtract({(kept.row, lot_id): units for lot_id, units in found.parts.items()})
        parts = found.parts.items()
        lines = [
            holds.NewLine(kept.row, lot_id, None, units, kept.needed_on, units) for lot_id, units in parts
        ]
        holds.add_lines(session, kept.hold_id, lines)
        repicked = Repicked(
            at=datetime.now(UTC), place_id=kept.row.place_id, item_code=kept.row.item_code,
            lot_id=kept.shelf.lot_id, lot_no=kept.shelf.lot_no, reason=why.why, units=wanted,
            moved=wanted - found.short, short=found.short, movement_id=movement.id if movement else None,
        )  # fmt: skip
        told[kept.hold_id].append(repicked)
        body = {"hold_id": str(kept.hold_id), "purpose": kept.purpose, **repicked.model_dump(mode="json")}
        enqueue(session, "hold.short" if found.short else "hold.repicked", body)
    _remember(session, told)


def _remember(session: Session, told: Mapping[UUID, Iterable[Repicked]]) -> None:
    for hold_id, rows in sorted(told.items()):
        body = "[" + ",".join(row.model_dump_json() for row in rows) + "]"
        session.execute(_REMEMBER, {"id": hold_id, "rows": body})
