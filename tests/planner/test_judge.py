"""Where the judge of the planning problem is at hand: it accepts our plans, and our checker agrees with it."""

from __future__ import annotations

import importlib.util
import json
import random
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from chubei_allocation.planner import Stop, judge, parse_scenario, parse_trips, plan

PLANNING = Path(__file__).resolve().parents[3] / "shared" / "planning"
INSTANCES = sorted((PLANNING / "instances").glob("*.json"))
GREEDY = {
    "district-1": 0.425,
    "district-fleet-1": 0.320,
    "district-supply-1": 0.521,
    "district-docks-1": 0.518,
    "district-matrix-1": 0.359,
    "planted-1": 0.999,
}


def judge_module() -> ModuleType:
    spec = importlib.util.spec_from_file_location("verify", PLANNING / "verify.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def corrupted(stored: dict[str, Any], rng: random.Random) -> dict[str, Any]:
    """The plan with a few numbers of its trips changed."""
    for _ in range(rng.randint(1, 6)):
        visit = rng.choice(rng.choice(stored["trips"])["visits"])
        if rng.random() < 0.5:
            visit[rng.choice(["arrive", "start", "end"])] += rng.randint(-30, 30)
        else:
            goods = visit.get("load") or visit["deliver"]
            goods[rng.choice(list(goods))] += rng.randint(1, 40)
        visit["arrive"], visit["start"] = max(0, visit["arrive"]), max(0, visit["start"])
        visit["end"] = max(visit["start"], visit["end"])
    return stored


@pytest.mark.parametrize("path", INSTANCES, ids=lambda path: path.stem)
def test_the_judge_accepts_and_the_checker_agrees(path: Path) -> None:
    verify, data = judge_module(), json.loads(path.read_text())
    scenario = parse_scenario(data)
    found = plan(scenario, Stop(time_limit_s=None, work_limit=700))
    bad, figures, _ = verify.score(data, json.loads(json.dumps(found.as_json())))
    assert bad == []
    assert figures["utility"] > GREEDY.get(path.stem, 0.0)
    rng = random.Random(path.stem)  # noqa: S311
    for _ in range(1 if path.stem.startswith("city") else 8):
        stored = corrupted(json.loads(json.dumps(found.as_json())), rng)
        bad, figures, _ = verify.score(data, stored)
        ours = judge(scenario, parse_trips(stored, scenario))
        real = [line for line in bad if not line.startswith("claims")]
        assert bool(ours.violations) == bool(real)
        assert ours.figures.supported == figures["supported"]
        assert ours.figures.settled == figures["settled"]
        assert ours.figures.utility == pytest.approx(figures["utility"], abs=1e-6)
        assert ours.figures.mean_wait_min == pytest.approx(figures["mean_wait_min"], abs=2e-3)
