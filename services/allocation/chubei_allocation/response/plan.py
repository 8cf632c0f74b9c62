"""Verbs on the response plan: a document by version, the newest in force."""

from datetime import UTC, datetime
from uuid import UUID

from chubei_shared import outbox
from chubei_shared.contracts.response import ResponsePlan, ResponsePlanView
from chubei_shared.editions import etag_of, refuse_other_edition
from chubei_shared.errors import Invalid, NotFound
from chubei_shared.tokens import Caller
from sqlalchemy import select
from sqlalchemy.orm import Session

from chubei_allocation import locks
from chubei_allocation.posts import posts
from chubei_allocation.response import tables

_PLAN = UUID("e6f7b1aa-6f0e-4e0c-8d3b-0d6f6a1c9f21")


def put(session: Session, plan: ResponsePlan, caller: Caller, if_match: str | None) -> ResponsePlanView:
    """Bring a plan into force as a new version; the same again changes nothing. Incidents keep their tasks.

    Raises Invalid (a post that is not known), PreconditionRequired, PreconditionFailed.
    """
    locks.one_at_a_time(session, _PLAN)
    newest = _newest(session)
    old = None if newest is None else _view(newest)
    if old is not None and old.plan == plan:
        return old
    refuse_other_edition(if_match, None if old is None else etag_of(old.plan))
    if unknown := posts.unknown(session, (duty.to_post for duty in plan.duties)):
        names = ", ".join(unknown)
        raise Invalid(
            f"duties.to_post:没有岗位 {names},请先录入岗位",
            f"duties.to_post: there is no post {names}: put it first",
            errors=[
                {"field": "duties.to_post", "problem": f"unknown: {names}", "remedy": "PUT /v1/posts/{id}"}
            ],
        )
    row = tables.Plan(
        version=1 if old is None else old.version + 1,
        document=plan.model_dump(mode="json"),
        put_at=datetime.now(UTC),
        put_by=caller.person,
    )
    session.add(row)
    session.flush()
    outbox.enqueue(session, "response_plan.changed", {"version": row.version})
    return _view(row)


def in_force(session: Session) -> ResponsePlanView | None:
    newest = _newest(session)
    return None if newest is None else _view(newest)


def show(session: Session, version: int | None) -> ResponsePlanView:
    """A version, or the one in force. Raises NotFound."""
    row = _newest(session) if version is None else session.get(tables.Plan, version)
    if row is None:
        raise NotFound(
            "没有响应预案,请先录入:PUT /v1/response-plan" if version is None else f"没有第 {version} 版预案",
            "There is no response plan: PUT /v1/response-plan first"
            if version is None
            else f"There is no version {version} of the response plan",
        )
    return _view(row)


def _newest(session: Session) -> tables.Plan | None:
    return session.scalar(select(tables.Plan).order_by(tables.Plan.version.desc()).limit(1))


def _view(row: tables.Plan) -> ResponsePlanView:
    return ResponsePlanView(
        version=row.version,
        put_at=row.put_at,
        put_by=row.put_by,
        plan=ResponsePlan.model_validate(row.document),
    )
