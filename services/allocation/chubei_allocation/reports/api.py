"""Routes of reports: drafted and edited by the command, signed by an approver, read by all."""

from typing import Annotated, Any, Final
from uuid import UUID

from chubei_shared.access import CurrentCaller, Tx, allow
from chubei_shared.contracts.reports import (
    Arrival,
    Discard,
    ReportEdit,
    ReportKind,
    ReportPage,
    ReportRequest,
    ReportSignature,
    ReportView,
)
from chubei_shared.tokens import Role
from fastapi import APIRouter, Body, Query
from fastapi.responses import HTMLResponse

from chubei_allocation.api_parameters import READERS, Cursor, Inventory
from chubei_allocation.reports import arrivals, printing, reports, views

router = APIRouter(tags=["reports"])

_EXAMPLE = {"id": "1a0a9a4e-55a8-4a80-9f4f-0b6e8d2f7c01", "kind": "city_request"}
_ARRIVED = {
    "id": "6c0a2c55-02a1-4bb0-8e3c-2f62f1a0b702",
    "item_code": "1020101",
    "quantity": 500,
    "arrived_at": "2026-11-21T09:40:00+08:00",
    "place_id": "XC-N",
    "sender": "市救灾物资储备库",
}
_PAGE: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "可打印的网页 / a page to print",
        "content": {"text/html": {"schema": {"type": "string"}}},
    }
}


@router.post(
    "/v1/incidents/{id}/reports",
    summary="生成报告草稿:速报、时报、向市里的请求 / draft a report from the books",
    status_code=201,
    **allow(Role.COMMANDER),
)
def draft_report(
    id: UUID,
    body: Annotated[ReportRequest, Body(examples=[_EXAMPLE])],
    caller: CurrentCaller,
    tx: Tx,
    inventory: Inventory,
) -> ReportView:
    """With the figures of this moment, their age and hash. With `replaces`, the next version of a signed one.

    While inventory is away it is drafted all the same, and says that the stock is not known.
    """
    return reports.draft(tx, inventory, id, body, caller)


@router.get(
    "/v1/incidents/{id}/reports",
    summary="一次事件的报告,新的在前 / the reports of an incident",
    **allow(*READERS),
)
def read_reports(
    id: UUID,
    tx: Tx,
    kind: ReportKind | None = None,
    cursor: Cursor = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 50,
) -> ReportPage:
    return tx(views.listed, id, kind, cursor, limit)


@router.get("/v1/reports/{id}", summary="一份报告 / one report", **allow(*READERS, personal=True))
def read_report(id: UUID, tx: Tx) -> ReportView:
    return tx(views.show, id)


@router.put("/v1/reports/{id}", summary="修改草稿 / edit a draft", **allow(Role.COMMANDER, Role.APPROVER))
def edit_report(id: UUID, body: ReportEdit, caller: CurrentCaller, tx: Tx) -> ReportView:
    """409 once it is signed, and when somebody else has edited it since `revision`."""
    return tx(reports.edit, id, body, caller)


@router.post("/v1/reports/{id}:sign", summary="签发 / sign a report", **allow(Role.APPROVER))
def sign_report(id: UUID, body: ReportSignature, caller: CurrentCaller, tx: Tx) -> ReportView:
    """By somebody who neither drafted nor edited it; from then on it can not be changed, and supersedes the version
    before. `seen` is the hash of what was read.
    """
    return tx(reports.sign, id, body.seen, caller)


@router.post(
    "/v1/reports/{id}:discard", summary="作废草稿 / discard a draft", **allow(Role.COMMANDER, Role.APPROVER)
)
def discard_report(id: UUID, body: Discard, tx: Tx) -> ReportView:
    return tx(reports.discard, id, body.reason)


@router.post(
    "/v1/reports/{id}/arrivals",
    summary="登记市里支援到货 / book what the city sent against the request",
    status_code=201,
    **allow(Role.CLERK, Role.COMMANDER),
)
def book_arrival(
    id: UUID, body: Annotated[Arrival, Body(examples=[_ARRIVED])], caller: CurrentCaller, tx: Tx
) -> ReportView:
    """The goods themselves are received in inventory (POST /v1/movements); name that movement here."""
    return tx(arrivals.book, id, body, caller)


@router.get(
    "/v1/reports/{id}/paper",
    summary="报告(可打印) / a report, to print",
    response_class=HTMLResponse,
    responses=_PAGE,
    **allow(*READERS, personal=True),
)
def read_report_paper(id: UUID, tx: Tx) -> HTMLResponse:
    return tx(printing.paper, id)
