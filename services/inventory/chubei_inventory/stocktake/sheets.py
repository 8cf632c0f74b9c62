"""What people are shown of a stocktake: the counters a blind sheet, the others the differences."""

from uuid import UUID

from chubei_shared.contracts.stocktakes import (
    DifferencePage,
    HinderedCount,
    SheetLine,
    SheetPage,
    StocktakeState,
)
from chubei_shared.cursors import cursor_of, key_of, name
from chubei_shared.errors import Forbidden
from chubei_shared.tokens import Caller, Role
from sqlalchemy import select
from sqlalchemy.orm import Session

from chubei_inventory.stocktake import judging, stocktakes, tables
from chubei_inventory.stocktake.judging import Judged
from chubei_inventory.stocktake.rules import OPEN
from chubei_inventory.stocktake.tables import Count


def sheet(session: Session, stocktake_id: UUID, caller: Caller, cursor: str | None, limit: int) -> SheetPage:
    """What is to be counted, by account, item and lot. No figure of the books is in it, and nobody's count."""
    judged = judging.lines(session, stocktakes.find(session, stocktake_id))
    after = tuple(key_of(cursor, name, name, UUID) or ())
    rest = [one for one in judged if not after or one.line.key > after]
    return SheetPage(
        rows=[_line(one, caller) for one in rest[:limit]],
        next_cursor=cursor_of(*rest[limit - 1].line.key) if len(rest) > limit else None,
    )


def _line(judged: Judged, caller: Caller) -> SheetLine:
    told = {name: getattr(judged.line, name) for name in SheetLine.model_fields.keys() & judged.line._fields}
    state, colon, _ = judged.line.account.partition(":")
    return SheetLine(
        **told,
        state=state if colon and state in ("sealed", "module") else "shelf",
        status=judged.verdict.status,
        counted_by_me=any(one.person == caller.person for one, _ in judged.counts),
    )


def differences(
    session: Session, stocktake_id: UUID, caller: Caller, cursor: str | None, limit: int
) -> tuple[DifferencePage, str]:
    """The differences and the ETag of all of them. Raises Forbidden to those who count, while it is open."""
    stocktake = stocktakes.find(session, stocktake_id)
    _refuse_counters(session, stocktake, caller)
    judged = judging.lines(session, stocktake)
    return judging.page(judged, cursor, limit), judging.etag(judged)


def hindered(session: Session, stocktake_id: UUID, caller: Caller) -> list[HinderedCount]:
    """Counts that came in offline and were not taken."""
    stocktake = stocktakes.find(session, stocktake_id)
    _refuse_counters(session, stocktake, caller)
    kept = select(Count).where(Count.stocktake_id == stocktake_id, Count.hindrance.is_not(None))
    rows = session.scalars(kept.order_by(Count.recorded_at, Count.id).limit(1000))
    return [
        HinderedCount.model_validate({n: getattr(r, n) for n in HinderedCount.model_fields}) for r in rows
    ]


def _refuse_counters(session: Session, stocktake: tables.Stocktake, caller: Caller) -> None:
    counted = (
        select(Count.id).where(Count.stocktake_id == stocktake.id, Count.counted_by == caller.person).limit(1)
    )
    counts = Role.CLERK in caller.roles or session.scalar(counted) is not None
    if counts and StocktakeState(stocktake.state) in OPEN:
        raise Forbidden(
            "盲盘:参与清点的人在盘点结束前看不到账面数",
            "A blind count: who counts sees no differences until it is closed",
        )
