"""Lots are found or made at receipt: one for each item, maker, number and pair of dates."""

import json
from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import Any
from uuid import UUID, uuid4

from chubei_shared.contracts.stock import ReceiveLine
from chubei_shared.errors import Conflict, Invalid
from sqlalchemy import Row as SqlRow
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from chubei_inventory.pool import sql
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
    INSERT INTO lot (id, item_code, maker, lot_no, made_on, expires_on)
    SELECT (r->>'id')::uuid, r->>'item_code', r->>'maker', r->>'lot_no',
           (r->>'made_on')::date, (r->>'expires_on')::date
    FROM jsonb_array_elements(CAST(:rows AS jsonb)) AS r
    """
)


def of_receipt(session: Session, lines: Sequence[ReceiveLine]) -> list[UUID]:
    """The lot of each line. Raises Invalid for an unknown item, Conflict where a number has other dates.

    A lot entered with wrong dates is corrected by reversing its receipt: what never was does not stand in
    the way of the same number with the right dates.
    """
    _refuse_unknown_items(session, {line.item_code for line in lines})
    numbers = sorted({(line.item_code, line.lot.maker, line.lot.lot_no) for line in lines})
    session.execute(_LOCK_NUMBERS, {"keys": sorted({_key(number) for number in numbers})})
    items, makers, lot_nos = map(list, zip(*numbers, strict=True))
    found = session.execute(_SAME_NUMBER, {"items": items, "makers": makers, "numbers": lot_nos}).all()
    known = {_identity(r.item_code, r): r.id for r in found}
    fresh: dict[tuple[Any, ...], UUID] = {}
    for line in lines:
        identity = _identity(line.item_code, line.lot)
        _refuse_other_dates(identity, (r for r in found if r.in_books), fresh)
        if identity not in known and identity not in fresh:
            fresh[identity] = uuid4()
    if fresh:
        names = ("item_code", "maker", "lot_no", "made_on", "expires_on", "id")
        rows = [dict(zip(names, (*identity, lot_id), strict=True)) for identity, lot_id in fresh.items()]
        session.execute(_ADD, {"rows": json.dumps(rows, default=str)})
    lots = known | fresh
    return [lots[_identity(line.item_code, line.lot)] for line in lines]


def _identity(item_code: str, lot: Any) -> tuple[Any, ...]:
    return (item_code, lot.maker, lot.lot_no, lot.made_on, lot.expires_on)


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


def _refuse_other_dates(
    identity: tuple[Any, ...], in_books: Iterable[SqlRow[Any]], fresh: Iterable[tuple[Any, ...]]
) -> None:
    others = [_identity(r.item_code, r) for r in in_books] + list(fresh)
    other = next((o for o in others if o[:3] == identity[:3] and o != identity), None)
    if other is None:
        return
    code, maker, lot_no, made_on, expires_on = other
    raise Conflict(
        f"批号 {lot_no}({code},{maker})已有,生产/到期日为 {made_on or '-'}/{expires_on or '-'};请核对日期或批号",
        f"Lot {lot_no} ({code}, {maker}) is known as made {made_on or '-'}, expiring {expires_on or '-'}: "
        "check the dates or the number",
        lot_no=lot_no,
        made_on=made_on and str(made_on),
        expires_on=expires_on and str(expires_on),
    )
