"""Routes of incidents: declared, amended, counted."""

from typing import Annotated
from uuid import UUID

from chubei_shared.access import CurrentCaller, Tx, allow
from chubei_shared.contracts.amendments import Amendment
from chubei_shared.contracts.base import Id
from chubei_shared.contracts.headcounts import (
    Headcount,
    HeadcountBoard,
    HeadcountPage,
    HeadcountView,
    OwnShelter,
)
from chubei_shared.contracts.incidents import IncidentDeclaration, IncidentPage, IncidentView
from chubei_shared.errors import Invalid
from chubei_shared.tokens import Role
from fastapi import APIRouter, Body, Query

from chubei_allocation.api_parameters import READERS, Cursor
from chubei_allocation.incidents import amendments, declaring, examples, headcounts, incidents

router = APIRouter(tags=["incidents"])
REPORTERS = (Role.CLERK, Role.COMMANDER)
KEEPER = "headcount:{id}:{shelter_id}"
Limit = Annotated[int, Query(ge=1, le=200)]
Count = Annotated[Headcount, Body(openapi_examples=examples.HEADCOUNTS)]


@router.post(
    "/v1/incidents", summary="宣布事件 / declare an incident", status_code=201, **allow(Role.COMMANDER)
)
def declare_incident(
    body: Annotated[IncidentDeclaration, Body(openapi_examples=examples.DECLARATIONS)],
    caller: CurrentCaller,
    tx: Tx,
) -> IncidentView:
    """The id is the caller's: the same again gives the same answer, another body 409.

    422 names the candidate shelters that could be opened (`candidates`) where a sub-district has fewer places than
    people; `crowded` goes ahead all the same.
    """
    return tx(declaring.declare, body, caller)


@router.get("/v1/incidents", summary="事件,新的在前 / incidents, the latest first", **allow(*READERS))
def read_incidents(
    tx: Tx, cursor: Cursor = None, limit: Annotated[int, Query(ge=1, le=100)] = 20
) -> IncidentPage:
    return tx(incidents.listed, cursor, limit)


@router.get(
    "/v1/incidents/{id}",
    summary="一次事件的现状与变更 / one incident as it stands, with its amendments",
    **allow(*READERS),
)
def read_incident(id: UUID, tx: Tx) -> IncidentView:
    return tx(incidents.current, id)


@router.post(
    "/v1/incidents/{id}/amendments",
    summary="变更事件:等级、人数、安置点、封路、需求、结束 / amend an incident",
    status_code=201,
    **allow(Role.COMMANDER),
)
def amend_incident(
    id: UUID,
    body: Annotated[Amendment, Body(openapi_examples=examples.AMENDMENTS)],
    caller: CurrentCaller,
    tx: Tx,
) -> IncidentView:
    """Adds a change to the record, with who, when and why; nothing is overwritten. The incident as it then stands.

    Open plans are not touched: ask for a new one. 409 when the incident is ended (reopen it first).
    """
    return tx(amendments.amend, id, body, caller)


@router.post(
    "/v1/incidents/{id}/headcounts",
    summary="上报安置点人数 / report who is at a shelter",
    status_code=201,
    **allow(*REPORTERS),
)
def report_headcount(id: UUID, body: Count, caller: CurrentCaller, tx: Tx) -> HeadcountView:
    """By the hour. The latest count, by `occurred_at`, is what the next plan brings goods for."""
    return tx(headcounts.report, id, body, caller)


@router.get(
    "/v1/incidents/{id}/headcounts",
    summary="人数上报,新的在前 / headcounts, the latest first",
    **allow(*READERS),
)
def read_headcounts(
    id: UUID, tx: Tx, shelter_id: Id | None = None, cursor: Cursor = None, limit: Limit = 50
) -> HeadcountPage:
    return tx(headcounts.listed, id, shelter_id, cursor, limit)


@router.get(
    "/v1/incidents/{id}/shelters",
    summary="各安置点最新人数,谁该上报 / the latest count of each shelter, and who is overdue",
    **allow(*READERS),
)
def read_shelters_of_incident(id: UUID, tx: Tx) -> HeadcountBoard:
    """Shelters that are open or have people. A report is overdue 60 minutes after the one before, or the opening."""
    return tx(headcounts.board, id)


@router.get(
    "/v1/incidents/{id}/shelters/{shelter_id}",
    summary="一个安置点在此事件中 / one shelter in this incident",
    **allow(*READERS, Role.GUEST, grant=KEEPER),
)
def read_shelter_of_incident(id: UUID, shelter_id: Id, tx: Tx) -> OwnShelter:
    return tx(headcounts.of_shelter, id, shelter_id)


@router.post(
    "/v1/incidents/{id}/shelters/{shelter_id}/headcounts",
    summary="安置点自己上报人数 / a shelter reports who is there",
    status_code=201,
    **allow(*REPORTERS, Role.GUEST, grant=KEEPER),
)
def report_own_headcount(
    id: UUID, shelter_id: Id, body: Count, caller: CurrentCaller, tx: Tx
) -> HeadcountView:
    """The same report, at the shelter's own address: its keeper and the street office come here by a link for it."""
    if body.shelter_id != shelter_id:
        raise Invalid(
            f"shelter_id:路径中是 {shelter_id},内容中是 {body.shelter_id},请改为一致",
            f"shelter_id: the path says {shelter_id}, the body {body.shelter_id}: make them the same",
        )
    return tx(headcounts.report, id, body, caller)
