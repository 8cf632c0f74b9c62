r"""A proven upper bound on the utility of any plan, from a linear relaxation.

Model (all quantities continuous, ≥ 0; kg of new deliveries, committed trips are constants)

    x[k,s,r,i]   kg of item i brought from source s to want r by vehicles of class k, and of use there; s over
                 the few nearest sources that hold i, and one column "elsewhere" with the least cost of all others
    n[r,τ,p]     people of want r served at tier τ, in each linear piece of u (u is concave)
    f[r,g,τ]     members of group g that have their own goods up to tier τ
    d[r]         met share of an absolute demand

    max  Σ weight·people·u(n)  +  Σ worth·d
    kit      per_person · n[r,τ] ≤ had[r,i] + Σ x[·,·,r,i] / kg[i]             every need of tier ≤ τ
    groups   n[r,τ] + Σ_g (members − f[r,g,τ]) ≤ people
    desks    n[r,τ] ≤ what the desks can hand out after the earliest minute at which the goods can be there
    late     x[k,s,r,i] ≤ what the desks can hand out from its earliest arrival to the deadline
    supply   Σ x[·,s,·,i] ≤ kg[i] · what is there at the last minute at which a load at s is of use
    time     Σ x · cost_k(s, r) ≤ vehicle-minutes of class k, by weight and by volume, each by itself
    docks    Σ x · (fixed / payload + 1 / rate) ≤ dock-minutes; bays likewise

Why no plan is better. Take any plan, and of its deliveries what serves people in time. Supply, kits, groups
and desks hold for it as they stand in the rules, without whole packs and whole people. A load is of use only
if crews and goods are at the source and a vehicle can be, and if after it fixed_s, the way and fixed_r are
over by the deadline; this bounds the minutes at which docks, and vehicles from their first load on, can be of
use. Late: let people be served from units in order of arrival. Who is served after minute t exceeds what stood
there at t, and they are no more than the desks serve in the time that is left; so neither are the kits whose
unit of i came after t. (For needs of everybody; the units of a group are not tied to the desks so.)

For time, think of a vehicle as a unit of room (payload, or volume), each piece of which is empty or holds some
good at every minute. A good that takes the share a of the room from s to r keeps it through a load (fixed_s),
ways of at least the shortest way s to r, and a delivery (fixed_r); then that piece goes empty, and is filled
again only after at least the way from r to its nearest source, save once per vehicle. Pieces are disjoint, so
these minutes, times a, add up to no more than the vehicle's minutes; the kg handled add kg / rate to every
piece. So with cost = (fixed_s + way + fixed_r + way back) / room + handling, time holds with one way back
given as credit to each vehicle. Docks and bays: a visit handles no more than the room of one vehicle, so its
fixed minutes are at least the share of the room handled, times fixed.

Tolerance. Nothing of the solver's is believed: its duals are cut to y ≥ 0, and
    bound = b·y + Σ_columns upper · max(0, c − Aᵀy)
is an upper bound for every y ≥ 0 (weak duality; every column has a finite upper limit). It is computed in
double precision, whose error a margin of 1e-9 covers, and is rounded up to six decimals.
"""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass, field

import numpy as np

from .bound_flows import Relaxation
from .model import FloatArray, IntArray, Model
from .program import Watch
from .wants import Target

PRICED = ("supply", "time", "docks", "bays", "desks")


@dataclass(frozen=True)
class Flows:
    """What the relaxation brings: units of `item` from `source` to `want` by vehicles of class `kind`.

    All arrays have one entry for each flow, except `vehicle_kind`: the class of each vehicle, (vehicles,).
    Where far sources are not told apart, `source` is the nearest of them.
    """

    kind: IntArray
    source: IntArray
    want: IntArray
    item: IntArray
    units: FloatArray
    vehicle_kind: IntArray


@dataclass(frozen=True)
class Bound:
    """A proven bound on utility, and what the relaxation says of a good plan (None without a solution).

    prices: (kind, id) → utility for one more unit of an item, minute of a vehicle class or berth, or person
    at a desk; ids of supply are "source/item", or an item wherever it is.
    """

    utility: float
    targets: tuple[Target, ...] | None
    prices: dict[tuple[str, str], float] = field(default_factory=dict)
    flows: Flows | None = None


def upper_bound(model: Model, time_limit_s: float | None = None, watch: Watch | None = None) -> Bound:
    """The bound for a model. Without an answer in time it is 1.0, which always holds."""
    if not model.total_worth:
        return Bound(1.0, None)
    relaxation = Relaxation(model)
    solved = relaxation.program.solve(time_limit_s, watch or Watch())
    if solved is None:
        return Bound(1.0, None)
    x, y = solved
    exact = relaxation.program.safe_bound(y) + 1e-9
    # utility is claimed in six decimals, so it may stand up to 5e-7 above its exact value
    utility = min(1.0, math.ceil((exact + 5e-7) * 1e6) / 1e6)
    return Bound(utility, _targets(relaxation, x), _prices(relaxation, y), _flows(relaxation, x))


def _targets(relaxation: Relaxation, x: FloatArray) -> tuple[Target, ...]:
    """People (or units) to aim at for every want."""
    made = []
    for r, want in enumerate(relaxation.model.wants):
        if want.item >= 0:
            made.append(Target(want.units, 0))
            continue
        supported, settled = (
            min(want.people, math.ceil(x[columns].sum() - 1e-6)) for columns in relaxation.kits.people[r]
        )
        made.append(Target(supported, min(settled, supported)))
    return tuple(made)


def _prices(relaxation: Relaxation, y: FloatArray) -> dict[tuple[str, str], float]:
    """Rows of one name (weight and volume) are one resource: their prices add up."""
    kg = {item.id: item.weight_kg for item in relaxation.model.scenario.items}
    prices: dict[tuple[str, str], float] = defaultdict(float)
    for (kind, name), price in zip(relaxation.program.names, y.tolist(), strict=True):
        if price > 1e-12 and kind in PRICED:
            prices[kind, name] += price * (kg[name.rpartition("/")[2]] if kind == "supply" else 1.0)
    return dict(prices)


def _flows(relaxation: Relaxation, x: FloatArray) -> Flows:
    kg = x[relaxation.column]
    some = np.flatnonzero(kg > 1e-6)
    ask = relaxation.ask[some]
    item = relaxation.item[ask]
    vehicle_kind = np.zeros(len(relaxation.model.vehicles), dtype=np.int64)
    for c, kind in enumerate(relaxation.limits.classes):
        vehicle_kind[kind.vehicles] = c
    return Flows(
        kind=relaxation.kind[some],
        source=relaxation.limits.source[relaxation.pair[some]],
        want=relaxation.want[ask],
        item=item,
        units=kg[some] / relaxation.model.kg[item],
        vehicle_kind=vehicle_kind,
    )
