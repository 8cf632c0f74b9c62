"""Lots are found or made at receipt: one for each item, maker, number and pair of dates."""

import json
from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import Any
from uuid import UUID

from chubei_shared.contracts.batches import LotConflict, LotConflictPage
from chubei_shared.contracts.catalogue import Lot, lot_id
from chubei_shared.contracts.movements import ReceiveLine
from chubei_shared.cursors import cursor_of, key_of, name
from chubei_shared.errors import Conflict, Invalid
from chubei_shared.outbox import enqueue
from sqlalchemy import Row as SqlRow
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from chubei_inventory.stock.pool import sql
from chubei_inventory.tables import Item

# Two clerks who enter one number with different dates must see each other.
_LOCK_NUMBERS = sql("SELECT pg_advisory_xact_lock(key) FROM unnest(:keys) AS key", keys="int")
_SAME_NUMBER = sql(
    """
    SELECT l.*, EXISTS (SELECT FROM balance b WHERE b.lot_id = l.id AND b.on_hand <> 0) AS in_books
    FROM lot l JOIN (SELECT DISTINCT * FROM unnest(:items, :makers, :numbers) AS r (item_code, maker, lot_no)) r
        USING (item_code, maker, lot_no)
    WHERE l.reserve_id IS NULL
    """,
    items="text", makers="text", numbers="text",
)  # fmt: skip
_ADD = text(
    """
    INSERT INTO lot (id, item_code, maker, lot_no, made_on, expires_on, owner)
    SELECT (r->>'id')::uuid, r->>'item_code', r->>'maker', r->>'lot_no',
           (r->>'made_on')::date, (r->>'expires_on')::date, r->>'owner'
    FROM jsonb_array_elements(CAST(:rows AS jsonb)) AS r
    ORDER BY 1 ON CONFLICT DO NOTHING
    """
)
_CONFLICTS = """
    SELECT l.item_code, l.maker, l.lot_no, jsonb_agg(jsonb_build_object(
        'lot_id', l.id, 'made_on', l.made_on, 'expires_on', l.expires_on, 'owner', l.owner, 'units', b.units)
        ORDER BY l.made_on, l.expires_on, l.id) AS lots
    FROM lot l CROSS JOIN LATERAL (
        SELECT sum(on_hand)::bigint AS units FROM balance
        WHERE lot_id = l.id AND (NOT outside OR place_id LIKE 'disputed:%%')) AS b
    WHERE l.reserve_id IS NULL AND b.units <> 0 AND %s
    GROUP BY l.item_code, l.maker, l.lot_no HAVING count(DISTINCT (l.made_on, l.expires_on)) > 1
    ORDER BY l.item_code, l.maker, l.lot_no LIMIT :limit
"""
_NAMES = ("item_code", "maker", "lot_no", "made_on", "expires_on", "owner")

Identity = tuple[Any, ...]
"""What tells lots apart: the columns of _NAMES."""


def identity(item_code: str, lot: Any) -> Identity:
    return (item_code, lot.maker, lot.lot_no, lot.made_on, lot.expires_on, str(lot.owner))


def of_receipt(session: Session, lines: Sequence[ReceiveLine]) -> list[UUID]:
    """The lot of each line. Raises Invalid for an unknown item, Conflict where a number has other dates.

    A lot entered with wrong dates is corrected by reversing its receipt: what never was does not stand in
    the way of the same number with the right dates.
    """
    _refuse_unknown_items(session, {line.item_code for line in lines})
    numbers = sorted({(line.item_code, line.lot.maker, line.lot.lot_no) for line in lines})
    session.execute(_LOCK_NUMBERS, {"keys": sorted({_key(number) for number in numbers})})
    found = _same_number(session, numbers)
    asked = {identity(line.item_code, line.lot): lot_id(line.item_code, line.lot) for line in lines}
    in_books = [identity(r.item_code, r) for r in found if r.in_books]
    for number, one in enumerate(asked):
        _refuse_other_dates(one, [*in_books, *list(asked)[:number]])
    known = {identity(r.item_code, r): r.id for r in found}
    if fresh := {one: of for one, of in asked.items() if one not in known}:
        _add(session, fresh)
    lots = fresh | known
    return [lots[identity(line.item_code, line.lot)] for line in lines]


