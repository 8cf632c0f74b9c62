"""What a worker does with a plan request: snapshot, solve, check, store. Every write names the fence it holds."""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from chubei_shared import jobs, outbox
from chubei_shared.contracts.incidents import IncidentView
from chubei_shared.contracts.plans import PlanRequest, PlanStatus
from chubei_shared.contracts.reserves import Snapshot
from chubei_shared.db import Transactions
from chubei_shared.errors import AppError, Unavailable
from chubei_shared.telemetry import log
from sqlalchemy.orm import Session

from chubei_allocation import needs, scenarios, tables
from chubei_allocation.call_out import sheets
from chubei_allocation.confirmations import confirmations
from chubei_allocation.deviations import deviations
from chubei_allocation.exercise_books import books
from chubei_allocation.given import InForce
from chubei_allocation.incidents import incidents
from chubei_allocation.inventory_gate import InventoryGate
from chubei_allocation.network import network
from chubei_allocation.planner import (
    Plan,
    Scenario,
    ScenarioError,
    Tightness,
    check,
    judge,
    parse_plan,
    parse_scenario,
    parse_trips,
    served_by_hour,
    tightest,
)
from chubei_allocation.plans import plan_requests, variants
from chubei_allocation.replanning import differences, in_force
from chubei_allocation.scenarios import Unplannable
from chubei_allocation.solving.solver_process import SolverProcess
from chubei_allocation.turnout import Turnout

LEASE = timedelta(seconds=15)
_RENEW_EVERY_S = 1.0
_SNAPSHOT_PAUSES_S = (0.5, 1.0, 2.0, 4.0)
_TIGHTEST_OF_A_KIND = 6
Report = Callable[[dict[str, Any]], None]


class Lost(Exception):
    """The job is no longer ours: cancelled, or taken over after our lease ran out."""


def solve(
    tx: Transactions, inventory: InventoryGate, request_id: UUID, memory_mib: int, report: Report
) -> None:
    """Work on a request, unless somebody else does or it is over. `report` is told of progress.

    A request whose inventory can not be reached is left to its lease: the sweeper sends it round again.
    """
    job = tx(jobs.claim, tables.PlanRequest, request_id, LEASE)
    if job is None:
        return
    if job.attempts > jobs.MAX_ATTEMPTS:
        tx(_fail, job, job.error or f"{jobs.MAX_ATTEMPTS} 次尝试均中断 / every try was cut off by a crash")
        return
    try:
        scenario = _scenario(tx, inventory, job)
        plan = _solve(tx, job, scenario, memory_mib, report)
        found = checked(scenario, plan) | _changed(scenario, plan)
    except Lost:
        log.info("plan request dropped", extra={"request_id": str(request_id)})
    except (Unplannable, ScenarioError) as error:
        tx(_fail, job, str(error))
    except AppError as error:
        text = f"库存服务不可用 / inventory is away: {error.detail_en}"
        tx(jobs.renew, job, LEASE, error=text)
        log.warning("plan request waits", extra={"request_id": str(request_id), "error": text})
    else:
        tx(_propose, job, plan, {**found, "snapshot_hash": scenarios.digest(scenario)})


def _scenario(tx: Transactions, inventory: InventoryGate, job: tables.PlanRequest) -> dict[str, Any]:
    """Take a snapshot, with the plan in force if there is one, make the scenario of it, and keep that."""
    incident = tx(incidents.current, job.incident_id)
    now_min = plan_requests.minutes_since(incident.occurred_at) if job.now_min is None else job.now_min
    replaced, snapshot = _snapshot(tx, inventory, job, incident.deadline_at, now_min)
    _open_places(tx, inventory, job, incident, snapshot)
    scenario = scenarios.assemble(
        incident,
        tx(network.read_network),
        snapshot,
        job.policy,
        now_min,
        conditions=tx(deviations.conditions, job.incident_id, incident.closures),
        in_force=replaced,
        there=Turnout(tx(sheets.turned_out, job.incident_id), tx(confirmations.replies, job.incident_id)),
    )
    asked = PlanRequest.model_validate(job.body)
    scenario = variants.varied(scenario, asked.modes, asked.assume)
    parsed = parse_scenario(scenario)  # what the planner would refuse is said before it is asked
    if replaced:
        parse_trips(scenario["previous"], parsed)
    if not tx(jobs.renew, job, LEASE, scenario=scenario, error=None):
        raise Lost
    return scenario


def _open_places(
    tx: Transactions,
    inventory: InventoryGate,
    job: tables.PlanRequest,
    incident: IncidentView,
    snapshot: Snapshot,
) -> None:
    """Tell inventory of sites that are the incident's own, so that what the plan brings there can be received."""
    if places := needs.places_to_open(incident, snapshot.places):
        with books.of(tx, inventory, job.incident_id, job.requested_by) as client:
            for place in places:
                client.put_place(place)


