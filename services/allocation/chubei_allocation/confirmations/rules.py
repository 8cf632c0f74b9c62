"""PURE: what may become of a confirmation, and what is asked of a place."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from typing import Literal

from chubei_shared.contracts.base import Mode
from chubei_shared.contracts.catalogue import Item
from chubei_shared.contracts.confirmations import (
    AskedItem,
    ConfirmationState,
    ConfirmedLine,
    ConfirmedMode,
)
from chubei_shared.contracts.reserves import SupplyRow

from chubei_allocation.turnout import left_of

Move = Literal["confirmed", "declined", "release"]
_ASKED, _CONFIRMED, _DECLINED, _RELEASED = ConfirmationState
MOVES: dict[Move, dict[ConfirmationState, ConfirmationState]] = {
    "confirmed": {_ASKED: _CONFIRMED, _CONFIRMED: _CONFIRMED, _DECLINED: _CONFIRMED},
    "declined": {_ASKED: _DECLINED, _CONFIRMED: _DECLINED, _DECLINED: _DECLINED},
    "release": {_ASKED: _RELEASED, _CONFIRMED: _RELEASED, _DECLINED: _RELEASED},
}
"""From which states a move leads where; an answer may be changed, and come late, until it is released."""


def after(state: ConfirmationState, move: Move) -> ConfirmationState | None:
    return MOVES[move].get(state)


def overdue(state: ConfirmationState, due_at: datetime, now: datetime) -> bool:
    """Whether it was not answered in time, as one looks."""
    return state is _ASKED and now >= due_at


def asked_items(supply: Iterable[SupplyRow], items: Iterable[Item]) -> dict[str, list[AskedItem]]:
    """What there is to confirm, by place: agreed reserves and lines of which something is left, by item and mode."""
    known = {item.code: item for item in items}
    alike: dict[tuple[str, str, ConfirmedMode], list[SupplyRow]] = defaultdict(list)
    for row in supply:
        if row.mode in (Mode.CONTRACT, Mode.CAPACITY) and row.item_code in known and left_of(row):
            alike[row.place_id, row.item_code, row.mode].append(row)
    at: dict[str, list[AskedItem]] = defaultdict(list)
    for (place_id, code, mode), rows in sorted(alike.items()):
        at[place_id].append(
            AskedItem(
                item_code=code,
                name_zh=known[code].name_zh,
                name_en=known[code].name_en,
                unit_zh=known[code].unit_zh,
                mode=mode,
                quantity=sum(left_of(row) for row in rows),
                firm=sum(row.quantity for row in rows),
                lead_min=max(row.ready_min for row in rows),
            )
        )
    return at


def over(asked: Iterable[AskedItem], lines: Iterable[ConfirmedLine]) -> list[tuple[AskedItem, int]]:
    """Items of which more was confirmed than was asked, and how many."""
    said = {(line.item_code, line.mode): line.quantity for line in lines}
    found = ((item, said.get((item.item_code, item.mode), 0)) for item in asked)
    return [(item, units) for item, units in found if units > item.quantity]


def not_as_asked(asked: Iterable[AskedItem], lines: Iterable[ConfirmedLine]) -> list[str]:
    """Items that were asked and are not answered, or the reverse, as item/mode."""
    wanted = {f"{item.item_code}/{item.mode}" for item in asked}
    return sorted(wanted ^ {f"{line.item_code}/{line.mode}" for line in lines})
