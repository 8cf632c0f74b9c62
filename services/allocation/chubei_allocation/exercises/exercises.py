"""Verbs on exercises: opened on frozen books, led through their script, concluded with a score."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

from chubei_shared import outbox
from chubei_shared.contracts.amendments import Amendment, Ended, IncidentStatus
from chubei_shared.contracts.deviations import DeviationReport
from chubei_shared.contracts.exercises import (
    Clock,
    ExerciseStatus,
    ExerciseView,
    InjectAmendment,
    InjectStatus,
    OfFile,
    OpenExercise,
)
from chubei_shared.contracts.exercises import Inject as Scripted
from chubei_shared.contracts.reserves import Snapshot
from chubei_shared.db import Transactions
from chubei_shared.errors import AppError, Conflict, Invalid, NotFound
from chubei_shared.state_words import zh
from chubei_shared.tokens import Caller
from sqlalchemy import select
from sqlalchemy.orm import Session

from chubei_allocation import locks, tables
from chubei_allocation.deviations import deviations
from chubei_allocation.exercise_books import books
from chubei_allocation.exercise_books import rules as stock_rules
from chubei_allocation.exercises import rules, scoring, views
from chubei_allocation.exercises.tables import Exercise, Inject
from chubei_allocation.incidents import amendments, incidents
from chubei_allocation.inventory_gate import InventoryGate
from chubei_allocation.scenarios import digest

_INJECT = UUID("a1d3a3c4-6f0d-4a52-8c7c-1d0a3d1f7b21")
_AT_ONCE = 20
_MOST_AHEAD = timedelta(days=366)


def open_(
    tx: Transactions, inventory: InventoryGate, incident_id: UUID, body: OpenExercise, caller: Caller
) -> ExerciseView:
    """Freeze the stock and take the script. The same again is the same exercise.

    Raises Conflict, Invalid, NotFound; Unavailable while inventory is away.
    """
    if not tx(_known, incident_id, body):
        tx(_check, incident_id)
        stock = books.read_stock(tx, inventory, incident_id, caller.person)
        if isinstance(body.stock, OfFile):
            stock = _of_file(stock, body.stock)
        tx(_store, incident_id, body, stock, caller)
    return tx(views.show, incident_id)


def _asked(body: OpenExercise) -> dict[str, Any]:
    """The request as it is kept: of a file its hash, for what it says stands frozen in the books."""
    told = body.model_dump(mode="json")
    if isinstance(body.stock, OfFile):
        told["stock"]["scenario"] = _hash(body.stock.scenario)
    return told


def _hash(scenario: dict[str, Any]) -> str:
    try:
        return digest(scenario)
    except ValueError as error:
        raise Invalid(
            "stock.scenario:有非数值(NaN、Infinity),请核对文件",
            "stock.scenario: has NaN or Infinity for a number: check the file",
        ) from error


def _known(session: Session, incident_id: UUID, body: OpenExercise) -> bool:
    known = session.get(Exercise, incident_id)
    if known and known.body != _asked(body):
        raise Conflict(
            "该演练已按另一脚本或另一库存开始,不能更改",
            "This exercise was opened with another script or stock already: it can not be changed",
        )
    return known is not None


def _check(session: Session, incident_id: UUID) -> None:
    incident = incidents.get(session, incident_id)
    if not incident.exercise:
        raise Conflict(
            "这是真实事件,不能作为演练", "This is a real incident: declare another one, with exercise"
        )
    incidents.check_not_ended(session, incident)
    asked = session.scalar(
        select(tables.PlanRequest.id).where(tables.PlanRequest.incident_id == incident_id).limit(1)
    )
    if asked is not None or books.frozen(session, incident_id):
        raise Conflict(
            "已请求过方案,库存已冻结;请在请求方案前开始演练,或另宣布一次演练",
            "A plan was asked for, and the stock is frozen: open an exercise before that, or declare another one",
        )


def _of_file(stock: Snapshot, asked: OfFile) -> Snapshot:
    if asked.scenario.get("format") != "planning-scenario/1":
        raise Invalid(
            "stock.scenario.format:须为 planning-scenario/1",
            "stock.scenario.format: must be planning-scenario/1",
        )
    try:
        found, unknown = stock_rules.from_scenario(stock, asked.scenario)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise Invalid(
            f"stock.scenario:无法读取 supply 或 points({error}),请核对文件",
            f"stock.scenario: supply or points can not be read ({error}): check the file",
        ) from error
    if unknown:
        names = ", ".join(unknown[:10])
        raise Invalid(
            f"stock.scenario.supply:本区没有地点或物资 {names},请核对",
            f"stock.scenario.supply: the district has no place or item {names}: correct them",
        )
    return found


def _store(session: Session, incident_id: UUID, body: OpenExercise, stock: Snapshot, caller: Caller) -> None:
    locks.one_at_a_time(session, incident_id)
    if _known(session, incident_id, body):
        return
    _check(session, incident_id)
    books.keep(
        session,
        incident_id,
        stock,
        body.stock.kind,
        body.stock.name if isinstance(body.stock, OfFile) else "",
    )
    session.add(
        Exercise(
            incident_id=incident_id,
            form=body.form,
            clock=body.clock,
            status=ExerciseStatus.RUNNING,
            body=_asked(body),
            opened_at=datetime.now(UTC),
            opened_by=caller.person,
            now_min=0,
            findings="",
        )
    )
    session.flush()
    for number, inject in enumerate(sorted(body.script, key=lambda one: one.at_min)):
        session.add(
            Inject(
                id=uuid5(_INJECT, f"{incident_id}:{number}"),
                incident_id=incident_id,
                number=number,
                at_min=inject.at_min,
                body=inject.model_dump(mode="json"),
                status=InjectStatus.WAITING,
            )
        )
    session.flush()
    _tell(session, "exercise.opened", incident_id)


def _tell(session: Session, topic: str, incident_id: UUID, **more: Any) -> None:
    outbox.enqueue(session, topic, {"incident_id": str(incident_id), "exercise": True, **more})


def get(session: Session, incident_id: UUID, lock: bool = False) -> Exercise:
    """Raises NotFound."""
    found = session.get(Exercise, incident_id, with_for_update=lock or None)
    if found is None:
        raise NotFound(
            f"事件 {incident_id} 没有按演练开始", f"Incident {incident_id} was not opened as an exercise"
        )
    return found


def advance(tx: Transactions, incident_id: UUID, to_min: int, caller: Caller) -> ExerciseView:
    """It is minute `to_min`: bring the injects up to it, each in a transaction of its own. Once is enough.

    One that can not be brought is marked failed, with the reason, and does not keep the others waiting.
    Raises Conflict, NotFound.
    """
    for inject_id in tx(_due, incident_id, to_min):
        try:
            tx(_play, inject_id, caller)
        except AppError as error:
            tx(_fail, inject_id, error.problem(), caller)
    tx(_move_clock, incident_id, to_min)
    return tx(views.show, incident_id)


def _due(session: Session, incident_id: UUID, to_min: int) -> list[UUID]:
    _check_running(get(session, incident_id))
    found = select(Inject.id).where(
        Inject.incident_id == incident_id, Inject.at_min <= to_min, Inject.status == InjectStatus.WAITING
    )
    return list(session.scalars(found.order_by(Inject.number)))


def _check_running(exercise: Exercise) -> None:
    if exercise.status != ExerciseStatus.RUNNING:
        raise Conflict(
            f"演练{zh(ExerciseStatus, exercise.status)},不能继续",
            f"The exercise is {exercise.status}: it can not go on",
        )


def _play(session: Session, inject_id: UUID, caller: Caller) -> None:
    """The same amendment or deviation that a person would report. Raises as those verbs do."""
    inject = session.get_one(Inject, inject_id, with_for_update=True)
    _check_running(get(session, inject.incident_id))
    if inject.status != InjectStatus.WAITING:
        return
    told = Scripted.model_validate(inject.body)
    began = incidents.get(session, inject.incident_id).occurred_at
    at = began + timedelta(minutes=inject.at_min)
    if isinstance(told.do, InjectAmendment):
        body = Amendment(
            id=inject.id, occurred_at=min(at, datetime.now(UTC)), why=told.say, change=told.do.change
        )
        amendments.amend(session, inject.incident_id, body, caller)
    else:
        report = DeviationReport(id=inject.id, occurred_at=at, what=told.do.what, note=told.say)
        deviations.report(session, inject.incident_id, report, caller)
    become(inject, InjectStatus.PLAYED)
    inject.played_at, inject.played_by = datetime.now(UTC), caller.person
    _tell(session, "exercise.inject", inject.incident_id, zh=told.say, at_min=inject.at_min)


def _fail(session: Session, inject_id: UUID, problem: dict[str, Any], caller: Caller) -> None:
    inject = session.get_one(Inject, inject_id, with_for_update=True)
    _check_running(get(session, inject.incident_id))
    if inject.status == InjectStatus.WAITING:
        become(inject, InjectStatus.FAILED)
        inject.played_at, inject.played_by, inject.problem = datetime.now(UTC), caller.person, problem


def become(inject: Inject, to: InjectStatus) -> None:
    """Bring a locked inject on. Raises Conflict where rules.INJECTS does not allow it."""
    if to not in rules.INJECTS[InjectStatus(inject.status)]:
        raise Conflict(
            f"第 {inject.number + 1} 条脚本{zh(InjectStatus, inject.status)}",
            f"Inject {inject.number + 1} is {inject.status}",
        )
    inject.status = to


def _move_clock(session: Session, incident_id: UUID, to_min: int) -> None:
    exercise = get(session, incident_id, lock=True)
    exercise.now_min = max(exercise.now_min, to_min)


def conclude(session: Session, incident_id: UUID, findings: str, caller: Caller) -> ExerciseView:
    """running → concluded, with its score; what the script still had is skipped, and the incident ends.

    Repeating it changes nothing. Raises Conflict, NotFound.
    """
    exercise = get(session, incident_id, lock=True)
    if exercise.status != ExerciseStatus.CONCLUDED:
        score = scoring.score(session, incidents.get(session, incident_id))
        _end(session, exercise, ExerciseStatus.CONCLUDED, findings, caller, score.model_dump(mode="json"))
        _tell(session, "exercise.concluded", incident_id, points=score.points)
    return views.show(session, incident_id)


def cancel(session: Session, incident_id: UUID, reason: str, caller: Caller) -> ExerciseView:
    """running → cancelled: it counts for nothing. Repeating it changes nothing. Raises Conflict, NotFound."""
    exercise = get(session, incident_id, lock=True)
    if exercise.status != ExerciseStatus.CANCELLED:
        _end(session, exercise, ExerciseStatus.CANCELLED, reason, caller, None)
        _tell(session, "exercise.cancelled", incident_id)
    return views.show(session, incident_id)


def _end(
    session: Session,
    exercise: Exercise,
    to: ExerciseStatus,
    words: str,
    caller: Caller,
    score: dict[str, Any] | None,
) -> None:
    if to not in rules.MOVES[ExerciseStatus(exercise.status)]:
        raise Conflict(
            f"演练{zh(ExerciseStatus, exercise.status)},不能变为{zh(ExerciseStatus, to)}",
            f"An exercise that is {exercise.status} can not become {to}",
        )
    exercise.status, exercise.findings, exercise.score = to, words, score
    exercise.concluded_at, exercise.concluded_by = datetime.now(UTC), caller.person
    waiting = select(Inject).where(
        Inject.incident_id == exercise.incident_id, Inject.status == InjectStatus.WAITING
    )
    for inject in session.scalars(waiting.with_for_update()):
        become(inject, InjectStatus.SKIPPED)
    if incidents.current(session, exercise.incident_id).status is not IncidentStatus.ENDED:
        over = Amendment(
            id=uuid5(_INJECT, f"{exercise.incident_id}:over"),
            why="演练结束 / the exercise is over",
            change=Ended(kind="ended"),
        )
        amendments.amend(session, exercise.incident_id, over, caller)


def by_the_wall(session: Session) -> list[tuple[UUID, int, str]]:
    """Exercises on the wall's clock for which the script has something due: incident, minute, and who opened it."""
    found = session.execute(
        select(Exercise, tables.Incident.occurred_at)
        .join(tables.Incident, tables.Incident.id == Exercise.incident_id)
        .where(Exercise.status == ExerciseStatus.RUNNING, Exercise.clock == Clock.WALL)
        .order_by(Exercise.opened_at)
        .limit(_AT_ONCE)
    )
    now = datetime.now(UTC)
    due = []
    for exercise, began in found:
        minute = int((min(now, began + _MOST_AHEAD) - began).total_seconds() // 60)
        if minute > exercise.now_min and _due(session, exercise.incident_id, minute):
            due.append((exercise.incident_id, minute, exercise.opened_by))
    return due
