"""Scrapping over HTTP: who asks does not approve."""

from typing import Annotated, Any
from uuid import UUID

from chubei_shared.access import CurrentCaller, Tx, allow
from chubei_shared.contracts.batches import ParkedView, Reject
from chubei_shared.contracts.movements import Scrap
from chubei_shared.tokens import Role
from fastapi import APIRouter, Body, Response

from chubei_inventory.api_parameters import READERS, Oldest, answered, repeatable
from chubei_inventory.scraps import scraps

router = APIRouter(prefix="/v1", tags=["stock"])

_APPROVERS = (Role.APPROVER, Role.ADMIN)
_SCRAP: dict[str, Any] = {
    "expired": {
        "summary": "封存的过期物资申请报废 / expired goods that are sealed off",
        "value": {
            "kind": "scrap",
            "id": "9b9c2f6c-5b6e-4d3a-8a55-1d0d2d5e7c14",
            "occurred_at": "2026-11-21T17:00:00+08:00",
            "voucher": "BF-2026-0004",
            "reason": "过期,检验不合格",
            "place_id": "STORE-N",
            "lines": [
                {"item_code": "1020101", "lot_id": "2f1d7c1e-90a6-4e43-8e8a-7a6a0e3b9d13", "quantity": 24}
            ],
        },
    }
}
_REASON: dict[str, Any] = {
    "said": {"summary": "写明理由 / say why", "value": {"reason": "五人鉴定意见书第 3 号"}}
}


@router.post(
    "/scraps",
    status_code=201,
    summary="申请报废,批准后入账(同编号可重发) / ask to scrap goods; booked when somebody else approves it",
    response_model=ParkedView,
    responses=repeatable(ParkedView),
    **allow(Role.CLERK, Role.ADMIN),
)
def post_scrap(
    body: Annotated[Scrap, Body(openapi_examples=_SCRAP)],
    caller: CurrentCaller,
    tx: Tx,
    response: Response,
    oldest: Oldest,
) -> ParkedView:
    return answered(response, tx(scraps.ask, body, caller, oldest))


@router.get("/scraps/{scrap_id}", summary="一份报废申请 / one request to scrap", **allow(*READERS))
def get_scrap(scrap_id: UUID, tx: Tx) -> ParkedView:
    return tx(scraps.get, scrap_id)


@router.post(
    "/scraps/{scrap_id}:approve",
    summary="批准报废并入账(不得自批) / approve it, and book it; never one's own",
    **allow(*_APPROVERS),
)
def approve_scrap(
    scrap_id: UUID, body: Annotated[Reject, Body(openapi_examples=_REASON)], caller: CurrentCaller, tx: Tx
) -> ParkedView:
    return tx(scraps.approve, scrap_id, body, caller)


@router.post(
    "/scraps/{scrap_id}:reject",
    summary="不予报废,写明原因 / do not scrap it, and say why",
    **allow(*_APPROVERS),
)
def reject_scrap(
    scrap_id: UUID, body: Annotated[Reject, Body(openapi_examples=_REASON)], caller: CurrentCaller, tx: Tx
) -> ParkedView:
    return tx(scraps.refuse, scrap_id, body, caller)
