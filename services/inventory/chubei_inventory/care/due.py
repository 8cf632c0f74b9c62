"""What is due: one statement reads a page of it, from the books as they are now. Nothing is stored for it.

SQL knows where each kind's clock starts (`_LOTS`), the rules what is due when (rules.py): rows are ordered by start,
and so by due date.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any, NamedTuple

from chubei_shared.contracts.care import CareKind, CarePage, CareRow, Replacement
from chubei_shared.cursors import cursor_of, key_of, name
from sqlalchemy import text
from sqlalchemy.orm import Session

from chubei_inventory.care import floors, rules, tables
from chubei_inventory.stock.pool import sql

_KEPT = ("store", "special", "street", "donation")
"""Places with a custodian; what stands at a point is with the people, and only a recall still concerns it."""


class _Lots(NamedTuple):
    """Which lots a kind is about, and where its clock starts."""

    start: str
    joins: str = ""
    where: str = "true"
    places: tuple[str, ...] = _KEPT


_CAME = "LEFT JOIN care_stock s ON s.account = b.place_id AND s.lot_id = b.lot_id"
_TESTED = """
    LEFT JOIN (SELECT e.lot_id, max((m.occurred_at AT TIME ZONE INTERVAL '8 hours')::date) AS tested_on
               FROM movement m JOIN entry e ON e.movement_seq = m.seq
               WHERE m.kind = 'tested' AND NOT EXISTS (SELECT FROM movement r WHERE r.reverses_id = m.id)
               GROUP BY e.lot_id) t ON t.lot_id = l.id
"""
_DONE = """
    LEFT JOIN LATERAL (SELECT max(done_on) AS done_on FROM care_task
                       WHERE kind = :kind AND state = 'done' AND subject = {}) d ON true
"""
_OF_LOT = "b.place_id || '|' || b.lot_id"
_OF_PLACE = "p.id"
_RECALLED = """
    CROSS JOIN LATERAL (
        SELECT r.id AS recall_id, (r.occurred_at AT TIME ZONE INTERVAL '8 hours')::date AS recalled_on FROM recall r
        WHERE r.lifted_at IS NULL AND r.maker = l.maker AND coalesce(r.lot_no, l.lot_no) = l.lot_no
          AND coalesce(r.item_code, l.item_code) = l.item_code
        ORDER BY r.occurred_at, r.id LIMIT 1) r
"""
_FIT = "l.quality NOT IN ('sealed', 'recalled')"

_LOTS: Mapping[CareKind, _Lots] = {
    CareKind.EXPIRY: _Lots("l.expires_on"),
    CareKind.ROTATION: _Lots("l.expires_on", where=f"{_FIT} AND l.owner IN ('district', 'street')"),
    # what failed its test is sealed off, and what is recalled goes back: neither is tested
    CareKind.TEST: _Lots(
        "greatest(coalesce(l.made_on, s.came_on, :today), t.tested_on)", _CAME + _TESTED, _FIT
    ),
    CareKind.RESTACK: _Lots(
        "greatest(coalesce(s.came_on, :today), d.done_on)", _CAME + _DONE.format(_OF_LOT), "p.state <> 'module'"
    ),
    CareKind.RECALL: _Lots(
        "r.recalled_on", _RECALLED + _CAME, "l.quality = 'recalled'", (*_KEPT, "point", "supplier", "maker")
    ),
}  # fmt: skip

_PAGE_OF_LOTS = """
    SELECT coalesce(p.parent_id, p.id) AS place_id, b.place_id AS account, {subject} AS subject, b.item_code, b.lot_id,
           l.lot_no, l.maker, l.made_on, l.expires_on, l.owner, b.on_hand AS units, {recall_id} AS recall_id,
           {start} AS start_on
    FROM balance b JOIN lot l ON l.id = b.lot_id JOIN place p ON p.id = b.place_id
        JOIN place h ON h.id = coalesce(p.parent_id, p.id) {joins}
    WHERE NOT b.outside AND b.on_hand > 0 AND l.reserve_id IS NULL AND p.state IN ('shelf', 'sealed', 'module')
      AND h.kind = ANY(:places) AND {where} AND {start} <= :latest AND {asked}
    ORDER BY {start}, {subject} LIMIT :limit
"""
_PAGE_OF_PLACES = """
    SELECT p.id AS place_id, p.id AS subject, {start} AS start_on
    FROM place p CROSS JOIN LATERAL (SELECT min(came_on) AS came_on FROM care_stock WHERE account = p.id) s {joins}
    WHERE p.kind = ANY(:places) AND EXISTS (SELECT FROM balance b WHERE b.place_id = p.id AND b.on_hand > 0)
      AND {start} <= :latest AND {asked}
    ORDER BY {start}, p.id LIMIT :limit
