"""PURE: days 2 to 7. What people use up against what is left and what contracts, lines and money bring, day by day.

A simple balance by item, exact in units: at the beginning of a day there is what has come by then, less what was used
before; so many people get their day's ration. Goods that are made or bought while a day runs count from the next one,
and nothing of a line counts before it runs. Roads, docks and vehicles are not looked at: after the first day they are
not what is short.
"""

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from typing import Any

from chubei_shared.contracts.base import Mode
from chubei_shared.contracts.readiness_settings import Consumption
from chubei_shared.contracts.reserves import PointStock, SupplyRow

DAY_MIN = 1440
LAST_DAY = 7
Json = dict[str, Any]


def balance(
    consumption: Sequence[Consumption],
    supply: Iterable[SupplyRow],
    at_points: Iterable[PointStock],
    people: int,
    groups: Mapping[str, int],
) -> list[Json]:
    """For each item that is used up: {item_code, users, days: [{day, had, came: {mode: units}, users, people}]}.

    `users` are who need it (all, or a group's members); `people` are all whom its shortage leaves supported, that is
    all but those users who go without. Day 1 is the plan's: its users eat out of what came, and are in the balance.
    """
    rows, there = list(supply), list(at_points)
    return [
        _of_item(
            want,
            [row for row in rows if row.item_code == want.item_code],
            sum(row.quantity for row in there if row.item_code == want.item_code),
            people,
            people if want.group is None else groups.get(want.group, 0),
        )
        for want in consumption
    ]


def supported(items: Sequence[Json]) -> list[Json]:
    """People supported on each day, and the item that allows no more: the least one counts."""
    days = []
    for number in range(LAST_DAY - 1):
        least = min(items, key=lambda item: int(item["days"][number]["people"]), default=None)
        if least is not None:
            row = least["days"][number]
            days.append({"day": row["day"], "people": row["people"], "item_code": least["item_code"]})
    return days


def units_by(row: SupplyRow, minute: int) -> int:
    """Units of a row that are there by a minute after the order: all at once, or as a line makes them."""
    if minute < row.ready_min:
        return 0
    if row.rate_per_hour is None:
        return row.quantity
    return min(row.quantity, (minute - row.ready_min) * row.rate_per_hour // 60)


def _of_item(want: Consumption, rows: list[SupplyRow], at_points: int, people: int, users: int) -> Json:
    ration = Fraction(want.per_person_day)
    used = ration * users  # of day 1
    days = []
    for day in range(2, LAST_DAY + 1):
        begin = (day - 1) * DAY_MIN
        came = {mode.value: sum(units_by(r, begin) for r in rows if r.mode is mode) for mode in Mode}
        had = max(Fraction(0), sum(came.values()) + at_points - used)
        fed = min(users, int(had / ration))
        used = min(used, Fraction(sum(came.values()) + at_points)) + fed * ration
        days.append(
            {"day": day, "had": int(had), "came": came, "users": fed, "people": people - (users - fed)}
        )
    return {"item_code": want.item_code, "group": want.group, "users": users, "days": days}
