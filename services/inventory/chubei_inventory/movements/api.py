"""Movements and stock."""

from typing import Annotated, Any
from uuid import UUID

from chubei_shared.access import CurrentCaller, Tx, allow
from chubei_shared.contracts.base import Id, ItemCode
from chubei_shared.contracts.catalogue import Owner
from chubei_shared.contracts.stock import Movement, MovementPage, MovementView, StockPage
from chubei_shared.tokens import Role
from fastapi import APIRouter, Body, Query, Response

from chubei_inventory.api_parameters import READERS, Cursor, Limit, Oldest, answered, repeatable
from chubei_inventory.movements import movements
from chubei_inventory.stock import queries

router = APIRouter(prefix="/v1", tags=["stock"])

Account = Annotated[str | None, Query(pattern=r"^[A-Za-z0-9][A-Za-z0-9:._#@-]{0,199}$")]
"""A place, or one of its states, such as sealed:STORE-N."""

_EXAMPLES: dict[str, Any] = {
    "receive": {
        "summary": "入库 / goods come in",
        "value": {
            "kind": "receive",
            "id": "0f8b6d0e-6d1c-4a52-9f43-6b7f3f0f7a10",
            "occurred_at": "2026-11-21T09:00:00+08:00",
            "voucher": "RK-2026-0117",
            "place_id": "STORE-N",
            "lines": [
                {
                    "item_code": "1020101",
                    "quantity": 480,
                    "lot": {
                        "lot_no": "W2611",
                        "maker": "某饮品公司",
                        "made_on": "2026-11-01",
                        "expires_on": "2027-11-01",
                    },
                }
            ],
        },
    },
    "issue": {
        "summary": "出库(先到期先出) / goods go out, first expired first",
        "value": {
            "kind": "issue",
            "id": "5a0c5ad4-3a0b-4b0c-8a4c-0f3d1f6d6f11",
            "occurred_at": "2026-11-21T10:00:00+08:00",
            "voucher": "CK-2026-0031",
            "place_id": "STORE-N",
            "lines": [{"item_code": "1020101", "quantity": 24}],
        },
    },
    "short pick": {
        "summary": "短拣:账上有、货架上没有 / a picker finds fewer than the books have",
        "value": {
            "kind": "short_pick",
            "id": "9b9c2f6c-5b6e-4d3a-8a55-1d0d2d5e7c13",
            "occurred_at": "2026-11-21T10:20:00+08:00",
            "place_id": "STORE-N",
            "picked_for": "7d9f6a1c-2b1e-4e57-9b0c-3c1b7a5e2f14",
            "lines": [
                {"item_code": "1020101", "lot_id": "2f1d7c1e-90a6-4e43-8e8a-7a6a0e3b9d13", "quantity": 24}
            ],
        },
    },
    "adjust": {
        "summary": "盘点调整 / the books follow a count",
        "value": {
            "kind": "adjust",
            "id": "9b9c2f6c-5b6e-4d3a-8a55-1d0d2d5e7c12",
            "occurred_at": "2026-11-21T17:00:00+08:00",
            "reason": "月末盘点:破损 3 瓶",
            "place_id": "STORE-N",
            "lines": [{"lot_id": "2f1d7c1e-90a6-4e43-8e8a-7a6a0e3b9d13", "change": -3}],
        },
    },
}


@router.post(
    "/movements",
    status_code=201,
    summary="记一笔库存流水(同编号同内容可重发) / record a movement; the same again gives the same answer",
    response_model=MovementView,
    responses=repeatable(MovementView),
    **allow(Role.CLERK, Role.SERVICE, Role.ADMIN),
)
def post_movement(
    body: Annotated[Movement, Body(openapi_examples=_EXAMPLES)],
    caller: CurrentCaller,
    tx: Tx,
    response: Response,
    oldest: Oldest,
) -> MovementView:
    return answered(response, tx(movements.record, body, caller, oldest=oldest))


@router.get(
    "/movements", summary="库存流水(账卡次序) / movements in the order of recording", **allow(*READERS)
)
def get_movements(
    tx: Tx,
    place_id: Account = None,
    item_code: ItemCode | None = None,
    order_id: UUID | None = None,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> MovementPage:
    return tx(queries.movements, place_id, item_code, order_id, cursor, limit)


@router.get("/movements/{movement_id}", summary="一笔流水 / one movement", **allow(*READERS))
def get_movement(movement_id: UUID, tx: Tx) -> MovementView:
    return tx(queries.movement, movement_id)


@router.get("/stock", summary="各处各批次的库存 / stock by place and lot", **allow(*READERS))
def get_stock(
    tx: Tx,
    place_id: Account = None,
    at_place_id: Id | None = None,
    item_code: ItemCode | None = None,
    lot_id: UUID | None = None,
    owner: Owner | None = None,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> StockPage:
    """`place_id`: just that account; `at_place_id`: the place with what it keeps off its shelves."""
    asked = {
        "place_id": place_id, "at_place_id": at_place_id, "item_code": item_code, "lot_id": lot_id, "owner": owner,
    }  # fmt: skip
    return tx(queries.stock, asked, cursor, limit)
