"""The plan in force as a replan takes it: read when nothing is moving, so that books and orders tell of one moment."""

import time
from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from chubei_shared.contracts.holds import HoldStatus, HoldView
from chubei_shared.contracts.plans import PlanStatus
from chubei_shared.contracts.reserves import Snapshot
from chubei_shared.db import Transactions
from chubei_shared.errors import Unavailable
from chubei_shared.state_words import zh
from sqlalchemy.orm import Session

from chubei_allocation.deviations import deviations
from chubei_allocation.dispatch import under_way
from chubei_allocation.exercise_books import books
from chubei_allocation.given import InForce, OrderTrip, Row
from chubei_allocation.incidents import incidents
from chubei_allocation.inventory_gate import InventoryGate
from chubei_allocation.plans import plans
from chubei_allocation.scenarios import Unplannable

_PAUSES_S = (0.2, 0.5, 1.0, 2.0)


@dataclass(frozen=True)
class _Standing:
    """A plan in force and its orders; the same as a moment ago if nothing was reported in between."""

    hold_id: UUID
    deadline_at: datetime
    scenario: dict[str, Any]
    trips: tuple[OrderTrip, ...]


def read(
    tx: Transactions, inventory: InventoryGate, person: str, plan_id: UUID, now_min: int
) -> tuple[InForce, Snapshot]:
    """The plan in force and a snapshot in which its hold counts as free, of one moment.

    Raises Unplannable when it is not in force any more, or more was reported than can have happened by `now_min`;
    Unavailable when after a few tries a step is still under way in inventory, or inventory is away.
    """
    incident_id = tx(lambda session: plans.get(session, plan_id).incident_id)
    for pause_s in (*_PAUSES_S, None):
        before = tx(_standing, plan_id, now_min)
        if before:
            with books.of(tx, inventory, incident_id, person) as client:
                hold = client.get_hold(before.hold_id)
                snapshot = client.snapshot(before.deadline_at, [before.hold_id])
            if tx(_standing, plan_id, now_min) == before:
                return InForce(str(plan_id), before.trips, _kept(hold), before.scenario), snapshot
        if pause_s is not None:
            time.sleep(pause_s)
    raise Unavailable(
        "有装车或接收正在登记,稍后自动再试",
        "A loading or receipt is being recorded: it is tried again by itself",
    )


def _standing(session: Session, plan_id: UUID, now_min: int) -> _Standing | None:
    """None while a movement is under way: nobody knows whether those goods have moved."""
    plan = plans.get(session, plan_id)
    if plan.status != PlanStatus.APPROVED or plan.hold_id is None:
        raise Unplannable(
            f"方案 {plan_id} {zh(PlanStatus, plan.status)},请重新申请 / "
            f"plan {plan_id} is {plan.status}: ask for a plan again"
        )
    if under_way.moving_stock(session, plan.incident_id):
        return None
    incident = incidents.get(session, plan.incident_id)
    conditions = deviations.conditions(session, incident.id)
    trips = tuple(under_way.trips(session, incident, now_min, conditions))
    told = max((call.end_min for trip in trips for call in trip.calls if call.done), default=0)
    if told > now_min or (now_min == 0 and any(trip.begun for trip in trips)):
        raise Unplannable(
            f"now_min:已登记到第 {told} 分钟,请给不早于它的分钟 / "
            f"now_min: minute {told} was reported already: give that minute or a later one"
        )
    return _Standing(plan.hold_id, incidents.deadline(incident), plans.scenario(session, plan), trips)


def _kept(hold: HoldView) -> Counter[Row]:
    kept: Counter[Row] = Counter()
    if hold.status is HoldStatus.OPEN:
        for line in hold.lines:
            kept[line.place_id, line.item_code, line.mode] += line.outstanding
    return kept
