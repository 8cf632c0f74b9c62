"""Verbs on alternatives: two or three plans of one incident, asked for together and shown side by side."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid5

from chubei_shared.contracts.alternatives import (
    AlternativesPage,
    AlternativesRequest,
    AlternativesView,
    Outcome,
    PlanDifference,
    Variant,
    VariantView,
)
from chubei_shared.contracts.assumptions import Assumption, MoreVehicles, Words
from chubei_shared.contracts.base import Mode
from chubei_shared.contracts.plans import PlanRequest, PlanStatus
from chubei_shared.errors import Conflict, Invalid, NotFound
from chubei_shared.tokens import Caller
from sqlalchemy import select
from sqlalchemy.orm import Session

from chubei_allocation import locks, pages
from chubei_allocation import tables as base
from chubei_allocation.incidents import incidents
from chubei_allocation.plans import outcomes, plan_requests, plans, reasons, tables, variants
from chubei_allocation.plans.difference import Side
from chubei_allocation.plans.difference import difference as between

_BINDING = 6


def ask(
    session: Session, incident_id: UUID, body: AlternativesRequest, caller: Caller, default_limit_s: int
) -> AlternativesView:
    """Ask for the plans. Raises NotFound, Invalid, Conflict."""
    locks.one_at_a_time(session, body.id)
    incidents.get(session, incident_id)
    known = session.get(tables.Alternatives, body.id)
    if known is None:
        known = tables.Alternatives(
            id=body.id,
            incident_id=incident_id,
            asked_by=caller.person,
            asked_at=datetime.now(UTC),
            body=body.model_dump(mode="json"),
        )
        session.add(known)
        for number, variant in enumerate(body.variants):
            _request(session, incident_id, body, number, variant, caller, default_limit_s)
        session.flush()
    elif (known.incident_id, _body(known)) != (incident_id, body):
        raise Conflict(
            f"编号 {body.id} 已用于另一组方案,请换新编号",
            f"Id {body.id} is of other alternatives: mint a new one",
        )
    return view(session, known)


def _request(
    session: Session,
    incident_id: UUID,
    body: AlternativesRequest,
    number: int,
    variant: Variant,
    caller: Caller,
    default_limit_s: int,
) -> None:
    asked = PlanRequest(
        id=request_id(body.id, number),
        incident_id=incident_id,
        policy=variant.policy,
        time_limit_s=body.time_limit_s,
        seed=body.seed,
        work_limit=body.work_limit,
        now_min=body.now_min,
        modes=[Mode.PHYSICAL] if variant.without_call_offs else None,
        assume=assumed(variant),
    )
    try:
        plan_requests.request_plan(session, asked, caller, default_limit_s)
    except Invalid as error:
        raise Invalid(
            f"variants[{number}]({variant.name}):{error.detail}",
            f"variants[{number}] ({variant.name}): {error.detail_en}",
            **error.more,
        ) from error


def request_id(alternatives_id: UUID, number: int) -> UUID:
    """The plan request of a variant."""
    return uuid5(alternatives_id, str(number))


def assumed(variant: Variant) -> list[Assumption]:
    more = [
        MoreVehicles(kind="more_vehicles", type=type_, count=count)
        for type_, count in sorted(variant.extra_vehicles.items())
    ]
    return [*more, *variant.assume]


def show(session: Session, alternatives_id: UUID) -> AlternativesView:
    """Raises NotFound."""
    row = session.get(tables.Alternatives, alternatives_id)
    if row is None:
        raise NotFound(f"没有这组方案 {alternatives_id}", f"There are no alternatives {alternatives_id}")
    return view(session, row)


def listed(session: Session, incident_id: UUID, cursor: str | None, limit: int) -> AlternativesPage:
    """Those of an incident, the latest first. Raises NotFound."""
    incidents.get(session, incident_id)
    row = tables.Alternatives
    query = select(row).where(row.incident_id == incident_id)
    found, following = pages.latest(session, query, row.asked_at, row.id, cursor, limit)
    return AlternativesPage(rows=[view(session, one) for one in found], next_cursor=following)


def names(session: Session, incident_id: UUID) -> dict[UUID, str]:
    """What the variants of an incident are called, by plan request."""
    found = session.scalars(select(tables.Alternatives).where(tables.Alternatives.incident_id == incident_id))
    return {
        request_id(row.id, number): variant["name"]
        for row in found
        for number, variant in enumerate(row.body["variants"])
    }


def view(session: Session, row: tables.Alternatives) -> AlternativesView:
    shown = [_variant(session, row, n, variant) for n, variant in enumerate(_body(row).variants)]
    zh, en = _in_words(shown)
    return AlternativesView(
        id=row.id,
        incident_id=row.incident_id,
        asked_by=row.asked_by,
        asked_at=row.asked_at,
        minutes_left=incidents.minutes_left(incidents.get(session, row.incident_id)),
        variants=shown,
        zh=zh,
        en=en,
    )


def _body(row: tables.Alternatives) -> AlternativesRequest:
    return AlternativesRequest.model_validate(row.body)


def _variant(session: Session, row: tables.Alternatives, number: int, variant: Variant) -> VariantView:
    request = plan_requests.show(session, request_id(row.id, number))
    told = [variants.told(one) for one in assumed(variant)]
    return VariantView(
        variant=variant,
        what_if=request.what_if,
        assumptions=[Words(zh=zh, en=en) for zh, en in told],
        request_id=request.id,
        status=request.status,
        progress=request.progress,
        error=request.error,
        outcome=outcome(session, plans.get(session, request.plan_id)) if request.plan_id else None,
    )


def outcome(session: Session, plan: base.Plan) -> Outcome:
    """What a plan comes to. Worked out from what is stored; nothing is solved."""
    scenario = plans.scenario(session, plan)
    found = outcomes.figures(scenario, plan.plan)
    held = reasons.show(session, plan.id).binding[:_BINDING]
    return Outcome(
        plan_id=plan.id,
        status=PlanStatus(plan.status),
        people=plan.people,
        supported=plan.supported,
        settled=plan.settled,
        served_by_hour=plan.served_by_hour,
        worst_off=outcomes.worst_off(scenario, found),
        mean_wait_min=plan.mean_wait_min,
        last_delivery_min=outcomes.last_delivery_min(plan.plan),
        call_offs=outcomes.call_offs(scenario, plan.plan),
        vehicles=outcomes.vehicles(plan.plan),
        trips=len(plan.plan["trips"]),
        objective=plan.objective,
        bound=plan.bound,
        gap=outcomes.gap(plan.objective, plan.bound),
        binding=[Words(zh=row.zh, en=row.en) for row in held],
    )


def _in_words(shown: list[VariantView]) -> tuple[str, str]:
    """Which serves the most people, then has them wait least."""
    made = [(row.variant.name, row.outcome) for row in shown if row.outcome]
    left = len(shown) - len(made)
    if not made:
        return f"{left} 个方案尚未得出", f"{left} plans are not made yet"
    name, best = min(made, key=lambda row: (-row[1].supported, -row[1].settled, row[1].mean_wait_min))
    zh = (
        f"「{name}」救助最多:{best.supported:,}/{best.people:,} 人,安置 {best.settled:,} 人,"
        f"平均等待 {best.mean_wait_min:.0f} 分钟"
    )
    en = (
        f"{name!r} supports the most: {best.supported:,} of {best.people:,} people, settles {best.settled:,}, "
        f"mean wait {best.mean_wait_min:.0f} min"
    )
    if left:
        return f"{zh};另有 {left} 个尚未得出", f"{en}; {left} not made yet"
    return zh, en


def difference(session: Session, plan_id: UUID, from_id: UUID) -> PlanDifference:
    """From one plan of an incident to another. Raises NotFound, Invalid: they are of two incidents."""
    new, old = plans.get(session, plan_id), plans.get(session, from_id)
    if new.incident_id != old.incident_id:
        raise Invalid(
            f"from:方案 {from_id} 属于另一事件,请选同一事件的方案",
            f"from: plan {from_id} is of another incident: name one of the same",
            errors=[{"field": "from", "problem": "another incident", "remedy": "GET /v1/plans?incident_id="}],
        )
    fates = [row["fate"] for row in new.changes] if new.replaces == old.id else None
    return between(_side(session, old), _side(session, new), fates)


def _side(session: Session, plan: base.Plan) -> Side:
    scenario: dict[str, Any] = plans.scenario(session, plan)
    return Side(plan.id, scenario, plan.plan, outcomes.figures(scenario, plan.plan))
