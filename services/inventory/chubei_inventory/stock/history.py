"""The books over time: stock as it was at a moment, bin cards, and the ledger of what was lent."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from chubei_shared.contracts.cards import (
    CardPage,
    CardRow,
    LoanPage,
    LoanRow,
    PastStockPage,
    PastStockRow,
    ReturnRule,
)
from chubei_shared.cursors import cursor_of, key_of, name, serial
from chubei_shared.editions import etag_of, refuse_other_edition
from chubei_shared.errors import NotFound
from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from chubei_inventory import tables
from chubei_inventory.ledger import laws

# What has happened since is taken off what is there now: recent moments, which are asked for most, cost least.
# An account keeps what is held for plans, and disputes the rest (ledger/facts.py, 3): here by the holds that are open
# now and were then, with what was issued of them since.
_PAST = """
    WITH kept AS (
        SELECT place_id, item_code, lot_id, sum(units)::bigint AS units
        FROM (
            SELECT b.place_id, b.item_code, b.lot_id, b.outstanding AS units, h.created_at
            FROM hold h JOIN hold_line b ON b.hold_id = h.id
            WHERE h.status = 'open' AND b.outstanding > 0 AND b.lot_id IS NOT NULL AND %s
            UNION ALL
            SELECT m.place_id, b.item_code, b.lot_id, -b.quantity, h.created_at
            FROM movement m JOIN hold h ON h.id = m.hold_id
                JOIN entry b ON b.movement_seq = m.seq AND b.place_id IN (m.place_id, 'disputed:' || m.place_id)
            WHERE (m.occurred_at > :moment OR m.recorded_at > :known_at) AND %s) AS part
        WHERE created_at <= least(:moment, :known_at)
        GROUP BY 1, 2, 3),
    sums AS (
        SELECT regexp_replace(place_id, '^disputed:', '') AS place_id, item_code, lot_id, sum(units)::bigint AS units
        FROM (
            SELECT b.place_id, b.item_code, b.lot_id, b.on_hand AS units FROM balance b
            WHERE (NOT b.outside OR b.place_id LIKE 'disputed:%%') AND %s
            UNION ALL
            SELECT b.place_id, b.item_code, b.lot_id, -b.quantity FROM movement m JOIN entry b ON b.movement_seq = m.seq
            WHERE (m.occurred_at > :moment OR m.recorded_at > :known_at) AND %s) AS part
        WHERE place_id NOT LIKE 'outside:%%'
        GROUP BY 1, 2, 3)
    SELECT s.place_id, p.state, s.item_code, s.lot_id, l.lot_no, l.expires_on, l.owner,
           there.on_hand, there.on_hand - s.units AS disputed
    FROM sums s JOIN lot l ON l.id = s.lot_id JOIN place p ON p.id = s.place_id
        LEFT JOIN kept k ON k.place_id = s.place_id AND k.lot_id = s.lot_id
        CROSS JOIN LATERAL (SELECT greatest(s.units, k.units, 0) AS on_hand) there
    WHERE (there.on_hand > 0 OR s.units < 0) AND (s.place_id, s.item_code, s.lot_id) > (:p, :i, CAST(:l AS uuid))
    ORDER BY 1, 3, 4 LIMIT :limit
"""
_PAST_OF = {
    "place_id": "b.place_id IN (:place_id, 'disputed:' || :place_id)",
    "item_code": "b.item_code = :item_code",
}
_CARD = """
    SELECT m.seq, m.id AS movement_id, m.kind, m.occurred_at, m.recorded_at, m.recorded_by, m.voucher, m.reason,
           coalesce(sum(e.quantity) FILTER (WHERE e.place_id = :place_id), 0)::bigint AS change,
           coalesce(sum(e.quantity) FILTER (WHERE e.place_id <> :place_id), 0)::bigint AS disputed
    FROM entry e JOIN movement m ON m.seq = e.movement_seq
    WHERE e.place_id IN (:place_id, 'disputed:' || :place_id) AND e.item_code = :item_code
      AND e.movement_seq > :after AND %s
    GROUP BY m.seq ORDER BY m.seq LIMIT :limit
"""
_LOANS = """
    WITH legs AS (
        SELECT e.movement_seq, e.item_code, e.lot_id, regexp_replace(e.place_id, '^disputed:', '') AS account,
               sum(e.quantity) AS units
        FROM entry e JOIN movement m ON m.seq = e.movement_seq
        WHERE (%s) AND m.reverses_id IS NULL AND NOT EXISTS (SELECT FROM movement r WHERE r.reverses_id = m.id)
        GROUP BY 1, 2, 3, 4), -- what was reversed never was, and is no other loan's return
    lent AS (
        SELECT g.*, m.id, m.occurred_at, m.voucher, m.details,
               sum(units) OVER (PARTITION BY account, lot_id ORDER BY m.occurred_at, m.id) AS so_far
        FROM legs g JOIN movement m ON m.seq = g.movement_seq WHERE units > 0),
    back AS (SELECT account, lot_id, -sum(units) AS units FROM legs WHERE units < 0 GROUP BY 1, 2),
    loans AS (
        SELECT substr(a.account, 6) AS place_id, a.id AS movement_id, a.item_code, a.lot_id, l.lot_no, a.occurred_at,
               a.voucher, coalesce(a.details->>'recipient', '') AS recipient, a.units::bigint AS lent,
               least(a.units, greatest(0, a.so_far - coalesce(b.units, 0)))::bigint AS outstanding,
               a.occurred_at + make_interval(months => r.within_months) AS return_until
        FROM lent a JOIN lot l ON l.id = a.lot_id LEFT JOIN return_rule r ON r.item_code = a.item_code
            LEFT JOIN back b ON b.account = a.account AND b.lot_id = a.lot_id)
    SELECT *, CASE WHEN outstanding = 0 THEN 'returned' WHEN return_until < :now THEN 'lapsed' ELSE 'due' END AS status
    FROM loans WHERE (NOT :open OR outstanding > 0)
      AND (occurred_at, movement_id, lot_id) > (:at, CAST(:m AS uuid), CAST(:l AS uuid))
    ORDER BY occurred_at, movement_id, lot_id LIMIT :limit
