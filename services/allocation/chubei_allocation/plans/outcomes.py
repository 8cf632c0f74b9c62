"""PURE: what a plan comes to, for people to compare: who is served, what it draws on, what holds it up."""

from collections import Counter
from typing import Any

from chubei_shared.contracts.alternatives import CallOff, WorseOff
from chubei_shared.contracts.base import Mode

from chubei_allocation import scenarios
from chubei_allocation.planner import Figures, judge, parse_scenario, parse_trips

Json = dict[str, Any]
_WORST = 5


def figures(scenario: Json, plan: Json) -> Figures:
    """What the independent checker makes of the plan's trips."""
    parsed = parse_scenario(scenario)
    return judge(parsed, parse_trips(plan, parsed)).figures


def loaded(scenario: Json, plan: Json) -> dict[tuple[str, str, Mode], int]:
    """Units that the trips load, by place, item and mode."""
    mode_of = scenarios.modes(scenario)
    sums: Counter[tuple[str, str, Mode]] = Counter()
    for trip in plan["trips"]:
        for visit in trip["visits"]:
            for item, units in visit.get("load", {}).items():
                sums[scenarios.place_of(visit["node"]), item, mode_of[visit["node"], item]] += units
    return dict(sums)


def called_off(scenario: Json, plan: Json) -> dict[tuple[str, str, Mode], int]:
    """Of what the trips load, what is not stock."""
    return {row: units for row, units in loaded(scenario, plan).items() if row[2] is not Mode.PHYSICAL}


def call_offs(scenario: Json, plan: Json) -> list[CallOff]:
    name = names(scenario)
    return [
        CallOff(
            place_id=place,
            name_zh=name[place][0],
            name_en=name[place][1],
            item_code=item,
            item_zh=name[item][0],
            item_en=name[item][1],
            mode=mode,
            units=units,
        )
        for (place, item, mode), units in sorted(called_off(scenario, plan).items())
    ]


def worst_off(scenario: Json, found: Figures) -> list[WorseOff]:
    """The shelters where the largest share goes without basic relief, then without being settled."""
    rows = [
        WorseOff(
            point=point["id"],
            name_zh=point["name_zh"],
            name_en=point["name_en"],
            people=point["people"],
            supported=served.supported,
            settled=served.settled,
        )
        for point in scenario["points"]
        if (served := found.points.get(point["id"])) and served.settled < point["people"]
    ]
    return sorted(rows, key=lambda row: (row.supported / row.people, row.settled / row.people, row.point))[
        :_WORST
    ]


def vehicles(plan: Json) -> dict[str, int]:
    """Vehicles that drive, by type."""
    used = {trip["vehicle"] for trip in plan["trips"]}
    return dict(sorted(Counter(vehicle.partition("#")[0] for vehicle in used).items()))


def last_delivery_min(plan: Json) -> int | None:
    """When the last unloading ends."""
    return max((trip["visits"][-1]["end"] for trip in plan["trips"]), default=None)


def gap(objective: float, bound: float) -> float:
    return (bound - objective) / bound if bound else 0.0


def names(scenario: Json) -> dict[str, tuple[str, str]]:
    """Names of places and items, by id."""
    rows = (*scenario["sources"], *scenario["points"], *scenario["items"])
    return {scenarios.place_of(row["id"]): (row["name_zh"], row["name_en"]) for row in rows}
