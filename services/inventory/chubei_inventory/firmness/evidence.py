"""What is known about reserves beyond what was agreed: when each was verified, what was measured, what is lost."""

from collections.abc import Iterable
from typing import Any

from chubei_shared.china import day
from sqlalchemy import TextClause, bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY, TEXT
from sqlalchemy.dialects.postgresql import UUID as PG_UUID
from sqlalchemy.orm import Session

from chubei_inventory.firmness.rules import LAST, Evidence, Observation

_LAST_STEP = """
    SELECT s.* FROM call_off_step s WHERE s.call_off_id = c.id ORDER BY s.seq DESC LIMIT 1
"""

# Units that a supplier did not confirm in time, or confirmed less. What the call-off's hold still keeps of
# the reserve is not free anyway; only what goes beyond it is lost to the others too. A later verification says
# how much there is, and so ends it. And units of a fund whose money went for dearer ones.
_LOST = f"""
    SELECT reserve_id, sum(units)::bigint AS units
    FROM (
        SELECT reserve_id, greatest(0, units - kept) AS units FROM (
        SELECT c.reserve_id, c.hold_id,
               sum(c.quantity - CASE WHEN s.state = 'ordered' THEN 0 ELSE s.quantity END) AS units,
               coalesce((SELECT sum(l.outstanding) FROM hold_line l JOIN hold h ON h.id = l.hold_id
                         WHERE l.hold_id = c.hold_id AND l.reserve_id = c.reserve_id AND h.status = 'open'
                           AND h.expires_at > now() AND h.id <> ALL(:releasing)), 0) AS kept
        FROM call_off c CROSS JOIN LATERAL ({_LAST_STEP}) s
        WHERE (CAST(:ids AS text[]) IS NULL OR c.reserve_id = ANY(:ids))
          AND (s.state IN ('confirmed', 'ready') OR s.state = 'ordered' AND c.confirm_by < now())
          AND NOT EXISTS (
              SELECT FROM verification v WHERE v.reserve_id = c.reserve_id
                AND v.happened_at > CASE WHEN s.state = 'ordered' THEN c.confirm_by ELSE s.happened_at END)
        GROUP BY c.reserve_id, c.hold_id) AS of_hold
        UNION ALL
        SELECT f.id, ceil(greatest(0, sum(s.amount_fen - s.quantity * f.unit_price_fen)) / f.unit_price_fen)
        FROM reserve f JOIN call_off c ON c.reserve_id = f.id CROSS JOIN LATERAL ({_LAST_STEP}) s
        WHERE f.mode = 'fund' AND f.unit_price_fen > 0 AND (CAST(:ids AS text[]) IS NULL OR f.id = ANY(:ids))
          AND s.state IN ('confirmed', 'ready', 'collected')
        GROUP BY f.id
    ) AS found
    GROUP BY reserve_id HAVING sum(units) > 0
"""  # noqa: S608 (this file's own text)

_EVIDENCE = f"""
    WITH lost AS ({_LOST})
    SELECT r.id, r.last_verified_on, coalesce(lost.units, 0) AS lost, seen.*,
           (SELECT max(v.happened_at) FROM verification v WHERE v.reserve_id = r.id) AS verified_at
    FROM reserve r LEFT JOIN lost ON lost.reserve_id = r.id
        CROSS JOIN LATERAL (
            SELECT array_agg(promised ORDER BY at DESC, id) AS promised,
                   array_agg(measured ORDER BY at DESC, id) AS measured,
                   array_agg(delay_min ORDER BY at DESC, id) AS delays_min, max(at) FILTER (WHERE came) AS came_at
            FROM (
                SELECT v.id, v.happened_at AS at, v.promised_units AS promised, v.measured_units AS measured,
                       coalesce(v.measured_min - v.promised_min, 0) AS delay_min, false AS came
                FROM verification v WHERE v.reserve_id = r.id AND v.measured_units IS NOT NULL
                UNION ALL
                SELECT c.id, s.happened_at, c.quantity, s.quantity,
                       coalesce(round(extract(epoch FROM ready.happened_at - c.due_at) / 60)::int, 0),
                       s.state = 'collected'
                FROM call_off c CROSS JOIN LATERAL ({_LAST_STEP}) s
                    LEFT JOIN call_off_step ready ON ready.call_off_id = c.id AND ready.state = 'ready'
                WHERE c.reserve_id = r.id AND s.state IN ('collected', 'failed')
                ORDER BY at DESC, id LIMIT {LAST}
            ) AS newest
        ) AS seen
    WHERE CAST(:ids AS text[]) IS NULL OR r.id = ANY(:ids)
"""  # noqa: S608 (this file's own text)


def _statement(statement: str) -> TextClause:
    return text(statement).bindparams(
        bindparam("ids", type_=ARRAY(TEXT)), bindparam("releasing", type_=ARRAY(PG_UUID))
    )


_READ, _READ_LOST = _statement(_EVIDENCE), _statement(_LOST)


def read(
    session: Session, reserve_ids: Iterable[str] | None = None, releasing: Iterable[Any] = ()
) -> dict[str, Evidence]:
    """By reserve (None: all). Holds `releasing` count as given back."""
    asked = {"ids": None if reserve_ids is None else list(reserve_ids), "releasing": list(releasing)}
    return {row.id: _evidence(row) for row in session.execute(_READ, asked)}


def lost(session: Session, reserve_ids: Iterable[str]) -> dict[str, int]:
    """Units that nobody can hold, by reserve, where there are any."""
    asked: dict[str, Any] = {"ids": list(reserve_ids), "releasing": []}
    return {row.reserve_id: int(row.units) for row in session.execute(_READ_LOST, asked)}


def _evidence(row: Any) -> Evidence:
    moments = [at for at in (row.verified_at, row.came_at) if at is not None]
    days = [*(day(at) for at in moments), *([row.last_verified_on] if row.last_verified_on else [])]
    seen = zip(row.promised or (), row.measured or (), row.delays_min or (), strict=True)
    return Evidence(
        verified_on=max(days, default=None),
        observations=[Observation(int(p), int(m), int(d)) for p, m, d in seen],
        lost=int(row.lost),
    )
