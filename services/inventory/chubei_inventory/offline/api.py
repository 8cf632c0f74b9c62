"""Work done without a network: batches of reports, what is parked for review, what is in dispute."""

from typing import Annotated, Any
from uuid import UUID

from chubei_shared.access import CurrentCaller, Tx, allow
from chubei_shared.contracts.base import Id, ItemCode
from chubei_shared.contracts.batches import (
    Accept,
    AccountId,
    BatchAnswers,
    DisputePage,
    LotConflictPage,
    MovementBatch,
    ParkedPage,
    ParkedStatus,
    ParkedView,
    Reject,
    Settlement,
)
from chubei_shared.contracts.stock import MovementView
from chubei_shared.editions import IfMatch, etag_of
from chubei_shared.tokens import Role
from fastapi import APIRouter, Body, Path, Response

from chubei_inventory.api_parameters import READERS, Cursor, Limit, Oldest, answered, repeatable
from chubei_inventory.offline import counts, disputes, parking
from chubei_inventory.stock import lots

router = APIRouter(prefix="/v1", tags=["offline"])

_SUPERVISORS = (Role.APPROVER, Role.ADMIN)
_LINE = {
    "item_code": "1020101",
    "quantity": 2,
    "units_per_pack": 24,
    "lot": {"lot_no": "W2611", "maker": "某饮品公司", "made_on": "2026-11-01", "expires_on": "2027-11-01"},
}
_BATCH: dict[str, Any] = {
    "a basement's hour": {
        "summary": "地下库一小时:入库后出库,次序不限 / an hour in a basement, in any order",
        "value": {
            "movements": [
                {
                    "kind": "issue",
                    "id": "3f0e7b58-52b0-4f0d-9f5e-6f1b8d0a1c01",
                    "occurred_at": "2026-11-21T10:30:00+08:00",
                    "voucher": "CK-2026-0032",
                    "place_id": "STORE-N",
                    "lines": [_LINE],
                },
                {
                    "kind": "receive",
                    "id": "3f0e7b58-52b0-4f0d-9f5e-6f1b8d0a1c02",
                    "occurred_at": "2026-11-21T10:00:00+08:00",
                    "voucher": "RK-2026-0118",
                    "place_id": "STORE-N",
                    "lines": [_LINE | {"quantity": 20}],
                },
            ]
        },
    }
}
_ACCEPT: dict[str, Any] = {
    "as it is": {"summary": "照原样入账 / book it as it is", "value": {"reason": "已电话核实"}}
}
_REJECT: dict[str, Any] = {
    "reject": {"summary": "不予入账 / do not book it", "value": {"reason": "重复填报"}}
}
_SETTLE: dict[str, Any] = {
    "found": {
        "summary": "实物确有,账面补记 / the goods had been there: the books follow",
        "value": {
            "how": "found",
            "id": "3f0e7b58-52b0-4f0d-9f5e-6f1b8d0a1c03",
            "occurred_at": "2026-11-22T09:00:00+08:00",
            "place_id": "STORE-N",
            "lot_id": "2f1d7c1e-90a6-4e43-8e8a-7a6a0e3b9d13",
            "units": 4,
            "reason": "现场清点属实,入库单补录",
        },
    },
    "undone": {
        "summary": "报错了,冲正 / the report was wrong: reverse it",
        "value": {
            "how": "undone",
            "id": "3f0e7b58-52b0-4f0d-9f5e-6f1b8d0a1c04",
            "occurred_at": "2026-11-22T09:05:00+08:00",
            "movement_id": "3f0e7b58-52b0-4f0d-9f5e-6f1b8d0a1c01",
            "reason": "多写一个零",
        },
    },
}
Key = Annotated[str, Path(pattern=r"^[0-9a-f-]{36}\.[0-9a-f]{64}$", description="ParkedView.key")]


@router.post(
    "/movements:batch",
    summary="补报一批流水,逐条答复,一条也不丢 / report what was done offline; each is answered, none is lost",
    **allow(Role.CLERK, Role.SERVICE, Role.ADMIN),
)
def post_batch(
    body: Annotated[MovementBatch, Body(openapi_examples=_BATCH)],
    caller: CurrentCaller,
    tx: Tx,
    oldest: Oldest,
) -> BatchAnswers:
    return tx(counts.record, body, caller, oldest)


@router.get(
    "/parked-movements",
    summary="待核流水(按收到次序) / what is parked for review, in the order in which it came",
    **allow(*READERS),
)
def get_parked(
    tx: Tx,
    status: ParkedStatus | None = ParkedStatus.OPEN,
    place_id: Id | None = None,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> ParkedPage:
    return tx(parking.page, status, place_id, cursor, limit)


@router.get("/parked-movements/{key}", summary="一条待核流水 / one of them", **allow(*READERS))
def get_one_parked(key: Key, tx: Tx, response: Response) -> ParkedView:
    found = tx(parking.get, key)
    response.headers["ETag"] = etag_of(found)
    return found


@router.post(
    "/parked-movements/{key}:accept",
    summary="照原样或更正后入账(不得自批) / book it as it is or as corrected; never one's own",
    **allow(*_SUPERVISORS),
)
def accept_parked(
    key: Key,
    body: Annotated[Accept, Body(openapi_examples=_ACCEPT)],
    caller: CurrentCaller,
    tx: Tx,
    if_match: IfMatch = None,
) -> ParkedView:
    return tx(parking.accept, key, body, caller, if_match)


@router.post(
    "/parked-movements/{key}:reject",
    summary="不予入账,写明原因 / do not book it, and say why",
    **allow(*_SUPERVISORS),
)
def reject_parked(
    key: Key,
    body: Annotated[Reject, Body(openapi_examples=_REJECT)],
    caller: CurrentCaller,
    tx: Tx,
    if_match: IfMatch = None,
) -> ParkedView:
    return tx(parking.reject, key, body, caller, if_match)


@router.get(
    "/disputes",
    summary="待核库存:报出多于账面 / stock in dispute: more was reported out than the books had",
    **allow(*READERS),
)
def get_disputes(
    tx: Tx,
    place_id: AccountId | None = None,
    item_code: ItemCode | None = None,
    lot_id: UUID | None = None,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> DisputePage:
    asked = {"place_id": place_id, "item_code": item_code, "lot_id": lot_id}
    return tx(disputes.page, asked, cursor, limit)


@router.get(
    "/lot-conflicts",
    summary="同一批号有两组日期,请看实物 / lot numbers that stand in the books with more than one pair of dates",
    **allow(*READERS),
)
def get_lot_conflicts(tx: Tx, cursor: Cursor = None, limit: Limit = 100) -> LotConflictPage:
    """One of them was misread (reverse its receipt, and record it with the right dates), or the maker used it twice."""
    return tx(lots.conflicts, cursor, limit)


@router.post(
    "/disputes:settle",
    status_code=201,
    summary="核销待核库存(同编号可重发) / settle a dispute; the same again gives the same answer",
    response_model=MovementView,
    responses=repeatable(MovementView),
    **allow(*_SUPERVISORS),
)
def settle_dispute(
    body: Annotated[Settlement, Body(openapi_examples=_SETTLE)],
    caller: CurrentCaller,
    tx: Tx,
    response: Response,
    oldest: Oldest,
) -> MovementView:
    return answered(response, tx(disputes.settle, body, caller, oldest))
