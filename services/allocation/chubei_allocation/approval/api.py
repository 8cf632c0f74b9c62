"""Routes of decisions on plans."""

from typing import Annotated
from uuid import UUID

from chubei_shared.access import CurrentCaller, Tx, allow
from chubei_shared.contracts.authority import Approval
from chubei_shared.contracts.memos import Memo
from chubei_shared.contracts.plans import PlanSummary, Refusal
from chubei_shared.tokens import Role
from fastapi import APIRouter, Query

from chubei_allocation.api_parameters import READERS, Inventory
from chubei_allocation.approval import approval, memos

router = APIRouter(tags=["plans"])


@router.post(
    "/v1/plans/{id}:approve", summary="批准:锁定全部物资并生成调拨单 / approve", **allow(Role.APPROVER)
)
def approve_plan(
    id: UUID, caller: CurrentCaller, tx: Tx, inventory: Inventory, body: Approval | None = None
) -> PlanSummary:
    """Hold all lines or none; 409 with `shortages` where stock has become short, and the plan is refused.

    By somebody who holds a post of the tier that the plan needs (its `authority`), or above; 403 names who does.
    Where two persons have to approve, the plan stays proposed after the first, with its `approvals`. `seen` is the
    hash of the decision memo that was read: 409 where it is another by now.
    503 while inventory is away: the approval goes on by itself, and the same call asks how it stands.
    """
    return approval.approve(tx, inventory, id, caller, body.seen if body else None)


@router.post("/v1/plans/{id}:refuse", summary="不批准 / refuse a plan", **allow(Role.APPROVER))
def refuse_plan(id: UUID, body: Refusal, caller: CurrentCaller, tx: Tx) -> PlanSummary:
    return tx(approval.refuse, id, body.reason, caller)


@router.get(
    "/v1/plans/{id}/memo", summary="应急项目决策备忘录 / the decision memo of a plan", **allow(*READERS)
)
def read_memo(
    id: UUID,
    tx: Tx,
    hash: Annotated[
        str | None,
        Query(
            pattern=r"^[0-9a-f]{64}$", description="审批时所见的那一份 / as it was when it was approved on"
        ),
    ] = None,
) -> Memo:
    """As it is now, or the one that an approver was shown. To print: GET /v1/plans/{id}/memo/paper."""
    return tx(memos.show, id, hash)
