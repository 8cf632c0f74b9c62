"""What a clerk takes along: items, lots, bins, open holds of one place; later, what has changed of them.

Rows are stamped with the transaction that wrote them, and a cursor is the oldest transaction that was still open
when the kit was read (`pg_snapshot_xmin`). Whatever that kit could not see was written by this or a later
transaction, so "stamped since the cursor" has it, however late it commits. Numbers given at insertion would not
do: number 7 may commit before number 6.
"""

import json
from collections import defaultdict
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from chubei_shared.contracts.offline import (
    KitBin,
    KitHold,
    KitHoldLine,
    KitItem,
    KitLot,
    KitParked,
    KitPlace,
    OfflineKit,
)
from chubei_shared.cursors import cursor_of, key_of, name, serial
from chubei_shared.errors import NotFound
from sqlalchemy import text
from sqlalchemy.orm import Session

from chubei_inventory.stock.queries import ONE_VIEW

_HORIZON = text("SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint")
_ACCOUNTS = """
    WITH accounts AS (
        SELECT p.id FROM place p LEFT JOIN place q ON q.id = p.parent_id
        WHERE p.id = :place_id OR p.parent_id = :place_id OR q.parent_id = :place_id)
"""
_BINS = text(
    f"""
    {_ACCOUNTS}
    SELECT b.place_id AS account, b.lot_id, b.on_hand AS units FROM balance b JOIN accounts a ON a.id = b.place_id
    WHERE b.on_hand <> 0 ORDER BY 1, 2
    """  # noqa: S608 (this file's own text)
)
_BINS_SINCE = text(
    f"""
    {_ACCOUNTS}, moved AS (
        SELECT DISTINCT e.place_id, e.item_code, e.lot_id FROM movement m JOIN entry e ON e.movement_seq = m.seq
        WHERE m.xact >= :since AND e.place_id IN (SELECT id FROM accounts))
    SELECT b.place_id AS account, b.lot_id, b.on_hand AS units
    FROM moved JOIN balance b USING (place_id, item_code, lot_id) ORDER BY 1, 2
    """  # noqa: S608 (this file's own text)
)
_LOTS = text(
    f"""
    {_ACCOUNTS}
    SELECT l.id, l.item_code, l.lot_no, l.maker, l.made_on, l.expires_on, l.owner, l.quality FROM lot l
    WHERE l.id = ANY(CAST(:lots AS uuid[])) OR l.id IN (
        SELECT c.lot_id FROM lot_change c JOIN balance b ON b.lot_id = c.lot_id AND b.on_hand <> 0
            JOIN accounts a ON a.id = b.place_id
        WHERE c.xact >= :since)
    ORDER BY l.id
    """  # noqa: S608 (this file's own text)
)
_HOLDS = text(
    """
    SELECT h.id, h.purpose, h.expires_at, l.item_code, l.lot_id, l.outstanding
    FROM hold h JOIN hold_line l ON l.hold_id = h.id
    WHERE h.status = 'open' AND h.expires_at > now() AND l.place_id = :place_id AND l.lot_id IS NOT NULL
      AND l.outstanding > 0
    ORDER BY h.expires_at, h.id, l.line_no
    """
)
_PARKED = text(
    """
    SELECT id, status, reason, detail, detail_en, settled_reason FROM parked
    WHERE place_id = :place_id AND xact >= :since AND (:since > 0 OR status = 'open') ORDER BY seq
    """
)
_ITEMS = text("SELECT code, name_zh, name_en, unit_zh, pack, returnable FROM item ORDER BY code")
_PLACES = text(
    "SELECT id, name_zh, name_en, kind FROM place WHERE kind NOT IN ('transit', 'outside', 'state') ORDER BY id"
)


def take(session: Session, place_id: str, since: str | None) -> OfflineKit:
    """The kit of a place, or what has changed of it since a cursor. Raises NotFound, Invalid."""
    session.execute(ONE_VIEW)
    key = key_of(since, name, serial, name)
    before, known = (
        (key[1], key[2]) if key and key[0] == place_id else (0, "")
    )  # another place's: the whole kit
    places = [KitPlace(**r._mapping) for r in session.execute(_PLACES)]
    if place_id not in {place.id for place in places}:
        raise NotFound(f"没有 {place_id},请核对编号", f"There is no place {place_id}: see GET /v1/places")
    items = [KitItem(**r._mapping) for r in session.execute(_ITEMS)]
    catalogue = _digest([[one.model_dump() for one in rows] for rows in (items, places)])
    where: dict[str, Any] = {"place_id": place_id, "since": before}
    bins = [KitBin(**r._mapping) for r in session.execute(_BINS_SINCE if before else _BINS, where)]
    lots = session.execute(_LOTS, where | {"lots": [str(one.lot_id) for one in bins]})
    return OfflineKit(
        place_id=place_id, taken_at=datetime.now(UTC), whole=not before,
        cursor=cursor_of(place_id, session.scalar(_HORIZON), catalogue),
        items=None if catalogue == known else items, places=None if catalogue == known else places,
        lots=[KitLot(**r._mapping) for r in lots], bins=bins, holds=_holds(session, where),
        parked=[KitParked(**r._mapping) for r in session.execute(_PARKED, where)],
    )  # fmt: skip


def _holds(session: Session, where: dict[str, Any]) -> list[KitHold]:
    heads: dict[Any, tuple[str, datetime]] = {}
    lines: dict[Any, list[KitHoldLine]] = defaultdict(list)
    for row in session.execute(_HOLDS, where):
        heads[row.id] = (row.purpose, row.expires_at)
        lines[row.id].append(
            KitHoldLine(item_code=row.item_code, lot_id=row.lot_id, outstanding=row.outstanding)
        )
    return [
        KitHold(id=one, purpose=purpose, expires_at=until, lines=lines[one])
        for one, (purpose, until) in heads.items()
    ]


def _digest(rows: Any) -> str:
    return sha256(json.dumps(rows).encode()).hexdigest()[:16]
