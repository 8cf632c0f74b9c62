"""Making days better: simulated annealing over who goes where in which order (Kirkpatrick et al. 1983).

A move changes a trip or two, or opens the rest of some days to be chosen anew; the simulation tells what comes of
it. Worse outcomes are taken with a probability that falls as the search cools.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from .arrays import (
    GIVEN,
    PLANNED,
    TIMES_PLANNED,
    Arrays,
    Base,
    Ints,
)
from .choose import Taste, random
from .compiled import compiled
from .days import Days, copy_trip
from .moves import move
from .neighbours import Ways
from .serving import worth_of
from .simulate import simulate
from .workspace import Work

PLAIN = Taste()
KEEP = Taste(extend=0.0, plan=1.0)  # days as they stand, and what comes of them is what is planned


class Aim(NamedTuple):
    """What the search raises.

    Utility − wait · (mean wait / deadline) + hope · (utility if kits were shares) + given · (trips left as given).
    """

    wait: float
    hope: float
    given: float = 0.0  # weighted people that a trip left as it was given is worth


@compiled
def copy_days(a: Days, b: Days, vehicles: Ints, nodes: Ints, sources: int) -> None:
    """Make b the same as a, as far as these vehicles and nodes go."""
    for v in vehicles:
        b.trips[v] = a.trips[v]
        for k in range(a.trips[v]):
            copy_trip(a.rows[v, k], b.rows[v, k])
    for n in nodes:
        if n >= sources:
            for j in range(3):
                b.aims[n - sources, j] = a.aims[n - sources, j]


@compiled
def merit(a: Arrays, w: Work, nodes: Ints, aim: Aim) -> float:
    """The aim's value for the last simulation, in weighted people, over the points among `nodes`."""
    total = hope = waited = 0.0
    for n in nodes:
        if n < a.sources:
            continue
        p = n - a.sources
        total += w.score[p, 0]
        waited += w.score[p, 1]
        if aim.hope > 0.0 and a.people[p] > 0:
            for q in range(a.first_need[p], a.first_need[p + 1]):
                if a.need_tier[q] > 0:
                    part = 0.7 if a.need_tier[q] == 1 else 0.3
                    share = min(1.0, w.sent[q] / a.need_units[q])
                    hope += a.weight[p] * a.people[p] * part * a.need_share[q] * worth_of(a, share)
    return total + aim.hope * hope - aim.wait * waited / a.deadline


@compiled
def count_given(days: Days, vehicles: Ints) -> int:
    """How many trips of these vehicles are as they were given."""
    count = 0
    for v in vehicles:
        for k in range(days.trips[v]):
            if days.rows[v, k, GIVEN] and days.rows[v, k, PLANNED] == TIMES_PLANNED:
                count += 1
    return count


@compiled
def any_taste(a: Arrays, w: Work, nodes: Ints, rng: Ints) -> Taste:
    """A taste at random, and likings of points by it."""
    strength = 0.2 * random(rng) ** 2
    for n in nodes:
        if n >= a.sources:
            w.liking[n - a.sources] = math.exp(strength * (2.0 * random(rng) - 1.0))
    return Taste(
        share=0.85 + 0.1 * random(rng),
        fade_min=125.0 + 50.0 * random(rng),
        further=0.5 + 0.4 * random(rng),
        noise=0.3 * random(rng),
        liking=strength,
        balance=random(rng),
        dock=3.0 * random(rng),
        extend=1.0,
        plan=1.0,
    )


@compiled
def clean(w: Work, days: Days, vehicles: Ints) -> None:
    """Take out the trips that did not take place in the last simulation."""
    for v in vehicles:
        kept = 0
        for k in range(days.trips[v]):
            if w.done[v, k]:
                if kept < k:
                    copy_trip(days.rows[v, k], days.rows[v, kept])
                kept += 1
        days.trips[v] = kept


@compiled
def anneal(
    a: Arrays,
    base: Base,
    w: Work,
    now: Days,
    trial: Days,
    best: Days,
    vehicles: Ints,
    nodes: Ints,
    ways: Ways,
    aim: Aim,
    moves: int,
    temperature: float,
) -> tuple[float, float]:
    """So many moves from `now` at a temperature (in weighted people); the values of now and of best afterwards.

    Only days of `vehicles` and aims of points among `nodes` change, in now and, if something better is found, best.
    """
    here = top = -1e300
    taste = any_taste(a, w, nodes, w.rng)
    for m in range(-2, moves):  # first the values of best and of now
        copy_days(best if m == -2 else now, trial, vehicles, nodes, a.sources)
        changed, opened = (True, False) if m < 0 else move(a, w, trial, vehicles, ways, w.rng)
        if not changed:
            continue
        if opened:
            taste = any_taste(a, w, nodes, w.rng)
        simulate(
            a,
            base,
            w,
            trial.rows,
            trial.trips,
            trial.aims,
            vehicles,
            nodes,
            ways,
            taste if opened else KEEP,
            m == -2,
        )
        value = merit(a, w, nodes, aim) + aim.given * count_given(trial, vehicles)
        if m == -2:
            top = value
        elif m == -1 or value >= here or random(w.rng) < math.exp((value - here) / temperature):
            here = value
            clean(w, trial, vehicles)
            copy_days(trial, now, vehicles, nodes, a.sources)
            if value > top:
                top = value
                copy_days(now, best, vehicles, nodes, a.sources)
    return here, top
