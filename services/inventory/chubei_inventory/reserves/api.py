"""Agreements, commitments and funds: registered and checked by command staff, read by all."""

from typing import Annotated, Any

from chubei_shared.access import CurrentCaller, Tx, allow
from chubei_shared.contracts.base import Id, ItemCode, Mode
from chubei_shared.contracts.funds import FundAccount, FundAccountPage, FundAccountView
from chubei_shared.contracts.reserves import (
    Reserve,
    ReservePage,
    ReserveView,
    Verification,
    VerificationPage,
    VerificationView,
)
from chubei_shared.editions import IfMatch, etag_of
from chubei_shared.tokens import Caller, Role
from fastapi import APIRouter, Body, Response

from chubei_inventory.api_parameters import READERS, WRITERS, Cursor, Limit, answered, repeatable, same
from chubei_inventory.reserves import contacts, funds, reserves, verifications

router = APIRouter(prefix="/v1", tags=["reserves"])

_COMMON = {
    "valid_from": "2026-01-01",
    "valid_until": "2027-12-31",
    "last_verified_on": "2026-10-15",
    "provenance": {"certainty": "verified", "source": "协议 2026-17"},
}
_RESERVES: dict[str, Any] = {
    "agreement": {
        "summary": "协议储备 / a supplier's agreement",
        "value": {
            "id": "AGR-WATER-N", "mode": "contract", "place_id": "SUP-WATER-N", "item_code": "1020101",
            "party": "示例北区饮用水配送站", "contacts": [{"name": "值班室", "phone": "010-00000000", "post": "夜班"}],
            "quantity": 1800, "floor_stock": 800, "lead_min": 150, "price_rule": "fixed", "unit_price_fen": 2800,
            **_COMMON,
        },
    },
    "commitment": {
        "summary": "生产能力储备 / a maker's commitment",
        "value": {
            "id": "CAP-TENT", "mode": "capacity", "place_id": "MAKER-TENT", "item_code": "1010101",
            "party": "示例帐篷厂", "quantity": 4000, "conversion_min": 840, "ramp_min": 120, "rate_per_hour": 55,
            "price_rule": "capped", "unit_price_fen": 132000, **_COMMON,
        },
    },
    "fund": {
        "summary": "资金储备中的一项 / one thing that a fund may buy",
        "value": {
            "id": "FUND-MAIN:1010302", "mode": "fund", "account_id": "FUND-MAIN", "place_id": "STORE-C",
            "item_code": "1010302", "party": "救灾物资应急采购资金", "budget_fen": 96000000, "unit_price_fen": 12000,
            "approval_min": 240, "delivery_min": 1440, **_COMMON,
        },
    },
}  # fmt: skip
_DRILL: dict[str, Any] = {
    "drill": {
        "summary": "演练调用:约定 500,到 460,晚 20 分钟 / a drill: 500 promised, 460 came, 20 min late",
        "value": {
            "id": "0f3c7b44-6f1e-4a41-9d0c-6f5a1f6a2b10", "kind": "drill", "happened_at": "2026-10-15T09:30:00+08:00",
            "promised_units": 500, "measured_units": 460, "promised_min": 150, "measured_min": 170, "note": "秋季演练",
        },
    },
    "call": {
        "summary": "电话核实 / asked by telephone",
        "value": {
            "id": "a8f3f0de-0b0a-4a0e-8f8b-1f1f4d4d7d11", "kind": "call", "happened_at": "2026-11-02T10:00:00+08:00",
        },
    },
}  # fmt: skip
_FUND: dict[str, Any] = {
    "fund": {
        "summary": "六百万元 / six million yuan",
        "value": {
            "id": "FUND-MAIN", "name_zh": "救灾物资应急采购资金", "name_en": "Emergency purchase of relief goods",
            "budget_fen": 600000000, "provenance": {"certainty": "invented", "source": "sample"},
        },
    }
}  # fmt: skip
_REPEATED = repeatable(VerificationView)


