"""PURE: what a scenario takes as given: what was lost, closed or comes late, and, when replanning, what has begun.

A replan counts like the format: supply is all since minute 0, so what trips took is added to what is left; goods at
points are those of minute 0, so what trips brought is not counted there again. What the plan in force holds is the
replan's own, and is ready when it was to be ready; only what it takes beyond that has to be ordered anew.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil
from typing import Any

from chubei_shared.contracts.base import Mode
from chubei_shared.contracts.network import CrewStep, LoadingSite
from chubei_shared.contracts.reserves import SupplyRow

Json = dict[str, Any]
Row = tuple[str, str, Mode]
"""A place, an item and a mode."""


@dataclass(frozen=True)
class Conditions:
    """What deviations do to the district, whatever the plan."""

    lost_places: frozenset[str] = frozenset()
    lost_vehicles: frozenset[str] = frozenset()
    stranded: frozenset[str] = frozenset()
    """Of the lost vehicles, those that keep the goods aboard."""
    closures: tuple[tuple[str, str], ...] = ()
    late_min: Mapping[tuple[str, str], int] = field(default_factory=dict)
    """Minutes by which an item comes later at a place."""
    withdrawn: frozenset[tuple[str, str]] = frozenset()
    delays_min: Mapping[str, int] = field(default_factory=dict)
    """Minutes by which an order, by its id, is said to be late."""

    def gone(self, place_id: str, item: str) -> bool:
        return place_id in self.lost_places or (place_id, item) in self.withdrawn

    @property
    def take_goods(self) -> bool:
        """Whether they leave less than the plan in force could count on."""
        return bool(self.lost_places or self.withdrawn or self.late_min or self.stranded)


@dataclass(frozen=True)
class Call:
    """A stop of an order: where, when, and what is (or was) put aboard or brought, by item."""

    stop: int
    place_id: str
    arrive_min: int
    start_min: int
    end_min: int
    loads: bool
    goods: Mapping[str, int]
    modes: Mapping[str, Mode]
    done: bool = False
    picked: bool = False
    """Its goods have been picked, and are being put aboard or are."""


@dataclass(frozen=True)
class OrderTrip:
    """An order as it went so far and is to go on; `late_min`: behind its plan, as far as is known."""

    order_id: str
    number: str
    vehicle: str
    begun: bool
    calls: tuple[Call, ...]
    late_min: int = 0


@dataclass(frozen=True)
class InForce:
    """The plan that a replan is to replace, as it stands now."""

    plan_id: str
    trips: tuple[OrderTrip, ...]
    held: Mapping[Row, int]
    scenario: Json
    """What it was made for: when its goods were to be ready, what lay at the points at minute 0, who was to come."""

    @property
    def begun(self) -> tuple[OrderTrip, ...]:
        return tuple(trip for trip in self.trips if trip.begun)

    @property
    def ahead(self) -> tuple[OrderTrip, ...]:
        return tuple(trip for trip in self.trips if not trip.begun)

    def taken(self) -> Counter[Row]:
        """What trips have put aboard."""
        sums: Counter[Row] = Counter()
        for trip in self.trips:
            for call in trip.calls:
                if call.loads and call.done:
                    sums.update({(call.place_id, i, call.modes[i]): n for i, n in call.goods.items()})
        return sums

    def on_hand(self, point: str, now: Mapping[str, int]) -> dict[str, int]:
        """What lay at a point at minute 0: as the plan had it, or more where more is there than trips brought.

        What has been handed out is not there any more, so that the books alone would say too little.
        """
        brought: Counter[str] = Counter()
        for trip in self.trips:
            for call in trip.calls:
                if call.done and not call.loads and call.place_id == point:
                    brought.update(call.goods)
        before: dict[str, int] = next(
            (p.get("on_hand", {}) for p in self.scenario["points"] if p["id"] == point), {}
        )
        had = {item: max(before.get(item, 0), now.get(item, 0) - brought[item]) for item in {*before, *now}}
        return {item: units for item, units in sorted(had.items()) if units > 0}

    def all_on_hand(self, now: Mapping[str, Mapping[str, int]]) -> dict[str, dict[str, int]]:
        """The same for every point."""
        points = {*now, *(p["id"] for p in self.scenario["points"])}
        return {point: self.on_hand(point, now.get(point, {})) for point in sorted(points)}


def supply(
    rows: Iterable[SupplyRow], now_min: int, conditions: Conditions, in_force: InForce | None
) -> Iterator[SupplyRow]:
    """The rows of a snapshot, one for an item of a mode at a place, as the scenario counts them.

    `ready_min` of a row counts from now, and is negative for what was ready before.
    """
    mine = _in_force_rows(in_force) if in_force else {}
    for row in rows:
        key = (row.place_id, row.item_code, row.mode)
        taken, held, ready_at = mine.pop(key, (0, 0, now_min))
        late = conditions.late_min.get(key[:2], 0)
        if conditions.gone(*key[:2]):
            if taken:
                yield _part(row, taken, ready_at - now_min)
            continue
        own, free = taken + min(held, row.quantity), max(0, row.quantity - held)
        if row.mode is Mode.PHYSICAL or not own:
            yield _part(row, own + free, (min(0, ready_at - now_min) if own else row.ready_min) + late)
            continue
        yield _part(row, own, ready_at - now_min + late)
        if free and conditions.take_goods:
            made = ceil(own * 60 / row.rate_per_hour) if row.rate_per_hour else 0
            yield _part(row, free, max(row.ready_min, ready_at - now_min + made) + late)
    for (place_id, item, mode), (taken, _, ready_at) in sorted(mine.items()):
        if taken:
            yield SupplyRow(
                place_id=place_id, item_code=item, mode=mode, quantity=taken, likely=taken, ready_min=0,
                rate_per_hour=None, from_ids=[],
            ).model_copy(update={"ready_min": min(0, ready_at - now_min)})  # fmt: skip


def _in_force_rows(in_force: InForce) -> dict[Row, tuple[int, int, int]]:
    """By row: units taken, units held, and the minute at which they were to be ready."""
    ready: dict[Row, int] = {}
    late = {(place, item): minutes for place, item, minutes in in_force.scenario.get("late", [])}
    for row in in_force.scenario["supply"]:
        key = (row["source"].partition("~")[0], row["item"], Mode(row["mode"]))
        minute = row["available_min"] - late.get(
            key[:2], 0
        )  # a lateness is told once, whatever is planned after
        ready[key] = min(minute, ready.get(key, minute))
    taken = in_force.taken()
    return {
        key: (taken[key], in_force.held.get(key, 0), ready.get(key, 0)) for key in {*taken, *in_force.held}
    }


def _part(row: SupplyRow, quantity: int, ready_min: int) -> SupplyRow:
    return row.model_copy(
        update={"quantity": quantity, "likely": max(quantity, row.likely), "ready_min": ready_min}
    )


def open_sites(sites: Mapping[str, LoadingSite], conditions: Conditions) -> dict[str, LoadingSite]:
    """The sites, without docks where the place is lost: what left there is still told of them."""
    nobody = [CrewStep(from_min=0, manned=0)]
    return {
        place_id: site.model_copy(update={"docks": nobody}) if place_id in conditions.lost_places else site
        for place_id, site in sites.items()
    }


def lost_numbers(conditions: Conditions) -> dict[str, list[int]]:
    """The numbers of the lost vehicles, by type."""
    numbers: dict[str, list[int]] = defaultdict(list)
    for vehicle in sorted(conditions.lost_vehicles):
        kind, _, number = vehicle.partition("#")
        numbers[kind].append(int(number))
    return {kind: sorted(found) for kind, found in numbers.items()}


def committed(in_force: InForce, scenario: Json, conditions: Conditions, left_out: list[Json]) -> list[Json]:
    """The trips that have begun, as the format writes them; each visit says which stop of its order it is.

    What a lost place was yet to load does not come, nor what is aboard a vehicle that broke down with its goods.
    """
    node_of, rows = _Nodes(scenario), []
    for trip in in_force.begun:
        calls = still_possible(trip, conditions)
        visits = [visit for call in calls if (visit := node_of.visit(call))]
        if len(visits) < len(trip.calls):
            why = "其余各站去不成或没有货 / the other stops can not be made, or have nothing to load or bring"
            left_out.append({"order": trip.number, "stops": len(trip.calls) - len(visits), "why": why})
        if visits and node_of.knows_vehicle(trip.vehicle):
            first = visits[0]
            first["start"] = min(first["start"], scenario["now_min"] - 1)  # it has begun
            first["arrive"] = min(first["arrive"], first["start"])
            rows.append(_row(trip, visits))
    return rows


def at_risk(in_force: InForce, conditions: Conditions) -> list[Json]:
    """What was picked for orders under way where a place has been lost since: it may get away or not."""
    return [
        {
            "order": trip.order_id,
            "stop": call.stop,
            "place": call.place_id,
            "load": {i: n for i, n in call.goods.items() if conditions.gone(call.place_id, i)},
            "modes": dict(call.modes),
        }
        for trip in in_force.begun
        for call in trip.calls
        if call.picked and not call.done and any(conditions.gone(call.place_id, i) for i in call.goods)
    ]


def previous(in_force: InForce, scenario: Json) -> Json:
    """The trips that have not begun, as a planning-plan/1 to go on from; `without` are those it can not write.

    A trip whose time has passed without its having begun comes as much later.
    """
    node_of, trips, without = _Nodes(scenario), [], []
    for trip in in_force.ahead:
        visits = [node_of.visit(call) for call in trip.calls]
        if node_of.knows_vehicle(trip.vehicle) and all(visits):
            trips.append({**_row(trip, [v for v in visits if v]), "late_min": trip.late_min})
        else:
            places = [call.place_id for call in trip.calls]
            without.append(
                {"order": trip.order_id, "number": trip.number, "vehicle": trip.vehicle, "places": places}
            )
    return {
        "format": "planning-plan/1",
        "plan": in_force.plan_id,
        "trips": trips,
        "without": without,
    }


def still_possible(trip: OrderTrip, conditions: Conditions) -> tuple[Call, ...]:
    """The calls of a trip that were made or can be: nothing is loaded at lost places, nor brought that is not there."""
    calls: list[Call] = []
    aboard: Counter[str] = Counter()
    for call in trip.calls:
        if not call.done:
            if trip.vehicle in conditions.stranded:
                break
            if calls and (calls[-1].place_id, call.place_id) in conditions.closures:
                break
        goods = dict(call.goods)
        if call.loads and not call.done:
            goods = {i: n for i, n in goods.items() if not conditions.gone(call.place_id, i)}
        if not call.loads and not call.done:
            goods = {i: min(n, aboard[i]) for i, n in goods.items()}
        aboard.update(goods if call.loads else {i: -n for i, n in goods.items()})
        goods = {i: n for i, n in goods.items() if n > 0}
        if goods:
            calls.append(_with(call, goods))
    return tuple(calls)


def _with(call: Call, goods: Mapping[str, int]) -> Call:
    return Call(**{**vars(call), "goods": goods})


def _row(trip: OrderTrip, visits: Sequence[Json]) -> Json:
    return {"order": trip.order_id, "number": trip.number, "vehicle": trip.vehicle, "visits": list(visits)}


class _Nodes:
    """The nodes of a scenario by what people call them."""

    def __init__(self, scenario: Json) -> None:
        self._points = {point["id"] for point in scenario["points"]}
        self._types = {kind["type"] for kind in scenario["vehicles"]}
        self._items = {item["id"] for item in scenario["items"]}
        self._sources: dict[Row, str] = {}
        for row in scenario["supply"]:
            place = row["source"].partition("~")[0]
            self._sources.setdefault((place, row["item"], Mode(row["mode"])), row["source"])

    def knows_vehicle(self, vehicle: str) -> bool:
        return vehicle.partition("#")[0] in self._types

    def visit(self, call: Call) -> Json | None:
        """The visit that a call is; None where its place or none of its goods are in the scenario."""
        goods = {item: units for item, units in call.goods.items() if item in self._items and units}
        node: str | None = call.place_id if call.place_id in self._points else None
        if call.loads:
            nodes = {self._sources.get((call.place_id, item, call.modes[item])) for item in goods}
            node = nodes.pop() if len(nodes) == 1 else None
        if node is None or not goods:
            return None
        times = {"arrive": call.arrive_min, "start": call.start_min, "end": call.end_min}
        return {"node": node, "stop": call.stop, **times, "load" if call.loads else "deliver": goods}
