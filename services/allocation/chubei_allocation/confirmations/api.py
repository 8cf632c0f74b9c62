"""Routes of confirmations: asked by command, answered by suppliers through a link, or by command for them."""

from typing import Annotated, Any
from uuid import UUID

from chubei_shared.access import CurrentCaller, Tx, allow
from chubei_shared.contracts.confirmations import (
    AskConfirmations,
    ConfirmationAnswer,
    ConfirmationList,
    ConfirmationView,
)
from chubei_shared.tokens import Role
from fastapi import APIRouter, Body

from chubei_allocation.api_parameters import READERS, Inventory
from chubei_allocation.confirmations import answering, asking, confirmations

router = APIRouter(tags=["confirmations"])
SUPPLIER = "confirmation:{id}"

_ASK: dict[str, Any] = {
    "all": {
        "summary": "所有有可靠储备的供应商和企业,30 分钟内 / all with firm reserves, within 30 minutes",
        "value": {"id": "4d0c5f8a-2a4c-4a0e-9b1f-6f2f8d1f7c01"},
    }
}
_ANSWERS: dict[str, Any] = {
    "confirmed": {
        "summary": "确认 150 件,第 90 分钟可装车 / 150 units, to be loaded from minute 90",
        "value": {
            "id": "4d0c5f8a-2a4c-4a0e-9b1f-6f2f8d1f7c02", "answer": "confirmed", "ready_min": 90,
            "lines": [{"item_code": "1020101", "mode": "contract", "quantity": 150}],
        },
    },
    "declined": {
        "summary": "不能供货 / declined",
        "value": {
            "id": "4d0c5f8a-2a4c-4a0e-9b1f-6f2f8d1f7c03", "answer": "declined", "note": "仓库进水 / flooded",
        },
    },
}  # fmt: skip


@router.post(
    "/v1/incidents/{id}/confirmations",
    summary="请供应商和企业确认可供数量 / ask suppliers and makers what they confirm",
    status_code=201,
    **allow(Role.COMMANDER),
)
def ask_confirmations(
    id: UUID,
    body: Annotated[AskConfirmations, Body(openapi_examples=_ASK)],
    caller: CurrentCaller,
    tx: Tx,
    inventory: Inventory,
) -> ConfirmationList:
    """One row a place. Send each a link for it (POST /v1/links, purpose confirmation). Until it is due what inventory
    says counts; then only what was confirmed."""
    return asking.ask(tx, inventory, id, body, caller)


@router.get(
    "/v1/incidents/{id}/confirmations",
    summary="各供应商的确认 / what suppliers confirmed",
    **allow(*READERS),
)
def read_confirmations(id: UUID, tx: Tx) -> ConfirmationList:
    return tx(confirmations.listed, id)


@router.get(
    "/v1/confirmations/{id}",
    summary="一处的确认 / one place's confirmation",
    **allow(*READERS, Role.GUEST, grant=SUPPLIER),
)
def read_confirmation(id: UUID, tx: Tx) -> ConfirmationView:
    return tx(confirmations.show, id)


@router.post(
    "/v1/confirmations/{id}:answer",
    summary="答复:确认或谢绝 / answer: confirm or decline",
    **allow(Role.CLERK, Role.COMMANDER, Role.GUEST, grant=SUPPLIER),
)
def answer_confirmation(
    id: UUID,
    body: Annotated[ConfirmationAnswer, Body(openapi_examples=_ANSWERS)],
    caller: CurrentCaller,
    tx: Tx,
) -> ConfirmationView:
    """The last answer counts, also one that comes late; all are kept. 409 once it is released."""
    return tx(answering.answer, id, body, caller)


@router.post(
    "/v1/confirmations/{id}:release",
    summary="不再等候 / wait for it no more",
    **allow(Role.COMMANDER),
)
def release_confirmation(id: UUID, tx: Tx) -> ConfirmationView:
    """What inventory says counts again, and the place can be asked anew."""
    return tx(answering.release, id)
