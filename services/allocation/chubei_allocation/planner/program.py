"""A linear program built column by column, solved by GLOP, whose bound is computed without trusting GLOP."""

from __future__ import annotations

import math

import numpy as np

from .model import FloatArray


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
    """max c·x, A x ≤ b, 0 ≤ x ≤ upper, gathered column by column."""

    def __init__(self) -> None:
        self.cost: list[float] = []
        self.upper: list[float] = []
        self.limit: list[float] = []
        self.names: list[tuple[str, str]] = []
        self._rows: list[int] = []
        self._columns: list[int] = []
        self._values: list[float] = []

    def row(self, kind: str, name: str, limit: float) -> int:
        self.limit.append(limit)
        self.names.append((kind, name))
        return len(self.limit) - 1

    def column(self, cost: float, upper: float, entries: list[tuple[int, float]]) -> int:
        self.cost.append(cost)
        self.upper.append(max(0.0, upper))
        column = len(self.cost) - 1
        for row, value in entries:
            self.put(row, column, value)
        return column

    def put(self, row: int, column: int, value: float) -> None:
        self._rows.append(row)
        self._columns.append(column)
        self._values.append(value)

    def solve(self, time_limit_s: float | None, watch: Watch) -> tuple[FloatArray, FloatArray] | None:
        """(x, y) as GLOP has them when it ends or is stopped, None if it has neither."""
        # imported here: only a solve may cost the memory and the time of loading OR-Tools
        from ortools.linear_solver import linear_solver_pb2, pywraplp

        order = np.argsort(np.array(self._rows, dtype=np.int64), kind="stable")
        columns, values = np.array(self._columns)[order], np.array(self._values)[order]
        starts = np.searchsorted(np.array(self._rows)[order], np.arange(len(self.limit) + 1))
        proto = linear_solver_pb2.MPModelProto(maximize=True)
        for cost, upper in zip(self.cost, self.upper, strict=True):
            proto.variable.add(lower_bound=0.0, upper_bound=upper, objective_coefficient=cost)
        for row, limit in enumerate(self.limit):
            a, b = starts[row], starts[row + 1]
            proto.constraint.add(
                lower_bound=-math.inf,
                upper_bound=limit,
                var_index=columns[a:b].tolist(),
                coefficient=values[a:b].tolist(),
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
        reduced = np.array(self.cost) - np.bincount(
            np.array(self._columns, dtype=np.int64),
            weights=np.array(self._values) * y[np.array(self._rows, dtype=np.int64)],
            minlength=len(self.cost),
        )
        parts = [*(np.array(self.limit) * y), *(np.array(self.upper) * np.maximum(reduced, 0.0))]
        return math.fsum(parts) + 1e-9 * math.fsum(abs(part) for part in parts)
