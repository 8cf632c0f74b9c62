"""A night for the tests of replanning: who reports what, who replans, and that the books are sound at its end."""

import json
from datetime import timedelta
from uuid import uuid4

from chubei_allocation import proof, sweeping
from chubei_allocation.approval import approval
from chubei_shared.contracts.deviations import DeviationReport
from chubei_shared.contracts.holds import HoldStatus
from chubei_shared.contracts.orders import OrderStatus, Step, StepKind, Stop
from chubei_shared.contracts.plans import PlanRequest
from chubei_shared.tokens import Caller, Role
from sqlalchemy import text

from tests.effort import EFFORT

SECOND = Caller("second-approver", frozenset({Role.APPROVER}))
PICKED, LOADED, DEPARTED = StepKind.PICKED, StepKind.LOADED, StepKind.DEPARTED
ARRIVED, RECEIVED = StepKind.ARRIVED, StepKind.RECEIVED


class Night:
    """An approved plan of a stocked district, played minute by minute as its orders say."""

    def __init__(self, stocked, by_hand=None) -> None:
        self.world, self.house = stocked, stocked.house
        self.commander = stocked.commander
        self.incident = stocked.declare()
        self.plan = stocked.proposed(self.incident)
        if by_hand:
            plan = json.dumps(by_hand(stocked, self.plan))
            self.house.tx(lambda s: s.execute(text("UPDATE plan SET plan = cast(:p AS jsonb)"), {"p": plan}))
        stocked.approver.approve(self.plan.id)

    def orders(self, status: OrderStatus | None = None):
        return list(self.commander.orders(self.incident.id, status))

    def step(self, order, stop, kind: StepKind, minute: int, **more):
        by = self.commander
        if stop.load and kind in (PICKED, LOADED):
            by = self.world.clerks.get(stop.place_id, by)
        at = self.incident.occurred_at + timedelta(minutes=minute)
        if kind is RECEIVED:
            more.setdefault("signed_by", "王主任")
        return by.step(order.id, Step(id=uuid4(), stop=stop.stop, step=kind, occurred_at=at, **more))

    def play(self, until: int = 10_000) -> None:
        """Report every step that the orders have before a minute and that has not been reported."""
        acts = []
        for order in self.orders():
            if order.status is OrderStatus.WITHDRAWN:
                continue
            reported = {(step.stop, step.step) for step in order.steps if step.state != "refused"}
            for stop in order.stops:
                kinds = [(stop.start_min, 0, PICKED), (stop.end_min, 1, LOADED)]
                if stop.deliver:
                    kinds = [(stop.arrive_min, 0, ARRIVED), (stop.end_min, 1, RECEIVED)]
                if stop.stop < len(order.stops) - 1:
                    kinds.append((stop.end_min, 2, DEPARTED))
                last = max((step.occurred_at for step in order.steps), default=self.incident.occurred_at)
                reached = round((last - self.incident.occurred_at).total_seconds() / 60)
                acts += [
                    (max(minute, reached), order.number, stop.stop, turn, order, stop, kind)
                    for minute, turn, kind in kinds
                    if (stop.stop, kind) not in reported
                ]
        for minute, _, _, _, order, stop, kind in sorted(acts, key=lambda act: act[:4]):
            if minute < until:
                self.step(order, stop, kind, minute)

    def deviate(self, minute: int, **what):
        at = self.incident.occurred_at + timedelta(minutes=minute)
        report = DeviationReport(id=uuid4(), occurred_at=at, what=what)
        return self.commander.report_deviation(self.incident.id, report)

    def replan(self, now_min: int):
        body = PlanRequest(id=uuid4(), incident_id=self.incident.id, now_min=now_min, **EFFORT)
        self.commander.request_plan(body)
        self.world.solve(body.id)
        state = self.commander.plan_request(body.id)
        assert state.plan_id, state.error
        return self.commander.plan(state.plan_id)

    def approve(self, plan):
        return self.world.approver.approve(plan.id)

    def begin(self, plan) -> None:
        """The first transaction of an approval, and then nothing more: as after a crash."""
        self.house.tx(approval.begin, plan.id, SECOND)

    def resume(self) -> None:
        """What the sweeper does a while later."""
        self.house.tx(
            lambda session: session.execute(text("UPDATE plan SET decided_at = now() - interval '1 minute'"))
        )
        self.house.tx(
            lambda s: s.execute(text("UPDATE order_step SET recorded_at = now() - interval '1 minute'"))
        )
        sweeping.sweep(self.house.tx, self.house.gate)

    def half(self) -> int:
        """A minute at which some trips have begun and others not, and their vehicles come in time if they set out then.

        A replan knows where a vehicle was last told of, not that it is on its way to its first load: one that would
        come late by this is a trip that changes. Where a plan has no such minute, any in the middle has to do.
        """
        free = {row["type"]: row["available_min"] for row in self.plan.scenario["vehicles"]}
        days: dict[str, list[list[Stop]]] = {}
        for order in sorted(self.orders(), key=lambda order: order.stops[0].start_min):
            days.setdefault(order.vehicle, []).append(order.stops)
        starts = sorted(stops[0].start_min for day in days.values() for stops in day)
        middle = starts[len(starts) // 2] - 5

        def in_time(vehicle: str, now: int) -> bool:
            since = free[vehicle.partition("#")[0]]
            for stops in days[vehicle]:
                first = stops[0]
                if first.start_min >= now:
                    return max(since, now) + first.arrive_min - since <= first.start_min
                since = stops[-1].end_min
            return True

        minutes = [start - 5 for start in starts if start - 5 > starts[0]]
        kept = [now for now in minutes if all(in_time(vehicle, now) for vehicle in days)]
        return min(kept, key=lambda now: abs(now - middle), default=middle)

    def sound(self) -> None:
        """Allocation's records agree with each other and with inventory's; the books balance."""
        assert [str(found) for found in self.house.tx(lambda s: list(proof.differences(s)))] == []
        assert self.world.books.books().faults == []
        claims = self.house.tx(proof.claims)
        for hold_id in claims.holds.values():
            assert self.world.books.get_hold(hold_id).status in (HoldStatus.OPEN, HoldStatus.ISSUED)
