"""All that is on record of an incident, on one time line: by when it happened, then by when it was recorded."""

from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

from chubei_shared.contracts.aftermath import Event, EventKind
from chubei_shared.contracts.call_out import CallState
from chubei_shared.contracts.orders import StepKind, StepState
from chubei_shared.contracts.shelters import RecordKind, RecordState
from chubei_shared.state_words import zh as zh_of
from sqlalchemy import select
from sqlalchemy.orm import Session

from chubei_allocation import tables
from chubei_allocation.aftermath.account import Names
from chubei_allocation.authority.tables import PlanApproval
from chubei_allocation.call_out.tables import Call, CallOut, Change
from chubei_allocation.confirmations.tables import Answer, Confirmation
from chubei_allocation.deviations import deviations
from chubei_allocation.incidents.tables import Amendment, Headcount
from chubei_allocation.notices.tables import Notice
from chubei_allocation.oral_orders.tables import OralOrder
from chubei_allocation.oral_orders.telling import HOW
from chubei_allocation.posts.tables import Post
from chubei_allocation.reports.tables import Arrival, Report
from chubei_allocation.response.tables import Step as TaskStep
from chubei_allocation.response.tables import Task
from chubei_allocation.shelters.tables import ShelterRecord

_STEPS = {
    StepKind.PICKED: ("拣货完成", "picked"),
    StepKind.LOADED: ("装车完成", "loaded"),
    StepKind.TAKEN_OVER: ("司机接货", "taken over by the driver"),
    StepKind.DEPARTED: ("出发", "departed"),
    StepKind.ARRIVED: ("到达", "arrived"),
    StepKind.RECEIVED: ("接收", "received"),
}
_MOVES = {
    "acknowledge": ("签收", "acknowledged"),
    "complete": ("办结", "done"),
    "drop": ("取消", "dropped"),
    "reassign": ("改派", "reassigned"),
    "escalate": ("上报上级", "escalated"),
}
_CHANGES = {
    "level": ("级别", "the level"),
    "people": ("人数", "people"),
    "groups": ("人群", "groups"),
    "conditions": ("室内外、季节", "indoors, season"),
    "shelters_opened": ("启用安置点", "a shelter opens"),
    "shelters_closed": ("关闭安置点", "a shelter closes"),
    "shelter_delayed": ("安置点推迟启用", "a shelter opens later"),
    "closures": ("道路封闭或恢复", "roads closed or open again"),
    "demand_added": ("增加定量需求", "a fixed demand more"),
    "demand_removed": ("取消定量需求", "a fixed demand less"),
    "more_granted": ("安置点增补", "more for a shelter"),
    "ended": ("结束事件", "it ends"),
    "reopened": ("重新启动", "it is reopened"),
}


