"""What is waited for in vain, and what waits for a decision, is told to the posts whose task it is: once each.

The posts are those that have the incident's tasks of a stage; where none was given out, those of the highest tier.
"""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from chubei_shared.contracts.amendments import IncidentStatus
from chubei_shared.contracts.plans import PlanStatus
from chubei_shared.contracts.response import Stage, TaskState
from sqlalchemy import select
from sqlalchemy.orm import Session

from chubei_allocation import tables
from chubei_allocation.authority import authority
from chubei_allocation.confirmations import answering
from chubei_allocation.confirmations.tables import Confirmation
from chubei_allocation.incidents import headcounts, incidents
from chubei_allocation.notices import notices
from chubei_allocation.plans import plans
from chubei_allocation.replanning import proposals
from chubei_allocation.response.tables import Task

_LOOKED_AT_FOR = timedelta(days=3)
"""For so long after its deadline somebody is reminded of an incident that nobody has ended."""
_MOST_NAMED = 5


def under_way(session: Session) -> list[UUID]:
    """Incidents that somebody may have to be reminded of, the oldest first."""
    row, now = tables.Incident, datetime.now(UTC)
    recent = session.scalars(
        select(row).where(row.declared_at > now - timedelta(days=30)).order_by(row.declared_at)
    )
    return [one.id for one in recent if now < incidents.deadline(one) + _LOOKED_AT_FOR]


def remind(session: Session, incident_id: UUID) -> None:
    """Tell of headcounts that are late and of the system's replans. Again: nothing more is told."""
    if _goes_on(session, incident_id):
        _of_headcounts(session, incident_id)
        _of_proposals(session, incident_id)


def of_confirmations(session: Session) -> int:
    """Tell of confirmations as they become overdue; how many these were, 0 when all are told."""
    found = answering.tell_overdue(session)
    for one in found:
        if _goes_on(session, one.incident_id):
            _of_confirmation(session, one)
    return len(found)


def _goes_on(session: Session, incident_id: UUID) -> bool:
    incident = incidents.get(session, incident_id)
    return incidents.standing_now(session, incident).status is not IncidentStatus.ENDED


def _of_headcounts(session: Session, incident_id: UUID) -> None:
    """Once an hour, all in one."""
    board = headcounts.board(session, incident_id)
    late = sorted(
        (row for row in board.rows if row.overdue), key=lambda row: (-row.overdue_min, row.shelter_id)
    )
    if not late:
        return
    zh = "、".join(f"{row.name_zh}(超时 {row.overdue_min} 分钟)" for row in late[:_MOST_NAMED])
    en = ", ".join(f"{row.name_en} ({row.overdue_min} min late)" for row in late[:_MOST_NAMED])
    _tell(
        session,
        incident_id,
        Stage.SUPERVISE,
        "安置点人数未按时上报 / Headcounts are late",
        f"{len(late)} 个安置点未按时上报人数:{zh}{'等' if len(late) > _MOST_NAMED else ''}。请电话核实并代为登记。",
        f"{len(late)} shelters have not reported: {en}. Call them and enter what they say.",
        f"headcounts:{incident_id}:{datetime.now(UTC):%Y-%m-%dT%H}",
    )


def _of_confirmation(session: Session, late: Confirmation) -> None:
    _tell(
        session,
        late.incident_id,
        Stage.ORDER,
        f"{late.name_zh}未按时确认 / {late.name_en} has not confirmed",
        f"{late.name_zh}未在时限内确认可供数量,方案不再计入其物资。请电话联系,或改用其他来源。",
        f"{late.name_en} did not confirm in time, and plans do not count on it. Call it, or use other sources.",
        f"confirmation-overdue:{late.id}",
    )


def _of_proposals(session: Session, incident_id: UUID) -> None:
    plan = tables.Plan
    waiting = select(plan).where(
        plan.incident_id == incident_id,
        plan.requested_by == proposals.SYSTEM.person,
        plan.status == PlanStatus.PROPOSED,
    )
    for one in session.scalars(waiting):
        zh, en = plans.called(one)
        _tell(
            session,
            incident_id,
            Stage.ORDER,
            "系统建议重排方案 / The system proposes a replan",
            f"现场情况有变,系统已算出新方案:{zh},在批准之前不生效。请查看差异并决定。",
            f"Things have changed; the system has made {en}, which needs approval. "
            "Look at the difference, and decide.",
            f"proposal:{one.id}",
        )


def _tell(
    session: Session, incident_id: UUID, stage: Stage, subject: str, zh: str, en: str, dedup_key: str
) -> None:
    task = Task
    given = select(task.to_post).where(
        task.incident_id == incident_id, task.stage == stage, task.state != TaskState.DROPPED
    )
    for post_id in sorted(set(session.scalars(given))) or authority.top(session):
        notices.tell(session, post_id, subject, zh, en, f"{dedup_key}:{post_id}", incident_id)
