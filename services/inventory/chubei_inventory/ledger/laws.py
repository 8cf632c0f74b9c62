"""The ledger's laws, without I/O: every movement is balanced legs, and a balance is the sum of its legs.

Accounts are places. Goods come from and go to accounts outside the books; goods aboard a vehicle stand on
the transit account of their dispatch order. So what leaves one account always arrives at another, and the
sum over all accounts of a lot is always zero.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

RECEIVED = "outside:received"
ISSUED = "outside:issued"
ADJUSTED = "outside:adjusted"
DAMAGED = "outside:damaged"
LOST = "outside:lost"
TESTED = "outside:tested"
SCRAPPED = "outside:scrapped"
_DISPUTED = "disputed:"
OWN_PREFIXES = ("outside:", "transit:", "sealed:", "testing:", "lent:", "missing:", "module:", _DISPUTED)
"""Places whose ids begin so are the books' own accounts, never registered by people."""


def transit(order_id: UUID) -> str:
    """The account of the goods aboard for one dispatch order, or for one transfer that was sent."""
    return f"transit:{order_id}"


def sealed(place_id: str) -> str:
    """What is sealed off at a place (封存)."""
    return f"sealed:{place_id}"


def testing(place_id: str) -> str:
    """What a place has sent to a test (送检)."""
    return f"testing:{place_id}"


def lent(place_id: str) -> str:
    """What was issued from a place and is to come back to it (待回收)."""
    return f"lent:{place_id}"


def missing(place_id: str) -> str:
    """What the books have at a place and nobody found there (待查)."""
    return f"missing:{place_id}"


def module(module_id: str, place_id: str) -> str:
    """What is packed in a relief module that stands at a place (方舱)."""
    return f"module:{module_id}@{place_id}"


def disputed(account: str) -> str:
    """What was reported to have left an account that, by the books, did not have it (待核). Never above zero."""
    return _DISPUTED + account


def in_dispute(account: "Account") -> bool:
    """Whether it is the account of what is in dispute of another."""
    return account.place_id.startswith(_DISPUTED)


def undisputed(account: "Account") -> "Account":
    """The account that what is in dispute was reported of."""
    return Account(account.place_id.removeprefix(_DISPUTED), account.goods)


def parent(account: str) -> str | None:
    """The place that one of the books' own accounts belongs to; None where it stands by itself."""
    state, _, of = account.partition(":")
    if state in ("outside", "transit") or not account.startswith(OWN_PREFIXES):
        return None
    return of.partition("@")[2] if state == "module" else of


def reserve_account(mode: str) -> str:
    """The outside account that called-off goods of a reserve mode come from."""
    return f"outside:{mode}"


class Goods(NamedTuple):
    """One lot of one item."""

    item_code: str
    lot_id: UUID


class Account(NamedTuple):
    """One lot at one place: what a balance is kept of."""

    place_id: str
    goods: Goods


@dataclass(frozen=True, slots=True)
class Leg:
    """Half of a transfer: `quantity` is positive where goods come in, negative where they go out."""

    account: Account
    quantity: int


class Unlawful(ValueError):
    """Legs that are no movement: nothing moves, or what goes out does not come in."""


def move(parts: Mapping[Goods, int], source: str, target: str) -> list[Leg]:
    """Two legs for each lot: out of `source`, into `target`. Quantities are positive."""
    legs = []
    for goods, quantity in parts.items():
        if quantity <= 0:
            raise Unlawful(f"{quantity} units of lot {goods.lot_id} can not be moved: give more than 0")
        legs += [Leg(Account(source, goods), -quantity), Leg(Account(target, goods), quantity)]
    return legs


def adjust(changes: Mapping[Goods, int], place_id: str) -> list[Leg]:
    """The books follow a count: more comes from outside, less goes there."""
    more = {goods: change for goods, change in changes.items() if change > 0}
    less = {goods: -change for goods, change in changes.items() if change < 0}
    return move(more, ADJUSTED, place_id) + move(less, place_id, ADJUSTED)


def deal(parts: Mapping[Goods, int], hands: Iterable[tuple[str, int]]) -> dict[str, dict[Goods, int]]:
    """Deal `parts` out in their order: to each account of `hands` its number of units."""
    dealt: dict[str, dict[Goods, int]] = {}
    left = dict(parts)
    for account, units in hands:
        dealt[account] = {}
        for goods, there in list(left.items()):
            taken = min(units, there)
            if taken:
                dealt[account][goods] = taken
                left[goods] -= taken
                units -= taken
    return dealt


class Standing(NamedTuple):
    """One account as it stands: what is on it, what of it is held for plans, and what is in dispute (0 or below)."""

    on_hand: int
    held: int
    disputed: int


def split(change: int, now: Standing) -> tuple[int, int]:
    """What a reported change does to an account, and to what is in dispute there.

    The account keeps what it can: never below what is held. The rest is in dispute; what comes in settles that
    first. Both follow from the sum of all that was reported alone, so the order of reports does not matter
    (facts.py has the proof).
    """
    total = now.on_hand + now.disputed + change
    on_hand = max(total, now.held)
    return on_hand - now.on_hand, (total - on_hand) - now.disputed


def fold(legs: Iterable["Leg"]) -> list["Leg"]:
    """The legs as they were reported: what was booked as in dispute, on the account that it was reported of."""
    sums: Counter[Account] = Counter()
    for leg in legs:
        sums[undisputed(leg.account)] += leg.quantity
    return [Leg(account, units) for account, units in sums.items() if units]


def in_packs(units: int, pack: int) -> tuple[int, int]:
    """Whole packs, and the units that fill none."""
    return divmod(units, pack)


def mirror(legs: Iterable[Leg]) -> list[Leg]:
    """The legs that undo `legs`."""
    return [Leg(leg.account, -leg.quantity) for leg in legs]


def changes(legs: Iterable[Leg]) -> dict[Account, int]:
    """What `legs` change each balance by; accounts that come out even are left out."""
    sums: Counter[Account] = Counter()
    for leg in legs:
        sums[leg.account] += leg.quantity
    return {account: change for account, change in sums.items() if change}


def check(legs: list[Leg]) -> None:
    """The laws: something moves, no leg is empty, and each lot goes out as often as it comes in."""
    if not legs:
        raise Unlawful("the movement moves nothing")
    sums: Counter[Goods] = Counter()
    for leg in legs:
        if not leg.quantity:
            raise Unlawful(f"lot {leg.account.goods.lot_id}: a leg of 0 units")
        sums[leg.account.goods] += leg.quantity
    if uneven := [str(goods.lot_id) for goods, total in sums.items() if total]:
        raise Unlawful(f"lot {', '.join(uneven)}: what goes out is not what comes in")