class _Line:
    """Makes events of one incident. `names` are those of places, items and posts, Chinese and English."""

    def __init__(self, incident: tables.Incident, names: Names) -> None:
        self._began, self._names = incident.occurred_at, names

    def name(self, id: str) -> tuple[str, str]:
        """Itself where it has none."""
        return self._names.get(id, (id, id))

    def event(
        self,
        at: datetime,
        kind: EventKind,
        zh: str,
        en: str,
        by: str,
        subject: UUID | None = None,
        recorded_at: datetime | None = None,
    ) -> Event:
        return Event(
            at=at,
            minute=int((at - self._began).total_seconds() // 60),
            recorded_at=recorded_at or at,
            kind=kind,
            zh=zh,
            en=en,
            by=by,
            subject_id=subject,
        )


def events(session: Session, incident: tables.Incident, names: Names) -> list[Event]:
    """`names` are what its plans called places and items."""
    line = _Line(incident, {**_own_names(session), **names})
    found: list[Event] = []
    for part in (
        _incident,
        _people,
        _response,
        _readying,
        _decisions,
        _orders,
        _shelters,
        _deviations,
        _reports,
    ):
        found += part(session, incident, line)
    return sorted(found, key=lambda event: (event.at, event.recorded_at))


def _own_names(session: Session) -> dict[str, tuple[str, str]]:
    """Of shelters and posts."""
    return {
        row.id: (row.name_zh, row.name_en)
        for table in (tables.Shelter, Post)
        for row in session.execute(select(table.id, table.name_zh, table.name_en))
    }


def _incident(session: Session, incident: tables.Incident, line: _Line) -> Iterator[Event]:
    kind = EventKind.INCIDENT
    yield line.event(incident.occurred_at, kind, "灾害发生", "The disaster", "", incident.id)
    yield line.event(
        incident.declared_at,
        kind,
        f"宣布事件:{incident.name}",
        f"Declared: {incident.name}",
        incident.declared_by,
        incident.id,
    )
    for row in session.scalars(select(Amendment).where(Amendment.incident_id == incident.id)):
        what = _CHANGES[row.kind]
        zh, en = f"变更({what[0]}):{row.body['why']}", f"Amended, {what[1]}: {row.body['why']}"
        yield line.event(
            row.occurred_at, EventKind.AMENDMENT, zh, en, row.recorded_by, row.id, row.recorded_at
        )


def _people(session: Session, incident: tables.Incident, line: _Line) -> Iterator[Event]:
    for row in session.scalars(select(Headcount).where(Headcount.incident_id == incident.id)):
        zh, en = line.name(row.shelter_id)
        yield line.event(
            row.occurred_at,
            EventKind.HEADCOUNT,
            f"{zh} 上报 {row.people:,} 人",
            f"{en} reports {row.people:,} people",
            row.recorded_by,
            row.id,
            row.recorded_at,
        )


def _response(session: Session, incident: tables.Incident, line: _Line) -> Iterator[Event]:
    tasks = {row.id: row for row in session.scalars(select(Task).where(Task.incident_id == incident.id))}
    for task in tasks.values():
        zh, en = line.name(task.to_post)
        yield line.event(
            task.opened_at,
            EventKind.TASK,
            f"下达任务给{zh}:{task.zh}",
            f"Task for {en}: {task.en}",
            "",
            task.id,
        )
    for step in session.scalars(select(TaskStep).where(TaskStep.task_id.in_(tasks))):
        zh, en = _MOVES[step.move]
        of = tasks[step.task_id]
        yield line.event(step.at, EventKind.TASK, f"任务{zh}:{of.zh}", f"Task {en}: {of.en}", step.by, of.id)
    for notice in session.scalars(select(Notice).where(Notice.incident_id == incident.id)):
        kind = EventKind.NOTICE
        zh, en = line.name(notice.to_post)
        yield line.event(
            notice.told_at,
            kind,
            f"通知{zh}:{notice.zh}",
            f"Told {en}: {notice.en}",
            "",
            notice.id,
        )
        if notice.acknowledged_at:
            yield line.event(
                notice.acknowledged_at,
                kind,
                f"已收到:{notice.zh}",
                f"Heard: {notice.en}",
                notice.acknowledged_by or "",
                notice.id,
            )


def _readying(session: Session, incident: tables.Incident, line: _Line) -> Iterator[Event]:
    """Who was called, and what suppliers said."""
    for out in session.scalars(select(CallOut).where(CallOut.incident_id == incident.id)):
        yield line.event(
            out.opened_at, EventKind.CALL, "开始召集人员", "Call-out opened", out.opened_by, out.id
        )
    changes = select(Change, Call).join(Call, Call.id == Change.call_id)
    for change, call in session.execute(changes.where(Call.incident_id == incident.id)):
        zh, en = zh_of(CallState, change.state), change.state.replace("_", " ")
        yield line.event(
            change.at, EventKind.CALL, f"{call.name}:{zh}", f"{call.name}: {en}", change.by, call.id
        )
    asked = {
        row.id: row
        for row in session.scalars(select(Confirmation).where(Confirmation.incident_id == incident.id))
    }
    for row in asked.values():
        yield line.event(
            row.asked_at,
            EventKind.CONFIRMATION,
            f"请 {row.name_zh} 确认数量",
            f"{row.name_en} is asked to confirm",
            row.asked_by,
            row.id,
        )
    for answer in session.scalars(select(Answer).where(Answer.confirmation_id.in_(asked))):
        of = asked[answer.confirmation_id]
        yield line.event(
            answer.at,
            EventKind.CONFIRMATION,
            f"{of.name_zh} 已答复",
            f"{of.name_en} has answered",
            answer.by,
            of.id,
        )


def _decisions(session: Session, incident: tables.Incident, line: _Line) -> Iterator[Event]:
    found = {
        row.id: row
        for row in session.scalars(select(tables.Plan).where(tables.Plan.incident_id == incident.id))
    }
    for plan in found.values():
        zh, en = ("重排方案", "Replan") if plan.replaces else ("方案", "Plan")
        yield line.event(
            plan.created_at,
            EventKind.PLAN,
            f"{zh}已提出,可救助 {plan.supported:,} 人",
            f"{en} proposed: {plan.supported:,} people",
            plan.requested_by,
            plan.id,
        )
        if plan.status == "refused" and plan.decided_at:
            yield line.event(
                plan.decided_at,
                EventKind.DECISION,
                f"方案退回:{plan.refusal}",
                f"Refused: {plan.refusal}",
                plan.decided_by or "",
                plan.id,
            )
    for row in session.scalars(select(PlanApproval).where(PlanApproval.plan_id.in_(found))):
        how = ("口头批准", "Approved by word of mouth") if row.oral else ("批准方案", "Approved")
        if row.break_glass:
            how = f"{how[0]}(应急登录)", f"{how[1]}, signed in by break-glass"
        yield line.event(row.approved_at, EventKind.DECISION, how[0], how[1], row.person, row.plan_id)
    for oral in session.scalars(select(OralOrder).where(OralOrder.incident_id == incident.id)):
        yield line.event(
            oral.given_at,
            EventKind.DECISION,
            f"{HOW[oral.how][0]}下达口头命令" + ("(应急登记)" if oral.break_glass else ""),
            f"Oral order {HOW[oral.how][1]}" + (", a break-glass entry" if oral.break_glass else ""),
            oral.given_by,
            oral.plan_id,
            oral.recorded_at,
        )
        if oral.papers_at:
            yield line.event(
                oral.papers_at,
                EventKind.DECISION,
                f"补书面文件 {oral.document_no}",
                f"Papers filed: {oral.document_no}",
                oral.papers_by or "",
                oral.plan_id,
            )


def _orders(session: Session, incident: tables.Incident, line: _Line) -> Iterator[Event]:
    found = session.execute(
        select(tables.OrderStep, tables.DispatchOrder)
        .join(tables.DispatchOrder, tables.DispatchOrder.id == tables.OrderStep.order_id)
        .where(tables.DispatchOrder.incident_id == incident.id, tables.OrderStep.state == StepState.DONE)
    )
    for step, order in found:
        kind = StepKind(step.step)
        zh, en = _STEPS[kind]
        place = order.stops[step.stop]
        short = sum(row.get("short", 0) + row.get("damaged", 0) for row in step.lines)
        more = (f",短缺损坏 {short:,}", f", {short:,} short or damaged") if short else ("", "")
        yield line.event(
            step.occurred_at,
            EventKind.RECEIPT if kind is StepKind.RECEIVED else EventKind.ORDER,
            f"{order.number} {place['name_zh']} {zh}{more[0]}",
            f"{order.number} {place['name_en']} {en}{more[1]}",
            step.recorded_by,
            order.id,
            step.recorded_at,
        )


_RECORDS = {
    RecordKind.HAND_OUT: ("发放", "handed out"),
    RecordKind.REQUEST: ("要求增补", "asks for more"),
    RecordKind.RETURN: ("退回", "gives back"),
}


def _shelters(session: Session, incident: tables.Incident, line: _Line) -> Iterator[Event]:
    """What keepers recorded; nobody's name is in it."""
    row = ShelterRecord
    stands = row.state.not_in([RecordState.PENDING, RecordState.REFUSED])
    for one in session.scalars(select(row).where(row.incident_id == incident.id, stands)):
        zh, en = _RECORDS[RecordKind(one.kind)]
        place = line.name(one.shelter_id)
        units = [(*line.name(item), number) for item, number in sorted(one.units.items())]
        yield line.event(
            one.occurred_at,
            EventKind.SHELTER,
            f"{place[0]} {zh}:" + "、".join(f"{name} × {number:,}" for name, _, number in units),
            f"{place[1]} {en}: " + ", ".join(f"{number:,} × {name}" for _, name, number in units),
            one.recorded_by,
            one.id,
            one.recorded_at,
        )


def _deviations(session: Session, incident: tables.Incident, line: _Line) -> Iterator[Event]:
    for row in deviations.listed(session, incident.id).rows:
        kind = EventKind.DEVIATION
        yield line.event(
            row.occurred_at, kind, row.zh, row.en, row.reported_by, row.id, recorded_at=row.reported_at
        )
        if row.lifted_at:
            zh, en = f"解除:{row.zh}", f"Lifted: {row.en}"
            yield line.event(row.lifted_at, kind, zh, en, row.lifted_by or "", row.id)


def _reports(session: Session, incident: tables.Incident, line: _Line) -> Iterator[Event]:
    for row in session.scalars(select(Report).where(Report.incident_id == incident.id)):
        if row.signed_at:
            zh, en = f"签发 {row.number}:{row.told['title']}", f"Signed {row.number}"
            yield line.event(row.signed_at, EventKind.REPORT, zh, en, row.signed_by or "", row.id)
    came = select(Arrival, Report.number).join(Report, Report.id == Arrival.report_id)
    for arrival, number in session.execute(came.where(Report.incident_id == incident.id)):
        zh, en = line.name(arrival.item_code)
        yield line.event(
            arrival.arrived_at,
            EventKind.REPORT,
            f"{number} 市级物资到货 {zh} × {arrival.quantity:,}",
            f"{number}: {arrival.quantity:,} × {en} came from the city",
            arrival.recorded_by,
            arrival.id,
            arrival.recorded_at,
        )
