"""The decision memo (应急项目决策备忘录) as a page to print: as it is now, or as an approver saw it."""

from uuid import UUID

from chubei_shared.china import local
from chubei_shared.contracts.base import Mode
from sqlalchemy.orm import Session
from starlette.responses import HTMLResponse

from chubei_allocation.approval import memos
from chubei_allocation.authority.rules import MODES
from chubei_allocation.papers.pages import page, qr
from chubei_allocation.plans import outcomes, plans

_STATUS = {
    "proposed": ("尚未批准", "not approved yet"),
    "approving": ("正在锁定物资", "being approved"),
    "approved": ("已批准", "approved"),
    "superseded": ("已批准,后被重排取代", "approved, superseded since"),
    "refused": ("未批准", "refused"),
}
_MOST_ITEMS = 40


def show(session: Session, plan_id: UUID, hash_: str | None) -> HTMLResponse:
    """Raises NotFound."""
    memo = memos.show(session, plan_id, hash_)
    plan = plans.get(session, plan_id)
    names = outcomes.names(plans.scenario(session, plan))
    body = memo.memo
    return page(
        "memo.html",
        "form.css",
        memo=body,
        hash=memo.hash,
        status=_STATUS.get(body.status, (body.status, body.status)),
        names=names,
        units=sorted(body.result.units.items())[:_MOST_ITEMS],
        modes={mode.value: MODES[mode] for mode in Mode},
        local=local,
        code=qr(f"chubei:memo:{memo.hash}"),
    )
