"""Routes of dispatch orders, and of the people that they serve."""

from typing import Annotated
from uuid import UUID

from chubei_shared.access import CurrentCaller, Tx, allow
from chubei_shared.contracts.orders import (
    OrderCodes,
    OrderPage,
    OrderStatus,
    OrderTurn,
    OrderView,
    ServedView,
    Step,
)
from chubei_shared.contracts.picks import PickList
from chubei_shared.tokens import Role
from fastapi import APIRouter, Body, Query, Response

from chubei_allocation.api_parameters import LOOKERS, READERS, Cursor, Inventory
from chubei_allocation.dispatch import orders, pick_lists, proofs, served, steps, turn

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


@router.get(
    "/v1/orders/{id}",
    summary="一张调拨单 / one dispatch order",
    **allow(*READERS, Role.GUEST, grant="order:{id}"),
)
def read_order(id: UUID, tx: Tx) -> OrderView:
    return tx(orders.show, id)


@router.get(
    "/v1/orders/{id}/turn",
    summary="轮到哪一步,货物名称 / whose turn it is, and what the goods are called",
    **allow(*READERS, Role.GUEST, grant="order:{id}"),
)
def read_turn(id: UUID, tx: Tx) -> OrderTurn:
    return tx(turn.show, id)


@router.post(
    "/v1/orders/{id}/steps",
    summary="登记一步:拣货、装车、交接、出发、到达、接收 / record a step",
    **allow(Role.CLERK, Role.COMMANDER, Role.GUEST, grant="order:{id}"),
)
def take_step(
    id: UUID,
    body: Annotated[Step, Body(examples=[_EXAMPLE])],
    caller: CurrentCaller,
    tx: Tx,
    inventory: Inventory,
) -> OrderView:
    """Loading and receipt move stock; where fewer are there than planned, `loaded` says how many went aboard.

    The step's id is the caller's: a retry is the same step. The driver, with a link for the order, reports the road
    and receipts; picking and loading are the store's.

    409 when it is not this step's turn (`next` says what is), or when inventory refuses the movement
    (`problem`; `loadable`: what can be loaded of the items that are short). 503 while inventory is away: the step
    is recorded and is finished by itself.
    """
    return steps.take(tx, inventory, id, body, caller)


@router.get(
    "/v1/orders/{id}/codes",
    summary="交接码、接收码 / the codes for taking over and receiving",
    **allow(Role.COMMANDER, Role.GUEST, grant="order:{id}"),
)
def read_codes(id: UUID, caller: CurrentCaller, tx: Tx) -> OrderCodes:
    """The driver sees those for taking over only; keepers see their own with their deliveries."""
    return tx(proofs.codes, id, caller)


@router.get(
    "/v1/orders/{id}/steps/{step_id}/signature",
    summary="签名图片 / a signature",
    response_class=Response,
    responses={200: {"content": {"image/png": {}}}},
    **allow(*LOOKERS, personal=True),
)
def read_signature(id: UUID, step_id: UUID, tx: Tx) -> Response:
    return Response(tx(proofs.signature, id, step_id), media_type="image/png")


@router.get(
    "/v1/orders/{id}/pick-list",
    summary="拣货单,按货位行走次序 / the pick list, by bin in walking order",
    **allow(*READERS),
)
def read_pick_list(id: UUID, tx: Tx, inventory: Inventory) -> PickList:
    """Lots from the hold, bins from the register. 503 while inventory is away: the snapshot on paper has the last."""
    return pick_lists.show(tx, inventory, id)


@router.get(
    "/v1/incidents/{id}/served",
    summary="已救助人数与方案对照 / people served, against the plan",
    **allow(*READERS),
)
def read_served(id: UUID, tx: Tx) -> ServedView:
    return tx(served.show, id)
