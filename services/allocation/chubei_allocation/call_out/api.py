"""Routes of the register of people to call, and of the call-out sheet of an incident."""

from typing import Annotated, Any
from uuid import UUID

from chubei_shared.access import CurrentCaller, Tx, allow
from chubei_shared.contracts.base import Id
from chubei_shared.contracts.call_out import (
    CallDuty,
    CallOutView,
    CallRecord,
    CallRegister,
    CallStep,
    OpenCallOut,
    Person,
    PersonPage,
    PersonView,
    RegisterChange,
)
from chubei_shared.errors import Invalid
from chubei_shared.tokens import Role
from fastapi import APIRouter, Body, Query

from chubei_allocation.api_parameters import READERS, Cursor
from chubei_allocation.call_out import calls, register, sheets

router = APIRouter(tags=["call-out"])
WRITERS = (Role.ADMIN, Role.COMMANDER)

_PERSON: dict[str, Any] = {
    "id": "K-NORTH-1", "name": "李保管", "duty": "keeper", "place_id": "NORTH", "phone": "13800000001",
    "arrive_min": 25, "provenance": {"certainty": "invented", "source": "sample"},
}  # fmt: skip
_OPEN: dict[str, Any] = {
    "all": {
        "summary": "全体在岗人员 / everybody active",
        "value": {"id": "8b8f3a55-2a4c-4a0e-9b1f-6f2f8d1f7c01"},
    },
    "one": {
        "summary": "只点一个库,不动车队 / one store, and leave the fleet as it stands",
        "value": {
            "id": "8b8f3a55-2a4c-4a0e-9b1f-6f2f8d1f7c02",
            "places": ["NORTH"],
            "vehicle_types": [],
        },
    },
}
_STEPS: dict[str, Any] = {
    "call": {
        "summary": "正在拨打 / being called",
        "value": {"id": "8b8f3a55-2a4c-4a0e-9b1f-6f2f8d1f7c03", "move": "call"},
    },
    "answer": {
        "summary": "接听,第 95 分钟到 / answered, there at minute 95",
        "value": {"id": "8b8f3a55-2a4c-4a0e-9b1f-6f2f8d1f7c04", "move": "answer", "expected_min": 95},
    },
}


@router.put("/v1/call-register", summary="录入点名册 / put people to call, all or nobody", **allow(*WRITERS))
def put_call_register(
    body: Annotated[CallRegister, Body(examples=[{"people": [_PERSON]}])], tx: Tx
) -> RegisterChange:
    """Who is named is created or replaced in one transaction; who is not named stays."""
    return RegisterChange(changed=tx(register.put, body))


@router.put("/v1/call-register/{id}", summary="录入一人 / put one person to call", **allow(*WRITERS))
def put_person(id: Id, body: Annotated[Person, Body(examples=[_PERSON])], tx: Tx) -> Person:
    if id != body.id:
        raise Invalid(
            f"id:路径为 {id},内容为 {body.id},请改为一致",
            f"id: the path says {id}, the body {body.id}: make them the same",
            errors=[{"field": "id", "problem": f"not {id}", "remedy": id}],
        )
    tx(register.put, CallRegister(people=[body]))
    return body


@router.get(
    "/v1/call-register", summary="点名册,按编号 / people to call, by id", **allow(*READERS, personal=True)
)
def read_call_register(
    caller: CurrentCaller,
    tx: Tx,
    place_id: Id | None = None,
    duty: CallDuty | None = None,
    active: bool | None = None,
    cursor: Cursor = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> PersonPage:
    """Phones in full for those who keep the register or call; masked for the others."""
    return tx(register.listed, caller, place_id, duty, active, cursor, limit)


@router.get(
    "/v1/call-register/{id}", summary="点名册上一人 / one person to call", **allow(*READERS, personal=True)
)
def read_person(id: Id, caller: CurrentCaller, tx: Tx) -> PersonView:
    return tx(register.show, id, caller)


@router.post(
    "/v1/incidents/{id}/call-out",
    summary="点名:打开或补充点名表 / call people out: open the sheet, or add to it",
    status_code=201,
    **allow(Role.COMMANDER),
)
def open_call_out(
    id: UUID, body: Annotated[OpenCallOut, Body(openapi_examples=_OPEN)], caller: CurrentCaller, tx: Tx
) -> CallOutView:
    """From then on plans count, of the places and vehicle types on the sheet, who is present or expected."""
    return tx(sheets.open_sheet, id, body, caller)


@router.get(
    "/v1/incidents/{id}/call-out",
    summary="点名表,附各处到位情况 / the call-out sheet, and what each place has of whom it needs",
    **allow(*READERS, personal=True),
)
def read_call_out(id: UUID, caller: CurrentCaller, tx: Tx) -> CallOutView:
    return tx(sheets.show, id, caller)


@router.get(
    "/v1/calls/{id}", summary="点名表上一人 / one person of a sheet", **allow(*READERS, personal=True)
)
def read_call(id: UUID, caller: CurrentCaller, tx: Tx) -> CallRecord:
    return tx(calls.show, id, caller)


@router.post(
    "/v1/calls/{id}/steps",
    summary="记一次联系或到岗 / write down what was heard or seen",
    **allow(Role.CLERK, Role.COMMANDER),
)
def step_call(
    id: UUID, body: Annotated[CallStep, Body(openapi_examples=_STEPS)], caller: CurrentCaller, tx: Tx
) -> CallRecord:
    """409 names the state that the person is in, and who said so: nobody is called by two at once."""
    return tx(calls.step, id, body, caller)
