"""Late reports of what happened before a count of a closed stocktake: its difference would have been another one.

A closed stocktake does not change. The doubt stands beside it and is told once: who sees it opens another one. Open
stocktakes need no watch, they are judged anew whenever they are looked at.
"""

from chubei_shared.outbox import enqueue
from sqlalchemy import text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from chubei_inventory.stocktake import judging, stocktakes
from chubei_inventory.stocktake.tables import Doubt, Watch

_HORIZON = text("SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint")
_TOUCHED = text(
    """
    SELECT DISTINCT n.stocktake_id
    FROM movement m JOIN entry e ON e.movement_seq = m.seq
        JOIN stocktake_line n ON n.lot_id = e.lot_id AND n.count_id IS NOT NULL
            AND n.account = regexp_replace(e.place_id, '^disputed:', '')
        JOIN stocktake_count c ON c.id = n.count_id AND m.occurred_at <= c.counted_at
    WHERE m.xact >= :since ORDER BY 1
    """
)


def look(session: Session) -> int:
    """Look through what was recorded since the last time; returns how many lines are newly in doubt."""
    watch = session.get_one(Watch, "late", with_for_update=True)
    since, watch.horizon = watch.horizon, session.scalar(_HORIZON) or watch.horizon
    session.flush()
    found = 0
    for stocktake_id in session.scalars(_TOUCHED, {"since": since}).all():
        stocktake = stocktakes.find(session, stocktake_id)
        doubts = [
            {
                "stocktake_id": stocktake_id, "account": one.line.account, "lot_id": one.line.lot_id,
                "difference": one.verdict.difference,
            }
            for one in judging.lines(session, stocktake)
            if one.line.posted is not None and one.verdict.difference != one.line.posted
        ]  # fmt: skip
        added = insert(Doubt).on_conflict_do_nothing().returning(Doubt.lot_id)
        fresh = session.scalars(added, doubts).all() if doubts else []
        if fresh:
            told = {"stocktake_id": str(stocktake_id), "place_id": stocktake.place_id, "lines": len(fresh)}
            enqueue(session, "stocktake.doubted", told)
        found += len(fresh)
    return found
