"""The scenario as flat arrays, as the compiled search reads it; never changed after it is made.

Sets and indices
    i  items
    n  nodes, sources first (n < sources), then points; point p is node sources + p
    q  needs: what a point asks for, one after the other, point p holds needs[first_need[p] : first_need[p + 1]]
    h  holdings: what a source holds, source s has holdings first_holding[s] : first_holding[s + 1]
    v  vehicles that can still drive
Times are whole minutes, goods whole units, weights kg, volumes m3.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .model import Model
from .policies import POLICIES
from .scenario import Scenario, Steps, Supply, Visit

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bits = NDArray[np.bool_]
Table = NDArray[Any]  # of whole numbers, as small as they can be

GENERAL = -1  # the group of a need that everybody has
ENDLESS = 1e9  # people a minute, at desks without a limit
STOCK_STEP_MIN = 5
FINE_MIN = 1440
MOST_STEPS = 150
MOST_DROPS = 10
MOST_LOADS = 3
# A trip in a row of numbers: earliest start, number of sources, the sources, number of points, the points; what of it
# is planned (nothing, its LOADS, or its TIMES too); of a trip as an earlier plan had it 1 + the minute at which it
# arrives at its first stop, of others 0; from which step of stock on each load may be; when each load and drop is to
# start; and by drop and need of the point what it takes, as units · MOST_LOADS + number of the load.
RELEASE, LOADS, FIRST_LOAD = 0, 1, 2
DROPS = FIRST_LOAD + MOST_LOADS
FIRST_DROP = DROPS + 1
PLANNED = FIRST_DROP + MOST_DROPS
GIVEN = PLANNED + 1
FIRST_STEP = GIVEN + 1
LOAD_STARTS = FIRST_STEP + MOST_LOADS
DROP_STARTS = LOAD_STARTS + MOST_LOADS
FIRST_WISH = DROP_STARTS + MOST_DROPS
LOADS_PLANNED, TIMES_PLANNED = 1, 2


class Arrays(NamedTuple):
    """See the module's docstring; shapes in brackets."""

    deadline: int
    step_of: (
        Ints  # [minute] the step in which stock is counted; what comes in during a step counts from the next
    )
    step_begin: Ints  # [step]
    sources: int
    total_worth: float  # weighted people and the worth of the demands
    upto: Floats  # [piece] of the policy: u(r) rises by slope up to the share upto
    slope: Floats  # [piece]
    half: float  # the share of people that comes first
    kg: Floats  # [i]
    m3: Floats  # [i]
    pack: Ints  # [i]
    ways: NDArray[np.int32]  # [speed, n, n] minutes, FAR where there is no way
    fixed: Ints  # [n]
    kg_per_min: Floats  # [n]
    opens: Ints  # [n]
    max_size: Floats  # [n]
    manned: NDArray[np.int16]  # [n, minute] berths with a crew
    first_holding: Ints  # [s + 1]
    holding_item: Ints  # [h]
    holding_of: NDArray[np.int32]  # [s, i] h, or -1
    people: Ints  # [p]
    weight: Floats  # [p]
    pace: Floats  # [p] people a minute at the desks
    first_need: Ints  # [p + 1]
    need_item: Ints  # [q]
    need_per: Floats  # [q] units per person
    need_serves: Floats  # [q] persons per unit
    need_tier: Ints  # [q] 1 or 2; 0: an absolute demand
    need_group: Ints  # [q] number of the group at its point, or GENERAL
    need_members: Ints  # [q] for how many people at most
    need_by: Ints  # [q] latest minute
    need_worth: Floats  # [q] of a demand, in people
    need_units: Ints  # [q] units when whole
    need_share: Floats  # [q] share of its tier's truck-load at its point
    tiers: Ints  # [p, 4] the needs of tier t are tiers[p, t] : tiers[p, t + 1]; demands are tier 0
    first_group: Ints  # [p + 1]
    group_size: Ints  # [all groups]
    start_node: Ints  # [v]
    start_free: Ints  # [v]
    speed: Ints  # [v] row of ways
    payload: Floats  # [v] kg
    volume: Floats  # [v] m3
    size: Floats  # [v]


class Base(NamedTuple):
    """What is there before the vehicles of a search move: bookings, stock and arrivals of all the others."""

    booked: Table  # [n, minute] berths taken
    room: Table  # [h, step] units that have come in, less those taken by then
    left: Table  # [h, step] the most that loads from this step on may take
    since: Table  # [h, step] the first step from which on no more had come in
    had: Ints  # [q] units at hand at minute 0
    arrivals: Ints  # [p] number of arrivals
    arrival_end: Table  # [p, arrival] minute
    arrival_units: Table  # [p, arrival, need of the point]


