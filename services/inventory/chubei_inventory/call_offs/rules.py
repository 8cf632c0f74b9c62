"""The life of a call-off, without I/O: which move may follow which, what then counts, and what is paid."""

from collections.abc import Mapping
from datetime import datetime

from chubei_shared.contracts.call_offs import CallOffState
from chubei_shared.contracts.reserves import PriceRule

_S = CallOffState
MOVES: Mapping[CallOffState, frozenset[CallOffState]] = {
    _S.ORDERED: frozenset({_S.CONFIRMED, _S.FAILED, _S.WITHDRAWN}),
    # confirmed again: they promise less, or later
    _S.CONFIRMED: frozenset({_S.CONFIRMED, _S.READY, _S.FAILED, _S.WITHDRAWN}),
    # what is ready has been made or bought in for us: it is fetched, or it was not there
    _S.READY: frozenset({_S.COLLECTED, _S.FAILED}),
    _S.COLLECTED: frozenset(),
    _S.FAILED: frozenset(),
    _S.WITHDRAWN: frozenset(),
}
"""All that may follow each state."""
OPEN = frozenset(state for state, following in MOVES.items() if following)
NOTHING_LEFT = frozenset({_S.FAILED, _S.WITHDRAWN})


def overdue(state: CallOffState, confirm_by: datetime, now: datetime) -> bool:
    """Whether it was not confirmed in time. A late confirmation counts again: they have the goods."""
    return state is _S.ORDERED and confirm_by < now


def counted(state: CallOffState, quantity: int, confirm_by: datetime, now: datetime) -> int:
    """Units that may be counted on, of those that the last step left."""
    return 0 if state in NOTHING_LEFT or overdue(state, confirm_by, now) else quantity


def making_min(quantity: int, ready_min: int, rate_per_hour: int | None) -> int:
    """Minutes until all of an order is ready, as agreed; with a rate the last unit is made last."""
    return ready_min + (-(-quantity * 60 // rate_per_hour) if rate_per_hour else 0)


def price_allows(rule: PriceRule, agreed_fen: int, asked_fen: int) -> bool:
    """Whether what is asked for goods agrees with the price rule; `agreed_fen` is by the agreed unit price."""
    match rule:
        case PriceRule.FIXED:
            return asked_fen == agreed_fen
        case PriceRule.CAPPED:
            return asked_fen <= agreed_fen
        case PriceRule.MARKET:
            return True
