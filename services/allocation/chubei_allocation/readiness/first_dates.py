"""PURE: the first day of the coming year on which the duty is not kept, found by halving, and what would mend it.

Between two changes nothing changes, so only the days of changes are asked about. What counts only gets less from day
to day (renewals that nobody has made are not foreseen), and so does what a plan can reach: if the duty breaks on a day,
it is broken on the later ones.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from math import ceil

from chubei_shared.contracts.catalogue import Item
from chubei_shared.contracts.readiness import Ending, FirstDate, Mend

from chubei_allocation.readiness.dates import change_days, on_day, options
from chubei_allocation.scenarios import Json, place_of

Ask = Callable[[Json], Json]
"""The figures of the best plan found for a scenario."""


def needed_people(share: float, base: Json) -> int:
    """How many of the people of a base plan keep the duty."""
    return ceil(share * int(base["people"]) - 1e-9)


def first_date(
    standing_id: str,
    scenario: Json,
    base: Json,
    ends: Sequence[Ending],
    today: date,
    need: int,
    items: Mapping[str, Item],
    ask: Ask,
) -> FirstDate:
    """`base` are the figures of the plan for today as the books are; to support `need` people keeps the duty."""
    planned = {(place_of(row["source"]), row["item"], row["mode"]) for row in scenario["supply"]}
    ends = [row for row in ends if (row.place_id, row.item_code, row.mode.value) in planned]
    asked: dict[date, Json] = {}

    def kept(day: date) -> bool:
        if day not in asked:
            asked[day] = ask(on_day(scenario, ends, day))
        return bool(asked[day]["supported"] >= need)

    def found(on: date | None, proven: bool, because: list[Ending], mend: Mend | None) -> FirstDate:
        return FirstDate(
            standing_id=standing_id,
            on=on,
            proven=proven,
            because=because,
            mend=mend,
            days_checked=len(asked),
        )

    if base["supported"] < need:
        return found(today, bool(base["impossible"]), [], _mend(scenario, [], today, today, items, need, ask))
    days = change_days(ends, today)
    if not days or kept(days[-1]):
        return found(None, False, [], None)
    low, high = -1, len(days) - 1  # kept before `low + 1`, broken on `high`
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if kept(days[middle]) else (low, middle)
    day = days[high]
    because = [row for row in ends if max(row.on, today) == day]
    mend = _mend(on_day(scenario, ends, day), ends, day, today, items, need, ask)
    return found(day, bool(asked[day]["impossible"]), because, mend)


def _mend(
    left: Json, ends: Sequence[Ending], day: date, today: date, items: Mapping[str, Item], need: int, ask: Ask
) -> Mend | None:
    """The cheapest of the options that a plan shows to keep the duty."""
    for mend, mended in options(left, ends, day, today, items):
        if ask(mended)["supported"] >= need:
            return mend
    return None
