"""One answer over all modes: what can be had, where, by which minute, and from what it follows.

The rows are reckoned in one place; the planner's snapshot, the list of rows and the sums by minute are made
of the same ones.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from chubei_shared.china import day
from chubei_shared.contracts.base import Mode
from chubei_shared.contracts.reserves import AvailabilityRow, PointStock, Snapshot, SupplyPage, SupplyRow
from chubei_shared.cursors import cursor_of, key_of, name
from sqlalchemy.orm import Session

from chubei_inventory.catalogue import catalogue
from chubei_inventory.firmness import evidence
from chubei_inventory.firmness.basis import on_shelf
from chubei_inventory.firmness.rules import ready_by
from chubei_inventory.reserves.reserves import standing_of
from chubei_inventory.stock.pool import sql
from chubei_inventory.stock.queries import FREED, ONE_VIEW

# What is said of a lot elsewhere and the books do not have is in dispute: it is no stock to plan with.
_SHELVED = sql(
    f"""
    WITH freed AS ({FREED}),
        disputed AS (SELECT lot_id, -sum(on_hand) AS units FROM balance WHERE place_id LIKE 'disputed:%'
                     GROUP BY lot_id)
    SELECT b.place_id, p.kind, b.item_code, l.expires_on, array_agg(l.id ORDER BY l.lot_no, l.id) AS lots,
           sum(b.on_hand)::bigint AS on_hand,
           sum(greatest(0, b.on_hand - b.held + coalesce(f.quantity, 0) - coalesce(d.units, 0)))::bigint AS available
    FROM balance b
        JOIN place p ON p.id = b.place_id AND p.kind IN ('store', 'special', 'street', 'supplier', 'maker', 'point')
        JOIN lot l ON l.id = b.lot_id AND l.quality = 'ok' AND (l.expires_on IS NULL OR l.expires_on >= :on)
        LEFT JOIN freed f ON f.place_id = b.place_id AND f.lot_id = b.lot_id
        LEFT JOIN disputed d ON d.lot_id = b.lot_id
    WHERE b.on_hand > 0 AND (p.kind = 'point' OR l.owner IN ('district', 'superior', 'street'))
    GROUP BY b.place_id, p.kind, b.item_code, l.expires_on
    ORDER BY b.place_id, b.item_code, l.expires_on
    """,  # noqa: S608 (this file's own text)
    releasing="uuid",
)
_RESERVED = sql(
    f"""
    WITH freed AS ({FREED})
    SELECT r.*, r.held - coalesce(f.quantity, 0) AS held_now
    FROM reserve r LEFT JOIN freed f ON f.reserve_id = r.id
    WHERE :today BETWEEN r.valid_from AND r.valid_until
    ORDER BY r.place_id, r.item_code, r.mode
    """,  # noqa: S608 (this file's own text)
    releasing="uuid",
)


def snapshot(session: Session, needed_by: datetime | None, releasing: Sequence[UUID]) -> Snapshot:
    """Everything that can be had now, at one moment. What expires before `needed_by` (or now) is left out."""
    session.execute(ONE_VIEW)
    now = datetime.now(UTC)
    version, items, kits, places = catalogue.everything(session)
    shelved = _shelved(session, needed_by or now, releasing)
    at_points = _sums((row for row in shelved if row.kind == "point"), "on_hand")
    return Snapshot(
        taken_at=now,
        catalogue_version=version,
        items=items,
        kits=kits,
        places=places,
        supply=_rows(session, shelved, now, releasing),
        at_points=[
            PointStock(place_id=place_id, item_code=code, quantity=units)
            for (place_id, code), units in at_points.items()
        ],
    )


def page(
    session: Session,
    place_id: str | None,
    item_code: str | None,
    mode: Mode | None,
    by_min: int | None,
    cursor: str | None,
    limit: int,
) -> SupplyPage:
    """The rows of the snapshot, by place, item and mode; `by_min`: as much of each as is ready by then."""
    session.execute(ONE_VIEW)
    now = datetime.now(UTC)
    shelved = _shelved(session, now + timedelta(minutes=by_min or 0), [])
    asked = (place_id, item_code, mode)
    after = tuple(key_of(cursor, name, name, name) or ())
    rows = (
        row if by_min is None else _by(by_min, row)
        for row in sorted(_rows(session, shelved, now, []), key=_key)
        if _key(row) > after and all(want in (None, is_) for want, is_ in zip(asked, _key(row), strict=True))
    )
    found = [row for row in rows if row.likely]
    last = found[limit - 1] if len(found) > limit else None
    return SupplyPage(rows=found[:limit], next_cursor=last and cursor_of(*_key(last)))


def _key(row: SupplyRow) -> tuple[str, str, str]:
    return (row.place_id, row.item_code, row.mode.value)


def _by(minute: int, row: SupplyRow) -> SupplyRow:
    """A row with as much as is ready by a minute."""
    return row.model_copy(
        update={field: _ready(getattr(row, field), minute, row) for field in ("quantity", "likely")}
    )


def availability(session: Session, minutes: Sequence[int], item_code: str | None) -> list[AvailabilityRow]:
    """Firm units that could be loaded by each minute after an order given now, by item, minute and mode."""
    session.execute(ONE_VIEW)
    now = datetime.now(UTC)
    had: dict[tuple[str, int], dict[Mode, int]] = defaultdict(lambda: dict.fromkeys(Mode, 0))
    for row in _shelved(session, now, []):
        if row.kind == "point":
            continue
        for minute in minutes:
            if row.expires_on is None or row.expires_on >= day(now + timedelta(minutes=minute)):
                had[row.item_code, minute][Mode.PHYSICAL] += row.available
    for supply in _from_reserves(session, now, []):
        for minute in minutes:
            had[supply.item_code, minute][supply.mode] += _ready(supply.quantity, minute, supply)
    return [
        AvailabilityRow(
            item_code=code, minute=minute, **{mode.value: units for mode, units in by_mode.items()}
        )
        for (code, minute), by_mode in sorted(had.items())
        if item_code in (None, code)
    ]


def _shelved(session: Session, on: datetime, releasing: Sequence[UUID]) -> Sequence[Any]:
    return session.execute(_SHELVED, {"releasing": list(releasing), "on": day(on)}).all()


def _rows(
    session: Session, shelved: Sequence[Any], now: datetime, releasing: Sequence[UUID]
) -> list[SupplyRow]:
    """All rows of which something is free, firm or likely."""
    return [
        *_on_shelves(row for row in shelved if row.kind != "point"),
        *_from_reserves(session, now, releasing),
    ]


def _on_shelves(shelved: Iterable[Any]) -> list[SupplyRow]:
    rows = list(shelved)
    lots: dict[tuple[str, str], list[str]] = defaultdict(list)
    for row in rows:
        lots[row.place_id, row.item_code] += map(str, row.lots)
    on_hand = _sums(rows, "on_hand")
    return [
        SupplyRow(
            place_id=key[0], item_code=key[1], mode=Mode.PHYSICAL, quantity=units, likely=units, ready_min=0,
            from_ids=lots[key], basis=on_shelf(on_hand[key], on_hand[key] - units, len(lots[key])),
        )
        for key, units in _sums(rows, "available").items()
        if units
    ]  # fmt: skip


def _sums(rows: Iterable[Any], column: str) -> dict[tuple[str, str], int]:
    sums: dict[tuple[str, str], int] = defaultdict(int)
    for row in rows:
        sums[row.place_id, row.item_code] += getattr(row, column)
    return sums


def _from_reserves(session: Session, now: datetime, releasing: Sequence[UUID]) -> list[SupplyRow]:
    today = day(now)
    reserved = session.execute(_RESERVED, {"releasing": list(releasing), "today": today}).all()
    known = evidence.read(session, [row.id for row in reserved], releasing)
    standings = [(row, standing_of(row, row.held_now, known[row.id], today)) for row in reserved]
    return [
        SupplyRow(
            place_id=row.place_id, item_code=row.item_code, mode=row.mode, quantity=stands.firm,
            likely=stands.likely, ready_min=stands.ready_min, rate_per_hour=stands.rate_per_hour,
            from_ids=[row.id], basis=stands.basis,
        )
        for row, stands in standings
        if stands.likely
    ]  # fmt: skip


def _ready(free: int, minute: int, row: SupplyRow) -> int:
    """Of `free` units of a row, those ready by a minute; what a line makes first goes to whom it is promised."""
    of = row.basis if row.rate_per_hour else None
    taken = of.held + of.used + of.lost if of else 0
    return max(0, ready_by(minute, free + taken, row.ready_min, row.rate_per_hour) - taken)
