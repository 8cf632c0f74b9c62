"""A linear program in arrays, solved by GLOP, whose bound is computed without trusting GLOP."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from .model import FloatArray, IntArray


class Watch:
    """A way to end a solve from another thread."""

    def __init__(self) -> None:
        self.stopped = False
        self.interrupt: object = None

    def stop(self) -> None:
        self.stopped = True
        if callable(self.interrupt):
            self.interrupt()


class Program:
    """max c·x, A x ≤ b, 0 ≤ x ≤ upper, gathered in blocks of rows and of columns.

    After `close`: cost and upper by column, limit by row, and the entries of A as (row, column, value) arrays
    in order of rows.
    """

    def __init__(self) -> None:
        self.names: list[tuple[str, str]] = []
        self._limits: list[FloatArray] = []
        self._costs: list[FloatArray] = []
        self._uppers: list[FloatArray] = []
        self._entries: list[tuple[IntArray, IntArray, FloatArray]] = []
        self._columns = 0

    def rows(self, kind: str, ids: Sequence[str], limits: ArrayLike) -> IntArray:
        """New rows, one for each id, A x ≤ limits (one for all, or one each); their numbers."""
        first = len(self.names)
        self.names.extend((kind, name) for name in ids)
        self._limits.append(np.broadcast_to(np.asarray(limits, dtype=np.float64), len(ids)))
        return np.arange(first, len(self.names), dtype=np.int64)

    def columns(self, cost: ArrayLike, upper: ArrayLike) -> IntArray:
        """New columns; their numbers. Upper limits below 0 are taken as 0."""
        costs, uppers = np.broadcast_arrays(
            np.asarray(cost, dtype=np.float64), np.asarray(upper, dtype=np.float64)
        )
        self._costs.append(costs.ravel())
        self._uppers.append(np.maximum(uppers.ravel(), 0.0))
        first = self._columns
        self._columns += costs.size
        return np.arange(first, self._columns, dtype=np.int64)

    def put(self, rows: ArrayLike, columns: ArrayLike, values: ArrayLike) -> None:
        """Add values to A at (rows, columns); a single one of any is taken for all."""
        r, c, v = np.broadcast_arrays(
            np.asarray(rows, dtype=np.int64),
            np.asarray(columns, dtype=np.int64),
            np.asarray(values, dtype=np.float64),
        )
        self._entries.append((r.ravel(), c.ravel(), v.ravel()))

    def close(self) -> None:
        """Put the blocks together."""
        self.cost = np.concatenate([np.zeros(0), *self._costs])
        self.upper = np.concatenate([np.zeros(0), *self._uppers])
        self.limit = np.concatenate([np.zeros(0), *self._limits])
        none: IntArray = np.zeros(0, dtype=np.int64)
        row, column, value = (
            np.concatenate([first, *(entry[part] for entry in self._entries)])
            for part, first in enumerate((none, none, np.zeros(0)))
        )
        order = np.argsort(row, kind="stable")
        self.row, self.column, self.value = row[order], column[order], value[order]
        del self._entries, self._costs, self._uppers, self._limits

    def solve(self, time_limit_s: float | None, watch: Watch) -> tuple[FloatArray, FloatArray] | None:
        """(x, y) as GLOP has them when it ends or is stopped, None if it has neither."""
        # imported here: only a solve may cost the memory and the time of loading OR-Tools
        from ortools.linear_solver import linear_solver_pb2, pywraplp

        proto = linear_solver_pb2.MPModelProto(maximize=True)
        for cost, upper in zip(self.cost.tolist(), self.upper.tolist(), strict=True):
            proto.variable.add(lower_bound=0.0, upper_bound=upper, objective_coefficient=cost)
        starts = np.searchsorted(self.row, np.arange(len(self.limit) + 1)).tolist()
        for row, limit in enumerate(self.limit.tolist()):
            part = slice(starts[row], starts[row + 1])
            proto.constraint.add(
                lower_bound=-math.inf,
                upper_bound=limit,
                var_index=self.column[part],
                coefficient=self.value[part],
            )
        solver = pywraplp.Solver.CreateSolver("GLOP")
        solver.LoadModelFromProto(proto)
        if time_limit_s is not None:
            solver.SetTimeLimit(max(1, int(time_limit_s * 1000)))
        watch.interrupt = solver.InterruptSolve
        if watch.stopped or solver.Solve() not in (solver.OPTIMAL, solver.FEASIBLE):
            return None
        x = np.array([variable.solution_value() for variable in solver.variables()])
        y = np.array([constraint.dual_value() for constraint in solver.constraints()])
        return x, y

    def safe_bound(self, y: FloatArray) -> float:
        """b·y + Σ upper · max(0, c − Aᵀy) for y cut to be ≥ 0: no feasible x is worth more."""
        y = np.maximum(np.nan_to_num(y), 0.0)
        reduced = self.cost - np.bincount(
            self.column, weights=self.value * y[self.row], minlength=len(self.cost)
        )
        parts = np.concatenate([self.limit * y, self.upper * np.maximum(reduced, 0.0)])
        return math.fsum(parts) + 1e-9 * math.fsum(np.abs(parts))
