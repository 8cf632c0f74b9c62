"""Plan requests: jobs in PostgreSQL that a worker takes up, checks and stores, whatever happens on the way."""

import json
import subprocess
import sys
import threading
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from chubei_allocation import sweeping, tables
from chubei_allocation.scenarios import digest
from chubei_allocation.solving import solving
from chubei_shared import jobs
from chubei_shared.contracts.plans import PlanRequest, PlanStatus
from chubei_shared.errors import Conflict, Forbidden, Invalid, NotFound
from chubei_shared.tokens import Role
from sqlalchemy import text

from tests.effort import EFFORT

JUDGE = Path(__file__).parents[3] / "shared" / "planning" / "verify.py"


def test_a_request_leads_to_a_checked_plan(stocked, tmp_path):
    incident = stocked.declare()
    request_id = stocked.request(incident)
    assert stocked.commander.plan_request(request_id).status == "queued"
    told = stocked.solve(request_id)
    state = stocked.commander.plan_request(request_id)
    assert (state.status, state.attempts, state.error) == ("done", 1, None)
    assert told[-1]["request_id"] == str(request_id)
    assert told[-1]["supported"] <= told[-1]["people"] == 300

    plan = stocked.commander.plan(state.plan_id)
    assert (plan.status, plan.people, plan.supported, plan.settled) == (PlanStatus.PROPOSED, 300, 300, 300)
    assert plan.snapshot_hash == digest(plan.scenario)
    assert plan.objective == 1.0 == plan.bound
    assert plan.solver_status in ("optimal", "feasible")
    assert plan.served_by_hour[0] == 0
    assert plan.served_by_hour == sorted(plan.served_by_hour)
    assert plan.served_by_hour[-1] == 300
    assert len(plan.served_by_hour) == 13
    shares = [row.used_share for row in plan.tightest]
    assert shares == sorted(shares, reverse=True)
    assert any(row.name_zh.startswith("示例") for row in plan.tightest)
    assert [one.id for one in stocked.commander.plans(incident.id)] == [plan.id]
    if JUDGE.exists():  # the judge of the planning problem, where it is at hand
        files = [tmp_path / "scenario.json", tmp_path / "plan.json"]
        for file, body in zip(files, (plan.scenario, plan.plan), strict=True):
            file.write_text(json.dumps(body))
        subprocess.run([sys.executable, str(JUDGE), *map(str, files)], check=True)


def test_the_plan_draws_on_the_agreement_where_the_shelf_is_not_enough(stocked):
    plan = stocked.proposed()
    taken = {}
    for trip in plan.plan["trips"]:
        for visit in trip["visits"]:
            for item, units in visit.get("load", {}).items():
                taken[visit["node"], item] = taken.get((visit["node"], item), 0) + units
    water = {place: units for (place, item), units in taken.items() if item == "1020101"}
    assert sum(water.values()) == 300
    assert water[stocked.supplier] >= 100


def test_what_is_asked_by_work_comes_out_the_same_once_more(stocked):
    incident = stocked.declare()
    first, again = (stocked.request(incident) for _ in range(2))
    trips = []
    for request_id in (first, again):
        stocked.solve(request_id)
        state = stocked.commander.plan_request(request_id)
        assert state.work_limit == EFFORT["work_limit"]
        trips.append(stocked.commander.plan(state.plan_id).plan["trips"])
    assert trips[0] == trips[1]


def test_the_same_request_again_is_the_same_and_another_body_is_not(district):
    incident = district.declare()
    body = PlanRequest(id=uuid4(), incident_id=incident.id, now_min=0)
    first, again = (district.commander.request_plan(body) for _ in range(2))
    assert (again.id, again.created_at, again.time_limit_s) == (first.id, first.created_at, 1)
    with pytest.raises(Conflict, match="mint a new one"):
        district.commander.request_plan(body.model_copy(update={"seed": 7}))
    assert len(list(district.commander.plan_requests(incident.id))) == 1


def test_a_request_that_can_not_lead_to_a_plan_is_refused_at_once(district):
    live = district.declare(exercise=False, hours_ago=1)
    over = district.declare(exercise=False, hours_ago=13)
    for incident_id, now_min, error, told in (
        (live.id, 5, Invalid, "only an exercise may choose it"),
        (over.id, None, Invalid, "deadline, minute 720, has passed"),
        (district.declare().id, 720, Invalid, "deadline, minute 720, has passed"),
        (uuid4(), None, NotFound, "no incident"),
    ):
        with pytest.raises(error, match=told):
            district.commander.request_plan(PlanRequest(id=uuid4(), incident_id=incident_id, now_min=now_min))


@pytest.mark.parametrize("role", [Role.CLERK, Role.APPROVER, Role.AUDITOR, Role.ADMIN])
def test_only_the_commander_asks_and_cancels(district, role):
    request_id = district.request(district.declare())
    other = district.house.as_(role)
    with pytest.raises(Forbidden):
        other.request_plan(PlanRequest(id=uuid4(), incident_id=uuid4()))
    with pytest.raises(Forbidden):
        other.cancel_request(request_id)
    assert other.plan_request(request_id).status == "queued"


