"""What workers do for a check: read what it is made from, answer its parts, sum up. It may be cut off anywhere."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from math import ceil
from uuid import UUID

from chubei_shared import jobs, outbox
from chubei_shared.contracts.readiness_settings import Loss, ReadinessSettings
from chubei_shared.db import Transactions
from chubei_shared.errors import AppError
from chubei_shared.telemetry import log
from sqlalchemy import select
from sqlalchemy.orm import Session, undefer

from chubei_allocation import locks
from chubei_allocation.exercises import views
from chubei_allocation.inventory_gate import InventoryGate
from chubei_allocation.network import network
from chubei_allocation.planner import ScenarioError
from chubei_allocation.readiness import alarms, draws, inputs, losses, results, runs, standing, summing
from chubei_allocation.readiness.first_dates import first_date, needed_people
from chubei_allocation.readiness.inputs import Inputs
from chubei_allocation.readiness.planning_process import PlanningProcess, Question
from chubei_allocation.readiness.tables import Part, Run
from chubei_allocation.scenarios import Json, Unplannable

_PREPARING = timedelta(minutes=2)
_MOST_TRIES = 60  # of reading what inventory has: two hours
_MOST_TURNS = 64
_RENEW_EVERY_S = 5.0
Report = Callable[[Json], None]


class Lost(Exception):
    """The parts are no longer ours: our lease ran out, and another worker has them."""


def go_on(tx: Transactions, gate: InventoryGate, run_id: UUID) -> int:
    """Bring a check as far as it goes without planning; how many turns of workers it then wants (`answer_parts`)."""
    run = tx(jobs.claim, Run, run_id, _PREPARING)
    if run is not None and run.attempts > _MOST_TRIES:
        tx(_fail, run, run.error or f"{_MOST_TRIES} 次尝试均中断 / every try was cut off")
    elif run is not None:
        _prepare(tx, gate, run)
    return tx(_advance, run_id)


def _prepare(tx: Transactions, gate: InventoryGate, run: Run) -> None:
    """Read all that the check is made from, and put its first parts. While inventory is away the check waits."""
    try:
        with gate.client("readiness") as client:
            read = inputs.read(client, tx(network.read_network), tx(_exercises), datetime.now(UTC))
        of = runs.settings_of(tx(runs.get, run.id, Run.settings))
        parts = runs.plan_parts(run.id, read, of)
    except (Unplannable, ScenarioError) as error:
        tx(_fail, run, str(error))
    except AppError as error:
        text = f"库存服务不可用 / inventory is away: {error.detail_en}"
        tx(jobs.renew, run, _PREPARING, error=text)
        log.warning("readiness waits", extra={"run_id": str(run.id), "error": text})
    else:
        tx(_begin, run, read.model_dump(mode="json"), parts)


def _begin(session: Session, run: Run, read: Json, parts: list[Json]) -> None:
    if jobs.renew(session, run, _PREPARING, inputs=read, error=None):
        runs.put_parts(session, parts)
        jobs.release(session, run)


def _exercises(session: Session) -> int:
    """Exercises of a year that count for the duty."""
    return views.duty(session).done


def _fail(session: Session, run: Run, error: str) -> None:
    if jobs.finish(session, run, jobs.FAILED, error=error):
        outbox.enqueue(
            session, "readiness.failed", {"run_id": str(run.id), "night": str(run.night), "error": error}
        )


def _advance(session: Session, run_id: UUID) -> int:
    """Open the next stage when one is over, and sum up after the last. How many turns are wanted now."""
    locks.one_at_a_time(session, run_id)
    run = runs.get(session, run_id, Run.settings, Run.inputs)
    if run.status != jobs.RUNNING or run.lease_until is not None:
        return 0
    left, waiting = runs.open_parts(session, run_id, run.stage)
    if not left and run.stage == 0:
        if broken := _broken_base(session, run_id):
            _fail(session, run, broken)
            return 0
        read, of = Inputs.model_validate(run.inputs), runs.settings_of(run)
        runs.put_parts(session, runs.following_parts(run, read, of))
        run.stage = 1
        session.flush()
        left, waiting = runs.open_parts(session, run_id, run.stage)
    if not left:
        _sum_up(session, run)
    return min(_MOST_TURNS, ceil(waiting / runs.AT_ONCE))


def _broken_base(session: Session, run_id: UUID) -> str | None:
    """Why there is no base plan of some standing scenario."""
    return session.scalar(
        select(Part.error)
        .where(Part.run_id == run_id, Part.kind == "base", Part.status == jobs.FAILED)
        .limit(1)
    )


def _sum_up(session: Session, run: Run) -> None:
    parts = session.scalars(
        select(Part).where(Part.run_id == run.id).options(undefer(Part.outcome)).order_by(Part.key)
    ).all()
    told = [summing.Told(p.kind, p.standing_id, p.spec, p.outcome, p.error) for p in parts]
    of = runs.settings_of(run)
    result = summing.result(told, Inputs.model_validate(run.inputs), of)
    summary = summing.summary(result)
    before = results.summary_before(session, run)
    if jobs.finish(session, run, jobs.DONE, result=result, summary=summary, error=None):
        outbox.enqueue(session, "readiness.done", {"run_id": str(run.id), "night": str(run.night), **summary})
        alarms.judge(session, run.night, summary, before, of)


# Parts


def answer_parts(tx: Transactions, run_id: UUID, memory_mib: int, report: Report) -> None:
    """Answer parts of a check until nobody waits for one, a portion at a time."""
    run = tx(runs.get, run_id, Run.settings, Run.inputs)
    if run.inputs is None:
        return
    read, of = Inputs.model_validate(run.inputs), runs.settings_of(run)
    with PlanningProcess(memory_mib) as process:
        desk = _Desk(tx, run_id, read, of, process)
        while parts := tx(runs.claim_parts, run_id):
            try:
                desk.answer_all(parts)
            except Lost:
                log.info("readiness parts lost", extra={"run_id": str(run_id)})
            report({"run_id": str(run_id), **tx(runs.show, run_id).progress.model_dump()})


class _Desk:
    """Where one worker answers parts of one check."""

    def __init__(
        self, tx: Transactions, run_id: UUID, read: Inputs, of: ReadinessSettings, process: PlanningProcess
    ) -> None:
        self._tx, self._run_id, self._read, self._of, self._process = tx, run_id, read, of, process
        self._roads = {road.id: road for road in of.roads}
        self._whole: dict[str, Json] = {}
        self._bases: dict[str, Json] = {}
        self._claim: UUID | None = None
        self._renewed = 0.0

    def answer_all(self, parts: list[Part]) -> None:
        """Raises Lost when another worker has taken them over."""
        self._claim, self._renewed = parts[0].claim, time.monotonic()
        for part in parts:
            self._renew()
            if runs.tried_too_often(part):
                self._tx(runs.finish_part, part, None, "每次尝试均中断 / every try was cut off by a crash")
                continue
            try:
                outcome = self._answer(part)
            except (Unplannable, ScenarioError) as error:
                self._tx(runs.finish_part, part, None, str(error))
            else:
                self._tx(runs.finish_part, part, outcome, None)

    def _answer(self, part: Part) -> Json:
        scenario, effort = self._scenario(part.standing_id), self._of.effort
        if part.kind == "whole":
            return self._ask(Question(scenario, None, effort.base, "full"))
        relief = standing.relief_only(scenario)
        if part.kind == "base":
            return self._ask(Question(relief, None, effort.base, "full"))
        base = self._base(part.standing_id)
        if part.kind == "loss":
            lost = losses.lose(relief, Loss.model_validate(part.spec["loss"]), self._roads)
            return self._ask(Question(lost, base["trips"], effort.loss, "reasons", base["supported"]))
        if part.kind == "draw":
            drawn = draws.draw(relief, self._of, effort.seed, part.spec["number"])
            everybody = standing.people_in(drawn)
            return self._ask(Question(drawn, base["trips"], effort.draw, "figures", everybody, give_up=True))
        need = needed_people(self._of.targets.able_share, base)
        return first_date(
            part.standing_id,
            relief,
            base,
            self._read.endings,
            self._read.on,
            need,
            {item.code: item for item in self._read.snapshot.items},
            lambda on_day: self._ask(
                Question(on_day, base["trips"], effort.loss, "figures", need, give_up=need >= base["people"])
            ),
        ).model_dump(mode="json")

    def _ask(self, question: Question) -> Json:
        return self._process.ask(question._replace(seed=self._of.effort.seed), self._renew)

    def _renew(self) -> None:
        if time.monotonic() - self._renewed < _RENEW_EVERY_S:
            return
        self._renewed = time.monotonic()
        if not self._tx(runs.renew_parts, self._run_id, self._claim):
            raise Lost

    def _scenario(self, standing_id: str) -> Json:
        if standing_id not in self._whole:
            one = next(row for row in self._of.standing if row.id == standing_id)
            shift = runs.shift_of(self._of, one.shift)
            self._whole[standing_id] = standing.scenario_of(
                one, shift, self._read.network, self._read.snapshot
            )
        return self._whole[standing_id]

    def _base(self, standing_id: str) -> Json:
        if standing_id not in self._bases:
            self._bases[standing_id] = self._tx(_outcome, self._run_id, f"base/{standing_id}")
        return self._bases[standing_id]


def _outcome(session: Session, run_id: UUID, key: str) -> Json:
    found = session.scalar(select(Part.outcome).where(Part.run_id == run_id, Part.key == key))
    assert found is not None  # noqa: S101 (the next stage opens when all bases are there)
    return found
