"""Movements are the only way a quantity changes. `record` takes one, once, however often it is sent."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from chubei_shared.contracts.movements import Movement, Reverse, Scrap, Tested
from chubei_shared.contracts.stock import MovementView
from chubei_shared.errors import Conflict, Forbidden, Invalid, NotFound
from chubei_shared.outbox import enqueue
from chubei_shared.tokens import Caller, Role
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from chubei_inventory import accounts, facts, ledger, queries, stock, tables
from chubei_inventory.fingerprint import fingerprint, other_content
from chubei_inventory.ledger import Leg
from chubei_inventory.pool import sql

CLOCK_TOLERANCE = timedelta(hours=24)
"""How far a phone's clock may be ahead of the server's."""

_POST = sql(
    """
    INSERT INTO entry (movement_seq, line_no, place_id, item_code, lot_id, quantity)
    SELECT * FROM unnest(:seqs, :numbers, :places, :items, :lots, :quantities)
    """,
    seqs="int", numbers="int", places="text", items="text", lots="uuid", quantities="int",
)  # fmt: skip


def record(
    session: Session, movement: Movement, caller: Caller, recorded_by: str | None = None
) -> tuple[MovementView, bool]:
    """Record a movement, in one piece; the flag says whether it is new.

    With `recorded_by` the caller approves what that person has reported.
    Raises Forbidden at a place that is not the caller's, Conflict, Shortage, Invalid, NotFound.
    """
    place_id = place_of(session, movement)
    if recorded_by is None:
        _refuse_stranger(movement, place_id, caller)
    if movement.occurred_at > datetime.now(UTC) + CLOCK_TOLERANCE:
        raise Invalid(
            "occurred_at 晚于现在 24 小时以上,请校准设备时钟",
            "occurred_at is more than 24 hours ahead: set the device's clock",
            errors=[{"field": "occurred_at", "problem": "in the future", "remedy": "set the clock"}],
        )
    accounts.prepare(session, movement)
    approved_by = None if recorded_by is None else caller.person
    head = row_of(movement, place_id, recorded_by or caller.person, approved_by)
    added = begin(session, [head])
    if not added:
        return _known(session, movement), False
    legs = stock.legs_of(session, movement)
    if not legs:
        raise Invalid(
            "该流水没有移动任何物资,请填数量", "The movement moves nothing: give quantities",
            errors=[{"field": "lines", "problem": "nothing moves", "remedy": "give quantities"}],
        )  # fmt: skip
    booked, _ = accounts.settled(legs, accounts.standings(session, ledger.changes(legs)))
    post(session, [(added[movement.id], booked)])
    seal_failed(session, [movement], caller)
    enqueue(session, "stock.moved", news(movement, legs))
    return queries.movement(session, movement.id), True


def _refuse_stranger(movement: Movement, place_id: str, caller: Caller) -> None:
    """Who may report what. What is held for a plan goes by the steps of its orders: else they find it gone."""
    if not caller.works_at(place_id):
        raise Forbidden(
            f"您不在 {place_id} 任职,不能在此记账",
            f"You do not work at {place_id}: its own clerk or an administrator records this",
            place_id=place_id,
        )
    if (field := facts.by_an_order(movement)) and Role.SERVICE not in caller.roles:
        raise Forbidden(
            f"{field}:预留与调拨单的物资由调拨单的步骤出库、接收:POST /v1/orders/{{id}}/steps",
            f"{field}: what is held or on an order moves by the order's steps: POST /v1/orders/{{id}}/steps",
        )
    if isinstance(movement, Scrap):
        raise Forbidden(
            "报废须经他人批准:请用 POST /v1/movements:batch 申报,由批准人在 /v1/parked-movements 批准",
            "Scrapping needs another person's approval: report it by POST /v1/movements:batch, and an approver "
            "accepts it at /v1/parked-movements",
        )


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


_DETAILS = ("to_place_id", "sent_id", "issued_from", "module_id", "recipient", "passed", "from_state")


def row_of(
    movement: Movement, place_id: str, recorded_by: str, approved_by: str | None = None
) -> dict[str, Any]:
    """A movement's own row."""
    own = type(movement).model_fields
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


def begin(session: Session, rows: list[dict[str, Any]]) -> dict[UUID, int]:
    """Insert movements themselves; the ids and numbers of those whose id (or reversal) was not there yet."""
    in_order = sorted(rows, key=lambda row: row["id"])  # who sends the same waits, and not in a circle
    added = session.execute(_BEGIN, in_order)
    return {movement_id: seq for movement_id, seq in added}  # noqa: C416 (rows, not pairs)


_BEGIN = insert(tables.Movement).on_conflict_do_nothing().returning(tables.Movement.id, tables.Movement.seq)


def seal_failed(session: Session, recorded: Iterable[Movement], caller: Caller) -> None:
    """A lot that failed its test is sealed off everywhere."""
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


def post(session: Session, booked: Sequence[tuple[int, list[Leg]]]) -> None:
    """Write the entries of movements, by their numbers. What is new among the books' own accounts is opened."""
    for _, legs in booked:
        ledger.check(legs)
    legs = [leg for _, of in booked for leg in of]
    accounts.open_own(session, (leg.account for leg in legs))
    session.execute(
        _POST,
        {
            "seqs": [seq for seq, of in booked for _ in of],
            "numbers": [number for _, of in booked for number, _ in enumerate(of, 1)],
            "places": [leg.account.place_id for leg in legs],
            "items": [leg.account.goods.item_code for leg in legs],
            "lots": [leg.account.goods.lot_id for leg in legs],
            "quantities": [leg.quantity for leg in legs],
        },
    )


def news(movement: Movement, legs: Iterable[Leg]) -> dict[str, object]:
    """What the screens are told of a movement."""
    touched = [leg.account for leg in legs]
    return {
        "movement_id": str(movement.id),
        "kind": movement.kind,
        "places": sorted({a.place_id for a in touched if not a.place_id.startswith("outside:")}),
        "items": sorted({a.goods.item_code for a in touched}),
    }
