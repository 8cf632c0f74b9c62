"""The planner: from a scenario (planning-scenario/1) to a plan (planning-plan/1), pure and offline.

    scenario = parse_scenario(json_value)            # ScenarioError names the place and the remedy
    plan = plan(scenario, Stop(time_limit_s=10), seed=0, on_progress=print)
    violations = check(scenario, plan)               # independent of how the plan was made; [] is good
    text = json.dumps(plan.as_json())

`load_json` reads bytes strictly (no NaN, no key twice); `parse_trips` reads the trips of a stored plan and
`judge(scenario, trips)` gives violations and figures of any trips. `changes` compares with a previous plan.
`tightest` and `served_by_hour` explain a plan. Only `plan` loads OR-Tools.
"""

from .changes import changes
from .check import Verdict, Violation, check, judge
from .fields import load_json
from .figures import Figures
from .parse import parse_scenario
from .parse_plan import parse_plan, parse_trips
from .scenario import Changes, Claims, Plan, Scenario, ScenarioError, SolverReport, Trip, Unmet, Visit
from .solve import DEFAULT_TIME_LIMIT_S, Progress, Stop, plan
from .usage import Tightness, served_by_hour, tightest

__all__ = [
    "DEFAULT_TIME_LIMIT_S",
    "Changes",
    "Claims",
    "Figures",
    "Plan",
    "Progress",
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
    "changes",
    "check",
    "judge",
    "load_json",
    "parse_plan",
    "parse_scenario",
    "parse_trips",
    "plan",
    "served_by_hour",
    "tightest",
]
