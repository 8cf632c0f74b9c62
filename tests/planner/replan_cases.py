"""What happens to a district while a plan of it is under way: scenarios (planning-scenario/1) to plan again."""

from __future__ import annotations

import copy
import random
from collections import Counter
from collections.abc import Callable, Sequence

from chubei_allocation.planner import Trip

from tests.bench.area import Shape, area, seeded
from tests.bench.trade import Json

NOW_MIN = 180
SMALL = Shape(2, 3, 1, 14, 2_600, 1, 5, 2, 4.0, 18)


def district() -> Json:
    """A small district that its vehicles can nearly serve: six sources, 14 points, 2,600 people, 16 vehicles."""
    return area("replan", SMALL, seeded("replan"))


def under_way(data: Json, trips: Sequence[Trip], now_min: int = NOW_MIN) -> Json:
    """The scenario at a minute of its plan: the trips that have begun are committed."""
    again: Json = copy.deepcopy(data)
    again["now_min"] = now_min
    again["committed"] = [trip.as_json() for trip in trips if trip.visits[0].start < now_min]
    return again


def nothing(data: Json) -> None:
    """All goes as planned."""


def store_lost(data: Json) -> None:
    """Nothing but what has been loaded was ever there to load."""
    loaded: Counter[str] = Counter()
    for trip in data["committed"]:
        for visit in trip["visits"]:
            if visit["node"] == "W2":
                loaded.update(visit["load"])
    for row in data["supply"]:
        if row["source"] == "W2":
            row["quantity"] = loaded[row["item"]]


def ways_closed(data: Json) -> None:
    data["closures"] += [["W1", point["id"]] for point in _some(data["points"], 2)]


def vehicle_lost(data: Json) -> None:
    data["vehicles"][1]["lost"] = [2]


def vehicles_added(data: Json) -> None:
    data["vehicles"][1]["count"] += 2


def people_added(data: Json) -> None:
    for point in _some(data["points"], 2):
        point["people"] = point["people"] * 6 // 5


def supplier_late(data: Json) -> None:
    for row in data["supply"]:
        if row["mode"] == "contract" and row["available_min"] > data["now_min"]:
            row["available_min"] += 60


def short_load(data: Json) -> None:
    """Of the last load under way half the packs are not there."""
    trip = max(data["committed"], key=lambda trip: (trip["visits"][0]["start"], trip["vehicle"]))
    pack = {item["id"]: item["pack"] for item in data["items"]}
    for visit in trip["visits"]:
        key = "load" if "load" in visit else "deliver"
        goods = {item: units // 2 // pack[item] * pack[item] for item, units in visit[key].items()}
        visit[key] = {item: units for item, units in goods.items() if units}


def _some(rows: list[Json], count: int) -> list[Json]:
    return random.Random("some").sample(rows, count)  # noqa: S311 (a test's dice)


CASES: tuple[Callable[[Json], None], ...] = (
    nothing,
    store_lost,
    ways_closed,
    vehicle_lost,
    vehicles_added,
    people_added,
    supplier_late,
    short_load,
)
