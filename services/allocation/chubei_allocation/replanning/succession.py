"""From a plan in force to the replan that supersedes it: what must still be true, and what becomes of its orders."""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from chubei_shared.contracts.base import Mode
from chubei_shared.contracts.holds import HoldLine
from chubei_shared.contracts.orders import OrderStatus, StepKind, StepState
from chubei_shared.contracts.plans import PlanStatus, TripChange, TripFate
from chubei_shared.errors import Conflict
from chubei_shared.state_words import zh
from sqlalchemy import select
from sqlalchemy.orm import Session

from chubei_allocation import scenarios, tables
from chubei_allocation.dispatch import moves, orders, under_way
from chubei_allocation.incidents import incidents
from chubei_allocation.plans import plans


def check(session: Session, plan: tables.Plan) -> list[HoldLine]:
    """What the replan's hold has to keep for orders under way. Locks the orders: they stand still until the commit.

    Raises Conflict where the world is another than the one that it was made for.
    """
    if plan.replaces is None or plans.get(session, plan.replaces).status != PlanStatus.APPROVED:
        raise Conflict(
            f"它要替换的方案 {plan.replaces} 已不再生效,请重新申请重排",
            f"Plan {plan.replaces}, which it was to replace, is not in force any more: ask for a replan",
        )
    standing = {str(order.id): order for order in _locked(session, plan.incident_id)}
    steps = orders.steps_by_order(session, [order.id for order in standing.values()])
    for row in _changes(plan):
        order = standing.get(str(row.order_id)) if row.order_id else None
        if order is not None and _has_begun(steps[order.id], dropped=row.fate is TripFate.DROPPED):
            raise Conflict(
                f"调拨单 {order.number} 在重排之后已经开始,此方案不再适用,请重新申请重排",
                f"Order {order.number} has begun since the replan was made, which does not fit any more: "
                "ask for a replan",
            )
    if moving := under_way.moving_stock(session, plan.incident_id):
        number = standing[str(moving[0].order_id)].number
        raise Conflict(
            f"调拨单 {number} 的{zh(StepKind, moving[0].step)}正在登记,请稍候再批",
            f"Step {moving[0].step} of order {number} is being recorded: approve again in a moment",
        )
    loaded = {
        (str(step.order_id), step.stop)
        for of_order in steps.values()
        for step in of_order
        if step.step == StepKind.LOADED and step.state == StepState.DONE
    }
    started_at = incidents.get(session, plan.incident_id).occurred_at
    return list(_carried(plans.scenario(session, plan), loaded, started_at))


def _has_begun(steps: Iterable[tables.OrderStep], dropped: bool) -> bool:
    """Whether the order of a trip that the replan took as not begun has. One that is dropped may stand at its dock."""
    done = [(step.stop, StepKind(step.step)) for step in steps if step.state != StepState.REFUSED]
    return not moves.may_change(done) if dropped else bool(done)


def _locked(session: Session, incident_id: UUID) -> list[tables.DispatchOrder]:
    return list(
        session.scalars(
            select(tables.DispatchOrder)
            .where(tables.DispatchOrder.incident_id == incident_id)
            .order_by(tables.DispatchOrder.id)
            .with_for_update()
            .execution_options(populate_existing=True)
        )
    )


def _carried(
    scenario: dict[str, Any], loaded: set[tuple[str, int]], started_at: datetime
) -> Iterator[HoldLine]:
    """What orders under way have yet to load: as the plan has it, and what was picked where a place was lost since.

    The plan does not count on the latter; but if it gets away, the books must be able to say so.
    """
    mode_of = scenarios.modes(scenario)
    wanted = [
        (
            trip["order"],
            visit["stop"],
            scenarios.place_of(visit["node"]),
            item,
            mode_of[visit["node"], item],
            units,
        )
        for trip in scenario["committed"]
        for visit in trip["visits"]
        for item, units in visit.get("load", {}).items()
    ]
    wanted += [
        (row["order"], row["stop"], row["place"], item, Mode(row["modes"][item]), units)
        for row in scenario["at_risk"]
        for item, units in row["load"].items()
    ]
    arrives = {trip["order"]: trip["visits"][-1]["arrive"] for trip in scenario["committed"]}
    for order, stop, place, item, mode, units in wanted:
        if (order, stop) not in loaded:
            arrives_at = started_at + timedelta(minutes=arrives.get(order, scenario["deadline_min"]))
            yield HoldLine(place_id=place, item_code=item, mode=mode, quantity=units, needed_at=arrives_at)


def carry_out(session: Session, plan: tables.Plan, scenario: dict[str, Any]) -> Counter[TripFate]:
    """In the transaction of the approval: the old plan's orders become the replan's, are withdrawn, or are made.

    Orders under way go on under the replan, whose hold keeps what they have yet to load; those that are done stay
    with the plan they were done under. Returns how many trips had which fate.
    """
    standing = {str(order.id): order for order in _locked(session, plan.incident_id)}
    trips = plan.plan["trips"]
    for number, trip in enumerate(scenario["committed"]):
        order = standing[trip["order"]]
        if order.status == OrderStatus.UNDER_WAY:
            _move(order, plan, number)
    new = []
    for row in _changes(plan):
        if row.fate is TripFate.NEW and row.trip is not None:
            new.append((row.trip, trips[row.trip]))
            continue
        order = standing[str(row.order_id)]
        if row.fate is TripFate.DROPPED or row.trip is None:
            orders.withdraw(session, order)
            continue
        _move(order, plan, row.trip)
        if row.fate is TripFate.CHANGED:
            order.stops = [stop.model_dump(mode="json") for stop in orders.stops(scenario, trips[row.trip])]
            order.revision += 1
            orders.tell(session, "order.changed", order)
    _move_others(standing, plan)
    session.flush()
    orders.create(session, plan, scenario, new)
    return Counter(row.fate for row in _changes(plan))


def _move(order: tables.DispatchOrder, plan: tables.Plan, trip: int) -> None:
    assert plan.hold_id is not None  # noqa: S101 (a plan that is approved has its hold)
    order.plan_id, order.hold_id, order.trip = plan.id, plan.hold_id, trip


def _move_others(standing: dict[str, tables.DispatchOrder], plan: tables.Plan) -> None:
    """Orders under way of which nothing is left that a plan could tell: they go on all the same."""
    left = [o for o in standing.values() if o.status == OrderStatus.UNDER_WAY and o.plan_id != plan.id]
    for number, order in enumerate(sorted(left, key=lambda order: order.number)):
        _move(order, plan, len(plan.plan["trips"]) + number)


def _changes(plan: tables.Plan) -> list[TripChange]:
    return [TripChange.model_validate(row) for row in plan.changes]
