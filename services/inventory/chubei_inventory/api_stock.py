"""Movements, stock, and whether the books balance."""

from typing import Annotated, Any
from uuid import UUID

from chubei_shared.access import CurrentCaller, Tx, allow
from chubei_shared.contracts.base import Id, ItemCode
from chubei_shared.contracts.catalogue import Owner
from chubei_shared.contracts.stock import BooksReport, Movement, MovementPage, MovementView, StockPage
from chubei_shared.tokens import Role
from fastapi import APIRouter, Body, Query, Response

from chubei_inventory import movements, queries
from chubei_inventory.api_parameters import READERS, Cursor, Limit

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
        "summary": "出库(先到期先出)/ goods go out, first expired first",
        "value": {
            "kind": "issue",
            "id": "5a0c5ad4-3a0b-4b0c-8a4c-0f3d1f6d6f11",
            "occurred_at": "2026-11-21T10:00:00+08:00",
            "voucher": "CK-2026-0031",
            "place_id": "STORE-N",
            "lines": [{"item_code": "1020101", "quantity": 24}],
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
    summary="记一笔库存流水(同编号同内容可重发)/ record a movement; the same again gives the same answer",
    response_model=MovementView,
    responses={
        200: {"model": MovementView, "description": "早已记过,同前 / recorded before, the same answer"}
    },
    **allow(Role.CLERK, Role.SERVICE, Role.ADMIN),
)
def post_movement(
    body: Annotated[Movement, Body(openapi_examples=_EXAMPLES)],
    caller: CurrentCaller,
    tx: Tx,
    response: Response,
) -> MovementView:
    view, new = tx(movements.record, body, caller)
    response.status_code = 201 if new else 200
    return view


@router.get(
    "/movements", summary="库存流水(账卡次序)/ movements in the order of recording", **allow(*READERS)
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


@router.get(
    "/books",
    summary="账是否平:由流水重算每个余额 / do the books balance: every balance recomputed from the entries",
    **allow(*READERS),
)
def get_books(tx: Tx) -> BooksReport:
    return tx(queries.books)
