# ruff: noqa: S608 (all parts of the queries are this file's own)
"""The checks: each a query over whole tables that names the rows where two records of one thing differ."""

from collections.abc import Iterable, Iterator

from chubei_shared import audit, proof
from chubei_shared.hash_chain import Anchor
from chubei_shared.proof import Found
from chubei_shared.seals import Source
from sqlalchemy import text
from sqlalchemy.orm import Session

MOVEMENTS = Source(
    "movement",
    """
    SELECT seq AS id, xact, recorded_at AS at, json_build_array(
        seq, id, kind, place_id, encode(body_hash, 'hex'), occurred_at, recorded_at, recorded_by, approved_by, voucher,
        reason, order_id, hold_id, reverses_id, details, (
            SELECT json_agg(json_build_array(line_no, place_id, item_code, lot_id, quantity) ORDER BY line_no)
            FROM entry WHERE movement_seq = seq))::text AS told
    FROM movement
    """,
)
SEALED = (audit.SOURCE, MOVEMENTS)
"""What is sealed here: the decisions, and the ledger itself."""

_OPEN_LINES = "hold_line l JOIN hold h ON h.id = l.hold_id AND h.status = 'open'"
_ACCOUNT = "'place_id', place_id, 'item_code', item_code, 'lot_id', lot_id"

