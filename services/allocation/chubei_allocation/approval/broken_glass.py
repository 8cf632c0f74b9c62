"""Posts are told of a sign-in without the second factor, and of what is approved under it."""

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy.orm import Session

from chubei_allocation import tables
from chubei_allocation.authority import authority
from chubei_allocation.notices import notices
from chubei_allocation.plans import plans

_ACK_WITHIN_MIN = 15


def entered(session: Session, told: dict[str, str]) -> None:
    """Tells the highest tier. `told`: the gateway's event session.break_glass; the same once more changes nothing."""
    _tell(
        session,
        authority.top(session),
        "应急登录 / A sign-in without the second factor",
        f"{told['username']} 以应急登录(未经二次验证)进入系统。原因:{told['reason']};见证人:{told['witness']}。"
        "请即核实是否本人;须由另外两人在“我的账户”说明。",
        f"{told['username']} broke the glass and signed in without the second factor. Why: {told['reason']}; witness: "
        f"{told['witness']}. Verify that it was them; two others have to account for it, under My account.",
        f"entered:{told['id']}",
    )


def approved(session: Session, plan: tables.Plan, person: str, in_name_of: str | None) -> None:
    """Tells the highest tier, and the post in whose name it was done."""
    zh, en = plans.called(plan)
    _tell(
        session,
        dict.fromkeys([*authority.top(session), *([in_name_of] if in_name_of else [])]),
        "应急登录下的批准 / An approval without the second factor",
        f"{person} 以应急登录(未经二次验证)批准了 {zh}。请即核实是否本人所为,并由两人说明此次应急登录。",
        f"{person} approved {en} after breaking the glass, without the second factor. Verify that it was "
        "them; two persons have to account for the sign-in.",
        f"{plan.id}:{person}",
        plan.incident_id,
    )


def _tell(
    session: Session,
    posts: Iterable[str],
    subject: str,
    zh: str,
    en: str,
    key: str,
    incident_id: UUID | None = None,
) -> None:
    for post_id in posts:
        notices.tell(
            session,
            post_id,
            subject,
            zh,
            en,
            dedup_key=f"break-glass:{key}:{post_id}",
            incident_id=incident_id,
            ack_within_min=_ACK_WITHIN_MIN,
        )
