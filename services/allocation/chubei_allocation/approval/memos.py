"""The decision memo of a plan, made from what is on record: the same records give the same memo and the same hash."""

import json
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any
from uuid import UUID

from chubei_shared.contracts.holds import Shortage
from chubei_shared.contracts.memos import (
    Memo,
    MemoAlternative,
    MemoApproval,
    MemoAuthority,
    MemoBody,
    MemoIncident,
    MemoInputs,
    MemoResult,
)
from chubei_shared.contracts.plans import PlanStatus
from chubei_shared.errors import NotFound
from sqlalchemy import select
from sqlalchemy.orm import Session

from chubei_allocation import tables
from chubei_allocation.authority import authority
from chubei_allocation.authority.tables import PlanApproval
from chubei_allocation.incidents import incidents
from chubei_allocation.plans import alternatives, outcomes, plan_requests, plans, reasons

_BINDING = 6


def of(session: Session, plan: tables.Plan) -> Memo:
    """The memo as it is now."""
    body = MemoBody(
        plan_id=plan.id,
        replaces=plan.replaces,
        created_at=plan.created_at,
        incident=_incident(session, plan),
        inputs=_inputs(session, plan),
        result=_result(session, plan),
        alternatives=_alternatives(session, plan),
        authority=_authority(session, plan),
        approvals=[_approval(row) for row in authority.of_plan(session, plan.id)],
        status=PlanStatus(plan.status),
        decided_by=plan.decided_by,
        decided_at=plan.decided_at,
        refusal=plan.refusal,
        shortages=[Shortage.model_validate(row) for row in plan.shortages],
    )
    return Memo(hash=digest(body), memo=body)


def digest(body: MemoBody) -> str:
    text = json.dumps(body.model_dump(mode="json"), sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return sha256(text.encode()).hexdigest()


def show(session: Session, plan_id: UUID, hash_: str | None = None) -> Memo:
    """As it is now, or as it was when an approver was shown the one of that hash. Raises NotFound."""
    now = of(session, plans.get(session, plan_id))
    if hash_ is None or hash_ == now.hash:
        return now
    kept = _kept(session, plan_id, hash_)
    if kept is None:
        raise NotFound(
            f"没有哈希为 {hash_} 的备忘录;审批时所见的才保存",
            f"There is no memo of the hash {hash_}: those that were approved on are kept",
        )
    return Memo(hash=hash_, memo=kept)


def still_holds(session: Session, plan_id: UUID, seen: str, now: Memo) -> bool:
    """Whether the memo of that hash says what it says now, but for approvals: two persons may sign at once."""
    if seen == now.hash:
        return True
    kept = _kept(session, plan_id, seen)
    return kept is not None and kept == now.memo.model_copy(update={"approvals": kept.approvals})


def _kept(session: Session, plan_id: UUID, hash_: str) -> MemoBody | None:
    """As an approver was shown it."""
    found = select(PlanApproval.memo).where(PlanApproval.plan_id == plan_id, PlanApproval.memo_hash == hash_)
    kept = session.scalars(found.limit(1)).first()
    return MemoBody.model_validate(kept) if kept is not None else None


def _incident(session: Session, plan: tables.Plan) -> MemoIncident:
    """At the level that it had when the plan was decided on, or has now."""
    incident = incidents.get(session, plan.incident_id)
    return MemoIncident(
        id=incident.id,
        kind=incident.kind,
        level=incidents.level_at(session, incident, plan.decided_at or datetime.now(UTC)),
        name=incident.name,
        place=incident.place,
        occurred_at=incident.occurred_at,
        declared_by=incident.declared_by,
        deadline_at=incidents.deadline(incident),
        exercise=incident.exercise,
    )


def _inputs(session: Session, plan: tables.Plan) -> MemoInputs:
    request = plan_requests.get(session, plan.request_id)
    scenario = plans.scenario(session, plan)
    taken_at = scenario.get("snapshot_at")
    return MemoInputs(
        request_id=request.id,
        requested_by=request.requested_by,
        requested_at=request.created_at,
        asked=request.body,
        snapshot_hash=plan.snapshot_hash,
        snapshot_at=datetime.fromisoformat(taken_at) if taken_at else None,
        catalogue_version=scenario.get("catalogue_version"),
        now_min=scenario["now_min"],
        left_out=len(scenario.get("left_out", [])),
        assumptions=plans.assumptions(session, plan),
    )


def _result(session: Session, plan: tables.Plan) -> MemoResult:
    scenario = plans.scenario(session, plan)
    loaded = outcomes.loaded(scenario, plan.plan)
    held = reasons.show(session, plan.id)
    units: dict[str, int] = {}
    for (_, item, _), number in sorted(loaded.items()):
        units[item] = units.get(item, 0) + number
    return MemoResult(
        people=plan.people,
        supported=plan.supported,
        settled=plan.settled,
        mean_wait_min=plan.mean_wait_min,
        trips=len(plan.plan["trips"]),
        vehicles=outcomes.vehicles(plan.plan),
        stores=sorted({place for place, _, _ in loaded}),
        units=units,
        call_offs=outcomes.call_offs(scenario, plan.plan),
        objective=plan.objective,
        bound=plan.bound,
        gap=outcomes.gap(plan.objective, plan.bound),
        binding=[{"zh": row.zh, "en": row.en} for row in held.binding[:_BINDING]],
        zh=held.zh,
        en=held.en,
    )


def _alternatives(session: Session, plan: tables.Plan) -> list[MemoAlternative]:
    """The other plans of the incident that were made before the decision, in their order."""
    query = select(tables.Plan).where(tables.Plan.incident_id == plan.incident_id, tables.Plan.id != plan.id)
    if plan.decided_at is not None:
        query = query.where(tables.Plan.created_at <= plan.decided_at)
    found = list(session.scalars(query.order_by(tables.Plan.created_at, tables.Plan.id)))
    named = alternatives.names(session, plan.incident_id)
    policies: dict[UUID, str] = {
        row.id: row.policy
        for row in session.execute(
            select(tables.PlanRequest.id, tables.PlanRequest.policy).where(
                tables.PlanRequest.id.in_([other.request_id for other in found])
            )
        )
    }
    return [
        MemoAlternative(
            plan_id=other.id,
            status=PlanStatus(other.status),
            name=named.get(other.request_id),
            policy=policies[other.request_id],
            what_if=other.what_if,
            supported=other.supported,
            settled=other.settled,
            mean_wait_min=other.mean_wait_min,
        )
        for other in found
    ]


def _authority(session: Session, plan: tables.Plan) -> MemoAuthority:
    told: dict[str, Any] = plans.needed(session, plan).model_dump(exclude={"who"})
    return MemoAuthority.model_validate(told)


def _approval(row: PlanApproval) -> MemoApproval:
    return MemoApproval(
        person=row.person,
        post_id=row.post_id,
        tier=row.tier,
        authority_version=row.authority_version,
        approved_at=row.approved_at,
        oral=row.oral,
        entered_by=row.entered_by,
        memo_hash=row.memo_hash,
        seen=row.seen,
        break_glass=row.break_glass,
    )
