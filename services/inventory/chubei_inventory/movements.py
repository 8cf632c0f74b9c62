"""Movements are the only way a quantity changes. `record` takes one, once, however often it is sent."""

from datetime import UTC, datetime, timedelta

from chubei_shared.contracts.stock import Movement, MovementView, Reverse, Transfer
from chubei_shared.errors import Conflict, Forbidden, Invalid, NotFound
from chubei_shared.outbox import enqueue
from chubei_shared.tokens import Caller, Role
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from chubei_inventory import accounts, ledger, queries, stock, tables
from chubei_inventory.fingerprint import fingerprint, other_content
from chubei_inventory.ledger import Leg
from chubei_inventory.pool import sql

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
    _refuse_promised(movement, caller)
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
    legs = stock.legs_of(session, movement)
    _post(session, seq, legs)
    enqueue(session, "stock.moved", _news(movement, legs))
    return queries.movement(session, movement.id), True


def _refuse_promised(movement: Movement, caller: Caller) -> None:
    """What is held for a plan goes by the steps of its orders: else an order finds its goods gone."""
    named = [field for field in ("hold_id", "order_id") if getattr(movement, field, None) is not None]
    if named and Role.SERVICE not in caller.roles:
        raise Forbidden(
            f"{named[0]}:预留与调拨单的物资由调拨单的步骤出库、接收:POST /v1/orders/{{id}}/steps",
            f"{named[0]}: what is held or on an order moves by the order's steps: POST /v1/orders/{{id}}/steps",
        )


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