def _snapshot(
    tx: Transactions, inventory: InventoryGate, job: tables.PlanRequest, deadline_at: datetime, now_min: int
) -> tuple[InForce | None, Snapshot]:
    """What inventory has, of lots that last until the deadline, and the plan to replace, as it stands at that moment.

    Raises Unavailable after a few tries.
    """
    for pause_s in (*_SNAPSHOT_PAUSES_S, None):
        if not tx(jobs.renew, job, LEASE):
            raise Lost
        try:
            if job.replaces:
                return in_force.read(tx, inventory, job.requested_by, job.replaces, now_min)
            with books.of(tx, inventory, job.incident_id, job.requested_by) as client:
                return None, client.snapshot(needed_by=deadline_at)
        except Unavailable:
            if pause_s is None:
                raise
            time.sleep(pause_s)
    raise AssertionError("unreachable")


def _solve(
    tx: Transactions, job: tables.PlanRequest, scenario: dict[str, Any], memory_mib: int, report: Report
) -> dict[str, Any]:
    """The planning-plan/1 that the subprocess finds. Raises Unplannable, or Lost once the job is not ours."""
    progress, asked = job.progress, PlanRequest.model_validate(job.body)
    renewed = time.monotonic()
    with SolverProcess(scenario, job.time_limit_s, job.seed, memory_mib, asked.work_limit) as solver:
        while True:
            message = solver.message(_RENEW_EVERY_S / 2)
            if message and "plan" in message:
                plan: dict[str, Any] = message["plan"]
                return plan
            if message:
                progress = message["progress"]
                report(
                    {"request_id": str(job.id), "incident_id": str(job.incident_id), **message["progress"]}
                )
            if time.monotonic() - renewed >= _RENEW_EVERY_S:
                renewed = time.monotonic()
                if not tx(jobs.renew, job, LEASE, progress=progress):
                    raise Lost


def checked(scenario_json: dict[str, Any], plan_json: dict[str, Any]) -> dict[str, Any]:
    """The columns of a plan that the independent checker accepts, with its figures. Raises Unplannable."""
    scenario = parse_scenario(scenario_json)
    plan = parse_plan(plan_json, scenario)
    if violations := check(scenario, plan):
        told = "; ".join(str(violation) for violation in violations[:10])
        raise Unplannable(
            f"方案未通过独立检查({len(violations)} 处)/ the plan fails the independent check: {told}"
        )
    figures = judge(scenario, plan.trips).figures
    return {
        "seed": plan.solver.seed,
        "solver_status": plan.solver.status,
        "objective": figures.utility,
        "bound": plan.claims.utility_bound,
        "people": figures.people,
        "supported": figures.supported,
        "settled": figures.settled,
        "mean_wait_min": figures.mean_wait_min,
        "served_by_hour": [served for _, served in served_by_hour(scenario, plan)],
        "tightest": [_named(row, scenario_json) for row in _tightest_of_each_kind(scenario, plan)],
    }


def _changed(scenario: dict[str, Any], plan: dict[str, Any]) -> dict[str, Any]:
    """Of a replan, what becomes of each trip not yet begun."""
    rows = differences.differences(scenario, plan) if "previous" in scenario else []
    return {"changes": [row.model_dump(mode="json") for row in rows]}


def _tightest_of_each_kind(scenario: Scenario, plan: Plan) -> Iterator[Tightness]:
    """So that docks are seen beside a dozen items that run out."""
    shown: Counter[str] = Counter()
    for row in tightest(scenario, plan):
        shown[row.kind] += 1
        if shown[row.kind] <= _TIGHTEST_OF_A_KIND:
            yield row


def _named(row: Tightness, scenario: dict[str, Any]) -> dict[str, Any]:
    """A tight resource by the names that people use instead of its id."""
    known = {node["id"]: node for node in (*scenario["sources"], *scenario["points"])}
    known |= {kind["type"]: kind for kind in scenario["vehicles"]}
    names = known.get(row.id, {"name_zh": row.label_zh, "name_en": row.label_en})
    return {
        "kind": row.kind,
        "id": row.id,
        "name_zh": row.label_zh.replace(row.id, names["name_zh"]),
        "name_en": row.label_en.replace(row.id, names["name_en"]),
        "used_share": row.utilisation,
    }


def _propose(session: Session, job: tables.PlanRequest, plan: dict[str, Any], found: dict[str, Any]) -> None:
    if not jobs.finish(session, job, jobs.DONE, error=None):
        return
    proposed = tables.Plan(
        id=uuid4(),
        request_id=job.id,
        incident_id=job.incident_id,
        replaces=job.replaces,
        carried=[],
        status=PlanStatus.PROPOSED,
        requested_by=job.requested_by,
        created_at=datetime.now(UTC),
        plan=plan,
        shortages=[],
        what_if=bool(job.body.get("assume")),
        **found,
    )
    session.add(proposed)
    outbox.enqueue(
        session,
        "plan.proposed",
        {
            "plan_id": str(proposed.id),
            "request_id": str(job.id),
            "supported": proposed.supported,
            "people": proposed.people,
        },
    )


def _fail(session: Session, job: tables.PlanRequest, error: str) -> None:
    if jobs.finish(session, job, jobs.FAILED, error=error):
        outbox.enqueue(session, "plan.failed", {"request_id": str(job.id), "error": error})
