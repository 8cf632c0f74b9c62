"""Stocktakes: opened for a place, and how they stand. What is counted by one is counted by no other meanwhile."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

from chubei_shared.contracts.stocktakes import (
    AccuracyRow,
    Stocktake,
    StocktakePage,
    StocktakeState,
    StocktakeStepView,
    StocktakeView,
    Threshold,
)
from chubei_shared.cursors import cursor_of, key_of, serial
from chubei_shared.errors import Conflict, Forbidden, Invalid, NotFound
from chubei_shared.outbox import enqueue
from chubei_shared.tokens import Caller, Role
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from chubei_inventory import tables as stock_tables
from chubei_inventory.fingerprint import fingerprint, other_content
from chubei_inventory.ledger import laws
from chubei_inventory.stock.pool import sql
from chubei_inventory.stocktake import settings, tables
from chubei_inventory.stocktake.rules import MOVES
from chubei_inventory.stocktake.tables import Count, Doubt, Line, Step

_COUNTED_STATES = ("shelf", "sealed", "module")
_OPENERS = (Role.COMMANDER, Role.APPROVER)
_FIND_LINES = """
    SELECT b.place_id AS account, b.item_code, b.lot_id FROM balance b JOIN place p ON p.id = b.place_id
        JOIN lot l ON l.id = b.lot_id AND l.reserve_id IS NULL
    WHERE (p.id = :place_id OR p.parent_id = :place_id) AND p.state = ANY(:states)
      AND (:every_account OR b.place_id = ANY(:accounts)) AND (:every_item OR b.item_code = ANY(:items))
      AND (b.on_hand > 0 OR EXISTS (
          SELECT FROM balance d WHERE d.place_id = 'disputed:' || b.place_id AND d.item_code = b.item_code
            AND d.lot_id = b.lot_id AND d.on_hand < 0))
