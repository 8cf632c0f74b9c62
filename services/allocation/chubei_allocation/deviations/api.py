"""Routes of deviations, and of what they do to the plan in force."""

from typing import Annotated
from uuid import UUID

from chubei_shared.access import CurrentCaller, Tx, allow
from chubei_shared.contracts.deviations import DeviationPage, DeviationReport, DeviationView, Lift, Outlook
from chubei_shared.tokens import Role
from fastapi import APIRouter, Body, Query

from chubei_allocation.api_parameters import READERS
from chubei_allocation.deviations import deviations, outlook

router = APIRouter(tags=["deviations"])

_EXAMPLE = {
    "id": "6a1f0a52-0a3e-4c4b-9d0e-9c1f2b7d3e11",
    "occurred_at": "2026-11-21T06:40:00+08:00",
    "what": {"kind": "place_lost", "place_id": "STORE-N"},
    "note": "库区积水",
}


@router.post(
    "/v1/incidents/{id}/deviations",
    summary="登记情况:延误、车坏、失库、断路、供货迟到或撤回 / report a deviation",
    status_code=201,
    **allow(Role.CLERK, Role.COMMANDER),
)
def report_deviation(
    id: UUID, body: Annotated[DeviationReport, Body(examples=[_EXAMPLE])], caller: CurrentCaller, tx: Tx
) -> DeviationView:
    """The id is the caller's: the same again gives the same answer. Short loads, late steps and more people are seen
    by themselves, in steps and in the incident."""
    return tx(deviations.report, id, body, caller)


@router.get(
    "/v1/incidents/{id}/deviations",
    summary="一次事件的情况,按登记先后 / an incident's deviations",
    **allow(*READERS),
)
def read_deviations(id: UUID, tx: Tx) -> DeviationPage:
    return tx(deviations.listed, id)


@router.post(
    "/v1/deviations/{id}:lift", summary="解除:情况已恢复 / lift a deviation", **allow(Role.COMMANDER)
)
def lift_deviation(id: UUID, body: Lift, caller: CurrentCaller, tx: Tx) -> DeviationView:
    return tx(deviations.lift, id, body.reason, caller)


@router.get(
    "/v1/incidents/{id}/outlook",
    summary="照原方案做下去会怎样,是否宜重排 / what comes of the plan in force as things stand",
    **allow(*READERS),
)
def read_outlook(id: UUID, tx: Tx, now_min: Annotated[int | None, Query(ge=0, le=100_000)] = None) -> Outlook:
    """Nothing is planned anew for this. Only of an exercise may `now_min` be chosen."""
    return tx(outlook.show, id, now_min)
