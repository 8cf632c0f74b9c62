"""Back to what is there before the vehicles of a search move, at the nodes that a simulation has changed."""

from __future__ import annotations

import numpy as np

from .arrays import Arrays, Base, Ints, Table
from .compiled import compiled
from .serving import serve
from .workspace import Work


@compiled
def touch(w: Work, n: int) -> None:
    """Note that a simulation changes something at node n."""
    if not w.is_touched[n]:
        w.is_touched[n] = 1
        w.touched[w.touched_count[0]] = n
        w.touched_count[0] += 1


@compiled
def reset(a: Arrays, base: Base, w: Work, nodes: Ints) -> None:
    """Back to what is there before any vehicle of the search moves, at these nodes."""
    for n in nodes:
        reset_node(a, base, w, n)
        if n >= a.sources:
            p = n - a.sources
            serve_node(a, base, w, p)
            for k in range(4):
                w.score_before[p, k] = w.score[p, k]
    for n in range(len(w.is_touched)):
        w.is_touched[n] = 0
    w.touched_count[0] = 0


@compiled
def reset_touched(a: Arrays, base: Base, w: Work) -> None:
    """The same at the nodes that the last simulation changed."""
    for k in range(w.touched_count[0]):
        reset_node(a, base, w, w.touched[k])
        w.is_touched[w.touched[k]] = 0
    w.touched_count[0] = 0


@compiled
def copy_row(a: Table, b: Table) -> None:
    for m in range(np.uint64(0), np.uint64(len(a))):  # unsigned: it goes by vectors
        b[m] = a[m]


@compiled
def reset_node(a: Arrays, base: Base, w: Work, n: int) -> None:
    copy_row(base.booked[n], w.booked[n])
    if n < a.sources:
        for h in range(a.first_holding[n], a.first_holding[n + 1]):
            copy_row(base.left[h], w.left[h])
        return
    p = n - a.sources
    first = a.first_need[p]
    w.arrivals[p] = base.arrivals[p]
    for q in range(first, a.first_need[p + 1]):
        w.sent[q] = base.had[q]
    for k in range(base.arrivals[p]):
        w.arrival_end[p, k] = base.arrival_end[p, k]
        for j in range(a.first_need[p + 1] - first):
            units = base.arrival_units[p, k, j]
            w.arrival_units[p, k, j] = units
            w.sent[first + j] += units
    for k in range(4):
        w.score[p, k] = w.score_before[p, k]


@compiled
def serve_node(a: Arrays, base: Base, w: Work, p: int) -> None:
    """Score point p by what has arrived there."""
    had = base.had[a.first_need[p] : a.first_need[p + 1]]
    serve(
        a, p, had, w.arrivals[p], w.arrival_end[p], w.arrival_units[p], w.order, w.units, w.room, w.score[p]
    )
