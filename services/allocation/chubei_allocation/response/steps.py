"""Verbs on one task: acknowledged, done, dropped, reassigned by people; escalated by the sweeper."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from chubei_shared import outbox
from chubei_shared.contracts.response import Move, TaskState, TaskStep, TaskView
from chubei_shared.errors import Conflict, Forbidden, Invalid
from chubei_shared.state_words import zh
from chubei_shared.tokens import Caller, Role
from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from chubei_allocation import locks
from chubei_allocation.notices import notices
from chubei_allocation.notices import rules as notice_rules
from chubei_allocation.posts import posts
from chubei_allocation.response import rules, tables, tasks, telling

_AT_ONCE = 100
_SYSTEM = "allocation"
_WORDS: dict[Move, str] = {
    "acknowledge": "签收", "complete": "办结", "drop": "取消", "reassign": "改派", "escalate": "上报"
}  # fmt: skip


def step(session: Session, task_id: UUID, body: TaskStep, caller: Caller) -> TaskView:
    """Take a step with a task; the task as it is afterwards. Raises NotFound, Forbidden, Conflict, Invalid."""
    locks.one_at_a_time(session, body.id)
    task = tasks.get(session, task_id)
    session.refresh(task, with_for_update=True)
    if known := session.get(tables.Step, body.id):
        _refuse_other(known, task_id, body)
        return tasks.view(session, task)
    _check_may(session, task, body.move, caller)
    if body.to_post is not None and posts.unknown(session, [body.to_post]):
        raise Invalid(
            f"to_post:没有岗位 {body.to_post},请核对编号",
            f"to_post: there is no post {body.to_post}: correct the id",
            errors=[{"field": "to_post", "problem": f"unknown: {body.to_post}", "remedy": "GET /v1/posts"}],
        )
    _move(session, task, body.id, body.move, caller.person, body.to_post, body.reason)
    notices.settle(session, telling.key(task), caller.person)
    if body.to_post is not None:
        task.to_post, task.asked, task.asked_at = body.to_post, [body.to_post], datetime.now(UTC)
        session.flush()
        telling.ask(session, task)
    return tasks.view(session, task)


def _refuse_other(known: tables.Step, task_id: UUID, body: TaskStep) -> None:
    if (known.task_id, known.move, known.reason, known.to_post) != (
        task_id,
        body.move,
        body.reason,
        body.to_post,
    ):
        raise Conflict(
            f"编号 {body.id} 已用于另一步骤,请换新编号",
            f"Id {body.id} is another step's: mint a new one",
        )


def _check_may(session: Session, task: tables.Task, move: Move, caller: Caller) -> None:
    if any(posts.acts_for(session, caller.person, post_id) for post_id in task.asked):
        return
    if move in rules.FOR_COMMAND and caller.roles & {Role.COMMANDER, Role.ADMIN}:
        return
    names = ", ".join(task.asked)
    raise Forbidden(
        f"只有岗位 {names} 的任职人或代理人可以这样做",
        f"Only who holds a post of {names}, or the deputy, may do this",
    )


def _move(
    session: Session,
    task: tables.Task,
    step_id: UUID,
    move: Move,
    by: str,
    to_post: str | None = None,
    reason: str | None = None,
) -> None:
    state = rules.after(TaskState(task.state), move)
    if state is None:
        raise Conflict(
            f"任务{zh(TaskState, task.state)},不能{_WORDS[move]}",
            f"The task is {task.state}: it can not be moved by {move}",
            state=task.state,
        )
    task.state = state
    session.add(
        tables.Step(
            id=step_id,
            task_id=task.id,
            move=move,
            state=state,
            to_post=to_post,
            reason=reason,
            at=datetime.now(UTC),
            by=by,
        )
    )
    session.flush()
    told = {"task_id": str(task.id), "incident_id": str(task.incident_id), "move": move, "state": state}
    outbox.enqueue(session, "task.moved", told)


def escalate(session: Session) -> int:
    """Ask the posts above of tasks that nobody acknowledged in time; how many tasks were late."""
    t, now = tables.Task, datetime.now(UTC)
    late_from = t.asked_at + func.make_interval(0, 0, 0, 0, 0, t.ack_within_min)
    query = (
        select(t)
        .where(
            t.state == TaskState.OPEN,
            t.asked_at.is_not(None),
            or_(late_from <= now, t.asked_at > now + notice_rules.SKEW),
        )
        .order_by(t.asked_at, t.id)
        .limit(_AT_ONCE)
        .with_for_update(skip_locked=True)
    )
    found = list(session.scalars(query))
    for task in found:
        if task.asked_at and notice_rules.over(task.asked_at, timedelta(minutes=task.ack_within_min), now):
            _ask_above(session, task, now)
    return len(found)


def _ask_above(session: Session, task: tables.Task, now: datetime) -> None:
    above = posts.get(session, task.asked[-1]).escalates_to
    if above is None or above in task.asked:
        task.asked_at = None
        session.flush()
        outbox.enqueue(
            session, "task.unanswered", {"task_id": str(task.id), "incident_id": str(task.incident_id)}
        )
        return
    task.asked, task.asked_at = [*task.asked, above], now
    _move(session, task, uuid4(), "escalate", _SYSTEM, above)
    telling.ask(session, task)
