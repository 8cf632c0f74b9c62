"""The score of an exercise as a page to print, marked as an exercise's."""

from datetime import UTC, datetime
from uuid import UUID

from chubei_shared.china import local
from sqlalchemy.orm import Session
from starlette.responses import HTMLResponse

from chubei_allocation.exercises import views
from chubei_allocation.papers.pages import page

_FORMS = {"table_top": ("桌面推演", "table-top"), "live": ("实战演练", "live exercise")}
_STATUS = {
    "running": ("进行中", "running"), "concluded": ("已结束", "concluded"), "cancelled": ("已取消", "cancelled"),
    "waiting": ("未到", "waiting"), "played": ("已下达", "brought"), "failed": ("未能下达", "failed"),
    "skipped": ("未到即结束", "skipped"),
}  # fmt: skip


def paper(session: Session, incident_id: UUID) -> HTMLResponse:
    """Raises NotFound."""
    found = views.show(session, incident_id)
    return page(
        "exercise.html",
        "account.css",
        subject="exercises",
        found=found,
        form=_FORMS[found.form],
        words=_STATUS,
        local=local,
        printed=local(datetime.now(UTC)),
    )
