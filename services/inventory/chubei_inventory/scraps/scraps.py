"""Scrapping: asked for by a custodian, booked when another person has approved it (rules.md E4)."""

from collections import Counter
from datetime import datetime
from uuid import UUID

from chubei_shared.contracts.batches import Accept, ParkedReason, ParkedView, Reject
from chubei_shared.contracts.movements import Scrap
from chubei_shared.errors import Conflict, NotFound
from chubei_shared.tokens import Caller
from sqlalchemy import select
from sqlalchemy.orm import Session

from chubei_inventory import tables
from chubei_inventory.fingerprint import fingerprint, other_content
from chubei_inventory.ledger import facts
from chubei_inventory.ledger.laws import Account, Goods
from chubei_inventory.movements import kinds, movements, reports
from chubei_inventory.movements.reports import Hindrance
from chubei_inventory.offline import parking
from chubei_inventory.stock import accounts
from chubei_inventory.stock.pool import lock


def ask(
    session: Session, body: Scrap, caller: Caller, oldest: datetime | None = None
) -> tuple[ParkedView, bool]:
    """Ask to scrap goods; the flag says whether it is new. What happened before `oldest` is refused.

    Raises Forbidden at a place that is not the caller's, Invalid for what is malformed or of a lot that nobody knows,
    Conflict where there are too few.
    """
    movements.refuse_stranger_at(body.place_id, caller)
    parked, body_hash = parking.known(session, [body.id]), fingerprint(body)
    key = f"{body.id}.{body_hash.hex()}"
    if (body.id, body_hash) in parked:
        return parking.get(session, key), False
    if parked or session.scalar(select(tables.Movement.id).where(tables.Movement.id == body.id)):
        raise other_content(body.id)
    movements.refuse_future(body.occurred_at)
    movements.refuse_old(body.occurred_at, oldest)
    accounts.prepare(session, body)
    _refuse_too_few(session, body)
    why = reports.refusal(body)
    assert why is not None and why.reason is ParkedReason.NEEDS_APPROVAL, why  # noqa: S101, PT018
    _park(session, body, body_hash, why, caller)
    return parking.get(session, key), True


def _park(session: Session, body: Scrap, body_hash: bytes, why: Hindrance, caller: Caller) -> None:
    as_text = parking.as_text(body.model_dump(mode="json"))
    parking.park(session, [(body.id, body_hash, as_text, body.place_id, why)], caller)


def approve(session: Session, scrap_id: UUID, body: Reject, caller: Caller) -> ParkedView:
    """Book it. Raises Forbidden for who asked for it, NotFound, Conflict."""
    return parking.accept(session, _key(session, scrap_id), Accept(reason=body.reason), caller)


def refuse(session: Session, scrap_id: UUID, body: Reject, caller: Caller) -> ParkedView:
    """Do not book it. Raises as `approve`."""
    return parking.reject(session, _key(session, scrap_id), body, caller)


def get(session: Session, scrap_id: UUID) -> ParkedView:
    """Raises NotFound."""
    return parking.get(session, _key(session, scrap_id))


def _key(session: Session, scrap_id: UUID) -> str:
    found = [
        parking.get(session, f"{one}.{body_hash.hex()}")
        for one, body_hash in parking.known(session, [scrap_id])
    ]
    asked = [view for view in found if view.reason is ParkedReason.NEEDS_APPROVAL]
    if not asked:
        raise NotFound(f"没有报废申请 {scrap_id}", f"There is no request to scrap {scrap_id}")
    if len(asked) > 1:  # reported offline twice under one id
        raise Conflict(
            f"编号 {scrap_id} 下有 {len(asked)} 份不同的申请,请逐份处理:/v1/parked-movements",
            f"There are {len(asked)} different requests under {scrap_id}: settle each at /v1/parked-movements",
            keys=[view.key for view in asked],
        )
    return asked[0].key


def _refuse_too_few(session: Session, body: Scrap) -> None:
    """What is not there, or held for a plan, is not scrapped. It is judged again when it is booked."""
    way = facts.route(body)
    assert way is not None  # noqa: S101
    asked: Counter[Account] = Counter()
    for line, lot_id in zip(body.lines, kinds.named(session, body), strict=True):
        assert lot_id is not None  # noqa: S101 (named has seen to it)
        asked[Account(way[0], Goods(line.item_code, lot_id))] += line.units
    lock(session, lots=[account.goods.lot_id for account in asked])
    for account, now in accounts.standings(session, asked).items():
        free = max(0, now.on_hand + now.disputed - now.held)
        if free < asked[account]:
            raise Conflict(
                f"{account.place_id} 的批次 {account.goods.lot_id} 可报废 {free},不足 {asked[account]};"
                "请核对数量,已预留的先释放",
                f"{free} of lot {account.goods.lot_id} at {account.place_id} can be scrapped, not {asked[account]}: "
                "check the quantity, and release what is held",
                free=free,
            )
