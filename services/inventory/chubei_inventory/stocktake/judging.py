"""The counts of a stocktake against the books as of the moment of each, by all that is reported by now."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

from chubei_shared.contracts.base import Dto
from chubei_shared.contracts.stocktakes import Difference, DifferencePage, JudgedCount, Threshold
from chubei_shared.cursors import cursor_of, key_of, name
from chubei_shared.editions import etag_of
from sqlalchemy import text
from sqlalchemy.orm import Session

from chubei_inventory.stocktake import rules, tables
from chubei_inventory.stocktake.rules import Counted, Verdict

# What is there now, in dispute included (facts.py: R), less what has happened since the count. An adjustment follows
# the shelf and does not move goods: a count before it says nothing any more, but for the stocktake's own. Nor does one
# between a movement and its reversal: it may have been a slip of the pen, or the goods may have come back since.
_COUNTS = text(
    """
    WITH counts AS (SELECT * FROM stocktake_count WHERE stocktake_id = :id AND hindrance IS NULL),
    since AS (
        SELECT m.occurred_at, regexp_replace(e.place_id, '^disputed:', '') AS account, e.lot_id, e.quantity,
               m.id IS DISTINCT FROM CAST(:own AS uuid) AND 'adjust' IN (m.kind, u.kind) AS adjusts,
               u.occurred_at AS undone_at
        FROM movement m JOIN entry e ON e.movement_seq = m.seq LEFT JOIN movement u ON u.id = m.reverses_id
        WHERE m.occurred_at > (SELECT min(counted_at) FROM counts))
    SELECT c.id, c.account, c.lot_id, c.counted_by, c.counted_at, c.units, c.note,
           coalesce(b.on_hand, 0) + coalesce(d.on_hand, 0) - coalesce(sum(s.quantity), 0)::bigint AS book,
           coalesce(bool_or(s.adjusts OR s.undone_at <= c.counted_at), false) AS stale
    FROM counts c
        LEFT JOIN balance b ON b.place_id = c.account AND b.item_code = c.item_code AND b.lot_id = c.lot_id
        LEFT JOIN balance d ON d.place_id = 'disputed:' || c.account AND d.item_code = c.item_code
            AND d.lot_id = c.lot_id
        LEFT JOIN since s ON s.account = c.account AND s.lot_id = c.lot_id AND s.occurred_at > c.counted_at
    GROUP BY c.id, c.account, c.lot_id, c.counted_by, c.counted_at, c.units, c.note, b.on_hand, d.on_hand
    """
)
_LINES = text(
    """
    SELECT n.account, n.item_code, n.lot_id, l.lot_no, l.maker, l.made_on, l.expires_on, n.added, n.count_id,
           n.difference AS posted, i.name_zh, i.unit_zh, i.ref_price_cny * 100 AS price_fen,
           coalesce(b.held, 0) AS held, coalesce(b.on_hand, 0) + coalesce(d.on_hand, 0) AS books_now
    FROM stocktake_line n JOIN lot l ON l.id = n.lot_id JOIN item i ON i.code = n.item_code
        LEFT JOIN balance b ON b.place_id = n.account AND b.item_code = n.item_code AND b.lot_id = n.lot_id
        LEFT JOIN balance d ON d.place_id = 'disputed:' || n.account AND d.item_code = n.item_code
            AND d.lot_id = n.lot_id
    WHERE n.stocktake_id = :id ORDER BY n.account, n.item_code, n.lot_id
    """
)


class Named(NamedTuple):
    """A line of `_LINES`."""

    account: str
    item_code: str
    lot_id: UUID
    lot_no: str
    maker: str
    made_on: object
    expires_on: object
    added: bool
    count_id: UUID | None
    posted: int | None
    name_zh: str
    unit_zh: str
    price_fen: int | None
    held: int
    books_now: int

    @property
    def key(self) -> tuple[str, str, UUID]:
        return (self.account, self.item_code, self.lot_id)


@dataclass(frozen=True, slots=True)
class Judged:
    """A line, its counts in the order in which they were made, and what they come to."""

    line: Named
    counts: Sequence[tuple[Counted, str]]
    """With the note of each."""
    verdict: Verdict


def lines(session: Session, stocktake: tables.Stocktake) -> list[Judged]:
    """All lines of a stocktake, judged; two statements, however many there are."""
    threshold = Threshold.model_validate(stocktake.threshold)
    counts: dict[tuple[str, UUID], list[tuple[Counted, str]]] = defaultdict(list)
    for r in session.execute(_COUNTS, {"id": stocktake.id, "own": stocktake.movement_id}):
        one = Counted(r.id, r.counted_by, r.counted_at, r.units, r.book, r.stale)
        counts[r.account, r.lot_id].append((one, r.note))
    judged = []
    for row in session.execute(_LINES, {"id": stocktake.id}):
        line = Named(**row._mapping)
        made = sorted(counts[line.account, line.lot_id], key=lambda of: (of[0].at, of[0].id))
        judged.append(Judged(line, made, _verdict(line, [one for one, _ in made], threshold)))
    return judged


def _verdict(line: Named, counts: Sequence[Counted], threshold: Threshold) -> Verdict:
    """Of a posted line, by the count that it was posted by: that is not chosen anew."""
    if line.count_id is not None:
        chosen = next(one for one in counts if one.id == line.count_id)
        return rules.judge([chosen._replace(stale=False)], threshold.model_copy(update=_NEVER), None, 0)
    return rules.judge(counts, threshold, line.price_fen, line.books_now)


_NEVER = {"units": None, "pct": None, "value_fen": None}


class _All(Dto):
    rows: list[Difference]


def etag(judged: Sequence[Judged]) -> str:
    """The ETag of all differences of a stocktake: whatever changes one of them changes it. Holds do not."""
    return etag_of(_All(rows=[difference(one).model_copy(update={"held": 0}) for one in judged]))


def page(judged: Sequence[Judged], cursor: str | None, limit: int) -> DifferencePage:
    """Differences by account, item and lot."""
    after = tuple(key_of(cursor, name, name, UUID) or ())
    rest = [one for one in judged if not after or one.line.key > after]
    return DifferencePage(
        rows=[difference(one) for one in rest[:limit]],
        next_cursor=cursor_of(*rest[limit - 1].line.key) if len(rest) > limit else None,
    )


def difference(judged: Judged) -> Difference:
    line, found = judged.line, judged.verdict.difference
    price = line.price_fen
    return Difference(
        account=line.account, item_code=line.item_code, lot_id=line.lot_id, lot_no=line.lot_no, added=line.added,
        status=judged.verdict.status, difference=found, held=line.held, posted=line.posted,
        value_fen=None if price is None or found is None else abs(found) * price,
        counts=[
            JudgedCount(
                id=one.id, counted_by=one.person, counted_at=one.at, units=one.units, note=note, book=one.book,
                difference=one.difference, stale=one.stale,
            )
            for one, note in judged.counts
        ],
    )  # fmt: skip
