"""Counts: once by each person for each line, added and never edited."""

from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from chubei_shared.contracts.batches import ParkedReason
from chubei_shared.contracts.stocktakes import Count as CountBody
from chubei_shared.contracts.stocktakes import CountReceipt, LineStatus, Stocktake, StocktakeState
from chubei_shared.errors import AppError, Conflict, Forbidden, Invalid
from chubei_shared.tokens import Caller, Role
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from chubei_inventory import tables as stock_tables
from chubei_inventory.fingerprint import fingerprint, other_content
from chubei_inventory.reserves.verifications import CLOCK_TOLERANCE
from chubei_inventory.stock import lots
from chubei_inventory.stocktake import judging, stocktakes, tables
from chubei_inventory.stocktake.rules import OPEN
from chubei_inventory.stocktake.tables import Count, Line


@dataclass(frozen=True, slots=True)
class Hindered:
    """Why a count is not taken: what a batch answers, and what is raised to who asks alone."""

    reason: ParkedReason
    error: AppError


def record(
    session: Session, stocktake_id: UUID, body: CountBody, caller: Caller
) -> tuple[CountReceipt, bool]:
    """Record a count; the flag says whether it is new. Raises NotFound, Forbidden, Conflict, Invalid."""
    stocktake = stocktakes.find(session, stocktake_id, lock=False)
    if (known := session.get(Count, body.id)) is not None:
        if (known.stocktake_id, known.body_hash) != (stocktake_id, fingerprint(body)):
            raise other_content(body.id)
        return _receipt(known), False
    item_code, lot_id = lot_of(session, body)
    why = hinders(session, stocktake, body, item_code, lot_id, caller)
    if why is not None:
        raise why.error
    return _receipt(keep(session, stocktake, body, item_code, lot_id, caller, None)), True


def lot_of(session: Session, body: CountBody) -> tuple[str, UUID]:
    """Item and lot that a count names; one that nobody has seen yet becomes known. Raises Invalid."""
    if body.lot is not None:
        code = str(body.item_code)
        if session.get(stock_tables.Item, code) is None:
            raise _invalid(
                "item_code", code, "目录中没有这种物资", "the catalogue has no such item", "GET /v1/items"
            )
        [lot_id] = lots.ids(session, [(code, body.lot)], make=True).values()
        return code, lot_id
    lot = stock_tables.Lot
    found = session.scalar(select(lot.item_code).where(lot.id == body.lot_id, lot.reserve_id.is_(None)))
    if found is None or body.item_code not in (None, found):
        problem = ("没有该物资的这个批次", "there is no such lot of the item")
        raise _invalid("lot_id", str(body.lot_id), *problem, "GET /v1/stocktakes/{id}/sheet")
    assert body.lot_id is not None  # noqa: S101 (the contract asks for it)
    return found, body.lot_id


def hinders(
    session: Session,
    stocktake: tables.Stocktake,
    body: CountBody,
    item_code: str,
    lot_id: UUID,
    caller: Caller,
) -> Hindered | None:
    """What keeps a count from being taken, or None."""
    if Role.CLERK not in caller.roles or stocktake.place_id not in caller.places:
        return Hindered(
            ParkedReason.NOT_YOURS,
            Forbidden(
                f"清点由 {stocktake.place_id} 的保管员进行", f"Clerks of {stocktake.place_id} count: you are not one"
            ),
        )  # fmt: skip
    if StocktakeState(stocktake.state) not in OPEN:
        return Hindered(
            ParkedReason.CLOSED,
            Conflict("盘点已结束,请另开盘点", "The stocktake is closed: open another", state=stocktake.state),
        )
    if not stocktake.opened_at <= body.counted_at <= datetime.now(UTC) + CLOCK_TOLERANCE:
        return Hindered(
            ParkedReason.IN_FUTURE,
            _invalid(
                "counted_at", str(body.counted_at), "早于开盘或在将来,请校准设备时钟",
                "it lies before the stocktake was opened, or in the future: set the device's clock",
                f"from {stocktake.opened_at:%Y-%m-%dT%H:%M:%SZ} to now",
            ),
        )  # fmt: skip
    asked = Stocktake.model_validate(stocktake.body)
    if not stocktakes.in_scope(asked, body.account) or (asked.items and item_code not in asked.items):
        problem = ("不在本次盘点范围内", "it is not within this stocktake")
        return Hindered(
            ParkedReason.NOT_IN_SCOPE,
            _invalid("account", f"{body.account} {item_code}", *problem, "GET /v1/stocktakes"),
        )
    return _twice(session, stocktake, body.account, lot_id, caller)


