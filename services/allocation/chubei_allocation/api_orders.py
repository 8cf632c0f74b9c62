"""Routes of dispatch orders."""

from typing import Annotated
from uuid import UUID

from chubei_shared.access import CurrentCaller, Tx, allow
from chubei_shared.contracts.orders import OrderPage, OrderStatus, OrderView, Step
from chubei_shared.tokens import Role
from fastapi import APIRouter, Body, Query

from chubei_allocation import orders, steps
from chubei_allocation.api_parameters import READERS, Cursor, Inventory

router = APIRouter(tags=["orders"])

_EXAMPLE = {
    "id": "0d5f6f1e-5f0b-4b43-90f4-5d0b6a3c7c01",
    "stop": 1,
    "step": "received",
    "occurred_at": "2026-11-21T06:05:00+08:00",
    "lines": [{"item_code": "1020101", "received": 46, "damaged": 2, "short": 0}],
    "signed_by": "王主任",
}


@router.get("/v1/orders", summary="调拨单,按编号 / dispatch orders, by number", **allow(*READERS))
def read_orders(
    tx: Tx,
    incident_id: UUID | None = None,
    status: OrderStatus | None = None,
    cursor: Cursor = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> OrderPage:
    return tx(orders.listed, incident_id, status, cursor, limit)


@router.get("/v1/orders/{id}", summary="一张调拨单 / one dispatch order", **allow(*READERS))
def read_order(id: UUID, tx: Tx) -> OrderView:
    return tx(orders.show, id)


@router.post(
    "/v1/orders/{id}/steps",
    summary="登记一步:拣货、装车、出发、到达、接收 / record a step",
    **allow(Role.CLERK, Role.COMMANDER),
)
def take_step(
    id: UUID,
    body: Annotated[Step, Body(examples=[_EXAMPLE])],
    caller: CurrentCaller,
    tx: Tx,
    inventory: Inventory,
) -> OrderView:
    """Loading and receipt move stock. The step's id is the caller's: a retry is the same step.

    409 when it is not this step's turn (`next` says what is), or when inventory refuses the movement
    (`problem`). 503 while inventory is away: the step is recorded and is finished by itself.
    """
    return steps.take(tx, inventory, id, body, caller)
