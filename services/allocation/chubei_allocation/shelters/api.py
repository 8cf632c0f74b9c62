"""Routes of a shelter's keeper: what comes, what was received, handed out, asked for and given back.

All under the shelter's own address in the incident, where a keeper without an account comes by a link for it.
"""

from typing import Annotated, Any
from uuid import UUID

from chubei_shared.access import CurrentCaller, Tx, allow
from chubei_shared.contracts.base import Id
from chubei_shared.contracts.orders import OrderView
from chubei_shared.contracts.shelters import (
    Answer,
    AskForMore,
    DeliveryList,
    GivenBack,
    HandOut,
    KeeperStep,
    RecordKind,
    RecordPage,
    RecordView,
)
from chubei_shared.tokens import Role
from fastapi import APIRouter, Body, Depends, Query, Request

from chubei_allocation.api_parameters import READERS, Cursor, Inventory
from chubei_allocation.incidents.api import KEEPER, REPORTERS
from chubei_allocation.shelters import deliveries, records
from chubei_allocation.shelters.records import Keeper

router = APIRouter(tags=["shelters"])
_AT = "/v1/incidents/{id}/shelters/{shelter_id}"
Limit = Annotated[int, Query(ge=1, le=200)]

_STEP: dict[str, Any] = {
    "received": {
        "summary": "接收:实收 46,损坏 2 / 46 received, 2 damaged",
        "value": {
            "id": "8d5f6f1e-5f0b-4b43-90f4-5d0b6a3c7c11",
            "order_id": "0d5f6f1e-5f0b-4b43-90f4-5d0b6a3c7c01", "stop": 1, "step": "received",
            "occurred_at": "2026-11-21T06:05:00+08:00",
            "lines": [{"item_code": "1020101", "received": 46, "damaged": 2, "short": 0}],
        },
    }
}  # fmt: skip
_HAND_OUT: dict[str, Any] = {
    "by list": {
        "summary": "按户登记 / by household",
        "value": {
            "id": "8d5f6f1e-5f0b-4b43-90f4-5d0b6a3c7c12", "occurred_at": "2026-11-21T07:00:00+08:00",
            "rows": [
                {"name": "张明", "id_no": "110102199001011234", "household": "3-201", "people": 3, "signed": True,
                 "lines": [{"item_code": "1020101", "units": 3}]},
            ],
        },
    },
    "by count": {
        "summary": "只登记人数和数量 / counts only",
        "value": {
            "id": "8d5f6f1e-5f0b-4b43-90f4-5d0b6a3c7c13", "occurred_at": "2026-11-21T07:10:00+08:00",
            "rows": [{"people": 120, "lines": [{"item_code": "1020101", "units": 240}]}],
        },
    },
}  # fmt: skip
_ASK: dict[str, Any] = {
    "blankets": {
        "summary": "再要 40 床 / forty more",
        "value": {
            "id": "8d5f6f1e-5f0b-4b43-90f4-5d0b6a3c7c14", "occurred_at": "2026-11-21T08:00:00+08:00",
            "lines": [{"item_code": "1040101", "units": 40}], "reason": "新到一车老人 / a coach of old people came",
        },
    }
}  # fmt: skip
_ANSWERS: dict[str, Any] = {
    "accept": {"summary": "同意 / accept", "value": {"reply": "同意,下一方案送达", "decision": "accept"}},
    "fewer": {
        "summary": "同意一部分 / fewer than asked for",
        "value": {
            "reply": "先给 20 床",
            "decision": "accept",
            "lines": [{"item_code": "1040101", "units": 20}],
        },
    },
    "decline": {
        "summary": "不同意 / decline",
        "value": {"reply": "邻近安置点有余,请调剂", "decision": "decline"},
    },
    "on the way": {"summary": "只答复 / just a word", "value": {"reply": "第 7 车带到"}},
}
_BACK: dict[str, Any] = {
    "people": {
        "summary": "群众归还 / lent goods come back",
        "value": {
            "id": "8d5f6f1e-5f0b-4b43-90f4-5d0b6a3c7c15", "occurred_at": "2026-11-25T08:00:00+08:00",
            "of": "people", "lines": [{"item_code": "1010201", "good": 90, "repair": 8, "lost": 2}],
        },
    },
    "unused": {
        "summary": "未用退库 / not needed, back to a store",
        "value": {
            "id": "8d5f6f1e-5f0b-4b43-90f4-5d0b6a3c7c16", "occurred_at": "2026-11-25T09:00:00+08:00",
            "of": "unused", "to_place_id": "STORE-N", "lines": [{"item_code": "1020101", "good": 48}],
        },
    },
}  # fmt: skip


