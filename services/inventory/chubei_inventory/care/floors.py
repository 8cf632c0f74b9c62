"""What is below its floor: items under their norm (定额), suppliers under their floor stock (常备底数)."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from chubei_shared.contracts.care import CareKind, CareRow
from sqlalchemy import text
from sqlalchemy.orm import Session

from chubei_inventory.care import rules, tables

# Held goods are still there. What is sealed off, recalled, expired, in dispute or somebody else's keeps no floor.
_NORMS = text(
    """
    WITH physical AS (
        SELECT b.item_code, sum(greatest(0, b.on_hand - coalesce(d.units, 0)))::bigint AS units
        FROM balance b JOIN place p ON p.id = b.place_id AND p.kind IN ('store', 'special', 'street')
            JOIN lot l ON l.id = b.lot_id AND l.quality = 'ok' AND l.owner IN ('district', 'street')
                AND (l.expires_on IS NULL OR l.expires_on >= :today)
            LEFT JOIN (SELECT lot_id, -sum(on_hand) AS units FROM balance WHERE place_id LIKE 'disputed:%'
                       GROUP BY lot_id) d ON d.lot_id = b.lot_id
        WHERE NOT b.outside AND b.on_hand > 0 GROUP BY b.item_code),
    agreed AS (
        SELECT item_code, sum(quantity - used)::bigint AS units FROM reserve
        WHERE :today BETWEEN valid_from AND valid_until GROUP BY item_code)
    SELECT n.key AS item_code, CAST(n.body->>'units_per_1000' AS bigint) AS units_per_1000,
           CAST(n.body->>'least_physical_pct' AS bigint) AS least_physical_pct,
           coalesce(p.units, 0) AS physical, coalesce(a.units, 0) AS agreed
    FROM catalogue_entry n LEFT JOIN physical p ON p.item_code = n.key LEFT JOIN agreed a ON a.item_code = n.key
    WHERE n.kind = 'norm' AND n.until IS NULL
    """
)
_FLOOR_STOCK = text(
    """
    SELECT r.id, r.place_id, r.item_code, r.floor_stock, v.measured_units
    FROM reserve r CROSS JOIN LATERAL (
        SELECT measured_units FROM verification WHERE reserve_id = r.id AND measured_units IS NOT NULL
        ORDER BY happened_at DESC, id DESC LIMIT 1) v
    WHERE r.mode = 'contract' AND :today BETWEEN r.valid_from AND r.valid_until AND v.measured_units < r.floor_stock
    """
)


def below(
    session: Session,
    rule: tables.Rule,
    today: date,
    asked: Mapping[str, str],
    after: Sequence[Any] | None,
    limit: int,
) -> list[CareRow]:
    """Items and agreements below their floors today, by subject. Two statements, whatever there is."""
    found = []
    for n in session.execute(_NORMS, {"today": today}):
        norm = rules.Norm(n.units_per_1000, n.least_physical_pct)
        if floor := rules.below_norm(norm, rule.duty_people or 0, n.physical, n.agreed):
            found.append(_row(today, f"norm|{n.item_code}", n.item_code, floor))
    for r in session.execute(_FLOOR_STOCK, {"today": today}):
        if floor := rules.below_floor(r.floor_stock, r.measured_units):
            found.append(_row(today, f"floor|{r.id}", r.item_code, floor, r.place_id, r.id))
    past = "" if after is None else after[1]
    wanted = [
        row
        for row in found
        if row.subject > past and all(getattr(row, column) == value for column, value in asked.items())
    ]
    return sorted(wanted, key=lambda row: row.subject)[:limit]


def _row(
    today: date, subject: str, item_code: str, floor: Any, place_id: str | None = None, reserve_id: str | None = None
) -> CareRow:  # fmt: skip
    return CareRow(
        kind=CareKind.REPLENISH, subject=subject, place_id=place_id, item_code=item_code, reserve_id=reserve_id,
        units=floor.short, start_on=today, due_on=today, floor=floor,
    )  # fmt: skip
