"""Stocktakes: opened, counted blind, recounted by others, approved by somebody else; and how right the books were."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any
from uuid import UUID

from chubei_shared.access import CurrentCaller, Tx, allow
from chubei_shared.contracts.base import Id, Utc
from chubei_shared.contracts.stocktakes import (
    AccuracyRow,
    Count,
    CountReceipt,
    DifferencePage,
    HinderedCount,
    SheetPage,
    Stocktake,
    StocktakePage,
    StocktakeState,
    StocktakeStep,
    StocktakeView,
    Threshold,
)
from chubei_shared.editions import IfMatch, etag_of
from chubei_shared.tokens import Role
from fastapi import APIRouter, Body, Query, Response

from chubei_inventory.api_parameters import READERS, Cursor, Limit, answered, repeatable
from chubei_inventory.stocktake import counts, settings, sheets, steps, stocktakes

router = APIRouter(prefix="/v1", tags=["stocktakes"])

_PEOPLE = (Role.CLERK, Role.COMMANDER, Role.APPROVER, Role.ADMIN)
_A_YEAR = timedelta(days=365)
_OPEN: dict[str, Any] = {
    "a store": {
        "summary": "全库盘点 / a whole store",
        "value": {
            "id": "9a0c6f1e-9a57-4d0c-8a53-0d6c9c3f7a10", "place_id": "STORE-N", "voucher": "PD-2026-11",
            "reason": "月末盘点",
        },
    },
    "sealed water": {
        "summary": "只盘封存的饮用水 / only the water that is sealed off",
        "value": {
            "id": "9a0c6f1e-9a57-4d0c-8a53-0d6c9c3f7a11", "place_id": "STORE-N", "accounts": ["sealed:STORE-N"],
            "items": ["1020101"], "reason": "封存物资复核",
        },
    },
}  # fmt: skip
_COUNT: dict[str, Any] = {
    "on the sheet": {
        "summary": "盘点表上的批次 / a lot of the sheet",
        "value": {
            "id": "9b0c6f1e-9a57-4d0c-8a53-0d6c9c3f7a12", "account": "STORE-N",
            "lot_id": "2f1d7c1e-90a6-4e43-8e8a-7a6a0e3b9d13", "units": 477,
            "counted_at": "2026-11-21T17:00:00+08:00", "note": "A-03 400,A-04 77",
        },
    },
    "not on the sheet": {
        "summary": "表上没有的批次 / a lot that the sheet does not have",
        "value": {
            "id": "9b0c6f1e-9a57-4d0c-8a53-0d6c9c3f7a13", "account": "STORE-N", "item_code": "1020101",
            "lot": {"lot_no": "W2609", "maker": "某饮品公司", "expires_on": "2027-09-01"}, "units": 24,
            "counted_at": "2026-11-21T17:05:00+08:00",
        },
    },
}  # fmt: skip
_STEP: dict[str, Any] = {
    "handed in": {
        "summary": "清点完毕,提交复核 / all is counted",
        "value": {"id": "9c0c6f1e-9a57-4d0c-8a53-0d6c9c3f7a14", "state": "review"},
    },
    "approved": {
        "summary": "批准差异并入账 / approve the differences, and let the books follow",
        "value": {
            "id": "9c0c6f1e-9a57-4d0c-8a53-0d6c9c3f7a15",
            "state": "posted",
            "note": "破损已核实",
        },
    },
}
_THRESHOLD: dict[str, Any] = {
    "two per cent": {
        "summary": "差异超过 2% 或 1000 元的复盘 / recount from 2 % or 1,000 yuan on",
        "value": {
            "pct": 2, "value_fen": 100_000,
            "provenance": {"certainty": "invented", "source": "区局规定待定"},
        },
    }
}  # fmt: skip


@router.post(
    "/stocktakes",
    status_code=201,
    summary="开盘点(同编号可重发) / open a stocktake; the same again gives the same answer",
    response_model=StocktakeView,
    responses=repeatable(StocktakeView),
    **allow(*_PEOPLE),
)
def post_stocktake(
    body: Annotated[Stocktake, Body(openapi_examples=_OPEN)],
    caller: CurrentCaller,
    tx: Tx,
    response: Response,
) -> StocktakeView:
    """Stock goes on moving meanwhile: each count is held against the books as of its own moment."""
    return answered(response, tx(stocktakes.open_one, body, caller))


@router.get("/stocktakes", summary="盘点,最近的在前 / stocktakes, the latest first", **allow(*READERS))
def get_stocktakes(
    tx: Tx,
    place_id: Id | None = None,
    state: StocktakeState | None = None,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> StocktakePage:
    return tx(stocktakes.page, place_id, state, cursor, limit)


@router.get("/stocktakes/{stocktake_id}", summary="一次盘点及其经过 / one stocktake", **allow(*READERS))
def get_stocktake(stocktake_id: UUID, tx: Tx) -> StocktakeView:
    return tx(stocktakes.get, stocktake_id)


@router.get(
    "/stocktakes/{stocktake_id}/sheet",
    summary="盲盘表:只有批次,没有账面数 / the blind sheet: what to count, and never how much",
    **allow(*READERS),
)
def get_sheet(
    stocktake_id: UUID, caller: CurrentCaller, tx: Tx, cursor: Cursor = None, limit: Limit = 100
) -> SheetPage:
    return tx(sheets.sheet, stocktake_id, caller, cursor, limit)


@router.post(
    "/stocktakes/{stocktake_id}/counts",
    status_code=201,
    summary="报一行实点数(离线可随 movements:batch 补报) / report a count; offline, in movements:batch",
    response_model=CountReceipt,
    responses=repeatable(CountReceipt),
    **allow(Role.CLERK),
)
def post_count(
    stocktake_id: UUID,
    body: Annotated[Count, Body(openapi_examples=_COUNT)],
    caller: CurrentCaller,
    tx: Tx,
    response: Response,
) -> CountReceipt:
    """What is not there is counted as 0; a lot that the sheet does not have is named by what stands on its box."""
    receipt, new = tx(counts.record, stocktake_id, body, caller)
    response.status_code = 201 if new else 200
    return receipt


@router.get(
    "/stocktakes/{stocktake_id}/differences",
    summary="差异(盘点结束前清点人不可见) / differences; those who count see them when it is closed",
    **allow(*READERS),
)
def get_differences(
    stocktake_id: UUID,
    caller: CurrentCaller,
    tx: Tx,
    response: Response,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> DifferencePage:
    """The ETag names all differences as they are now; posting is refused once a late report has changed one."""
    page, etag = tx(sheets.differences, stocktake_id, caller, cursor, limit)
    response.headers["ETag"] = etag
    return page


@router.get(
    "/stocktakes/{stocktake_id}/hindered-counts",
    summary="未采用的离线清点 / counts from devices that could not be taken",
    **allow(*READERS),
)
def get_hindered_counts(stocktake_id: UUID, caller: CurrentCaller, tx: Tx) -> list[HinderedCount]:
    return tx(sheets.hindered, stocktake_id, caller)


@router.post(
    "/stocktakes/{stocktake_id}/steps",
    status_code=201,
    summary="提交、退回、批准入账、取消 / hand in, send back, approve and post, cancel",
    response_model=StocktakeView,
    responses=repeatable(StocktakeView),
    **allow(*_PEOPLE),
)
def post_stocktake_step(
    stocktake_id: UUID,
    body: Annotated[StocktakeStep, Body(openapi_examples=_STEP)],
    caller: CurrentCaller,
    tx: Tx,
    response: Response,
    if_match: IfMatch = None,
) -> StocktakeView:
    """Posting needs If-Match with the ETag of the differences, and somebody who neither opened it nor counted."""
    return answered(response, tx(steps.step, stocktake_id, body, caller, if_match))


@router.get(
    "/stock-accuracy",
    summary="账实相符率:相符行数与清点行数 / how right the books were: lines right and lines counted",
    **allow(*READERS),
)
def get_accuracy(
    tx: Tx,
    place_id: Id | None = None,
    since: Annotated[Utc | None, Query(description="缺省为一年内 / by default within a year")] = None,
) -> list[AccuracyRow]:
    return tx(stocktakes.accuracy, place_id, since or datetime.now(UTC) - _A_YEAR)


@router.get(
    "/stocktake-threshold", summary="复盘门槛 / from which difference on to recount", **allow(*READERS)
)
def get_threshold(tx: Tx, response: Response) -> Threshold:
    found = tx(settings.get)
    response.headers["ETag"] = etag_of(found)
    return found


@router.put(
    "/stocktake-threshold",
    summary="更改复盘门槛(对以后开的盘点生效) / change it, for stocktakes to be opened",
    **allow(Role.APPROVER, Role.ADMIN),
)
def put_threshold(
    body: Annotated[Threshold, Body(openapi_examples=_THRESHOLD)],
    tx: Tx,
    response: Response,
    if_match: IfMatch = None,
) -> Threshold:
    response.headers["ETag"] = etag_of(body)
    return tx(settings.put, body, if_match)
