"""Stock under lock: what verbs take from, hold or give back.

Every verb locks in one order, so that none waits for another in a circle: its own record, holds by id, then
lots by id, all at once. A lot's lock covers its balances at all places, its reserve and its hold lines.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable
from collections.abc import Set as AbstractSet
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, NamedTuple
from uuid import UUID

from chubei_shared.china import day
from chubei_shared.contracts.base import Mode
from chubei_shared.contracts.holds import HoldStatus, Why
from chubei_shared.outbox import enqueue
from sqlalchemy import TextClause, bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY, BIGINT, DATE, TEXT
from sqlalchemy.dialects.postgresql import UUID as PG_UUID
from sqlalchemy.orm import Session

from chubei_inventory.firmness import evidence
from chubei_inventory.ledger.fefo import Shelf, barred


class Row(NamedTuple):
    """A supply row: what is had of an item, of one mode, at one place."""

    place_id: str
    item_code: str
    mode: Mode = Mode.PHYSICAL


_TYPES: dict[str, Any] = {
    "text": ARRAY(TEXT),
    "uuid": ARRAY(PG_UUID),
    "int": ARRAY(BIGINT),
    "date": ARRAY(DATE),
}


def sql(statement: str, **arrays: str) -> TextClause:
    """A statement whose parameters named in `arrays` are arrays of text, uuid, int or date."""
    return text(statement).bindparams(*(bindparam(name, type_=_TYPES[of]) for name, of in arrays.items()))


_HOLDS = sql(
    """
    SELECT h.id, h.id = ANY(:releasing) OR h.expires_at <= now() AS closing FROM hold h
    WHERE h.status = 'open' AND (h.id = ANY(:releasing) OR h.id = ANY(:keeping) OR h.expires_at <= now() AND EXISTS (
        SELECT FROM hold_line l JOIN unnest(:places, :items) AS r (place_id, item_code)
            USING (place_id, item_code)
        WHERE l.hold_id = h.id AND l.outstanding > 0))
    ORDER BY h.id FOR NO KEY UPDATE OF h
    """,
    releasing="uuid", keeping="uuid", places="text", items="text",
)  # fmt: skip

# NO KEY UPDATE leaves the lot free for the foreign keys of whoever only names it.
_LOCK = sql(
    """
    SELECT id FROM lot WHERE id IN (
        SELECT unnest(:lots)
        UNION SELECT b.lot_id FROM balance b
            JOIN unnest(:places, :items) AS r (place_id, item_code) USING (place_id, item_code)
            WHERE b.on_hand > 0
        UNION SELECT l.id FROM reserve v
            JOIN unnest(:places, :items) AS r (place_id, item_code) USING (place_id, item_code)
            JOIN lot l ON l.reserve_id = v.id
        UNION SELECT h.lot_id FROM hold_line h WHERE h.hold_id = ANY(:holds) AND h.lot_id IS NOT NULL
        UNION SELECT l.id FROM hold_line h JOIN lot l ON l.reserve_id = h.reserve_id
            WHERE h.hold_id = ANY(:holds))
    ORDER BY id FOR NO KEY UPDATE
    """,
    lots="uuid", places="text", items="text", holds="uuid",
)  # fmt: skip

_SHELVES = sql(
    """
    WITH wanted AS (SELECT * FROM unnest(:places, :items, :modes) AS w (place_id, item_code, mode))
    SELECT w.*, l.id, l.lot_no, l.made_on, l.expires_on, l.quality,
           (b.on_hand - b.held - coalesce(d.units, 0))::bigint AS available, NULL AS reserve_id,
           l.owner IN ('donor', 'social') AS given
    FROM wanted w JOIN balance b USING (place_id, item_code) JOIN lot l ON l.id = b.lot_id
        JOIN place p ON p.id = b.place_id
        CROSS JOIN LATERAL (SELECT -sum(on_hand) AS units FROM balance
                            WHERE p.state = 'shelf' AND lot_id = b.lot_id AND place_id LIKE 'disputed:%') d
    WHERE w.mode = 'physical' AND b.on_hand > b.held
    UNION ALL
    SELECT w.*, l.id, v.id, NULL, NULL, l.quality, v.quantity - v.held - v.used, v.id, false
    FROM wanted w JOIN reserve v USING (place_id, item_code, mode) JOIN lot l ON l.reserve_id = v.id
    WHERE v.quantity > v.held + v.used AND :today BETWEEN v.valid_from AND v.valid_until
    """,
    places="text", items="text", modes="text",
)  # fmt: skip

_BARRED = sql(
    """
    WITH wanted AS (SELECT * FROM unnest(:places, :items, :modes) AS w (place_id, item_code, mode))
    SELECT w.*, l.id, l.lot_no, l.made_on, l.expires_on, part.units, NULL AS reserve_id, part.why, part.whose
    FROM wanted w JOIN balance b USING (place_id, item_code) JOIN lot l ON l.id = b.lot_id
        CROSS JOIN LATERAL (SELECT -sum(on_hand) AS units FROM balance
                            WHERE lot_id = b.lot_id AND place_id LIKE 'disputed:%') d
        CROSS JOIN LATERAL (SELECT string_agg(DISTINCT h.purpose, ', ') AS purposes
                            FROM hold_line k JOIN hold h ON h.id = k.hold_id
                            WHERE (k.place_id, k.item_code, k.lot_id) = (b.place_id, b.item_code, b.lot_id)
                              AND k.outstanding > 0) h
        CROSS JOIN LATERAL (VALUES
            ('held', b.held, h.purposes),
            ('disputed', least(coalesce(d.units, 0), b.on_hand - b.held), NULL)) part (why, units, whose)
    WHERE w.mode = 'physical' AND b.on_hand > 0 AND part.units > 0
    UNION ALL
    SELECT w.*, l.id, l.lot_no, l.made_on, l.expires_on, b.on_hand, NULL,
           CASE s.state WHEN 'module' THEN 'packed' ELSE s.state END, NULL
    FROM wanted w JOIN place s ON s.parent_id = w.place_id AND s.state IN ('sealed', 'testing', 'missing', 'module')
        JOIN balance b ON b.place_id = s.id AND b.item_code = w.item_code JOIN lot l ON l.id = b.lot_id
    WHERE w.mode = 'physical' AND b.on_hand > 0
    UNION ALL
    SELECT w.*, l.id, v.id, NULL, NULL, part.units, v.id, part.why, part.whose
    FROM wanted w JOIN reserve v USING (place_id, item_code, mode) JOIN lot l ON l.reserve_id = v.id
        CROSS JOIN LATERAL (SELECT string_agg(DISTINCT h.purpose, ', ') AS purposes
                            FROM hold_line k JOIN hold h ON h.id = k.hold_id
                            WHERE k.reserve_id = v.id AND k.outstanding > 0) h
        CROSS JOIN LATERAL (VALUES
            ('held', CASE WHEN :today BETWEEN v.valid_from AND v.valid_until THEN v.held END, h.purposes),
            ('not_valid', CASE WHEN :today NOT BETWEEN v.valid_from AND v.valid_until
                          THEN v.quantity - v.held - v.used END,
             v.valid_from || '/' || v.valid_until)) part (why, units, whose)
    WHERE part.units > 0
    """,
    places="text", items="text", modes="text",
)  # fmt: skip

_GIVE_BACK = sql(
    "UPDATE hold_line SET outstanding = 0 WHERE hold_id = ANY(:holds) AND outstanding > 0", holds="uuid"
)
_CLOSE = sql(
    """
    UPDATE hold SET status = CASE WHEN expires_at <= now() THEN 'expired' ELSE 'released' END
    WHERE id = ANY(:holds) RETURNING id, status, purpose
    """,
    holds="uuid",
)


def lock(
    session: Session,
    rows: Collection[Row] = (),
    lots: Iterable[UUID] = (),
    releasing: Iterable[UUID] = (),
    keeping: Iterable[UUID] = (),
) -> set[UUID]:
    """Lock the holds `keeping`, then all lots of `rows` and `lots`; returns the lots' ids.

    On the way the holds `releasing`, and those on `rows` that have expired, give back what they keep.
    """
    places = {"places": [r.place_id for r in rows], "items": [r.item_code for r in rows]}
    named = {"releasing": list(releasing), "keeping": list(keeping)}
    closing = [h.id for h in session.execute(_HOLDS, {**named, **places}) if h.closing]
    locked = set(session.scalars(_LOCK, {"lots": list(lots), "holds": closing, **places}))
    if closing:
        _close(session, closing)
    return locked


def _close(session: Session, holds: list[UUID]) -> None:
    """Give back what locked, open holds keep, and close them as released or expired."""
    session.execute(_GIVE_BACK, {"holds": holds})
    for hold in session.execute(_CLOSE, {"holds": holds}).all():
        topic = "hold.expired" if hold.status == HoldStatus.EXPIRED else "hold.released"
        enqueue(session, topic, {"hold_id": str(hold.id), "purpose": hold.purpose})


def shelves(
    session: Session, rows: Collection[Row], releasing: Iterable[UUID] = ()
) -> dict[Row, list[Shelf]]:
    """Lock `rows` and read what is free there: lots on the shelf, or the reserve valid today.

    Of a reserve, what was called off and is not confirmed is free for nobody.

    A lot that came in after the locks were taken is left to the next one who asks.
    """
    return free(session, rows, lock(session, rows, releasing=releasing))


def free(session: Session, rows: Collection[Row], locked: AbstractSet[UUID]) -> dict[Row, list[Shelf]]:
    """What is free at `rows` of lots that are locked."""
    found: dict[Row, list[Shelf]] = defaultdict(list)
    there = session.execute(_SHELVES, _wanted(rows)).all()
    called = {r.reserve_id for r in there if r.reserve_id}
    lost = evidence.lost(session, called) if called else {}
    for r in there:
        if r.id in locked:
            row, unconfirmed = Row(r.place_id, r.item_code, Mode(r.mode)), lost.get(r.reserve_id, 0)
            shelf = Shelf(
                r.id, r.lot_no, r.made_on, r.expires_on, r.quality, r.available - unconfirmed, r.reserve_id,
                r.given,
            )  # fmt: skip
            found[row].append(shelf)
            if unconfirmed:
                units = min(unconfirmed, r.available)
                found[row].append(replace(shelf, available=units, bar=barred(Why.UNCONFIRMED)))
    return found


def withheld(session: Session, rows: Collection[Row]) -> dict[Row, list[Shelf]]:
    """What is at locked `rows` and can not be had: held, in dispute, sealed off, called off and not confirmed …"""
    found: dict[Row, list[Shelf]] = defaultdict(list)
    there = session.execute(_BARRED, _wanted(rows)).all()
    for r in there:
        bar = barred(Why(r.why), r.whose)
        shelf = Shelf(r.id, r.lot_no, r.made_on, r.expires_on, "ok", int(r.units), r.reserve_id, bar=bar)
        found[Row(r.place_id, r.item_code, Mode(r.mode))].append(shelf)
    return found


def _wanted(rows: Collection[Row]) -> dict[str, Any]:
    return {
        "places": [r.place_id for r in rows],
        "items": [r.item_code for r in rows],
        "modes": [r.mode for r in rows],
        "today": day(datetime.now(UTC)),
    }
