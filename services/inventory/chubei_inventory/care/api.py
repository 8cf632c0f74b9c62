"""Care of stock: what is due, the tasks, the nightly run on demand, and the rules."""

from datetime import UTC, date, datetime
from typing import Annotated, Any
from uuid import UUID

from chubei_shared.access import CurrentCaller, Tx, allow
from chubei_shared.china import day
from chubei_shared.contracts.base import Id, ItemCode
from chubei_shared.contracts.care import (
    CareKind,
    CarePage,
    CareRule,
    CareRun,
    CareState,
    CareStep,
    CareTaskPage,
    CareTaskView,
)
from chubei_shared.editions import IfMatch, etag_of
from chubei_shared.tokens import Role
from fastapi import APIRouter, Body, Query, Response

from chubei_inventory.api_parameters import READERS, WRITERS, Cursor, Limit, answered, repeatable, same
from chubei_inventory.care import due, nightly, settings, tasks

router = APIRouter(prefix="/v1/care", tags=["care"])

DueBy = Annotated[
    date | None, Query(description="到期不晚于;缺省为开任务的期限 / due by; by default as tasks are opened")
]
_STEP: dict[str, Any] = {
    "restacked": {
        "summary": "已翻垛 / stacked anew",
        "value": {
            "id": "8a0c6f1e-9a57-4d0c-8a53-0d6c9c3f7a10",
            "state": "done",
            "happened_at": "2026-11-21T15:00:00+08:00",
            "note": "A 区 3 垛翻垛、除尘完毕",
        },
    },
    "tested": {
        "summary": "检验结果已登记 / the result of a test has been recorded",
        "value": {
            "id": "8a0c6f1e-9a57-4d0c-8a53-0d6c9c3f7a11",
            "state": "done",
            "happened_at": "2026-11-21T15:00:00+08:00",
            "movement_id": "5a0c5ad4-3a0b-4b0c-8a4c-0f3d1f6d6f11",
        },
    },
}
_RULE: dict[str, Any] = {
    "monthly check": {
        "summary": "每月检查一次 / a check each month",
        "value": {
            "kind": "check", "months": 1, "ahead_days": 7, "repeat_days": 0,
            "provenance": {"certainty": "verified", "source": "DB11/T 2010-2022 §6"},
        },
    }
}  # fmt: skip


@router.get(
    "/due/{kind}",
    summary="到期清单:临期、轮换、检验、翻垛、检查、补库、召回 / what is due, of one kind",
    **allow(*READERS),
)
def get_due(
    kind: CareKind,
    tx: Tx,
    place_id: Id | None = None,
    item_code: ItemCode | None = None,
    due_by: DueBy = None,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> CarePage:
    """From the books as they are now. For lots that expire within 30 days: `expiry` with `due_by` 30 days ahead."""
    asked = {"place_id": place_id, "item_code": item_code}
    return tx(due.page, kind, day(datetime.now(UTC)), due_by, asked, cursor, limit)


@router.get("/tasks", summary="养护任务,先到期的在前 / tasks, the earliest due first", **allow(*READERS))
def get_care_tasks(
    tx: Tx,
    kind: CareKind | None = None,
    state: CareState | None = None,
    place_id: Id | None = None,
    item_code: ItemCode | None = None,
    due_by: DueBy = None,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> CareTaskPage:
    asked = {"kind": kind, "state": state, "place_id": place_id, "item_code": item_code}
    return tx(tasks.page, asked, due_by, cursor, limit)


@router.get("/tasks/{task_id}", summary="一项任务及其经过 / one task and its history", **allow(*READERS))
def get_care_task(task_id: UUID, tx: Tx) -> CareTaskView:
    return tx(tasks.get, task_id)


@router.post(
    "/tasks/{task_id}/steps",
    status_code=201,
    summary="签收或办结任务(须有依据) / acknowledge a task, or report it done with evidence",
    response_model=CareTaskView,
    responses=repeatable(CareTaskView),
    **allow(Role.CLERK, *WRITERS),
)
def post_care_step(
    task_id: UUID,
    body: Annotated[CareStep, Body(openapi_examples=_STEP)],
    caller: CurrentCaller,
    tx: Tx,
    response: Response,
) -> CareTaskView:
    """`may_become` of the task says which steps can follow."""
    return answered(response, tx(tasks.step, task_id, body, caller))


@router.post(
    "/runs",
    status_code=201,
    summary="立即核查到期并开任务(可重复) / look for what is due now, as every night; again does no harm",
    **allow(*WRITERS, Role.SERVICE),
)
def post_care_run(tx: Tx) -> CareRun:
    return tx(nightly.run, datetime.now(UTC))


@router.get("/runs/latest", summary="最近一次核查 / the last run", **allow(*READERS))
def get_care_run(tx: Tx, on: date | None = None) -> CareRun:
    return tx(nightly.get, on)


@router.get("/rules", summary="养护规则 / the rules of care", **allow(*READERS))
def get_care_rules(tx: Tx) -> list[CareRule]:
    return tx(settings.every)


@router.get("/rules/{kind}", summary="一条养护规则 / one rule", **allow(*READERS))
def get_care_rule(kind: CareKind, tx: Tx, response: Response) -> CareRule:
    found = tx(settings.get, kind)
    response.headers["ETag"] = etag_of(found)
    return found


@router.put("/rules/{kind}", summary="更改养护规则 / change a rule", **allow(*WRITERS))
def put_care_rule(
    kind: CareKind,
    body: Annotated[CareRule, Body(openapi_examples=_RULE)],
    tx: Tx,
    response: Response,
    if_match: IfMatch = None,
) -> CareRule:
    same(kind, body.kind, "kind", body)
    response.headers["ETag"] = etag_of(body)
    return tx(settings.put, body, if_match)
