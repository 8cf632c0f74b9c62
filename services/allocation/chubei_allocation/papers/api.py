"""Papers as pages to print: of a dispatch order, and the decision memo of a plan."""

from typing import Annotated, Any, Final
from uuid import UUID

from chubei_shared.access import CurrentCaller, Tx, allow
from chubei_shared.tokens import Role
from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse

from chubei_allocation.api_parameters import LOOKERS, READERS, Inventory
from chubei_allocation.papers import memo, packs, trip

router = APIRouter(tags=["orders"])

_PAGE: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "可打印的网页 / a page to print",
        "content": {"text/html": {"schema": {"type": "string"}}},
    }
}


@router.get(
    "/v1/orders/{id}/papers",
    summary="随车清单和各站接收单(可打印) / load list, and a receipt for each delivery, to print",
    response_class=HTMLResponse,
    responses=_PAGE,
    **allow(*READERS, personal=True),
)
def read_order_papers(id: UUID, caller: CurrentCaller, tx: Tx) -> HTMLResponse:
    """As planned, with what was reported so far. Counts that nobody has reported are left to be written in.

    Signatures are on it for those who may see them.
    """
    return tx(trip.show, id, not caller.roles.isdisjoint(LOOKERS))


@router.get(
    "/v1/incidents/{id}/packs",
    summary="随车文件(可打印):路线、联系人、调拨单、拣货单、随车清单、接收单、发放表 / all papers of a truck, to print",
    response_class=HTMLResponse,
    responses=_PAGE,
    **allow(Role.CLERK, Role.COMMANDER, personal=True),
)
def read_packs(
    id: UUID,
    caller: CurrentCaller,
    tx: Tx,
    inventory: Inventory,
    vehicle: Annotated[
        str | None, Query(max_length=100, description="如 TRUCK#2;不填:所有车辆 / left out: all trucks")
    ] = None,
) -> HTMLResponse:
    """Codes for taking over are on the command's print only. While inventory is away, pick lists are without lots."""
    return packs.show(tx, inventory, id, vehicle, caller)


@router.get(
    "/v1/plans/{id}/memo/paper",
    summary="应急项目决策备忘录(可打印) / the decision memo of a plan, to print",
    tags=["plans"],
    response_class=HTMLResponse,
    responses=_PAGE,
    **allow(*READERS),
)
def read_memo_paper(
    id: UUID,
    tx: Tx,
    hash: Annotated[
        str | None,
        Query(
            pattern=r"^[0-9a-f]{64}$", description="审批时所见的那一份 / as it was when it was approved on"
        ),
    ] = None,
) -> HTMLResponse:
    """As it is now, or the one that an approver was shown."""
    return tx(memo.show, id, hash)
