"""What counts say, without I/O: which move follows which, when somebody else counts again, what a difference is.

Stock moves while it is counted, so counts of a line at two moments can not be compared; their differences can. A
movement changes the shelf and the books alike, whichever of them hears of it first: the difference between what is
there and what is booked *as of the same moment* stays. It changes only by what is not reported (a loss, a find) or by
an adjustment of the books, after which a count says nothing any more (it is stale). A report that comes late changes
the book as of the counts after it; so nothing here is stored before a stocktake is closed, and what was reported
by then decides, in whatever order it came: `judge` is a function of a set.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from chubei_shared.contracts.stocktakes import LineStatus, StocktakeState, Threshold

_S = StocktakeState
MOVES: Mapping[StocktakeState, frozenset[StocktakeState]] = {
    _S.COUNTING: frozenset({_S.REVIEW, _S.CANCELLED}),
    _S.REVIEW: frozenset({_S.COUNTING, _S.POSTED, _S.CANCELLED}),
    _S.POSTED: frozenset(),
    _S.CANCELLED: frozenset(),
}
"""All that may follow each state."""
OPEN = frozenset(state for state, following in MOVES.items() if following)


class Counted(NamedTuple):
    """One count of a line. `book`: what was booked as of that moment. `stale`: the books were adjusted after it."""

    id: UUID
    person: str
    at: datetime
    units: int
    book: int
    stale: bool = False

    @property
    def difference(self) -> int:
        return self.units - self.book


class Verdict(NamedTuple):
    """How a line stands; settled, with its difference and the count that it follows from."""

    status: LineStatus
    by: Counted | None = None

    @property
    def difference(self) -> int | None:
        return None if self.by is None else self.by.difference


def passes(threshold: Threshold, difference: int, book: int, price_fen: int | None) -> bool:
    """Whether a difference is so large that another person counts again."""
    size = abs(difference)
    return (
        (threshold.units is not None and size > threshold.units)
        or (threshold.pct is not None and size * 100 > threshold.pct * max(book, 0))
        or (threshold.value_fen is not None and size * (price_fen or 0) > threshold.value_fen)
    )


def judge(counts: Iterable[Counted], threshold: Threshold, price_fen: int | None, books_now: int) -> Verdict:
    """A line: the latest count stands if its difference is small, or if somebody else found the same one."""
    fresh = sorted((one for one in counts if not one.stale), key=lambda one: (one.at, one.id))
    if not fresh:
        return Verdict(LineStatus.TO_COUNT if books_now else LineStatus.GONE)
    last = fresh[-1]
    agreed = any(one.person != last.person and one.difference == last.difference for one in fresh)
    if agreed or not passes(threshold, last.difference, last.book, price_fen):
        return Verdict(LineStatus.COUNTED, last)
    return Verdict(LineStatus.TO_RECOUNT)


def accuracy(verdicts: Iterable[Verdict]) -> tuple[int, int]:
    """Lines counted, and those of them that were as booked."""
    differences = [verdict.difference for verdict in verdicts if verdict.difference is not None]
    return len(differences), differences.count(0)
