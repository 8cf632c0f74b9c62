"""The solver's subprocess: it answers in lines, and never outlives who asked."""

import json
import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from chubei_allocation.planner import check, parse_plan, parse_scenario
from chubei_allocation.scenarios import Unplannable, assemble
from chubei_allocation.solving import solver_process
from chubei_allocation.solving.solver_process import SolverProcess
from chubei_allocation.solving.solving import checked
from chubei_shared.contracts.catalogue import Place
from chubei_shared.contracts.incidents import IncidentView
from chubei_shared.contracts.reserves import Snapshot

NOW = datetime.now(UTC)


@pytest.fixture(scope="module")
def scenario(sample):
    points = [
        {
            "shelter_id": shelter.id,
            "subdistrict_id": shelter.subdistrict_id,
            "name_zh": "示例",
            "name_en": "example",
            "people": 100,
            "groups": {},
            "kit_id": sample.kit.id,
        }
        for shelter in sample.network.shelters
    ]
    incident = IncidentView(
        id=uuid4(),
        kind="storm",
        level=1,
        name="示例",
        place="",
        occurred_at=NOW,
        declared_at=NOW,
        declared_by="commander",
        deadline_at=NOW + timedelta(hours=12),
        minutes_left=720,
        exercise=True,
        people=300,
        points=points,
        closures=[],
    )
    places = [
        Place(
            id=name,
            kind="store",
            name_zh=name,
            name_en=name,
            lon=116.3,
            lat=39.9,
            provenance=sample.kit.provenance,
        )
        for name in ("NORTH", "SOUTH", "MAKER")
    ]
    supply = [
        {
            "place_id": "NORTH",
            "item_code": row.code,
            "mode": "physical",
            "quantity": 300,
            "ready_min": 0,
            "from_ids": [],
        }
        for row in sample.items
    ]
    snapshot = Snapshot(
        taken_at=NOW, items=sample.items, kits=sample.kits, places=places, supply=supply, at_points=[]
    )
    return assemble(incident, sample.network, snapshot, "fair", 0)


def messages(scenario, time_limit_s, memory_mib):
    with SolverProcess(scenario, time_limit_s, 0, memory_mib) as solver:
        while True:
            message = solver.message(0.5)
            if message:
                yield message
                if "plan" in message:
                    return


def test_it_tells_its_progress_and_then_a_plan_that_the_checker_accepts(scenario):
    *progress, last = messages(scenario, 1, 4096)
    assert {"phase", "elapsed_s", "utility", "bound", "supported", "people"} == set(progress[-1]["progress"])
    parsed = parse_scenario(scenario)
    plan = parse_plan(last["plan"], parsed)
    assert check(parsed, plan) == []
    assert plan.claims.supported == 300


def test_a_plan_that_breaks_a_rule_or_claims_too_much_is_not_stored(scenario):
    *_, last = messages(scenario, 1, 4096)
    plan = last["plan"]
    assert checked(scenario, plan)["supported"] == 300
    with pytest.raises(Unplannable, match="fails the independent check"):
        checked(scenario, {**plan, "claims": {**plan["claims"], "settled": plan["claims"]["settled"] + 1}})
    plan["trips"][0]["visits"][0]["end"] -= 5
    with pytest.raises(Unplannable, match=r"\[1\]"):
        checked(scenario, plan)


def test_too_little_memory_is_said_and_not_retried_for_ever(scenario):
    with pytest.raises(Unplannable, match=r"memory limit|without an answer"):
        list(messages(scenario, 1, 150))


def test_a_solve_that_overruns_its_limit_is_stopped(scenario, monkeypatch):
    monkeypatch.setattr(solver_process, "_OVERRUN_S", -29.5)  # allow half a second of the thirty
    with pytest.raises(Unplannable, match="overran its limit of 30 s"):
        list(messages(scenario, 30, 4096))


def test_no_process_is_left_when_the_caller_stops_listening(scenario):
    with SolverProcess(scenario, 60, 0, 4096) as solver:
        while solver.message(0.5) is None:
            pass
        pid = solver._child.pid
        assert Path(f"/proc/{pid}").exists()
    assert not Path(f"/proc/{pid}").exists()


PARENT = """
import json, sys
from chubei_allocation.solving.solver_process import SolverProcess
with SolverProcess(json.load(sys.stdin), 60, 0, 4096) as solver:
    while solver.message(0.5) is None:
        pass
    print(solver._child.pid, flush=True)
    while True:
        solver.message(0.5)
"""


def test_the_solver_dies_with_a_worker_that_is_killed(scenario):
    with subprocess.Popen(
        [sys.executable, "-c", PARENT], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as parent:
        parent.stdin.write(json.dumps(scenario))
        parent.stdin.close()
        solver = int(parent.stdout.readline())
        assert alive(solver)
        os.kill(parent.pid, signal.SIGKILL)
        parent.wait()
    until = time.monotonic() + 20
    while alive(solver):
        assert time.monotonic() < until, "the solver outlived its worker"
        time.sleep(0.05)


def alive(pid: int) -> bool:
    """Running: an orphan that nobody reaps is dead too."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0] != "Z"
    except FileNotFoundError:
        return False
