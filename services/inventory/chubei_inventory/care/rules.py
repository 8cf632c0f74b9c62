"""When care of stock is due, without I/O. Figures are data (care_rule); what follows from them is here.

Due dates are reckoned in calendar months, as offices do: three years from 31 January is a 31 January, one month from
it is the last of February. `due_on` never goes back when its start goes on, and `latest_start` is its inverse: what
is due by a day is what started by `latest_start` of that day. So lists can be read from an index on the start.
"""

from calendar import monthrange
from collections.abc import Iterable, Mapping
from datetime import date
from typing import NamedTuple

from chubei_shared.contracts.base import Mode
from chubei_shared.contracts.care import CareKind, CareState, Floor

_S = CareState
MOVES: Mapping[CareState, frozenset[CareState]] = {
    _S.OPEN: frozenset({_S.ACKNOWLEDGED, _S.DONE, _S.LAPSED}),
    _S.ACKNOWLEDGED: frozenset({_S.DONE, _S.LAPSED}),
    # what is due again is a new task
    _S.DONE: frozenset(),
    _S.LAPSED: frozenset(),
}
"""All that may follow each state of a task."""
OPEN = frozenset(state for state, following in MOVES.items() if following)
BY_HAND = frozenset({_S.ACKNOWLEDGED, _S.DONE})
"""What people say; that a task has lapsed follows from the stock."""

PREFERENCE = (Mode.CONTRACT, Mode.CAPACITY, Mode.FUND)
"""What replaces a lot, in this order: who has an agreement takes the old goods into trade (协议轮换)."""


def due_on(kind: CareKind, start: date, months: int) -> date:
    """When it is due. Rotation is due before its start, which is the expiry; all else after."""
    return _shift(start, -months if kind is CareKind.ROTATION else months)


def latest_start(kind: CareKind, due_by: date, months: int) -> date:
    """The latest start of what is due by a day."""
    back = _shift(due_by, months if kind is CareKind.ROTATION else -months)
    if date.min < back < date.max and due_by.day == _days_in(due_by.year, due_by.month):
        return back.replace(day=_days_in(back.year, back.month))
    return back


def _shift(start: date, months: int) -> date:
    """So many calendar months on or back; the last day of a shorter month. Stays within the calendar."""
    number = start.year * 12 + start.month - 1 + months
    year, month = divmod(number, 12)
    if year < date.min.year:
        return date.min
    if year > date.max.year:
        return date.max
    return date(year, month + 1, min(start.day, _days_in(year, month + 1)))


def _days_in(year: int, month: int) -> int:
    return monthrange(year, month)[1]


class Offer(NamedTuple):
    """Units that a reserve could give."""

    mode: Mode
    reserve_id: str
    units: int


def cover(units: int, offers: Iterable[Offer]) -> tuple[list[Offer], int]:
    """What replaces `units`: offers taken in order of preference, and what is left that nothing replaces."""
    taken = []
    for offer in sorted(offers, key=lambda o: (PREFERENCE.index(o.mode), o.reserve_id)):
        if part := min(units, offer.units):
            taken.append(offer._replace(units=part))
            units -= part
    return taken, units


class Norm(NamedTuple):
    """Units for each 1,000 people of the duty, and the share that must lie in stores."""

    units_per_1000: int
    least_physical_pct: int


def below_norm(norm: Norm, people: int, physical: int, agreed: int) -> Floor | None:
    """What is missing of a norm: in all, or in the stores; None where it is kept. Rounded up to whole units."""
    wanted = -(-norm.units_per_1000 * people // 1000)
    in_stores = -(-wanted * norm.least_physical_pct // 100)
    short = max(wanted - physical - agreed, in_stores - physical)
    if short <= 0:
        return None
    return Floor(
        by="norm", wanted=wanted, have=physical + agreed, physical_wanted=in_stores, physical=physical, short=short
    )  # fmt: skip


def below_floor(floor_stock: int, measured: int) -> Floor | None:
    """What a supplier's shelves were short of the floor stock that was agreed."""
    if measured >= floor_stock:
        return None
    return Floor(by="floor_stock", wanted=floor_stock, have=measured, short=floor_stock - measured)


def evidence_missing(kind: CareKind, note: str, movement_kind: str | None) -> bool:
    """Whether more must be told before a task is done: a test by its result, all else by a movement or a note."""
    if kind is CareKind.TEST:
        return movement_kind != "tested"
    return movement_kind is None and not note.strip()
