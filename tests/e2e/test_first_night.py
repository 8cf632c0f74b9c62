"""The first night, end to end: the demo as a newcomer runs it, with all processes of `chubei up`, over HTTP."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

JUDGE = Path(__file__).parents[3] / "shared" / "planning" / "verify.py"


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The demo's results, and what it said."""
    out = tmp_path_factory.mktemp("night")
    run = subprocess.run(
        [Path(sys.executable).with_name("chubei"), "demo", "--out", out],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    return out, run.stdout


def test_everyone_is_served_and_the_books_balance(night: tuple[Path, str]) -> None:
    out, said = night
    summary = json.loads((out / "summary.json").read_text())
    assert summary["people"] == summary["served"] == 11_063
    assert summary["served_by_hour"][-1] == 11_063
    assert summary["books"]["faults"] == []
    assert summary["damaged"] > 0
    assert summary["exercise"] is True
    for words in ("推演", "OpenStreetMap", "账平", "最紧的资源", "来源"):
        assert words in said


def test_what_was_received_is_what_was_planned(night: tuple[Path, str]) -> None:
    """Every delivery came as planned but for two beds, which are not basic relief."""
    summary = json.loads((night[0] / "summary.json").read_text())
    assert summary["served_by_hour"] == summary["planned_by_hour"]


@pytest.mark.skipif(not JUDGE.exists(), reason="the judge is not part of the product")
def test_the_judge_accepts_the_plan(night: tuple[Path, str]) -> None:
    out, _ = night
    judged = subprocess.run(
        [sys.executable, JUDGE, out / "scenario.json", out / "plan.json"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert judged.returncode == 0, judged.stderr
    figures = json.loads(judged.stdout)
    assert figures["violations"] == 0
    assert figures["supported"] == figures["people"] == 11_063


def test_preplaced_stock_is_at_most_a_tenth_of_need(night: tuple[Path, str]) -> None:
    scenario = json.loads((night[0] / "scenario.json").read_text())
    per_person = {
        (kit["id"], need["item"]): need["per_person"]
        for kit in scenario["kits"]
        for need in kit["needs"]
        if "group" not in need or need["group"] is None
    }
    for point in scenario["points"]:
        for item, units in point.get("on_hand", {}).items():
            assert units <= 0.1 * point["people"] * per_person[point["kit"], item]
