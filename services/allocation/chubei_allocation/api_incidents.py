"""Routes of incidents."""

from typing import Annotated
from uuid import UUID

from chubei_shared.access import CurrentCaller, Tx, allow
from chubei_shared.contracts.incidents import IncidentDeclaration, IncidentPage, IncidentView
from chubei_shared.contracts.orders import ServedView
from chubei_shared.tokens import Role
from fastapi import APIRouter, Body, Query

from chubei_allocation import incidents, served
from chubei_allocation.api_parameters import READERS, Cursor

router = APIRouter(tags=["incidents"])

_EXAMPLE = {
    "id": "3f2c7f0e-6a55-4b7e-9c39-2f1a7c1f0a11",
    "kind": "earthquake",
    "level": 2,
    "name": "西城区 5.5 级地震",
    "occurred_at": "2026-11-21T03:20:00+08:00",
}


@router.post(
    "/v1/incidents", summary="宣布事件 / declare an incident", status_code=201, **allow(Role.COMMANDER)
)
def declare_incident(
    body: Annotated[IncidentDeclaration, Body(examples=[_EXAMPLE])], caller: CurrentCaller, tx: Tx
) -> IncidentView:
    """The id is the caller's: the same again gives the same answer, another body 409."""
    return tx(incidents.declare, body, caller)


@router.get("/v1/incidents", summary="事件,新的在前 / incidents, the latest first", **allow(*READERS))
def read_incidents(
    tx: Tx, cursor: Cursor = None, limit: Annotated[int, Query(ge=1, le=100)] = 20
) -> IncidentPage:
    return tx(incidents.listed, cursor, limit)


@router.get("/v1/incidents/{id}", summary="一次事件 / one incident", **allow(*READERS))
def read_incident(id: UUID, tx: Tx) -> IncidentView:
    return tx(incidents.show, id)


@router.get(
    "/v1/incidents/{id}/served",
    summary="已救助人数与方案对照 / people served, against the plan",
    **allow(*READERS),
)
def read_served(id: UUID, tx: Tx) -> ServedView:
    return tx(served.show, id)
