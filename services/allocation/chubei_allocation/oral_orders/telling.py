"""Who is told of an oral order: the one who is said to have given it; of a break-glass entry, the highest tier."""

from chubei_shared import outbox
from chubei_shared.china import local
from sqlalchemy.orm import Session

from chubei_allocation.authority import authority
from chubei_allocation.notices import notices
from chubei_allocation.oral_orders import tables
from chubei_allocation.plans import plans

_ACK_WITHIN_MIN = 15
HOW = {"phone": ("电话", "by phone"), "in_person": ("当面", "in person"), "radio": ("电台", "by radio")}


def given(session: Session, row: tables.OralOrder) -> None:
    topic = "oral_order.break_glass" if row.break_glass else "oral_order.given"
    outbox.enqueue(session, topic, _body(row))
    zh, en = HOW[row.how]
    plan_zh, plan_en = plans.called(plans.get(session, row.plan_id))
    said_zh = f"{row.recorded_by} 登记:{row.given_by} {zh}下达口头命令,执行 {plan_zh};见证人 {row.witness}。"
    said_en = (
        f"{row.recorded_by} entered that {row.given_by} ordered {en} to carry out {plan_en}; "
        f"witness: {row.witness}. "
    )
    if row.break_glass:
        told = [*authority.top(session), row.post_id]
        subject = "应急登记的口头命令 / Break-glass oral order"
        said_zh += f"应急登记,原因:{row.reason}。请核实,并由两人说明。"
        said_en += (
            f"It is a break-glass entry; why: {row.reason}. Verify it; two persons have to account for it."
        )
    else:
        told = [row.post_id]
        subject = "口头命令已登记 / Oral order entered"
        said_zh += f"书面文件应于 {local(row.papers_due_at)} 前补齐;若非您所下达,请立即指出。"
        said_en += f"Papers are due by {local(row.papers_due_at)} (China); say so at once if it was not you."
    for post_id in dict.fromkeys(told):
        if post_id is not None:
            notices.tell(
                session,
                post_id,
                subject,
                said_zh,
                said_en,
                dedup_key=f"oral-order:{row.id}:{post_id}",
                incident_id=row.incident_id,
                ack_within_min=_ACK_WITHIN_MIN if row.break_glass else None,
            )


def overdue(session: Session, row: tables.OralOrder) -> None:
    outbox.enqueue(session, "oral_order.overdue", _body(row))
    zh, en = plans.called(plans.get(session, row.plan_id))
    for post_id in dict.fromkeys([row.post_id, *authority.top(session)]):
        if post_id is not None:
            notices.tell(
                session,
                post_id,
                "口头命令逾期未补文件 / Papers of an oral order are overdue",
                f"{row.given_by} 的口头命令({zh})48 小时内未补书面文件,请即补齐",
                f"The oral order of {row.given_by} ({en}) has no papers after 48 h: file them now",
                dedup_key=f"oral-order-overdue:{row.id}:{post_id}",
                incident_id=row.incident_id,
                ack_within_min=60,
            )


def _body(row: tables.OralOrder) -> dict[str, str]:
    return {
        "oral_order_id": str(row.id),
        "plan_id": str(row.plan_id),
        "incident_id": str(row.incident_id),
        "given_by": row.given_by,
        "recorded_by": row.recorded_by,
        "papers_due_at": row.papers_due_at.isoformat(),
    }
