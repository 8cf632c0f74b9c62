"""The books over time: stock as it was, bin cards, what was lent."""

from typing import Annotated, Any
from uuid import UUID

from chubei_shared.access import Tx, allow
from chubei_shared.contracts.base import Id, ItemCode, Utc
from chubei_shared.contracts.batches import AccountId
from chubei_shared.contracts.cards import CardPage, LoanPage, PastStockPage, ReturnRule
from chubei_shared.editions import IfMatch, etag_of
from chubei_shared.errors import Invalid
from fastapi import APIRouter, Body, Query, Response

from chubei_inventory.api_parameters import READERS, WRITERS, Cursor, Limit
from chubei_inventory.stock import history

router = APIRouter(prefix="/v1", tags=["stock"])

_RULE: dict[str, Any] = {
    "tents": {
        "summary": "单帐篷使用不满 6 个月的回收 / single tents come back when used under 6 months",
        "value": {"item_code": "1010101", "within_months": 6, "source": "甘肃救灾物资管理办法"},
    }
}


@router.get(
    "/past-stock",
    summary="某一时刻的库存(须给地点或物资) / stock as it was at a moment, of a place or an item",
    **allow(*READERS),
)
def get_past_stock(
    tx: Tx,
    at: Annotated[Utc, Query(description="发生时刻 / when it was so")],
    known_at: Annotated[
        Utc | None, Query(description="当时已入账的 / as recorded by then; default now")
    ] = None,
    place_id: AccountId | None = None,
    item_code: ItemCode | None = None,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> PastStockPage:
    if place_id is None and item_code is None:
        raise Invalid(
            "请给 place_id 或 item_code", "Give place_id or item_code",
            errors=[{"field": "place_id", "problem": "missing", "remedy": "place_id or item_code"}],
        )  # fmt: skip
    return tx(history.past, at, known_at, {"place_id": place_id, "item_code": item_code}, cursor, limit)


@router.get(
    "/bin-cards",
    summary="货垛卡:每笔收发与结存 / a bin card: what came in, what went out, what was there after it",
    **allow(*READERS),
)
def get_bin_card(
    tx: Tx,
    place_id: AccountId,
    item_code: ItemCode,
    lot_id: UUID | None = None,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> CardPage:
    return tx(history.card, place_id, item_code, lot_id, cursor, limit)


@router.get(
    "/loans", summary="回收台账:借出未还 / what was lent and is to come back, oldest first", **allow(*READERS)
)
def get_loans(
    tx: Tx,
    place_id: Id | None = None,
    only_open: bool = True,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> LoanPage:
    return tx(history.loans, place_id, only_open, cursor, limit)


@router.get("/return-rules", summary="回收期限 / how long what was lent has to come back", **allow(*READERS))
def get_return_rules(tx: Tx) -> list[ReturnRule]:
    return tx(history.rules)


@router.get(
    "/return-rules/{item_code}", summary="一种物资的回收期限 / the rule of one item", **allow(*READERS)
)
def get_return_rule(item_code: ItemCode, tx: Tx, response: Response) -> ReturnRule:
    found = tx(history.rule, item_code)
    response.headers["ETag"] = etag_of(found)
    return found


@router.put(
    "/return-rules/{item_code}", summary="规定回收期限 / say how long it has to come back", **allow(*WRITERS)
)
def put_return_rule(
    item_code: ItemCode,
    body: Annotated[ReturnRule, Body(openapi_examples=_RULE)],
    tx: Tx,
    response: Response,
    if_match: IfMatch = None,
) -> ReturnRule:
    if body.item_code != item_code:
        raise Invalid(
            "item_code 与地址不符", "item_code is not that of the address",
            errors=[{"field": "item_code", "problem": body.item_code, "remedy": item_code}],
        )  # fmt: skip
    response.headers["ETag"] = etag_of(body)
    return tx(history.put_rule, body, if_match)