CHECKS: dict[str, str] = {
    "balance": f"""
        SELECT jsonb_build_object('table', 'balance', {_ACCOUNT}) AS rows,
               coalesce(e.quantity, 0) AS expected, coalesce(b.on_hand, 0) AS found
        FROM balance b FULL JOIN (SELECT place_id, item_code, lot_id, sum(quantity) AS quantity
                                  FROM entry GROUP BY place_id, item_code, lot_id) e
            USING (place_id, item_code, lot_id)
        WHERE coalesce(b.on_hand, 0) <> coalesce(e.quantity, 0)
        """,
    "held": f"""
        SELECT jsonb_build_object('table', 'balance', {_ACCOUNT}, 'hold_lines', coalesce(l.lines, '[]')) AS rows,
               coalesce(l.quantity, 0) AS expected, coalesce(b.held, 0) AS found
        FROM balance b FULL JOIN (
                SELECT l.place_id, l.item_code, l.lot_id, sum(l.outstanding) AS quantity,
                       jsonb_agg(format('%s#%s', l.hold_id, l.line_no) ORDER BY l.hold_id, l.line_no) AS lines
                FROM {_OPEN_LINES} WHERE l.lot_id IS NOT NULL GROUP BY l.place_id, l.item_code, l.lot_id) l
            USING (place_id, item_code, lot_id)
        WHERE coalesce(b.held, 0) <> coalesce(l.quantity, 0)
        """,
    "hold_over": """
        SELECT jsonb_build_object('table', 'hold_line', 'hold_id', l.hold_id, 'line_no', l.line_no) AS rows,
               0 AS expected, l.outstanding AS found
        FROM hold_line l JOIN hold h ON h.id = l.hold_id WHERE h.status <> 'open' AND l.outstanding <> 0
        """,
    # Drawn by movements that name the hold; a lot of a reserve stands for what is called off from it.
    "hold_issued": """
        SELECT jsonb_build_object('table', 'hold_line', 'hold_id', hold_id, 'place_id', place_id, 'lot_id', lot_id)
                   AS rows,
               coalesce(e.drawn, 0) AS expected, coalesce(l.issued, 0) AS found
        FROM (SELECT l.hold_id, l.place_id, coalesce(l.lot_id, r.id) AS lot_id, sum(l.issued) AS issued
              FROM hold_line l LEFT JOIN lot r ON r.reserve_id = l.reserve_id GROUP BY 1, 2, 3) l
        FULL JOIN (SELECT m.hold_id, m.place_id, e.lot_id, -sum(e.quantity) AS drawn
              FROM movement m JOIN entry e ON e.movement_seq = m.seq
              WHERE m.hold_id IS NOT NULL AND e.place_id IN (m.place_id, 'disputed:' || m.place_id,
                  'outside:contract', 'outside:capacity', 'outside:fund')
              GROUP BY 1, 2, 3) e USING (hold_id, place_id, lot_id)
        WHERE coalesce(l.issued, 0) <> coalesce(e.drawn, 0)
        """,
    "reserve_held": f"""
        SELECT jsonb_build_object('table', 'reserve', 'id', r.id) AS rows,
               coalesce(l.quantity, 0) AS expected, r.held AS found
        FROM reserve r LEFT JOIN (SELECT reserve_id, sum(outstanding) AS quantity FROM {_OPEN_LINES}
                                  GROUP BY reserve_id) l ON l.reserve_id = r.id
        WHERE r.held <> coalesce(l.quantity, 0)
        """,
    "reserve_used": """
        SELECT jsonb_build_object('table', 'reserve', 'id', r.id) AS rows,
               coalesce(e.quantity, 0) AS expected, r.used AS found
        FROM reserve r LEFT JOIN (SELECT lot.reserve_id, -sum(quantity) AS quantity
                                  FROM entry JOIN lot ON lot.id = lot_id
                                  WHERE place_id IN ('outside:contract', 'outside:capacity', 'outside:fund')
                                  GROUP BY lot.reserve_id) e ON e.reserve_id = r.id
        WHERE r.used <> coalesce(e.quantity, 0)
        """,
    # By the papers: what movements of an order (or of a transfer that was sent) took from elsewhere, less what they
    # brought elsewhere; a reversal belongs to what it reverses.
    "transit": """
        WITH aboard AS (
            SELECT DISTINCT e.movement_seq FROM place p JOIN entry e ON e.place_id = p.id
            WHERE p.state = 'transit' OR p.id LIKE 'disputed:transit:%'),
        papers AS (
            SELECT m.seq, coalesce(m.order_id::text, m.details->>'sent_id', o.order_id::text, o.details->>'sent_id',
                                   o.id::text, m.id::text) AS of
            FROM movement m LEFT JOIN movement o ON o.id = m.reverses_id
            WHERE m.seq IN (SELECT movement_seq FROM aboard) OR m.order_id IS NOT NULL OR m.kind IN ('send', 'arrive')),
        shipped AS (
            SELECT 'transit:' || p.of AS place_id, e.item_code, e.lot_id, -sum(e.quantity) AS quantity
            FROM papers p JOIN entry e ON e.movement_seq = p.seq
            WHERE e.place_id NOT LIKE 'transit:%' AND e.place_id NOT LIKE 'disputed:transit:%' GROUP BY 1, 2, 3),
        standing AS (
            SELECT regexp_replace(place_id, '^disputed:', '') AS place_id, item_code, lot_id, sum(on_hand) AS quantity
            FROM balance WHERE place_id LIKE 'transit:%' OR place_id LIKE 'disputed:transit:%' GROUP BY 1, 2, 3)
        SELECT jsonb_build_object('table', 'balance', 'place_id', place_id, 'item_code', item_code, 'lot_id', lot_id)
                   AS rows, coalesce(s.quantity, 0) AS expected, coalesce(b.quantity, 0) AS found
        FROM shipped s FULL JOIN standing b USING (place_id, item_code, lot_id)
        WHERE coalesce(s.quantity, 0) <> coalesce(b.quantity, 0)
        """,
    # What was sent has come in where it was sent to, or somebody says why not (a blank reason is none).
    "diverted": r"""
        SELECT jsonb_build_object('table', 'movement', 'movement_id', a.id, 'sent_id', s.id) AS rows,
               s.details->>'to_place_id' AS expected, a.place_id AS found
        FROM movement a JOIN movement s ON s.id = CAST(a.details->>'sent_id' AS uuid) AND s.kind = 'send'
        WHERE a.kind = 'arrive' AND a.place_id <> s.details->>'to_place_id' AND a.reason !~ '\S'
          AND NOT EXISTS (SELECT FROM movement r WHERE r.reverses_id = a.id)
        """,
    "negative": f"""
        SELECT jsonb_build_object('table', 'balance', {_ACCOUNT}) AS rows,
               '0 <= held <= on hand' AS expected, format('on hand %s, held %s', on_hand, held) AS found
        FROM balance WHERE (on_hand < 0 AND NOT outside) OR held < 0 OR (held > 0 AND held > on_hand)
        """,
    # By its last change, or as it came in; what an open recall is about is recalled, if no test has sealed it off.
    "quality": """
        SELECT jsonb_build_object('table', 'lot', 'id', l.id) AS rows, should.quality AS expected, l.quality AS found
        FROM lot l
        LEFT JOIN LATERAL (SELECT quality FROM lot_change WHERE lot_id = l.id ORDER BY seq DESC LIMIT 1) c ON true
        CROSS JOIN LATERAL (SELECT CASE WHEN c.quality IS DISTINCT FROM 'sealed' AND EXISTS (
                SELECT FROM recall r WHERE r.lifted_at IS NULL AND recalls_lot(r, l))
            THEN 'recalled' ELSE coalesce(c.quality, 'ok') END AS quality) should
        WHERE l.quality <> should.quality
        """,
    "outside": f"""
        SELECT jsonb_build_object('table', 'balance', {_ACCOUNT}) AS rows,
               coalesce(p.outside::text, 'a place') AS expected, b.outside::text AS found
        FROM balance b LEFT JOIN place p ON p.id = b.place_id WHERE p.outside IS DISTINCT FROM b.outside
        """,
    "reserve_overdrawn": """
        SELECT jsonb_build_object('table', 'reserve', 'id', id) AS rows, 'held + used <= ' || quantity AS expected,
               format('held %s, used %s', held, used) AS found
        FROM reserve WHERE held < 0 OR used < 0 OR held + used > quantity
        """,
    "movement": """
        SELECT jsonb_build_object('table', 'entry', 'movement_id', m.id, 'movement_seq', e.movement_seq,
                                  'lot_id', e.lot_id) AS rows, '0' AS expected, e.total::text AS found
        FROM (SELECT movement_seq, lot_id, sum(quantity) AS total FROM entry
              GROUP BY movement_seq, lot_id HAVING sum(quantity) <> 0) e LEFT JOIN movement m ON m.seq = e.movement_seq
      UNION ALL
        SELECT jsonb_build_object('table', 'movement', 'movement_id', m.id, 'movement_seq', m.seq),
               'entries', 'none'
        FROM movement m WHERE NOT EXISTS (SELECT FROM entry WHERE movement_seq = m.seq)
        """,
    "stocktake": """
        SELECT jsonb_build_object('table', 'stocktake_line', 'stocktake_id', stocktake_id, 'account', account,
                                  'lot_id', lot_id) AS rows,
               coalesce(e.units, 0) AS expected, coalesce(n.difference, 0) AS found
        FROM (SELECT stocktake_id, account, lot_id, difference FROM stocktake_line WHERE difference <> 0) n
        FULL JOIN (SELECT s.id AS stocktake_id, regexp_replace(e.place_id, '^disputed:', '') AS account, e.lot_id,
                          sum(e.quantity) AS units
                   FROM stocktake s JOIN movement m ON m.id = s.movement_id JOIN entry e ON e.movement_seq = m.seq
                   WHERE e.place_id NOT LIKE 'outside:%' GROUP BY 1, 2, 3) e USING (stocktake_id, account, lot_id)
        WHERE coalesce(n.difference, 0) <> coalesce(e.units, 0)
        """,
}
"""By name: a query of (rows, expected, found), one for each difference."""


def of(session: Session, name: str) -> list[Found]:
    """What one check finds."""
    return [
        Found(name, row.rows, str(row.expected), str(row.found))
        for row in session.execute(text(CHECKS[name]))
    ]


def differences(session: Session, anchors: Iterable[Anchor] = ()) -> Iterator[tuple[str, list[Found]]]:
    """Check after check, with what it found. All see one moment if the caller's transaction does."""
    for name in CHECKS:
        yield name, of(session, name)
    yield "outbox", list(proof.outbox(session))
    yield "migration", list(proof.migration(session, proof.newest_migration("chubei_inventory")))
    broken = list(proof.chain(session, SEALED, anchors))
    yield "chain", [found for found in broken if found.check == "chain"]
    yield "unsealed", [found for found in broken if found.check == "unsealed"]
