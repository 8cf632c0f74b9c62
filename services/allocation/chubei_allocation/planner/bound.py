r"""A proven upper bound on the utility of any plan, from a linear relaxation.

Sets: classes k of vehicles alike in room, speed and size; sources s; wants r at points; items i. Quantities are
continuous and ≥ 0. Committed trips are constants (bound_limits.py). Variables:

    x[k,s,r,i]   kg brought from source s to want r by class k, and of use there; s over the near sources that
                 hold i, and, where there are more, one column "elsewhere" with the least ways of all others
    l[k,s,i]     kg of item i that class k loads at s for wants to which s is not near
    n[r,τ,p]     people of want r served at tier τ, in each linear piece p of u (u is concave)
    f[r,g,τ]     members of group g that have their own goods up to tier τ
    d[r]         met share of an absolute demand
    b[v,s,j]     vehicles (alike in place and time) whose first load is at s, in its dock slot j
    o[k,s,s']    room of vehicles whose first load is at s that is first filled at s'
    e[k,r,s']    room that goes empty at r and is filled next at s' (room counts in vehicles; both by payload and,
                 in rows and columns of its own, by volume)

    max  Σ weight·people·u(n)  +  Σ worth·d
    kit      per_person · n[r,τ] ≤ had[r,i] + Σ x[·,·,r,i] / kg[i]             every need of tier ≤ τ
    groups   n[r,τ] + Σ_g (members − f[r,g,τ]) ≤ people
    tiers    n[r,2] ≤ n[r,1]
    desks    n[r,τ] ≤ what the desks can hand out after the earliest minute at which the goods can be there
    late     x[k,s,r,i] ≤ what the desks can hand out from its earliest arrival to the deadline
    loaded   Σ_r x[k,elsewhere,r,i] ≤ Σ_s l[k,s,i]
    supply   Σ x[·,s,·,i] + Σ l[·,s,i] ≤ kg[i] · what can be of use (bound_lines.py; at most what is there at the
             last minute at which a load at s is of use)
    docks    Σ (x + l) · (fixed / room + 1 / rate) ≤ dock-minutes between the first and the last minute of use
    bays     Σ x · (fixed / min(room, all that r lacks) + 1 / rate) ≤ bay-minutes
    vehicles Σ b[v,·,·] ≤ vehicles alike v;        slots    Σ b[·,s,j] ≤ 1
    started  Σ_s' o[k,s,s'] ≤ Σ b[v of k,s,·]
    filled   Σ x[k,s,·,·] / room ≤ o[k,·,s] + e[k,·,s]
    emptied  e[k,r,·] ≤ Σ x[k,·,r,·] / room
    time     Σ x · ((fixed_s + way) / room + fixed_r / min(room, all that r lacks) + 1 / rate_s + 1 / rate_r)
             + Σ e · way + Σ_{s' ≠ s} o · (fixed_s + way) ≤ Σ b · (deadline − start of the slot − last visit)
In larger networks (bound_fleet.py) o and e are told apart for the nearest sources s' only, and else go "elsewhere",
by the least way to any other, from where room may be filled at any source; likewise b. In the largest, o and e have
no place at all: room goes back to the nearest source, save once for each vehicle.

Why no plan is better. Take any plan, and of what it brings only what is of use: let people be served from units
in the order of arrival, and count the units that those served by the deadline use. Supply, kits, tiers, groups
and desks hold as they stand in the rules, without whole packs and whole people. A load is of use only if crews,
goods and a vehicle can be there, and if after it fixed_s, the way and fixed_r are over by the deadline.
Late: who is served after minute t exceeds what stood there at t, and they are no more than the desks serve in
the time that is left; so neither are the units of use that came after t. (For needs of everybody; what a group
needs is not tied to the desks so.)

Docks and bays: a visit handles no more than the room of one vehicle, and what is of use in a delivery no more
than all that its point lacks, so the visits are at least the kg of use divided by that, each with its fixed
minutes; and handling takes kg / rate.

Time: think of a vehicle as room, each piece of which is empty or holds some good at every minute. Of the minutes
from the vehicle's first load to the deadline, some are its handling and the fixed minutes of its deliveries,
which pass for every piece, and are bounded as for bays. A piece that holds a good from s to r has, besides, the
fixed minutes of that load and ways of at least the shortest way s to r; then it goes empty, and until it is
filled again, at s', passes at least the way r to s'. Before it is first filled, at s' and not by the vehicle's
first load, at s, passes at least fixed_s and the way s to s'. These are disjoint, so that they add up, over all
pieces, to no more than the minutes of the vehicle. A piece may hold goods of no use in between: shortest ways
make that no shorter. Filled, emptied and started say that a piece alternates between the two, wherever it is.

Slots: the first load of a vehicle is a visit at a dock of at least fixed_s minutes and one for handling. Of n
visits at s the last starts no sooner than n visits of that length can, one after the other, at its crews
(`_earliest_starts`). So of the first loads at s, in order, the j-th is in slot j or later.

Last visit: let a vehicle's last delivery of use bring the share a of its room, all that can be of use there being
the share m. Time has counted a/m of the fixed minutes of that visit; the rest passes too. After it, what was
brought is still to be handed out: (a − G) · room / (what all desks hand out a minute), G the share that no desk
holds up (groups, absolute demands). The sum of both is linear in a on either side of G, so it is least for a = G
or a = m; `_last_visit_min` takes the least of all points. No other row counts these minutes.

Tolerance. Nothing of the solver's is believed: its duals are cut to y ≥ 0, and
    bound = b·y + Σ_columns upper · max(0, c − Aᵀy)
is an upper bound for every y ≥ 0 (weak duality; every column has a finite upper limit). It is computed in
double precision, whose error a margin of 1e-9 covers, and is rounded up to six decimals.
"""

from __future__ import annotations

import math
import time
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
    at a desk; ids of supply are "source/item".
    """

    utility: float
    targets: tuple[Target, ...] | None
    prices: dict[tuple[str, str], float] = field(default_factory=dict)
    flows: Flows | None = None


def upper_bound(model: Model, time_limit_s: float | None = None, watch: Watch | None = None) -> Bound:
    """The bound for a model, as good as it is when the time is over or `watch` stops it; 1.0 always holds."""
    if not model.total_worth:
        return Bound(1.0, None)
    begun = time.monotonic()
    relaxation = Relaxation(model)
    left_s = None if time_limit_s is None else time_limit_s - (time.monotonic() - begun)
    solved = relaxation.program.solve(left_s, watch or Watch())
    if solved is None:
        return Bound(1.0, None)
    x, y = solved
    exact = relaxation.program.safe_bound(y) + 1e-9
    # utility is claimed in six decimals, so it may stand up to 5e-7 above its exact value
    utility = min(1.0, math.ceil((exact + 5e-7) * 1e6) / 1e6)
    prices = _prices(relaxation, y)
    if x is None:
        return Bound(utility, None, prices)
    return Bound(utility, _targets(relaxation, x), prices, _flows(relaxation, x))


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
