"""What was reported to have happened, as flows of goods between accounts. Pure.

Reports come late, shuffled, repeated and from several phones; the books must end the same. They do, because a
report is never judged by what the books hold when it arrives:

1.  A report says from which account to which how many units of which lot went (`flows`). This depends on the
    report and on the catalogue alone. Lots are named in it, by id or by what stands on the box, and what stands
    on the box determines the id (`lots.identity`); who lets the books choose a lot is asked to name it.
2.  For an account `a` (a lot at a place, or in one of its states) let R(a) be the sum of the changes of all reports
    booked, each once: ids are kept for good. R is a sum over a set, so no order of booking changes it.
3.  The books keep, for every account, on_hand(a) = max(R(a), held(a)) and disputed(a) = R(a) - on_hand(a) <= 0:
    `laws.split` gives just that after each booking (on_hand + disputed + change is R after it), the start
    (0, 0) has it, and `freed.settle_freed` restores it when a hold gives something back. What is held for plans is
    the same whatever the order of a clerk's reports.
4.  So after any order of any batches with any repeats, all balances and disputes are the same function of the set
    of reports and of the holds. Nothing is refused for what is not there yet, and nothing below zero is hidden:
    it stands in dispute until its other half arrives, or until a supervisor has found out.
5.  What can not be booked at all is parked, for reasons that are no matter of order: the report is not well formed,
    is not the sender's to make, lies in the future or years ago, names no lot, or needs a second person. What names
    something that is not registered yet (an item, a place, a lot's id, the movement to reverse) waits for it and is
    booked when it is there. A set of reports is ready to be booked or not whatever the order; by 4 so are the books.

An account's disputes are those of its lot at one place; a lot with a dispute anywhere is promised by so much less
everywhere (`pool`), because what is said to have left where it never was may not be what stands elsewhere.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from datetime import date
from functools import cache
from typing import NamedTuple, assert_never

from chubei_shared.china import day
from chubei_shared.contracts.base import Mode
from chubei_shared.contracts.movements import (
    Adjust,
    AdjustLine,
    Arrive,
    Deliver,
    DeliverLine,
    GiveBack,
    Issue,
    ItemLine,
    Movement,
    MoveModule,
    Pack,
    Receive,
    ReceiveLine,
    Release,
    ReturnLine,
    Reverse,
    Scrap,
    Seal,
    SendOff,
    SendToTest,
    ShortPick,
    Tested,
    TestedLine,
    Transfer,
    Unpack,
)

from chubei_inventory.ledger import laws
from chubei_inventory.ledger.laws import Goods, Leg

Line = ReceiveLine | ItemLine | DeliverLine | AdjustLine | TestedLine | ReturnLine
Reported = (
    Receive | Issue | Deliver | Transfer | SendOff | Arrive | Adjust | Seal | Release | SendToTest | Tested
    | GiveBack | Scrap | ShortPick | Pack | Unpack | MoveModule
)  # fmt: skip
"""Every kind that says by itself what moved."""


class Flow(NamedTuple):
    """So many units from one account to another."""

    source: str
    target: str
    units: int


def place_of(movement: Reported) -> str:
    """Where a movement is done: the place whose clerk reports it."""
    if isinstance(movement, Transfer | SendOff | MoveModule):
        return movement.from_place_id
    return movement.place_id


def lines_of(movement: Movement) -> Sequence[Line]:
    """The lines of a movement; a reversal has none."""
    return () if isinstance(movement, Reverse) else movement.lines


def parties(movement: Movement) -> dict[str, str]:
    """The fields of a movement that name places, and what they name."""
    own = fields_of(type(movement))
    return {field: getattr(movement, field) for field in _PLACES if field in own}


_PLACES = ("place_id", "from_place_id", "to_place_id", "issued_from")


@cache
def fields_of(kind: type[Movement]) -> frozenset[str]:
    """The names of a kind's fields, looked up once: a batch asks a thousand times."""
    return frozenset(kind.model_fields)


def route(movement: Reported, returns: bool = False) -> tuple[str, str] | None:
    """From which account to which all goods of a movement go; None where each line says it."""
    match movement:
        case Receive():
            return laws.RECEIVED, movement.place_id
        case Issue():
            return movement.place_id, _issued_to(movement, returns)
        case Transfer():
            return movement.from_place_id, movement.to_place_id
        case SendOff():
            return movement.from_place_id, laws.transit(movement.id)
        case Seal():
            return movement.place_id, laws.sealed(movement.place_id)
        case Release():
            return _kept_in(movement), movement.place_id
        case ShortPick():
            return movement.place_id, laws.missing(movement.place_id)
        case SendToTest():
            return movement.place_id, laws.testing(movement.place_id)
        case Scrap():
            gone = movement.from_state == "missing"
            return _kept_in(movement), laws.ADJUSTED if gone else laws.SCRAPPED
        case Pack() | Unpack() | MoveModule():
            return _module_route(movement)
        case Deliver() | Arrive() | Tested() | GiveBack() | Adjust():
            return None
        case _:
            assert_never(movement)


