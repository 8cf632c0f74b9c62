"""Tasks as they are read: of an incident, of a person, one by one. What is late is judged as one looks."""

from datetime import UTC, datetime
from uuid import UUID

from chubei_shared.contracts.response import (
    IncidentTasks,
    Stage,
    TaskPage,
    TaskState,
    TaskStepView,
    TaskView,
)
from chubei_shared.errors import NotFound
from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import array
from sqlalchemy.orm import Session

from chubei_allocation import pages
from chubei_allocation.incidents import incidents
from chubei_allocation.posts import posts
from chubei_allocation.response import rules, tables
from chubei_allocation.tables import Incident


def get(session: Session, task_id: UUID) -> tables.Task:
    """Raises NotFound."""
    task = session.get(tables.Task, task_id)
    if task is None:
        raise NotFound(f"没有任务 {task_id}", f"There is no task {task_id}")
    return task


def show(session: Session, task_id: UUID) -> TaskView:
    return view(session, get(session, task_id))


def of_incident(session: Session, incident_id: UUID) -> IncidentTasks:
    """All of them, by stage and when they are due. Raises NotFound."""
    incident = incidents.get(session, incident_id)
    found = session.scalars(select(tables.Task).where(tables.Task.incident_id == incident_id))
    rows = _views(session, list(found))
    rows.sort(key=lambda task: (rules.STAGES.index(task.stage), task.due_at, task.duty_id))
    stage = rules.stage_of((task.stage, task.state) for task in rows)
    return IncidentTasks(incident_id=incident_id, exercise=incident.exercise, stage=stage, rows=rows)


def listed(
    session: Session,
    mine_of: str | None,
    incident_id: UUID | None,
    to_post: str | None,
    only_open: bool,
    cursor: str | None,
    limit: int,
) -> TaskPage:
    """Tasks, the latest first; `mine_of`: those of which a post of that person was asked."""
    t = tables.Task
    query = select(t)
    if mine_of is not None:
        mine = [post.id for post in posts.of_person(session, mine_of)]
        if not mine:
            return TaskPage(rows=[])
        query = query.where(func.jsonb_exists_any(t.asked, array(mine)))
    if incident_id is not None:
        query = query.where(t.incident_id == incident_id)
    if to_post is not None:
        query = query.where(t.to_post == to_post)
    if only_open:
        query = query.where(t.state.in_(rules.OPEN_STATES))
    found, following = pages.latest(session, query, t.opened_at, t.id, cursor, limit)
    return TaskPage(rows=_views(session, found), next_cursor=following)


def view(session: Session, task: tables.Task) -> TaskView:
    return _views(session, [task])[0]


def _views(session: Session, found: list[tables.Task]) -> list[TaskView]:
    s = tables.Step
    taken = session.scalars(select(s).where(s.task_id.in_([task.id for task in found])).order_by(s.serial))
    history: dict[UUID, list[TaskStepView]] = {}
    for step in taken:
        history.setdefault(step.task_id, []).append(_step(step))
    of = {task.incident_id for task in found}
    exercises = set(session.scalars(select(Incident.id).where(Incident.id.in_(of), Incident.exercise)))
    now = datetime.now(UTC)
    return [_view(task, task.incident_id in exercises, history.get(task.id, []), now) for task in found]


def _view(task: tables.Task, exercise: bool, history: list[TaskStepView], now: datetime) -> TaskView:
    state = TaskState(task.state)
    return TaskView(
        id=task.id,
        incident_id=task.incident_id,
        exercise=exercise,
        duty_id=task.duty_id,
        plan_version=task.plan_version,
        stage=Stage(task.stage),
        to_post=task.to_post,
        zh=task.zh,
        en=task.en,
        tier=task.tier,
        state=state,
        opened_at=task.opened_at,
        due_at=task.due_at,
        minutes_left=rules.minutes_left(task.opened_at, task.due_at, now),
        overdue=state in rules.OPEN_STATES and now > task.due_at,
        ack_within_min=task.ack_within_min,
        escalated=len(task.asked) > 1,
        asked=task.asked,
        history=history,
    )


def _step(row: tables.Step) -> TaskStepView:
    columns = TaskStepView.model_fields.keys()
    return TaskStepView.model_validate({column: getattr(row, column) for column in columns})
