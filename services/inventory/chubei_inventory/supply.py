"""One answer over all modes: what can be had, where, by which minute, and from what it follows."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from chubei_shared.contracts.base import Mode
from chubei_shared.contracts.reserves import AvailabilityRow, PointStock, Snapshot, SupplyRow
from sqlalchemy.orm import Session

from chubei_inventory import catalogue
from chubei_inventory.fefo import day
from chubei_inventory.pool import sql
from chubei_inventory.queries import FREED, ONE_VIEW

_SHELVED = sql(
    f"""
    WITH freed AS ({FREED})
    SELECT b.place_id, p.kind, b.item_code, l.expires_on, array_agg(l.id ORDER BY l.lot_no, l.id) AS lots,
           sum(b.on_hand)::bigint AS on_hand,
           sum(b.on_hand - b.held + coalesce(f.quantity, 0))::bigint AS available
    FROM balance b
        JOIN place p ON p.id = b.place_id AND p.kind IN ('store', 'supplier', 'maker', 'point')
        JOIN lot l ON l.id = b.lot_id AND l.quality = 'ok' AND (l.expires_on IS NULL OR l.expires_on >= :on)
        LEFT JOIN freed f ON f.place_id = b.place_id AND f.lot_id = b.lot_id
    WHERE b.on_hand > 0
    GROUP BY b.place_id, p.kind, b.item_code, l.expires_on
    ORDER BY b.place_id, b.item_code, l.expires_on
    """,  # noqa: S608 (this file's own text)
    releasing="uuid",
)
_RESERVED = sql(
    f"""
    WITH freed AS ({FREED})
    SELECT r.id, r.place_id, r.item_code, r.mode, r.quantity, r.rate_per_hour,
           coalesce(r.lead_min, r.conversion_min, r.approval_min + r.delivery_min) AS ready_min,
           r.held - coalesce(f.quantity, 0) + r.used AS taken
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
    items, kits, places = catalogue.everything(session)
    shelved = session.execute(_SHELVED, {"releasing": list(releasing), "on": day(needed_by or now)}).all()
    reserved = session.execute(_RESERVED, {"releasing": list(releasing), "today": day(now)}).all()
    at_points = _sums((row for row in shelved if row.kind == "point"), "on_hand")
    return Snapshot(
        taken_at=now,
        items=items,
        kits=kits,
        places=places,
        supply=[*_on_shelves(row for row in shelved if row.kind != "point"), *_from_reserves(reserved)],
        at_points=[
            PointStock(place_id=place_id, item_code=code, quantity=units)
            for (place_id, code), units in at_points.items()
        ],
    )


def _on_shelves(shelved: Iterable[Any]) -> list[SupplyRow]:
    rows = list(shelved)
    lots: dict[tuple[str, str], list[str]] = defaultdict(list)
    for row in rows:
        lots[row.place_id, row.item_code] += map(str, row.lots)
    return [
        SupplyRow(
            place_id=place_id, item_code=code, mode=Mode.PHYSICAL, quantity=units, ready_min=0,
            from_ids=lots[place_id, code],
        )
        for (place_id, code), units in _sums(rows, "available").items()
        if units
    ]  # fmt: skip


def _sums(rows: Iterable[Any], column: str) -> dict[tuple[str, str], int]:
    sums: dict[tuple[str, str], int] = defaultdict(int)
    for row in rows:
        sums[row.place_id, row.item_code] += getattr(row, column)
    return sums


def _from_reserves(reserved: Iterable[Any]) -> list[SupplyRow]:
    return [
        SupplyRow(
            place_id=row.place_id, item_code=row.item_code, mode=row.mode, quantity=row.quantity - row.taken,
            ready_min=row.ready_min, rate_per_hour=row.rate_per_hour, from_ids=[row.id],
        )
        for row in reserved
        if row.quantity > row.taken
    ]  # fmt: skip


def availability(session: Session, minutes: Sequence[int], item_code: str | None) -> list[AvailabilityRow]:
    """Units that could be loaded by each minute after an order given now, by item, minute and mode."""
    session.execute(ONE_VIEW)
    now = datetime.now(UTC)
    had: dict[tuple[str, int], dict[Mode, int]] = defaultdict(lambda: dict.fromkeys(Mode, 0))
    for row in session.execute(_SHELVED, {"releasing": [], "on": day(now)}):
        if row.kind == "point" or item_code not in (None, row.item_code):
            continue
        for minute in minutes:
            if row.expires_on is None or row.expires_on >= day(now + timedelta(minutes=minute)):
                had[row.item_code, minute][Mode.PHYSICAL] += row.available
    for row in session.execute(_RESERVED, {"releasing": [], "today": day(now)}):
        if item_code not in (None, row.item_code):
            continue
        for minute in minutes:
            units = ready_by(minute, row.quantity, row.ready_min, row.rate_per_hour) - row.taken
            had[row.item_code, minute][Mode(row.mode)] += max(0, units)
    return [
        AvailabilityRow(
            item_code=code, minute=minute, **{mode.value: units for mode, units in by_mode.items()}
        )
        for (code, minute), by_mode in sorted(had.items())
    ]


def ready_by(minute: int, quantity: int, ready_min: int, rate_per_hour: int | None) -> int:
    """Units of a reserve that exist by a minute: all at once, or at a rate from `ready_min` on."""
    if minute < ready_min:
        return 0
    if rate_per_hour is None:
        return quantity
    return min(quantity, (minute - ready_min) * rate_per_hour // 60)