def _kept_in(movement: Release | Scrap) -> str:
    """The account of the state that the goods are in."""
    match movement.from_state:
        case "sealed":
            return laws.sealed(movement.place_id)
        case "missing":
            return laws.missing(movement.place_id)
        case _:
            return movement.place_id


def _module_route(movement: Pack | Unpack | MoveModule) -> tuple[str, str]:
    module = movement.module_id
    match movement:
        case Pack():
            return movement.place_id, laws.module(module, movement.place_id)
        case Unpack():
            return laws.module(module, movement.place_id), movement.place_id
        case MoveModule():
            return laws.module(module, movement.from_place_id), laws.module(module, movement.to_place_id)


def _issued_to(movement: Issue, returns: bool) -> str:
    if movement.order_id is not None:
        return laws.transit(movement.order_id)
    return laws.lent(movement.place_id) if returns else laws.ISSUED


def flows(movement: Reported, line: Line, returns: bool = False) -> list[Flow]:
    """Where the goods of one line go; `returns` says whether its item is to come back once it was issued."""
    if way := route(movement, returns):
        assert isinstance(line, ReceiveLine | ItemLine)  # noqa: S101 (the kinds that have a route)
        return [Flow(*way, line.units)]
    return [flow for flow in _parted(movement, line) if flow.units]


def _parted(movement: Reported, line: Line) -> list[Flow]:
    match movement, line:
        case Deliver() | Arrive(), DeliverLine():
            aboard = source_of(movement)
            return [
                Flow(aboard, movement.place_id, line.received),
                Flow(aboard, laws.DAMAGED, line.damaged),
                Flow(aboard, laws.LOST, line.short),
            ]
        case Tested(), TestedLine():
            source = source_of(movement)
            return [
                Flow(source, movement.place_id, line.returned),
                Flow(source, laws.TESTED, line.destroyed),
            ]
        case GiveBack(), ReturnLine():
            source = source_of(movement)
            return [
                Flow(source, movement.place_id, line.good),
                Flow(source, laws.sealed(movement.place_id), line.repair),
                Flow(source, laws.LOST, line.lost),
            ]
        case Adjust(), AdjustLine():
            if line.change > 0:
                return [Flow(laws.ADJUSTED, movement.place_id, line.change)]
            return [Flow(movement.place_id, laws.ADJUSTED, -line.change)]
        case _:
            raise laws.Unlawful(f"a line of another kind than {movement.kind}")


def source_of(movement: Deliver | Arrive | Tested | GiveBack) -> str:
    """The account that all goods of these kinds come from."""
    match movement:
        case Deliver():
            return laws.transit(movement.order_id)
        case Arrive():
            return laws.transit(movement.sent_id)
        case Tested():
            return laws.testing(movement.place_id)
        case GiveBack():
            return laws.lent(movement.issued_from)


def legs(movement: Reported, goods_of: Callable[[Line], Goods], returns: Callable[[str], bool]) -> list[Leg]:
    """The balanced legs of a movement whose lines all name their lots. Empty where nothing moves."""
    ways: dict[tuple[str, str], Counter[Goods]] = defaultdict(Counter)
    for line in movement.lines:
        goods = goods_of(line)
        for flow in flows(movement, line, returns(goods.item_code)):
            ways[flow.source, flow.target][goods] += flow.units
    return [leg for (source, target), parts in ways.items() for leg in laws.move(parts, source, target)]


def names_its_lots(movement: Movement) -> bool:
    """Whether each line says which lot moved, and what was packed or unpacked is told in lines."""
    lines = lines_of(movement)
    named = all(isinstance(line, ReceiveLine) or line.lot_id or line.lot for line in lines)
    return named and (bool(lines) or isinstance(movement, Reverse))


def used_on(movement: Reported) -> date:
    """The day on which what is taken must still be good: that of its arrival, where an issue says it."""
    arrives_at = movement.arrives_at if isinstance(movement, Issue) else None
    return day(arrives_at or movement.occurred_at)


def by_an_order(movement: Movement) -> str | None:
    """The field by which a movement belongs to a dispatch order or a hold."""
    named = (field for field in ("hold_id", "order_id") if getattr(movement, field, None) is not None)
    return next(named, None)


def off_the_shelf(movement: Movement) -> bool:
    """Whether an issue calls on reserves that are not on a shelf."""
    return isinstance(movement, Issue) and any(line.mode is not Mode.PHYSICAL for line in movement.lines)
