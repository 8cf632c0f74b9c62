"""Routes of the response plan and of tasks."""

from typing import Annotated, Any
from uuid import UUID

from chubei_shared.access import CurrentCaller, Tx, allow
from chubei_shared.contracts.base import Id
from chubei_shared.contracts.response import (
    IncidentTasks,
    ResponsePlan,
    ResponsePlanView,
    TaskPage,
    TaskStep,
    TaskView,
)
from chubei_shared.editions import IfMatch, etag_of
from chubei_shared.tokens import PEOPLE, Role
from fastapi import APIRouter, Body, Query, Response

from chubei_allocation.api_parameters import READERS, Cursor
from chubei_allocation.response import plan, steps, tasks

router = APIRouter(tags=["response"])
WRITERS = (Role.ADMIN, Role.COMMANDER)

_PLAN: dict[str, Any] = {
    "alarm": {
        "summary": "一项职责 / one duty",
        "value": {
            "duties": [
                {
                    "id": "ALARM-1", "stage": "alarm", "from_level": 4, "to_post": "DUTY",
                    "zh": "核实险情,报告带班领导", "en": "Verify the alarm and tell the leader on duty",
                    "due_within_min": 15, "ack_within_min": 5,
                }
            ],
            "provenance": {"certainty": "invented", "source": "sample"},
        },
    }
}  # fmt: skip
_STEPS: dict[str, Any] = {
    "acknowledge": {
        "summary": "收到 / acknowledged",
        "value": {"id": "5a8e0a55-2a4c-4a0e-9b1f-6f2f8d1f7c01", "move": "acknowledge"},
    },
    "reassign": {
        "summary": "改派 / to another post",
        "value": {
            "id": "5a8e0a55-2a4c-4a0e-9b1f-6f2f8d1f7c02", "move": "reassign", "to_post": "HEAD",
            "reason": "值班员在现场 / the duty officer is on site",
        },
    },
}  # fmt: skip


@router.put("/v1/response-plan", summary="录入响应预案 / put the response plan", **allow(*WRITERS))
def put_response_plan(
    body: Annotated[ResponsePlan, Body(openapi_examples=_PLAN)],
    caller: CurrentCaller,
    tx: Tx,
    response: Response,
    if_match: IfMatch = None,
) -> ResponsePlanView:
    """A new version, for incidents from then on; the same again changes nothing. A change needs If-Match."""
    view = tx(plan.put, body, caller, if_match)
    response.headers["ETag"] = etag_of(view.plan)
    return view


@router.get("/v1/response-plan", summary="响应预案 / the response plan", **allow(*READERS))
def read_response_plan(
    tx: Tx, response: Response, version: Annotated[int | None, Query(ge=1, lt=2**31)] = None
) -> ResponsePlanView:
    """The version in force, or another one."""
    view = tx(plan.show, version)
    response.headers["ETag"] = etag_of(view.plan)
    return view


@router.get("/v1/incidents/{id}/tasks", summary="事件的任务与阶段 / its tasks and stage", **allow(*READERS))
def read_incident_tasks(id: UUID, tx: Tx) -> IncidentTasks:
    """Given out within seconds after the declaration or a graver level."""
    return tx(tasks.of_incident, id)


@router.get("/v1/tasks", summary="任务,新的在前 / tasks, the latest first", **allow(*READERS))
def read_tasks(
    tx: Tx,
    caller: CurrentCaller,
    mine: Annotated[
        bool, Query(description="只看问到本人岗位的 / that a post of the caller was asked")
    ] = False,
    incident_id: UUID | None = None,
    to_post: Id | None = None,
    open: Annotated[bool, Query(description="只看未了结的 / not closed only")] = False,
    cursor: Cursor = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
) -> TaskPage:
    person = caller.person if mine else None
    return tx(tasks.listed, person, incident_id, to_post, open, cursor, limit)


@router.get("/v1/tasks/{id}", summary="一项任务 / one task", **allow(*READERS))
def read_task(id: UUID, tx: Tx) -> TaskView:
    return tx(tasks.show, id)


@router.post("/v1/tasks/{id}/steps", summary="确认、完成、撤销或改派 / a step with a task", **allow(*PEOPLE))
def step_task(
    id: UUID, body: Annotated[TaskStep, Body(openapi_examples=_STEPS)], tx: Tx, caller: CurrentCaller
) -> TaskView:
    """By who holds a post that was asked, or the deputy; commanders and administrators drop and reassign too."""
    return tx(steps.step, id, body, caller)
