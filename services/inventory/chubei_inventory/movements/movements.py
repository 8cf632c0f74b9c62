"""Movements are the only way a quantity changes. `record` takes one, once, however often it is sent."""

from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from chubei_shared.contracts.movements import Movement, Reverse, Scrap, Tested
from chubei_shared.contracts.stock import EntryView, MovementView
from chubei_shared.errors import Conflict, Forbidden, Invalid, NotFound
from chubei_shared.outbox import enqueue
from chubei_shared.tokens import Caller, Role
from sqlalchemy import select
from sqlalchemy.orm import Session

from chubei_inventory import tables
from chubei_inventory.fingerprint import fingerprint, other_content
from chubei_inventory.ledger import facts, laws
from chubei_inventory.ledger.laws import Leg
from chubei_inventory.movements import kinds
from chubei_inventory.stock import accounts, posting, queries
from chubei_inventory.stock.pool import sql

CLOCK_TOLERANCE = timedelta(hours=24)
"""How far a phone's clock may be ahead of the server's."""


def record(
    session: Session,
    movement: Movement,
    caller: Caller,
    recorded_by: str | None = None,
    oldest: datetime | None = None,
) -> tuple[MovementView, bool]:
    """Record a movement, in one piece; the flag says whether it is new.

    With `recorded_by` the caller approves what that person has reported. What happened before `oldest` is refused.
    Raises Forbidden at a place that is not the caller's, Conflict, Shortage, Invalid, NotFound.
    """
    place_id = place_of(session, movement)
    if recorded_by is None:
        _refuse_stranger(movement, place_id, caller)
    refuse_future(movement.occurred_at)
    accounts.prepare(session, movement)
    approved_by = None if recorded_by is None else caller.person
    head = row_of(movement, place_id, recorded_by or caller.person, approved_by)
    added = posting.begin(session, [head])
    if not added:
        return _known(session, movement), False
    refuse_old(movement.occurred_at, oldest)
    legs = kinds.legs_of(session, movement)
    if not legs:
        raise Invalid(
            "该流水没有移动任何物资,请填数量", "The movement moves nothing: give quantities",
            errors=[{"field": "lines", "problem": "nothing moves", "remedy": "give quantities"}],
        )  # fmt: skip
    booked, _ = accounts.settled(legs, accounts.standings(session, laws.changes(legs)))
    seq, recorded_at = added[movement.id]
    posting.post(session, [(seq, booked)])
    seal_failed(session, [movement], caller)
    enqueue(session, "stock.moved", news(movement, legs))
    return _view(head, recorded_at, booked), True


def _view(head: Mapping[str, Any], recorded_at: datetime, booked: Iterable[Leg]) -> MovementView:
    """What was just recorded, as it will be read again."""
    entries = [
        EntryView(place_id=a.place_id, item_code=a.goods.item_code, lot_id=a.goods.lot_id, quantity=units)
        for a, units in ((leg.account, leg.quantity) for leg in booked)
    ]
    told = {name: head[name] for name in posting.COLUMNS if name != "body_hash"}
    return MovementView(**told, recorded_at=recorded_at, entries=entries)


def _refuse_stranger(movement: Movement, place_id: str, caller: Caller) -> None:
    """Who may report what. What is held for a plan goes by the steps of its orders: else they find it gone."""
    refuse_stranger_at(place_id, caller)
    if (field := facts.by_an_order(movement)) and Role.SERVICE not in caller.roles:
        raise Forbidden(
            f"{field}:预留与调拨单的物资由调拨单的步骤出库、接收:POST /v1/orders/{{id}}/steps",
            f"{field}: what is held or on an order moves by the order's steps: POST /v1/orders/{{id}}/steps",
        )
    if isinstance(movement, Scrap):
        raise Forbidden(
            "报废须经他人批准:请用 POST /v1/scraps 申请,由批准人批准后入账",
            "Scrapping needs another person's approval: ask for it by POST /v1/scraps; an approver books it",
        )


def refuse_stranger_at(place_id: str, caller: Caller) -> None:
    """Raises Forbidden for who does not work at a place."""
    if not caller.works_at(place_id):
        raise Forbidden(
            f"您不在 {place_id} 任职,不能在此记账",
            f"You do not work at {place_id}: its own clerk or an administrator records this",
            place_id=place_id,
        )


def refuse_future(occurred_at: datetime) -> None:
    """Raises Invalid for what is said to happen long after now."""
    if occurred_at > datetime.now(UTC) + CLOCK_TOLERANCE:
        raise Invalid(
            "occurred_at 晚于现在 24 小时以上,请校准设备时钟",
            "occurred_at is more than 24 hours ahead: set the device's clock",
            errors=[{"field": "occurred_at", "problem": "in the future", "remedy": "set the clock"}],
        )


