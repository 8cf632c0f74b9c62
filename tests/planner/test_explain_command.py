"""`chubei explain`: what binds and what more would give, on the screen and as JSON; one line where it cannot."""

from __future__ import annotations

import json
import subprocess
import sys
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from chubei_allocation.planner import Advised, Stop, explain, parse_scenario
from chubei_allocation.planner import plan as solve
from chubei_cli.explain_screen import show_advice
from planner_cases import world
from rich.console import Console


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "chubei_cli.main", "explain", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
    )


def files(folder: Path, data: dict[str, Any]) -> tuple[Path, Path]:
    """A scenario and a plan for it."""
    scenario, plan = folder / "scenario.json", folder / "plan.json"
    scenario.write_text(json.dumps(data))
    made = solve(parse_scenario(data), Stop(time_limit_s=None, work_limit=60))
    plan.write_text(json.dumps(made.as_json()))
    return scenario, plan


@pytest.fixture
def held_up(tmp_path: Path) -> tuple[Path, Path]:
    """One dock, loads of an hour: two hundred of six hundred are served."""
    data = world()
    data["sources"][0] |= {"docks": 1, "load_fixed_min": 59}
    return files(tmp_path, data)


def test_it_names_what_binds_and_what_one_more_gives(held_up: tuple[Path, Path], tmp_path: Path) -> None:
    out = tmp_path / "why.json"
    done = run(*held_up, "--work-limit", 60, "--json", out)
    assert done.returncode == 0, done.stderr
    assert "S 装车位" in done.stdout
    assert "● S 多 1 个装车位：约多救助 200 人（±0）" in done.stdout
    assert "1 more dock at S: about 200 more people with basic relief (±0)" in done.stdout
    told = json.loads(out.read_text())
    assert (told["format"], told["scenario"], told["supported"]) == ("planning-explanation/1", "world", 200)
    best = told["advised"]["advice"][0]
    assert best["change"] == {"kind": "docks", "id": "S", "amount": 1}
    assert best["gains"]["supported"] == {"value": 200, "tolerance": 0, "proved": True}


def test_quick_solves_nothing(held_up: tuple[Path, Path], tmp_path: Path) -> None:
    out = tmp_path / "why.json"
    done = run(*held_up, "--quick", "--json", out)
    assert done.returncode == 0
    assert "什么成了约束 / what binds" in done.stdout
    assert "再多一点会怎样" not in done.stdout
    assert "advised" not in json.loads(out.read_text())


def test_where_all_are_served_it_says_so(tmp_path: Path) -> None:
    done = run(*files(tmp_path, world()), "--time-limit", 5)
    assert done.returncode == 0
    assert "没有资源成为约束" in done.stdout
    assert "nothing binds" in done.stdout


def test_a_plan_of_another_scenario_is_one_line(held_up: tuple[Path, Path]) -> None:
    scenario, plan = held_up
    data = json.loads(scenario.read_text())
    data["supply"][0]["quantity"] = 1
    scenario.write_text(json.dumps(data))
    done = run(scenario, plan)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "plan.json" in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize("node", ["S", "S9"])
def test_a_plan_that_says_it_is_of_another_scenario_is_refused(held_up: tuple[Path, Path], node: str) -> None:
    """Whether or not its trips would fit: that line comes before any of places unknown here."""
    scenario, plan = held_up
    data = json.loads(plan.read_text())
    data["scenario"] = "elsewhere"
    data["trips"][0]["visits"][0]["node"] = node
    plan.write_text(json.dumps(data))
    done = run(scenario, plan, "--quick")
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "计划属于情景 elsewhere，这里的情景是 world" in done.stderr
    assert "the plan is of scenario elsewhere, this is world" in done.stderr


def test_a_demand_that_is_not_met_is_told_without_noughts(tmp_path: Path) -> None:
    data = world()
    data["items"].append(data["items"][0] | {"id": "pump", "name_zh": "泵", "name_en": "pump"})
    data["demands"] = [{"point": "P", "item": "pump", "units": 50, "by_min": 180, "worth": 9}]
    done = run(*files(tmp_path, data), "--quick")
    assert "  P: 缺 / short of 泵 pump 50\n" in done.stdout


def test_a_solve_that_falls_short_of_the_plan_is_said_to() -> None:
    scenario = parse_scenario(world())
    found = explain(scenario, solve(scenario, Stop(time_limit_s=None, work_limit=60)).trips)
    told = {}
    for utility in (1.0, 0.9):
        base = {"supported": 600.0, "settled": 600.0, "utility": utility}
        screen = Console(file=StringIO(), width=200)
        show_advice(screen, Advised((0,), (base,), base, (), cut_short=False), found)
        told[utility] = screen.file.getvalue()  # type: ignore[attr-defined]
    assert "fell short of the plan shown" not in told[1.0]
    assert "不是比这份计划多" in told[0.9]
    assert "fell short of the plan shown" in told[0.9]


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["--time-limit", "-1"], "--time-limit"),
        (["--work-limit", "0"], "--work-limit"),
        (["--seed", "-1"], "--seed"),
        (["--json", "none/why.json"], "--json"),
    ],
)
def test_a_wrong_option_is_one_line(held_up: tuple[Path, Path], arguments: list[str], named: str) -> None:
    done = run(*held_up, *arguments)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert named in done.stderr


def test_neither_input_is_written_over(held_up: tuple[Path, Path]) -> None:
    for path in held_up:
        before = path.read_text()
        done = run(*held_up, "--quick", "--json", path)
        assert done.returncode == 2
        assert path.read_text() == before
