"""Routes of exercises: opened, led and concluded by the command; read by all."""

from typing import Annotated, Any, Final
from uuid import UUID

from chubei_shared.access import CurrentCaller, Tx, allow
from chubei_shared.contracts.exercises import (
    Advance,
    Cancel,
    Conclude,
    ExercisePage,
    ExerciseView,
    OpenExercise,
)
from chubei_shared.tokens import Role
from fastapi import APIRouter, Body, Query
from fastapi.responses import HTMLResponse

from chubei_allocation.api_parameters import READERS, Cursor, Inventory
from chubei_allocation.exercises import exercises, printing, views

router = APIRouter(tags=["exercises"])

_EXAMPLE = {
    "form": "table_top",
    "script": [
        {
            "at_min": 45,
            "say": "北库进水,不能出库",
            "do": {"kind": "deviation", "what": {"kind": "place_lost", "place_id": "XC-N"}},
        },
        {
            "at_min": 90,
            "say": "德胜街道又转移 300 人",
            "do": {
                "kind": "amendment",
                "change": {"kind": "people", "by_subdistrict": {"XC-01": 1500}, "crowded": True},
            },
        },
    ],
}
_PAGE: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "可打印的网页 / a page to print",
        "content": {"text/html": {"schema": {"type": "string"}}},
    }
}


@router.get(
    "/v1/exercises",
    summary="演练,新的在前,及年度任务 / exercises, and the duty of the year",
    **allow(*READERS),
)
def read_exercises(
    tx: Tx, cursor: Cursor = None, limit: Annotated[int, Query(ge=1, le=100)] = 20
) -> ExercisePage:
    return tx(views.listed, cursor, limit)


@router.post(
    "/v1/incidents/{id}/exercise",
    summary="开始演练:冻结库存副本,载入脚本 / open an exercise on a copy of the stock",
    status_code=201,
    **allow(Role.COMMANDER),
)
def open_exercise(
    id: UUID,
    body: Annotated[OpenExercise, Body(examples=[_EXAMPLE])],
    caller: CurrentCaller,
    tx: Tx,
    inventory: Inventory,
) -> ExerciseView:
    """Of an incident declared as an exercise, before its first plan. From then on all that it does with stock is done
    in books of its own. 503 while inventory is away.
    """
    return exercises.open_(tx, inventory, id, body, caller)


@router.get("/v1/incidents/{id}/exercise", summary="一次演练 / one exercise", **allow(*READERS))
def read_exercise(id: UUID, tx: Tx) -> ExerciseView:
    return tx(views.show, id)


@router.post(
    "/v1/incidents/{id}/exercise:advance",
    summary="推进到某分钟,下达脚本情况 / it is this minute: bring the injects up to it",
    **allow(Role.COMMANDER),
)
def advance_exercise(id: UUID, body: Advance, caller: CurrentCaller, tx: Tx) -> ExerciseView:
    """One that can not be brought (a vehicle that does not exist, say) is marked failed; the exercise goes on."""
    return exercises.advance(tx, id, body.to_min, caller)


@router.post(
    "/v1/incidents/{id}/exercise:conclude",
    summary="结束演练并评分 / conclude and score",
    **allow(Role.COMMANDER),
)
def conclude_exercise(id: UUID, body: Conclude, caller: CurrentCaller, tx: Tx) -> ExerciseView:
    """It counts for the duty of the year if a plan was approved in it (`counts`). The incident ends with it."""
    return tx(exercises.conclude, id, body.findings, caller)


@router.post(
    "/v1/incidents/{id}/exercise:cancel",
    summary="取消演练 / cancel: it counts for nothing",
    **allow(Role.COMMANDER),
)
def cancel_exercise(id: UUID, body: Cancel, caller: CurrentCaller, tx: Tx) -> ExerciseView:
    return tx(exercises.cancel, id, body.reason, caller)


@router.get(
    "/v1/incidents/{id}/exercise/paper",
    summary="演练评分(可打印) / the score of an exercise, to print",
    response_class=HTMLResponse,
    responses=_PAGE,
    **allow(*READERS),
)
def read_exercise_paper(id: UUID, tx: Tx) -> HTMLResponse:
    return tx(printing.paper, id)
