"""`chubei explain`: why a plan does not serve more, and what one more of each would give. Offline."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer
from chubei_allocation.planner import MOST_CHANGES, Advised, RefusedError, Scenario, Stop, Trip, advise, judge
from chubei_allocation.planner import explain as why
from rich.console import Console

from .errors import CommandError
from .explain_screen import AdviceBar, show_advice, show_explanation
from .planning_files import (
    compile_first,
    interruptible,
    read_scenario,
    read_trips,
    refuse_seed,
    refuse_unwritable,
    stop_of,
    write_json,
)

DEFAULT_S = 240.0


def explain(
    scenario_path: Annotated[
        Path, typer.Argument(metavar="SCENARIO.json", help="情景 / the scenario (planning-scenario/1)")
    ],
    plan_path: Annotated[
        Path, typer.Argument(metavar="PLAN.json", help="它的计划 / a plan for it (planning-plan/1)")
    ],
    time_limit_s: Annotated[
        float | None,
        typer.Option(
            "--time-limit",
            metavar="S",
            help=f"全部复算共用的秒数 / seconds for all solves together (default: {DEFAULT_S:g}; "
            "none with --work-limit)",
        ),
    ] = None,
    seed: Annotated[int, typer.Option("--seed", help="首个随机种子 / first of three seeds")] = 0,
    work_limit: Annotated[
        int | None,
        typer.Option(
            "--work-limit", metavar="N", help="每次复算的工作量上限：可复现 / changes to try in each solve"
        ),
    ] = None,
    most: Annotated[
        int,
        typer.Option("--most", metavar="N", min=1, max=100, help="最多试几项改变 / changes to try at most"),
    ] = MOST_CHANGES,
    quick: Annotated[
        bool, typer.Option("--quick", help="只说什么成了约束，不复算 / only what binds; solve nothing")
    ] = False,
    json_path: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="另写成 JSON / write it as JSON too")
    ] = None,
) -> None:
    """为什么不能更多 / why not more: what holds a plan up, and what one more of each would give, in people."""
    stop = stop_of(time_limit_s, work_limit, DEFAULT_S)
    refuse_seed(seed)
    scenario = read_scenario(scenario_path)
    trips = _obedient(read_trips(plan_path, scenario), scenario, plan_path)
    if json_path is not None:
        refuse_unwritable("--json", json_path, scenario_path, plan_path)
    console = Console()
    found = why(scenario, trips)
    show_explanation(console, scenario, found)
    told = None if quick or not found.unmet else _advised(scenario, trips, stop, seed, most)
    if told is not None:
        show_advice(console, told, found)
    if json_path is not None:
        body = {"format": "planning-explanation/1", "scenario": scenario.name, **found.as_json()}
        write_json("--json", json_path, body | ({"advised": told.as_json()} if told else {}))


def _obedient(trips: tuple[Trip, ...], scenario: Scenario, path: Path) -> tuple[Trip, ...]:
    if wrong := judge(scenario, trips).violations:
        raise CommandError(
            f"{path}：不守规则，请核对情景与计划是否相配 / breaks a rule; "
            f"see that scenario and plan belong together: {wrong[0]}"
        )
    return trips


def _advised(scenario: Scenario, trips: tuple[Trip, ...], stop: Stop, seed: int, most: int) -> Advised:
    compile_first()
    with interruptible() as asked, AdviceBar(Console(stderr=True)) as bar:
        try:
            return advise(scenario, trips, replace(stop, should_stop=asked.is_set), seed, bar.update, most)
        except RefusedError as error:
            raise CommandError(f"复算的计划未过独立检查 / the checker refused a plan: {error}") from None
