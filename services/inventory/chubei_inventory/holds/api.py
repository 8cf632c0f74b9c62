"""Holds: only the allocation service takes them, for plans that have been approved."""

from typing import Annotated, Any
from uuid import UUID

from chubei_shared.access import CurrentCaller, Tx, allow
from chubei_shared.contracts.holds import HoldReplace, HoldRequest, HoldView
from chubei_shared.tokens import Role
from fastapi import APIRouter, Body, Response

from chubei_inventory.api_parameters import READERS, answered, repeatable
from chubei_inventory.holds import freed, holds
from chubei_inventory.stock import queries

router = APIRouter(prefix="/v1", tags=["holds"])

_REPEATED = repeatable(HoldView)
_REQUEST = {
    "id": "7d9f6a1c-2b1e-4e57-9b0c-3c1b7a5e2f14",
    "purpose": "plan:1f0e",
    "expires_at": "2026-11-22T09:00:00+08:00",
    "lines": [
        {
            "place_id": "STORE-N",
            "item_code": "1020101",
            "mode": "physical",
            "quantity": 480,
            "needed_at": "2026-11-21T15:00:00+08:00",
        }
    ],
}
_EXAMPLE: dict[str, Any] = {"hold": {"summary": "预留一行 / hold one line", "value": _REQUEST}}
_EXAMPLE_REPLACE: dict[str, Any] = {
    "replace": {
        "summary": "换预留 / release one, take another",
        "value": {"release": ["c0a8f0f2-52d0-4b8e-8a65-6f0f3a1b7d15"], "hold": _REQUEST},
    }
}


@router.post(
    "/holds",
    status_code=201,
    summary="预留:全部行或一行不留 / hold all lines or none; a refusal names every short line",
    response_model=HoldView,
    responses=_REPEATED,
    **allow(Role.SERVICE),
)
def post_hold(
    body: Annotated[HoldRequest, Body(openapi_examples=_EXAMPLE)],
    caller: CurrentCaller,
    tx: Tx,
    response: Response,
) -> HoldView:
    return answered(response, tx(holds.hold, body, caller))


@router.post(
    "/holds:replace",
    status_code=201,
    summary="释放旧预留并取新预留,一次完成 / release holds and take another, in one transaction",
    response_model=HoldView,
    responses=_REPEATED,
    **allow(Role.SERVICE),
)
def replace_hold(
    body: Annotated[HoldReplace, Body(openapi_examples=_EXAMPLE_REPLACE)],
    caller: CurrentCaller,
    tx: Tx,
    response: Response,
) -> HoldView:
    return answered(response, tx(freed.replace, body, caller))


@router.post(
    "/holds/{hold_id}:release",
    summary="释放未出库的部分 / give back what has not been issued",
    **allow(Role.SERVICE),
)
def release_hold(hold_id: UUID, tx: Tx) -> HoldView:
    return tx(freed.release, hold_id)


@router.post(
    "/holds/{hold_id}:repick",
    summary="换批次:已召回、封存、到货前到期、待核的批次换成别的 / other lots for those that can not be had any more",
    **allow(Role.SERVICE, Role.COMMANDER, Role.ADMIN),
)
def repick_hold(hold_id: UUID, tx: Tx) -> HoldView:
    """Repeating it moves nothing more; `repicked` says what was moved and what is short."""
    return tx(freed.repick, hold_id)


@router.get("/holds/{hold_id}", summary="一个预留 / one hold", **allow(*READERS))
def get_hold(hold_id: UUID, tx: Tx) -> HoldView:
    return tx(queries.hold, hold_id)