"""
_OVERLAP = sql(
    f"""
    SELECT DISTINCT n.stocktake_id FROM ({_FIND_LINES}) f JOIN stocktake_line n USING (account, lot_id) WHERE n.is_open
    """,  # noqa: S608 (this file's own text)
    states="text", accounts="text", items="text",
)  # fmt: skip
_ADD_LINES = sql(
    f"""
    INSERT INTO stocktake_line (stocktake_id, account, item_code, lot_id, added)
    SELECT :id, account, item_code, lot_id, false FROM ({_FIND_LINES}) f ORDER BY account, lot_id
    """,  # noqa: S608 (this file's own text)
    states="text", accounts="text", items="text",
)  # fmt: skip
_ALONE = text("SELECT pg_advisory_xact_lock(7201131)")
_ACCURACY = text(
    """
    SELECT place_id, count(*) AS stocktakes, sum(lines_counted) AS lines_counted, sum(lines_right) AS lines_right,
           max(closed_at) AS last_closed_at
    FROM stocktake WHERE state = 'posted' AND closed_at >= :since
      AND (CAST(:place_id AS text) IS NULL OR place_id = :place_id)
    GROUP BY place_id ORDER BY place_id
    """
)


def open_one(session: Session, body: Stocktake, caller: Caller) -> tuple[StocktakeView, bool]:
    """Open a stocktake; the flag says whether it is new. Raises Forbidden, NotFound, Invalid, Conflict."""
    if (known := session.get(tables.Stocktake, body.id)) is not None:
        if known.body_hash != fingerprint(body):
            raise other_content(body.id)
        return get(session, body.id), False
    if not caller.works_at(body.place_id) and caller.roles.isdisjoint(_OPENERS):
        raise Forbidden(
            f"您不在 {body.place_id} 任职,不能开盘点",
            f"You do not work at {body.place_id}: its own clerk or the command opens it",
        )
    _refuse_unknown(session, body)
    alone(session)
    scope = {
        "place_id": body.place_id, "states": list(_COUNTED_STATES), "accounts": body.accounts, "items": body.items,
        "every_account": not body.accounts, "every_item": not body.items,
    }  # fmt: skip
    if others := sorted(map(str, session.scalars(_OVERLAP, scope))):
        raise Conflict(
            f"其中有批次正在盘点 {others[0]} 中清点,请先结束它",
            f"Some of it is being counted by stocktake {others[0]}: close that one first",
            stocktakes=others,
        )
    opened_at = datetime.now(UTC)
    session.add(
        tables.Stocktake(
            id=body.id, body_hash=fingerprint(body), body=body.model_dump(mode="json"), place_id=body.place_id,
            threshold=settings.get(session).model_dump(mode="json"), opened_at=opened_at, opened_by=caller.person,
        )
    )  # fmt: skip
    session.flush()
    session.execute(_ADD_LINES, {**scope, "id": body.id})
    tell(session, body.id, body.place_id, StocktakeState.COUNTING)
    return get(session, body.id), True


def alone(session: Session) -> None:
    """Nobody else brings lots under count until this transaction ends."""
    session.execute(_ALONE)


def tell(session: Session, stocktake_id: UUID, place_id: str, state: str) -> None:
    """Clerks read events too: no figures in it."""
    news = {"stocktake_id": str(stocktake_id), "place_id": place_id, "state": state}
    enqueue(session, f"stocktake.{state}", news)


def _refuse_unknown(session: Session, body: Stocktake) -> None:
    place = session.get(stock_tables.Place, body.place_id)
    if place is None or place.state != "shelf":
        raise NotFound(
            f"没有 {body.place_id},请核对编号", f"There is no place {body.place_id}: see GET /v1/places"
        )
    if others := [a for a in body.accounts if not in_scope(body, a)]:
        raise Invalid(
            f"accounts:{others[0]} 不属于 {body.place_id},可填 {body.place_id}、sealed:{body.place_id} 或其方舱",
            f"accounts: {others[0]} is not of {body.place_id}: give that, sealed:{body.place_id} or one of its modules",
            errors=[{"field": "accounts", "problem": others[0], "remedy": f"{body.place_id}, sealed:{body.place_id}"}],
        )  # fmt: skip
    code = stock_tables.Item.code
    known = set(session.scalars(select(code).where(code.in_(body.items))))
    if unknown := sorted(set(body.items) - known):
        raise Invalid(
            f"目录中没有物资 {', '.join(unknown)}",
            f"The catalogue has no item {', '.join(unknown)}: see GET /v1/items",
            errors=[{"field": "items", "problem": unknown[0], "remedy": "GET /v1/items"}],
        )  # fmt: skip


def in_scope(body: Stocktake, account: str) -> bool:
    """Whether an account is one that this stocktake counts."""
    own = account == body.place_id or (
        account.partition(":")[0] in ("sealed", "module") and laws.parent(account) == body.place_id
    )
    return own and (not body.accounts or account in body.accounts)


def find(session: Session, stocktake_id: UUID, *, lock: bool | None = None) -> tables.Stocktake:
    """The row; `lock`: True for whoever closes it, False for whoever counts. Raises NotFound."""
    mode = None if lock is None else {"read": not lock}
    row = session.get(
        tables.Stocktake, stocktake_id, with_for_update=mode, populate_existing=lock is not None
    )
    if row is None:
        raise NotFound(
            f"没有盘点 {stocktake_id}", f"There is no stocktake {stocktake_id}: see GET /v1/stocktakes"
        )
    return row


def get(session: Session, stocktake_id: UUID) -> StocktakeView:
    """Raises NotFound."""
    return _views(session, [find(session, stocktake_id)])[0]


def page(
    session: Session, place_id: str | None, state: StocktakeState | None, cursor: str | None, limit: int
) -> StocktakePage:
    """The latest first."""
    s = tables.Stocktake
    wanted = select(s).order_by(s.seq.desc()).limit(limit + 1)
    if place_id is not None:
        wanted = wanted.where(s.place_id == place_id)
    if state is not None:
        wanted = wanted.where(s.state == state)
    if after := key_of(cursor, serial):
        wanted = wanted.where(s.seq < after[0])
    found = list(session.scalars(wanted))
    return StocktakePage(
        rows=_views(session, found[:limit]),
        next_cursor=cursor_of(found[limit - 1].seq) if len(found) > limit else None,
    )


def accuracy(session: Session, place_id: str | None, since: datetime) -> list[AccuracyRow]:
    """How far books and shelves agreed, by place, in stocktakes closed since a moment."""
    found = session.execute(_ACCURACY, {"place_id": place_id, "since": since})
    return [AccuracyRow(**row._mapping) for row in found]


def _views(session: Session, found: Sequence[tables.Stocktake]) -> list[StocktakeView]:
    ids = [row.id for row in found]
    steps: dict[UUID, list[StocktakeStepView]] = defaultdict(list)
    of_these = select(Step).where(Step.stocktake_id.in_(ids)).order_by(Step.stocktake_id, Step.seq)
    for step in session.scalars(of_these):
        told = {name: getattr(step, name) for name in StocktakeStepView.model_fields}
        steps[step.stocktake_id].append(StocktakeStepView(**told))
    lines, counts, doubts = (_numbers(session, of, ids) for of in (Line, Count, Doubt))
    return [
        StocktakeView(
            stocktake=Stocktake.model_validate(row.body), state=StocktakeState(row.state),
            may_become=sorted(MOVES[StocktakeState(row.state)]), opened_at=row.opened_at, opened_by=row.opened_by,
            threshold=Threshold.model_validate(row.threshold), lines=lines.get(row.id, 0),
            counts=counts.get(row.id, 0), closed_at=row.closed_at, closed_by=row.closed_by,
            movement_id=row.movement_id, lines_counted=row.lines_counted, lines_right=row.lines_right,
            in_dispute=row.in_dispute, doubts=doubts.get(row.id, 0), steps=steps[row.id],
        )
        for row in found
    ]  # fmt: skip


def _numbers(
    session: Session, of: type[Line] | type[Count] | type[Doubt], ids: Sequence[UUID]
) -> dict[UUID, int]:
    counted = select(of.stocktake_id, func.count()).where(of.stocktake_id.in_(ids)).group_by(of.stocktake_id)
    return {stocktake_id: number for stocktake_id, number in session.execute(counted)}  # noqa: C416 (rows, not pairs)
