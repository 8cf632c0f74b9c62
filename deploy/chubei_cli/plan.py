"""`chubei plan`: from a scenario file to a plan file, offline, with no service or database."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer
from chubei_allocation.planner import DEFAULT_TIME_LIMIT_S, REPLAN_SHARE, check
from chubei_allocation.planner import plan as solve
from rich.console import Console

from .errors import CommandError
from .plan_screen import SolveBar, show_summary
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


def plan(
    scenario_path: Annotated[
        Path, typer.Argument(metavar="SCENARIO.json", help="情景 / the scenario (planning-scenario/1)")
    ],
    out_path: Annotated[
        Path, typer.Option("--out", metavar="PLAN.json", help="写到哪里 / where to write the plan")
    ],
    time_limit_s: Annotated[
        float | None,
        typer.Option(
            "--time-limit",
            metavar="S",
            help=f"求解秒数 / seconds to solve (default: {DEFAULT_TIME_LIMIT_S:g}, "
            f"with --previous {DEFAULT_TIME_LIMIT_S * REPLAN_SHARE:g}; none with --work-limit)",
        ),
    ] = None,
    seed: Annotated[int, typer.Option("--seed", help="随机种子 / seed of the search")] = 0,
    previous_path: Annotated[
        Path | None,
        typer.Option(
            "--previous", metavar="PLAN.json", help="尽量沿用此计划 / keep what can be kept of this plan"
        ),
    ] = None,
    work_limit: Annotated[
        int | None,
        typer.Option(
            "--work-limit",
            metavar="N",
            help="工作量上限：可复现 / changes to try: the same work, the same plan",
        ),
    ] = None,
) -> None:
    """为一个情景求计划 / plan for a scenario: trips that bring most people relief in time, with a proven bound."""
    stop = stop_of(time_limit_s, work_limit, DEFAULT_TIME_LIMIT_S * (REPLAN_SHARE if previous_path else 1))
    refuse_seed(seed)
    scenario = read_scenario(scenario_path)
    previous = read_trips(previous_path, scenario, of_before=True) if previous_path else None
    refuse_unwritable("--out", out_path, scenario_path)
    console = Console(stderr=True)
    compile_first()
    with interruptible() as asked, SolveBar(console, scenario.name, stop.time_limit_s) as bar:
        made = solve(scenario, replace(stop, should_stop=asked.is_set), seed, bar.update, previous)
    if wrong := check(scenario, made):
        raise CommandError(
            f"计划未过独立检查，未写出 / the checker refused the plan, nothing written: {wrong[0]}"
        )
    write_json("--out", out_path, made.as_json())
    show_summary(Console(), scenario, made, out_path)


def main() -> None:
    """`python -m chubei_cli.plan`."""
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    app.command()(plan)
    try:
        app()
    except CommandError as error:
        sys.stderr.write(f"chubei: {' '.join(str(error).split())}\n")
        sys.exit(2)


if __name__ == "__main__":
    main()
