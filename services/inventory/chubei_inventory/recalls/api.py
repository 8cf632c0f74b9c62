"""Recalls: declared and lifted by command staff, read by all."""

from typing import Annotated, Any
from uuid import UUID

from chubei_shared.access import CurrentCaller, Tx, allow
from chubei_shared.contracts.recalls import Lift, Recall, RecallPage, RecallView
from fastapi import APIRouter, Body, Response

from chubei_inventory.api_parameters import READERS, WRITERS, Cursor, Limit, answered, repeatable
from chubei_inventory.recalls import recalls

router = APIRouter(prefix="/v1", tags=["stock"])

_RECALL: dict[str, Any] = {
    "one lot": {
        "summary": "召回一个批次 / one lot of a maker",
        "value": {
            "id": "6b1f2c3d-5a6b-4c7d-8e9f-0a1b2c3d4e5f",
            "maker": "某饮品公司",
            "lot_no": "W2611",
            "occurred_at": "2026-11-21T09:00:00+08:00",
            "voucher": "市监召〔2026〕12号",
            "reason": "抽检不合格",
        },
    }
}
_LIFT: dict[str, Any] = {"lift": {"summary": "解除召回 / lift it", "value": {"reason": "复检合格"}}}


@router.post(
    "/recalls",
    status_code=201,
    summary="按生产者和批号召回(同编号可重发) / recall by maker and lot; the same again gives the same answer",
    response_model=RecallView,
    responses=repeatable(RecallView),
    **allow(*WRITERS),
)
def post_recall(
    body: Annotated[Recall, Body(openapi_examples=_RECALL)], caller: CurrentCaller, tx: Tx, response: Response
) -> RecallView:
    """Plans that hold recalled lots get others at once, as far as there are any (`repicked` of the hold)."""
    return answered(response, tx(recalls.call_back, body, caller))


@router.get("/recalls", summary="召回 / recalls, and where the lots stand", **allow(*READERS))
def get_recalls(tx: Tx, only_open: bool = True, cursor: Cursor = None, limit: Limit = 100) -> RecallPage:
    return tx(recalls.page, only_open, cursor, limit)


@router.get("/recalls/{recall_id}", summary="一次召回 / one recall", **allow(*READERS))
def get_recall(recall_id: UUID, tx: Tx) -> RecallView:
    return tx(recalls.view, recall_id)


@router.post("/recalls/{recall_id}:lift", summary="解除召回 / lift a recall", **allow(*WRITERS))
def lift_recall(
    recall_id: UUID, body: Annotated[Lift, Body(openapi_examples=_LIFT)], caller: CurrentCaller, tx: Tx
) -> RecallView:
    return tx(recalls.lift, recall_id, body, caller)
