"""A report as a page to print: a draft is marked as one, an exercise too."""

from datetime import UTC, datetime
from uuid import UUID

from chubei_shared.china import local
from sqlalchemy.orm import Session
from starlette.responses import HTMLResponse

from chubei_allocation.papers.pages import page, qr
from chubei_allocation.reports import views, words

_STATUS = {
    "draft": ("草稿,未签发", "DRAFT, not signed"),
    "signed": ("已签发", "signed"),
    "superseded": ("已被新版取代", "superseded by a later version"),
    "discarded": ("已作废", "discarded"),
}


def paper(session: Session, report_id: UUID) -> HTMLResponse:
    """Raises NotFound."""
    report = views.show(session, report_id)
    return page(
        "report.html",
        "form.css",
        subject="reports",
        report=report,
        facts=report.facts,
        told=report.told,
        kind=words.KINDS[report.kind],
        status=_STATUS[report.status],
        disaster=words.disaster(report.facts),
        level=words.level(report.facts),
        names=report.facts.names(),
        local=local,
        code=qr(f"chubei:report:{report.hash}"),
        printed=local(datetime.now(UTC)),
    )
