"""First expired, first out, without I/O: which lots are taken, which are passed over and why."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from chubei_shared.contracts.holds import Why


class Quality(StrEnum):
    OK = "ok"
    SEALED = "sealed"
    RECALLED = "recalled"
    TEST_DUE = "test_due"


class Reason(NamedTuple):
    """Why units are passed over, as a word and in Chinese and English."""

    why: Why
    zh: str
    en: str


_WHY = {
    Quality.SEALED: Reason(Why.SEALED, "已封存", "sealed off"),
    Quality.RECALLED: Reason(Why.RECALLED, "已召回", "recalled"),
    Quality.TEST_DUE: Reason(Why.TEST_DUE, "待检", "due for a test"),
}
_BARS = {
    Why.HELD: ("已被预留", "held for"),
    Why.DISPUTED: ("账实待核", "in dispute"),
    Why.SEALED: ("已封存", "sealed off"),
    Why.TESTING: ("送检中", "being tested"),
    Why.MISSING: ("短拣待查", "not found when picked"),
    Why.PACKED: ("已装入方舱", "packed in a relief module"),
    Why.UNCONFIRMED: ("调用未获确认或超价", "called off and not confirmed, or dearer"),
    Why.NOT_VALID: ("今天不在有效期内", "not valid today"),
}


def barred(why: Why, of: str | None = None) -> Reason:
    """Why units can not be had, whatever their quality and dates; `of`: for whom, or where."""
    zh, en = _BARS[why]
    return Reason(why, f"{zh}({of})" if of else zh, f"{en} {of}" if of else en)


@dataclass(frozen=True, slots=True)
class Shelf:
    """Units of one lot at one place, or of a reserve, which has one lot of its own."""

    lot_id: UUID
    lot_no: str
    made_on: date | None
    expires_on: date | None
    quality: str
    available: int
    """Free; or, with a `bar`, not to be had."""
    reserve_id: str | None = None
    given: bool = False
    """Donated, or a firm's own: counted apart, and taken by name only."""
    bar: Reason | None = None

    def unusable(self, on: date | None) -> Reason | None:
        """Why this lot can not be used on a day; a lot can be on its last day.

        Without a day its expiry does not matter.
        """
        if self.quality != Quality.OK:
            return _WHY[Quality(self.quality)]
        if on and self.expires_on and self.expires_on < on:
            return Reason(
                Why.EXPIRED,
                f"{self.expires_on} 到期,早于使用日 {on}",
                f"expires {self.expires_on}, before {on}",
            )
        return None


@dataclass(frozen=True, slots=True)
class Want:
    """Units wanted for a day (None: whatever the expiry); of one lot where it is named.

    `usable`: only of lots that can be used; else whatever state they are in. `consent`: of whom a given lot's
    owner is; None where naming it is enough.
    """

    units: int
    on: date | None
    lot_id: UUID | None = None
    usable: bool = True
    consent: str | None = None


@dataclass(slots=True)
class Pick:
    """What was found. `parts` are units by lot, in the order taken; `asked` and `got` by the lot that was named."""

    parts: Counter[UUID] = field(default_factory=Counter)
    asked: Counter[UUID | None] = field(default_factory=Counter)
    got: Counter[UUID | None] = field(default_factory=Counter)
    last_on: dict[UUID, date] = field(default_factory=dict)
    """The last day for which each lot was taken."""
    passed: dict[tuple[UUID, Why], tuple[Shelf, Reason]] = field(default_factory=dict)

    @property
    def short(self) -> int:
        return self.asked.total() - self.got.total()


def pick(shelves: Iterable[Shelf], wants: Sequence[Want]) -> Pick:
    """Serve `wants` from `shelves` so that as much as possible is found.

    Named lots come first. Then whoever wants earlier takes first, and of the lots good for that day the one
    that expires first: an early want may use every lot that a later one may use, so it leaves the most.
    """
    result, order = Pick(), sorted(shelves, key=_expiry)
    free = [shelf.available for shelf in order]
    for want in sorted(wants, key=lambda w: (w.lot_id is None, w.on or date.min)):
        left, skipped = want.units, []
        for number, shelf in enumerate(order):
            if not left:
                break
            if want.lot_id not in (None, shelf.lot_id) or free[number] <= 0:
                continue
            if reason := _refusal(shelf, want):
                skipped.append((shelf, reason))
                continue
            taken = min(left, free[number])
            free[number] -= taken
            left -= taken
            result.parts[shelf.lot_id] += taken
            if want.on:
                result.last_on[shelf.lot_id] = max(want.on, result.last_on.get(shelf.lot_id, want.on))
        result.asked[want.lot_id] += want.units
        result.got[want.lot_id] += want.units - left
        result.passed |= {(shelf.lot_id, reason.why): (shelf, reason) for shelf, reason in skipped}
    return result


def _refusal(shelf: Shelf, want: Want) -> Reason | None:
    if shelf.bar is not None:
        return shelf.bar
    return (shelf.unusable(want.on) or _apart(shelf, want)) if want.usable else None


def _apart(shelf: Shelf, want: Want) -> Reason | None:
    """What was given is never mixed with state stock: it goes where somebody names it."""
    if not shelf.given:
        return None
    if want.lot_id is None:
        return Reason(Why.GIVEN, "属捐赠或社会物资,须指定批次", "given goods: they go by name only")
    if want.consent == "":
        return Reason(
            Why.GIVEN, "属捐赠或社会物资,须写明物主同意或征用文号(consent)",
            "given goods: say in consent who agreed, or the requisition's number",
        )  # fmt: skip
    return None


def _expiry(shelf: Shelf) -> tuple[date, date, str, UUID, bool]:
    free_first = shelf.bar is not None
    return (
        shelf.expires_on or date.max,
        shelf.made_on or date.max,
        shelf.lot_no,
        shelf.lot_id,
        free_first,
    )
