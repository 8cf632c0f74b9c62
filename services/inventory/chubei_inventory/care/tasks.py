"""Care tasks: opened and lapsed by the nightly run, acknowledged and done by those whose they are."""

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from chubei_shared.china import day
from chubei_shared.contracts.care import (
    CareKind,
    CareRow,
    CareState,
    CareStep,
    CareStepView,
    CareTaskPage,
    CareTaskView,
)
from chubei_shared.cursors import cursor_of, key_of
from chubei_shared.errors import Conflict, Forbidden, Invalid, NotFound
from chubei_shared.outbox import enqueue
from chubei_shared.state_words import zh, zh_any
from chubei_shared.tokens import Caller, Role
from sqlalchemy import func, select, text, tuple_
from sqlalchemy.orm import Session

from chubei_inventory import tables as stock_tables
from chubei_inventory.care import rules, tables
from chubei_inventory.care.rules import MOVES
from chubei_inventory.care.tables import Step, Task
from chubei_inventory.fingerprint import fingerprint, other_content
from chubei_inventory.reserves.verifications import refuse_future
from chubei_inventory.stock.pool import sql

_TOLD = 100
_OF_TASK = ("subject", "place_id", "account", "item_code", "lot_id", "reserve_id", "units", "due_on")
_OPEN = text(
    """
    INSERT INTO care_task (id, kind, subject, place_id, account, item_code, lot_id, reserve_id, units, due_on, role,
                           opened_on)
    SELECT gen_random_uuid(), :kind, r.*, :role, CAST(:today AS date)
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r (
        subject text, place_id text, account text, item_code text, lot_id uuid, reserve_id text, units bigint,
        due_on date)
    ON CONFLICT DO NOTHING RETURNING id, place_id
    """
)
# Compared with what is due outside of SQL: joins of a table that has just been filled are planned as if it were empty.
_OPEN_NOW = text("SELECT id, subject FROM care_task WHERE kind = :kind AND state IN ('open', 'acknowledged')")
_DONE_LATELY = text(
    "SELECT subject FROM care_task WHERE kind = :kind AND state = 'done' AND done_on > :today - CAST(:days AS int)"
)
_LAPSE = sql("UPDATE care_task SET state = 'lapsed' WHERE id = ANY(:ids) RETURNING id, place_id", ids="uuid")
_LAPSED = text(
    """
    INSERT INTO care_step (id, body_hash, task_id, seq, state, happened_at, recorded_by, note)
    SELECT gen_random_uuid(), '', t.id, 1 + (SELECT count(*) FROM care_step s WHERE s.task_id = t.id), 'lapsed', now(),
           'chubei', '已不再需要 / it is no longer due'
    FROM unnest(CAST(:ids AS uuid[])) AS t (id)
    """
)


def open_for(session: Session, rule: tables.Rule, due: Sequence[CareRow], today: date) -> int:
    """Open a task for each row that has none and was not done lately; returns how many are new."""
    settled = set(
        session.scalars(_DONE_LATELY, {"kind": rule.kind, "today": today, "days": rule.repeat_days})
    )
    settled |= {task.subject for task in session.execute(_OPEN_NOW, {"kind": rule.kind})}
    fresh = [row.model_dump(mode="json", include=set(_OF_TASK)) for row in due if row.subject not in settled]
    if not fresh:
        return 0
    asked = {"kind": rule.kind, "role": _role(rule), "today": today, "rows": json.dumps(fresh)}
    return _tell(session, "care.opened", rule.kind, session.execute(_OPEN, asked).all())


def lapse(session: Session, rule: tables.Rule, due: Iterable[CareRow]) -> int:
    """Close the open tasks of a kind whose subjects are not due any more; returns how many."""
    subjects = {row.subject for row in due}
    ids = [t.id for t in session.execute(_OPEN_NOW, {"kind": rule.kind}) if t.subject not in subjects]
    if not ids:
        return 0
    gone = session.execute(_LAPSE, {"ids": ids}).all()
    session.execute(_LAPSED, {"ids": ids})
    return _tell(session, "care.lapsed", rule.kind, gone)


def _role(rule: tables.Rule) -> str:
    """A place's custodian looks after what lies there; what is to be bought or agreed is for the command."""
    return Role.COMMANDER if rule.kind == CareKind.REPLENISH else Role.CLERK


def _tell(session: Session, topic: str, kind: str, found: Sequence[Any]) -> int:
    """One event for each place, however many tasks."""
    by_place: dict[str | None, list[UUID]] = defaultdict(list)
    for task in found:
        by_place[task.place_id].append(task.id)
    for place_id, ids in sorted(by_place.items(), key=lambda of: of[0] or ""):
        told = sorted(map(str, ids))[:_TOLD]
        enqueue(session, topic, {"kind": kind, "place_id": place_id, "count": len(ids), "tasks": told})
    return len(found)