def _keeper(
    request: Request, id: UUID, shelter_id: Id, caller: CurrentCaller, tx: Tx, inventory: Inventory
) -> Keeper:
    return Keeper(tx, inventory, request.app.state.privacy, caller, (id, shelter_id))


AsKeeper = Annotated[Keeper, Depends(_keeper)]


@router.get(
    _AT + "/deliveries",
    summary="送往本安置点的调拨单 / what comes to a shelter",
    **allow(*REPORTERS, Role.GUEST, grant=KEEPER),
)
def read_deliveries(id: UUID, shelter_id: Id, tx: Tx) -> DeliveryList:
    """With the code that the keeper tells the driver once the goods are there."""
    return tx(deliveries.listed, id, shelter_id)


@router.post(
    _AT + "/steps",
    summary="安置点登记到达、接收(短缺、损坏) / a shelter reports an arrival or a receipt",
    **allow(*REPORTERS, Role.GUEST, grant=KEEPER),
)
def take_keeper_step(
    id: UUID,
    shelter_id: Id,
    body: Annotated[KeeperStep, Body(openapi_examples=_STEP)],
    caller: CurrentCaller,
    tx: Tx,
    inventory: Inventory,
) -> OrderView:
    """The same step as POST /v1/orders/{id}/steps, at the shelter's own address."""
    return deliveries.report(tx, inventory, id, shelter_id, body, caller)


@router.post(
    _AT + "/hand-outs",
    summary="发放登记 / hand out by list, or by count",
    status_code=201,
    **allow(*REPORTERS, Role.GUEST, grant=KEEPER),
)
def hand_out(body: Annotated[HandOut, Body(openapi_examples=_HAND_OUT)], keeper: AsKeeper) -> RecordView:
    """The goods leave the shelter's stock. Names, numbers and telephones are kept masked, and not for long.

    409 where the books have fewer there (`problem`): record the receipt first. 503 while inventory is away: it is
    recorded, and finished by itself.
    """
    return keeper.hand_out(body)


@router.post(
    _AT + "/requests",
    summary="要求增补 / ask for more",
    status_code=201,
    **allow(*REPORTERS, Role.GUEST, grant=KEEPER),
)
def ask_for_more(body: Annotated[AskForMore, Body(openapi_examples=_ASK)], keeper: AsKeeper) -> RecordView:
    """The posts that have the dispatch in hand are told at once. More people: report a headcount as well."""
    return keeper.ask(body)


@router.post(
    _AT + "/requests/{record_id}:answer",
    summary="答复增补要求 / answer a request for more",
    **allow(Role.COMMANDER),
)
def answer_request(
    id: UUID,
    shelter_id: Id,
    record_id: UUID,
    body: Annotated[Answer, Body(openapi_examples=_ANSWERS)],
    caller: CurrentCaller,
    tx: Tx,
) -> RecordView:
    """What is accepted amends the incident (more_granted), so that the next plan brings it: ask for a new one.

    409 where another answer was given already, or the incident is ended.
    """
    tx(records.at, id, shelter_id, record_id)
    return tx(records.answer, record_id, body, caller)


@router.post(
    _AT + "/returns",
    summary="登记归还、退库 / record what comes back",
    status_code=201,
    **allow(*REPORTERS, Role.GUEST, grant=KEEPER),
)
def give_back(body: Annotated[GivenBack, Body(openapi_examples=_BACK)], keeper: AsKeeper) -> RecordView:
    """What people give back is on the shelter's shelf again; what was not needed is on its way to a store."""
    return keeper.give_back(body)


@router.get(
    _AT + "/records",
    summary="本安置点的发放、增补、归还记录 / what a shelter recorded, the latest first",
    **allow(*READERS, Role.GUEST, grant=KEEPER, personal=True),
)
def read_records_of_shelter(
    id: UUID,
    shelter_id: Id,
    tx: Tx,
    kind: RecordKind | None = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> RecordPage:
    return tx(records.listed, id, shelter_id, kind, cursor, limit)


@router.get(
    "/v1/incidents/{id}/shelter-records",
    summary="各安置点的发放、增补、归还记录 / what shelters recorded, the latest first",
    **allow(*READERS, personal=True),
)
def read_shelter_records(
    id: UUID, tx: Tx, kind: RecordKind | None = None, cursor: Cursor = None, limit: Limit = 50
) -> RecordPage:
    return tx(records.listed, id, None, kind, cursor, limit)
