"""Routes of plan requests, plans and their approval."""

from typing import Annotated
from uuid import UUID

from chubei_shared.access import CurrentCaller, Tx, allow
from chubei_shared.contracts.plans import (
    PlanPage,
    PlanRequest,
    PlanView,
    Reasons,
    RequestPage,
    RequestView,
)
from chubei_shared.tokens import Role
from fastapi import APIRouter, Body, Query, Request

from chubei_allocation.api_parameters import READERS, Cursor
from chubei_allocation.plans import plan_requests, plans, reasons

router = APIRouter(tags=["plans"])
Limit = Annotated[int, Query(ge=1, le=100)]

_EXAMPLE = {
    "id": "a7d1c6de-13a0-4f0c-8f4e-b0f1e9b6d101",
    "incident_id": "3f2c7f0e-6a55-4b7e-9c39-2f1a7c1f0a11",
    "policy": "fair",
    "time_limit_s": 20,
}


@router.post(
    "/v1/plan-requests", summary="请求制定方案 / ask for a plan", status_code=202, **allow(Role.COMMANDER)
)
def request_plan(
    body: Annotated[PlanRequest, Body(examples=[_EXAMPLE])], caller: CurrentCaller, tx: Tx, request: Request
) -> RequestView:
    """A worker takes it up; follow it by GET, or by the events plan.progress and plan.proposed."""
    return tx(plan_requests.request_plan, body, caller, request.app.state.settings.solver_time_limit_s)


@router.get(
    "/v1/plan-requests", summary="方案请求,新的在前 / plan requests, the latest first", **allow(*READERS)
)
def read_plan_requests(
    tx: Tx, incident_id: UUID | None = None, cursor: Cursor = None, limit: Limit = 20
) -> RequestPage:
    return tx(plan_requests.listed, incident_id, cursor, limit)


@router.get("/v1/plan-requests/{id}", summary="一次方案请求 / one plan request", **allow(*READERS))
def read_plan_request(id: UUID, tx: Tx) -> RequestView:
    return tx(plan_requests.show, id)


@router.post("/v1/plan-requests/{id}:cancel", summary="取消请求 / cancel a request", **allow(Role.COMMANDER))
def cancel_plan_request(id: UUID, tx: Tx) -> RequestView:
    return tx(plan_requests.cancel, id)


@router.get("/v1/plans", summary="方案,新的在前 / plans, the latest first", **allow(*READERS))
def read_plans(tx: Tx, incident_id: UUID | None = None, cursor: Cursor = None, limit: Limit = 20) -> PlanPage:
    return tx(plans.listed, incident_id, cursor, limit)


@router.get(
    "/v1/plans/{id}", summary="一个方案,含情景与车次 / a plan with its scenario and trips", **allow(*READERS)
)
def read_plan(id: UUID, tx: Tx) -> PlanView:
    return tx(plans.show, id)


@router.get(
    "/v1/plans/{id}/reasons", summary="为什么不能更多 / why a plan does not serve more", **allow(*READERS)
)
def read_reasons(id: UUID, tx: Tx) -> Reasons:
    """Who goes without, and which resources bind. What one more of each would give: `chubei explain`."""
    return tx(reasons.show, id)