def _twice(
    session: Session, stocktake: tables.Stocktake, account: str, lot_id: UUID, caller: Caller
) -> Hindered | None:
    """A person counts a line once; again only where the books were adjusted since. Another stocktake may have it."""
    mine = select(Count.id).where(
        Count.stocktake_id == stocktake.id, Count.account == account, Count.lot_id == lot_id,
        Count.counted_by == caller.person, Count.hindrance.is_(None),
    )  # fmt: skip
    if session.scalar(mine.limit(1)) is not None and not _to_count(session, stocktake, account, lot_id):
        return Hindered(
            ParkedReason.COUNTED_ALREADY,
            Conflict(
                "您已清点过这一行,复盘须由他人进行",
                "You have counted this line: a recount is another person's",
            ),
        )
    if session.get(Line, (stocktake.id, account, lot_id)) is None:
        stocktakes.alone(session)  # of two that find the same lot, the second sees the first
    other = select(Line.stocktake_id).where(
        Line.account == account, Line.lot_id == lot_id, Line.is_open, Line.stocktake_id != stocktake.id
    )
    if (by := session.scalar(other)) is not None:
        return Hindered(
            ParkedReason.NOT_IN_SCOPE,
            Conflict(f"该批次由盘点 {by} 清点", f"Stocktake {by} counts this lot", stocktakes=[str(by)]),
        )
    return None


def _to_count(session: Session, stocktake: tables.Stocktake, account: str, lot_id: UUID) -> bool:
    of = (
        one
        for one in judging.lines(session, stocktake)
        if (one.line.account, one.line.lot_id) == (account, lot_id)
    )
    return any(one.verdict.status is LineStatus.TO_COUNT for one in of)


def keep(
    session: Session, stocktake: tables.Stocktake, body: CountBody, item_code: str, lot_id: UUID, caller: Caller,
    hindrance: str | None,
) -> Count:  # fmt: skip
    """Add a count, and its line where the sheet has none."""
    if hindrance is None:
        line = {
            "stocktake_id": stocktake.id,
            "account": body.account,
            "item_code": item_code,
            "lot_id": lot_id,
        }
        made = insert(Line).values(line | {"added": True})
        session.execute(made.on_conflict_do_nothing(index_elements=["stocktake_id", "account", "lot_id"]))
    made_count = Count(
        id=body.id, body_hash=fingerprint(body), stocktake_id=stocktake.id, account=body.account, item_code=item_code,
        lot_id=lot_id, units=body.units, counted_at=body.counted_at, counted_by=caller.person, note=body.note,
        hindrance=hindrance,
    )  # fmt: skip
    session.add(made_count)
    session.flush()
    return made_count


def _receipt(row: Count) -> CountReceipt:
    return CountReceipt(**{name: getattr(row, name) for name in CountReceipt.model_fields})


def _invalid(field: str, problem: str, zh: str, en: str, remedy: str) -> Invalid:
    return Invalid(
        f"{field} {problem}:{zh}", f"{field} {problem}: {en}. See {remedy}",
        errors=[{"field": field, "problem": f"{zh} / {en}", "remedy": remedy}],
    )  # fmt: skip
