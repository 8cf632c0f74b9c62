"""Call-offs: ordered by command staff; whoever stands at the supplier's says what became of them."""

from typing import Annotated, Any
from uuid import UUID

from chubei_shared.access import CurrentCaller, Tx, allow
from chubei_shared.contracts.base import Id
from chubei_shared.contracts.call_offs import CallOff, CallOffPage, CallOffState, CallOffStep, CallOffView
from chubei_shared.tokens import Role
from fastapi import APIRouter, Body, Response

from chubei_inventory.api_parameters import READERS, WRITERS, Cursor, Limit, answered, repeatable
from chubei_inventory.call_offs import call_offs

router = APIRouter(prefix="/v1", tags=["reserves"])

_REPEATED = repeatable(CallOffView)
_ORDER: dict[str, Any] = {
    "order": {
        "summary": "向协议企业调用 500 件 / call off 500 from an agreement",
        "value": {
            "id": "5a0c6f1e-9a57-4d0c-8a53-0d6c9c3f7a10", "reserve_id": "AGR-WATER-N", "quantity": 500,
            "ordered_at": "2026-11-21T09:00:00+08:00", "voucher": "西应急调〔2026〕3号",
        },
    }
}  # fmt: skip
_STEP: dict[str, Any] = {
    "confirmed": {
        "summary": "确认 460 件 / 460 confirmed",
        "value": {
            "id": "6b1d7a2f-0b68-4e1d-9b64-1e7d0d4a8b21", "state": "confirmed", "quantity": 460,
            "happened_at": "2026-11-21T09:12:00+08:00", "ready_at": "2026-11-21T11:30:00+08:00",
            "told_by": "值班室",
        },
    },
    "failed": {
        "summary": "对方无货 / they have none",
        "value": {
            "id": "7c2e8b30-1c79-4f2e-8c75-2f8e1e5b9c32", "state": "failed",
            "happened_at": "2026-11-21T09:12:00+08:00", "note": "无人接听",
        },
    },
}  # fmt: skip


@router.post(
    "/call-offs",
    status_code=201,
    summary="调用:向协议、产能、资金储备下单 / order from an agreement, a maker or a fund",
    response_model=CallOffView,
    responses=_REPEATED,
    **allow(*WRITERS, Role.SERVICE),
)
def post_call_off(
    body: Annotated[CallOff, Body(openapi_examples=_ORDER)], caller: CurrentCaller, tx: Tx, response: Response
) -> CallOffView:
    """What is not confirmed within `confirm_within_min` counts no more; a late confirmation counts again."""
    return answered(response, tx(call_offs.order, body, caller))


@router.post(
    "/call-offs/{call_off_id}/steps",
    status_code=201,
    summary="登记确认、备妥、提走、落空、撤回 / confirmed, ready, collected, failed, withdrawn",
    response_model=CallOffView,
    responses=_REPEATED,
    **allow(*WRITERS, Role.CLERK, Role.SERVICE),
)
def post_call_off_step(
    call_off_id: UUID,
    body: Annotated[CallOffStep, Body(openapi_examples=_STEP)],
    caller: CurrentCaller,
    tx: Tx,
    response: Response,
) -> CallOffView:
    """`may_become` of the call-off says which steps can follow."""
    return answered(response, tx(call_offs.advance, call_off_id, body, caller))


@router.get("/call-offs", summary="调用,最近的在前 / call-offs, the latest first", **allow(*READERS))
def get_call_offs(
    tx: Tx,
    reserve_id: Id | None = None,
    hold_id: UUID | None = None,
    state: CallOffState | None = None,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> CallOffPage:
    return tx(call_offs.page, reserve_id, hold_id, state, cursor, limit)


@router.get(
    "/call-offs/{call_off_id}", summary="一次调用及其经过 / one call-off and its history", **allow(*READERS)
)
def get_call_off(call_off_id: UUID, tx: Tx) -> CallOffView:
    return tx(call_offs.get, call_off_id)
