"""From JSON to Plan: the shape of a stored plan is judged here, its sense by the checker."""

from __future__ import annotations

from typing import Any

from .fields import Field
from .parse import optional_rows
from .parse_trips import Known, goods_of, trip_of
from .scenario import PLAN_FORMAT, Changes, Claims, Plan, Scenario, SolverReport, Trip, Unmet


def parse_trips(data: Any, scenario: Scenario, of_before: bool = False) -> tuple[Trip, ...]:
    """The trips of a planning-plan/1 object; raises ScenarioError when it has not that shape.

    Those of a plan `of_before` may name vehicles, places and items that the scenario has lost since.
    """
    root = Field(data, "" if isinstance(data, dict) else "plan")
    root["format"].one_of(PLAN_FORMAT)
    known = Known(scenario, of_before)
    return tuple(trip_of(row, known) for row in root["trips"].rows())


def parse_plan(data: Any, scenario: Scenario) -> Plan:
    """A stored planning-plan/1 object of the planner, with its claims and what it says of itself."""
    root = Field(data, "" if isinstance(data, dict) else "plan")
    trips = parse_trips(data, scenario)
    claims, solver = root["claims"], root["solver"]
    elapsed_s = solver.maybe("elapsed_s")
    return Plan(
        scenario=root["scenario"].text(),
        trips=trips,
        claims=Claims(
            supported=claims["supported"].whole(),
            settled=claims["settled"].whole(),
            utility=claims["utility"].number(),
            mean_wait_min=claims["mean_wait_min"].number(),
            utility_bound=claims["utility_bound"].number(),
        ),
        solver=SolverReport(
            status=solver["status"].text(),
            seed=solver["seed"].whole(),
            objective=solver["objective"].number(),
            bound=solver["bound"].number(),
            gap=solver["gap"].number(),
            method=solver["method"].text(),
            elapsed_s=elapsed_s.number() if elapsed_s else None,
        ),
        unmet=tuple(_unmet(row, scenario) for row in optional_rows(root, "unmet")),
        changes=_changes(root.maybe("changes")),
    )


def _unmet(row: Field, scenario: Scenario) -> Unmet:
    return Unmet(
        point=row["point"].known({point.id for point in scenario.points}, "points"),
        not_supported=row["not_supported"].whole(),
        not_settled=row["not_settled"].whole(),
        short=goods_of(row["short"], {item.id for item in scenario.items}),
    )


def _changes(field: Field | None) -> Changes | None:
    if field is None:
        return None
    return Changes(*(field[key].whole() for key in ("kept", "changed", "dropped", "new")))