"""
_ASKED_OF_LOTS = {"place_id": "h.id = :place_id", "item_code": "b.item_code = :item_code"}
_ASKED_OF_PLACES = {"place_id": "p.id = :place_id", "item_code": "false"}
_OFFERS = sql(
    """
    SELECT r.id, r.mode, r.item_code, r.quantity - r.held - r.used AS units FROM reserve r
    WHERE r.item_code = ANY(:items) AND :today BETWEEN r.valid_from AND r.valid_until
      AND r.quantity > r.held + r.used
    """,
    items="text",
)
# Of a page only: joined to all that is due, with the statistics of a table that has just been filled, it took minutes.
_TASKS = sql(
    """
    SELECT subject, id FROM care_task
    WHERE kind = :kind AND subject = ANY(:subjects) AND state IN ('open', 'acknowledged')
    """,
    subjects="text",
)
EVERYTHING = 10**9


def page(
    session: Session,
    kind: CareKind,
    today: date,
    due_by: date | None,
    asked: Mapping[str, str | None],
    cursor: str | None,
    limit: int,
) -> CarePage:
    """What of a kind is due by a day (None: what its tasks are opened for). `asked`: place_id, item_code."""
    rule = session.get_one(tables.Rule, kind)
    due_by = due_by or today + timedelta(days=rule.ahead_days)
    after = key_of(cursor, date.fromisoformat, name)
    found = rows(session, rule, today, due_by, asked, after, limit + 1)
    last = found[limit - 1] if len(found) > limit else None
    subjects = [row.subject for row in found[:limit]]
    tasks = {row.subject: row.id for row in session.execute(_TASKS, {"kind": kind, "subjects": subjects})}
    return CarePage(
        rows=[row.model_copy(update={"task_id": tasks.get(row.subject)}) for row in found[:limit]],
        next_cursor=last and cursor_of(last.start_on, last.subject),
    )


def rows(
    session: Session,
    rule: tables.Rule,
    today: date,
    due_by: date,
    asked: Mapping[str, str | None],
    after: Sequence[Any] | None = None,
    limit: int = EVERYTHING,
) -> list[CareRow]:
    """What of a rule's kind is due by a day, in order of its start; `after`: a start and a subject. Without tasks."""
    kind = CareKind(rule.kind)
    told = {column: value for column, value in asked.items() if value is not None}
    if kind is CareKind.REPLENISH:
        return floors.below(session, rule, today, told, after, limit) if today <= due_by else []
    latest = rules.latest_start(kind, due_by, rule.months)
    values = {**told, "kind": kind, "today": today, "latest": latest, "limit": limit}
    found = session.execute(_statement(kind, told, after), values | _after(after) | {"places": _places(kind)})
    due = [
        CareRow(kind=kind, due_on=rules.due_on(kind, row.start_on, rule.months), **row._mapping)
        for row in found
    ]
    return _replaced(session, due, today) if kind is CareKind.ROTATION else due


def _places(kind: CareKind) -> list[str]:
    return list(_LOTS[kind].places if kind in _LOTS else _KEPT)


def _after(after: Sequence[Any] | None) -> dict[str, Any]:
    return {} if after is None else {"start": after[0], "subject": after[1]}


def _statement(kind: CareKind, told: Mapping[str, str], after: Sequence[Any] | None) -> Any:
    """The statement of a kind: each has a start and a subject by which its rows are ordered."""
    if kind in _LOTS:
        of, subject, asked = _LOTS[kind], _OF_LOT, _ASKED_OF_LOTS
        recall = "r.recall_id" if kind is CareKind.RECALL else "NULL::uuid"
        parts = {"start": of.start, "joins": of.joins, "where": of.where, "recall_id": recall}
        frame = _PAGE_OF_LOTS
    else:
        subject, asked, frame = _OF_PLACE, _ASKED_OF_PLACES, _PAGE_OF_PLACES
        parts = {"start": "coalesce(d.done_on, s.came_on, :today)", "joins": _DONE.format(_OF_PLACE)}
    conditions = [asked[column] for column in told]
    if after is not None:
        conditions.append(f"({parts['start']}, {subject}) > (CAST(:start AS date), CAST(:subject AS text))")
    whole = frame.format(**parts, subject=subject, asked=" AND ".join(conditions) or "true")
    return text(whole.replace(":today", "CAST(:today AS date)"))


def _replaced(session: Session, due: list[CareRow], today: date) -> list[CareRow]:
    """Each row with what replaces it, and by which mode."""
    offers: dict[str, list[rules.Offer]] = defaultdict(list)
    wanted = {"items": sorted({str(row.item_code) for row in due}), "today": today}
    for r in session.execute(_OFFERS, wanted):
        offers[r.item_code].append(rules.Offer(r.mode, r.id, r.units))
    told = []
    for row in due:
        taken, left = rules.cover(row.units, offers[str(row.item_code)])
        by = [Replacement(mode=offer.mode, reserve_id=offer.reserve_id, units=offer.units) for offer in taken]
        told.append(row.model_copy(update={"replaced_by": by, "not_replaced": left}))
    return told
