"""Routes of oral orders: entered by command, closed by who has the authority, read by all."""

from typing import Annotated
from uuid import UUID

from chubei_shared.access import CurrentCaller, Tx, allow
from chubei_shared.contracts.oral_orders import Account, OralOrder, OralOrderPage, OralOrderView, Papers
from chubei_shared.tokens import Role
from fastapi import APIRouter, Body, Query

from chubei_allocation.api_parameters import READERS, Cursor, Inventory
from chubei_allocation.oral_orders import oral_orders, views

router = APIRouter(tags=["plans"])

_EXAMPLE = {
    "id": "7b7c0a55-3a0b-4d0e-8f77-5b1f7d6b2e01",
    "given_by": "zhao.juzhang",
    "how": "phone",
    "given_at": "2026-11-21T03:40:00+08:00",
    "witness": "值班员李四",
}


@router.post(
    "/v1/plans/{id}:oral-order",
    summary="登记口头命令,立即执行 / enter an oral order: dispatch starts at once",
    status_code=201,
    **allow(Role.COMMANDER, Role.APPROVER),
)
def give_oral_order(
    id: UUID,
    body: Annotated[OralOrder, Body(examples=[_EXAMPLE])],
    caller: CurrentCaller,
    tx: Tx,
    inventory: Inventory,
) -> OralOrderView:
    """The plan is approved in the name of `given_by`, who must hold a post of the tier that it needs, or above.

    The papers are due 48 hours after it was given. 409 with `shortages`, and 503, as with an approval: the order is
    on record all the same. Whoever holds no post enters it with `break_glass`.
    """
    return oral_orders.give(tx, inventory, id, body, caller)


@router.get("/v1/oral-orders", summary="口头命令,新的在前 / oral orders, the latest first", **allow(*READERS))
def read_oral_orders(
    tx: Tx,
    incident_id: UUID | None = None,
    open: Annotated[bool, Query(description="只看未了结的 / those not closed only")] = False,
    overdue: Annotated[
        bool, Query(description="只看逾期未补文件的 / those with papers overdue only")
    ] = False,
    cursor: Cursor = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
) -> OralOrderPage:
    return tx(views.listed, incident_id, open, overdue, cursor, limit)


@router.get("/v1/oral-orders/{id}", summary="一条口头命令 / one oral order", **allow(*READERS))
def read_oral_order(id: UUID, tx: Tx) -> OralOrderView:
    return tx(oral_orders.show, id)


@router.post(
    "/v1/oral-orders/{id}:papers",
    summary="补书面文件 / file the papers of an oral order",
    **allow(Role.APPROVER),
)
def file_papers(id: UUID, body: Papers, caller: CurrentCaller, tx: Tx) -> OralOrderView:
    """By who gave the order, or anybody of the tier or above; not by who entered it."""
    return tx(oral_orders.papers, id, body, caller)


@router.post(
    "/v1/oral-orders/{id}:account",
    summary="就应急登记作说明 / account for a break-glass entry",
    **allow(Role.APPROVER, Role.AUDITOR),
)
def account_for_break_glass(id: UUID, body: Account, caller: CurrentCaller, tx: Tx) -> OralOrderView:
    """It stays open until two persons have, neither of whom entered it, and the papers are there."""
    return tx(oral_orders.account, id, body, caller)
