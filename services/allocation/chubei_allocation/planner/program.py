"""A linear program in arrays, solved by GLOP through MathOpt, whose bound is computed without trusting GLOP."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

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
    in order of rows, then columns.
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
        return self.named_rows([(kind, name) for name in ids], limits)

    def named_rows(self, names: Sequence[tuple[str, str]], limits: ArrayLike) -> IntArray:
        """New rows of several kinds: (kind, id) of each."""
        first = len(self.names)
        self.names.extend(names)
        self._limits.append(np.broadcast_to(np.asarray(limits, dtype=np.float64), len(names)))
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
        order = np.lexsort((column, row))
        self.row, self.column, self.value = row[order], column[order], value[order]
        del self._entries, self._costs, self._uppers, self._limits

    def solve(self, time_limit_s: float | None, watch: Watch) -> tuple[FloatArray | None, FloatArray] | None:
        """(x, y) of GLOP's dual simplex; stopped early x is None and y is feasible. None if it has neither."""
        # imported here: only a solve may cost the memory and the time of loading OR-Tools
        from ortools.glop.parameters_pb2 import GlopParameters
        from ortools.math_opt.python import mathopt
        from ortools.util.python.solve_interrupter import SolveInterrupter

        # costs near 1 keep clear of the tolerances, which are absolute
        scale = 1.0 / max(float(np.abs(self.cost).max(initial=0.0)), 1e-300)
        interrupter = SolveInterrupter()
        watch.interrupt = interrupter.interrupt
        if watch.stopped:
            return None
        parameters = mathopt.SolveParameters(
            lp_algorithm=mathopt.LPAlgorithm.DUAL_SIMPLEX,
            # how precise the duals are is seen below: none are thrown away
            glop=GlopParameters(change_status_to_imprecise=False),
            time_limit=None if time_limit_s is None else timedelta(seconds=max(0.001, time_limit_s)),
        )
        model = mathopt.Model.from_model_proto(self._proto(scale))
        result = mathopt.solve(model, mathopt.SolverType.GLOP, params=parameters, interrupter=interrupter)
        x, y = None, None
        for found in result.solutions[:1]:
            if found.dual_solution is not None:
                y = np.zeros(len(self.limit))
                for row, price in found.dual_solution.dual_values.items():
                    y[row.id] = price / scale
            if result.termination.reason is mathopt.TerminationReason.OPTIMAL:
                x = np.zeros(len(self.cost))
                for column, amount in found.primal_solution.variable_values.items():
                    x[column.id] = amount
        return None if y is None else (x, y)

    def _proto(self, scale: float) -> Any:
        """The program as a MathOpt ModelProto, its costs scaled."""
        from ortools.math_opt import model_pb2

        # entries in order of rows, then columns; those put twice are one
        first = np.flatnonzero((np.diff(self.row, prepend=-1) != 0) | (np.diff(self.column, prepend=-1) != 0))
        value = np.add.reduceat(self.value, first) if len(first) else self.value
        proto = model_pb2.ModelProto()
        proto.variables.ids.extend(range(len(self.cost)))
        proto.variables.lower_bounds.extend([0.0] * len(self.cost))
        proto.variables.upper_bounds.extend(self.upper)
        proto.variables.integers.extend([False] * len(self.cost))
        proto.linear_constraints.ids.extend(range(len(self.limit)))
        proto.linear_constraints.lower_bounds.extend([-math.inf] * len(self.limit))
        proto.linear_constraints.upper_bounds.extend(self.limit)
        proto.objective.maximize = True
        worth = np.flatnonzero(self.cost)
        proto.objective.linear_coefficients.ids.extend(worth)
        proto.objective.linear_coefficients.values.extend(self.cost[worth] * scale)
        some = np.flatnonzero(value)
        proto.linear_constraint_matrix.row_ids.extend(self.row[first][some])
        proto.linear_constraint_matrix.column_ids.extend(self.column[first][some])
        proto.linear_constraint_matrix.coefficients.extend(value[some])
        return proto

    def safe_bound(self, y: FloatArray) -> float:
        """b·y + Σ upper · max(0, c − Aᵀy) for y cut to be ≥ 0: no feasible x is worth more."""
        y = np.maximum(np.nan_to_num(y), 0.0)
        reduced = self.cost - np.bincount(
            self.column, weights=self.value * y[self.row], minlength=len(self.cost)
        )
        parts = np.concatenate([self.limit * y, self.upper * np.maximum(reduced, 0.0)])
        return math.fsum(parts) + 1e-9 * math.fsum(np.abs(parts))