def test_a_live_plan_begins_now(stocked):
    incident = stocked.declare(exercise=False, hours_ago=1)
    body = PlanRequest(id=uuid4(), incident_id=incident.id, **EFFORT)
    stocked.commander.request_plan(body)
    stocked.solve(body.id)
    plan = stocked.commander.plan(stocked.commander.plan_request(body.id).plan_id)
    assert plan.scenario["now_min"] in (60, 61, 62)
    starts = [visit["start"] for trip in plan.plan["trips"] for visit in trip["visits"]]
    assert min(starts) >= plan.scenario["now_min"]


def test_a_cancelled_request_is_not_taken_up(stocked):
    request_id = stocked.request(stocked.declare())
    for _ in range(2):
        assert stocked.commander.cancel_request(request_id).status == "cancelled"
    assert stocked.solve(request_id) == []
    assert list(stocked.commander.plans()) == []


def test_cancelling_stops_a_solve_under_way(stocked):
    incident = stocked.declare()
    request_id = uuid4()
    stocked.commander.request_plan(
        PlanRequest(id=request_id, incident_id=incident.id, time_limit_s=600, now_min=0)
    )
    running = threading.Event()
    worker = threading.Thread(
        target=solving.solve,
        args=(stocked.house.tx, stocked.house.gate, request_id, 4096, lambda _: running.set()),
    )
    worker.start()
    assert running.wait(60), stocked.commander.plan_request(request_id)
    stocked.commander.cancel_request(request_id)
    worker.join(60)
    assert not worker.is_alive()
    state = stocked.commander.plan_request(request_id)
    assert (state.status, state.plan_id) == ("cancelled", None)


def test_what_is_over_can_not_be_cancelled(stocked):
    plan = stocked.proposed()
    with pytest.raises(Conflict, match="is over"):
        stocked.commander.cancel_request(plan.request_id)


def test_a_request_waits_for_inventory_and_fails_at_last_with_the_reason(stocked, monkeypatch):
    monkeypatch.setattr(solving, "_SNAPSHOT_PAUSES_S", (0.01,))
    house = stocked.house
    request_id = stocked.request(stocked.declare())
    for attempt in range(1, jobs.MAX_ATTEMPTS + 1):
        solving.solve(house.tx, house.lost_gate, request_id, 4096, print)
        state = stocked.commander.plan_request(request_id)
        assert (state.status, state.attempts) == ("running", attempt)
        assert "inventory is away" in state.error
        let_the_lease_run_out(house, request_id)
    assert house.tx(woken) == [str(request_id)]
    solving.solve(house.tx, house.lost_gate, request_id, 4096, print)
    state = stocked.commander.plan_request(request_id)
    assert state.status == "failed"
    assert "inventory is away" in state.error


def test_a_request_goes_on_when_inventory_is_back(stocked, monkeypatch):
    monkeypatch.setattr(solving, "_SNAPSHOT_PAUSES_S", ())
    request_id = stocked.request(stocked.declare())
    solving.solve(stocked.house.tx, stocked.house.lost_gate, request_id, 4096, print)
    let_the_lease_run_out(stocked.house, request_id)
    stocked.solve(request_id)
    state = stocked.commander.plan_request(request_id)
    assert (state.status, state.attempts, state.error) == ("done", 2, None)


def test_a_worker_that_lost_its_lease_can_store_nothing(stocked):
    house = stocked.house
    request_id = stocked.request(stocked.declare())
    slow = house.tx(jobs.claim, tables.PlanRequest, request_id, timedelta(seconds=15))
    let_the_lease_run_out(house, request_id)
    stocked.solve(request_id)
    house.tx(solving._fail, slow, "too late")
    assert stocked.commander.plan_request(request_id).status == "done"


def test_a_scenario_that_can_not_be_made_fails_in_words(stocked):
    homeless = stocked.network().shelters[0].model_copy(update={"kit_id": "no-such-kit"})
    stocked.commander.put_shelter(homeless)
    request_id = stocked.request(stocked.declare())
    stocked.solve(request_id)
    state = stocked.commander.plan_request(request_id)
    assert state.status == "failed"
    assert "inventory has no kit no-such-kit" in state.error


def let_the_lease_run_out(house, request_id):
    house.tx(
        lambda session: session.execute(
            text("UPDATE plan_request SET lease_until = now() - interval '1 second' WHERE id = :id"),
            {"id": request_id},
        )
    )


def woken(session) -> list[str]:
    """The requests that one sweep wakes workers for."""
    session.execute(text("DELETE FROM outbox"))
    sweeping.wake_stranded(session)
    return [
        row.body["args"][0] for row in session.execute(text("SELECT topic, body FROM outbox ORDER BY id"))
    ]


def test_a_plan_names_the_catalogue_that_it_was_made_under(stocked, sample):
    plan = stocked.proposed()
    books, version = stocked.books, plan.catalogue_version
    assert version == plan.scenario["catalogue_version"] == books.catalogue_versions(limit=1).rows[0].number
    quilt = next(item for item in books.items(limit=500).rows if item.code == sample.quilt)
    try:
        books.put_item(quilt.model_copy(update={"weight_g": 2 * quilt.weight_g}), "*")
        then = next(
            item for item in books.items(limit=500, version=version).rows if item.code == sample.quilt
        )
        planned = next(
            item for item in stocked.commander.plan(plan.id).scenario["items"] if item["id"] == sample.quilt
        )
        assert then == quilt
        assert planned["weight_kg"] == then.weight_g / 1000
    finally:
        books.put_item(quilt, "*")
