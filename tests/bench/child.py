"""One measured process: `python -m tests.bench.child plan|greedy|lp|wait SCENARIO.json …`.

What it has to tell it prints as JSON, one object a line, marked so that a solver's own words do not mix in.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

from chubei_allocation.planner import Plan, Progress, Scenario, Stop, check, judge, parse_scenario
from chubei_allocation.planner import plan as solve_plan

MARK = "@bench "
NEW = 1e-9  # utility above what the committed trips reach anyway


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("task", choices=list(TASKS))
    parser.add_argument("scenario", type=Path)
    parser.add_argument("--time-limit", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--step", type=int, default=20)
    given: Any = parser.parse_args()
    scenario = parse_scenario(json.loads(given.scenario.read_text("utf-8")))
    TASKS[given.task](scenario, given)
    _tell("end", peak_mb=peak_mb())


def peak_mb() -> float:
    """The most memory this program has held. Not ru_maxrss: that counts what the parent held before exec, too."""
    lines = Path("/proc/self/status").read_text().splitlines()
    peak = next(line for line in lines if line.startswith("VmHWM:"))
    return int(peak.split()[1]) / 1024


def _tell(event: str, **facts: Any) -> None:
    print(MARK + json.dumps({"event": event, **facts}), flush=True)


def _plan(scenario: Scenario, given: Any) -> None:
    """The planner: progress as it comes, then the plan's figures, then what the checker says of it."""
    begun = judge(scenario, scenario.committed).figures.utility
    cpu = time.process_time()

    def tell(row: Progress) -> None:
        _tell(
            "progress",
            phase=row.phase,
            elapsed_s=row.elapsed_s,
            cpu_s=time.process_time() - cpu,
            utility=row.utility,
            bound=row.bound,
            new=row.utility > begun + NEW,
        )

    made = solve_plan(scenario, Stop(time_limit_s=given.time_limit), given.seed, tell)
    _tell("plan", cpu_s=time.process_time() - cpu, method=made.solver.method, **_figures(scenario, made))


def _greedy(scenario: Scenario, given: Any) -> None:
    from .greedy import greedy_plan

    begun = time.perf_counter()
    made = greedy_plan(scenario)
    _tell("greedy", elapsed_s=time.perf_counter() - begun, **_figures(scenario, made))


def _figures(scenario: Scenario, made: Plan) -> dict[str, Any]:
    return {
        **vars(made.claims),
        "trips": len(made.trips),
        "broken_rules": [str(violation) for violation in check(scenario, made)[:3]],
    }


def _lp(scenario: Scenario, given: Any) -> None:
    from . import bare_lp

    _tell("lp", **vars(bare_lp.solve(scenario, given.time_limit)))


def _wait(scenario: Scenario, given: Any) -> None:
    from .wait import wait_bound

    begun = time.perf_counter()
    _tell("wait", bound_min=wait_bound(scenario, given.step), elapsed_s=time.perf_counter() - begun)


TASKS = {"plan": _plan, "greedy": _greedy, "lp": _lp, "wait": _wait}

if __name__ == "__main__":
    main()