def step(session: Session, task_id: UUID, body: CareStep, caller: Caller) -> tuple[CareTaskView, bool]:
    """Record what was done about a task; the flag says whether it is new.

    Raises NotFound, Forbidden, Conflict, Invalid.
    """
    task = session.get(Task, task_id, with_for_update=True)
    if task is None:
        raise _unknown(task_id)
    _refuse_stranger(task, caller)
    if (known := session.get(Step, body.id)) is not None:
        if (known.task_id, known.body_hash) != (task_id, fingerprint(body)):
            raise other_content(body.id)
        return get(session, task_id), False
    refuse_future(body.happened_at)
    state = CareState(body.state)
    _refuse_move(task, state)
    if state is CareState.DONE:
        _refuse_without_evidence(session, task, body)
        task.done_on = day(body.happened_at)
    task.state = state
    session.flush()
    last = session.scalar(select(func.max(Step.seq)).where(Step.task_id == task_id)) or 0
    told = body.model_dump() | {"body_hash": fingerprint(body), "recorded_by": caller.person}
    session.add(Step(**told, task_id=task_id, seq=last + 1))
    session.flush()
    news = {"task_id": str(task_id), "kind": task.kind, "place_id": task.place_id, "by": caller.person}
    enqueue(session, f"care.{state}", news)
    return get(session, task_id), True


def _refuse_stranger(task: Task, caller: Caller) -> None:
    theirs = Role.COMMANDER in caller.roles or Role.ADMIN in caller.roles
    if task.role == Role.CLERK:
        theirs = caller.works_at(str(task.place_id))
    if not theirs:
        whose = f"{task.place_id} 的保管员" if task.role == Role.CLERK else "指挥员"
        whose_en = f"the custodian of {task.place_id}" if task.role == Role.CLERK else "the command"
        raise Forbidden(f"该任务由{whose}办理", f"This task is for {whose_en}", role=task.role)


def _refuse_move(task: Task, state: CareState) -> None:
    following = MOVES[CareState(task.state)] & rules.BY_HAND
    if state not in following:
        may = ", ".join(sorted(following))
        raise Conflict(
            f"任务{zh(CareState, task.state)},不能改为{zh(CareState, state)};"
            + (f"可改为{zh_any(CareState, following)}" if may else "再次到期时会另开新任务"),
            f"The task is {task.state} and can not become {state}: "
            + (f"it may become {may}" if may else "a new one opens when it is due again"),
            state=task.state,
            may_become=sorted(following),
        )


def _refuse_without_evidence(session: Session, task: Task, body: CareStep) -> None:
    kind = None
    if body.movement_id is not None:
        m, e = stock_tables.Movement, stock_tables.Entry
        about = select(m.kind).join(e, e.movement_seq == m.seq).where(m.id == body.movement_id)
        if task.lot_id is not None:
            about = about.where(e.lot_id == task.lot_id)
        elif task.item_code is not None:
            about = about.where(e.item_code == task.item_code)
        kind = session.scalar(about.limit(1))
        if kind is None:
            raise _no_evidence("没有移动该批次的这笔流水", "no such movement of what the task is about")
    if rules.evidence_missing(CareKind(task.kind), body.note, kind):
        if task.kind == CareKind.TEST:
            raise _no_evidence("须为检验结果(tested)流水", "give the movement of kind tested with the result")
        raise _no_evidence("须填 movement_id 或 note", "give movement_id, or say in note what was done")


def _no_evidence(zh: str, en: str) -> Invalid:
    return Invalid(
        f"办结须有依据:{zh}", f"A task is done with evidence: {en}",
        errors=[{"field": "movement_id", "problem": en, "remedy": "GET /v1/movements"}],
    )  # fmt: skip


def get(session: Session, task_id: UUID) -> CareTaskView:
    """Raises NotFound."""
    task = session.get(Task, task_id)
    if task is None:
        raise _unknown(task_id)
    return _views(session, [task])[0]


def page(
    session: Session, asked: dict[str, Any], due_by: date | None, cursor: str | None, limit: int
) -> CareTaskPage:
    """Tasks by due date. `asked`: columns of the task and their values."""
    order = (Task.due_on, Task.id)
    wanted = select(Task).order_by(*order).limit(limit + 1)
    for column, value in asked.items():
        if value is not None:
            wanted = wanted.where(getattr(Task, column) == value)
    if due_by is not None:
        wanted = wanted.where(Task.due_on <= due_by)
    if after := key_of(cursor, date.fromisoformat, UUID):
        wanted = wanted.where(tuple_(*order) > tuple_(*after))
    found = list(session.scalars(wanted))
    last = found[limit - 1] if len(found) > limit else None
    return CareTaskPage(
        rows=_views(session, found[:limit]), next_cursor=last and cursor_of(last.due_on, last.id)
    )


def _views(session: Session, found: Sequence[Task]) -> list[CareTaskView]:
    steps: dict[UUID, list[CareStepView]] = defaultdict(list)
    of_these = select(Step).where(Step.task_id.in_([task.id for task in found]))
    for row in session.scalars(of_these.order_by(Step.task_id, Step.seq)):
        told = {name: getattr(row, name) for name in CareStepView.model_fields}
        steps[row.task_id].append(CareStepView(**told))
    made = CareTaskView.model_fields.keys() - {"may_become", "steps"}
    return [
        CareTaskView(
            **{name: getattr(task, name) for name in made},
            may_become=sorted(MOVES[CareState(task.state)] & rules.BY_HAND),
            steps=steps[task.id],
        )
        for task in found
    ]


def _unknown(task_id: UUID) -> NotFound:
    return NotFound(f"没有任务 {task_id}", f"There is no task {task_id}: see GET /v1/care/tasks")