@router.put(
    "/reserves/{reserve_id}",
    summary="登记或更改协议、产能、资金储备 / register or change an agreement, a commitment or a fund",
    **allow(*WRITERS),
)
def put_reserve(
    reserve_id: Id,
    body: Annotated[Reserve, Body(openapi_examples=_RESERVES)],
    tx: Tx,
    response: Response,
    if_match: IfMatch = None,
) -> ReserveView:
    """Registering needs no If-Match; changing what is there does. The same content again changes nothing."""
    same(reserve_id, body.id, "id", body)
    view = tx(reserves.put, body, if_match)
    response.headers["ETag"] = etag_of(view.reserve)
    return view


@router.get(
    "/reserves",
    summary="不在货架上的储备 / reserves that are not on a shelf",
    **allow(*READERS, personal=True),
)
def get_reserves(
    caller: CurrentCaller,
    tx: Tx,
    item_code: ItemCode | None = None,
    place_id: Id | None = None,
    mode: Mode | None = None,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> ReservePage:
    """Telephones of contacts are there for those who call: command, clerks and administrators."""
    found = tx(reserves.page, item_code, place_id, mode, cursor, limit)
    return ReservePage(rows=[_for(caller, row) for row in found.rows], next_cursor=found.next_cursor)


@router.get("/reserves/{reserve_id}", summary="一条储备记录 / one reserve", **allow(*READERS, personal=True))
def get_reserve(reserve_id: Id, caller: CurrentCaller, tx: Tx, response: Response) -> ReserveView:
    view = tx(reserves.get, reserve_id)
    response.headers["ETag"] = etag_of(view.reserve)
    return _for(caller, view)


def _for(caller: Caller, view: ReserveView) -> ReserveView:
    return view.model_copy(update={"reserve": contacts.shown(view.reserve, caller)})


@router.post(
    "/reserves/{reserve_id}/verifications",
    status_code=201,
    summary="登记核实、清点或演练 / record a call, a visit or a drill",
    response_model=VerificationView,
    responses=_REPEATED,
    **allow(*WRITERS, Role.CLERK),
)
def post_verification(
    reserve_id: Id,
    body: Annotated[Verification, Body(openapi_examples=_DRILL)],
    caller: CurrentCaller,
    tx: Tx,
    response: Response,
) -> VerificationView:
    """What was measured lowers what the plan may count on: see `basis` of the reserve."""
    return answered(response, tx(verifications.record, reserve_id, body, caller))


@router.get(
    "/reserves/{reserve_id}/verifications",
    summary="核验记录,最近的在前 / the checks of a reserve, the latest first",
    **allow(*READERS),
)
def get_verifications(reserve_id: Id, tx: Tx, cursor: Cursor = None, limit: Limit = 100) -> VerificationPage:
    return tx(verifications.page, reserve_id, cursor, limit)


@router.put("/funds/{fund_id}", summary="登记或更改一笔资金 / register or change a fund", **allow(*WRITERS))
def put_fund(
    fund_id: Id,
    body: Annotated[FundAccount, Body(openapi_examples=_FUND)],
    tx: Tx,
    response: Response,
    if_match: IfMatch = None,
) -> FundAccountView:
    """Registering needs no If-Match; changing what is there does. The same content again changes nothing."""
    same(fund_id, body.id, "id", body)
    view = tx(funds.put, body, if_match)
    response.headers["ETag"] = etag_of(view.account)
    return view


@router.get("/funds", summary="资金:预算、已划定、已用 / funds: budget, allotted, spent", **allow(*READERS))
def get_funds(tx: Tx, cursor: Cursor = None, limit: Limit = 100) -> FundAccountPage:
    return tx(funds.page, cursor, limit)


@router.get("/funds/{fund_id}", summary="一笔资金 / one fund", **allow(*READERS))
def get_fund(fund_id: Id, tx: Tx, response: Response) -> FundAccountView:
    view = tx(funds.get, fund_id)
    response.headers["ETag"] = etag_of(view.account)
    return view