"""
_ZERO = UUID(int=0)


def past(
    session: Session,
    moment: datetime,
    known_at: datetime | None,
    asked: dict[str, str | None],
    cursor: str | None,
    limit: int,
) -> PastStockPage:
    """Stock as it was at `moment`; as it was known at `known_at`, by default now. `asked`: place_id, item_code."""
    asked = {column: value for column, value in asked.items() if value is not None}
    condition = " AND ".join(_PAST_OF[column] for column in asked) or "true"
    p, i, lot = key_of(cursor, name, name, UUID) or ("", "", _ZERO)
    found = session.execute(
        text(_PAST % ((condition,) * 4)),
        {
            **asked, "moment": moment, "known_at": known_at or datetime.max.replace(tzinfo=UTC),
            "p": p, "i": i, "l": lot, "limit": limit + 1,
        },
    ).all()  # fmt: skip
    rows = [PastStockRow(**r._mapping) for r in found[:limit]]
    last = rows[-1] if len(found) > limit else None
    return PastStockPage(
        rows=rows, next_cursor=last and cursor_of(last.place_id, last.item_code, last.lot_id)
    )


def card(
    session: Session, place_id: str, item_code: str, lot_id: UUID | None, cursor: str | None, limit: int
) -> CardPage:
    """The bin card of an item (or of one lot of it) at a place; the cursor carries the balance on."""
    after, balance = key_of(cursor, serial, int) or (0, 0)
    condition = "true" if lot_id is None else "e.lot_id = :lot_id"
    asked = {"place_id": place_id, "item_code": item_code, "lot_id": lot_id}
    found = session.execute(text(_CARD % condition), {**asked, "after": after, "limit": limit + 1}).all()
    rows = []
    for line in found[:limit]:
        told: dict[str, Any] = dict(line._mapping)
        after, change = told.pop("seq"), told.pop("change")
        balance += change
        disputed = -told.pop("disputed")
        moved = {"came_in": max(change, 0), "went_out": max(-change, 0)}
        rows.append(CardRow(**told, **moved, balance=balance, disputed=disputed))
    return CardPage(rows=rows, next_cursor=cursor_of(after, balance) if len(found) > limit else None)


def loans(
    session: Session, place_id: str | None, only_open: bool, cursor: str | None, limit: int
) -> LoanPage:
    """What was lent, oldest first."""
    of = "e.place_id LIKE 'lent:%%' OR e.place_id LIKE 'disputed:lent:%%'"
    accounts = {}
    if place_id is not None:
        account = laws.lent(place_id)
        of, accounts = (
            "e.place_id IN (:lent, :disputed)",
            {"lent": account, "disputed": laws.disputed(account)},
        )
    at, movement_id, lot = key_of(cursor, datetime.fromisoformat, UUID, UUID) or (_EVER, _ZERO, _ZERO)
    asked = {
        "at": at,
        "m": movement_id,
        "l": lot,
        "open": only_open,
        "now": datetime.now(UTC),
        "limit": limit + 1,
    }
    found = session.execute(text(_LOANS % of), accounts | asked).all()
    rows = [LoanRow(**r._mapping) for r in found[:limit]]
    last = rows[-1] if len(found) > limit else None
    return LoanPage(
        rows=rows, next_cursor=last and cursor_of(last.occurred_at.isoformat(), last.movement_id, last.lot_id)
    )


_EVER = datetime(1900, 1, 1, tzinfo=UTC)


def put_rule(session: Session, rule: ReturnRule, if_match: str | None) -> ReturnRule:
    """Say how long a returnable item has to come back. Raises NotFound, PreconditionRequired, PreconditionFailed."""
    if session.get(tables.Item, rule.item_code, with_for_update={"key_share": True}) is None:
        raise NotFound(
            f"目录中没有物资 {rule.item_code},请先登记",
            f"The catalogue has no item {rule.item_code}: register it",
        )
    now = session.get(tables.ReturnRule, rule.item_code)
    before = None if now is None else ReturnRule.model_validate(now, from_attributes=True)
    if rule != before or if_match is not None:
        refuse_other_edition(if_match, None if before is None else etag_of(before))
    put = insert(tables.ReturnRule).values(rule.model_dump())
    session.execute(put.on_conflict_do_update(index_elements=["item_code"], set_=rule.model_dump()))
    return rule


def rule(session: Session, item_code: str) -> ReturnRule:
    """Raises NotFound where an item has none: it always comes back."""
    found = session.get(tables.ReturnRule, item_code)
    if found is None:
        raise NotFound(
            f"{item_code} 没有回收期限", f"There is no return rule for {item_code}: it always comes back"
        )
    return ReturnRule.model_validate(found, from_attributes=True)


def rules(session: Session) -> list[ReturnRule]:
    """All rules of return; what has none always comes back."""
    found = session.scalars(select(tables.ReturnRule).order_by(tables.ReturnRule.item_code))
    return [ReturnRule.model_validate(rule, from_attributes=True) for rule in found]
