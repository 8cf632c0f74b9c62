"""The planner: from a scenario (planning-scenario/1) to a plan (planning-plan/1), pure and offline.

    scenario = parse_scenario(json_value)            # ScenarioError names the place and the remedy
    plan = plan(scenario, Stop(time_limit_s=10), seed=0, on_progress=print)
    violations = check(scenario, plan)               # independent of how the plan was made; [] is good
    text = json.dumps(plan.as_json())

`load_json` reads bytes strictly (no NaN, no key twice); `parse_trips` reads the trips of a stored plan and
`judge(scenario, trips)` gives violations and figures of any trips. `changes` compares with a previous plan; `plan`
keeps what it can of one that it is given.
`explain(scenario, trips)` says why they do not serve more, `advise` what one more of each would give, and
`tightest` and `served_by_hour` how they use what there is. Only `plan` and `advise` load OR-Tools.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from .advice import MOST_CHANGES, Advice, AdviceProgress, Advised, RefusedError, advise
from .binding import Binding
from .changes import changes
from .check import Verdict, Violation, check, judge
from .explain import Explanation, explain
from .fields import load_json
from .figures import Figures
from .parse import parse_scenario
from .parse_plan import parse_plan, parse_trips
from .scenario import Changes, Claims, Plan, Scenario, ScenarioError, SolverReport, Trip, Unmet, Visit
from .stopping import DEFAULT_TIME_LIMIT_S, REPLAN_SHARE, THREADS, Progress, Stop
from .usage import Tightness, served_by_hour, tightest
from .whatif import Change, changed


def plan(
    scenario: Scenario,
    stop: Stop | None = None,
    seed: int = 0,
    on_progress: Callable[[Progress], None] | None = None,
    previous: Sequence[Trip] | None = None,
    threads: int = THREADS,
) -> Plan:
    """The best plan found for a scenario before `stop`, with a proven bound on what any plan can reach.

    Anytime: whenever it is stopped it returns a plan that obeys all rules, if need be one without new trips.
    The time limit runs from when the search is compiled, which is once for each machine (ready.py).
    With the trips of a previous plan it keeps those not yet begun where that costs little (resume.py), tells how
    it differs, and takes half of the default time, and half of a work limit.
    `threads` at most are at work at a time (the bound's aside, where there is no work limit); of the plan they
    change nothing.
    """
    from .solve import plan as solve  # here: only who plans pays for loading numba and OR-Tools

    return solve(scenario, stop, seed, on_progress, previous, threads)


__all__ = [
    "DEFAULT_TIME_LIMIT_S",
    "MOST_CHANGES",
    "REPLAN_SHARE",
    "Advice",
    "AdviceProgress",
    "Advised",
    "Binding",
    "Change",
    "Changes",
    "Claims",
    "Explanation",
    "Figures",
    "Plan",
    "Progress",
    "RefusedError",
    "Scenario",
    "ScenarioError",
    "SolverReport",
    "Stop",
    "Tightness",
    "Trip",
    "Unmet",
    "Verdict",
    "Violation",
    "Visit",
    "advise",
    "changed",
    "changes",
    "check",
    "explain",
    "judge",
    "load_json",
    "parse_plan",
    "parse_scenario",
    "parse_trips",
    "plan",
    "served_by_hour",
    "tightest",
]