def ids(session: Session, named: Iterable[tuple[str, Lot]], make: bool) -> dict[Identity, UUID]:
    """The ids of lots by what stands on their boxes; with `make`, also of those that nobody has seen yet.

    Their items are registered. Nobody is refused for other dates: what stands on the box stands there.
    """
    asked = {identity(code, lot): lot_id(code, lot) for code, lot in named}
    if not asked:
        return {}
    numbers = sorted({one[:3] for one in asked})
    same = _same_number(session, numbers)
    known = {identity(r.item_code, r): r.id for r in same}
    fresh = {one: of for one, of in asked.items() if one not in known}
    if fresh and make:
        _add(session, fresh)
        _tell_other_dates(session, fresh, [*fresh, *(identity(r.item_code, r) for r in same if r.in_books)])
        known |= fresh
    return {one: known[one] for one in asked if one in known}


def _tell_other_dates(session: Session, fresh: Iterable[Identity], all_known: Sequence[Identity]) -> None:
    """Tell of numbers that have come in with other dates than before: somebody looks at the boxes (`conflicts`)."""
    dates = {(one[:3], one[3:5]) for one in all_known}
    for number in sorted({one[:3] for one in fresh}):
        if sum(of == number for of, _ in dates) > 1:
            enqueue(session, "stock.lot_conflict", dict(zip(_NAMES[:3], number, strict=True)))


def conflicts(session: Session, cursor: str | None, limit: int) -> LotConflictPage:
    """Lot numbers that stand in the books with more than one pair of dates, by item, maker and number.

    Read from the books as they are: one that is settled (the wrong receipt is reversed) is gone.
    """
    asked: dict[str, Any] = {"limit": limit + 1}
    condition = "true"
    if key := key_of(cursor, name, name, name):
        condition = "(l.item_code, l.maker, l.lot_no) > (:i, :m, :n)"
        asked |= dict(zip("imn", key, strict=True))
    found = session.execute(text(_CONFLICTS % condition), asked).all()
    rows = [LotConflict.model_validate(row, from_attributes=True) for row in found[:limit]]
    last = rows[-1] if len(found) > limit else None
    return LotConflictPage(rows=rows, next_cursor=last and cursor_of(last.item_code, last.maker, last.lot_no))


def _same_number(session: Session, numbers: Sequence[tuple[str, str, str]]) -> Sequence[SqlRow[Any]]:
    items, makers, lot_nos = map(list, zip(*numbers, strict=True))
    return session.execute(_SAME_NUMBER, {"items": items, "makers": makers, "numbers": lot_nos}).all()


def _add(session: Session, fresh: dict[Identity, UUID]) -> None:
    rows = [dict(zip(_NAMES, one, strict=True), id=of) for one, of in fresh.items()]
    session.execute(_ADD, {"rows": json.dumps(rows, default=str)})


def _key(number: tuple[str, ...]) -> int:
    return int.from_bytes(sha256(json.dumps(number).encode()).digest()[:8], signed=True)


def _refuse_unknown_items(session: Session, codes: set[str]) -> None:
    if unknown := codes - set(session.scalars(select(Item.code).where(Item.code.in_(codes)))):
        names = ", ".join(sorted(unknown))
        raise Invalid(
            f"目录中没有物资 {names},请先登记:PUT /v1/items/{{code}}",
            f"The catalogue has no item {names}: register it first, PUT /v1/items/{{code}}",
            errors=[{"field": "lines.item_code", "problem": names, "remedy": "PUT /v1/items/{code}"}],
        )


def _refuse_other_dates(one: Identity, others: Iterable[Identity]) -> None:
    other = next((o for o in others if o[:3] == one[:3] and o[3:5] != one[3:5]), None)
    if other is None:
        return
    code, maker, lot_no, made_on, expires_on, _ = other
    raise Conflict(
        f"批号 {lot_no}({code},{maker})已有,生产/到期日为 {made_on or '-'}/{expires_on or '-'};请核对日期或批号",
        f"Lot {lot_no} ({code}, {maker}) is known as made {made_on or '-'}, expiring {expires_on or '-'}: "
        "check the dates or the number",
        lot_no=lot_no,
        made_on=made_on and str(made_on),
        expires_on=expires_on and str(expires_on),
    )
