"""What posts are told of their tasks."""

from chubei_shared.china import local
from chubei_shared.contracts.response import Stage
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from chubei_allocation.notices import notices
from chubei_allocation.posts import posts
from chubei_allocation.response import tables
from chubei_allocation.tables import Incident

_STAGE_ZH = dict(zip(Stage, ("先期处置", "研判", "决策", "调运", "督导", "评估", "报告"), strict=True))


def key(task: tables.Task) -> str:
    """What the keys of all notices about a task begin with."""
    return f"task:{task.id}:"


def ask(session: Session, task: tables.Task) -> None:
    """Tell the post that is asked now: the one it was given to, or one above that did not hear from those below."""
    incident = session.get_one(Incident, task.incident_id)
    stage = Stage(task.stage)
    below_zh = below_en = ""
    if len(task.asked) > 1:
        below = posts.get(session, task.asked[-2])
        below_zh = f"{below.name_zh}未在 {task.ack_within_min} 分钟内确认:"
        below_en = f"{below.name_en} did not acknowledge within {task.ack_within_min} min: "
    due = local(task.due_at)
    steps = session.scalar(select(func.count()).where(tables.Step.task_id == task.id))
    notices.tell(
        session,
        task.asked[-1],
        f"{incident.name}:{_STAGE_ZH[stage]} / {stage} {task.duty_id}",
        f"{below_zh}{task.zh}(须在 {task.ack_within_min} 分钟内确认,{due} 前完成)",
        f"{below_en}{task.en} (acknowledge within {task.ack_within_min} min, done by {due} in China)",
        dedup_key=f"{key(task)}{steps}",
        incident_id=task.incident_id,
    )
