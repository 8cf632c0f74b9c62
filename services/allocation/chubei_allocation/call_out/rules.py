"""PURE: what may follow what for a person who is called, and what a place has of whom it needs."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

from chubei_shared.contracts.call_out import Arrivals, CallDuty, CallMove, CallState, Team
from chubei_shared.contracts.network import Network

from chubei_allocation.turnout import docks_of

_TO_CALL, _CALLED, _ANSWERED, _UNREACHABLE, _DECLINED, _PRESENT, _RELEASED = CallState
MOVES: dict[CallMove, dict[CallState, CallState]] = {
    "call": {_TO_CALL: _CALLED, _UNREACHABLE: _CALLED, _DECLINED: _CALLED, _RELEASED: _CALLED},
    "answer": {_CALLED: _ANSWERED, _ANSWERED: _ANSWERED, _UNREACHABLE: _ANSWERED, _DECLINED: _ANSWERED},
    "unreachable": {_CALLED: _UNREACHABLE, _ANSWERED: _UNREACHABLE},
    "decline": {_CALLED: _DECLINED, _ANSWERED: _DECLINED, _UNREACHABLE: _DECLINED},
    "present": {
        _TO_CALL: _PRESENT, _CALLED: _PRESENT, _ANSWERED: _PRESENT, _UNREACHABLE: _PRESENT, _DECLINED: _PRESENT,
    },
    "release": {_ANSWERED: _RELEASED, _PRESENT: _RELEASED},
}  # fmt: skip
"""From which states a move leads where; what does not stand here is not allowed.

Who comes without having answered is present all the same. Nobody is called twice at once: a second try follows a first
that reached nobody.
"""
COUNT = (_ANSWERED, _PRESENT)
"""Who is there, or coming."""


def after(state: CallState, move: CallMove) -> CallState | None:
    return MOVES[move].get(state)


def overdue(state: CallState, since: datetime, within_min: int, now: datetime) -> bool:
    """Whether somebody was called and has not answered for `within_min`."""
    return state is _CALLED and now - since >= timedelta(minutes=within_min)


class OnSheet(NamedTuple):
    """One person of the sheet, as far as a summary asks."""

    place_id: str
    duty: CallDuty
    vehicle_type_id: str | None
    state: CallState
    expected_min: int | None

    @property
    def from_min(self) -> int:
        """From when this person counts, if at all (COUNT)."""
        return 0 if self.state is _PRESENT else self.expected_min or 0


def teams(network: Network, rows: Iterable[OnSheet]) -> list[Team]:
    """What each place needs and has, drivers by what they drive: by place, keepers first."""
    of: dict[tuple[str, CallDuty, str | None], list[OnSheet]] = {}
    for row in rows:
        of.setdefault((row.place_id, row.duty, row.vehicle_type_id), []).append(row)
    order = list(CallDuty)
    return [
        Team(
            place_id=place_id,
            duty=duty,
            vehicle_type_id=kind,
            needed=_needed(network, place_id, duty, kind),
            on_sheet=len(own),
            present=sum(row.state is _PRESENT for row in own),
            expected=_arrivals(own),
        )
        for (place_id, duty, kind), own in sorted(
            of.items(), key=lambda pair: (pair[0][0], order.index(pair[0][1]), pair[0][2] or "")
        )
    ]


def _needed(network: Network, place_id: str, duty: CallDuty, kind: str | None) -> int:
    if duty is CallDuty.DRIVER:
        return sum(row.count for row in network.vehicle_types if row.id == kind)
    if duty is CallDuty.KEEPER:
        return 1
    return sum(
        docks_of(site) * site.loaders_per_dock for site in network.loading_sites if site.place_id == place_id
    )


def _arrivals(rows: list[OnSheet]) -> list[Arrivals]:
    minutes = sorted(row.from_min for row in rows if row.state in COUNT)
    return [
        Arrivals(from_min=minute, people=sum(m <= minute for m in minutes)) for minute in sorted(set(minutes))
    ]
