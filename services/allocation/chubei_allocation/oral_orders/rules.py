"""PURE: what may be done with an oral order in which state. The tables are the rule."""

from datetime import datetime, timedelta
from enum import StrEnum

from chubei_shared.contracts.oral_orders import OralState

PAPERS_WITHIN = timedelta(hours=48)
"""After the order was given (rules.md C4)."""
ACCOUNTS = 2
"""So many persons account for a break-glass entry."""


class Act(StrEnum):
    PAPERS = "papers"
    ACCOUNT = "account"


MOVES: dict[tuple[OralState, bool], frozenset[Act]] = {
    (OralState.OPEN, False): frozenset({Act.PAPERS}),
    (OralState.OPEN, True): frozenset({Act.PAPERS, Act.ACCOUNT}),
    (OralState.UNACCOUNTED, True): frozenset({Act.ACCOUNT}),
    (OralState.CLOSED, False): frozenset(),
    (OralState.CLOSED, True): frozenset(),
}
"""From the state, and whether it is a break-glass entry, to what may be done."""


def state(papers: bool, break_glass: bool, accounts: int) -> OralState:
    if not papers:
        return OralState.OPEN
    return OralState.UNACCOUNTED if break_glass and accounts < ACCOUNTS else OralState.CLOSED


def overdue(papers: bool, due_at: datetime, now: datetime) -> bool:
    return not papers and now > due_at


def minutes_left(papers: bool, due_at: datetime, now: datetime) -> int:
    return 0 if papers else max(0, int((due_at - now).total_seconds() // 60))
