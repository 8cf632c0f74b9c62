"""`chubei plan`: from a scenario file to a plan file, offline, with no service or database."""

from __future__ import annotations

import json
import math
import os
import signal
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer
from chubei_allocation.planner import (
    DEFAULT_TIME_LIMIT_S,
    Plan,
    Scenario,
    ScenarioError,
    Stop,
    Trip,
    changes,
    check,
    load_json,
    parse_scenario,
    parse_trips,
)
from chubei_allocation.planner import plan as solve
from rich.console import Console

from .errors import CommandError
from .plan_screen import SolveBar, show_summary

LONGEST_S = 7 * 24 * 3600.0


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
            help=f"求解秒数 / seconds to solve (default: {DEFAULT_TIME_LIMIT_S:g}; none with --work-limit)",
        ),
    ] = None,
    seed: Annotated[int, typer.Option("--seed", help="随机种子 / seed of the search")] = 0,
    previous_path: Annotated[
        Path | None,
        typer.Option("--previous", metavar="PLAN.json", help="与此计划比较 / compare with this plan"),
    ] = None,
    work_limit: Annotated[
        int | None,
        typer.Option(
            "--work-limit",
            metavar="N",
            help="工作量上限：可复现 / trips to try: the same work, the same plan",
        ),
    ] = None,
) -> None:
    """为一个情景求计划 / plan for a scenario: trips that bring most people relief in time, with a proven bound."""
    stop = _stop(time_limit_s, work_limit)
    if not 0 <= seed < 2**63:
        raise CommandError(f"--seed {seed} 超出范围，请填 0 或正整数 / is out of range: give 0 or more")
    scenario = _read_scenario(scenario_path)
    previous = _read_previous(previous_path, scenario) if previous_path else None
    _writable(out_path, scenario_path)
    console = Console(stderr=True)
    with _interruptible() as asked, SolveBar(console, scenario.name, stop.time_limit_s) as bar:
        made = solve(scenario, replace(stop, should_stop=asked.is_set), seed, bar.update)
    if previous is not None:
        made = replace(made, changes=changes(scenario, previous, made.trips))
    if wrong := check(scenario, made):
        raise CommandError(
            f"计划未过独立检查，未写出 / the checker refused the plan, nothing written: {wrong[0]}"
        )
    _write(out_path, made)
    show_summary(Console(), scenario, made, out_path)


def _stop(time_limit_s: float | None, work_limit: int | None) -> Stop:
    if work_limit is not None and work_limit < 1:
        raise CommandError(f"--work-limit {work_limit}：请填正整数 / give a whole number of 1 or more")
    if time_limit_s is None:
        return Stop(None if work_limit else DEFAULT_TIME_LIMIT_S, work_limit)
    if not (math.isfinite(time_limit_s) and 0 < time_limit_s <= LONGEST_S):
        raise CommandError(
            f"--time-limit {time_limit_s:g}：请填大于 0 的秒数 / give seconds above 0, at most {LONGEST_S:g}"
        )
    return Stop(time_limit_s, work_limit)


def _read(path: Path) -> object:
    try:
        return load_json(path.read_bytes(), str(path))
    except OSError as error:
        raise CommandError(
            f"{path}：读不了，请检查路径 / cannot be read ({error.strerror}); check the path"
        ) from None
    except ScenarioError as error:
        raise CommandError(str(error)) from None


def _read_scenario(path: Path) -> Scenario:
    try:
        return parse_scenario(_read(path))
    except ScenarioError as error:
        raise CommandError(f"{path}: {error}") from None


def _read_previous(path: Path, scenario: Scenario) -> tuple[Trip, ...]:
    try:
        return parse_trips(_read(path), scenario)
    except ScenarioError as error:
        raise CommandError(f"{path}: {error}") from None


def _writable(path: Path, scenario_path: Path) -> None:
    """Refuse a place where no file can be put, or none should be, before any time is spent."""
    folder = path.parent
    if path.exists() and path.samefile(scenario_path):
        raise CommandError(
            f"--out {path}：这是情景文件，请换一个文件名 / is the scenario itself; name another file"
        )
    special = path.exists() and not path.is_file()  # a folder, or /dev/null: never replaced by a plan
    if special or not folder.is_dir() or not os.access(folder, os.W_OK):
        raise CommandError(
            f"--out {path}：不能写到这里，请换一个已有且可写的文件夹 / "
            "cannot be written there; name a file in an existing, writable folder"
        )


def _write(path: Path, made: Plan) -> None:
    """Write the whole file or nothing."""
    temporary = ""
    try:
        with tempfile.NamedTemporaryFile(
            "w", dir=path.parent, prefix=f".{path.name}.", encoding="utf-8", delete=False
        ) as file:
            temporary = file.name
            json.dump(made.as_json(), file, ensure_ascii=False, allow_nan=False)
            file.write("\n")
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except OSError as error:
        if temporary:
            Path(temporary).unlink(missing_ok=True)
        raise CommandError(
            f"--out {path}：写不了，请检查磁盘和权限 / cannot be written ({error.strerror}); check disk and rights"
        ) from None


@contextmanager
def _interruptible() -> Iterator[threading.Event]:
    """Ctrl-C ends the solve, and the best plan so far is written; a second Ctrl-C ends the command."""
    asked = threading.Event()

    def ask(_number: int, _frame: object) -> None:
        if asked.is_set():
            raise KeyboardInterrupt
        asked.set()

    before = signal.signal(signal.SIGINT, ask)
    try:
        yield asked
    finally:
        signal.signal(signal.SIGINT, before)


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
