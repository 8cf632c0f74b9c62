"""`chubei explain`: what binds and what more would give, on the screen and as JSON; one line where it cannot."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from chubei_allocation.planner import Stop, parse_scenario
from chubei_allocation.planner import plan as solve
from planner_cases import world


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