def build_arrays(model: Model) -> Arrays:
    """The arrays of a model."""
    scenario = model.scenario
    points, pieces = scenario.points, POLICIES[scenario.policy].pieces
    kits = {kit.id: kit.needs for kit in scenario.kits}
    by_point: dict[str, list[tuple[int, int, float, int]]] = {}
    for demand in scenario.demands:
        by_min = min(demand.by_min, scenario.deadline_min)
        by_point.setdefault(demand.point, []).append(
            (model.item_index[demand.item], demand.units, demand.worth, by_min)
        )
    kg, m3 = model.kg, model.m3
    load = sum(size / max(1e-9, size.sum() / max(1, len(size))) for size in (kg, m3))
    if model.vehicles:
        payload = np.mean([vehicle.payload_kg for vehicle in model.vehicles])
        volume = np.mean([vehicle.volume_m3 for vehicle in model.vehicles])
        load = (kg / payload + m3 / volume) / 2
    first_need, needs, tiers = [0], [], []
    first_group, group_size = [0], []
    for point in points:
        groups = list(point.groups)
        kit = kits.get(point.kit, ()) if point.people and point.kit else ()
        whole = {1: 0.0, 2: 0.0}
        rows = []
        for need in kit:
            members = point.people if need.group is None else point.groups.get(need.group, 0)
            if not members:
                continue
            i = model.item_index[need.item]
            units = math.ceil(members * need.per_person - 1e-9)
            group = GENERAL if need.group is None else groups.index(need.group)
            whole[need.tier] += units * load[i]
            rows.append((i, need.per_person, need.tier, group, members, scenario.deadline_min, 0.0, units))
        for i, units, value, by in by_point.get(point.id, ()):
            needs.append((i, 1.0, 0, GENERAL, units, by, value, units, 1.0))
        bounds = [first_need[-1], len(needs)]
        for tier in (1, 2):
            needs += [(*row, row[7] * load[row[0]] / whole[tier]) for row in rows if row[2] == tier]
            bounds.append(len(needs))
        tiers.append(bounds)
        first_need.append(len(needs))
        group_size += [point.groups[name] for name in groups]
        first_group.append(len(group_size))
    columns = list(zip(*needs, strict=True)) if needs else [()] * 9
    ints = [np.array(columns[k], dtype=np.int64) for k in (0, 2, 3, 4, 5, 7)]
    per, worth, share = (np.array(columns[k], dtype=np.float64) for k in (1, 6, 8))
    held: list[list[int]] = [[] for _ in range(model.source_count)]
    for supply in scenario.supply:
        held[model.node_index[supply.source]].append(model.item_index[supply.item])
    holding_of = np.full((model.source_count, len(kg)), -1, dtype=np.int32)
    first_holding: list[int] = [0]
    holding_item: list[int] = []
    for s, items in enumerate(held):
        for i in items:
            holding_of[s, i] = len(holding_item)
            holding_item.append(i)
        first_holding.append(len(holding_item))
    begins = _steps(scenario)
    speeds = sorted({vehicle.speed_factor for vehicle in model.vehicles}) or [1.0]
    return Arrays(
        deadline=scenario.deadline_min,
        step_of=np.searchsorted(begins, np.arange(scenario.deadline_min + 1), side="right") - 1,
        step_begin=begins,
        sources=model.source_count,
        total_worth=max(1e-9, model.total_worth),
        upto=np.array([upto for upto, _ in pieces]),
        slope=np.array([slope for _, slope in pieces]),
        half=pieces[0][0] if len(pieces) > 1 else 0.5,
        kg=kg,
        m3=m3,
        pack=model.pack,
        ways=np.stack([model.minutes(speed) for speed in speeds]).astype(np.int32),
        fixed=np.array([node.fixed_min for node in model.nodes], dtype=np.int64),
        kg_per_min=np.array([node.kg_per_min for node in model.nodes], dtype=np.float64),
        opens=np.array([node.opens_min for node in model.nodes], dtype=np.int64),
        max_size=np.array([node.max_size for node in model.nodes], dtype=np.float64),
        manned=np.array(
            [_by_minute(node.berths, scenario.deadline_min) for node in model.nodes], dtype=np.int16
        ).reshape(-1, scenario.deadline_min + 1),
        first_holding=np.array(first_holding, dtype=np.int64),
        holding_item=np.array(holding_item, dtype=np.int64),
        holding_of=holding_of,
        people=np.array([point.people if point.kit else 0 for point in points], dtype=np.int64),
        weight=np.array([point.weight for point in points], dtype=np.float64),
        pace=np.array(
            [ENDLESS if p.hand_out_per_hour is None else p.hand_out_per_hour / 60 for p in points],
            dtype=np.float64,
        ),
        first_need=np.array(first_need, dtype=np.int64),
        need_item=ints[0],
        need_per=per,
        need_serves=1.0 / per,
        need_tier=ints[1],
        need_group=ints[2],
        need_members=ints[3],
        need_by=ints[4],
        need_worth=worth,
        need_units=ints[5],
        need_share=share,
        tiers=np.array(tiers, dtype=np.int64).reshape(-1, 4),
        first_group=np.array(first_group, dtype=np.int64),
        group_size=np.array(group_size, dtype=np.int64),
        start_node=np.array([v.node for v in model.vehicles], dtype=np.int64),
        start_free=np.array([v.free_min for v in model.vehicles], dtype=np.int64),
        speed=np.array([speeds.index(v.speed_factor) for v in model.vehicles], dtype=np.int64),
        payload=np.array([v.payload_kg for v in model.vehicles], dtype=np.float64),
        volume=np.array([v.volume_m3 for v in model.vehicles], dtype=np.float64),
        size=np.array([v.size for v in model.vehicles], dtype=np.float64),
    )


