"""`chubei plan`: a file in, a file out; what is wrong is one line, exit code 2, and no file."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from io import StringIO
from pathlib import Path

import pytest
from chubei_allocation.planner import Progress, parse_plan, parse_scenario
from chubei_cli.plan_screen import SolveBar
from planner_cases import plain
from rich.console import Console

from tests.bench.generate import make


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "chubei_cli.plan", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def scenario(tmp_path: Path) -> Path:
    path = tmp_path / "scenario.json"
    path.write_text(json.dumps(plain()))
    return path


def test_it_writes_a_plan_and_says_what_it_reaches(scenario: Path, tmp_path: Path) -> None:
    first, second = tmp_path / "first.json", tmp_path / "second.json"
    done = run(scenario, "--out", first, "--work-limit", 60)
    assert done.returncode == 0
    assert "基本救助 / basic relief" in done.stdout
    stored = json.loads(first.read_text())
    assert stored["format"] == "planning-plan/1"
    again = run(scenario, "--out", second, "--work-limit", 60, "--previous", first)
    assert again.returncode == 0
    told = json.loads(second.read_text())
    assert told["trips"] == stored["trips"]
    assert told["changes"] == {"kept": len(stored["trips"]), "changed": 0, "dropped": 0, "new": 0}


def test_the_same_work_and_seed_write_the_same_file(scenario: Path, tmp_path: Path) -> None:
    outs = [tmp_path / "one.json", tmp_path / "other.json"]
    for out in outs:
        assert run(scenario, "--out", out, "--work-limit", 500, "--seed", 7).returncode == 0
    assert outs[0].read_bytes() == outs[1].read_bytes()
    assert parse_plan(json.loads(outs[0].read_text()), parse_scenario(plain())).solver.elapsed_s is None


def test_trips_to_what_the_scenario_has_lost_are_dropped(scenario: Path, tmp_path: Path) -> None:
    first, second = tmp_path / "first.json", tmp_path / "second.json"
    assert run(scenario, "--out", first, "--work-limit", 60).returncode == 0
    old = json.loads(first.read_text())
    for trip in old["trips"]:
        trip["vehicle"] = trip["vehicle"].replace("#", "-sold#")
        trip["visits"][-1]["node"] = "closed since"
    first.write_text(json.dumps(old))
    again = run(scenario, "--out", second, "--work-limit", 60, "--previous", first)
    assert again.returncode == 0, again.stderr
    told = json.loads(second.read_text())
    assert told["changes"] == {
        "kept": 0,
        "changed": 0,
        "dropped": len(old["trips"]),
        "new": len(told["trips"]),
    }


def test_what_is_short_is_told_by_name_and_nothing_of_what_there_is_none_of(tmp_path: Path) -> None:
    scenario = tmp_path / "scenario.json"
    scenario.write_text(json.dumps({**plain(), "vehicles": [], "committed": []}))
    done = run(scenario, "--out", tmp_path / "plan.json", "--work-limit", 10)
    assert done.returncode == 0, done.stderr
    assert "缺 / short of 水 water" in done.stdout
    assert "床 bed" in done.stdout
    assert "最紧的资源" not in done.stdout


def test_the_bar_says_what_its_figures_are_on_a_narrow_terminal() -> None:
    screen = StringIO()
    with SolveBar(Console(file=screen, force_terminal=True, width=80), "district-1", 10) as bar:
        bar.update(Progress("improve", 5, 0.7748, 9512, 11000, 0.9))
    assert "9,512/11,000 人 / people" in screen.getvalue()
    assert "效用 / utility 0.7748 ≤ 上界 / bound 0.9000" in screen.getvalue()


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("{", "line 1 column 2"),
        ('{"a": NaN}', "NaN"),
        (json.dumps({**plain(), "deadline_min": -1}), "deadline_min"),
        (json.dumps({**plain(), "items": plain()["items"] * 2}), "items[5]"),
    ],
)
def test_a_broken_scenario_is_one_line(tmp_path: Path, text: str, place: str) -> None:
    path, out = tmp_path / "scenario.json", tmp_path / "plan.json"
    path.write_text(text)
    done = run(path, "--out", out)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert place in done.stderr
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("limit", ["0", "-1", "nan", "inf"])
def test_a_time_limit_must_be_a_time(scenario: Path, tmp_path: Path, limit: str) -> None:
    done = run(scenario, "--out", tmp_path / "plan.json", "--time-limit", limit)
    assert done.returncode == 2
    assert "--time-limit" in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_folder_that_is_not_there_is_refused_at_once(scenario: Path, tmp_path: Path) -> None:
    done = run(scenario, "--out", tmp_path / "none" / "plan.json")
    assert done.returncode == 2
    assert "--out" in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_name_that_is_too_long_is_refused_at_once(scenario: Path, tmp_path: Path) -> None:
    done = run(scenario, "--out", tmp_path / ("x" * 251 + ".json"), "--time-limit", 3600)
    assert done.returncode == 2
    assert "--out" in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_who_is_asked_to_end_writes_what_was_found(tmp_path: Path, number: signal.Signals) -> None:
    scenario, out = tmp_path / "district.json", tmp_path / "plan.json"
    scenario.write_text(json.dumps(make("district", 0)))
    command = [sys.executable, "-m", "chubei_cli.plan", scenario, "--out", out, "--time-limit", "3600"]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as process:
        while not caught(process.pid) >> (signal.SIGTERM - 1) & 1 and process.poll() is None:
            time.sleep(0.05)  # it listens from when it solves on
        process.send_signal(number)
    assert process.returncode == 0
    assert json.loads(out.read_text())["solver"]["status"] == "stopped"


def caught(pid: int) -> int:
    """The signals that a process has handlers for, a bit each."""
    told = Path(f"/proc/{pid}/status").read_text()
    return int(told.split("SigCgt:")[1].split()[0], 16)


def test_neither_the_scenario_nor_a_device_is_replaced_by_a_plan(scenario: Path, tmp_path: Path) -> None:
    pipe, link = tmp_path / "pipe", tmp_path / "link.json"
    os.mkfifo(pipe)
    link.symlink_to(scenario)
    for out in (scenario, link, pipe):
        done = run(scenario, "--out", out, "--work-limit", 1)
        assert done.returncode == 2, out
        assert "--out" in done.stderr
        assert done.stderr.count("\n") == 1
    assert json.loads(scenario.read_text()) == plain()
    assert pipe.is_fifo()


def test_a_scenario_that_is_not_there_is_refused(tmp_path: Path) -> None:
    done = run(tmp_path / "none.json", "--out", tmp_path / "plan.json")
    assert done.returncode == 2
    assert "none.json" in done.stderr
    assert done.stderr.count("\n") == 1
