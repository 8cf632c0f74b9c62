"""First expired, first out, without I/O: which lots are taken, which are passed over and why."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, timezone
from enum import StrEnum
from uuid import UUID

CHINA = timezone(timedelta(hours=8))
"""Dates on labels and in agreements are days in China, which has one time zone and no summer time."""


class Quality(StrEnum):
    OK = "ok"
    SEALED = "sealed"
    RECALLED = "recalled"
    TEST_DUE = "test_due"


_WHY = {
    Quality.SEALED: ("已封存", "sealed off"),
    Quality.RECALLED: ("已召回", "recalled"),
    Quality.TEST_DUE: ("待检", "due for a test"),
}


def day(moment: datetime) -> date:
    """The day in China of a moment."""
    return moment.astimezone(CHINA).date()


@dataclass(frozen=True, slots=True)
class Shelf:
    """What is free of one lot at one place, or of a reserve, which has one lot of its own."""

    lot_id: UUID
    lot_no: str
    made_on: date | None
    expires_on: date | None
    quality: str
    available: int
    reserve_id: str | None = None
    given: bool = False
    """Donated, or a firm's own: counted apart, and taken by name only."""

    def unusable(self, on: date | None) -> tuple[str, str] | None:
        """Why this lot can not be used on a day, in Chinese and English; a lot can be on its last day.

        Without a day its expiry does not matter.
        """
        if self.quality != Quality.OK:
            return _WHY[Quality(self.quality)]
        if on and self.expires_on and self.expires_on < on:
            return (f"{self.expires_on} 到期,早于使用日 {on}", f"expires {self.expires_on}, before {on}")
        return None


@dataclass(frozen=True, slots=True)
class Want:
    """Units wanted for a day (None: whatever the expiry); of one lot where it is named.

    `usable`: only of lots that can be used; else whatever state they are in.
    """

    units: int
    on: date | None
    lot_id: UUID | None = None
    usable: bool = True


@dataclass(slots=True)
class Pick:
    """What was found. `parts` are units by lot, in the order taken; `short` is what is missing."""

    parts: Counter[UUID] = field(default_factory=Counter)
    short: int = 0
    passed: dict[UUID, tuple[Shelf, tuple[str, str]]] = field(default_factory=dict)

    @property
    def found(self) -> int:
        return self.parts.total()


def pick(shelves: Iterable[Shelf], wants: Sequence[Want]) -> Pick:
    """Serve `wants` from `shelves` so that as much as possible is found.

    Named lots come first. Then whoever wants earlier takes first, and of the lots good for that day the one
    that expires first: an early want may use every lot that a later one may use, so it leaves the most.
    """
    result, order = Pick(), sorted(shelves, key=_expiry)
    free = {shelf.lot_id: shelf.available for shelf in order}
    for want in sorted(wants, key=lambda w: (w.lot_id is None, w.on or date.min)):
        left, skipped = want.units, []
        for shelf in order:
            if not left:
                break
            if want.lot_id not in (None, shelf.lot_id) or free[shelf.lot_id] <= 0:
                continue
            if want.usable and (why := shelf.unusable(want.on) or _apart(shelf, want)):
                skipped.append((shelf, why))
                continue
            taken = min(left, free[shelf.lot_id])
            free[shelf.lot_id] -= taken
            left -= taken
            result.parts[shelf.lot_id] += taken
        result.short += left
        result.passed |= {shelf.lot_id: (shelf, why) for shelf, why in skipped}
    return result


def _apart(shelf: Shelf, want: Want) -> tuple[str, str] | None:
    """What was given is never mixed with state stock: it goes where somebody names it."""
    if shelf.given and want.lot_id is None:
        return ("属捐赠或社会物资,须指定批次", "given goods: they go by name only")
    return None


def _expiry(shelf: Shelf) -> tuple[date, date, str, UUID]:
    return (shelf.expires_on or date.max, shelf.made_on or date.max, shelf.lot_no, shelf.lot_id)