def _steps(scenario: Scenario) -> Ints:
    """The minutes at which steps of stock begin: a grid, coarser after a day, and whenever goods of a row come in."""
    deadline = scenario.deadline_min
    fine = range(0, min(deadline, FINE_MIN) + 1, STOCK_STEP_MIN)
    coarse = range(FINE_MIN, deadline + 1, max(STOCK_STEP_MIN, deadline // MOST_STEPS))
    comes_in = {row.available_min for row in scenario.supply if row.available_min <= deadline}
    now = {min(scenario.now_min, deadline)}
    return np.array(sorted({*fine, *coarse, *comes_in, *now}), dtype=np.int64)


def _by_minute(steps: Steps, horizon: int) -> NDArray[np.int16]:
    """How many berths are manned in each minute up to the horizon, shape (horizon + 1,)."""
    manned = np.zeros(horizon + 1, dtype=np.int16)
    for begin, number in steps:
        manned[min(begin, horizon + 1) :] = min(number, 30_000)
    return manned


def build_base(model: Model, a: Arrays, most_arrivals: int) -> Base:
    """Stock, berths and arrivals with the committed trips counted, whatever the rules say of them."""
    steps = len(a.step_begin)
    room = np.zeros((len(a.holding_item), steps), dtype=np.int64)
    for row in model.scenario.supply:
        h = a.holding_of[model.node_index[row.source], model.item_index[row.item]]
        room[h] += available(row, a.deadline)[a.step_begin]
    points = len(a.people)
    needs = max(1, int(np.diff(a.first_need).max(initial=1)))
    begun = [visit for trip in model.scenario.committed for visit in trip.visits]
    base = Base(
        booked=np.zeros_like(a.manned),
        room=np.clip(room, 0, 2**30).astype(np.int32),
        left=np.zeros((len(room), steps), dtype=np.int32),
        since=np.zeros((len(room), steps), dtype=np.int32),
        had=np.zeros(len(a.need_item), dtype=np.int64),
        arrivals=np.zeros(points, dtype=np.int64),
        arrival_end=np.zeros((points, most_arrivals + len(begun)), dtype=np.int32),
        arrival_units=np.zeros((points, most_arrivals + len(begun), needs), dtype=np.int32),
    )
    for p, point in enumerate(model.scenario.points):
        for q in range(a.first_need[p], a.first_need[p + 1]):
            base.had[q] = point.on_hand.get(model.scenario.items[a.need_item[q]].id, 0)
    for visit in begun:
        _count(model, a, base, visit)
    base.left[:] = np.maximum(np.minimum.accumulate(base.room[:, ::-1], axis=1)[:, ::-1], 0)
    more = np.diff(base.left, axis=1, prepend=-1) > 0
    base.since[:] = np.maximum.accumulate(np.where(more, np.arange(steps), 0), axis=1)
    return base


def _count(model: Model, a: Arrays, base: Base, visit: Visit) -> None:
    """A visit that is settled: it occupies, takes and brings."""
    n = model.node_index[visit.node]
    base.booked[n, min(visit.start, a.deadline + 1) : min(visit.end, a.deadline + 1)] += 1
    units = {model.item_index[item]: count for item, count in visit.goods.items()}
    if visit.loads:
        for i, count in units.items():
            if a.holding_of[n, i] >= 0:
                step = a.step_of[visit.start] if visit.start <= a.deadline else len(a.step_begin)
                base.room[a.holding_of[n, i], step:] -= count
    elif visit.end <= a.deadline:
        p = n - a.sources
        k = base.arrivals[p]
        base.arrivals[p] += 1
        base.arrival_end[p, k] = visit.end
        for q in range(a.first_need[p], a.first_need[p + 1]):
            base.arrival_units[p, k, q - a.first_need[p]] = units.get(int(a.need_item[q]), 0)


def available(row: Supply, deadline: int) -> Ints:
    """Units of a supply row that have become available by each minute, shape (deadline + 1,)."""
    since = np.arange(deadline + 1, dtype=np.int64) - row.available_min
    if row.rate_per_hour is None:
        return np.where(since >= 0, row.quantity, 0).astype(np.int64)
    made = np.floor(row.rate_per_hour * since / 60 + 1e-9)
    return np.where(since >= 0, np.minimum(row.quantity, made), 0).astype(np.int64)
