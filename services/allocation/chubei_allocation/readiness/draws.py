"""PURE: one draw of what may go otherwise, and what many draws say.

A draw follows from (seed, number) alone: the same again is the same, on whatever worker and in whatever order.
"""

from math import sqrt
from random import Random
from typing import NamedTuple

from chubei_shared.contracts.readiness_settings import Distributions, ReadinessSettings, Standing

from chubei_allocation.readiness.losses import closed
from chubei_allocation.scenarios import Json, place_of

_Z95 = 1.959963984540054


def standing_of(settings: ReadinessSettings, number: int) -> Standing:
    """The standing scenario of a draw: each in turn, as an hour and a season are equally likely."""
    return settings.standing[number % len(settings.standing)]


def draw(scenario: Json, settings: ReadinessSettings, seed: int, number: int) -> Json:
    """The scenario as it may turn out: people, roads, suppliers, crews, vehicles."""
    chance = Random(f"{seed}/{number}")  # noqa: S311 (repeatable, no secret)
    of = settings.distributions
    drawn = {
        **scenario,
        "points": _people(scenario["points"], of, chance),
        "travel": {**scenario["travel"]},
        "sources": [_crews(row, of, chance) for row in scenario["sources"]],
        "vehicles": [_vehicles(kind, of, chance) for kind in scenario["vehicles"]],
    }
    _slow(drawn["travel"], chance.triangular(of.speed_lowest.value, of.speed_highest.value, 1.0))
    roads = [road for road in settings.roads if chance.random() < of.road_closed.value]
    ways = [
        (source["id"], point["id"])
        for source in scenario["sources"]
        for point in scenario["points"]
        if "~" not in source["id"] and chance.random() < of.way_closed.value
    ]
    lost = {(a, b) for a, b in scenario["closures"]} | closed(scenario, roads, ways)
    drawn["closures"] = [list(way) for way in sorted(lost)]
    others = sorted({place_of(row["id"]) for row in scenario["sources"] if row["kind"] != "warehouse"})
    absent = {place for place in others if chance.random() < of.supplier_absent.value}
    drawn["supply"] = [row for row in scenario["supply"] if place_of(row["source"]) not in absent]
    return drawn


def _people(points: list[Json], of: Distributions, chance: Random) -> list[Json]:
    """Whole people; a group keeps its share, and nobody is in two."""
    together = chance.uniform(1 - of.people_together.value, 1 + of.people_together.value)
    made = []
    for point in points:
        factor = together * chance.uniform(1 - of.people_point.value, 1 + of.people_point.value)
        people = max(1, round(point["people"] * factor)) if point["people"] else 0
        groups, free = {}, people
        for name, members in sorted(point.get("groups", {}).items()):
            groups[name] = min(free, round(members * factor))
            free -= groups[name]
        made.append({**point, "people": people, "groups": groups})
    return made


def _slow(travel: Json, factor: float) -> None:
    if travel["kind"] == "geodesic":
        travel["speed_kmh"] = travel["speed_kmh"] * factor
    else:
        travel["minutes"] = [[m if m is None else m / factor for m in row] for row in travel["minutes"]]


def _crews(source: Json, of: Distributions, chance: Random) -> Json:
    """Each crew of a store comes or does not, and all come later by the same."""
    if source["kind"] != "warehouse":
        return source
    steps = [[0, source["docks"]]] if isinstance(source["docks"], int) else source["docks"]
    late = int(chance.uniform(0, of.crew_late_max_min.value))
    most = max((manned for _, manned in steps), default=0)
    comes = [chance.random() >= of.crew_absent.value for _ in range(most)]
    docks = [[begin + (late if manned else 0), sum(comes[:manned])] for begin, manned in steps]
    return {**source, "docks": docks}


def _vehicles(kind: Json, of: Distributions, chance: Random) -> Json:
    before = set(kind.get("lost", []))
    gone = {n for n in range(1, kind["count"] + 1) if chance.random() < of.vehicle_absent.value}
    return {**kind, "lost": sorted(before | gone)}


class Chance(NamedTuple):
    """A share of draws with its 95 % interval (Wilson's score interval)."""

    share: float
    low: float
    high: float


def wilson(hits: int, draws: int) -> Chance:
    """Raises ValueError without any draw."""
    if not 0 <= hits <= draws or not draws:
        raise ValueError(f"{hits} of {draws} is no share")
    share, square = hits / draws, _Z95**2
    middle = share + square / (2 * draws)
    half = _Z95 * sqrt(share * (1 - share) / draws + square / (4 * draws**2))
    whole = 1 + square / draws
    low = 0.0 if hits == 0 else (middle - half) / whole
    high = 1.0 if hits == draws else (middle + half) / whole
    return Chance(share, low, high)
