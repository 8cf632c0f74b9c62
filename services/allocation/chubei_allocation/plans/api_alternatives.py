"""Routes of alternatives side by side, and of the difference between two plans."""

from typing import Annotated, Any
from uuid import UUID

from chubei_shared.access import CurrentCaller, Tx, allow
from chubei_shared.contracts.alternatives import (
    AlternativesPage,
    AlternativesRequest,
    AlternativesView,
    PlanDifference,
)
from chubei_shared.tokens import Role
from fastapi import APIRouter, Body, Query, Request

from chubei_allocation.api_parameters import READERS, Cursor
from chubei_allocation.plans import alternatives

router = APIRouter(tags=["plans"])

_EXAMPLES: dict[str, Any] = {
    "three": {
        "summary": "先顾每一处、救助总数最多、多十辆车(推测) / fair, most people, ten more trucks (a what-if)",
        "value": {
            "id": "5a0f9c0e-2f5e-4a47-9a0e-0b7f0f4f1d11",
            "variants": [
                {"name": "只用库存", "policy": "fair", "without_call_offs": True},
                {"name": "全部资源", "policy": "total"},
                {"name": "增车十辆", "extra_vehicles": {"TRUCK-4T": 10}},
            ],
            "time_limit_s": 20,
        },
    }
}


@router.post(
    "/v1/incidents/{id}/alternatives",
    summary="同时请求两三个方案以便比较 / ask for two or three plans side by side",
    status_code=202,
    **allow(Role.COMMANDER),
)
def ask_for_alternatives(
    id: UUID,
    body: Annotated[AlternativesRequest, Body(openapi_examples=_EXAMPLES)],
    caller: CurrentCaller,
    tx: Tx,
    request: Request,
) -> AlternativesView:
    """Each is a plan request of its own. One that assumes what is not there is a what-if: never approved."""
    return tx(alternatives.ask, id, body, caller, request.app.state.settings.solver_time_limit_s)


@router.get(
    "/v1/incidents/{id}/alternatives",
    summary="某事件的各组方案 / the alternatives asked for",
    **allow(*READERS),
)
def read_alternatives_of_incident(
    id: UUID, tx: Tx, cursor: Cursor = None, limit: Annotated[int, Query(ge=1, le=20)] = 5
) -> AlternativesPage:
    return tx(alternatives.listed, id, cursor, limit)


@router.get("/v1/alternatives/{id}", summary="并列比较 / alternatives side by side", **allow(*READERS))
def read_alternatives(id: UUID, tx: Tx) -> AlternativesView:
    return tx(alternatives.show, id)


@router.get(
    "/v1/plans/{id}/difference",
    summary="与另一方案的差别,可宣读 / how it differs from another plan, to be read aloud",
    **allow(*READERS),
)
def read_difference(
    id: UUID,
    tx: Tx,
    from_plan: Annotated[
        UUID, Query(alias="from", description="与哪个方案相比 / the plan to compare it with")
    ],
) -> PlanDifference:
    return tx(alternatives.difference, id, from_plan)