def refuse_old(occurred_at: datetime, oldest: datetime | None) -> None:
    """Raises Invalid for what is said to have happened so long ago that it is a wrong date."""
    if oldest is not None and occurred_at < oldest:
        on = f"{oldest:%Y-%m-%d}"
        raise Invalid(
            f"occurred_at:{occurred_at:%Y-%m-%d} 早于 {on},请核对日期;更早的存货按期初库存导入(表 stock,填盘点日期)",
            f"occurred_at: {occurred_at:%Y-%m-%d} is before {on}: check the date; older stock is imported as opening "
            "stock (list stock, counted_on)",
            errors=[
                {"field": "occurred_at", "problem": f"早于 {on} / before {on}",
                 "remedy": "核对日期,或作为期初库存导入 / check the date, or import it as opening stock"}
            ],
        )  # fmt: skip


def place_of(session: Session, movement: Movement) -> str:
    """Where a movement is done. Raises NotFound for a reversal of what is not there."""
    if not isinstance(movement, Reverse):
        return facts.place_of(movement)
    of = select(tables.Movement.place_id).where(tables.Movement.id == movement.reverses_id)
    place_id = session.scalar(of)
    if place_id is None:
        text = movement.reverses_id
        raise NotFound(f"没有可冲正的流水 {text}", f"There is no movement {text} to reverse")
    return place_id


_DETAILS = (
    "to_place_id",
    "sent_id",
    "issued_from",
    "module_id",
    "recipient",
    "passed",
    "from_state",
    "picked_for",
)


def row_of(
    movement: Movement, place_id: str, recorded_by: str, approved_by: str | None = None
) -> dict[str, Any]:
    """A movement's own row."""
    own = facts.fields_of(type(movement))
    details = {name: getattr(movement, name) for name in _DETAILS if name in own}
    return {
        "id": movement.id,
        "kind": movement.kind,
        "place_id": place_id,
        "body_hash": fingerprint(movement),
        "occurred_at": movement.occurred_at,
        "recorded_by": recorded_by,
        "approved_by": approved_by,
        "voucher": movement.voucher,
        "reason": movement.reason,
        "order_id": getattr(movement, "order_id", None),
        "hold_id": getattr(movement, "hold_id", None),
        "reverses_id": getattr(movement, "reverses_id", None),
        "details": {
            name: str(v) if isinstance(v, UUID) else v for name, v in details.items() if v not in (None, "")
        },
    }


_AS_BEFORE = sql(
    """
    INSERT INTO lot_change (lot_id, quality, reason, recorded_by, movement_id)
    SELECT c.lot_id, coalesce((
               SELECT p.quality FROM lot_change p LEFT JOIN recall o ON o.id = p.recall_id
               WHERE p.lot_id = c.lot_id AND p.seq < c.seq AND (p.quality <> 'recalled' OR o.lifted_at IS NULL)
               ORDER BY p.seq DESC LIMIT 1), 'ok'), r.reason, :by, r.id
    FROM movement r JOIN lot_change c ON c.movement_id = r.reverses_id
    WHERE r.id = ANY(:ids) AND NOT EXISTS (SELECT FROM lot_change n WHERE n.lot_id = c.lot_id AND n.seq > c.seq)
    ORDER BY c.lot_id
    """,
    ids="uuid",
)


def seal_failed(session: Session, recorded: Collection[Movement], caller: Caller) -> None:
    """A lot that failed its test is sealed off everywhere; where that is reversed, it is what it was before."""
    if undone := [m.id for m in recorded if isinstance(m, Reverse)]:
        session.execute(_AS_BEFORE, {"ids": undone, "by": caller.person})
    failed = [m for m in recorded if isinstance(m, Tested) and not m.passed]
    for movement in failed:
        lots = select(tables.Entry.lot_id).join(
            tables.Movement, tables.Movement.seq == tables.Entry.movement_seq
        )
        for lot_id in sorted(set(session.scalars(lots.where(tables.Movement.id == movement.id)))):
            session.add(
                tables.LotChange(
                    lot_id=lot_id,
                    quality="sealed",
                    reason=movement.reason or f"检验不合格 / failed its test {movement.voucher}",
                    recorded_by=caller.person,
                    movement_id=movement.id,
                )
            )
    session.flush()


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


def news(movement: Movement, legs: Iterable[Leg]) -> dict[str, object]:
    """What the screens are told of a movement."""
    touched = [leg.account for leg in legs]
    return {
        "movement_id": str(movement.id),
        "kind": movement.kind,
        "places": sorted({a.place_id for a in touched if not a.place_id.startswith("outside:")}),
        "items": sorted({a.goods.item_code for a in touched}),
    }
