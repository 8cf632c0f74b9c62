"""The report of an aftermath as a page to print, its plots drawn here as SVG."""

from chubei_shared.china import local
from chubei_shared.contracts.aftermath import Aftermath, EventKind
from starlette.responses import HTMLResponse

from chubei_allocation.aftermath import plots
from chubei_allocation.papers.pages import page

_KINDS = {
    EventKind.INCIDENT: "事件", EventKind.AMENDMENT: "变更", EventKind.HEADCOUNT: "人数", EventKind.TASK: "任务",
    EventKind.NOTICE: "通知", EventKind.CALL: "召集", EventKind.CONFIRMATION: "确认", EventKind.PLAN: "方案",
    EventKind.DECISION: "决定", EventKind.ORDER: "调拨", EventKind.RECEIPT: "接收", EventKind.DEVIATION: "情况",
    EventKind.SHELTER: "安置点",
    EventKind.REPORT: "报告",
}  # fmt: skip


def paper(found: Aftermath) -> HTMLResponse:
    last = plots.last_minute(found.trips, found.deadline_min)
    most = max([found.people, *found.planned_by_hour, *found.served_by_hour])
    minutes = [60 * hour for hour in range(len(found.planned_by_hour))]
    return page(
        "aftermath.html",
        "account.css",
        subject="aftermath",
        found=found,
        kinds=_KINDS,
        planned=plots.steps(minutes, found.planned_by_hour, found.deadline_min, most),
        actual=plots.steps(minutes, found.served_by_hour, found.deadline_min, most),
        hours=plots.hours(found.deadline_min),
        phases=plots.phases(found.phases),
        trips=plots.trips(found.trips, last),
        width=plots.WIDTH,
        height=plots.HEIGHT,
        row=plots.ROW,
        most=most,
        local=local,
        yuan=lambda fen: "待定 to agree" if fen is None else f"{fen / 100:,.2f} 元",
    )
